/* session.c - fuzz: connections from their first byte: HTTP, the upgrade, frames, login, bind,
 * resumption and stanzas, to a conference on this worker and to one on another. Sockets, loops and
 * threads are played: time stands still unless the input lets it pass. What the server writes must
 * be HTTP, then frames of well-formed XML; what it hands upward must come from the session's own
 * address; and who resumes a stream has got what the conference numbered once, in order. io
 *
 * The input is lines, their first byte says what happens:
 *   ?QUERY  a whole upgrade request with that query     #LINE  a line of HTTP, CRLF added
 *   >LINE   the same, but it comes together with the next bytes
 *   <XML    a masked text frame of this line            !BYTES these bytes as they are
 *   +       ten seconds pass     -  the peer is gone    %      it reads nothing (any more, again)
 *   ~XML    the conference sends this to whom it knows  =      the conference closes that session
 *   ^N      worker N does not look at its messages (any more, again)
 *   /N      a slice of the thread's time is over at every Nth question (0: never)
 *   &       tokens are needed from now on
 *   *       another connection comes; *N  this is about the Nth again
 *   .N      the conference says N + 1 numbers to whom it knows, ,N  long ones
 *   @N      what rooms think of a stream that resumes with another token
 * In a query and a frame $i stands for the id of the stream that was heard of last, $h for what it
 * has received. */
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "fuzz/counted.h"
#include "fuzz/played.h"
#include "http/server.h"
#include "http/websocket.h"
#include "policy/settings.h"
#include "session/directory.h"
#include "session/far.h"
#include "token/keys.h"
#include "xmpp/ns.h"
#include "xmpp/stanza.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define WORKERS 2
#define CONNECTIONS 8
#define WRITTEN_MAX (32u << 20)

/* The world: kept from input to input but for the sessions, their loops and the socket. */

static struct world {
	struct policy_settings policy;
	struct token_settings token;
	struct token_keys *keys;
	struct http_server *http;
	struct xml_parser *checker;
	struct directory *directory;
	struct directory_entry *here, *there;
	struct worker workers[WORKERS];
	struct worker *worker_list[WORKERS];
	struct loop loops[WORKERS];
	struct sessions *sessions[WORKERS];
	struct far *fars[WORKERS];
	struct outbox outboxes[WORKERS];
	struct tcp tcps[CONNECTIONS];
	unsigned n_tcps;
	struct tcp *tcp; /* the one at hand */
	enum resume_opinion opinion;
	/* the session that the conference heard last, and on which worker that was */
	struct session_handle last;
	unsigned last_at;
	bool last_known;
} world;

/* Says what does not hold: all these calls of abort() would be one for the compiler. */
#define require(holds) ((holds) ? (void)0 : broken(__LINE__, #holds))

static void broken(int line, const char *what)
{
	fprintf(stderr, "line %d: %s does not hold\n", line, what);
	abort();
}

/* What a conference does with a stanza: an answer to an IQ, and everybody is told a message. */
static void hear(
        unsigned worker, struct session_handle who, struct str jid, const struct stanza *st)
{
	const struct outbox *o = &world.outboxes[worker];
	require(str_eq(element_attr(st->element, "from"), jid));
	require(st->has_to && !str_absent(st->to.domain));
	world.last = who;
	world.last_at = worker;
	world.last_known = true;
	struct buf b;
	buf_init(&b, 0);
	if (st->kind == STANZA_IQ && (st->type == STANZA_GET || st->type == STANZA_SET)) {
		stanza_result(&b, st, st->to.full, jid);
		o->send(o->arg, who, buf_view(&b), NULL);
	} else if (st->kind == STANZA_MESSAGE) {
		struct block *tail = block_new(STR("><body>shared</body></message>"));
		require(tail != NULL);
		stanza_head(&b, STANZA_MESSAGE, NULL, st->id, st->to.full, jid);
		o->send(o->arg, who, buf_view(&b), tail);
		o->send(o->arg, who, buf_view(&b), tail);
		block_unref(tail);
	}
	require(!b.failed);
	buf_done(&b);
}

static void wrote(struct tcp *t, struct str bytes)
{
	bool text = t->upgraded && bytes.n && ((unsigned char)bytes.p[0] & 15) == FRAME_TEXT;
	if (text)
		require(counted_wrote(&t->counted, str_sub(bytes, str_find(bytes, '<'), bytes.n)));
}

