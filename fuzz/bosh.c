/* bosh.c - fuzz: clients over BOSH, their POSTs in any order, lost, again and hostile, against a
 * conference that numbers what it says. Every POST is answered once, or has gone; an answer is one
 * <body/>; the same number gets the same answer; what the conference said comes once and in order.
 * io
 *
 * The input is lines. The first byte says what happens, then the turn ends, unless a comma stands
 * before it:
 *   o ATTRIBUTES  a session is opened with these     L  it logs in
 *   < XML         the next number brings this        a ATTRIBUTES  and these attributes, nothing
 * else rD            the number D - 5 from the next one, empty (D: a digit) ! BYTES       this is a
 * body                      ~  the conference says something -D            the Dth connection from
 * the last goes    =  the conference closes the session
 *   +             all timers run */
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "net/loop.h"
#include "policy/settings.h"
#include "session/bosh.h"
#include "session/bosh_window.h"
#include "session/session.h"
#include "token/settings.h"
#include "xmpp/ns.h"
#include "xmpp/stanza.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define POSTS 64
#define KEPT 512

struct posted {
	struct bosh_post post;
	unsigned session; /* which one it was meant for */
	uint64_t rid;     /* 0: who knows */
	bool done;
};

static struct world {
	struct loop *loop;
	struct sessions *sessions;
	struct policy_settings policy;
	struct token_settings token;
	struct session_settings set;
	struct outbox outbox;
	struct xml_parser *parser;
	struct session_handle last;
	uint64_t passed_ms;

	struct posted posts[POSTS];
	unsigned n_posts;
	/* the session at hand */
	unsigned session;
	bool raw; /* bodies whose number is not known were sent to it */
	char sid[BOSH_SID_DIGITS + 1];
	uint64_t rid;
	unsigned said;
	uint64_t kept_rid[KEPT];
	char *kept[KEPT]; /* answers by their number */
} w;

static void on_stanza(void *arg, struct session *s, const struct stanza *st)
{
	(void)arg;
	if (!str_eq(element_attr(st->element, "from"), session_jid(s)))
		abort();
	w.last = session_handle(s);
}

static void on_gone(void *arg, struct session *s, enum session_end why)
{
	(void)arg, (void)s, (void)why;
}

static void prepare(void)
{
	static const struct extdisco none;
	policy_settings_init(&w.policy);
	token_settings_init(&w.token);
	w.policy.auth = AUTH_NONE;
	w.policy.allow_guests = true;
	w.set = (struct session_settings){.domain = STR("x"),
	        .guest_domain = STR_NONE,
	        .policy = &w.policy,
	        .token = &w.token,
	        .extdisco = &none,
	        .sessions = 4,
	        .before_login = xml_limits_before_auth,
	        .after_login = {.bytes = 8192, .depth = 12, .attributes = 16, .elements = 128},
	        .login_stanzas = 16,
	        .login_timeout_ms = 20000,
	        .stanzas_per_second = 50,
	        .bytes_per_second = 1 << 18,
	        .log_lines_per_second = 1,
	        .bosh_queued = 20000,
	        .bosh_queued_total = 1 << 20};
	log_set_level(LOG_ERROR);
	w.loop = loop_new();
	w.parser = xml_parser_new();
	if (!w.loop || !w.parser)
		abort();
}

static void turn(void)
{
	loop_turn(w.loop);
}

/* What the same number was answered before, unless it was told to be over. */
static void compare(uint64_t rid, struct str text)
{
	unsigned i = (unsigned)(rid % KEPT);
	if (w.kept[i] && w.kept_rid[i] == rid) {
		if (!str_eqc(text, w.kept[i]))
			abort();
		return;
	}
	mem_free(w.kept[i]);
	w.kept[i] = mem_strndup(text.p, text.n);
	w.kept_rid[i] = rid;
}

static void on_answer(struct bosh_post *p, struct str body)
{
	static const struct xml_limits limits = {
	        .bytes = 1u << 20, .depth = 64, .attributes = 64, .elements = 8192};
	struct posted *q = LIST_OWNER(p, struct posted, post);
	struct arena a;
	struct element *e;
	struct bosh_body read;
	if (q->done || p->body || p->stream || str_absent(body))
		abort();
	q->done = true;
	arena_init(&a, 0);
	if (xml_parse(w.parser, body, &limits, &a, &e) != XML_FINE || !bosh_body_read(e, &read))
		abort();
	struct str type = element_attr(e, "type");
	if (str_absent(type) && q->rid && q->session == w.session && !w.raw)
		compare(q->rid, body);
	struct str sid = element_attr(e, "sid");
	if (sid.n == BOSH_SID_DIGITS && q->session == w.session && !w.sid[0])
		memcpy(w.sid, sid.p, sid.n);
	arena_done(&a);
}

static void post(const char *p, size_t n, uint64_t rid)
{
	const struct bosh_arrival from = {
	        .client = {.peer = STR("192.0.2.1"), .query = STR_NONE, .authorization = STR_NONE}};
	struct posted *q = &w.posts[w.n_posts++ % POSTS];
	if (w.n_posts > POSTS && !q->done)
		bosh_gone(&q->post);
	*q = (struct posted){.post.answer = on_answer, .session = w.session, .rid = rid};
	q->post.body = mem_strndup(p, n);
	q->post.n = n;
	bosh_take(w.sessions, &q->post, &from);
}

