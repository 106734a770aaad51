/* tcp_transport.c - a session's stream over TCP: header, elements, STARTTLS, and whether the peer
 * is alive (RFC 6120, XEP-0199). io */
#include "base/err.h"
#include "base/mem.h"
#include "base/rand.h"
#include "net/tcp.h"
#include "session/internal.h"
#include "xmpp/ns.h"
#include "xmpp/stream.h"

#define HEADER_BYTES 2048

/* Goes at the end of the turn in which it has ended: the reading loop may be up the stack. */
struct tcp_stream {
	struct transport t;
	struct tcp *tcp;
	struct sessions *all;
	struct stream_parser *parser; /* made with the first bytes */
	bool dead;
	bool answered; /* our header of this stream was sent, so that it can be closed */
	bool restart;  /* the client's next bytes begin a new stream */
	bool drop;     /* what came with its request for TLS is not read */

	uint64_t heard_ms;
	bool asked; /* a ping is unanswered */
	struct timer timer;
	struct loop_task freed;
};

static const struct tls_door door = {.alpn = "xmpp-client"};
const struct tls_door *const session_tls_door = &door;

static struct tcp_stream *stream_of(struct transport *t)
{
	return LIST_OWNER(t, struct tcp_stream, t);
}

static void free_later(void *arg)
{
	struct tcp_stream *ts = arg;
	stream_parser_free(ts->parser);
	mem_free(ts);
}

static void release(struct tcp_stream *ts)
{
	ts->dead = true;
	timer_stop(&ts->timer);
	ts->freed.fn = free_later;
	ts->freed.arg = ts;
	loop_defer(ts->all->loop, &ts->freed);
}

/* Downward */

static int write_header(struct tcp_stream *ts, struct str from, struct str id)
{
	struct buf b;
	buf_init(&b, HEADER_BYTES);
	buf_puts(&b, "<?xml version='1.0'?><stream:stream xmlns='" NS_CLIENT
	             "' xmlns:stream='" NS_STREAMS "'");
	xml_attr(&b, "from", from);
	xml_attr(&b, "id", id);
	buf_puts(&b, " version='1.0' xml:lang='en'>");
	int err = b.failed ? ERR_NOMEM : tcp_write(ts->tcp, buf_view(&b));
	ts->answered = ts->answered || err == ERR_OK;
	buf_done(&b);
	return err;
}

static int open_stream(struct transport *t, struct str from, struct str id)
{
	return write_header(stream_of(t), from, id);
}

static int send_element(struct transport *t, struct str head, struct block *tail)
{
	return tcp_write_parts(stream_of(t)->tcp, &head, 1, tail, false);
}

static int send_copy(struct transport *t, struct str head, struct str tail)
{
	const struct str parts[] = {head, tail};
	return tcp_write_parts(stream_of(t)->tcp, parts, 2, NULL, false);
}

static void known(struct transport *t)
{
	tcp_known(stream_of(t)->tcp);
}

static void write_last(struct tcp_stream *ts, struct str text)
{
	(void)tcp_write_parts(ts->tcp, &text, 1, NULL, true);
}

static void end(struct transport *t, enum session_end why, struct str error)
{
	(void)why;
	struct tcp_stream *ts = stream_of(t);
	/* RFC 6120 4.9.1.1: an error stands in a stream, also when the client's had no header */
	if (!str_absent(error) && !ts->answered)
		(void)write_header(ts, ts->all->settings.domain, STR_NONE);
	if (!str_absent(error))
		write_last(ts, error);
	if (ts->answered)
		write_last(ts, STR("</stream:stream>"));
	tcp_close(ts->tcp, LINGER_MS);
	release(ts);
}

static void set_max_message(struct transport *t, size_t bytes)
{
	(void)t, (void)bytes; /* each element is read within session_limits */
}

static bool is_secure(struct transport *t)
{
	return tcp_tls_established(stream_of(t)->tcp);
}

static void restart(struct transport *t)
{
	struct tcp_stream *ts = stream_of(t);
	ts->restart = true;
	ts->answered = false;
}

static bool can_start_tls(struct transport *t)
{
	const struct tcp_stream *ts = stream_of(t);
	struct tls_context *tls = ts->all->settings.tls;
	return tls && tls_context_ready(tls) && !tcp_is_tls(ts->tcp);
}

static bool start_tls(struct transport *t)
{
	struct tcp_stream *ts = stream_of(t);
	if (tcp_write(ts->tcp, STR("<proceed xmlns='" NS_TLS "'/>")))
		return false;
	if (tcp_start_tls(ts->tcp, ts->all->settings.tls, &door))
		return false;
	restart(t);
	ts->drop = true;
	return true;
}

static const struct transport_ops ops = {
        .kind = TRANSPORT_TCP,
        .name = "tcp",
        .open = open_stream,
        .send = send_element,
        .send_copy = send_copy,
        .known = known,
        .end = end,
        .set_max_message = set_max_message,
        .secure = is_secure,
        .restart = restart,
        .can_start_tls = can_start_tls,
        .start_tls = start_tls,
};

/* Upward */

