/* reason.h - every reason code, refusal and warning that Gavel can give (roles.md 3.9), in one
 * table. pure
 *
 * A decision carries exactly one reason and any number of warnings (bits). The table tells at which
 * stage a refusal happens, with which XMPP condition, and the default text for the client. */
/* A table, read by column. */
/* clang-format off */
#pragma once
#include <stdint.h>
#include "base/str.h"

enum reason {
	R_NONE, /* nothing was decided (an item that changes nothing) */
	R_TOKEN_GRANT, R_TOKEN_DENY, R_TOKEN_CONFLICT, R_NO_CLAIM, R_GUEST, R_FIRST, R_NOT_FIRST, R_SAME_IDENTITY,
	R_ELECTED, R_AUTHENTICATED, R_EVERYONE, R_MODE_NONE, R_INHERIT_MAIN, R_RESUMED, R_GRANTED, R_REVOKED,
	R_KICKED, R_BANNED, R_EXPIRED_KEPT, R_EXPIRED_DEMOTED, R_NAME_FROZEN, R_NAME_FREE, R_SERVICE,
	E_FIRST_, /* refusals follow */
	E_TOKEN_REQUIRED = E_FIRST_, E_TOKEN_FORMAT, E_TOKEN_TOO_LARGE, E_DUP_CLAIM, E_CRIT, E_TYP, E_ALG, E_KID,
	E_KEY, E_SIG, E_EXP, E_EXP_TYPE, E_NO_EXP, E_NBF, E_NBF_TYPE, E_ISS, E_AUD, E_ROOM_CLAIM, E_SUB,
	E_ROOM_NAME, E_WILDCARD, E_ROOM_MISMATCH, E_TENANT_MISMATCH, E_ROOM_REGEX, E_OUTCAST, E_WAIT_HOST, E_FULL,
	E_LOBBY_NAME, E_LOBBY, E_PASSWORD, E_BREAKOUT, E_NICK, E_CONFLICT, E_RATE, E_CONFIG, E_FORBIDDEN,
	E_NO_TARGET, E_RANK, E_GRANT_OFF,
	REASON_COUNT
};

enum stage { STAGE_NONE, STAGE_SASL, STAGE_CONFERENCE, STAGE_JOIN, STAGE_IQ };

#define WARNINGS(X) \
	X(W_NO_EXP) X(W_IAT_FUTURE) X(W_CLAIM_VALUE) X(W_CLAIM_TYPE) X(W_CLAIM_MISPLACED) X(W_CLAIM_CONFLICT) \
	X(W_TENANT_UNCHECKED) X(W_TENANT_MISMATCH) X(W_SHARED_ID) X(W_DENY_EVADABLE) X(W_WEAK_SECRET) \
	X(W_NAME_CHANGED) X(W_NAME_UNUSABLE) X(W_NAME_CLASH) X(W_ENV_IGNORED) X(W_ENV_CHANGED) X(W_ENV_CONFLICT)

enum warning_index {
#define X(name) name##_INDEX,
	WARNINGS(X)
#undef X
	WARNING_COUNT
};
enum warning {
#define X(name) name = 1 << name##_INDEX,
	WARNINGS(X)
#undef X
};

struct reason_info {
	const char *name;       /* "E_SIG" */
	enum stage stage;       /* of a refusal; STAGE_NONE for acceptances */
	const char *type;       /* XMPP error type: "auth", "cancel", "modify", "wait"; NULL for acceptances */
	const char *condition;  /* XMPP condition or NULL */
	const char *text;       /* for the client; NULL: none */
};

const struct reason_info *reason_info(enum reason r);
static inline const char *reason_name(enum reason r) { return reason_info(r)->name; }
static inline bool reason_is_refusal(enum reason r) { return r >= E_FIRST_; }
enum reason reason_parse(struct str name);      /* R_NONE when unknown */
const char *stage_name(enum stage s);           /* "sasl", "conference", "join", "iq", "" */
const char *warning_name(enum warning_index i); /* "W_NO_EXP" */
