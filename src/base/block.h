/* block.h - immutable, reference-counted bytes: a stanza serialised once and queued for many. pure
 *
 * Thread: a block stays on the thread that made it (counts are not atomic). */
#pragma once
#include "base/str.h"

struct block {
	uint32_t refs;
	uint32_t queued; /* in how many queues it waits; kept by net/tcp, which counts its bytes
	                    once */
	uint32_t n;
	char p[];
};

struct block *block_new(struct str bytes); /* one reference, NULL on no memory */
struct block *block_ref(struct block *b);
void block_unref(struct block *b); /* NULL is fine */
static inline struct str block_view(const struct block *b)
{
	return (struct str){b->p, b->n};
}
