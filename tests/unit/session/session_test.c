/* session_test.c - a client's life over a real socket: login, bind, stanzas up and down, every
 * ending. io
 */
#include "support/unit.h"

#include <stdio.h>

#include "base/err.h"
#include "base/mem.h"
#include "http/frame.h"
#include "http/server.h"
#include "policy/settings.h"
#include "session/session.h"
#include "support/token.h"
#include "support/wire.h"
#include "token/keys.h"
#include "xmpp/stanza.h"

#define FRAMING "urn:ietf:params:xml:ns:xmpp-framing"
#define SASL "urn:ietf:params:xml:ns:xmpp-sasl"
#define OPEN "<open xmlns='" FRAMING "' to='meet.example' version='1.0'/>"
#define AUTH "<auth xmlns='" SASL "' mechanism='ANONYMOUS'/>"
#define BIND                                                                                       \
	"<iq xmlns='jabber:client' type='set' id='b'><bind "                                       \
	"xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>"
#define CLOSE "<close xmlns=\"urn:ietf:params:xml:ns:xmpp-framing\" />"

static const struct extdisco no_services; /* no STUN, no TURN */

struct world {
	struct loop *loop;
	struct tcp_server *tcp;
	struct http_server *http;
	struct sessions *sessions;
	struct policy_settings policy;
	struct token_settings token;
	struct token_keys *keys;
	struct session_settings set;
	struct outbox outbox;
	uint16_t port;

	struct buf stanzas; /* what went up, one per line */
	struct session_handle last;
	unsigned gone;
	enum session_end why;
	char gone_jid[128];
	bool answer_by_closing;
};

static void on_stanza(void *arg, struct session *s, const struct stanza *st)
{
	struct world *w = arg;
	w->last = session_handle(s);
	xml_write(&w->stanzas, st->element, STR(""));
	buf_putc(&w->stanzas, '\n');
	assert_str(element_attr(st->element, "from"), session_jid(s).p);
	if (w->answer_by_closing)
		w->outbox.close(w->outbox.arg, w->last, "policy-violation", STR("Enough"));
}

static void on_gone(void *arg, struct session *s, enum session_end why)
{
	struct world *w = arg;
	w->gone++;
	w->why = why;
	snprintf(w->gone_jid, sizeof w->gone_jid, "%.*s", STR_FMT(session_jid(s)));
	w->outbox.send(w->outbox.arg, session_handle(s), STR("<message/>"), NULL); /* dropped */
}

static struct world *new_world(void)
{
	struct world *w = test_calloc(1, sizeof *w);
	policy_settings_init(&w->policy);
	token_settings_init(&w->token);
	w->token.app_id = STR("my_app");
	w->token.keys.app_secret = STR(TEST_SECRET);
	w->set = (struct session_settings){.domain = STR("meet.example"),
	        .guest_domain = STR("guest.meet.example"),
	        .policy = &w->policy,
	        .token = &w->token,
	        .extdisco = &no_services,
	        .sessions = 50,
	        .before_login = xml_limits_before_auth,
	        .after_login = xml_limits_after_auth,
	        .login_stanzas = 12,
	        .login_timeout_ms = 5000,
	        .stanzas_per_second = 50,
	        .bytes_per_second = 1 << 20,
	        .log_lines_per_second = 1};
	return w;
}

static struct world *start(struct world *w)
{
	struct token_error e;
	struct session_events events = {.arg = w, .stanza = on_stanza, .gone = on_gone};
	struct tcp_limits limits = {.max_connections = 100,
	        .max_per_address = 100,
	        .per_second = 1000,
	        .max_queued = 200000,
	        .max_queued_total = 1 << 30,
	        .stall_ms = 10000};
	buf_init(&w->stanzas, 0);
	w->loop = loop_new();
	w->set.keys = w->keys = token_keys_load(&w->token, STR_NONE, &e);
	assert_non_null(w->keys);
	w->sessions = sessions_new(w->loop, &w->set, &events);
	session_outbox(w->sessions, &w->outbox);
	struct http_settings http = {.max_head = 4000,
	        .max_target = 20000,
	        .head_timeout_ms = 5000,
	        .idle_timeout_ms = 5000,
	        .max_message = 10000,
	        .ping_idle_ms = 30000,
	        .ping_timeout_ms = 30000,
	        .ws_path = "/xmpp-websocket",
	        .ws_protocol = "xmpp",
	        .ws_open = sessions_open,
	        .ws_arg = w->sessions};
	w->http = http_server_new(&http);
	w->tcp = tcp_server_new(w->loop, &limits, http_server_accept, w->http);
	assert_int_equal(tcp_server_listen(w->tcp, "127.0.0.1", &w->port), 0);
	return w;
}

