/* absence.c - occupants whose connection is lost for a while, and their return, perhaps with
 * another token (roles.md 3.7 Resume). pure */
#include "base/log.h"
#include "base/mem.h"
#include "room/model.h"

static void log_occupant(const struct occupant *o, const char *event, enum reason reason)
{
	struct room_service *s = o->room->service;
	if (room_service_may_log(s))
		log_info("room=%s occupant=%s session=%.8s event=%s because=%s affiliation=%s "
		         "role=%s source=%s",
		        log_value(o->room->node), o->nick, o->key, event,
		        reason == R_NONE ? "lost" : reason_name(reason),
		        affiliation_name(o->seat.affiliation), role_name(o->seat.role),
		        source_name(o->seat.source));
}

void room_service_away(struct room_service *s, struct session_handle h)
{
	struct attendee *a = service_attendee(s, h);
	if (!a)
		return;
	LIST_EACH(it, &a->occupants)
	{
		struct occupant *o = LIST_OWNER(it, struct occupant, in_attendee);
		occupant_set_state(o, SEAT_HIBERNATING);
		record_add(o, "hibernate", R_NONE, NULL);
		log_occupant(o, "hibernate", R_NONE);
	}
}

static bool is_over(const struct room_service *s, const struct claims *c)
{
	return c && c->has_exp && service_unix(s) >= c->exp + s->settings.policy->leeway;
}

static enum resume_answer decide(struct occupant *o, struct str key, const struct claims *claims,
        bool same_token, struct verdict *v)
{
	const struct room_service *s = o->room->service;
	struct room_view view;
	room_view_make(s, o->room, o->room->node, &view);
	const struct resume_request r = {.settings = s->settings.policy,
	        .room = &view,
	        .now = (int64_t)service_unix(s),
	        .seat = &o->seat,
	        .old_claims = o->claims,
	        .same_token = same_token,
	        .expired = same_token && is_over(s, o->claims),
	        .claims = same_token ? NULL : claims,
	        .session = key,
	        .nick = STR_NONE};
	return policy_resume(&r, v);
}

enum room_resume room_service_may_resume(struct room_service *s, struct session_handle h,
        struct str key, const struct claims *claims)
{
	const struct attendee *a = service_attendee(s, h);
	enum room_resume answer = ROOM_NO_SEAT;
	struct verdict v;
	if (!a)
		return answer;
	LIST_EACH(it, &a->occupants)
	{
		struct occupant *o = LIST_OWNER(it, struct occupant, in_attendee);
		if (o->seat.service || decide(o, key, claims, false, &v) != RESUME_NEW_TOKEN)
			return ROOM_RESUME_REFUSED;
		answer = ROOM_RESUME_HONOURED;
	}
	return answer;
}

bool room_service_may_knock(struct room_service *s, struct str room_jid_text, struct str key,
        const struct claims *claims, const struct claims *old_claims)
{
	struct jid jid = jid_view(room_jid_text);
	struct room_view view;
	struct verdict v;
	room_view_make(s, room_find(s, jid.bare), jid.node, &view);
	const struct resume_request r = {.settings = s->settings.policy,
	        .room = &view,
	        .now = (int64_t)service_unix(s),
	        .old_claims = old_claims,
	        .claims = claims,
	        .session = key,
	        .nick = STR_NONE};
	return policy_resume(&r, &v) == RESUME_NEW_TOKEN;
}

/* False: no memory; the occupant is whole, but not all of the new token is in it. */
static bool take_claims(struct occupant *o, struct claims *claims)
{
	struct claims *old = o->claims;
	o->seat.claims = o->claims = claims_ref(claims);
	o->seat.guest = false;
	o->seat.identity = claims->identity;
	o->seat.own_features = NULL; /* the verdict's, in a moment */
	claims_unref(old);
	mem_free(o->identity);
	o->identity = NULL;
	timer_stop(&o->expiry);
	o->leaving = false;
	return occupant_index_again(o) && entry_make_identity(o);
}

static void end_stream(struct occupant *o, const char *condition, const char *text)
{
	struct room_service *s = o->room->service;
	s->outbox->close(s->outbox->arg, o->handle, condition, str_c(text));
}

static void come_back(struct occupant *o, const struct room_client *c, bool same_token)
{
	struct room *r = o->room;
	struct room_service *s = r->service;
	struct verdict v;
	bool was_moderator = seat_is_moderator(&o->seat);
	occupant_set_state(o, SEAT_LIVE);
	if (o->seat.service) {
		record_add(o, "resume", R_NONE, NULL);
		return;
	}
	enum resume_answer answer = decide(o, c->key, c->claims, same_token, &v);
	if (answer != RESUME_SAME && answer != RESUME_NEW_TOKEN) {
		/* it was allowed a moment ago: banned, or run out meanwhile */
		record_add(o, "resume", v.reason, NULL);
		log_occupant(o, "resume", v.reason);
		end_stream(o, "not-authorized", v.text ? v.text : "Not any more");
		return;
	}
	bool anew = answer == RESUME_NEW_TOKEN;
	if ((anew && !take_claims(o, c->claims)) || !occupant_apply(o, &v)) {
		service_no_memory(s, "resume");
		end_stream(o, "resource-constraint", "");
		return;
	}
	if (anew)
		expiry_start(o);
	s->counters.elections += v.reason == R_ELECTED;
	record_add(o, "resume", v.reason, NULL);
	log_occupant(o, "resume", v.reason);
	if (anew || v.changed)
		presence_publish(o, anew || was_moderator != seat_is_moderator(&o->seat), NULL);
	departure_consequences(r, &v, &o->seat, NULL);
	if (anew && v.name_overruled)
		presence_notice(o);
}

void room_service_back(struct room_service *s, const struct room_client *c, bool same_token)
{
	struct attendee *a = service_attendee(s, c->handle);
	if (!a)
		return;
	LIST_EACH_SAFE(it, &a->occupants)
	come_back(LIST_OWNER(it, struct occupant, in_attendee), c, same_token);
}
