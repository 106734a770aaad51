/* directory.h - which worker has which conference, how much each carries, and what all of them
 * count together. pure
 *
 * Read when a socket is placed, when a conference is asked for and at a join, never per stanza. An
 * entry stands as long as somebody holds it: the room itself, a session that found its way there, a
 * stanza under way that may open the room. Its worker never changes, so whoever holds it may read
 * it without the lock. Thread: any; one small lock inside. */
#pragma once
#include <stdint.h>
#include "base/str.h"

struct directory;

/* One conference. Immutable for its holders, but for `holds`, which the lock guards. */
struct directory_entry {
	struct str room; /* canonical bare JID, its tenant inside; its own bytes */
	unsigned worker;
	unsigned holds;
	char bytes[];
};

#define DIRECTORY_ANY UINT32_MAX

/* astray: for tests, sockets and conferences are put on different workers on purpose. NULL: no
 * memory. */
struct directory *directory_new(unsigned workers, bool astray);
void directory_free(struct directory *d); /* NULL is fine */

/* The worker for a new socket. room: what its URL says, or absent; its entry is held (*held; NULL:
 * none, or no memory). Counts as a session there until directory_placed. */
unsigned directory_place(struct directory *d, struct str room, struct directory_entry **held);
/* The same for one that must live there: it wants to resume a session. */
void directory_place_on(struct directory *d, unsigned worker);
void directory_placed(struct directory *d, unsigned worker, struct directory_entry *held);

/* The entry of a conference, held. A new one goes to `near` (where its session lives) unless
 * another worker has much less to do. NULL: no memory. */
struct directory_entry *directory_claim(struct directory *d, struct str room, unsigned near);
void directory_hold(struct directory *d, struct directory_entry *e);
void directory_release(struct directory *d, struct directory_entry *e); /* NULL is fine */
/* Is there such a conference, and where? */
bool directory_find(struct directory *d, struct str room, unsigned *worker);

/* The room exists, or no more: it holds its entry itself. False: no memory. */
bool directory_room_opened(struct directory *d, struct str room, unsigned worker);
void directory_room_ended(struct directory *d, struct str room);

/* Sessions of all workers together: false when there are `most` already. */
bool directory_take_session(struct directory *d, unsigned worker, uint32_t most);
void directory_give_session(struct directory *d, unsigned worker);
uint32_t directory_sessions(struct directory *d);
/* For tests: entries that stand, and what a worker carries. */
size_t directory_size(struct directory *d);
unsigned directory_load(struct directory *d, unsigned worker);