static void on_stanza(void *arg, struct session *s, const struct stanza *st)
{
	(void)arg;
	struct session_handle h = session_handle(s);
	bool room = str_eqc(st->to.domain, "c.d") && !str_absent(st->to.node);
	require(session_get(world.sessions[0], h) == s);
	if (!room || !far_stanza(world.fars[0], s, st, st->to.bare, st->kind == STANZA_PRESENCE))
		hear(0, h, session_jid(s), st);
}

static void on_gone(void *arg, struct session *s, enum session_end why)
{
	(void)arg;
	require(session_end_text(why)[0] && session_jid(s).n && session_key(s).n == 36);
	world.outboxes[0].send(
	        world.outboxes[0].arg, session_handle(s), STR("<late/>"), NULL); /* dropped */
}

static void on_away(void *arg, struct session *s)
{
	(void)arg;
	require(session_get(world.sessions[0], session_handle(s)) == s);
}

static void on_back(void *arg, struct session *s, bool same_token)
{
	(void)arg, (void)same_token;
	require(session_get(world.sessions[0], session_handle(s)) == s);
}

static enum resume_opinion on_may_resume(void *arg, const struct resume_question *q)
{
	(void)arg;
	require(q->session.generation && q->key.n == 36 && q->claims);
	require(str_absent(q->knocks_at) || str_ends(q->knocks_at, STR("@c.d")));
	return world.opinion;
}

static void on_far_away(void *arg, struct session_handle h)
{
	(void)arg;
	require(h.worker == 0 && h.generation);
}

static void on_far_back(void *arg, const struct far_client *c, bool same_token)
{
	(void)arg;
	require(c->jid.n && c->key.n == 36 && c->peer.n && (same_token || c->claims));
}

static void on_far_stanza(void *arg, const struct far_client *c, const struct stanza *st)
{
	(void)arg;
	hear(1, c->handle, c->jid, st);
}

static void on_far_gone(void *arg, struct session_handle h)
{
	(void)arg;
	if (world.last_known && session_handle_eq(h, world.last))
		world.last_known = false;
}

static void on_open(void *arg, const struct http_request *r, struct ws *w)
{
	struct buf room;
	(void)arg;
	buf_init(&room, 0);
	const struct muc_host muc = {.domain = STR("c.d")};
	session_room_of_query(r->head->query, &muc, &room);
	require(!room.n || str_ends(buf_view(&room), STR("@c.d")));
	buf_done(&room);
	world.tcp->upgraded = true;
	sessions_open(world.sessions[0], r, w);
}

static bool on_health(void *arg, struct buf *out)
{
	(void)arg;
	buf_puts(out, "{}");
	return true;
}

/* The conference a@c.d is on worker 0, b@c.d on worker 1. */
static void begin_once(void)
{
	static const struct http_settings http = {.max_head = 2000,
	        .max_target = 4000,
	        .head_timeout_ms = 5000,
	        .idle_timeout_ms = 15000,
	        .max_message = 10000,
	        .ping_idle_ms = 15000,
	        .ping_timeout_ms = 15000,
	        .log_lines_per_second = 1,
	        .ws_path = "/xmpp-websocket",
	        .ws_protocol = "xmpp",
	        .ws_open = on_open,
	        .config_js = {"var config = {};\n", 17},
	        .health = on_health};
	log_set_level(LOG_ERROR);
	policy_settings_init(&world.policy);
	token_settings_init(&world.token);
	world.token.app_id = STR("my_app");
	world.token.keys.app_secret = STR("0123456789abcdef0123456789abcdef");
	world.keys = token_keys_load(&world.token, STR_NONE, NULL);
	world.http = http_server_new(&http);
	world.checker = xml_parser_new();
	world.directory = directory_new(WORKERS, false);
	require(world.keys && world.http && world.checker && world.directory);
	world.here = directory_claim(world.directory, STR("a@c.d"), 0);
	world.there = directory_claim(world.directory, STR("b@c.d"), 1);
	require(world.here && world.there && world.there->worker == 1);
}