static void send_body(uint64_t rid, struct str attributes, struct str inner)
{
	struct buf b;
	buf_init(&b, 0);
	buf_printf(&b, "<body xmlns='" NS_BOSH "' rid='%llu'", (unsigned long long)rid);
	if (w.sid[0])
		buf_printf(&b, " sid='%s'", w.sid);
	buf_putc(&b, ' ');
	buf_str(&b, attributes);
	buf_putc(&b, '>');
	buf_str(&b, inner);
	buf_puts(&b, "</body>");
	post(b.p, b.n, w.sid[0] ? rid : 0); /* without a sid each opens a session of its own */
	buf_done(&b);
}

static void forget_answers(void)
{
	for (unsigned i = 0; i < KEPT; i++) {
		mem_free(w.kept[i]);
		w.kept[i] = NULL;
	}
}

static void open_one(struct str attributes)
{
	forget_answers();
	w.session++;
	w.raw = false;
	w.sid[0] = '\0';
	memset(w.sid, 0, sizeof w.sid);
	w.rid = 1000;
	send_body(w.rid++, attributes, STR(""));
	turn();
}

static void log_in(void)
{
	static const char bind[] =
	        "<iq xmlns='jabber:client' type='set' id='b'><bind xmlns='" NS_BIND "'/></iq>"
	        "<presence xmlns='jabber:client' to='r@muc.x/n'/>";
	send_body(w.rid++, STR(""), STR("<auth xmlns='" NS_SASL "' mechanism='ANONYMOUS'/>"));
	turn();
	send_body(w.rid++, STR("xmlns:xmpp='" NS_XBOSH "' xmpp:restart='true'"), STR(""));
	turn();
	send_body(w.rid++, STR(""), STR(bind));
}

static void say(void)
{
	char text[64];
	snprintf(text, sizeof text, "<message xmlns='jabber:client' id='%u'/>", ++w.said);
	w.outbox.send(w.outbox.arg, w.last, str_c(text), NULL);
}

static void cut(unsigned back)
{
	if (back >= w.n_posts || back >= POSTS)
		return;
	struct posted *q = &w.posts[(w.n_posts - 1 - back) % POSTS];
	if (!q->done)
		bosh_gone(&q->post);
	q->done = true;
}

static void pass(void)
{
	w.passed_ms += 130000;
	timer_wheel_run(loop_timers(w.loop), loop_now_ms(w.loop) + w.passed_ms);
}

static void act(struct str line)
{
	struct str rest = str_sub(line, 1, line.n);
	unsigned digit =
	        rest.n && rest.p[0] >= '0' && rest.p[0] <= '9' ? (unsigned)(rest.p[0] - '0') : 5;
	switch (line.p[0]) {
	case 'o':
		open_one(rest);
		return;
	case 'L':
		log_in();
		return;
	case '<':
		send_body(w.rid++, STR(""), line);
		return;
	case 'a':
		send_body(w.rid++, rest, STR(""));
		return;
	case 'r':
		send_body(w.rid + digit - 5, STR(""), STR(""));
		return;
	case '!':
		w.raw = true;
		post(rest.p, rest.n, 0);
		return;
	case '~':
		say();
		return;
	case '-':
		cut(digit);
		return;
	case '=':
		w.outbox.close(w.outbox.arg, w.last, "conflict", STR_NONE);
		return;
	case '+':
		pass();
		return;
	default:
		return;
	}
}

/* In the order of their numbers the answers hold what was said, each once. */
static void judge(void)
{
	unsigned last = 0;
	for (uint64_t rid = 1000; rid < 1000 + KEPT && !w.raw; rid++) {
		const char *p = w.kept_rid[rid % KEPT] == rid ? w.kept[rid % KEPT] : NULL;
		while (p && (p = strstr(p, "<message xmlns='jabber:client' id='"))) {
			p += strlen("<message xmlns='jabber:client' id='");
			unsigned id = (unsigned)strtoul(p, NULL, 10);
			if (id <= last)
				abort();
			last = id;
		}
	}
	forget_answers();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct session_events events = {.stanza = on_stanza, .gone = on_gone};
	struct str rest = str_from((const char *)data, size);
	if (!w.loop)
		prepare();
	w.sessions = sessions_new(w.loop, &w.set, &events);
	session_outbox(w.sessions, &w.outbox);
	w.n_posts = w.said = w.session = 0;
	w.sid[0] = '\0';
	w.rid = 1000;
	w.raw = false;
	w.last = (struct session_handle){0};
	memset(w.posts, 0, sizeof w.posts);
	while (!str_absent(rest)) {
		struct str line = str_split(&rest, '\n');
		bool whole = line.n == 0 || line.p[0] != ',';
		line = str_sub(line, !whole, line.n);
		if (line.n)
			act(line);
		if (whole)
			turn();
	}
	sessions_shutdown(w.sessions);
	turn();
	for (unsigned i = 0; i < POSTS && i < w.n_posts; i++) {
		if (!w.posts[i].done)
			abort(); /* the end answers everybody */
	}
	judge();
	if (sessions_counters(w.sessions)->sessions)
		abort();
	sessions_free(w.sessions);
	return 0;
}
