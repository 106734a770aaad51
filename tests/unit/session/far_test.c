/* far_test.c - a session and its room on two workers, played by one thread: order, bounds, endings,
 * and memory that runs out at every step. io */
#include "support/unit.h"

#include <stdio.h>

#include "base/mem.h"
#include "http/server.h"
#include "policy/settings.h"
#include "session/directory.h"
#include "session/far.h"
#include "support/wire.h"
#include "xmpp/stanza.h"

#define FRAMING "urn:ietf:params:xml:ns:xmpp-framing"
#define OPEN "<open xmlns='" FRAMING "' to='meet.example' version='1.0'/>"
#define AUTH "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='ANONYMOUS'/>"
#define BIND                                                                                       \
	"<iq xmlns='jabber:client' type='set' id='b'><bind "                                       \
	"xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>"
#define ROOM STR("demo@muc.meet.example")
#define QUEUED 60000

/* Worker 0 has the clients, worker 1 the room, which answers what it is sent. */
struct world {
	struct directory *directory;
	struct directory_entry *room;
	struct worker *workers[2];
	struct far *fars[2];
	struct sessions *sessions[2];
	struct policy_settings policy;
	struct http_server *http;
	struct tcp_server *tcp;
	struct outbox outbox; /* of the room's worker */
	uint16_t port;

	struct buf heard; /* bodies that the room heard, one a line */
	unsigned heard_n, gone;
	struct session_handle last, gone_handle;
	char jid[128];
	bool silent;
	long budget; /* for the room while it answers; -1: all */
};

static void on_stanza(void *arg, struct session *s, const struct stanza *st)
{
	struct world *w = arg;
	assert_true(far_stanza(w->fars[0], s, st, ROOM, true));
}

static void on_gone(void *arg, struct session *s, enum session_end why)
{
	(void)arg;
	(void)s;
	(void)why;
}

static void on_far_stanza(void *arg, const struct far_client *c, const struct stanza *st)
{
	struct world *w = arg;
	struct arena a;
	arena_init(&a, 0);
	struct str body = element_child_text(st->element, "body", &a);
	buf_str(&w->heard, body);
	buf_putc(&w->heard, '\n');
	w->heard_n++;
	w->last = c->handle;
	snprintf(w->jid, sizeof w->jid, "%.*s", STR_FMT(c->jid));
	assert_true(str_eq(element_attr(st->element, "from"), c->jid));
	assert_null(c->claims);
	assert_str(c->peer, "127.0.0.1");
	if (!w->silent) {
		char head[100];
		snprintf(head, sizeof head, "<message to='x' id='%.*s'", STR_FMT(body));
		struct block *tail = block_new(STR("><body>shared</body></message>"));
		if (w->budget >= 0)
			mem_budget_set(w->budget);
		w->outbox.send(w->outbox.arg, c->handle, str_c(head), tail);
		mem_budget_set(-1);
		block_unref(tail);
	}
	arena_done(&a);
}

static void on_far_gone(void *arg, struct session_handle h)
{
	struct world *w = arg;
	w->gone++;
	w->gone_handle = h;
	w->outbox.send(w->outbox.arg, h, STR("<message/>"), NULL); /* dropped */
}

static void start_worker(struct world *w, unsigned i)
{
	w->workers[i] = worker_new(NULL, NULL);
	const struct session_settings settings = {.domain = STR("meet.example"),
	        .policy = &w->policy,
	        .directory = w->directory,
	        .worker = i,
	        .muc = {.domain = STR("muc.meet.example")},
	        .sessions = 50,
	        .before_login = xml_limits_before_auth,
	        .after_login = xml_limits_after_auth,
	        .login_stanzas = 12,
	        .login_timeout_ms = 5000,
	        .stanzas_per_second = 1000,
	        .bytes_per_second = 1 << 24,
	        .resume_ms = 60000,
	        .resume_queue = 100,
	        .resume_bytes = QUEUED,
	        .resume_total = 1 << 24,
	        .away_per_address = 10,
	        .log_lines_per_second = 1};
	const struct session_events events = {.arg = w, .stanza = on_stanza, .gone = on_gone};
	const struct far_settings far = {.workers = w->workers,
	        .fars = w->fars,
	        .queued = QUEUED,
	        .queued_total = 1 << 30,
	        .arg = w,
	        .stanza = on_far_stanza,
	        .gone = on_far_gone};
	w->sessions[i] = sessions_new(worker_loop(w->workers[i]), &settings, &events);
	w->fars[i] = far_new(w->sessions[i], &far, 2);
	assert_non_null(w->fars[i]);
}

