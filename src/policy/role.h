/* role.h - who is moderator: the precedence of roles.md 3.4 and the elections of 3.7. pure
 *
 *   token --claim.h--> yes, no, silent --rules 5 to 8--> affiliation, role, source, reason
 *
 * A verified token decides; the mode only fills the gap that a silent token (or none) leaves. */
#pragma once
#include "policy/claim.h"
#include "policy/view.h"

struct role_request {
	const struct policy_settings *settings;
	const struct room_view *room;
	const struct claims *claims;         /* NULL: no token */
	const struct claim_reading *reading; /* what the claims say; NULL exactly when claims is */
	const struct seat
	        *self; /* resume: not counted for R_FIRST, but for R_SAME_IDENTITY; or NULL */
	struct str token_name; /* the token's name, cleaned; absent: none (W_SHARED_ID) */
};
struct role_outcome {
	enum affiliation affiliation;
	enum role role;
	enum source source;
	enum reason reason;
	unsigned rule;     /* number in 3.4 */
	unsigned warnings; /* W_SHARED_ID */
	bool eligible;
};
/* Rules 5 to 8 of 3.4. */
void role_decide(const struct role_request *r, struct role_outcome *out);
/* Rule 8 alone: the answer had the token been silent. */
void role_by_mode(const struct role_request *r, struct role_outcome *out);

/* The mode in force in this room: `everyone` is `authenticated` in moderated rooms and tenants
 * (section 5). */
enum role_mode role_mode_here(const struct policy_settings *s, const struct room_view *room);
/* Is the room in moderated_rooms (without a tenant), or its tenant in moderated_tenants. */
bool role_moderated_room(const struct policy_settings *s, const struct room_view *room);

/* May this seat become moderator by the mode: human, not denied, no visitor, not expired, not
 * stepped down or revoked, and with a token unless auth=none. */
bool role_eligible(const struct policy_settings *s, const struct seat *seat);

/* The rule of the last moderator (3.7), to be asked when `gone` stops being one (leaves, is kicked
 * or banned, steps down, expires). Says what happens: nobody (false, NULL), somebody elected, or
 * the end. Walks the room. */
struct succession {
	const struct seat *elected;
	bool end_room;
};
void role_succession(const struct policy_settings *s, const struct room_view *room,
        const struct seat *gone, struct succession *out);
