/* claims.h - what a verified token says, as the policy reads it. pure
 *
 * Filled by token/claims from the payload of a token whose signature and standard claims hold;
 * never made otherwise (the vector runner and the tests call the same function). Immutable; shared
 * by reference count on one thread. */
#pragma once
#include <stdint.h>
#include "base/jval.h"

/* Who somebody is: issuer and context.user.id, compared with types: the number 1 and the string "1"
 * differ, 1 and 1.0 do not. Without context, a top-level user_id. */
struct identity {
	struct str iss;
	bool present; /* a usable id: a non-empty string or a number below 2^63 */
	bool is_number;
	struct str text;    /* when a string */
	long double number; /* when a number: holds every 64-bit integer exactly, so neighbours stay
	                       apart */
};

/* Reads an id; what is no usable one leaves it absent. Strings are borrowed from id. */
void identity_read(struct identity *who, const struct jval *id);
bool identity_eq(
        const struct identity *a, const struct identity *b); /* false unless both are present */

struct claims {
	uint32_t refs;
	struct jval *payload; /* owned: the whole payload, an object */
	struct str iss, sub;  /* borrowed from payload */
	struct str room; /* the raw claim; absent when it is missing and that is allowed (counts as
	                    `*`) */
	bool has_exp;
	double exp; /* Unix seconds */
	struct identity identity;
	uint8_t token_sha256[32]; /* of the compact token: log prefix, ban without identity, "same
	                             token" */
	unsigned warnings; /* enum warning bits found while verifying: W_NO_EXP, W_IAT_FUTURE */
};

struct claims *claims_ref(struct claims *c);
void claims_unref(struct claims *c); /* NULL is fine */
