/* item.c - roles changed by hand: grant, revoke, kick, ban (roles.md 3.7, muc#admin). pure */
#include "policy/capability.h"
#include "policy/decide.h"
#include "policy/role.h"

enum item_kind { ITEM_GRANT, ITEM_REVOKE, ITEM_KICK, ITEM_BAN, ITEM_ADMIN };

static enum item_kind kind_of(const struct item_request *r)
{
	if (r->has_affiliation) {
		switch (r->affiliation) {
		case AFFILIATION_OWNER:
			return ITEM_GRANT;
		case AFFILIATION_OUTCAST:
			return ITEM_BAN;
		case AFFILIATION_ADMIN:
			return ITEM_ADMIN;
		case AFFILIATION_NONE:
		case AFFILIATION_MEMBER:
			return ITEM_REVOKE;
		}
	}
	switch (r->role) {
	case ROLE_MODERATOR:
		return ITEM_GRANT;
	case ROLE_NONE:
		return ITEM_KICK;
	case ROLE_PARTICIPANT:
	case ROLE_VISITOR:
		break;
	}
	return ITEM_REVOKE;
}

/* Mode `everyone` protects everybody's role (deployed: every revoke is refused), outside moderated
 * rooms. */
static bool everyone_protects(const struct item_request *r, enum item_kind kind)
{
	return (kind == ITEM_REVOKE || kind == ITEM_BAN) && r->actor != r->target &&
	       r->target->source != SOURCE_GRANTED &&
	       role_mode_here(r->settings, r->room) == ROLE_MODE_EVERYONE;
}

/* Rank: token > mode > granted > none, and a token's moderator is never revoked by another. */
static bool outranked(const struct item_request *r, enum item_kind kind)
{
	if (r->actor == r->target)
		return false;
	if (r->target->source > r->actor->source)
		return true;
	return kind == ITEM_REVOKE && r->target->source == SOURCE_TOKEN;
}

static bool grant_is_off(const struct item_request *r)
{
	switch (r->settings->runtime_grant) {
	case RUNTIME_GRANT_ALLOW:
		return false;
	case RUNTIME_GRANT_NOT_DENIED:
		return r->target->denied;
	case RUNTIME_GRANT_NEVER:
		break;
	}
	return true;
}

/* An item about the state somebody has already. */
static bool asks_for_nothing(const struct item_request *r, enum item_kind kind)
{
	bool moderator = seat_is_moderator(r->target);
	return (kind == ITEM_GRANT && moderator) || (kind == ITEM_REVOKE && !moderator);
}

static enum reason check(const struct item_request *r, enum item_kind kind)
{
	if (!r->actor || !seat_is_moderator(r->actor) || kind == ITEM_ADMIN)
		return E_FORBIDDEN;
	if (!r->target)
		return E_NO_TARGET;
	if (r->target->service)
		return E_FORBIDDEN;
	if (asks_for_nothing(r, kind))
		return R_NONE;
	if (outranked(r, kind))
		return E_RANK;
	if (everyone_protects(r, kind))
		return E_FORBIDDEN;
	if (kind == ITEM_GRANT && grant_is_off(r))
		return E_GRANT_OFF;
	return R_NONE;
}

static void grant(const struct item_request *r, struct verdict *v)
{
	verdict_set(v, AFFILIATION_OWNER, ROLE_MODERATOR, SOURCE_GRANTED);
	v->reason = R_GRANTED;
	if (!v->own_features) { /* never more than the granter has */
		v->lent = true;
		v->lent_features = capability_effective(r->actor);
	}
}

static void revoke(const struct item_request *r, struct verdict *v)
{
	bool guest = r->target->guest && !r->room->lobby;
	verdict_set(
	        v, guest ? AFFILIATION_NONE : AFFILIATION_MEMBER, ROLE_PARTICIPANT, SOURCE_NONE);
	v->reason = R_REVOKED;
	v->revoked = true;
	v->lent = false;
	v->lent_features = NULL;
}

static void remove_target(struct verdict *v, bool ban)
{
	verdict_set(v, ban ? AFFILIATION_OUTCAST : AFFILIATION_NONE, ROLE_NONE, SOURCE_NONE);
	v->reason = ban ? R_BANNED : R_KICKED;
	v->removed = true;
	v->banned = ban;
	v->lent = false;
	v->lent_features = NULL;
}

static void apply(const struct item_request *r, enum item_kind kind, struct verdict *v)
{
	switch (kind) {
	case ITEM_GRANT:
		if (!seat_is_moderator(r->target))
			grant(r, v);
		break;
	case ITEM_REVOKE:
		if (seat_is_moderator(r->target))
			revoke(r, v);
		else if (r->has_affiliation && r->affiliation == AFFILIATION_MEMBER)
			v->affiliation = AFFILIATION_MEMBER;
		break;
	case ITEM_KICK:
	case ITEM_BAN:
		remove_target(v, kind == ITEM_BAN);
		break;
	case ITEM_ADMIN:
		break;
	}
}

/* What a service writes about a human's affiliation or role is answered with success and changes
 * nothing; it may kick. */
static bool by_service(const struct item_request *r, enum item_kind kind, struct verdict *v)
{
	if (!r->actor || !r->actor->service)
		return false;
	if (!r->target) {
		verdict_refuse(v, E_NO_TARGET);
		return true;
	}
	verdict_keep(v, r->target);
	v->reason = R_SERVICE;
	if (kind == ITEM_KICK && !r->target->service) {
		remove_target(v, false);
		verdict_note_change(v, r->target);
	}
	return true;
}

void policy_item(const struct item_request *r, struct verdict *v)
{
	enum item_kind kind = kind_of(r);

	verdict_begin(v);
	if (!by_service(r, kind, v)) {
		enum reason refusal = check(r, kind);
		if (refusal != R_NONE) {
			verdict_refuse(v, refusal);
			return;
		}
		verdict_keep(v, r->target);
		apply(r, kind, v);
		verdict_note_change(v, r->target);
	}
	if (v->accepted && v->role != ROLE_MODERATOR)
		verdict_succeed(v, r->settings, r->room, r->target);
}
