/* server.h - HTTP/1.1 connections: heads in, answers out, and the door to WebSocket. io
 *
 * bytes -> http/parse -> route -> answer, or an upgrade that leaves for http/websocket. Knows no
 * XMPP: the path and the subprotocol of the WebSocket come with the settings. Thread: the front's
 * loop. */
#pragma once
#include "base/address.h"
#include "base/counter.h"
#include "http/parse.h"
#include "net/tcp.h"

struct http_server;
struct root;
struct ws;

struct http_request {
	const struct http_head *head;
	struct str path; /* decoded, begins with '/', without dots for segments */
	struct str peer; /* address of the client, as a trusted proxy tells it */
	bool peer_loopback;
	bool secure;       /* it came by HTTPS, here or at a trusted proxy */
	struct str region; /* where a trusted proxy says the client is; absent: none */
	struct str tenant; /* the segment before an endpoint's path; absent: none. The query then
	                      has it as `prefix`, whatever the client wrote there */
};

/* One request that waits for its answer: a value, which may cross threads. When it was answered, or
 * its connection has gone, it names nothing any more. */
struct http_ticket {
	uint32_t slot, generation;
};

/* A path whose requests are answered by somebody above, now or later. Other origins may use it:
 * OPTIONS is answered for it, and every answer carries the endpoint headers. The requests of one
 * connection come one at a time: the next one when this one was answered. */
struct http_route {
	const char *path;    /* exact; also behind one segment, the tenant's */
	const char *methods; /* "POST", "GET, HEAD, POST": others get 405 */
	size_t max_body;     /* bytes, without the coding; more gets 413 */
	/* r and body are borrowed for the call (absent body: none was sent). Somebody must call
	 * http_server_answer or http_server_abandon with t, here or later. */
	void (*take)(
	        void *arg, const struct http_request *r, struct str body, struct http_ticket t);
	/* The connection of an unanswered ticket has gone, and the ticket with it. May be NULL. */
	void (*gone)(void *arg, struct http_ticket t);
	void *arg;
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

	const struct http_route *routes; /* live as long as the server */
	size_t n_routes;
	uint32_t body_timeout_ms; /* from the end of the head to the end of the body */
	uint64_t max_bodies;      /* bytes of unfinished bodies in all; then long ones get 503 */
	const char *endpoint_headers; /* lines with CRLF for answers of the WebSocket path and the
	                                 routes; NULL: that any origin may read them */

	const struct network *trusted; /* proxies: what they say of their clients counts */
	size_t n_trusted;
	bool redirect; /* who comes by HTTP is sent to HTTPS */
	struct str
	        redirect_to; /* "https://host"; absent: as the client calls us, with https_port */
	uint16_t https_port;
	bool hsts;               /* RFC 6797 */
	const char *acme_folder; /* NULL: none */

	struct str config_js; /* /config.js, lives as long as the server */
	struct root *root;    /* an installed jitsi-meet in place of the page (http/root.h); NULL:
	                         no. root_free before http_server_free */
	const char *web_dir;  /* serve the page's files from here instead (development); NULL: no */
	/* Writes the body of /about/health; false: unhealthy (503). */
	bool (*health)(void *arg, struct buf *out);
	void *health_arg;
};

struct http_counters {
	uint64_t requests, upgrades, bad_request, too_large, timed_out, refused_upgrade;
	uint64_t bodies, bodies_refused, abandoned;
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
/* Answers the request of a ticket; nothing happens when there is none any more. Thread: the
 * server's. */
struct http_answer;
void http_server_answer(struct http_server *s, struct http_ticket t, struct http_answer *a);
/* Ends its connection without an answer. */
void http_server_abandon(struct http_server *s, struct http_ticket t);
bool http_server_waits(const struct http_server *s, struct http_ticket t);
uint32_t http_server_waiting(const struct http_server *s); /* how many tickets */
/* From now on every answer ends its connection, upgrades get 503, and connections without an open
 * ticket are closed. */
void http_server_drain(struct http_server *s);
