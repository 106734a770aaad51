/* tcp_transport_test.c - a client's life over TCP: streams, their order, their ends, and memory
 * that runs out. io */
#include "support/unit.h"

#include <sys/socket.h>

#include "base/mem.h"
#include "net/tcp.h"
#include "policy/settings.h"
#include "session/session.h"
#include "support/wire.h"
#include "token/settings.h"
#include "xmpp/stanza.h"

#define SASL "urn:ietf:params:xml:ns:xmpp-sasl"
#define HEADER                                                                                     \
	"<?xml version='1.0'?><stream:stream xmlns='jabber:client' "                               \
	"xmlns:stream='http://etherx.jabber.org/streams' to='meet.example' version='1.0'>"
#define AUTH "<auth xmlns='" SASL "' mechanism='ANONYMOUS'/>"
#define BIND "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>"
#define FEATURES "</stream:features>"
#define END "</stream:stream>"

static const struct extdisco no_services; /* no STUN, no TURN */

struct world {
	struct loop *loop;
	struct tcp_server *tcp;
	struct sessions *sessions;
	struct policy_settings policy;
	struct token_settings token;
	struct session_settings set;
	struct outbox outbox;
	uint16_t port;
	unsigned stanzas, gone, expected; /* ends */
	enum session_end why;
	struct session_handle last;
};

static void on_stanza(void *arg, struct session *s, const struct stanza *st)
{
	struct world *w = arg;
	(void)st;
	w->stanzas++;
	w->last = session_handle(s);
}

static void on_gone(void *arg, struct session *s, enum session_end why)
{
	struct world *w = arg;
	(void)s;
	w->gone++;
	w->why = why;
}

static struct world *new_world(void)
{
	struct world *w = test_calloc(1, sizeof *w);
	policy_settings_init(&w->policy);
	token_settings_init(&w->token);
	w->policy.auth = AUTH_NONE;
	w->policy.allow_guests = true;
	w->set = (struct session_settings){.domain = STR("meet.example"),
	        .guest_domain = STR_NONE,
	        .policy = &w->policy,
	        .token = &w->token,
	        .extdisco = &no_services,
	        .sessions = 3,
	        .before_login = xml_limits_before_auth,
	        .after_login = xml_limits_after_auth,
	        .login_stanzas = 12,
	        .login_timeout_ms = 500,
	        .stanzas_per_second = 50,
	        .bytes_per_second = 1 << 20,
	        .log_lines_per_second = 1,
	        .ping_idle_ms = 300,
	        .ping_timeout_ms = 300};
	return w;
}

static struct world *start(struct world *w)
{
	struct session_events events = {.arg = w, .stanza = on_stanza, .gone = on_gone};
	struct tcp_limits limits = {.max_connections = 100,
	        .max_per_address = 100,
	        .per_second = 1000,
	        .max_queued = 200000,
	        .max_queued_total = 1 << 30,
	        .stall_ms = 10000};
	w->loop = loop_new();
	w->sessions = sessions_new(w->loop, &w->set, &events);
	session_outbox(w->sessions, &w->outbox);
	w->tcp = tcp_server_new(w->loop, &limits, sessions_accept, w->sessions);
	assert_int_equal(tcp_server_listen(w->tcp, "127.0.0.1", &w->port), 0);
	return w;
}

static void stop(struct world *w)
{
	sessions_shutdown(w->sessions);
	wire_turn(w->loop, 5);
	assert_int_equal(sessions_counters(w->sessions)->sessions, 0);
	tcp_server_free(w->tcp);
	sessions_free(w->sessions);
	loop_free(w->loop);
	test_free(w);
}

static void say(struct wire *c, const char *text, const char *answer)
{
	wire_forget(c);
	wire_puts(c, text);
	if (!wire_until(c, answer, 3000))
		fail_msg("%s: want %s, saw %.*s", text, answer, STR_FMT(buf_view(&c->in)));
}

static void enter(struct world *w, struct wire *c)
{
	wire_open(c, w->loop, w->port);
	say(c, HEADER, FEATURES);
	say(c, AUTH, "<success xmlns='" SASL "'/>");
	say(c, HEADER, FEATURES);
	say(c, BIND, "</jid></bind></iq>");
	wire_forget(c);
}

static void expect_end(struct world *w, struct wire *c, enum session_end why)
{
	w->expected++;
	for (int i = 0; i < 300 && w->gone < w->expected; i++)
		wire_turn(w->loop, 10);
	assert_int_equal(w->gone, w->expected);
	assert_int_equal(w->why, why);
	wire_done(c);
}

