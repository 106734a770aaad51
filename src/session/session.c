/* session.c - sessions from their arrival to their end, and how rooms reach them. io
 *
 * A session ends in one place, on_ended, at the end of the turn: whoever closes it may be in the
 * middle of sending to a whole room, or be the session's own message. */
#include "session/session.h"

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "session/accounts.h"
#include "session/bosh.h"
#include "session/internal.h"
#include "xmpp/ns.h"

#define ARENA_BYTES (16u << 20) /* of one message's tree */
#define OUT_BYTES (1u << 20)
#define NO_SLOT UINT32_MAX

const char *session_end_text(enum session_end e)
{
	static const char *const texts[] = {
	        "closed", "lost", "slow", "protocol", "rate", "ended", "shutdown"};
	return texts[e];
}

struct sessions *sessions_new(struct loop *l, const struct session_settings *settings,
        const struct session_events *events)
{
	struct sessions *ss = mem_zalloc(sizeof *ss);
	if (!ss)
		return NULL;
	ss->parser = xml_parser_new();
	if (!ss->parser) {
		mem_free(ss);
		return NULL;
	}
	ss->loop = l;
	ss->settings = *settings;
	ss->events = *events;
	ss->free_slot = NO_SLOT;
	list_init(&ss->list);
	arena_init(&ss->arena, ARENA_BYTES);
	buf_init(&ss->out, OUT_BYTES);
	buf_init(&ss->written, 0); /* bounded by what an element may be */
	map_init(&ss->resumable);
	map_init(&ss->sleepers);
	return ss;
}

void sessions_free(struct sessions *ss)
{
	if (!ss)
		return;
	bosh_free(ss);
	xml_parser_free(ss->parser);
	arena_done(&ss->arena);
	buf_done(&ss->out);
	buf_done(&ss->written);
	map_done(&ss->resumable);
	map_done(&ss->sleepers);
	mem_free(ss->slots);
	mem_free(ss);
}

const struct session_counters *sessions_counters(const struct sessions *ss)
{
	return &ss->counters;
}

struct arena *sessions_arena(struct sessions *ss)
{
	return &ss->arena;
}

size_t sessions_list_counters(const struct sessions *ss, struct counter *out, size_t max)
{
	const struct session_counters *c = &ss->counters;
	const struct counter all[] = {
	        {"sessions", c->sessions},
	        {"sessions_bound", c->bound_now},
	        {"sessions_opened", c->opened},
	        {"logins", c->bound},
	        {"refused_logins", c->refused_logins},
	        {"limit_sessions", c->limit_sessions},
	        {"limit_login_stanzas", c->limit_login_stanzas},
	        {"limit_login_timeout", c->limit_login_timeout},
	        {"limit_stanzas_per_second", c->limit_stanzas_per_second},
	        {"limit_bytes_per_second", c->limit_bytes_per_second},
	        {"limit_queued_bytes_closed", c->limit_queued_bytes},
	        {"limit_service_passwords_per_minute", c->limit_service_passwords},
	        {"limit_stanza_bytes", c->limit_xml_bytes},
	        {"limit_stanza_depth", c->limit_xml_depth},
	        {"limit_stanza_attributes", c->limit_xml_attributes},
	        {"limit_stanza_elements", c->limit_xml_elements},
	        {"xml_not_well_formed", c->xml_not_well_formed},
	        {"xml_restricted", c->xml_restricted},
	        {"stream_errors", c->stream_errors},
	        {"streams_tls_started", c->tls_started},
	        {"limit_ping_timeout", c->limit_ping_timeout},
	        {"sessions_away", c->away_now},
	        {"sessions_went_away", c->went_away},
	        {"sessions_resumed", c->resumed},
	        {"resumes_refused", c->resumes_refused},
	        {"resume_timeouts", c->resume_timeouts},
	        {"limit_sessions_away", c->limit_away},
	        {"log_lines_suppressed", c->log_suppressed},
	        {"no_memory", c->no_memory},
	};
	return counter_list(all, sizeof all / sizeof *all, out, max);
}

