/* claims.c - life of verified claims, and identity. pure */
#include "policy/claims.h"

#include <assert.h>

#include "base/mem.h"

bool identity_eq(const struct identity *a, const struct identity *b)
{
	if (!a->present || !b->present || a->is_number != b->is_number || !str_eq(a->iss, b->iss))
		return false;
	return a->is_number ? a->number == b->number : str_eq(a->text, b->text);
}

struct claims *claims_ref(struct claims *c)
{
	assert(c->refs > 0);
	c->refs++;
	return c;
}

void claims_unref(struct claims *c)
{
	if (!c)
		return;
	assert(c->refs > 0);
	if (--c->refs)
		return;
	jval_free(c->payload);
	mem_free(c);
}
