/* claims.c - life of verified claims, and identity. pure */
#include "policy/claims.h"

#include <assert.h>

#include "base/mem.h"

void identity_read(struct identity *who, const struct jval *id)
{
	double approximate = jval_number(id);
	/* Beyond 2^63 the parser rounds: two people would become one. */
	if (jval_is_number(id) && approximate > -0x1p63 && approximate < 0x1p63) {
		who->present = who->is_number = true;
		who->number =
		        jval_type(id) == JVAL_INTEGER ? (long double)jval_integer(id) : approximate;
	} else if (jval_str(id).n > 0) {
		who->present = true;
		who->text = jval_str(id);
	}
}

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