bool session_may_log(struct sessions *ss)
{
	double rate = ss->settings.log_lines_per_second;
	if (limit_take(&ss->log_lines, 1, rate, 2 * rate, loop_now_ms(ss->loop)))
		return true;
	ss->counters.log_suppressed++;
	return false;
}

/* Handles */

static bool grow_slots(struct sessions *ss)
{
	if (ss->free_slot != NO_SLOT || ss->n_slots < ss->cap_slots)
		return true;
	uint32_t cap = ss->cap_slots ? ss->cap_slots * 2 : 64;
	struct slot *slots = mem_realloc(ss->slots, cap * sizeof *slots);
	if (!slots)
		return false;
	ss->slots = slots;
	ss->cap_slots = cap;
	return true;
}

bool session_assign(struct session *s)
{
	struct sessions *ss = s->all;
	if (!grow_slots(ss))
		return false;
	uint32_t i = ss->free_slot;
	if (i != NO_SLOT)
		ss->free_slot = ss->slots[i].next_free;
	else
		ss->slots[i = ss->n_slots++] = (struct slot){0};
	struct slot *slot = &ss->slots[i];
	slot->session = s;
	if (++slot->generation == 0)
		slot->generation = 1;
	s->handle = (struct session_handle){
	        .worker = ss->settings.worker, .index = i, .generation = slot->generation};
	return true;
}

static void release_slot(struct session *s)
{
	struct sessions *ss = s->all;
	struct slot *slot = &ss->slots[s->handle.index];
	slot->session = NULL;
	slot->next_free = ss->free_slot;
	ss->free_slot = s->handle.index;
}

struct session *session_find(struct sessions *ss, struct session_handle h)
{
	if (h.worker != ss->settings.worker || h.index >= ss->n_slots ||
	        ss->slots[h.index].generation != h.generation)
		return NULL;
	return ss->slots[h.index].session;
}

struct session *session_get(struct sessions *ss, struct session_handle h)
{
	struct session *s = session_find(ss, h);
	return s && s->state == SESSION_BOUND ? s : NULL;
}

struct session *session_next(struct sessions *ss, uint32_t *pos)
{
	while (*pos < ss->n_slots) {
		struct session *s = ss->slots[(*pos)++].session;
		if (s && s->state == SESSION_BOUND)
			return s;
	}
	return NULL;
}

/* The end */

static void on_ended(void *arg)
{
	struct session *s = arg;
	struct sessions *ss = s->all;
	timer_stop(&s->timer);
	wait_end(s);
	sasl_end(s);
	resume_forget(s);
	list_remove(&s->link);
	ss->counters.sessions--;
	s->drops = true;
	s->state = SESSION_ENDING;
	if (s->was_bound) {
		ss->counters.bound_now--;
		log_debug("event=session-end session=%.8s because=%s", s->key,
		        session_end_text(s->why));
		ss->events.gone(ss->events.arg, s, s->why);
		if (ss->far)
			far_session_ended(s);
		management_done(s);
		release_slot(s);
	}
	if (ss->settings.directory) {
		route_done(s);
		directory_give_session(ss->settings.directory, ss->settings.worker);
	}
	claims_unref(s->claims);
	mem_free(s->jid);
	mem_free(s->query_room);
	mem_free(s->query_prefix);
	mem_free(s->token);
	mem_free(s);
}

void session_end(struct session *s, enum session_end why)
{
	if (s->state == SESSION_ENDING)
		return;
	s->state = SESSION_ENDING;
	s->drops = true;
	s->why = why;
	s->ended.fn = on_ended;
	s->ended.arg = s;
	loop_defer(s->all->loop, &s->ended);
}

static void write_stream_error(
        struct buf *b, const char *condition, struct str text, struct str extra)
{
	buf_printf(b,
	        "<stream:error xmlns:stream='" NS_STREAMS "'><%s xmlns='" NS_STREAM_ERRORS "'/>",
	        condition);
	if (!str_absent(text)) {
		buf_puts(b, "<text xmlns='" NS_STREAM_ERRORS "' xml:lang='en'>");
		xml_escape(b, text);
		buf_puts(b, "</text>");
	}
	buf_str(b, extra);
	buf_puts(b, "</stream:error>");
}