static void begin_worker(unsigned i)
{
	static const struct extdisco none;
	const struct session_settings settings = {.domain = STR("d"),
	        .extdisco = &none,
	        .guest_domain = STR("guest.d"),
	        .policy = &world.policy,
	        .token = &world.token,
	        .keys = world.keys,
	        .directory = world.directory,
	        .worker = i,
	        .muc.domain = STR("c.d"),
	        .sessions = 10,
	        .before_login = {.bytes = 2000, .depth = 6, .attributes = 12, .elements = 20},
	        .after_login = {.bytes = 3000, .depth = 12, .attributes = 16, .elements = 100},
	        .login_stanzas = 12,
	        .login_timeout_ms = 15000,
	        .stanzas_per_second = 4,
	        .bytes_per_second = 1000,
	        .resume_ms = 15000,
	        .resume_service_ms = 15000,
	        .resume_queue = 40,
	        .resume_bytes = 100000,
	        .resume_total = 80000,
	        .away_per_address = 2,
	        .log_lines_per_second = 1};
	static const struct session_events events = {.stanza = on_stanza,
	        .gone = on_gone,
	        .away = on_away,
	        .back = on_back,
	        .may_resume = on_may_resume};
	const struct far_settings far = {.workers = world.worker_list,
	        .fars = world.fars,
	        .queued = 4000,
	        .queued_total = 1u << 20,
	        .stanza = on_far_stanza,
	        .gone = on_far_gone,
	        .away = on_far_away,
	        .back = on_far_back,
	        .may_resume = on_may_resume};
	struct loop *l = &world.loops[i];
	list_init(&l->deferred);
	l->now_ms = 1000;
	l->slice = l->asked = 0;
	timer_wheel_init(&l->timers, l->now_ms);
	world.workers[i] = (struct worker){0};
	world.workers[i].last = &world.workers[i].first;
	world.worker_list[i] = &world.workers[i];
	world.sessions[i] = sessions_new(l, &settings, &events);
	require(world.sessions[i] != NULL);
	world.fars[i] = far_new(world.sessions[i], &far, WORKERS);
	require(world.fars[i] != NULL);
	far_outbox(world.fars[i], &world.outboxes[i]);
}

static void connect_one(void)
{
	if (world.n_tcps == CONNECTIONS)
		return;
	struct tcp *t = world.tcp = &world.tcps[world.n_tcps++];
	*t = (struct tcp){.loop = &world.loops[0]};
	buf_init(&t->written, WRITTEN_MAX);
	buf_init(&t->held, 0);
	buf_init(&t->back, 0);
	http_server_accept(world.http, t);
}

static void begin(void)
{
	if (!world.http)
		begin_once();
	world.policy.allow_guests = true;
	world.last_known = false;
	world.opinion = RESUME_HONOURED;
	counted_begin();
	for (unsigned i = 0; i < WORKERS; i++)
		begin_worker(i);
	world.n_tcps = 0;
	connect_one();
}

/* The rest of the turn, on both workers, until nothing is left to do. */
static bool run_messages(struct worker *w)
{
	struct message *m = w->lags ? NULL : w->first;
	if (!m)
		return false;
	w->first = NULL;
	w->last = &w->first;
	while (m) {
		struct message *next = m->next;
		m->run(NULL, m);
		m = next;
	}
	return true;
}

static bool run_deferred(struct loop *l)
{
	bool any = !list_empty(&l->deferred);
	while (!list_empty(&l->deferred)) {
		struct loop_task *t = LIST_OWNER(l->deferred.next, struct loop_task, link);
		list_remove(&t->link);
		t->fn(t->arg);
	}
	return any;
}

/* What was put back is handed on first of all. */
static bool run_put_back(struct tcp *t)
{
	if (!t->again || !t->owned || t->deaf)
		return false;
	struct buf bytes = t->back;
	struct tcp *at_hand = world.tcp;
	t->again = false;
	buf_init(&t->back, 0);
	world.tcp = t;
	t->ev.data(t->ev.arg, t, buf_view(&bytes));
	world.tcp = at_hand;
	buf_done(&bytes);
	return true;
}

static void settle(void)
{
	for (bool again = true; again;) {
		again = false;
		for (unsigned i = 0; i < WORKERS; i++) {
			again = run_messages(&world.workers[i]) || again;
			again = run_deferred(&world.loops[i]) || again;
		}
		for (unsigned i = 0; i < world.n_tcps; i++)
			again = run_put_back(&world.tcps[i]) || again;
	}
}

static void give(struct str last)
{
	struct tcp *t = world.tcp;
	buf_str(&t->held, last);
	struct str bytes = buf_view(&t->held);
	/* never more at once than a loop reads; a copy, so that a read past the end is seen */
	while (bytes.n && t->owned && !t->deaf) {
		size_t n = bytes.n < LOOP_BUFFER ? bytes.n : LOOP_BUFFER;
		char *copy = mem_alloc(n);
		require(copy != NULL);
		memcpy(copy, bytes.p, n);
		t->ev.data(t->ev.arg, t, str_from(copy, n));
		mem_free(copy);
		bytes = str_sub(bytes, n, bytes.n);
		settle();
	}
	buf_reset(&t->held);
}

