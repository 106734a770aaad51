/* explain.h - a decision in words: roles.md section 6, line by line. pure
 *
 * Used by `gavel explain` and by the running server when it is asked for its record of a join.
 * Never prints a token; claim values are shortened. */
#pragma once
#include "base/buf.h"
#include "policy/claims.h"
#include "policy/stock.h"
#include "policy/verdict.h"

struct explain_facts {
	const struct policy_settings *settings;
	const struct room_view *room;
	const struct claims *claims; /* NULL: guest, or not verified */
	const struct verdict *verdict;
	struct str typed;        /* nick; absent: none */
	struct str token_lines;  /* verification, written by who verified; inserted after the
	                          * verdict. May be  absent */
	struct str refusal_hint; /* of the verification; absent: none */
	struct str
	        setting_lines; /* where settings came from, before the comparison; may be absent */
	const struct stock_setup *stock; /* compare with stock Jitsi; NULL: do not */
};
void explain_write(const struct explain_facts *f, struct buf *out);

/* One line for the log: which setting or claim would have changed this refusal, "" when none would.
 */
const char *explain_fix(enum reason refusal);