static void stop(struct world *w)
{
	sessions_shutdown(w->sessions);
	wire_turn(w->loop, 5);
	assert_int_equal(sessions_counters(w->sessions)->sessions, 0);
	http_server_free(w->http);
	tcp_server_free(w->tcp);
	sessions_free(w->sessions);
	loop_free(w->loop);
	token_keys_free(w->keys);
	buf_done(&w->stanzas);
	test_free(w);
}

static char *good_token(void)
{
	char payload[300];
	snprintf(payload, sizeof payload,
	        "{\"iss\":\"my_app\",\"aud\":\"jitsi\",\"sub\":\"x\",\"room\":\"*\","
	        "\"exp\":4000000000,\"context\":{\"user\":{\"id\":\"u1\",\"name\":\"Anna\"}}}");
	return test_token(TOKEN_HS256, NULL, "{\"alg\":\"HS256\",\"typ\":\"JWT\"}", payload);
}

static void say(struct wire *c, const char *text, const char *answer)
{
	wire_forget(c);
	wire_text(c, text);
	if (!wire_until(c, answer, 3000))
		fail_msg("%s: want %s, saw %.*s", text, answer, STR_FMT(buf_view(&c->in)));
}

/* A bound session with a good token. */
static void enter(struct world *w, struct wire *c)
{
	char query[600];
	char *token = good_token();
	snprintf(query, sizeof query, "?room=demo&token=%s", token);
	mem_free(token);
	wire_ws(c, w->loop, w->port, query);
	say(c, OPEN, "<mechanism>ANONYMOUS</mechanism>");
	say(c, AUTH, "<success xmlns='" SASL "'/>");
	say(c, OPEN, "<required/></bind>");
	say(c, BIND, "</jid></bind></iq>");
	wire_forget(c);
}

static void a_login_is_what_clients_expect(void **state)
{
	(void)state;
	struct world *w = start(new_world());
	struct wire c;
	char query[600];
	char *token = good_token();
	snprintf(query, sizeof query, "?room=caf%%C3%%A9&prefix=t&token=%s", token);
	wire_ws(&c, w->loop, w->port, query);
	say(&c, OPEN, "</stream:features>");
	assert_true(wire_has(&c, "<open xmlns='" FRAMING "' from='meet.example' id='"));
	assert_true(
	        wire_has(&c, "<stream:features xmlns:stream='http://etherx.jabber.org/streams' "
	                     "xmlns='jabber:client'>"
	                     "<mechanisms xmlns='" SASL
	                     "'><mechanism>ANONYMOUS</mechanism></mechanisms></stream:features>"));
	say(&c, "<auth xmlns='" SASL "' mechanism='ANONYMOUS'>=</auth>",
	        "<success xmlns='" SASL "'/>");
	say(&c, OPEN, "</stream:features>");
	assert_false(wire_has(&c, "xmpp-session"));
	assert_false(wire_has(&c, "urn:xmpp:sm"));
	assert_false(wire_has(&c, "mechanisms"));
	say(&c,
	        "<iq xmlns='jabber:client' type='set' id='b1'><bind "
	        "xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
	        "<resource>desk</resource></bind></iq>",
	        "@meet.example/desk</jid></bind></iq>");
	assert_true(wire_has(&c, "<iq xmlns='jabber:client' type='result' id='b1'>"));
	uint32_t pos = 0;
	struct session *s = session_next(w->sessions, &pos);
	assert_non_null(s);
	assert_null(session_next(w->sessions, &pos));
	assert_str(session_query_room(s), "caf\xc3\xa9");
	assert_str(session_query_prefix(s), "t");
	assert_str(session_peer(s), "127.0.0.1");
	assert_non_null(session_claims(s));
	assert_str(session_claims(s)->identity.text, "u1");
	assert_int_equal(session_key(s).n, 36);
	for (size_t i = 0; i < 8; i++) /* clients take these eight as their nick */
		assert_non_null(strchr("0123456789abcdef", session_key(s).p[i]));
	assert_true(str_starts(session_jid(s), session_key(s)));
	assert_ptr_equal(session_get(w->sessions, session_handle(s)), s);
	mem_free(token);
	wire_done(&c);
	stop(w);
}