static void streams_open_restart_and_end(void **state)
{
	(void)state;
	struct world *w = start(new_world());
	struct wire c;
	wire_open(&c, w->loop, w->port);
	/* all in one piece: each stream begins where the one before ended */
	wire_puts(&c, HEADER AUTH HEADER BIND "<message to='a@b.c'><body>1</body></message>" END
	                                      "<presence/>");
	assert_true(wire_until(&c, NULL, 3000));
	assert_true(wire_has(&c, "<required/></bind></stream:features>"));
	assert_true(wire_has(&c, END));
	assert_false(wire_has(&c, "stream:error"));
	assert_int_equal(w->stanzas, 1);
	expect_end(w, &c, SESSION_CLOSED);

	enter(w, &c);
	wire_puts(&c, "<message to='a@b.c'/>");
	for (int i = 0; i < 100 && w->stanzas < 2; i++)
		wire_turn(w->loop, 10);
	w->outbox.send(w->outbox.arg, w->last, STR("<message/>"), NULL);
	assert_true(wire_until(&c, "<message/>", 1000));
	w->outbox.close(w->outbox.arg, w->last, "policy-violation", STR("Enough"));
	assert_true(wire_until(&c, NULL, 3000));
	assert_true(wire_has(&c, ">Enough</text></stream:error></stream:stream>"));
	expect_end(w, &c, SESSION_ENDED);

	enter(w, &c); /* breaks without a word, in the middle of one */
	wire_puts(&c, "<message><body");
	wire_turn(w->loop, 20);
	shutdown(c.fd, SHUT_RDWR);
	expect_end(w, &c, SESSION_LOST);

	enter(w, &c); /* a new stream after login was never allowed but once */
	wire_puts(&c, HEADER);
	assert_true(wire_until(&c, "</stream:error></stream:stream>", 3000));
	assert_true(wire_has(&c, "<not-well-formed "));
	expect_end(w, &c, SESSION_PROTOCOL);
	stop(w);
}

static void without_certificates_there_is_no_tls(void **state)
{
	(void)state;
	struct world *w = new_world();
	struct wire c;
	w->set.require_tls = true;
	start(w);
	wire_open(&c, w->loop, w->port);
	say(&c, HEADER, FEATURES);
	assert_false(wire_has(&c, "starttls"));
	assert_false(wire_has(&c, "mechanism"));
	say(&c, AUTH, "<encryption-required/>");
	say(&c, "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
	        "<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:stream>");
	assert_true(wire_until(&c, NULL, 3000));
	wire_done(&c);
	stop(w);
}

static void an_error_stands_in_a_stream(void **state)
{
	(void)state;
	struct world *w = start(new_world());
	struct wire c;
	/* in the client's first stream, and in the one after login, which has no header yet */
	wire_open(&c, w->loop, w->port);
	say(&c, "<bad>", "</stream:error></stream:stream>");
	assert_true(wire_has(&c, "<?xml version='1.0'?><stream:stream "));
	wire_done(&c);
	wire_open(&c, w->loop, w->port);
	say(&c, HEADER, FEATURES);
	say(&c, AUTH, "<success");
	say(&c, "<bad>", "</stream:error></stream:stream>");
	assert_true(wire_has(&c, "<?xml version='1.0'?><stream:stream "));
	wire_done(&c);
	stop(w);
}

static void the_silent_are_asked(void **state)
{
	(void)state;
	struct world *w = start(new_world());
	struct wire c;
	enter(w, &c);
	assert_true(wire_until(&c, "<ping xmlns='urn:xmpp:ping'/></iq>", 3000));
	wire_forget(&c);
	wire_puts(&c, " ");
	assert_true(wire_until(&c, "<ping xmlns='urn:xmpp:ping'/></iq>", 3000));
	assert_int_equal(w->gone, 0);
	expect_end(w, &c, SESSION_LOST);
	assert_int_equal(sessions_counters(w->sessions)->limit_ping_timeout, 1);
	/* before login the login timeout counts */
	wire_open(&c, w->loop, w->port);
	assert_true(wire_until(&c, NULL, 3000));
	assert_true(wire_has(&c, "<connection-timeout "));
	wire_done(&c);
	stop(w);
}

static void one_too_many_is_turned_away(void **state)
{
	(void)state;
	struct world *w = start(new_world());
	struct wire c[4];
	for (size_t i = 0; i < 4; i++)
		wire_open(&c[i], w->loop, w->port);
	assert_true(wire_until(&c[3], "</stream:error></stream:stream>", 3000));
	assert_true(wire_has(&c[3], "<resource-constraint "));
	for (size_t i = 0; i < 4; i++)
		wire_done(&c[i]);
	stop(w);
}

/* At every allocation of a whole conversation: an answer, an error or the end, and nothing is left
 * behind. */
static void memory_may_run_out_at_any_time(void **state)
{
	(void)state;
	struct world *w = new_world();
	w->set.login_timeout_ms = w->set.ping_idle_ms = 60000;
	start(w);
	long budget = 0;
	for (bool whole = false; !whole; budget++) {
		struct wire c;
		wire_open(&c, w->loop, w->port);
		mem_budget_set(budget);
		wire_puts(&c, HEADER AUTH HEADER BIND);
		wire_turn(w->loop, 5);
		mem_budget_set(-1);
		whole = wire_until(&c, "</jid></bind></iq>", 20);
		if (!whole && !c.ended)
			assert_true(wire_until(&c, NULL, 4000) || wire_has(&c, "<error"));
		wire_done(&c);
		for (int i = 0; i < 100 && sessions_counters(w->sessions)->sessions; i++)
			wire_turn(w->loop, 5);
		assert_int_equal(sessions_counters(w->sessions)->sessions, 0);
		assert_true(budget < 500);
	}
	assert_true(budget > 10);
	stop(w);
}

UNIT_MAIN(cmocka_unit_test(streams_open_restart_and_end),
        cmocka_unit_test(without_certificates_there_is_no_tls),
        cmocka_unit_test(an_error_stands_in_a_stream), cmocka_unit_test(the_silent_are_asked),
        cmocka_unit_test(one_too_many_is_turned_away),
        cmocka_unit_test(memory_may_run_out_at_any_time))
