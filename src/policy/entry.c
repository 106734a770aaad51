/* entry.c - login, conference request and join: the order in which gates and decisions follow. pure
 */
#include "policy/gates.h"

void policy_connect(const struct connect_request *r, struct verdict *v)
{
	verdict_begin(v);
	if (r->settings->auth == AUTH_NONE) {
		v->accepted = true;
	} else if (!r->present) {
		if (r->settings->allow_guests)
			v->accepted = true;
		else
			verdict_refuse(v, E_TOKEN_REQUIRED);
	} else if (reason_is_refusal(r->token)) {
		verdict_refuse(v, r->token); /* never turned into a guest */
	} else {
		v->accepted = true;
		v->warnings |= r->claims ? r->claims->warnings : 0;
	}
}

/* A service is a password login on a service domain, never a nick or a token. */
static void join_service(enum service service, struct verdict *v)
{
	v->accepted = true;
	v->reason = R_SERVICE;
	v->trace.rule = 1;
	if (service == SERVICE_FOCUS)
		verdict_set(v, AFFILIATION_OWNER, ROLE_MODERATOR, SOURCE_NONE);
	else
		verdict_set(v, AFFILIATION_NONE, ROLE_PARTICIPANT, SOURCE_NONE);
}

static bool begin(struct gates *g, const struct join_request *r, struct verdict *v)
{
	verdict_begin(v);
	g->r = r;
	g->v = v;
	g->role = (struct role_outcome){.rule = 0};
	if (!r->moving && gates_token_expired(r)) {
		verdict_refuse(v, E_EXP);
		return false;
	}
	return gate_room(g);
}

enum conference_answer policy_conference(const struct join_request *r, struct verdict *v)
{
	struct gates g;
	struct join_request asked = *r;
	asked.requested = true; /* this is the request */
	if (!begin(&g, &asked, v))
		return CONFERENCE_READY_ONLY;
	if (r->service) {
		join_service(r->service, v);
		return CONFERENCE_READY;
	}
	if (!gate_person(&g) || !gates_role(&g, NULL))
		return CONFERENCE_READY_ONLY;
	if (!gate_creation(&g))
		return v->stage == STAGE_CONFERENCE ? CONFERENCE_REFUSED : CONFERENCE_READY_ONLY;
	v->accepted = true;
	v->create = !r->room->exists;
	return CONFERENCE_READY;
}

/* Expiry of somebody who is inside follows on_expiry (3.10 Entering). false: refused. */
static bool expire_mover(struct gates *g)
{
	const struct seat *seat = g->r->moving;
	struct verdict *v = g->v;

	if (!seat->expired && !gates_token_expired(g->r))
		return true;
	v->expired = true;
	switch (g->r->settings->on_expiry) {
	case ON_EXPIRY_KEEP:
		break;
	case ON_EXPIRY_DEMOTE:
		if (seat->source == SOURCE_TOKEN || seat->source == SOURCE_MODE) {
			verdict_set(v, AFFILIATION_MEMBER, ROLE_PARTICIPANT, SOURCE_NONE);
			v->reason = R_EXPIRED_DEMOTED;
			verdict_succeed(v, g->r->settings, g->r->room, seat);
		}
		break;
	case ON_EXPIRY_DISCONNECT:
		verdict_refuse(v, E_EXP);
		return false;
	}
	return true;
}

/* To a breakout room or back: role, source and name travel along (rule 4). */
static void join_mover(struct gates *g)
{
	const struct seat *seat = g->r->moving;
	struct verdict *v = g->v;

	verdict_keep(v, seat);
	v->reason = R_INHERIT_MAIN;
	v->trace.rule = 4;
	if (!expire_mover(g))
		return;
	v->has_name = true;
	v->name.present = seat->name.n && seat->name.n <= NAME_BYTES;
	v->name.n = v->name.present ? (uint16_t)seat->name.n : 0;
	if (v->name.present)
		memcpy(v->name.text, seat->name.p, seat->name.n);
	v->name_frozen = seat->name_frozen;
	v->name_marked = seat->name_marked;
	v->name_editable = !seat->name_frozen;
	verdict_note_change(v, seat);
}

void policy_join(const struct join_request *r, struct verdict *v)
{
	struct gates g;
	if (!begin(&g, r, v))
		return;
	if (r->service) {
		join_service(r->service, v);
		return;
	}
	if (!gate_person(&g))
		return;
	if (r->moving) {
		v->trace.gates_passed |= 1u << GATE_BREAKOUT;
		join_mover(&g);
		return;
	}
	if (r->room->breakout) {
		verdict_refuse(v, E_BREAKOUT);
		v->trace.refused_by = GATE_BREAKOUT;
		return;
	}
	if (!gates_role(&g, NULL) || !gate_creation(&g) || !gate_capacity(&g) ||
	        !gates_name(&g, NULL, false) || !gate_lobby(&g) || !gate_password(&g))
		return;
	v->trace.gates_passed |= 1u << GATE_NAME;
	v->accepted = true;
	v->create = !r->room->exists;
}

void policy_refuse(enum reason reason, enum stage stage, struct verdict *v)
{
	verdict_begin(v);
	verdict_refuse(v, reason);
	if (stage != STAGE_NONE)
		v->stage = stage;
}
