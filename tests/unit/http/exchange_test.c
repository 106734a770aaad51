/* exchange_test.c - requests that somebody above answers: bodies, order, tickets that outlive their
 * connection. io */
#include "support/unit.h"

#include <stdio.h>

#include "http/answer.h"
#include "http/server.h"
#include "support/wire.h"

#define TICKETS 16

struct world {
	struct loop *loop;
	struct tcp_server *tcp;
	struct http_server *http;
	uint16_t port;
	struct http_route routes[2];
	struct http_ticket tickets[TICKETS]; /* of /later, in the order of arrival */
	char bodies[TICKETS][32];
	unsigned n, gone;
};

static void say(struct world *w, struct http_ticket t, struct str text, bool close)
{
	struct http_answer a = {.status = 200, .type = "text/plain", .body = text, .close = close};
	http_server_answer(w->http, t, &a);
}

static void take_now(void *arg, const struct http_request *r, struct str body, struct http_ticket t)
{
	struct world *w = arg;
	char text[128];
	int n = snprintf(text, sizeof text, "<%.*s|%.*s>", STR_FMT(r->head->method_name),
	        (int)(body.n < 64 ? body.n : 64), body.n ? body.p : "");
	say(w, t, str_from(text, (size_t)n), false);
	say(w, t, STR("twice"), false); /* a ticket is answered once */
}

static void take_later(
        void *arg, const struct http_request *r, struct str body, struct http_ticket t)
{
	struct world *w = arg;
	(void)r;
	assert_true(w->n < TICKETS);
	snprintf(w->bodies[w->n], sizeof w->bodies[0], "%.*s", STR_FMT(body));
	w->tickets[w->n++] = t;
}

static void on_gone(void *arg, struct http_ticket t)
{
	struct world *w = arg;
	assert_false(http_server_waits(w->http, t));
	w->gone++;
}

static struct world *open_world(void)
{
	struct world *w = test_calloc(1, sizeof *w);
	w->routes[0] = (struct http_route){.path = "/now",
	        .methods = "GET, POST",
	        .max_body = 100000,
	        .take = take_now,
	        .arg = w};
	w->routes[1] = (struct http_route){.path = "/later",
	        .methods = "POST",
	        .max_body = 100,
	        .take = take_later,
	        .gone = on_gone,
	        .arg = w};
	struct http_settings set = {.max_head = 1000,
	        .max_target = 500,
	        .head_timeout_ms = 400,
	        .idle_timeout_ms = 400,
	        .body_timeout_ms = 400,
	        .max_bodies = 60000,
	        .log_lines_per_second = 1,
	        .ws_path = "/xmpp-websocket",
	        .ws_protocol = "xmpp",
	        .routes = w->routes,
	        .n_routes = 2,
	        .endpoint_headers = "Access-Control-Allow-Origin: *\r\nx-shard: s1\r\n"};
	struct tcp_limits limits = {.max_connections = 100,
	        .max_per_address = 100,
	        .per_second = 1000,
	        .max_queued = 4 << 20,
	        .max_queued_total = 1 << 30,
	        .stall_ms = 10000};
	w->loop = loop_new();
	w->http = http_server_new(&set);
	w->tcp = tcp_server_new(w->loop, &limits, http_server_accept, w->http);
	assert_non_null(w->http);
	assert_int_equal(tcp_server_listen(w->tcp, "127.0.0.1", &w->port), 0);
	return w;
}

static void close_world(struct world *w)
{
	http_server_free(w->http);
	tcp_server_free(w->tcp);
	loop_free(w->loop);
	test_free(w);
}

static void expect(struct world *w, const char *request, const char *first, const char *holds)
{
	struct wire c;
	wire_open(&c, w->loop, w->port);
	wire_puts(&c, request);
	if (!wire_until(&c, holds, 2000) || !wire_has(&c, first))
		fail_msg("%s: %s", request, c.in.p ? c.in.p : "nothing");
	wire_done(&c);
}

#define HOST " HTTP/1.1\r\nHost: a\r\n"

