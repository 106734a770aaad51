/* block.c - shared immutable bytes. pure */
#include "base/block.h"

#include <assert.h>

#include "base/mem.h"

struct block *block_new(struct str bytes)
{
	if (bytes.n > UINT32_MAX / 2)
		return NULL;
	struct block *b = mem_alloc(sizeof *b + bytes.n);
	if (!b)
		return NULL;
	b->refs = 1;
	b->queued = 0;
	b->n = (uint32_t)bytes.n;
	if (bytes.n)
		memcpy(b->p, bytes.p, bytes.n);
	return b;
}

struct block *block_ref(struct block *b)
{
	assert(b->refs > 0);
	b->refs++;
	return b;
}

void block_unref(struct block *b)
{
	if (!b)
		return;
	assert(b->refs > 0);
	if (--b->refs == 0)
		mem_free(b);
}
