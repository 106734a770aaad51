/* hint.h - the part of an explanation that says what to change. pure */
#pragma once
#include "policy/explain.h"

/* "fix", "hint" and "warning" lines. */
void explain_hints(const struct explain_facts *f, struct buf *out);
