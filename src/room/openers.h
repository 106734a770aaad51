/* openers.h - how many rooms there are, and how many an address or a session has opened or sits in:
 * what the room services of all workers count together. pure
 *
 * Asked when a room is opened, entered for the first time, or ends, and once a join; never per
 * stanza. Thread: any; one small lock inside. */
#pragma once
#include <stdint.h>
#include "base/lock.h"
#include "base/map.h"

/* The rooms of one address, or of one session. Its rooms keep a pointer, and give it back. */
struct opener {
	unsigned rooms;
	struct str key;
	char bytes[];
};

struct openers {
	struct lock lock;
	/* under the lock */
	uint32_t rooms;
	struct map addresses; /* peer -> opener */
	struct map waiting;   /* session key -> opener, of rooms that nobody has entered yet */
	struct map inside;    /* session key -> opener, of rooms that it is in */
};

struct openers_bounds {
	uint32_t rooms, per_address, per_session;
};

enum openers_answer {
	OPENERS_TAKEN,
	OPENERS_TOTAL,
	OPENERS_ADDRESS,
	OPENERS_SESSION,
	OPENERS_NOMEM
};

struct openers *openers_new(void); /* NULL: no memory */
void openers_free(struct openers *o);
/* One more room. address, session: who opens it; empty: nobody who counts. Only with OPENERS_TAKEN
 * is anything counted; what is held then goes to openers_give. */
enum openers_answer openers_take(struct openers *o, const struct openers_bounds *bounds,
        struct str address, struct str session, struct opener **by_address,
        struct opener **by_session);
/* The room has ended. */
void openers_give(struct openers *o, struct opener **by_address, struct opener **by_session);
/* Somebody has entered it: it counts for its session no more. */
void openers_entered(struct openers *o, struct opener **by_session);
/* This session is in one room more; NULL: no memory. */
struct opener *openers_enter(struct openers *o, struct str session);
void openers_leave(struct openers *o, struct opener **inside);
unsigned openers_inside(struct openers *o, struct str session);
