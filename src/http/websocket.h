/* websocket.h - the server's side of one WebSocket (RFC 6455): text messages in and out, pings, the
 * closing. io
 *
 * Sending writes only a frame head before blocks that are shared between connections.
 * Thread: the worker's loop. */
#pragma once
#include "base/block.h"
#include "http/frame.h"
#include "net/tcp.h"

struct ws;
struct http_counters;

enum ws_end {
	WS_END_CLOSED,    /* the peer sent a close frame */
	WS_END_AWAY,      /* the same: its page is going away (1001) */
	WS_END_LOST,      /* the connection ended without one */
	WS_END_SILENT,    /* no answer to our ping */
	WS_END_STALLED,   /* the peer does not read */
	WS_END_PROTOCOL,  /* we closed: bad frames, or too many */
	WS_END_NOT_TEXT,  /* we closed: binary, or not UTF-8 */
	WS_END_TOO_LARGE, /* we closed: a message beyond the bound */
};
const char *ws_end_text(enum ws_end e);

struct ws_events {
	void *arg;
	/* One whole text message, valid UTF-8; borrowed for the call. May call ws_close. */
	void (*message)(void *arg, struct ws *w, struct str text);
	/* Once, unless the owner called ws_close before; w is gone when it returns. */
	void (*ended)(void *arg, struct ws *w, enum ws_end why);
};

struct ws_limits {
	uint32_t max_message; /* bytes of a message, fragments together */
	uint32_t ping_idle_ms, ping_timeout_ms;
};

/* Takes t over after the 101 was queued; `early` are bytes that came behind the head (handed on in
 * its next turn). NULL: no memory, t is closed. */
struct ws *ws_new(struct tcp *t, const struct ws_limits *limits, struct str early,
        struct http_counters *counters);
void ws_own(struct ws *w, const struct ws_events *ev); /* the events are copied */
void ws_known(struct ws *w);                           /* the peer has logged in */
/* A smaller bound while the peer is unknown; may be raised later. */
void ws_set_max_message(struct ws *w, uint32_t bytes);
/* Queues one text message: head, copied, then tail, referenced (may be NULL). ERR_LIMIT: the peer
 * does not read, nothing was queued; ERR_NOMEM; ERR_CLOSED. */
int ws_send(struct ws *w, struct str head, struct block *tail);
/* The same with a tail that is copied too. */
int ws_send_copy(struct ws *w, struct str head, struct str tail);
/* The same past max_queued: for the reason of a close. */
int ws_send_last(struct ws *w, struct str text);
/* The owner lets go: a close frame is queued, no event comes any more, the connection ends when the
 * peer has answered or after linger_ms. */
void ws_close(struct ws *w, unsigned code, uint32_t linger_ms);
