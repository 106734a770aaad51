/* server_test.c - requests over real sockets: routes, errors, keep-alive, time limits, WebSocket in
 * and out. io */
#include "support/unit.h"

#include <stdio.h>

#include "http/server.h"
#include "http/websocket.h"
#include "support/wire.h"

struct world {
	struct loop *loop;
	struct tcp_server *tcp;
	struct http_server *http;
	uint16_t port;
	struct ws *ws; /* the last one, while it lives */
	enum ws_end why;
	unsigned ended;
	struct buf heard;
	char path[64], query[64];
};

static void on_message(void *arg, struct ws *ws, struct str text)
{
	struct world *w = arg;
	buf_str(&w->heard, text);
	if (str_eqc(text, "close"))
		ws_close(ws, WS_NORMAL, 500);
	else
		(void)ws_send(ws, text, NULL);
}

static void on_ended(void *arg, struct ws *ws, enum ws_end why)
{
	struct world *w = arg;
	(void)ws;
	w->ws = NULL;
	w->why = why;
	w->ended++;
}

static void on_open(void *arg, const struct http_request *r, struct ws *ws)
{
	struct world *w = arg;
	w->ws = ws;
	snprintf(w->path, sizeof w->path, "%.*s", STR_FMT(r->path));
	snprintf(w->query, sizeof w->query, "%.*s", STR_FMT(r->head->query));
	ws_own(ws, &(struct ws_events){w, on_message, on_ended});
}

static bool on_health(void *arg, struct buf *out)
{
	(void)arg;
	buf_puts(out, "{\"status\":\"ok\"}");
	return true;
}

static struct world *open_world(uint32_t timeout_ms)
{
	struct world *w = test_calloc(1, sizeof *w);
	struct http_settings set = {.max_head = 1000,
	        .max_target = 500,
	        .head_timeout_ms = timeout_ms,
	        .idle_timeout_ms = timeout_ms,
	        .max_message = 2000,
	        .ping_idle_ms = timeout_ms,
	        .ping_timeout_ms = timeout_ms,
	        .log_lines_per_second = 1,
	        .ws_path = "/xmpp-websocket",
	        .ws_protocol = "xmpp",
	        .ws_open = on_open,
	        .ws_arg = w,
	        .config_js = STR("var config = {};"),
	        .health = on_health};
	struct tcp_limits limits = {.max_connections = 100,
	        .max_per_address = 100,
	        .per_second = 1000,
	        .max_queued = 4 << 20,
	        .max_queued_total = 1 << 30,
	        .stall_ms = 10000};
	buf_init(&w->heard, 0);
	w->loop = loop_new();
	w->http = http_server_new(&set);
	w->tcp = tcp_server_new(w->loop, &limits, http_server_accept, w->http);
	assert_non_null(w->http);
	assert_int_equal(tcp_server_listen(w->tcp, "127.0.0.1", &w->port), 0);
	return w;
}

static void close_world(struct world *w)
{
	if (w->ws)
		ws_close(w->ws, WS_GOING_AWAY, 0);
	http_server_free(w->http);
	tcp_server_free(w->tcp);
	loop_free(w->loop);
	buf_done(&w->heard);
	test_free(w);
}

/* Sends and expects the answer to begin so; the connection is new. */
static void expect(struct world *w, const char *request, const char *status, const char *holds)
{
	struct wire c;
	wire_open(&c, w->loop, w->port);
	wire_puts(&c, request);
	if (!wire_until(&c, "\r\n\r\n", 2000))
		fail_msg("%s: no answer", request);
	wire_turn(w->loop, 5);
	(void)wire_until(&c, holds ? holds : "HTTP", 500);
	char want[64];
	snprintf(want, sizeof want, "HTTP/1.1 %s", status);
	if (!str_starts(buf_view(&c.in), str_c(want)) || (holds && !wire_has(&c, holds)))
		fail_msg("%s: %s", request, c.in.p);
	wire_done(&c);
}

#define REST " HTTP/1.1\r\nHost: localhost\r\n\r\n"

