/* pattern.h - Lua patterns (Lua 5.4 manual, 6.4.1) without captures, %b, %f and back references,
 * with bounds. pure
 *
 * Works on bytes, with the character classes of the C locale. */
#pragma once
#include "base/str.h"

enum {
	PATTERN_BYTES_MAX = 128,
	PATTERN_STEPS_MAX = 20000,
};

enum pattern_result {
	PATTERN_NO,
	PATTERN_YES,     /* the pattern matches the whole text */
	PATTERN_INVALID, /* too long, malformed, or uses what is left out */
	PATTERN_STEPS,   /* out of steps */
};
enum pattern_result pattern_match_whole(struct str pattern, struct str text);
/* Is there a `-` used as a quantifier: `team-1` does not match itself. For explain. */
bool pattern_has_lazy_dash(struct str pattern);
