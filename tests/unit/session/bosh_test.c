/* bosh_test.c - a client's life over BOSH, its POSTs made by hand: what is held and answered, what
 * is given again, connections that go, and memory that runs out. io */
#include "support/unit.h"

#include <stdio.h>

#include "base/mem.h"
#include "net/loop.h"
#include "policy/settings.h"
#include "session/bosh.h"
#include "session/session.h"
#include "token/settings.h"
#include "xmpp/ns.h"

#define AUTH "<auth xmlns='" NS_SASL "' mechanism='ANONYMOUS'/>"
#define BIND "<iq xmlns='jabber:client' type='set' id='b'><bind xmlns='" NS_BIND "'/></iq>"
#define PING(id) "<iq xmlns='jabber:client' type='get' id='" id "'><ping xmlns='" NS_PING "'/></iq>"
#define EMPTY "<body xmlns='" NS_BOSH "'/>"

static const struct extdisco no_services; /* no STUN, no TURN */

struct world {
	struct loop *loop;
	struct sessions *sessions;
	struct policy_settings policy;
	struct token_settings token;
	struct outbox outbox;
	unsigned gone;
	enum session_end why;
	struct session_handle last;
};

struct posted {
	struct bosh_post post;
	unsigned answers;
	bool broken; /* answered by the end of its connection */
	struct buf text;
};

static void on_stanza(void *arg, struct session *s, const struct stanza *st)
{
	struct world *w = arg;
	(void)st;
	w->last = session_handle(s);
}

static void on_gone(void *arg, struct session *s, enum session_end why)
{
	struct world *w = arg;
	(void)s;
	w->gone++;
	w->why = why;
}

static struct world *start(void)
{
	struct world *w = test_calloc(1, sizeof *w);
	policy_settings_init(&w->policy);
	token_settings_init(&w->token);
	w->policy.auth = AUTH_NONE;
	w->policy.allow_guests = true;
	const struct session_settings set = {.domain = STR("meet.example"),
	        .guest_domain = STR_NONE,
	        .policy = &w->policy,
	        .token = &w->token,
	        .extdisco = &no_services,
	        .sessions = 3,
	        .before_login = xml_limits_before_auth,
	        .after_login = xml_limits_after_auth,
	        .login_stanzas = 12,
	        .login_timeout_ms = 60000,
	        .stanzas_per_second = 50,
	        .bytes_per_second = 1 << 20,
	        .log_lines_per_second = 1,
	        .bosh_queued = 400000,
	        .bosh_queued_total = 500000};
	const struct session_events events = {.arg = w, .stanza = on_stanza, .gone = on_gone};
	w->loop = loop_new();
	w->sessions = sessions_new(w->loop, &set, &events);
	session_outbox(w->sessions, &w->outbox);
	return w;
}

static void stop(struct world *w)
{
	sessions_shutdown(w->sessions);
	loop_turn(w->loop);
	assert_int_equal(sessions_counters(w->sessions)->sessions, 0);
	sessions_free(w->sessions);
	loop_free(w->loop);
	test_free(w);
}

static void on_answer(struct bosh_post *p, struct str body)
{
	struct posted *q = LIST_OWNER(p, struct posted, post);
	q->answers++;
	q->broken = str_absent(body);
	buf_str(&q->text, body);
	assert_null(p->stream);
	assert_null(p->body);
}

/* text is the whole body. The turn does not end by itself. */
static void post(struct world *w, struct posted *q, const char *text)
{
	static const struct bosh_arrival from = {
	        .client = {.peer = {"192.0.2.1", 9}, .query = {NULL, 0}}};
	*q = (struct posted){.post.answer = on_answer};
	buf_init(&q->text, 0);
	q->post.n = strlen(text);
	q->post.body = mem_strndup(text, q->post.n);
	if (q->post.body)
		bosh_take(w->sessions, &q->post, &from);
	else
		q->answers = q->broken = 1; /* as whoever has the HTTP side does */
}

static void forget(struct posted *q)
{
	if (!q->answers)
		bosh_gone(&q->post);
	buf_done(&q->text);
}

/* A session, and the number of its next request. */
struct client {
	struct world *w;
	char sid[BOSH_SID_DIGITS + 1];
	unsigned rid;
};

static void ask(
        struct client *c, struct posted *q, unsigned rid, const char *attributes, const char *inner)
{
	char text[4096];
	snprintf(text, sizeof text, "<body xmlns='" NS_BOSH "' rid='%u' sid='%s' %s>%s</body>", rid,
	        c->sid, attributes, inner);
	post(c->w, q, text);
}

static void ask_next(struct client *c, struct posted *q, const char *inner)
{
	ask(c, q, c->rid++, "", inner);
}

static bool has(const struct posted *q, const char *part)
{
	return q->text.n && strstr(q->text.p, part);
}

/* True: it is answered, and with that. */
static bool step(struct client *c, const char *attributes, const char *inner, const char *part)
{
	struct posted q;
	ask(c, &q, c->rid++, attributes, inner);
	loop_turn(c->w->loop);
	bool fine = q.answers == 1 && !q.broken && has(&q, part);
	forget(&q);
	return fine;
}