static void expect_refusal(struct world *w, const char *query, const char *text)
{
	struct wire c;
	char want[300];
	snprintf(want, sizeof want,
	        "<failure xmlns='" SASL "'><not-allowed/><text>%s</text></failure>", text);
	wire_ws(&c, w->loop, w->port, query);
	say(&c, OPEN, "ANONYMOUS");
	say(&c, AUTH, want);
	wire_text(&c, "<iq xmlns='jabber:client' type='get' id='x' to='meet.example'><a "
	              "xmlns='b'/></iq>");
	assert_false(wire_until(&c, "<iq", 30));
	assert_false(c.ended);
	say(&c, "<close xmlns='" FRAMING "'/>", CLOSE); /* the current client */
	assert_true(wire_until(&c, NULL, 2000));
	wire_done(&c);
}

static void refusals_come_with_words_and_then_close(void **state)
{
	(void)state;
	struct world *w = start(new_world());
	struct wire c;
	char query[700];
	char *token = good_token();
	expect_refusal(w, "", "token required");
	expect_refusal(w, "?token=", "token required");
	expect_refusal(w, "?token=a.b", "Invalid token");
	expect_refusal(w, "?token=%zz", "Invalid token");
	expect_refusal(w, "?token=a.b.c&token=d.e.f", "Invalid token");
	snprintf(query, sizeof query, "?token=%sAAAA", token);
	expect_refusal(w, query, "Invalid signature");
	/* the 2021 client leaves the socket open: it is closed for it */
	wire_ws(&c, w->loop, w->port, "");
	say(&c, OPEN, "ANONYMOUS");
	say(&c, AUTH, "token required");
	assert_true(wire_until(&c, NULL, 6000));
	assert_true(wire_has(&c, CLOSE));
	assert_int_equal(sessions_counters(w->sessions)->refused_logins, 7);
	assert_int_equal(w->gone, 0);
	mem_free(token);
	wire_done(&c);
	stop(w);
}

static void guests_come_in_where_they_may(void **state)
{
	(void)state;
	struct world *w = new_world();
	w->policy.allow_guests = true;
	start(w);
	struct wire c;
	wire_ws(&c, w->loop, w->port, "");
	say(&c, "<open xmlns='" FRAMING "' to='guest.meet.example' version='1.0'/>",
	        "from='guest.meet.example'");
	say(&c, AUTH, "<success");
	say(&c, "<open xmlns='" FRAMING "' to='guest.meet.example' version='1.0'/>", "<bind");
	say(&c, BIND, "@guest.meet.example/");
	uint32_t pos = 0;
	assert_null(session_claims(session_next(w->sessions, &pos)));
	wire_done(&c);
	/* but never with a bad token */
	expect_refusal(w, "?token=a.b.c", "Invalid token");
	stop(w);
}

