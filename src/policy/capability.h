/* capability.h - permissions, identity, avatar and e-mail: what a token says besides role and name.
 * pure
 *
 * roles.md 3.8 (the default permissions), 4.5, and 3.7 Grant for lent features. */
#pragma once
#include "base/buf.h"
#include "policy/settings.h"
#include "policy/view.h"

/* The default set of <permissions/>: name[i], each `true`. */
enum { CAPABILITY_DEFAULTS = 9 };
extern const char *const capability_defaults[CAPABILITY_DEFAULTS];

enum capability_answer {
	CAPABILITY_NO_PERMISSIONS, /* send no <permissions/> */
	CAPABILITY_DEFAULT_SET,    /* send the default set */
	CAPABILITY_LENT,           /* send those of *features: a granter's own */
};
/* What the occupant's own presence carries: the default set for a moderator whose token has no
 * context.features; a granter's features where they were lent. */
enum capability_answer capability_permissions(const struct seat *s, const struct jval **features);
/* What a moderator effectively has: NULL = the default set, else his (own or lent) context.features
 * object. */
const struct jval *capability_effective(const struct seat *s);
/* Is one feature on, for one occupant: `true` or "true" in his features; by the default set
 * otherwise. */
bool capability_has(const struct seat *s, struct str feature);

/* context.features as an object, or NULL (absent, ignored for a foreign tenant, or no object). */
const struct jval *capability_features(const struct claims *claims, bool ignored);

/* <identity><user>: iterates over the children to write: start with *it = 0; false at the end (or
 * when the token has no context.user). value is cleaned text, appended to `out` after a buf_reset;
 * a NOMEM shows as out->failed. */
bool capability_identity(const struct policy_settings *s, const struct claims *claims, size_t *it,
        struct str *key, struct buf *out);

/* What becomes of an <email/> or <avatar-url/>. */
enum profile_action {
	PROFILE_KEEP, /* leave what the client sent (or nothing) */
	PROFILE_REMOVE,
	PROFILE_REPLACE, /* by *value, borrowed from claims; also when the client sent none */
};
/* sent: what the client wrote, absent: nothing. self: the sender's seat. */
enum profile_action capability_email(
        const struct room_view *room, const struct seat *self, struct str sent, struct str *value);
enum profile_action capability_avatar(
        const struct room_view *room, const struct seat *self, struct str sent, struct str *value);
/* https:, at most 2048 bytes, no user part, no white space or control characters. */
bool capability_url_ok(struct str url);
/* The token's address or picture, for the room's index (token_email, token_avatar); absent: none
 * usable. */
struct str capability_token_email(const struct claims *claims);
/* Appends what clients make a picture of: the address without white space around it, in lower case
 * (Unicode's). Equal keys are equal pictures. A NOMEM shows as out->failed. */
void capability_email_key(struct str email, struct buf *out);
struct str capability_token_avatar(const struct claims *claims);