static void bodies_reach_their_route(void **state)
{
	(void)state;
	struct world *w = open_world();
	expect(w, "GET /now" HOST "\r\n", "200 OK", "<GET|>");
	expect(w, "POST /now" HOST "Content-Length: 0\r\n\r\n", "200 OK", "<POST|>");
	expect(w, "POST /now" HOST "Content-Length: 5\r\n\r\nhello", "200 OK", "<POST|hello>");
	expect(w, "POST /now" HOST "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
	        "x-shard: s1", "<POST|hello>");
	expect(w, "POST /now" HOST "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n",
	        "HTTP/1.1 100 Continue\r\n\r\n", "Continue");
	expect(w, "OPTIONS /now" HOST "\r\n", "200 OK",
	        "Access-Control-Allow-Methods: GET, POST, OPTIONS");
	expect(w, "PUT /now" HOST "Content-Length: 1\r\n\r\n", "405 Method", "Connection: close");
	expect(w, "POST /later" HOST "Content-Length: 101\r\n\r\n", "413 Content",
	        "Access-Control-Allow-Origin: *");
	expect(w, "POST /later" HOST "Transfer-Encoding: chunked\r\n\r\n65\r\n", "413 Content",
	        "Connection: close");
	expect(w, "POST /now" HOST "Transfer-Encoding: chunked\r\n\r\nx\r\n", "400 Bad",
	        "Connection: close");
	close_world(w);
}

/* Whatever way they are cut, three requests on one connection are three, and answered in order. */
static void requests_stay_in_order(void **state)
{
	(void)state;
	static const char text[] =
	        "POST /now" HOST "Content-Length: 5\r\n\r\nfirst"
	        "POST /now" HOST "Transfer-Encoding: chunked\r\n\r\n6\r\nsecond\r\n0\r\n\r\n"
	        "GET /now" HOST "\r\n";
	struct world *w = open_world();
	for (size_t cut = 1; cut < sizeof text - 1; cut += 9) {
		struct wire c;
		wire_open(&c, w->loop, w->port);
		wire_send(&c, str_from(text, cut));
		wire_turn(w->loop, 2);
		wire_send(&c, str_from(text + cut, sizeof text - 1 - cut));
		assert_true(wire_until(&c, "<GET|>", 2000));
		char *first = strstr(c.in.p, "<POST|first>"),
		     *second = strstr(c.in.p, "<POST|second>");
		if (!first || !second || first > second)
			fail_msg("cut at %zu: %s", cut, c.in.p);
		wire_done(&c);
	}
	close_world(w);
}

static void an_answer_may_come_later(void **state)
{
	(void)state;
	struct world *w = open_world();
	struct wire c;
	wire_open(&c, w->loop, w->port);
	wire_puts(&c, "POST /later" HOST "Content-Length: 3\r\n\r\noneGET /now" HOST "\r\n"
	              "POST /later" HOST "Content-Length: 3\r\n\r\ntwo");
	wire_turn(w->loop, 700); /* longer than every timeout of the connection */
	assert_int_equal(w->n, 1);
	assert_string_equal(w->bodies[0], "one");
	assert_false(wire_until(&c, "HTTP", 20));
	assert_int_equal(http_server_waiting(w->http), 1);
	say(w, w->tickets[0], STR("answer one"), false);
	assert_true(wire_until(&c, "<GET|>", 2000));
	assert_true(strstr(c.in.p, "answer one") < strstr(c.in.p, "<GET|>"));
	assert_int_equal(w->n, 2);
	assert_false(http_server_waits(w->http, w->tickets[0]));
	say(w, w->tickets[0], STR("stale"), false);
	say(w, w->tickets[1], STR("answer two"), true);
	assert_true(wire_until(&c, NULL, 2000));
	assert_true(wire_has(&c, "answer two"));
	assert_false(wire_has(&c, "stale"));
	assert_int_equal(w->gone, 0);
	wire_done(&c);
	close_world(w);
}

