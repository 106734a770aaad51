/* verdict.c - verdicts begun and filled, and the changes of others that follow. pure */
#include "policy/verdict.h"

#include "base/err.h"
#include "policy/role.h"

void verdict_begin(struct verdict *v)
{
	/* The trace's tables are large and need no clearing: their counts do. */
	struct claim_reading *reading = &v->trace.claims;
	v->accepted = false;
	v->stage = STAGE_NONE;
	v->reason = R_NONE;
	v->type = v->condition = v->text = v->element = NULL;
	v->waiting_for_host = v->nomem = false;
	verdict_set(v, AFFILIATION_NONE, ROLE_NONE, SOURCE_NONE);
	v->denied = v->revoked = v->expired = v->visitor = v->changed = false;
	v->has_name = v->name_frozen = v->name_marked = v->name_editable = v->name_overruled =
	        false;
	v->name.present = false;
	v->name.n = 0;
	v->own_features = v->lent_features = NULL;
	v->lent = v->features_ignored = false;
	v->create = v->removed = v->banned = v->end_room = false;
	v->elected = NULL;
	v->warnings = 0;

	reading->n_facts = reading->n_rules = reading->warnings = 0;
	reading->rules_else = reading->conflict = reading->denied_by_misplaced =
	        reading->deny_ignored = false;
	reading->grant_filtered = reading->visitor = false;
	reading->result = reading->effective = CLAIM_SILENT;
	v->trace.has_claims = false;
	v->trace.rule = 0;
	v->trace.silent_reason = R_NONE;
	v->trace.silent_affiliation = AFFILIATION_NONE;
	v->trace.gates_passed = 0;
	v->trace.refused_by = GATE_COUNT;
	v->trace.lobby = v->trace.password = PASS_NOT_CLOSED;
	v->trace.covered_by_wildcard = v->trace.covered_by_regex = v->trace.tenant_suspect = false;
	v->trace.moderated_room = v->trace.eligible = v->trace.typed_differs = false;
	v->trace.token_name_raw = v->trace.token_name_path = STR_NONE;
}

void verdict_refuse(struct verdict *v, enum reason reason)
{
	const struct reason_info *info = reason_info(reason);
	v->accepted = false;
	v->reason = reason;
	v->stage = info->stage;
	v->type = info->type;
	v->condition = info->condition;
	v->text = info->text;
}

void verdict_nomem(struct verdict *v)
{
	verdict_refuse(v, E_RATE);
	v->nomem = true;
}

void verdict_keep(struct verdict *v, const struct seat *seat)
{
	v->accepted = true;
	verdict_set(v, seat->affiliation, seat->role, seat->source);
	v->denied = seat->denied;
	v->revoked = seat->revoked;
	v->expired = seat->expired;
	v->visitor = seat->visitor;
	v->own_features = seat->own_features;
	v->lent_features = seat->lent_features;
	v->lent = seat->lent;
}

void verdict_set(
        struct verdict *v, enum affiliation affiliation, enum role role, enum source source)
{
	v->affiliation = affiliation;
	v->role = role;
	v->source = source;
}

void verdict_note_change(struct verdict *v, const struct seat *before)
{
	v->changed = v->affiliation != before->affiliation || v->role != before->role ||
	             v->source != before->source;
}

void verdict_succeed(struct verdict *v, const struct policy_settings *s,
        const struct room_view *room, const struct seat *gone)
{
	struct succession next;
	role_succession(s, room, gone, &next);
	v->elected = next.elected;
	v->end_room = next.end_room;
}

static bool role_change(const struct verdict *v, const struct seat *subject, struct change *out)
{
	if (!v->elected ||
	        v->elected == subject) /* an elected resumer is the verdict's own subject */
		return false;
	*out = (struct change){
	        .seat = v->elected,
	        .affiliation = AFFILIATION_OWNER,
	        .role = ROLE_MODERATOR,
	        .source = SOURCE_MODE,
	        .reason = R_ELECTED,
	};
	return true;
}

/* Somebody whose own token has that very name keeps it. */
static int is_own_name(const struct policy_settings *s, const struct seat *seat, bool *yes)
{
	struct token_name own;
	int err = name_of_token(s, seat->claims, false, &own);
	*yes = !err && own.name.present && str_eq(name_str(&own.name), seat->name);
	return err;
}

static int mark_seat(const struct policy_settings *s, const struct seat *seat, struct change *out)
{
	out->seat = seat;
	out->is_name = true;
	out->name_marked = true;
	out->affiliation = seat->affiliation;
	out->role = seat->role;
	out->source = seat->source;
	out->reason = R_NONE;
	return name_mark(seat->name, seat->guest ? s->clash_suffix : s->clash_suffix_user,
	        s->name_max, &out->name);
}

/* A frozen name arrived: free names that look like it are marked now (4.4). */
static bool name_change(const struct verdict *v, const struct policy_settings *s,
        const struct room_view *room, const struct seat *subject, struct change_cursor *c,
        struct change *out)
{
	if (!v->has_name || !v->name_frozen || !v->name.present ||
	        s->guest_clash == GUEST_CLASH_ALLOW)
		return false;
	if (!c->begun) {
		c->begun = true;
		c->nomem = name_skeleton(name_str(&v->name), &c->skeleton) == ERR_NOMEM;
	}
	while (!c->nomem && c->skeleton.n &&
	        (c->last = room->lookups->free_name(room->room, &c->skeleton, c->last))) {
		bool own;
		if (c->last == subject)
			continue;
		c->nomem = is_own_name(s, c->last, &own) == ERR_NOMEM;
		if (c->nomem || own)
			continue;
		c->nomem = mark_seat(s, c->last, out) == ERR_NOMEM;
		return !c->nomem;
	}
	return false;
}

bool verdict_change_next(const struct verdict *v, const struct policy_settings *s,
        const struct room_view *room, const struct seat *subject, struct change_cursor *c,
        struct change *out)
{
	if (!v->accepted)
		return false;
	if (!c->role_done) {
		c->role_done = true;
		if (role_change(v, subject, out))
			return true;
	}
	return name_change(v, s, room, subject, c, out);
}
