/* stay.c - what happens to somebody inside: he leaves, his token expires, he renames, he edits the
 * room. pure */
#include "policy/decide.h"
#include "policy/role.h"

void policy_leave(const struct policy_settings *s, const struct room_view *room,
        const struct seat *seat, bool switch_room, struct verdict *v)
{
	verdict_begin(v);
	verdict_keep(v, seat);
	if (switch_room) /* on the way to a breakout room: still in the meeting */
		return;
	verdict_set(v, AFFILIATION_NONE, ROLE_NONE, SOURCE_NONE);
	verdict_note_change(v, seat);
	v->removed = true;
	verdict_succeed(v, s, room, seat);
}

void policy_expire(const struct policy_settings *s, const struct room_view *room,
        const struct seat *seat, struct verdict *v)
{
	verdict_begin(v);
	verdict_keep(v, seat);
	v->expired = true;
	v->reason = R_EXPIRED_KEPT;
	switch (s->on_expiry) {
	case ON_EXPIRY_KEEP:
		break;
	case ON_EXPIRY_DEMOTE:
		if (!seat_is_moderator(seat) || seat->source == SOURCE_GRANTED)
			break;
		verdict_set(v, AFFILIATION_MEMBER, ROLE_PARTICIPANT, SOURCE_NONE);
		v->reason = R_EXPIRED_DEMOTED;
		verdict_note_change(v, seat);
		verdict_succeed(v, s, room, seat);
		break;
	case ON_EXPIRY_DISCONNECT:
		verdict_refuse(v, E_EXP);
		break;
	}
}

static void keep_name(const struct seat *seat, struct verdict *v)
{
	v->name.present = seat->name.n && seat->name.n <= NAME_BYTES;
	v->name.n = v->name.present ? (uint16_t)seat->name.n : 0;
	if (v->name.present)
		memcpy(v->name.text, seat->name.p, seat->name.n);
	v->name_frozen = true;
	v->reason = R_NAME_FROZEN;
}

void policy_rename(const struct policy_settings *s, const struct room_view *room,
        const struct seat *seat, struct str typed, struct verdict *v)
{
	struct name_outcome name;

	verdict_begin(v);
	verdict_keep(v, seat);
	v->has_name = true;
	if (seat->name_frozen) {
		keep_name(seat, v);
	} else {
		struct name_request r = {
		        .settings = s,
		        .room = room,
		        .claims = seat->claims,
		        .guest = seat->guest,
		        .features_ignored =
		                true, /* whether a feature freezes was settled at the join */
		        .typed = typed,
		        .self = seat,
		};
		if (name_decide(&r, &name)) {
			verdict_nomem(v);
			return;
		}
		v->name = name.name;
		v->name_marked = name.marked;
		v->warnings = name.warnings & W_NAME_CLASH;
		v->reason = R_NAME_FREE;
	}
	v->name_editable = !v->name_frozen;
	v->trace.typed_differs = typed.n && !str_eq(typed, name_str(&v->name));
	v->name_overruled = v->trace.typed_differs && (v->name_frozen || v->name_marked);
}

void policy_config_change(const struct policy_settings *s, const struct seat *actor,
        bool names_people, struct verdict *v)
{
	verdict_begin(v);
	/* what a service writes about people is answered with success, and changes nothing */
	bool may = actor && (actor->service || (seat_is_moderator(actor) && !names_people));
	if (!may) {
		verdict_refuse(v, E_FORBIDDEN);
		return;
	}
	verdict_keep(v, actor);
	if (actor->service)
		v->reason = R_SERVICE;
	else if (s->auth == AUTH_JWT && actor->guest && actor->source != SOURCE_GRANTED)
		verdict_refuse(v, E_CONFIG);
}

enum affiliation policy_lobby_on(const struct seat *seat)
{
	return seat->affiliation == AFFILIATION_NONE ? AFFILIATION_MEMBER : seat->affiliation;
}

static void refuse_resource(struct verdict *v, enum reason reason, const char *text)
{
	verdict_refuse(v, reason);
	if (text)
		v->text = text;
}

void policy_resource(const struct resource_request *r, struct verdict *v)
{
	verdict_begin(v);
	if (!r->resource.n)
		refuse_resource(v, E_NICK, NULL);
	else if (r->current.n && !str_eq(r->current, r->resource))
		refuse_resource(v, E_NICK, "Nick changes are not allowed");
	else if (r->strict && !str_eq(r->resource, str_sub(r->session, 0, 8)))
		refuse_resource(v, E_NICK, NULL);
	else if (r->taken)
		refuse_resource(v, E_CONFLICT, NULL);
	else
		v->accepted = true;
}
