/* ask.h - questions about the running server, and their answers: one JSON object each way. pure
 *
 *   {"ask":"record","room":"demo","occupant":"3f2a9c1e"}   why is he what he is; occupant may be
 * left out
 *   {"ask":"rooms"}                                        which rooms there are
 *   {"ask":"counters"}                                     what each limit has refused, and what
 * goes on
 *   -> {"ok":true,"result":...} or {"ok":false,"error":"no such room"}
 *
 * Nothing here changes anything, and no token or secret is in any answer. Thread: the worker's. */
#pragma once
#include "base/counter.h"
#include "room/room.h"

#define ASK_BYTES_MAX 4096

struct ask_sources {
	const struct room_service *rooms;
	struct str muc_domain;
	/* Fills in at most max counters of the other parts; NULL: none. */
	size_t (*counters)(void *arg, struct counter *out, size_t max);
	void *arg;
};

/* Appends the answer and a line feed. */
void ask_answer(const struct ask_sources *sources, struct str question, struct buf *out);