static void give_frame(struct str line)
{
	struct buf b, expanded;
	unsigned char head[FRAME_HEAD_MAX];
	buf_init(&b, 0);
	buf_init(&expanded, 0);
	counted_expand(line, &expanded);
	struct str text = buf_view(&expanded);
	size_t n = frame_head(FRAME_TEXT, text.n, head);
	head[1] |= 0x80;
	buf_add(&b, head, n);
	buf_add(&b, "\0\0\0\0", 4); /* a mask that changes nothing */
	buf_str(&b, text);
	give(buf_view(&b));
	buf_done(&b);
	buf_done(&expanded);
}

static void give_upgrade(struct str query)
{
	struct buf b;
	buf_init(&b, 0);
	buf_puts(&b, "GET /xmpp-websocket?");
	counted_expand(query, &b);
	buf_puts(&b, " HTTP/1.1\r\nHost: d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
	             "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n"
	             "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: xmpp\r\n\r\n");
	give(buf_view(&b));
	buf_done(&b);
}

static void ten_seconds(void)
{
	for (unsigned i = 0; i < 100; i++) {
		for (unsigned k = 0; k < WORKERS; k++) {
			struct loop *l = &world.loops[k];
			timer_wheel_run(&l->timers, l->now_ms += 100);
		}
		settle();
	}
}

static void peer_gone(struct tcp *t, enum tcp_end why)
{
	if (t->owned) {
		t->owned = false;
		t->ev.ended(t->ev.arg, t, why);
	}
	settle();
}

static void peer_reads(void)
{
	struct tcp *t = world.tcp;
	t->full = !t->full;
	if (!t->full && t->owned && t->ev.drained)
		t->ev.drained(t->ev.arg, t);
	settle();
}

static void conference_says(struct str xml)
{
	const struct outbox *o = &world.outboxes[world.last_at];
	const struct xml_limits limits = {
	        .bytes = 65536, .depth = 12, .attributes = 16, .elements = 100};
	struct arena a;
	struct element *e;
	arena_init(&a, 0);
	/* rooms send what is well-formed */
	if (world.last_known && xml_parse(world.checker, xml, &limits, &a, &e) == XML_FINE)
		o->send(o->arg, world.last, xml, NULL);
	arena_done(&a);
	settle();
}

static void conference_numbers(struct str how_many, size_t long_by)
{
	const struct outbox *o = &world.outboxes[world.last_at];
	unsigned n = how_many.n && how_many.p[0] >= '0' && how_many.p[0] <= '9'
	                     ? 1 + (unsigned)how_many.p[0] - '0'
	                     : 1;
	for (; n && world.last_known && counted.said < COUNTED_SAID; n--) {
		struct buf b;
		buf_init(&b, 0);
		buf_printf(&b, "<message xmlns='jabber:client'><n k='%u'/>", counted.said);
		for (size_t i = 0; i < long_by; i++)
			buf_putc(&b, 'x');
		buf_puts(&b, "</message>");
		counted.to[counted.said++] = world.last;
		o->send(o->arg, world.last, buf_view(&b), NULL);
		buf_done(&b);
	}
	settle();
}

static void lag(struct str which)
{
	if (which.n && which.p[0] >= '0' && which.p[0] < '0' + WORKERS) {
		struct worker *w = &world.workers[which.p[0] - '0'];
		w->lags = !w->lags;
	}
	settle();
}

static void run_line(struct str line)
{
	const struct outbox *o = &world.outboxes[world.last_at];
	struct str rest = str_sub(line, 1, line.n);
	switch (line.n ? line.p[0] : 0) {
	case '?':
		give_upgrade(rest);
		break;
	case '#':
		counted.honest = counted.honest && !world.tcp->upgraded;
		give(rest);
		give(STR("\r\n"));
		break;
	case '>':
		counted.honest = counted.honest && !world.tcp->upgraded;
		buf_str(&world.tcp->held, rest);
		buf_puts(&world.tcp->held, "\r\n");
		break;
	case '<':
		give_frame(line);
		break;
	case '!':
		counted.honest = false; /* who knows what it says */
		give(rest);
		break;
	case '+':
		ten_seconds();
		break;
	case '-':
		peer_gone(world.tcp, rest.n ? TCP_END_STALLED : TCP_END_EOF);
		break;
	case '%':
		peer_reads();
		break;
	case '~':
		conference_says(rest);
		break;
	case '=':
		if (world.last_known)
			o->close(o->arg, world.last, "policy-violation",
			        rest.n ? STR("Enough & <out>") : STR_NONE);
		settle();
		break;
	case '^':
		lag(rest);
		break;
	case '/':
		world.loops[0].slice = rest.n && rest.p[0] > '0' ? (unsigned)rest.p[0] - '0' : 0;
		break;
	case '&':
		world.policy.allow_guests = false;
		break;
	case '*':
		if (rest.n && rest.p[0] >= '0' && (unsigned)rest.p[0] - '0' < world.n_tcps)
			world.tcp = &world.tcps[rest.p[0] - '0'];
		else
			connect_one();
		break;
	case '.':
		conference_numbers(rest, 0);
		break;
	case ',':
		conference_numbers(rest, 9000);
		break;
	case '@':
		world.opinion = rest.n ? (enum resume_opinion)((unsigned char)rest.p[0] % 3)
		                       : RESUME_HONOURED;
		break;
	default:
		break;
	}
}

