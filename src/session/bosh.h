/* bosh.h - sessions over BOSH: POSTs in, each answered when there is something to say, or by and by
 * (XEP-0124, XEP-0206). io
 *
 *   whoever has the HTTP side -> bosh_take -> transport (session/transport.h) -> session
 *   session -> transport -> post->answer -> whoever has the HTTP side
 *
 * A stream lives on one worker, which its sid names, so any POST finds it, on whatever connection
 * it comes. No parser and no connection belong to it: between two requests it is a timer, what was
 * answered last, and its session. Thread: the worker's. */
#pragma once
#include "base/counter.h"
#include "session/bosh_wire.h"
#include "session/transport.h"

struct bosh_stream;
struct tcp_address;
struct tcp_server;

/* One POST. Made by whoever has the HTTP side, and his again once it was answered or bosh_gone was
 * called; until then it does not move. */
struct bosh_post {
	char *body; /* owned; the stream frees it as soon as it was read. May be NULL */
	size_t n;
	/* Called once. body: the answer (200, text/xml), borrowed; absent: the connection has to
	 * end without one. */
	void (*answer)(struct bosh_post *p, struct str body);
	struct bosh_stream *stream; /* who holds it unanswered; NULL: nobody. NULL at first */
};

/* What else came with it; needed where the request opens a session. Borrowed for the call. */
struct bosh_arrival {
	struct session_arrival client;
	bool secure;
	/* The client's place among the connections of its address (tcp_seat_take); given back when
	 * the session has ended, or was not opened. seats NULL: it has none. */
	struct tcp_server *seats;
	struct tcp_address *seat;
};

void bosh_take(struct sessions *ss, struct bosh_post *p, const struct bosh_arrival *a);
/* The connection of an unanswered post has gone; p is its maker's again. Fine if nobody holds it.
 */
void bosh_gone(struct bosh_post *p);
/* Writes the answer to a request that nobody can serve. */
void bosh_refusal(struct buf *b, const char *condition);

struct bosh;                         /* those of one worker; NULL before the first one */
void bosh_free(struct sessions *ss); /* for sessions_free */
size_t bosh_list_counters(const struct sessions *ss, struct counter *out, size_t max);
