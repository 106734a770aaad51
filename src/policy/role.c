/* role.c - the precedence of roles.md 3.4, rules 5 to 8, and who follows the last moderator (3.7).
 * pure */
#include "policy/role.h"

#include "base/buf.h"
#include "base/err.h"
#include "policy/match.h"
#include "policy/name.h"

bool role_moderated_room(const struct policy_settings *s, const struct room_view *room)
{
	struct str node = room->breakout ? room->main_node : room->node;

	if (room->tenant.n) {
		for (size_t i = 0; i < s->moderated_tenants.n; i++) {
			if (tenant_eq(s->moderated_tenants.v[i], room->tenant))
				return true;
		}
		return false;
	}
	bool found = false;
	for (size_t i = 0; i < s->moderated_rooms.n && !found; i++) {
		struct buf canonical;
		buf_init(&canonical, 0);
		/* No memory: counting the room as moderated promotes fewer people. */
		int err = room_canonical(s->moderated_rooms.v[i], &canonical);
		found = err == ERR_NOMEM || (!err && str_eq(buf_view(&canonical), node));
		buf_done(&canonical);
	}
	return found;
}

enum role_mode role_mode_here(const struct policy_settings *s, const struct room_view *room)
{
	if (s->role_mode == ROLE_MODE_EVERYONE && role_moderated_room(s, room))
		return ROLE_MODE_AUTHENTICATED;
	return s->role_mode;
}

bool role_eligible(const struct policy_settings *s, const struct seat *seat)
{
	return !seat->service && !(seat->denied && s->honour_deny) && !seat->visitor &&
	       !seat->expired && !seat->revoked && (!seat->guest || s->auth == AUTH_NONE);
}

/* The seat that the newcomer would get, as far as eligibility goes. */
static bool eligible_newcomer(const struct role_request *r)
{
	struct seat seat = {
	        .guest = !r->claims,
	        .denied = r->reading && r->reading->result == CLAIM_DENY,
	        .visitor = r->reading && r->reading->visitor,
	        .revoked = r->self && r->self->revoked,
	};
	return role_eligible(r->settings, &seat);
}

static void owner(struct role_outcome *out, enum source source, enum reason reason)
{
	out->affiliation = AFFILIATION_OWNER;
	out->role = ROLE_MODERATOR;
	out->source = source;
	out->reason = reason;
}

static void participant(const struct role_request *r, struct role_outcome *out, enum reason reason)
{
	out->affiliation = r->claims ? AFFILIATION_MEMBER : AFFILIATION_NONE;
	out->role = ROLE_PARTICIPANT;
	out->source = SOURCE_NONE;
	out->reason = reason;
}

/* Moderators in the meeting, the asker's own seat not counted. */
static unsigned other_moderators(const struct role_request *r)
{
	unsigned n = r->room->moderators;
	return r->self && seat_is_moderator(r->self) && n ? n - 1 : n;
}

static bool is_first(const struct role_request *r, bool eligible)
{
	if (!eligible || other_moderators(r))
		return false;
	return r->settings->on_last_moderator_left != ON_LAST_KEEP || !r->room->had_moderator;
}

/* The same verified person in another seat, a moderator by mode. Two tokens with one id and
 * different names are two people who share it: W_SHARED_ID. */
static bool same_identity(const struct role_request *r, unsigned *warnings)
{
	const struct seat *other = NULL;
	bool shared = false;

	if (!r->claims || !r->claims->identity.present)
		return false;
	while ((other = r->room->lookups->mode_moderator(
	                r->room->room, &r->claims->identity, other))) {
		struct token_name theirs = {.frozen = false};
		struct str name = other->name_frozen ? other->name : STR_NONE;
		if (!other->name_frozen && other->claims &&
		        name_of_token(r->settings, other->claims, false, &theirs) == 0)
			name = name_str(&theirs.name);
		if (!name.n || !r->token_name.n || str_eq(name, r->token_name))
			return true;
		shared = true;
	}
	if (shared)
		*warnings |= W_SHARED_ID;
	return false;
}

static void by_first_user(const struct role_request *r, struct role_outcome *out)
{
	if (!r->claims && r->settings->auth != AUTH_NONE)
		participant(r, out, R_GUEST);
	else if (is_first(r, out->eligible))
		owner(out, SOURCE_MODE, R_FIRST);
	else if (same_identity(r, &out->warnings))
		owner(out, SOURCE_MODE, R_SAME_IDENTITY);
	else
		participant(r, out, R_NOT_FIRST);
}

void role_by_mode(const struct role_request *r, struct role_outcome *out)
{
	*out = (struct role_outcome){.rule = 8, .eligible = eligible_newcomer(r)};
	switch (role_mode_here(r->settings, r->room)) {
	case ROLE_MODE_TOKEN:
		participant(r, out, r->claims ? R_NO_CLAIM : R_GUEST);
		break;
	case ROLE_MODE_FIRST_USER:
		by_first_user(r, out);
		break;
	case ROLE_MODE_AUTHENTICATED:
		if (r->claims)
			owner(out, SOURCE_MODE, R_AUTHENTICATED);
		else
			participant(r, out, R_GUEST);
		break;
	case ROLE_MODE_EVERYONE:
		owner(out, SOURCE_MODE, R_EVERYONE);
		break;
	case ROLE_MODE_NONE:
		participant(r, out, R_MODE_NONE);
		out->rule = 5;
		break;
	}
}

void role_decide(const struct role_request *r, struct role_outcome *out)
{
	enum claim_class says = r->reading ? r->reading->effective : CLAIM_SILENT;

	*out = (struct role_outcome){.eligible = eligible_newcomer(r)};
	if (r->settings->role_mode == ROLE_MODE_NONE) {
		participant(r, out, R_MODE_NONE);
		out->rule = 5;
	} else if (says == CLAIM_DENY || says == CLAIM_OUTCAST) {
		participant(r, out, r->reading->conflict ? R_TOKEN_CONFLICT : R_TOKEN_DENY);
		out->rule = 6;
	} else if (says == CLAIM_GRANT) {
		owner(out, SOURCE_TOKEN, R_TOKEN_GRANT);
		out->rule = 7;
	} else {
		role_by_mode(r, out);
	}
}

/* The longest present eligible live occupant other than `gone`. */
static const struct seat *elect(
        const struct policy_settings *s, const struct room_view *room, const struct seat *gone)
{
	const struct seat *seat = NULL;
	while ((seat = room->lookups->next_joined(room->room, seat))) {
		if (seat != gone && seat->state == SEAT_LIVE && role_eligible(s, seat))
			return seat;
	}
	return NULL;
}

void role_succession(const struct policy_settings *s, const struct room_view *room,
        const struct seat *gone, struct succession *out)
{
	*out = (struct succession){.elected = NULL};
	if (!seat_is_moderator(gone) || room->moderators > 1)
		return;
	switch (s->on_last_moderator_left) {
	case ON_LAST_KEEP:
		break;
	case ON_LAST_ELECT:
		if (s->role_mode !=
		        ROLE_MODE_NONE) /* there, moderators come only from the admin API */
			out->elected = elect(s, room, gone);
		break;
	case ON_LAST_END:
		out->end_room = true;
		break;
	}
}