static int setup(void **state)
{
	struct world *w = test_calloc(1, sizeof *w);
	w->budget = -1;
	buf_init(&w->heard, 0);
	policy_settings_init(&w->policy);
	w->policy.auth = AUTH_NONE;
	w->policy.allow_guests = true;
	w->directory = directory_new(2, false);
	start_worker(w, 0);
	start_worker(w, 1);
	w->room = directory_claim(w->directory, ROOM, 1);
	far_outbox(w->fars[1], &w->outbox);
	struct http_settings http = {.max_head = 4000,
	        .max_target = 20000,
	        .head_timeout_ms = 5000,
	        .idle_timeout_ms = 5000,
	        .max_message = 300000,
	        .ping_idle_ms = 30000,
	        .ping_timeout_ms = 30000,
	        .ws_path = "/xmpp-websocket",
	        .ws_protocol = "xmpp",
	        .ws_open = sessions_open,
	        .ws_arg = w->sessions[0]};
	struct tcp_limits limits = {.max_connections = 100,
	        .max_per_address = 100,
	        .per_second = 1000,
	        .max_queued = 1 << 22,
	        .max_queued_total = 1 << 30,
	        .stall_ms = 10000};
	w->http = http_server_new(&http);
	w->tcp = tcp_server_new(worker_loop(w->workers[0]), &limits, http_server_accept, w->http);
	assert_int_equal(tcp_server_listen(w->tcp, "127.0.0.1", &w->port), 0);
	*state = w;
	return 0;
}

/* Both workers, until nothing is under way. */
static void settle(struct world *w)
{
	for (unsigned quiet = 0; quiet < 3; quiet++) {
		for (unsigned i = 0; i < 2; i++)
			(void)worker_drain(w->workers[i]); /* however many turns it would take */
		loop_turn(worker_loop(w->workers[0]));
		wire_turn(worker_loop(w->workers[1]), 1);
	}
}

static int teardown(void **state)
{
	struct world *w = *state;
	sessions_shutdown(w->sessions[0]);
	settle(w);
	assert_int_equal(sessions_counters(w->sessions[0])->sessions, 0);
	http_server_free(w->http);
	tcp_server_free(w->tcp);
	directory_release(w->directory, w->room);
	assert_int_equal(directory_size(w->directory), 0);
	for (unsigned i = 0; i < 2; i++)
		sessions_free(w->sessions[i]);
	for (unsigned i = 0; i < 2; i++) {
		far_free(w->fars[i]);
		worker_free(w->workers[i]);
	}
	assert_int_equal(directory_load(w->directory, 0) + directory_load(w->directory, 1), 0);
	directory_free(w->directory);
	buf_done(&w->heard);
	test_free(w);
	return 0;
}

static void say(struct wire *c, const char *text, const char *answer)
{
	wire_forget(c);
	wire_text(c, text);
	if (!wire_until(c, answer, 3000))
		fail_msg("%s: want %s, saw %.*s", text, answer, STR_FMT(buf_view(&c->in)));
}

static void enter(struct world *w, struct wire *c)
{
	wire_ws(c, worker_loop(w->workers[0]), w->port, "?room=demo");
	say(c, OPEN, "<mechanism>ANONYMOUS</mechanism>");
	say(c, AUTH, "<success");
	say(c, OPEN, "<required/></bind>");
	say(c, BIND, "</jid></bind></iq>");
	wire_forget(c);
}

static void talk(struct wire *c, const char *body)
{
	char text[200];
	snprintf(text, sizeof text,
	        "<message xmlns='jabber:client' to='demo@muc.meet.example' "
	        "from='liar@x'><body>%s</body></message>",
	        body);
	wire_text(c, text);
}

/* Until the client has it, or its connection is over. */
static bool hears(struct world *w, struct wire *c, const char *needle)
{
	for (unsigned i = 0; i < 300 && !wire_has(c, needle) && !c->ended; i++) {
		(void)wire_until(c, needle, 1);
		loop_turn(worker_loop(w->workers[1]));
	}
	return wire_has(c, needle);
}