static void tell(struct session *s, enum stream_event e, const struct stream_item *item)
{
	if (e == STREAM_FAULT) {
		session_fault(s, item->fault);
	} else if (e == STREAM_CLOSED) {
		session_closed(s);
	} else if (!session_admit(s, item->bytes)) {
		return;
	} else if (e == STREAM_ELEMENT) {
		session_element(s, item->element, STR_NONE);
	} else if (item->condition) {
		session_close(s, SESSION_PROTOCOL, item->condition, STR_NONE);
	} else {
		session_opened(s, item->to);
	}
}

static void read_bytes(struct tcp_stream *ts, struct str bytes)
{
	ts->drop = false;
	while (ts->t.session && !ts->drop) {
		struct session *s = ts->t.session;
		struct stream_item item;
		if (ts->restart)
			stream_parser_restart(ts->parser);
		ts->restart = false;
		enum stream_event e =
		        stream_parser_next(ts->parser, &bytes, session_limits(s), &item);
		if (e == STREAM_MORE)
			return;
		tell(s, e, &item);
		arena_reset(&ts->all->arena);
	}
}

static void on_data(void *arg, struct tcp *t, struct str bytes)
{
	(void)t;
	struct tcp_stream *ts = arg;
	ts->heard_ms = loop_now_ms(ts->all->loop);
	ts->asked = false;
	if (!ts->parser)
		ts->parser = stream_parser_new();
	if (ts->parser)
		read_bytes(ts, bytes);
	else
		session_fault(ts->t.session, XML_NO_MEMORY);
}

static void lost(struct tcp_stream *ts, enum session_end why, const char *detail)
{
	struct session *s = ts->t.session;
	release(ts);
	session_lost(s, why, detail);
}

static void on_ended(void *arg, struct tcp *t, enum tcp_end why)
{
	(void)t;
	if (why == TCP_END_STALLED)
		lost(arg, SESSION_SLOW, "stalled");
	else
		lost(arg, SESSION_LOST, NULL);
}

static void ask(struct tcp_stream *ts, const struct session *s)
{
	char id[17];
	struct buf b;
	if (s->managed) { /* what is not counted, and has an answer */
		(void)tcp_write(ts->tcp, STR("<r xmlns='" NS_SM "'/>"));
		return;
	}
	if (!rand_hex(id, 16))
		return;
	buf_init(&b, 0);
	stanza_head(&b, STANZA_IQ, "get", str_c(id), s->domain, session_jid(s));
	buf_puts(&b, "><ping xmlns='" NS_PING "'/></iq>");
	/* out of memory: the peer will miss it, nothing else */
	if (!b.failed)
		(void)tcp_write(ts->tcp, buf_view(&b));
	buf_done(&b);
}

/* Asks a silent peer for a sign of life. Before it is bound there is nobody to ask, and the login
 * timeout watches. */
static void on_timer(void *arg, uint64_t now_ms)
{
	struct tcp_stream *ts = arg;
	const struct session *s = ts->t.session;
	const struct session_settings *set = &ts->all->settings;
	struct timer_wheel *wheel = loop_timers(ts->all->loop);
	uint64_t ask_at = ts->heard_ms + set->ping_idle_ms;
	if (ts->asked) {
		ts->all->counters.limit_ping_timeout++;
		tcp_close(ts->tcp, 0);
		lost(ts, SESSION_LOST, "silent");
	} else if (now_ms < ask_at) {
		timer_start(wheel, &ts->timer, ask_at, on_timer, ts);
	} else if (s->state != SESSION_BOUND) {
		timer_start(wheel, &ts->timer, now_ms + set->ping_idle_ms, on_timer, ts);
	} else {
		ts->asked = true;
		ask(ts, s);
		timer_start(wheel, &ts->timer, now_ms + set->ping_timeout_ms, on_timer, ts);
	}
}

/* There is no session to say it: the stream is opened for it, and closed. */
static void turn_away(struct tcp_stream *ts)
{
	end(&ts->t, SESSION_ENDED,
	        STR("<stream:error><resource-constraint xmlns='" NS_STREAM_ERRORS
	            "'/></stream:error>"));
}

void sessions_accept(void *sessions, struct tcp *t)
{
	struct sessions *ss = sessions;
	struct tcp_stream *ts = mem_zalloc(sizeof *ts);
	if (!ts) {
		ss->counters.no_memory++;
		tcp_close(t, 0);
		return;
	}
	ts->t.ops = &ops;
	ts->tcp = t;
	ts->all = ss;
	const struct session_arrival a = {.peer = tcp_peer(t),
	        .peer_loopback = tcp_peer_loopback(t),
	        .query = STR_NONE,
	        .authorization = STR_NONE,
	        .region = STR_NONE};
	if (!session_arrive(ss, &ts->t, &a)) {
		turn_away(ts);
		return;
	}
	ts->heard_ms = loop_now_ms(ss->loop);
	timer_start(loop_timers(ss->loop), &ts->timer, ts->heard_ms + ss->settings.ping_idle_ms,
	        on_timer, ts);
	tcp_own(t, &(struct tcp_events){.arg = ts, .data = on_data, .ended = on_ended});
}
