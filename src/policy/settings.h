/* settings.h - what the policy is told by the configuration: roles.md 1.5 (its part), 3.2, 3.3.1
 * and 4.1. pure
 *
 * Every field is one key of the configuration, by the same name. Strings and lists are borrowed:
 * the configuration that filled the struct owns them and outlives it. Immutable once filled; any
 * thread may read it.
 *
 * Every enum's first word is the default (its value 0); policy_settings_init sets all defaults.
 * Defaults that depend on another key (auth=none, role_mode=first-user, profile=jitsi) are worked
 * out by the configuration, not here. */
#pragma once
#include <stdint.h>
#include "base/str.h"

enum auth { AUTH_JWT, AUTH_NONE };
enum role_mode {
	ROLE_MODE_TOKEN,
	ROLE_MODE_FIRST_USER,
	ROLE_MODE_AUTHENTICATED,
	ROLE_MODE_EVERYONE,
	ROLE_MODE_NONE
};
enum claim_coercion { CLAIM_COERCION_STRICT, CLAIM_COERCION_LENIENT };
enum claim_conflict { CLAIM_CONFLICT_DENY, CLAIM_CONFLICT_GRANT };
enum claim_rules_else { CLAIM_RULES_ELSE_SILENT, CLAIM_RULES_ELSE_DENY };
enum room_create { ROOM_CREATE_AUTHENTICATED, ROOM_CREATE_MODERATORS, ROOM_CREATE_ANYONE };
enum before_host { BEFORE_HOST_REFUSE, BEFORE_HOST_LOBBY };
enum lobby_bypass { LOBBY_BYPASS_UNATTENDED, LOBBY_BYPASS_MODERATORS, LOBBY_BYPASS_NEVER };
enum password_bypass { PASSWORD_BYPASS_NEVER, PASSWORD_BYPASS_MODERATORS };
enum runtime_grant { RUNTIME_GRANT_ALLOW, RUNTIME_GRANT_NOT_DENIED, RUNTIME_GRANT_NEVER };
enum on_last_moderator_left { ON_LAST_KEEP, ON_LAST_ELECT, ON_LAST_END };
enum on_expiry { ON_EXPIRY_KEEP, ON_EXPIRY_DEMOTE, ON_EXPIRY_DISCONNECT };
enum outcast_claim { OUTCAST_CLAIM_REFUSE, OUTCAST_CLAIM_MEMBER };
enum name_mode { NAME_MODE_FROZEN, NAME_MODE_PER_CLAIM, NAME_MODE_FREE };
enum guest_clash { GUEST_CLASH_SUFFIX, GUEST_CLASH_ALWAYS, GUEST_CLASH_ALLOW };

enum {
	CLAIM_PATHS_MAX =
	        8, /* entries of claim_paths and name_paths; the configuration refuses more */
	CLAIM_RULES_MAX = 64, /* roles.md 3.3.1 */
	CLAIM_STEPS_MAX = 8,  /* names in one path, also of claim_paths and name_paths */
	NAME_UNITS_MAX = 256, /* largest name_max, in UTF-16 units */
};

struct str_list {
	const struct str *v;
	size_t n;
};

/* roles.md 3.3.1 */
enum claim_op { CLAIM_OP_IS, CLAIM_OP_HAS };
struct claim_constant {
	bool is_bool; /* only with `is` */
	bool boolean;
	struct str text; /* not empty unless is_bool */
};
struct claim_rule {
	struct str_list path; /* 1..CLAIM_STEPS_MAX member names */
	enum claim_op op;
	const struct claim_constant *values;
	size_t n_values; /* at least 1 */
	bool grant;      /* `then`: grant, else deny */
	struct str text; /* how the file wrote path and value, for explain: `groups has "/staff"
	                    then grant` */
};

struct policy_settings {
	/* 1.5 */
	bool require_room, room_wildcard;
	bool domain_verification;
	struct str domain, public_host; /* absent when not known */
	unsigned leeway;                /* seconds; the same key fills token_settings */

	/* 3.2 */
	enum auth auth;
	enum role_mode role_mode;
	struct str_list claim_paths; /* "$" = top level, else dotted names */
	enum claim_coercion claim_coercion;
	enum claim_conflict claim_conflict;
	const struct claim_rule *claim_rules;
	size_t n_claim_rules;
	enum claim_rules_else claim_rules_else;
	bool honour_deny;
	bool allow_guests;
	enum room_create room_create;
	enum before_host before_host;
	enum lobby_bypass lobby_bypass;
	enum password_bypass password_bypass;
	bool bypass_claims;
	enum runtime_grant runtime_grant;
	enum on_last_moderator_left on_last_moderator_left;
	unsigned end_after; /* seconds */
	enum on_expiry on_expiry;
	unsigned max_occupants; /* 0: no bound */
	enum outcast_claim outcast_claim;
	struct str_list allowner_issuers, moderated_rooms, moderated_tenants; /* section 5 */
	bool lobby_autostart; /* for the room: the policy does not read it */

	/* 4.1 */
	enum name_mode name_mode;
	struct str_list name_paths;
	unsigned name_max; /* UTF-16 units, 1..NAME_UNITS_MAX */
	enum guest_clash guest_clash;
	struct str clash_suffix, clash_suffix_user;
	struct str_list identity_fields;
};

void policy_settings_init(struct policy_settings *s);

/* The word of a value as the configuration writes it, for explain: "first-user". */
const char *role_mode_word(enum role_mode m);
const char *room_create_word(enum room_create v);
const char *lobby_bypass_word(enum lobby_bypass v);
const char *runtime_grant_word(enum runtime_grant v);
const char *on_last_moderator_left_word(enum on_last_moderator_left v);
const char *on_expiry_word(enum on_expiry v);
const char *name_mode_word(enum name_mode v);
