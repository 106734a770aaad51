/* match.h - does this token cover this room: canonical names, patterns, tenant and sub
 * (roles.md 1.4). pure */
#pragma once
#include "base/buf.h"
#include "policy/reason.h"
#include "policy/settings.h"
#include "policy/view.h"

/* lower(encodeURIComponent(lower(NFKC(percent-decode(name))))) as the clients compute it, appended.
 * A bad escape, or escapes that are no UTF-8, leave the whole name literal. ERR_OK, ERR_BADMSG
 * (name is no UTF-8), ERR_NOMEM. */
int room_canonical(struct str name, struct buf *out);
/* The first step alone, as decodeURIComponent does it: the name a human reads. Same errors. */
int room_decode(struct str name, struct buf *out);
/* Is the node its own canonical form (false: E_ROOM_NAME). ERR_OK or ERR_NOMEM. */
int room_is_canonical(struct str node, bool *yes);
/* `[tenant]node` as used in an internal address; tenant absent when there is none. Parsed before
 * percent-decoding. */
void room_split_tenant(struct str internal, struct str *tenant, struct str *node);
/* Tenants are compared with `.` as `_` and ASCII case folded. */
bool tenant_eq(struct str a, struct str b);

/* How a token relates to a room. */
struct match {
	enum reason refusal; /* R_NONE: covered; E_WILDCARD, E_ROOM_MISMATCH, E_ROOM_REGEX,
	                        E_TENANT_MISMATCH */
	const char *text; /* for the client, where it differs from the table; NULL: the table's */
	const char *element;  /* application element, "room-mismatch"; NULL: none */
	bool wildcard, regex; /* how it was covered */
	unsigned warnings;    /* W_TENANT_UNCHECKED, W_TENANT_MISMATCH */
	bool nomem;
};
/* The gates wildcard, room, sub/tenant, in this order. A breakout is compared by its main room. */
void match_token(const struct policy_settings *s, const struct claims *claims,
        const struct room_view *room, struct match *out);