static void routes_answer(void **state)
{
	(void)state;
	struct world *w = open_world(5000);
	expect(w, "GET /config.js" REST, "200 OK", "var config = {};");
	expect(w, "GET /config.js" REST, "200 OK", "Cache-Control: no-store");
	expect(w, "GET /about/health" REST, "200 OK", "{\"status\":\"ok\"}");
	expect(w, "GET /xmpp-websocket?room=x" REST, "200 OK", "Access-Control-Allow-Origin: *");
	expect(w, "OPTIONS /xmpp-websocket" REST, "204 No Content", "Access-Control-Allow-Methods");
	/* a body stays unread, and must not be taken for the next request */
	expect(w, "OPTIONS /xmpp-websocket HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nGET ",
	        "204 No Content", "Connection: close");
	expect(w, "GET /" REST, "200 OK", "text/html");
	expect(w, "GET /demo?x=1" REST, "200 OK", "<html");
	expect(w, "GET /%d1%82%d0%b5%d1%81%d1%82" REST, "200 OK",
	        "Content-Security-Policy: default-src 'none'");
	expect(w, "GET /page.js" REST, "200 OK", "text/javascript");
	expect(w, "GET /page.css" REST, "200 OK", "text/css");
	expect(w, "GET /missing.js" REST, "404 Not Found", "Referrer-Policy: no-referrer");
	expect(w, "GET /tenant/room" REST, "404 Not Found", NULL);
	expect(w, "GET /../page.js" REST, "404 Not Found", NULL);
	expect(w, "GET /.git" REST, "404 Not Found", NULL);
	expect(w, "POST /" REST, "405 Method Not Allowed", "Allow: GET, HEAD");
	expect(w, "GET /%zz" REST, "400 Bad Request", "Connection: close");
	expect(w, "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
	        "413 Content Too Large", NULL);
	close_world(w);
}

static void the_same_content_is_not_sent_again(void **state)
{
	(void)state;
	struct world *w = open_world(5000);
	struct wire c;
	wire_open(&c, w->loop, w->port);
	wire_puts(&c, "HEAD /page.css" REST);
	assert_true(wire_until(&c, "\r\n\r\n", 2000));
	char *etag = strstr(c.in.p, "ETag: ");
	assert_non_null(etag);
	assert_int_equal(
	        c.in.n, (size_t)(strstr(c.in.p, "\r\n\r\n") + 4 - c.in.p)); /* HEAD: no body */
	char request[256];
	snprintf(request, sizeof request,
	        "GET /page.css HTTP/1.1\r\nHost: a\r\nIf-None-Match: \"x\", %.34s\r\n\r\n",
	        etag + 6);
	wire_forget(&c);
	wire_puts(&c, request);
	assert_true(wire_until(&c, "\r\n\r\n", 2000));
	assert_true(str_starts(buf_view(&c.in), STR("HTTP/1.1 304")));
	wire_done(&c);
	close_world(w);
}

