/* sm.h - the counts of stream management (XEP-0198): what the client sent and we handled, what we
 * sent and it has not acknowledged yet. pure
 *
 * Counts run modulo 2^32. What may have to be sent again is kept within bounds that the caller
 * names; beyond them, and without memory, the oldest is forgotten: the stream lives on, and can be
 * resumed again as soon as the client has acknowledged what was forgotten. Thread: the session's.
 */
#pragma once
#include "base/block.h"

struct element;

#define SM_ID_DIGITS 66 /* worker, look-up, secret: 2, 16, 48 hexadecimal digits */
#define SM_ID_LOOKUP 18
#define SM_STANZA_OVERHEAD 64 /* what each kept stanza counts beside its bytes */

struct sm_stanza;

struct sm {
	uint32_t handled; /* the client's */
	uint32_t sent, acked;
	bool resumable; /* the client asked for it: stanzas are kept */
	char id[SM_ID_DIGITS + 1];
	struct sm_stanza *first, *last; /* kept; the last of those sent */
	uint32_t n;
	size_t bytes;
};

struct sm_stanza {
	struct sm_stanza *next;
	struct block *tail; /* or NULL */
	uint32_t n;
	char head[];
};

void sm_done(struct sm *m);
/* Is it one of those that are counted: iq, presence, message? */
bool sm_counts(struct str bytes);
bool sm_counts_element(const struct element *e);
/* One more was sent: head followed by tail (may be NULL). */
void sm_sent(struct sm *m, struct str head, struct block *tail);
/* The same with a tail that nobody shares: it is copied. */
void sm_sent_copy(struct sm *m, struct str head, struct str tail);
/* Forgets the oldest until so much is left at most. */
void sm_bound(struct sm *m, uint32_t stanzas, size_t bytes);
/* The client has handled h in total. False: more than was sent, or less than before. */
bool sm_acknowledge(struct sm *m, uint32_t h);
/* Is everything kept that came after the h-th? */
bool sm_holds(const struct sm *m, uint32_t h);
/* A count as it stands in an attribute. False: it is none. */
bool sm_read_count(struct str text, uint32_t *out);

/* A new id for a stream of that worker. False: no randomness. */
bool sm_make_id(struct sm *m, unsigned worker);
/* The worker that an id names. False: it is no id. */
bool sm_worker_of(struct str id, unsigned *worker);