static bool opened(struct client *c, struct world *w, unsigned wait)
{
	char text[512];
	struct posted q;
	*c = (struct client){.w = w, .rid = 101};
	snprintf(text, sizeof text,
	        "<body xmlns='" NS_BOSH
	        "' rid='100' to='meet.example' wait='%u' hold='1' ver='1.6' "
	        "xmlns:xmpp='" NS_XBOSH "' xmpp:version='1.0'/>",
	        wait);
	post(w, &q, text);
	loop_turn(w->loop);
	const char *sid =
	        q.answers == 1 && has(&q, "ANONYMOUS") ? strstr(q.text.p, " sid='") : NULL;
	if (sid)
		memcpy(c->sid, sid + 6, BOSH_SID_DIGITS);
	forget(&q);
	return sid;
}

static bool logged_in(struct client *c, struct world *w, unsigned wait)
{
	return opened(c, w, wait) && step(c, "", AUTH, "<success") &&
	       step(c, "xmlns:x='" NS_XBOSH "' x:restart='true'", "", "<bind") &&
	       step(c, "", BIND, "<jid>");
}

static void enter(struct client *c, struct world *w)
{
	struct posted q;
	assert_true(logged_in(c, w, 60));
	ask_next(c, &q, "<presence xmlns='jabber:client' to='room@muc.meet.example/n'/>");
	loop_turn(w->loop);
	assert_int_equal(q.answers, 0); /* the room of this test says nothing */
	w->outbox.send(w->outbox.arg, w->last, STR("<a/>"), NULL);
	loop_turn(w->loop);
	assert_string_equal(q.text.p, "<body xmlns='" NS_BOSH "'><a/></body>");
	forget(&q);
}

static void tell(struct world *w, const char *head, const char *tail)
{
	struct block *b = tail ? block_new(str_c(tail)) : NULL;
	w->outbox.send(w->outbox.arg, w->last, str_c(head), b);
	block_unref(b);
}

static void what_waits_goes_together(void **state)
{
	(void)state;
	struct world *w = start();
	struct client c;
	struct posted a, b;
	enter(&c, w);
	tell(w, "<one/>", NULL); /* nobody asks for it yet */
	tell(w, "<two>", "</two>");
	loop_turn(w->loop);
	ask_next(&c, &a, "");
	loop_turn(w->loop);
	assert_string_equal(a.text.p, "<body xmlns='" NS_BOSH "'><one/><two></two></body>");
	ask_next(&c, &b, "");
	loop_turn(w->loop);
	assert_int_equal(b.answers, 0);
	tell(w, "<three/>", NULL);
	tell(w, "<four/>", NULL);
	loop_turn(w->loop);
	assert_string_equal(b.text.p, "<body xmlns='" NS_BOSH "'><three/><four/></body>");
	forget(&a);
	forget(&b);
	stop(w);
}

static void one_is_held_the_other_is_answered(void **state)
{
	(void)state;
	struct world *w = start();
	struct client c;
	struct posted a, b, d;
	enter(&c, w);
	ask_next(&c, &a, "");
	loop_turn(w->loop);
	ask_next(&c, &b, "");
	assert_int_equal(a.answers, 0); /* at the end of the turn */
	loop_turn(w->loop);
	assert_string_equal(a.text.p, EMPTY);
	assert_int_equal(b.answers, 0);
	ask(&c, &d, c.rid - 1, "", ""); /* the same again: it takes the place */
	loop_turn(w->loop);
	assert_string_equal(b.text.p, "<body xmlns='" NS_BOSH "' type='error'/>");
	assert_int_equal(d.answers, 0);
	tell(w, "<x/>", NULL);
	loop_turn(w->loop);
	assert_true(has(&d, "<x/>"));
	forget(&a);
	forget(&b);
	forget(&d);
	stop(w);
}

static void nothing_is_lost_with_a_connection(void **state)
{
	(void)state;
	struct world *w = start();
	struct client c;
	struct posted a, b, d;
	enter(&c, w);
	ask_next(&c, &a, "");
	loop_turn(w->loop);
	forget(&a);
	tell(w, "<kept/>", NULL); /* it waits for somebody */
	loop_turn(w->loop);
	ask_next(&c, &b, PING("p"));
	loop_turn(w->loop);
	assert_true(has(&b, "<kept/>") && has(&b, "id='p'"));
	ask(&c, &d, c.rid - 2, "", ""); /* the one that was cut off has got nothing of it */
	loop_turn(w->loop);
	assert_string_equal(d.text.p, EMPTY);
	forget(&d);
	ask(&c, &d, c.rid - 1, "", PING("p"));
	loop_turn(w->loop);
	assert_string_equal(d.text.p, b.text.p);
	forget(&b);
	forget(&d);
	stop(w);
}