static void who_goes_is_reported(void **state)
{
	(void)state;
	struct world *w = open_world();
	struct wire a, b, c;
	wire_open(&a, w->loop, w->port);
	wire_open(&b, w->loop, w->port);
	wire_open(&c, w->loop, w->port);
	wire_puts(&a, "POST /later" HOST "Content-Length: 1\r\n\r\na");
	wire_turn(w->loop, 20);
	wire_puts(&b, "POST /later" HOST "Content-Length: 1\r\n\r\nb");
	wire_turn(w->loop, 20);
	wire_puts(&c, "POST /later" HOST "Content-Length: 1\r\n\r\nc");
	wire_turn(w->loop, 20);
	assert_int_equal(w->n, 3);
	wire_done(&a);
	wire_turn(w->loop, 20);
	assert_int_equal(w->gone, 1);
	say(w, w->tickets[0], STR("nobody"), false);
	http_server_abandon(w->http, w->tickets[1]);
	assert_true(wire_until(&b, NULL, 1000));
	assert_int_equal(w->gone, 1);
	/* the end waits for the answer */
	http_server_drain(w->http);
	wire_turn(w->loop, 20);
	say(w, w->tickets[2], STR("last word"), false);
	assert_true(wire_until(&c, NULL, 1000));
	assert_true(wire_has(&c, "last word"));
	assert_true(wire_has(&c, "Connection: close"));
	wire_done(&b);
	wire_done(&c);
	close_world(w);
}

static void slow_and_many_bodies_are_bounded(void **state)
{
	(void)state;
	struct world *w = open_world();
	struct wire slow, big[4];
	wire_open(&slow, w->loop, w->port);
	wire_puts(&slow, "POST /later" HOST "Content-Length: 50\r\n\r\n");
	for (int i = 0; i < 8; i++) {
		wire_puts(&slow, "x");
		wire_turn(w->loop, 100);
	}
	assert_true(wire_until(&slow, "408 Request Timeout", 1000));
	char *part = test_malloc(30000);
	memset(part, 'x', 30000);
	for (int i = 0; i < 4; i++) {
		wire_open(&big[i], w->loop, w->port);
		wire_puts(&big[i], "POST /now" HOST "Content-Length: 40000\r\n\r\n");
		wire_send(&big[i], str_from(part, 30000));
		wire_turn(w->loop, 10);
	}
	assert_true(wire_until(&big[3], "503 Service Unavailable", 1000));
	assert_true(http_server_counters(w->http)->bodies_refused > 0);
	expect(w, "POST /now" HOST "Content-Length: 5\r\n\r\nsmall", "200 OK", "<POST|small>");
	for (int i = 0; i < 4; i++)
		wire_done(&big[i]);
	wire_turn(w->loop, 20);
	wire_open(&big[0], w->loop, w->port);
	wire_puts(&big[0], "POST /now" HOST "Content-Length: 40000\r\n\r\n");
	wire_send(&big[0], str_from(part, 30000));
	wire_turn(w->loop, 10);
	wire_send(&big[0], str_from(part, 10000));
	assert_true(wire_until(&big[0], "<POST|xxx", 1000));
	test_free(part);
	wire_done(&big[0]);
	wire_done(&slow);
	close_world(w);
}

/* A client that sends on and on behind a request that waits is not read without end. */
static void nothing_piles_up_behind_a_waiting_request(void **state)
{
	(void)state;
	struct world *w = open_world();
	struct wire c;
	wire_open(&c, w->loop, w->port);
	wire_puts(&c, "POST /later" HOST "Content-Length: 1\r\n\r\na");
	wire_turn(w->loop, 10);
	for (int i = 0; i < 200; i++) {
		wire_puts(
		        &c, "GET /now" HOST "X: 0123456789012345678901234567890123456789\r\n\r\n");
		wire_turn(w->loop, 1);
	}
	assert_int_equal(http_server_counters(w->http)->requests, 1);
	say(w, w->tickets[0], STR("go on"), false);
	for (int i = 0; i < 200 && http_server_counters(w->http)->requests < 201; i++)
		(void)wire_until(&c, "never", 10);
	assert_int_equal(http_server_counters(w->http)->requests, 201);
	wire_done(&c);
	close_world(w);
}

UNIT_MAIN(cmocka_unit_test(bodies_reach_their_route), cmocka_unit_test(requests_stay_in_order),
        cmocka_unit_test(an_answer_may_come_later), cmocka_unit_test(who_goes_is_reported),
        cmocka_unit_test(slow_and_many_bodies_are_bounded),
        cmocka_unit_test(nothing_piles_up_behind_a_waiting_request))
