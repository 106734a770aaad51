/* ask.h - questions about the running server, and their answers: one JSON object each way. pure
 *
 *   {"ask":"record","room":"demo","occupant":"3f2a9c1e"}   why is he what he is; occupant may be
 * left out
 *   {"ask":"rooms"}                                        which rooms there are
 *   {"ask":"counters"}                                     what each limit has refused, and what
 * goes on
 *   {"ask":"keys"}                                         keys from elsewhere, and how their
 * sources answer
 *   {"ask":"reload"}                                       read the certificates again
 *   -> {"ok":true,"result":...} or {"ok":false,"error":"no such room"}
 *
 * Nothing here changes anything but that, and no token or secret is in any answer. A question goes
 * round: it begins, every worker adds what it has, on its own thread, and it is finished. */
#pragma once
#include "base/counter.h"
#include "room/room.h"
#include "xmpp/muc_host.h"

#define ASK_BYTES_MAX 4096
#define ASK_COUNTERS_MAX 128

struct ask_sources {
	const struct room_service *rooms; /* NULL: a part without rooms */
	struct muc_host muc;
	/* Fills in at most max counters of the other parts; NULL: none. */
	size_t (*counters)(void *arg, struct counter *out, size_t max);
	/* Appends a JSON array; NULL: this part knows of none. */
	void (*keys)(void *arg, struct buf *out);
	void *arg;
};

/* A question on its way. A value: it may go from thread to thread. */
struct ask {
	struct jval *question; /* owned; NULL: unreadable */
	enum { ASK_UNKNOWN, ASK_RECORD, ASK_ROOMS, ASK_COUNTERS, ASK_KEYS, ASK_RELOAD } what;
	struct buf found; /* records, rooms, keys, as JSON */
	bool room_found;
	bool reloaded; /* ASK_RELOAD, which is the server's own; otherwise found says why not */
	struct counter counters[ASK_COUNTERS_MAX]; /* sums by name */
	size_t n_counters;
};

void ask_begin(struct ask *a, struct str question);
void ask_gather(struct ask *a, const struct ask_sources *sources);
/* Appends the answer and a line feed. */
void ask_finish(struct ask *a, struct buf *out);
void ask_done(struct ask *a);