static void requests_may_come_together_and_in_pieces(void **state)
{
	(void)state;
	struct world *w = open_world(5000);
	struct wire c;
	wire_open(&c, w->loop, w->port);
	wire_puts(&c, "GET /page.js" REST "GET /about/health" REST "GET /conf");
	assert_true(wire_until(&c, "{\"status\":\"ok\"}", 2000));
	wire_turn(w->loop, 10);
	wire_puts(&c, "ig.js" REST);
	assert_true(wire_until(&c, "var config", 2000));
	assert_int_equal(http_server_counters(w->http)->requests, 3);
	wire_puts(&c, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET /" REST);
	assert_true(wire_until(&c, NULL, 2000));
	assert_int_equal(http_server_counters(w->http)->requests, 4);
	wire_done(&c);
	close_world(w);
}

static void many_requests_at_once_do_not_fill_the_queue(void **state)
{
	(void)state;
	struct world *w = open_world(5000);
	struct wire c;
	wire_open(&c, w->loop, w->port);
	for (int i = 0; i < 300; i++)
		wire_puts(&c, "GET /page.js" REST);
	wire_puts(&c, "GET /about/health" REST);
	assert_true(wire_until(&c, "{\"status\":\"ok\"}", 10000));
	assert_int_equal(http_server_counters(w->http)->requests, 301);
	assert_int_equal(tcp_server_counters(w->tcp)->queue_full, 0);
	wire_done(&c);
	close_world(w);
}

static void slow_and_silent_clients_are_closed(void **state)
{
	(void)state;
	struct world *w = open_world(300);
	struct wire silent, slow, idle;
	wire_open(&silent, w->loop, w->port);
	wire_open(&slow, w->loop, w->port);
	wire_open(&idle, w->loop, w->port);
	wire_puts(&idle, "GET /about/health" REST);
	for (int i = 0; i < 5; i++) {
		wire_puts(&slow, "G");
		wire_turn(w->loop, 100);
	}
	assert_true(wire_until(&silent, NULL, 1000));
	assert_int_equal(silent.in.n, 0);
	assert_true(wire_until(&slow, NULL, 1000));
	assert_true(wire_has(&slow, "HTTP/1.1 408"));
	assert_true(wire_until(&idle, NULL, 1000));
	assert_true(wire_has(&idle, "HTTP/1.1 200"));
	assert_int_equal(http_server_counters(w->http)->timed_out, 2);
	wire_done(&silent);
	wire_done(&slow);
	wire_done(&idle);
	close_world(w);
}

#define UPGRADE                                                                                    \
	"GET /xmpp-websocket HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define VERSION "Sec-WebSocket-Version: 13\r\n"

static void upgrades_must_be_right(void **state)
{
	(void)state;
	struct world *w = open_world(5000);
	expect(w, UPGRADE KEY VERSION "\r\n", "501 Not Implemented", NULL);
	expect(w, UPGRADE KEY VERSION "Sec-WebSocket-Protocol: XMPP, mqtt\r\n\r\n",
	        "501 Not Implemented", NULL);
	expect(w, UPGRADE VERSION "Sec-WebSocket-Protocol: xmpp\r\n\r\n", "400 Bad Request", NULL);
	expect(w, UPGRADE KEY "Sec-WebSocket-Version: 8\r\nSec-WebSocket-Protocol: xmpp\r\n\r\n",
	        "426 Upgrade Required", "Sec-WebSocket-Version: 13");
	assert_int_equal(http_server_counters(w->http)->refused_upgrade, 4);
	assert_null(w->ws);
	expect(w, UPGRADE KEY VERSION "Sec-WebSocket-Protocol: mqtt, xmpp\r\n\r\n",
	        "101 Switching Protocols", "Sec-WebSocket-Protocol: xmpp");
	close_world(w);
}

static void messages_go_both_ways(void **state)
{
	(void)state;
	struct world *w = open_world(5000);
	struct wire c;
	wire_ws(&c, w->loop, w->port, "?room=demo");
	assert_string_equal(w->path, "/xmpp-websocket");
	assert_string_equal(w->query, "room=demo");
	wire_text(&c, "<hello/>");
	assert_true(wire_until(&c, "\x81\x08<hello/>", 2000));
	/* a shared block behind a head of the receiver's own */
	struct block *tail = block_new(STR(" to everybody"));
	assert_int_equal(ws_send(w->ws, STR("one"), tail), 0);
	assert_int_equal(ws_send(w->ws, STR("two"), tail), 0);
	block_unref(tail);
	assert_true(wire_until(&c, "\x81\x10one to everybody\x81\x10two to everybody", 2000));
	wire_text(&c, "close");
	assert_true(wire_until(&c, "\x88\x02\x03\xe8", 2000));
	assert_true(wire_until(&c, NULL, 2000));
	assert_int_equal(w->ended, 0); /* the owner closed it himself */
	w->ws = NULL;
	wire_done(&c);
	close_world(w);
}

/* A client that does not wait for the upgrade: its first message comes in the same packet. */
static void early_messages_are_not_lost(void **state)
{
	(void)state;
	struct world *w = open_world(5000);
	struct wire c;
	struct buf b;
	buf_init(&b, 0);
	buf_puts(&b, UPGRADE KEY VERSION "Sec-WebSocket-Protocol: xmpp\r\n\r\n");
	wire_frame(&b, FRAME_TEXT, true, STR("<early/>"));
	wire_open(&c, w->loop, w->port);
	wire_send(&c, buf_view(&b));
	assert_true(wire_until(&c, "<early/>", 2000));
	assert_str(buf_view(&w->heard), "<early/>");
	buf_done(&b);
	wire_done(&c);
	close_world(w);
}

static void a_close_is_answered(void **state)
{
	(void)state;
	struct world *w = open_world(5000);
	struct wire c;
	struct buf b;
	buf_init(&b, 0);
	wire_ws(&c, w->loop, w->port, "");
	wire_frame(&b, FRAME_PING, true, STR("there?"));
	wire_frame(&b, FRAME_CLOSE, true, STR("\x0f\xa0 bye"));
	wire_send(&c, buf_view(&b));
	assert_true(wire_until(&c, "\x8a\x06there?\x88\x02\x0f\xa0", 2000));
	assert_true(wire_until(&c, NULL, 2000));
	assert_int_equal(w->ended, 1);
	assert_int_equal(w->why, WS_END_CLOSED);
	buf_done(&b);
	wire_done(&c);
	close_world(w);
}

static void silence_is_asked_and_then_closed(void **state)
{
	(void)state;
	struct world *w = open_world(300);
	struct wire deaf, lively;
	struct buf pong;
	buf_init(&pong, 0);
	wire_frame(&pong, FRAME_PONG, true, STR(""));
	wire_ws(&deaf, w->loop, w->port, "");
	wire_ws(&lively, w->loop, w->port, "");
	for (int i = 0; i < 10; i++) {
		wire_send(&lively, buf_view(&pong));
		wire_turn(w->loop, 100);
	}
	assert_true(wire_until(&deaf, "\x89", 100)); /* the question */
	assert_true(deaf.ended || wire_until(&deaf, NULL, 1000));
	assert_int_equal(w->why, WS_END_SILENT);
	assert_int_equal(w->ended, 1);
	assert_int_equal(http_server_counters(w->http)->ws_silent, 1);
	w->ws = NULL; /* may be either; the lively one ends with its socket */
	wire_done(&lively);
	wire_turn(w->loop, 50);
	assert_int_equal(w->ended, 2);
	buf_done(&pong);
	wire_done(&deaf);
	close_world(w);
}

static void a_flood_of_pings_ends_the_connection(void **state)
{
	(void)state;
	struct world *w = open_world(5000);
	struct wire c;
	struct buf b;
	buf_init(&b, 0);
	for (int i = 0; i < 100; i++)
		wire_frame(&b, FRAME_PING, true, STR("?"));
	wire_ws(&c, w->loop, w->port, "");
	wire_send(&c, buf_view(&b));
	assert_true(wire_until(&c, "\x88\x02\x03\xf0", 2000)); /* 1008 */
	assert_int_equal(w->why, WS_END_PROTOCOL);
	assert_int_equal(http_server_counters(w->http)->ws_too_many, 1);
	buf_done(&b);
	wire_done(&c);
	close_world(w);
}

static void draining_refuses_and_closes(void **state)
{
	(void)state;
	struct world *w = open_world(5000);
	struct wire idle;
	wire_open(&idle, w->loop, w->port);
	wire_turn(w->loop, 10);
	http_server_drain(w->http);
	assert_true(wire_until(&idle, NULL, 1000));
	expect(w, UPGRADE KEY VERSION "Sec-WebSocket-Protocol: xmpp\r\n\r\n",
	        "503 Service Unavailable", NULL);
	expect(w, "GET /about/health" REST, "503 Service Unavailable", "Connection: close");
	wire_done(&idle);
	close_world(w);
}

UNIT_MAIN(cmocka_unit_test(routes_answer), cmocka_unit_test(the_same_content_is_not_sent_again),
        cmocka_unit_test(requests_may_come_together_and_in_pieces),
        cmocka_unit_test(many_requests_at_once_do_not_fill_the_queue),
        cmocka_unit_test(slow_and_silent_clients_are_closed),
        cmocka_unit_test(upgrades_must_be_right), cmocka_unit_test(messages_go_both_ways),
        cmocka_unit_test(early_messages_are_not_lost), cmocka_unit_test(a_close_is_answered),
        cmocka_unit_test(silence_is_asked_and_then_closed),
        cmocka_unit_test(a_flood_of_pings_ends_the_connection),
        cmocka_unit_test(draining_refuses_and_closes))