static void stanzas_and_answers_keep_their_order(void **state)
{
	struct world *w = *state;
	struct wire c, d;
	enter(w, &c);
	enter(w, &d);
	char body[16];
	for (unsigned i = 0; i < 20; i++) {
		snprintf(body, sizeof body, "n%u", i);
		talk(&c, body);
	}
	assert_true(hears(w, &c, "id='n19'"));
	assert_int_equal(w->heard_n, 20);
	const char *at = w->heard.p, *seen = c.in.p;
	buf_putc(&c.in, '\0');
	for (unsigned i = 0; i < 20; i++) {
		snprintf(body, sizeof body, "n%u\n", i);
		at = strstr(at, body);
		assert_non_null(at);
		snprintf(body, sizeof body, "id='n%u'", i);
		seen = strstr(c.in.p, body);
		assert_non_null(seen);
		assert_non_null(strstr(seen, "><body>shared</body></message>"));
	}
	assert_false(wire_has(&d, "shared"));
	talk(&d, "other");
	assert_true(hears(w, &d, "id='other'"));
	wire_done(&c);
	wire_done(&d);
}

static void the_room_is_told_who_has_gone(void **state)
{
	struct world *w = *state;
	struct wire c;
	enter(w, &c);
	talk(&c, "one");
	assert_true(hears(w, &c, "id='one'"));
	struct session_handle was = w->last;
	assert_true(strstr(w->jid, "@meet.example/") != NULL);
	wire_done(&c);
	for (unsigned i = 0; i < 200 && !w->gone; i++)
		settle(w);
	assert_int_equal(w->gone, 1);
	assert_true(session_handle_eq(w->gone_handle, was));
	w->outbox.send(w->outbox.arg, was, STR("<message/>"), NULL);
	w->outbox.close(w->outbox.arg, was, "policy-violation", STR_NONE);
	settle(w);
}

static void the_room_may_close(void **state)
{
	struct world *w = *state;
	struct wire c;
	enter(w, &c);
	talk(&c, "one");
	assert_true(hears(w, &c, "id='one'"));
	w->outbox.send(w->outbox.arg, w->last, STR("<message id='last'/>"), NULL);
	w->outbox.close(w->outbox.arg, w->last, "policy-violation", STR("Enough"));
	far_flush(w->fars[1]);
	assert_true(hears(w, &c, ">Enough</text>"));
	assert_true(wire_has(&c, "id='last'"));
	assert_true(wire_has(&c, "<policy-violation"));
	wire_done(&c);
	settle(w);
	assert_int_equal(w->gone, 1);
}

/* Its worker does not take what the room sends: it ends, the room goes on. */
static void a_session_whose_worker_lags_is_closed(void **state)
{
	struct world *w = *state;
	struct wire c, d;
	enter(w, &c);
	enter(w, &d);
	talk(&c, "one");
	assert_true(hears(w, &c, "id='one'"));
	struct session_handle slow = w->last;
	talk(&d, "two");
	assert_true(hears(w, &d, "id='two'"));
	char *bytes = test_malloc(20000);
	memset(bytes, 'x', 20000);
	struct block *tail = block_new(str_from(bytes, 20000));
	for (unsigned i = 0; i < 3; i++)
		w->outbox.send(w->outbox.arg, slow, STR("<m"), tail);
	w->outbox.send(w->outbox.arg, w->last, STR("<message id='still'/>"), NULL);
	far_flush(w->fars[1]);
	assert_true(hears(w, &c, "Too much is waiting for this client"));
	assert_true(hears(w, &d, "id='still'"));
	settle(w);
	assert_int_equal(w->gone, 1);
	/* whoever keeps up gets any amount */
	for (unsigned i = 0; i < 10; i++) {
		w->outbox.send(w->outbox.arg, w->last, STR("<m"), tail);
		far_flush(w->fars[1]);
		settle(w);
	}
	wire_forget(&d);
	talk(&d, "three");
	assert_true(hears(w, &d, "id='three'"));
	block_unref(tail);
	test_free(bytes);
	wire_done(&c);
	wire_done(&d);
}

