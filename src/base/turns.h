/* turns.h - whose turn it is on a thread: jobs that wait, those that have used little lately first.
 * pure
 *
 * A flood must not make others wait: a job runs for a short while, and is charged for it. Peers who
 * have logged in come in the order of what each has used in the last second or so, strangers in the
 * order of what their address has used. All strangers together have one share of the thread, so has
 * the door where they come in, and housekeeping: of these kinds the one that has had least of its
 * share is next. Nobody starves: who has waited is moved up (turns_age). The time is handed in, in
 * nanoseconds. */
#pragma once
#include <stdatomic.h>
#include <stdint.h>
#include "base/list.h"

enum turn_kind {
	TURN_STRANGER, /* connections of whom nothing is known yet */
	TURN_PEER,     /* logged in */
	TURN_DOOR,     /* listeners */
	TURN_HOUSE,    /* timers, mailboxes */
	TURN_KINDS
};

#define TURN_LEVELS 48 /* four to a doubling of what was used; at most 64 */

/* What the strangers of one address have used, on all threads. Zeroed: nothing. */
struct turn_account {
	_Atomic uint64_t used; /* microseconds; below them 32 bits of when, in about milliseconds */
};

/* Zeroed before its first use: a stranger. Owned by the caller, removed before its end. */
struct turn {
	struct list link;
	enum turn_kind kind;
	double used; /* microseconds, of those lately used at `at` */
	uint64_t at;
	struct turn_account
	        *account; /* of a stranger; NULL: none, he is among the first. Borrowed */
};

struct turns {
	struct list waiting[TURN_KINDS][TURN_LEVELS];
	uint64_t maybe[TURN_KINDS]; /* a bit for each level where somebody may wait */
	double used[TURN_KINDS];    /* likewise, over a shorter time */
	uint64_t at;
};

void turns_init(struct turns *ts);
void turns_add(struct turns *ts, struct turn *t, uint64_t now); /* fine when it waits already */
void turns_remove(struct turn *t);                              /* fine when it does not wait */
bool turn_waits(const struct turn *t);
/* Takes the next one out; NULL: none waits. */
struct turn *turns_next(struct turns *ts, uint64_t now);
/* It ran for so long; it may wait again already. */
void turns_charge(struct turns *ts, struct turn *t, uint64_t ran, uint64_t now);
/* A stranger has logged in. Not while it waits. He starts as one who has used something, so that
 * whoever comes by the hundred is not served before those who are there. */
void turn_known(struct turn *t, uint64_t now);
/* About ten times a second: whoever waits since the last time moves up a level. */
void turns_age(struct turns *ts);