static void log_close(
        struct session *s, enum session_end why, const char *condition, struct str text)
{
	if (!condition || why == SESSION_SHUTDOWN || !session_may_log(s->all))
		return;
	log_info("event=close session=%.8s peer=%s because=%s condition=%s text=%s",
	        s->key[0] ? s->key : "-", s->peer, session_end_text(why), condition,
	        log_value(str_absent(text) ? STR("") : text));
}

void session_close(struct session *s, enum session_end why, const char *condition, struct str text)
{
	session_close_with(s, why, condition, text, STR_NONE);
}

void session_close_with(struct session *s, enum session_end why, const char *condition,
        struct str text, struct str extra)
{
	if (s->state == SESSION_ENDING)
		return;
	log_close(s, why, condition, text);
	if (condition)
		s->all->counters.stream_errors++;
	/* RFC 7395 3.4 and RFC 6120 4.9.1.1 want the stream open before an error: without it
	 * clients don't see which error it is */
	if (condition && !s->greeted)
		stream_open_reply(s);
	s->drops = true;
	struct transport *t = s->transport;
	if (t) {
		struct buf b;
		buf_init(&b, 4096);
		if (condition)
			write_stream_error(&b, condition, text, extra);
		s->transport = NULL;
		t->session = NULL;
		t->ops->end(t, why, condition && !b.failed ? buf_view(&b) : STR_NONE);
		buf_done(&b);
	}
	session_end(s, why);
}

/* Sending */

void session_send_failed(struct session *s, int err)
{
	if (err == ERR_LIMIT) {
		s->all->counters.limit_queued_bytes++;
		session_close(s, SESSION_SLOW, "policy-violation",
		        STR("Too much is waiting for this client"));
	} else if (err == ERR_NOMEM) {
		/* a stanza that is left out silently would leave the client with a wrong picture of
		 * its room */
		s->all->counters.no_memory++;
		session_close(s, SESSION_ENDED, "resource-constraint", STR_NONE);
	}
}

void session_deliver(struct session *s, struct str head, struct block *tail)
{
	if (s->drops)
		return;
	if (s->managed)
		management_sent(s, head, STR_NONE, tail);
	if (!s->transport)
		return;
	int err = s->transport->ops->send(s->transport, head, tail);
	if (err)
		session_send_failed(s, err);
}

void session_deliver_copy(struct session *s, struct str head, struct str tail)
{
	if (s->drops)
		return;
	if (s->managed) /* also what had no memory to be shared is counted, and kept */
		management_sent(s, head, tail, NULL);
	if (!s->transport)
		return;
	const struct transport_ops *ops = s->transport->ops;
	int err = ops->send_copy ? ops->send_copy(s->transport, head, tail) : ERR_NOMEM;
	if (err)
		session_send_failed(s, err);
}

void session_send(struct session *s, struct str bytes)
{
	session_deliver(s, bytes, NULL);
}

struct buf *session_begin(struct session *s)
{
	buf_reset(&s->all->out);
	return &s->all->out;
}

void session_flush(struct session *s)
{
	struct buf *b = &s->all->out;
	if (b->failed)
		session_send_failed(s, ERR_NOMEM);
	else
		session_send(s, buf_view(b));
}

static void outbox_send(void *arg, struct session_handle to, struct str head, struct block *tail)
{
	struct session *s = session_find(arg, to);
	if (s)
		session_deliver(s, head, tail);
}

static void outbox_close(
        void *arg, struct session_handle to, const char *condition, struct str text)
{
	struct session *s = session_find(arg, to);
	if (s)
		session_close(s, SESSION_ENDED, condition, text);
}

void session_outbox(struct sessions *ss, struct outbox *out)
{
	*out = (struct outbox){.arg = ss, .send = outbox_send, .close = outbox_close};
}

/* Arrival */