static void the_domain_answers(void **state)
{
	(void)state;
	struct world *w = start(new_world());
	struct wire c;
	enter(w, &c);
	say(&c,
	        "<iq xmlns='jabber:client' type='get' id='1' to='meet.example'><ping "
	        "xmlns='urn:xmpp:ping'/></iq>",
	        "<iq xmlns='jabber:client' type='result' id='1' from='meet.example' to='");
	say(&c,
	        "<iq xmlns='jabber:client' type='get' id='2' to='meet.example' from='a@b/c'>"
	        "<query xmlns='http://jabber.org/protocol/disco#info'/></iq>",
	        "<feature var='urn:xmpp:ping'/>");
	assert_true(wire_has(&c, "<identity category='server' type='im'"));
	assert_false(wire_has(&c, "category='component'"));
	say(&c,
	        "<iq xmlns='jabber:client' type='get' id='3' to='meet.example'>"
	        "<query xmlns='http://jabber.org/protocol/disco#items'/></iq>",
	        "disco#items'/></iq>");
	say(&c,
	        "<iq xmlns='jabber:client' type='get' id='4'><services "
	        "xmlns='urn:xmpp:extdisco:2'/></iq>",
	        "<services xmlns='urn:xmpp:extdisco:2'></services></iq>");
	say(&c,
	        "<iq xmlns='jabber:client' type='get' id='5' to='meet.example'><services "
	        "xmlns='urn:xmpp:extdisco:1'/></iq>",
	        "<services xmlns='urn:xmpp:extdisco:1'></services></iq>");
	say(&c, "<iq xmlns='jabber:client' type='set' id='6' to='meet.example'><x xmlns='y'/></iq>",
	        "<service-unavailable");
	assert_true(wire_has(&c, "type='error' id='6'"));
	say(&c,
	        "<iq xmlns='jabber:client' type='get' id='7' to='other@meet.example/x'><ping "
	        "xmlns='urn:xmpp:ping'/></iq>",
	        "<service-unavailable");
	say(&c,
	        "<iq xmlns='jabber:client' type='get' id='8' to='@'><ping "
	        "xmlns='urn:xmpp:ping'/></iq>",
	        "<jid-malformed");
	say(&c, "<iq xmlns='jabber:client' type='get' id='9' to='meet.example'/>", "<bad-request");
	say(&c, "<presence type='dancing' id='10' to='demo@muc.meet.example/a'/>", "<bad-request");
	say(&c, "<presence/><iq", "not-well-formed"); /* one element a message */
	assert_int_equal(w->stanzas.n, 0);
	wire_done(&c);
	stop(w);
}

static void stanzas_go_up_and_down(void **state)
{
	(void)state;
	struct world *w = start(new_world());
	struct wire c;
	enter(w, &c);
	wire_text(&c, "<presence from='somebody@else/x' to='demo@muc.meet.example/nick'/>");
	wire_text(&c, "<message xmlns='jabber:client' to='demo@muc.meet.example'><body>a &amp; "
	              "b</body></message>");
	wire_turn(w->loop, 30);
	assert_non_null(strstr(w->stanzas.p, "<presence xmlns='jabber:client' from='"));
	assert_null(strstr(w->stanzas.p, "somebody@else"));
	assert_non_null(strstr(w->stanzas.p, "<body>a &amp; b</body>"));
	struct block *tail = block_new(STR(" from='x'><body>shared</body></message>"));
	w->outbox.send(w->outbox.arg, w->last, STR("<message to='me'"), tail);
	assert_true(
	        wire_until(&c, "<message to='me' from='x'><body>shared</body></message>", 2000));
	block_unref(tail);
	/* a handle of the past, and handles of nobody, are dropped */
	struct session_handle old = w->last, wrong = w->last;
	wrong.index = 99999;
	w->outbox.send(w->outbox.arg, wrong, STR("<x/>"), NULL);
	wire_done(&c);
	wire_turn(w->loop, 20);
	assert_int_equal(w->gone, 1);
	assert_null(session_get(w->sessions, old));
	enter(w, &c);
	w->outbox.send(w->outbox.arg, old, STR("<for-another/>"), NULL);
	w->outbox.close(w->outbox.arg, old, "policy-violation", STR_NONE);
	wire_turn(w->loop, 20);
	(void)wire_until(&c, "<for-another/>", 20);
	assert_false(wire_has(&c, "<for-another/>"));
	assert_false(c.ended);
	wire_done(&c);
	stop(w);
}

