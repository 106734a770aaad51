/* vector_diff.h - what a vector expects against what came out. pure */
#pragma once
#include "base/jval.h"

/* Compares the keys present in expect only: `warnings` and `effective` as subsets, `changes` by
 * `who`. One line per difference is appended to out; true: none. */
bool vector_diff(const struct jval *expect, const struct jval *verdict, struct buf *out);
/* Sets `warnings` from enum warning bits. */
bool warnings_set(struct jval *object, unsigned warnings);
