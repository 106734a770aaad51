/* resume.c - a stream resumed: with the same token, with a new one, or not at all (roles.md 3.7).
 * pure */
#include "policy/gates.h"

/* The rule of the last moderator found nobody then; now somebody eligible is back. */
static void elect_resumer(const struct resume_request *r, const struct seat *as, struct verdict *v)
{
	const struct policy_settings *s = r->settings;
	if (v->role == ROLE_MODERATOR || s->on_last_moderator_left != ON_LAST_ELECT ||
	        s->role_mode == ROLE_MODE_NONE)
		return;
	if (!r->room->had_moderator || r->room->moderators > (seat_is_moderator(r->seat) ? 1 : 0))
		return;
	if (!role_eligible(s, as))
		return;
	verdict_set(v, AFFILIATION_OWNER, ROLE_MODERATOR, SOURCE_MODE);
	v->reason = R_ELECTED;
	v->elected = r->seat;
}

/* (a), (b) */
static enum resume_answer resume_same(const struct resume_request *r, struct verdict *v)
{
	const struct seat *seat = r->seat;
	bool expired = r->expired || (seat && seat->expired);

	v->accepted = true;
	v->reason = R_RESUMED;
	v->trace.rule = 3;
	if (seat)
		verdict_keep(v, seat);
	if (expired && r->settings->on_expiry == ON_EXPIRY_DISCONNECT) {
		verdict_refuse(v, E_EXP);
		return RESUME_REFUSED;
	}
	if (!seat)
		return RESUME_SAME;
	v->expired = expired;
	if (expired && r->settings->on_expiry == ON_EXPIRY_DEMOTE) {
		v->reason = R_EXPIRED_DEMOTED;
		if (seat->source == SOURCE_TOKEN || seat->source == SOURCE_MODE) {
			verdict_set(v, AFFILIATION_MEMBER, ROLE_PARTICIPANT, SOURCE_NONE);
			verdict_succeed(v, r->settings, r->room, seat);
		}
	}
	struct seat as = *seat;
	as.expired = expired;
	elect_resumer(r, &as, v);
	verdict_note_change(v, seat);
	return RESUME_SAME;
}

/* (c): covers the room, tenant included, and names the same person if the session had a name. */
static bool honours(
        const struct resume_request *r, const struct join_request *join, const struct match *m)
{
	const struct identity *old = r->seat ? &r->seat->identity : NULL;
	if (!old && r->old_claims)
		old = &r->old_claims->identity;
	if (m->refusal != R_NONE || m->nomem || m->warnings || gates_token_expired(join))
		return false;
	return !old || !old->present || identity_eq(old, &r->claims->identity);
}

/* A runtime grant survives a new decision that makes no moderator, unless the new token says no. */
static bool grant_survives(const struct resume_request *r, const struct verdict *v)
{
	return v->role != ROLE_MODERATOR && seat_is_moderator(r->seat) &&
	       r->seat->source == SOURCE_GRANTED && v->trace.claims.effective != CLAIM_DENY;
}

static void decide_anew(const struct resume_request *r, struct gates *g)
{
	struct verdict *v = g->v;
	const struct seat *seat = r->seat;

	if (!gates_role(g, seat) || !gates_name(g, seat, true))
		return;
	v->accepted = true;
	v->revoked = seat->revoked;
	if (grant_survives(r, v)) {
		verdict_set(v, AFFILIATION_OWNER, ROLE_MODERATOR, SOURCE_GRANTED);
		v->reason = R_GRANTED;
		if (!v->own_features) {
			v->lent = seat->lent;
			v->lent_features = seat->lent_features;
		}
	}
	struct seat as = {.denied = v->denied, .visitor = v->visitor, .revoked = v->revoked};
	elect_resumer(r, &as, v);
	verdict_note_change(v, seat);
}

enum resume_answer policy_resume(const struct resume_request *r, struct verdict *v)
{
	struct join_request join = {
	        .settings = r->settings,
	        .room = r->room,
	        .now = r->now,
	        .claims = r->claims,
	        .session = r->session,
	        .nick = r->nick,
	        .requested = true,
	};
	struct gates g = {.r = &join, .v = v};

	verdict_begin(v);
	if (r->same_token)
		return resume_same(r, v);
	if (!r->claims)
		return RESUME_IGNORED;
	match_token(r->settings, r->claims, r->room, &g.match);
	if (!honours(r, &join, &g.match))
		return RESUME_IGNORED;
	v->trace.rule = 3;
	if (!gate_person(&g))
		return RESUME_REFUSED;
	if (r->seat)
		decide_anew(r, &g);
	else
		v->accepted = true; /* a login from the lobby: the stream stays, and he asks to join
		                       again */
	if (!v->accepted)
		return RESUME_REFUSED;
	if (v->reason == R_NONE)
		v->reason = R_RESUMED;
	return RESUME_NEW_TOKEN;
}