static void everybody_leaves_exactly_once(void **state)
{
	(void)state;
	struct world *w = start(new_world());
	struct wire c;
	enter(w, &c);
	say(&c, "<close xmlns='" FRAMING "'/>", CLOSE);
	assert_true(wire_until(&c, NULL, 2000));
	assert_int_equal(w->gone, 1);
	assert_int_equal(w->why, SESSION_CLOSED);
	wire_done(&c);

	enter(w, &c); /* the socket just goes */
	wire_done(&c);
	wire_turn(w->loop, 20);
	assert_int_equal(w->gone, 2);
	assert_int_equal(w->why, SESSION_LOST);

	enter(w, &c); /* a room closes it while it speaks */
	w->answer_by_closing = true;
	wire_text(&c, "<presence to='demo@muc.meet.example/a'/>");
	assert_true(wire_until(&c, NULL, 2000));
	w->answer_by_closing = false;
	assert_true(wire_has(&c, "<policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
	                         "<text xmlns='urn:ietf:params:xml:ns:xmpp-streams' "
	                         "xml:lang='en'>Enough</text></stream:error>"));
	assert_true(wire_has(&c, CLOSE));
	assert_int_equal(w->gone, 3);
	assert_int_equal(w->why, SESSION_ENDED);
	wire_done(&c);

	enter(w, &c);
	wire_text(&c, "<!DOCTYPE a [<!ENTITY b 'c'>]><message/>");
	assert_true(wire_until(&c, NULL, 2000));
	assert_true(wire_has(&c, "<restricted-xml"));
	assert_int_equal(w->gone, 4);
	assert_int_equal(w->why, SESSION_PROTOCOL);
	wire_done(&c);

	enter(w, &c);
	sessions_shutdown(w->sessions);
	assert_true(wire_until(&c, NULL, 2000));
	assert_true(wire_has(&c, "<system-shutdown"));
	assert_int_equal(w->gone, 5);
	assert_int_equal(w->why, SESSION_SHUTDOWN);
	wire_done(&c);
	stop(w);
}

static void who_does_not_read_is_closed_alone(void **state)
{
	(void)state;
	struct world *w = start(new_world());
	struct wire deaf, other;
	char *text = test_malloc(30000);
	memset(text, 'x', 30000);
	struct block *tail = block_new(str_from(text, 30000));
	enter(w, &deaf);
	wire_text(&deaf, "<presence to='demo@muc.meet.example/a'/>");
	wire_turn(w->loop, 20);
	struct session_handle h = w->last;
	enter(w, &other);
	for (int i = 0; i < 3000 && !w->gone; i++) {
		w->outbox.send(w->outbox.arg, h, STR("<message>"), tail);
		wire_turn(w->loop, 0);
	}
	assert_int_equal(w->gone, 1);
	assert_int_equal(w->why, SESSION_SLOW);
	assert_int_equal(sessions_counters(w->sessions)->limit_queued_bytes, 1);
	assert_int_equal(tail->refs > 1, 1); /* what is queued still goes out, for a while */
	say(&other, "<iq type='get' id='1' to='meet.example'><ping xmlns='urn:xmpp:ping'/></iq>",
	        "type='result' id='1'");
	wire_done(&deaf);
	wire_turn(w->loop, 50);
	assert_int_equal(tail->refs, 1);
	block_unref(tail);
	test_free(text);
	wire_done(&other);
	stop(w);
}

