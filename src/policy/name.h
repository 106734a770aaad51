/* name.h - display names: cleaned, frozen or free, marked when they imitate (roles.md 4). pure */
#pragma once
#include "base/buf.h"
#include "policy/settings.h"
#include "policy/view.h"

enum { NAME_BYTES = 3 * NAME_UNITS_MAX }; /* a UTF-16 unit takes at most three bytes of UTF-8 */

struct name {
	bool present; /* false: no nick element at all */
	uint16_t n;
	char text[NAME_BYTES];
};
static inline struct str name_str(const struct name *n)
{
	return n->present ? str_from(n->text, n->n) : STR_NONE;
}

/* Cleans a token name or a typed name (4.3), cut at max_units UTF-16 units (at most
 * NAME_UNITS_MAX). ERR_OK; ERR_BADMSG: nothing usable is left (or invalid UTF-8), *out is absent
 * then; ERR_NOMEM. *changed (may be NULL): the result differs from raw. */
int name_clean(struct str raw, unsigned max_units, struct name *out, bool *changed);

/* What a name looks like (4.4): two names that may be mistaken for each other have equal skeletons.
 * An empty one never clashes. Fixed size, so that it can be a map's key; what is longer is kept as
 * a digest. */
struct name_skeleton {
	uint16_t n;
	char text[254];
};
int name_skeleton(struct str name,
        struct name_skeleton *out); /* ERR_OK, ERR_BADMSG (invalid UTF-8), ERR_NOMEM */
static inline struct str name_skeleton_str(const struct name_skeleton *k)
{
	return str_from(k->text, k->n);
}

/* base + suffix, the base shortened so that the whole stays within max_units. */
int name_mark(struct str base, struct str suffix, unsigned max_units, struct name *out);

/* What the token says about names, before anything typed. */
struct token_name {
	struct name name;  /* usable and cleaned, or absent */
	struct str raw;    /* the claim as it is, when it is a string; borrowed from claims */
	struct str path;   /* entry of name_paths it was found at, absent: none */
	bool frozen;       /* others see this name (or none), whatever is typed */
	unsigned warnings; /* W_NAME_CHANGED, W_NAME_UNUSABLE */
};
/* claims NULL (guest): nothing. features_ignored: W_TENANT_MISMATCH (1.4 sub). ERR_OK or ERR_NOMEM.
 */
int name_of_token(const struct policy_settings *s, const struct claims *claims,
        bool features_ignored, struct token_name *out);

struct name_request {
	const struct policy_settings *settings;
	const struct room_view *room;
	const struct claims
	        *claims; /* NULL: no token, or (a guest or not) one that is not at hand */
	bool guest;      /* decides which suffix marks him */
	bool features_ignored;
	struct str typed;        /* absent: no <nick/> */
	const struct seat *self; /* own seat, which never clashes with itself; NULL: newcomer */
	bool keep_seat_name;     /* resume (c): a name typed before stands where none comes */
};
struct name_outcome {
	struct name name; /* what others see */
	bool frozen;      /* not editable, and stays */
	bool marked;      /* a suffix was added */
	unsigned warnings;
	struct token_name token;
};
/* The one place that decides a name (4.1, 4.4). ERR_OK or ERR_NOMEM. */
int name_decide(const struct name_request *r, struct name_outcome *out);