void session_lost(struct session *s, enum session_end why, const char *detail)
{
	if (s->transport)
		s->transport->session = NULL;
	if (detail && session_may_log(s->all))
		log_info("event=close session=%.8s peer=%s because=%s %s=%s",
		        s->key[0] ? s->key : "-", s->peer, session_end_text(why),
		        s->transport ? s->transport->ops->name : "transport", detail);
	s->transport = NULL;
	if (!resume_away(s, why))
		session_end(s, why);
}

static void on_timer(void *arg, uint64_t now_ms)
{
	(void)now_ms;
	struct session *s = arg;
	if (s->state == SESSION_REFUSED) {
		session_close(s, SESSION_CLOSED, NULL, STR_NONE);
		return;
	}
	s->all->counters.limit_login_timeout++;
	session_close(s, SESSION_PROTOCOL, "connection-timeout", STR("Login took too long"));
}

static bool take_session(struct sessions *ss)
{
	const struct session_settings *set = &ss->settings;
	return set->directory ? directory_take_session(set->directory, set->worker, set->sessions)
	                      : ss->counters.sessions < set->sessions;
}

struct session *session_arrive(
        struct sessions *ss, struct transport *t, const struct session_arrival *a)
{
	t->session = NULL;
	if (ss->draining || !take_session(ss)) {
		if (!ss->draining && session_may_log(ss))
			log_warn("event=refuse stage=connect because=sessions limit=%u peer=%.*s",
			        ss->settings.sessions, STR_FMT(a->peer));
		ss->counters.limit_sessions += !ss->draining;
		return NULL;
	}
	struct session *s = mem_zalloc(sizeof *s);
	if (!s) {
		ss->counters.no_memory++;
		if (ss->settings.directory)
			directory_give_session(ss->settings.directory, ss->settings.worker);
		return NULL;
	}
	s->all = ss;
	s->transport = t;
	t->session = s;
	s->domain = ss->settings.domain;
	size_t n = a->peer.n < sizeof s->peer ? a->peer.n : sizeof s->peer - 1;
	memcpy(s->peer, a->peer.p, n);
	s->peer_loopback = a->peer_loopback;
	if (a->region.n < sizeof s->region && a->region.n)
		memcpy(s->region, a->region.p, a->region.n);
	list_append(&ss->list, &s->link);
	ss->counters.opened++;
	ss->counters.sessions++;
	t->ops->set_max_message(t, ss->settings.before_login.bytes);
	timer_start(loop_timers(ss->loop), &s->timer,
	        loop_now_ms(ss->loop) + ss->settings.login_timeout_ms, on_timer, s);
	login_take_arrival(s, a);
	resume_take_request(s, a->query);
	if (ss->settings.directory && !str_absent(a->query))
		route_take_request(s, a->query);
	return s;
}

void sessions_shutdown(struct sessions *ss)
{
	ss->draining = true;
	LIST_EACH_SAFE(it, &ss->list)
	session_close(LIST_OWNER(it, struct session, link), SESSION_SHUTDOWN, "system-shutdown",
	        STR_NONE);
}

/* What the upper floors may know */

struct session_handle session_handle(const struct session *s)
{
	return s->handle;
}
struct str session_jid(const struct session *s)
{
	return str_c(s->jid);
}
struct str session_bare_jid(const struct session *s)
{
	return str_from(s->jid, s->bare_n);
}
struct str session_key(const struct session *s)
{
	return str_c(s->key);
}
struct claims *session_claims(const struct session *s)
{
	return s->claims;
}
enum service session_service(const struct session *s)
{
	return s->account ? s->account->service : SERVICE_NONE;
}
struct str session_peer(const struct session *s)
{
	return str_c(s->peer);
}
struct str session_region(const struct session *s)
{
	return s->region[0] ? str_c(s->region) : STR_NONE;
}

bool session_peer_loopback(const struct session *s)
{
	return s->peer_loopback;
}
struct str session_query_room(const struct session *s)
{
	return str_c(s->query_room);
}
struct str session_query_prefix(const struct session *s)
{
	return str_c(s->query_prefix);
}

bool session_from_this_server(const struct session *s, struct str jid)
{
	return str_eq(jid, session_jid(s)) || str_eq(jid, session_bare_jid(s));
}