static void limits_close_with_their_reason(void **state)
{
	(void)state;
	struct world *w = new_world();
	w->set.login_timeout_ms = 300;
	w->set.sessions = 2;
	start(w);
	struct wire c, other, third;
	wire_ws(&c, w->loop, w->port, "");
	for (int i = 0; i < 13; i++)
		wire_text(&c, "<auth xmlns='" SASL "' mechanism='PLAIN'/>");
	assert_true(wire_until(&c, NULL, 2000));
	assert_true(wire_has(&c, "<not-authorized")); /* no stream yet */
	wire_done(&c);

	wire_ws(&c, w->loop, w->port, "");
	say(&c, OPEN, "ANONYMOUS");
	for (int i = 0; i < 13; i++)
		wire_text(&c, "<auth xmlns='" SASL "' mechanism='PLAIN'/>");
	assert_true(wire_until(&c, NULL, 2000));
	assert_true(wire_has(&c, "<failure xmlns='" SASL "'><invalid-mechanism/></failure>"));
	assert_true(wire_has(&c, "Too many messages before login"));
	wire_done(&c);

	wire_ws(&c, w->loop, w->port, ""); /* says nothing */
	assert_true(wire_until(&c, NULL, 2000));
	assert_true(wire_has(&c, "<connection-timeout"));
	assert_true(wire_has(&c, "<open ")); /* an error needs an open before it */
	wire_done(&c);

	enter(w, &c);
	enter(w, &other);
	wire_ws(&third, w->loop, w->port, "");
	assert_true(wire_until(&third, NULL, 2000));
	assert_int_equal(sessions_counters(w->sessions)->limit_sessions, 1);
	wire_done(&third);

	for (int i = 0; i < 260; i++) /* fifty a second, five seconds' worth at once */
		wire_text(&c, "<presence/>");
	assert_true(wire_until(&c, NULL, 2000));
	assert_true(wire_has(&c, "Rate limit exceeded"));
	assert_int_equal(w->why, SESSION_RATE);
	assert_int_equal(w->gone, 1);
	const struct session_counters *n = sessions_counters(w->sessions);
	assert_int_equal(n->limit_stanzas_per_second, 1);
	assert_int_equal(n->limit_login_stanzas, 1);
	assert_int_equal(n->limit_login_timeout, 1);
	say(&other, "<iq type='get' id='1' to='meet.example'><ping xmlns='urn:xmpp:ping'/></iq>",
	        "type='result' id='1'");
	struct counter all[64];
	size_t many = sessions_list_counters(w->sessions, all, 64);
	assert_true(many > 10 && many < 64);
	wire_done(&c);
	wire_done(&other);
	stop(w);
}

static void wrong_order_ends_the_stream(void **state)
{
	(void)state;
	struct world *w = start(new_world());
	static const char *const first[] = {AUTH, BIND, "<presence/>", "<open/>", "hello", " " OPEN,
	        "<open", "<open xmlns='" FRAMING "' to='elsewhere.example' version='1.0'/>"};
	for (size_t i = 0; i < sizeof first / sizeof *first; i++) {
		struct wire c;
		wire_ws(&c, w->loop, w->port, "");
		wire_text(&c, first[i]);
		if (!wire_until(&c, NULL, 2000) || !wire_has(&c, "<stream:error") ||
		        !wire_has(&c, "<open "))
			fail_msg("%s: %.*s", first[i], STR_FMT(buf_view(&c.in)));
		wire_done(&c);
	}
	struct wire c;
	enter(w, &c);
	say(&c, "<thing xmlns='jabber:client'/>", "<unsupported-stanza-type");
	wire_done(&c);
	enter(w, &c);
	say(&c, OPEN, "<bad-format");
	wire_done(&c);
	stop(w);
}

static void a_session_survives_or_ends_when_memory_runs_out(void **state)
{
	(void)state;
	struct world *w = start(new_world());
	struct buf frame;
	buf_init(&frame, 0);
	wire_frame(&frame, FRAME_TEXT, true,
	        STR("<iq type='get' id='1' to='meet.example'>"
	            "<query xmlns='http://jabber.org/protocol/disco#info'/></iq>"));
	for (long budget = 0; budget < 40; budget++) {
		struct wire c;
		enter(w, &c);
		mem_budget_set(budget);
		wire_send(&c, buf_view(&frame));
		wire_turn(w->loop, 5);
		mem_budget_set(-1);
		/* an answer or the end, never silence */
		if (!wire_until(&c, "</iq>", 200) && !c.ended)
			assert_true(wire_until(&c, NULL, 3000));
		wire_done(&c);
		wire_turn(w->loop, 5);
	}
	buf_done(&frame);
	stop(w);
}

UNIT_MAIN(cmocka_unit_test(a_login_is_what_clients_expect),
        cmocka_unit_test(refusals_come_with_words_and_then_close),
        cmocka_unit_test(guests_come_in_where_they_may), cmocka_unit_test(the_domain_answers),
        cmocka_unit_test(stanzas_go_up_and_down), cmocka_unit_test(everybody_leaves_exactly_once),
        cmocka_unit_test(who_does_not_read_is_closed_alone),
        cmocka_unit_test(limits_close_with_their_reason),
        cmocka_unit_test(wrong_order_ends_the_stream),
        cmocka_unit_test(a_session_survives_or_ends_when_memory_runs_out))