/* What was written: answers of HTTP, and behind a 101 frames. */

static void check_text(struct str text)
{
	static const struct xml_limits limits = {
	        .bytes = WRITTEN_MAX, .depth = 64, .attributes = 256, .elements = 65536};
	struct arena a;
	struct element *e;
	arena_init(&a, 0);
	require(xml_parse(world.checker, text, &limits, &a, &e) == XML_FINE);
	require(!element_is(e, "late", NULL)); /* nothing is sent to whom has gone */
	arena_done(&a);
}

static void check_frames(struct str s)
{
	bool closed = false;
	while (s.n) {
		require(!closed && s.n >= 2);
		unsigned first = (unsigned char)s.p[0], n7 = (unsigned char)s.p[1];
		size_t width = n7 == 126 ? 2 : n7 == 127 ? 8 : 0;
		uint64_t n = width ? 0 : n7;
		require((first & 0x70) == 0 && first & 0x80 && n7 < 128 && s.n >= 2 + width);
		for (size_t i = 0; i < width; i++)
			n = n << 8 | (unsigned char)s.p[2 + i];
		require(n <= s.n - 2 - width);
		struct str payload = str_sub(s, 2 + width, 2 + width + (size_t)n);
		if ((first & 15) == FRAME_TEXT)
			check_text(payload);
		else
			require(payload.n <= FRAME_CONTROL_MAX);
		closed = (first & 15) == FRAME_CLOSE;
		s = str_sub(s, 2 + width + (size_t)n, s.n);
	}
}

static void check_written(const struct tcp *t)
{
	static const char head[] = "HTTP/1.1 101 Switching Protocols\r\n";
	struct str all = buf_view(&t->written);
	require(all.n == 0 || str_starts(all, STR("HTTP/1.1 ")));
	const char *at = all.n ? memmem(all.p, all.n, head, sizeof head - 1) : NULL;
	require((at != NULL) == t->upgraded);
	if (!at)
		return;
	struct str rest = str_sub(all, (size_t)(at - all.p), all.n);
	const char *end = memmem(rest.p, rest.n, "\r\n\r\n", 4);
	require(end != NULL);
	check_frames(str_sub(rest, (size_t)(end - rest.p) + 4, rest.n));
}

static void end(void)
{
	struct worker *w = world.workers;
	w[0].lags = w[1].lags = false;
	sessions_shutdown(world.sessions[0]);
	settle();
	for (unsigned i = 0; i < world.n_tcps; i++)
		peer_gone(&world.tcps[i], TCP_END_ERROR);
	require(sessions_counters(world.sessions[0])->sessions == 0);
	require(sessions_counters(world.sessions[0])->bound_now == 0);
	require(sessions_counters(world.sessions[0])->away_now == 0);
	for (unsigned i = 0; i < WORKERS; i++)
		sessions_free(world.sessions[i]);
	for (unsigned i = 0; i < WORKERS; i++) {
		require(!w[i].first && list_empty(&world.loops[i].deferred));
		far_free(world.fars[i]);
	}
	require(directory_size(world.directory) == 2 && directory_sessions(world.directory) == 0);
	for (unsigned i = 0; i < world.n_tcps; i++) {
		struct tcp *t = &world.tcps[i];
		check_written(t);
		buf_done(&t->written);
		buf_done(&t->held);
		buf_done(&t->back);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str rest = str_from((const char *)data, size);
	begin();
	while (!str_absent(rest))
		run_line(str_split(&rest, '\n'));
	end();
	return 0;
}