/* The room's worker does not take what the session sends. */
static void a_session_that_sends_into_a_jam_is_closed(void **state)
{
	struct world *w = *state;
	struct wire c;
	enter(w, &c);
	w->silent = true;
	for (unsigned i = 0; i < 1200 && !c.ended; i++) {
		talk(&c, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
		if (wire_until(&c, "<policy-violation", 0))
			break;
	}
	assert_true(wire_has(&c, "<policy-violation"));
	assert_true(w->heard_n == 0);
	settle(w);
	assert_int_equal(w->gone, 1);
	wire_done(&c);
}

/* Every allocation of a stanza's way over fails once: the client is answered, refused or closed,
 * and another one lives. */
static void memory_runs_out_on_the_way(void **state)
{
	struct world *w = *state;
	struct wire bystander;
	enter(w, &bystander);
	unsigned closed = 0, fine = 0;
	for (long budget = 0; budget < 16; budget++) {
		struct wire c;
		enter(w, &c);
		talk(&c, "first");
		mem_budget_set(budget);
		bool heard = hears(w, &c, "id='first'");
		mem_budget_set(-1);
		heard = heard || hears(w, &c, "id='first'");
		if (!heard)
			assert_true(c.ended || wire_has(&c, "resource-constraint"));
		closed += !heard;
		fine += heard;
		wire_done(&c);
		wire_forget(&bystander);
		talk(&bystander, "lives");
		assert_true(hears(w, &bystander, "id='lives'"));
	}
	assert_true(closed >= 4);
	assert_true(fine >= 1);
	wire_done(&bystander);
}

static void memory_runs_out_on_the_way_back(void **state)
{
	struct world *w = *state;
	for (long budget = 0; budget < 2; budget++) {
		struct wire c;
		enter(w, &c);
		w->budget = budget;
		talk(&c, "lost");
		assert_true(hears(w, &c, "<resource-constraint"));
		assert_false(wire_has(&c, "id='lost'"));
		w->budget = -1;
		wire_done(&c);
		settle(w);
	}
	assert_int_equal(w->gone, 2);
}

/* False: what it lacks is not there any more. */
static bool resume(struct world *w, struct wire *c, const char *id)
{
	char text[200];
	wire_ws(c, worker_loop(w->workers[0]), w->port, "?room=demo");
	say(c, OPEN, "<mechanism>ANONYMOUS</mechanism>");
	say(c, AUTH, "<success");
	say(c, OPEN, "<required/></bind>");
	snprintf(text, sizeof text, "<resume xmlns='urn:xmpp:sm:3' previd='%.66s' h='0'/>", id);
	say(c, text, "urn:xmpp:sm:3");
	assert_true(wire_has(c, "<resumed ") || wire_has(c, "<item-not-found "));
	return wire_has(c, "<resumed ");
}

/* Each allocation of an answer's way fails once, for a client that counts what it gets: it lives
 * with a true count and gets the same again when it resumes, or it is told that it is over. */
static void what_had_no_memory_to_be_shared_is_counted_and_kept(void **state)
{
	struct world *w = *state;
	unsigned whole = 0, back = 0;
	for (long budget = 0; budget < 8; budget++) {
		struct wire c, again;
		char id[67];
		enter(w, &c);
		say(&c, "<enable xmlns='urn:xmpp:sm:3' resume='true'/>", " max='60'/>");
		const char *at = memmem(c.in.p, c.in.n, " id='", 5);
		assert_non_null(at);
		snprintf(id, sizeof id, "%s", at + 5);
		talk(&c, "first");
		for (unsigned i = 0; i < 100 && !w->heard_n; i++) {
			wire_turn(worker_loop(w->workers[0]), 1);
			(void)worker_drain(w->workers[1]);
		}
		w->heard_n = 0;
		far_flush(w->fars[1]);
		mem_budget_set(budget);
		(void)worker_drain(w->workers[0]);
		mem_budget_set(-1);
		bool heard = hears(w, &c, "id='first'");
		assert_true(heard || c.ended);
		whole += heard;
		if (heard)
			say(&c, "<r xmlns='urn:xmpp:sm:3'/>", "<a xmlns='urn:xmpp:sm:3' h='1'/>");
		wire_done(&c);
		settle(w);
		if (heard && resume(w, &again, id)) {
			back++;
			const char *kept = "id='first'><body>shared</body></message>";
			assert_true(wire_until(&again, kept, 3000));
			wire_text(&again, "<a xmlns='urn:xmpp:sm:3' h='1'/>");
			say(&again, "<r xmlns='urn:xmpp:sm:3'/>",
			        "<a xmlns='urn:xmpp:sm:3' h='1'/>");
		} else {
			assert_true(budget > 0); /* the block that would have been shared */
		}
		if (heard)
			wire_done(&again);
		settle(w);
	}
	assert_true(whole >= 5 && back >= 5);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
UNIT_MAIN(T(stanzas_and_answers_keep_their_order), T(the_room_is_told_who_has_gone),
        T(the_room_may_close), T(a_session_whose_worker_lags_is_closed),
        T(a_session_that_sends_into_a_jam_is_closed), T(memory_runs_out_on_the_way),
        T(memory_runs_out_on_the_way_back), T(what_had_no_memory_to_be_shared_is_counted_and_kept))