static void an_early_one_waits_for_its_predecessor(void **state)
{
	(void)state;
	struct world *w = start();
	struct client c;
	struct posted a, b, d;
	enter(&c, w);
	ask(&c, &b, c.rid + 1, "", PING("second"));
	loop_turn(w->loop);
	assert_int_equal(b.answers, 0);
	ask(&c, &d, c.rid + 1, "", PING("second")); /* the same again */
	assert_true(has(&b, "type='error'"));
	ask(&c, &a, c.rid, "", PING("first"));
	loop_turn(w->loop);
	const char *first = strstr(a.text.p, "id='first'"), *second = strstr(a.text.p, "'second'");
	assert_true(first && second && first < second);
	assert_int_equal(d.answers, 0);
	forget(&a);
	forget(&b);
	ask(&c, &b, c.rid + 3, "", ""); /* one waits for ever, then its connection goes */
	forget(&b);
	ask(&c, &a, c.rid + 9, "", "");
	loop_turn(w->loop);
	assert_true(has(&a, "condition='item-not-found'"));
	assert_true(has(&d, "type='terminate'"));
	assert_int_equal(w->gone, 1);
	forget(&a);
	forget(&d);
	stop(w);
}

static void who_does_not_come_is_closed(void **state)
{
	(void)state;
	static char large[200001];
	struct world *w = start();
	struct client c;
	struct posted a;
	memset(large, ' ', sizeof large - 1);
	enter(&c, w);
	tell(w, large, NULL);
	tell(w, "<x>", large);
	loop_turn(w->loop);
	assert_int_equal(w->gone, 1);
	assert_int_equal(w->why, SESSION_SLOW);
	ask_next(&c, &a, "");
	loop_turn(w->loop);
	assert_true(has(&a, "condition='policy-violation'"));
	forget(&a);
	ask_next(&c, &a, "");
	loop_turn(w->loop);
	assert_string_equal(a.text.p,
	        "<body xmlns='" NS_BOSH "' type='terminate' condition='policy-violation'/>");
	forget(&a);
	stop(w);
}

static void the_end_is_told_to_the_last(void **state)
{
	(void)state;
	struct world *w = start();
	struct client c;
	struct posted a, b;
	enter(&c, w);
	ask_next(&c, &a, "");
	ask(&c, &b, c.rid++, "type='terminate'", "");
	loop_turn(w->loop);
	assert_string_equal(a.text.p, EMPTY);
	assert_string_equal(b.text.p, "<body xmlns='" NS_BOSH "' type='terminate'/>");
	assert_int_equal(w->why, SESSION_CLOSED);
	forget(&a);
	ask(&c, &a, c.rid - 1, "type='terminate'", "");
	assert_string_equal(a.text.p, b.text.p);
	forget(&a);
	forget(&b);
	enter(&c, w);
	ask_next(&c, &a, "");
	w->outbox.close(w->outbox.arg, w->last, "conflict", STR("Elsewhere"));
	loop_turn(w->loop);
	assert_true(
	        has(&a, "condition='remote-stream-error'><stream:error") && has(&a, "<conflict"));
	forget(&a);
	stop(w);
}

/* At every allocation of a whole conversation: an answer or the end of the connection, once, and
 * nothing is left behind. */
static void memory_may_run_out_at_any_time(void **state)
{
	(void)state;
	struct world *w = start();
	bool whole = false;
	long budget = 0;
	for (; !whole; budget++) {
		struct client c = {.w = w};
		struct posted a = {0}, b = {0};
		mem_budget_set(budget);
		whole = logged_in(&c, w, 60);
		if (whole) {
			ask_next(&c, &a, PING("p"));
			loop_turn(w->loop);
			ask_next(&c, &b, "");
			w->outbox.send(w->outbox.arg, w->last, STR("<x/>"), NULL);
			loop_turn(w->loop);
			whole = has(&a, "id='p'");
			forget(&a);
			forget(&b);
		}
		mem_budget_set(-1);
		if (c.sid[0]) {
			struct posted end;
			ask(&c, &end, 1, "", ""); /* no number of its: the end */
			assert_true(has(&end, "type='terminate'"));
			forget(&end);
			loop_turn(w->loop);
		} else { /* opened, and its name did not arrive */
			sessions_shutdown(w->sessions);
			loop_turn(w->loop);
			sessions_free(w->sessions);
			struct loop *l = w->loop;
			test_free(w);
			loop_free(l);
			w = start();
		}
		assert_int_equal(sessions_counters(w->sessions)->sessions, 0);
		assert_true(budget < 500);
	}
	assert_true(budget > 10);
	stop(w);
}

UNIT_MAIN(cmocka_unit_test(what_waits_goes_together),
        cmocka_unit_test(one_is_held_the_other_is_answered),
        cmocka_unit_test(nothing_is_lost_with_a_connection),
        cmocka_unit_test(an_early_one_waits_for_its_predecessor),
        cmocka_unit_test(who_does_not_come_is_closed),
        cmocka_unit_test(the_end_is_told_to_the_last),
        cmocka_unit_test(memory_may_run_out_at_any_time))
