/* server.h - HTTP/1.1 connections: heads in, answers out, and the door to WebSocket. io
 *
 * bytes -> http/parse -> route -> answer, or an upgrade that leaves for http/websocket. Knows no
 * XMPP: the path and the subprotocol of the WebSocket come with the settings. Thread: the front's
 * loop. */
#pragma once
#include "base/counter.h"
#include "http/parse.h"
#include "net/tcp.h"

struct http_server;
struct ws;

struct http_request {
	const struct http_head *head;
	struct str path; /* decoded, begins with '/', without dots for segments */
	struct str peer; /* address */
	bool peer_loopback;
};

struct http_settings {
	size_t max_head;               /* bytes, without the query */
	size_t max_target;             /* bytes; the token travels in it */
	uint32_t head_timeout_ms;      /* from the first byte (or accept) to the end of the head */
	uint32_t idle_timeout_ms;      /* between two requests */
	uint32_t max_message;          /* bytes of a WebSocket message */
	uint32_t ping_idle_ms;         /* silence before the server pings */
	uint32_t ping_timeout_ms;      /* from the ping to the close */
	uint32_t log_lines_per_second; /* of refused requests */

	const char *ws_path, *ws_protocol;
	/* Takes the new connection over (ws_own) or refuses it by closing. The request is borrowed
	 * for the call. */
	void (*ws_open)(void *arg, const struct http_request *r, struct ws *w);
	void *ws_arg;

	/* Where WebSockets live on other loops: takes t and the bytes of its request, what came
	 * behind it included, elsewhere (tcp_release; http_server_adopt there). The request is not
	 * judged yet. False: no memory, t is as it was. NULL: they are opened here. */
	bool (*hand_over)(void *arg, const struct http_request *r, struct tcp *t, struct str bytes);
	void *hand_over_arg;
	bool upgrades_only; /* no files: it only adopts */

	struct str config_js; /* /config.js, lives as long as the server */
	const char *web_dir;  /* serve the page's files from here instead (development); NULL: no */
	/* Writes the body of /about/health; false: unhealthy (503). */
	bool (*health)(void *arg, struct buf *out);
	void *health_arg;
};

struct http_counters {
	uint64_t requests, upgrades, bad_request, too_large, timed_out, refused_upgrade;
	uint64_t ws_too_large, ws_not_text, ws_protocol_error, ws_silent, ws_too_many,
	        log_suppressed;
};

struct http_server *http_server_new(
        const struct http_settings *settings); /* borrows strings of settings */
void http_server_free(struct http_server *s);
void http_server_accept(void *server, struct tcp *t); /* for tcp_server_new */
/* An adopted connection with the bytes that were read of it. */
void http_server_adopt(struct http_server *s, struct tcp *t, struct str bytes);
struct http_counters *http_server_counters(struct http_server *s);
size_t http_server_list_counters(const struct http_server *s, struct counter *out, size_t max);
/* From now on every answer ends its connection, upgrades get 503, and waiting connections are
 * closed. */
void http_server_drain(struct http_server *s);
