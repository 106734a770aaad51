/* occupant.c - one session's place in a room, and the sums that a room keeps over them. pure */
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "policy/capability.h"
#include "policy/name.h"
#include "room/model.h"

static struct attendee *take_attendee(struct room_service *s, struct session_handle h)
{
	struct attendee *a = service_attendee(s, h);
	if (a)
		return a;
	a = mem_zalloc(sizeof *a);
	if (!a)
		return NULL;
	a->handle = h;
	list_init(&a->occupants);
	if (!map_put(&s->attendees, str_from((const char *)&a->handle, sizeof a->handle), a)) {
		mem_free(a);
		return NULL;
	}
	return a;
}

static void drop_attendee(struct room_service *s, struct attendee *a)
{
	if (!a || a->n > 0)
		return;
	map_remove(&s->attendees, str_from((const char *)&a->handle, sizeof a->handle));
	mem_free(a);
}

struct occupant *occupant_new(struct room *r, const struct room_client *c, struct str nick)
{
	struct occupant *o = mem_zalloc(sizeof *o);
	if (!o)
		return NULL;
	o->room = r;
	o->handle = c->handle;
	o->seat.affiliation = AFFILIATION_NONE;
	o->seat.role = ROLE_NONE;
	o->seat.claims = o->claims = c->claims ? claims_ref(c->claims) : NULL;
	o->seat.guest = c->claims == NULL;
	o->seat.service = c->service != SERVICE_NONE;
	if (c->claims)
		o->seat.identity = c->claims->identity;
	list_init(&o->in_room);
	list_init(&o->in_attendee);
	o->jid = mem_strndup(c->jid.p, c->jid.n);
	o->nick = mem_strndup(nick.p, nick.n);
	o->key = mem_strndup(c->key.p ? c->key.p : "", c->key.n);
	if (c->region.n)
		o->region = mem_strndup(c->region.p, c->region.n);
	o->attendee = take_attendee(r->service, c->handle);
	bool shared = r->service->settings.openers && !o->seat.service;
	if (shared)
		o->inside = openers_enter(r->service->openers, c->key);
	if ((shared && !o->inside) || !o->jid || !o->nick || !o->key || !o->attendee ||
	        (c->region.n && !o->region) || !map_put(&r->nicks, str_c(o->nick), o)) {
		occupant_free(o);
		return NULL;
	}
	list_append(o->seat.service ? &r->services : &r->occupants, &o->in_room);
	list_append(&o->attendee->occupants, &o->in_attendee);
	o->attendee->n++;
	if (o->seat.service)
		return o; /* counted nowhere, and nobody's namesake */
	o->seat.joined = ++r->next_joined;
	r->n++;
	r->service->counters.occupants++;
	if (!occupant_index(o)) {
		occupant_free(o);
		return NULL;
	}
	return o;
}

static bool is_seated(const struct occupant *o)
{
	return list_linked(&o->in_room);
}

void occupant_free(struct occupant *o)
{
	struct room *r = o->room;
	occupant_unindex(o);
	timer_stop(&o->expiry);
	timer_stop(&o->announce);
	openers_leave(r->service->openers, &o->inside);
	bool is_seated_human = is_seated(o) && !o->seat.service;
	if (is_seated(o)) {
		list_remove(&o->in_room);
		list_remove(&o->in_attendee);
		o->attendee->n--;
		map_remove(&r->nicks, str_c(o->nick));
	}
	if (is_seated_human) {
		r->n--;
		occupant_set_state(o, SEAT_LIVE);
		r->moderators -= seat_is_moderator(&o->seat);
		r->service->counters.occupants--;
	}
	drop_attendee(r->service, o->attendee);
	record_free(o->record);
	block_unref(o->presence.tail);
	claims_unref(o->lent_claims);
	claims_unref(o->claims);
	mem_free(o->jid);
	mem_free(o->nick);
	mem_free(o->key);
	mem_free(o->name);
	mem_free(o->email);
	mem_free(o->avatar);
	mem_free(o->region);
	mem_free(o->identity);
	mem_free(o);
}

/* Puts the occupant into the group of its name's skeleton. Marked names and empty skeletons stand
 * in none.
 */
static bool index_name(struct occupant *o, struct str name, bool frozen, bool marked)
{
	struct map *m = &o->room->names;
	struct name_skeleton k = {0};
	if (!str_absent(name) && !marked && name_skeleton(name, &k) == ERR_NOMEM)
		return false;
	if (k.n == 0) {
		group_remove(m, &o->same_name, &o->name_link);
		return true;
	}
	return group_move(m, &o->same_name, &o->name_link, name_skeleton_str(&k), frozen);
}

bool occupant_set_name(struct occupant *o, struct str name, bool frozen, bool marked)
{
	char *copy = NULL;
	if (!str_absent(name) && !(copy = mem_strndup(name.p, name.n)))
		return false;
	if (!index_name(o, name, frozen, marked)) {
		mem_free(copy);
		return false;
	}
	mem_free(o->name);
	o->name = copy;
	o->seat.name = copy ? str_from(copy, name.n) : STR_NONE;
	o->seat.name_frozen = frozen;
	o->seat.name_marked = marked;
	return true;
}

/* Keeps the sums of the room after the seat's role has changed. */
static void count_role(struct occupant *o, bool was_moderator)
{
	struct room *r = o->room;
	bool is_moderator = seat_is_moderator(&o->seat);
	if (o->seat.service)
		return;
	r->moderators += is_moderator;
	r->moderators -= was_moderator;
	if (o->seat.state == SEAT_HIBERNATING) {
		r->moderators_away += is_moderator;
		r->moderators_away -= was_moderator;
	}
	if (is_moderator) {
		r->had_moderator = true;
		departure_moderator_returned(r);
	}
}

void occupant_set_state(struct occupant *o, enum seat_state state)
{
	bool was = o->seat.state == SEAT_HIBERNATING, is = state == SEAT_HIBERNATING;
	o->seat.state = state;
	if (o->seat.service || !seat_is_moderator(&o->seat))
		return;
	o->room->moderators_away += is;
	o->room->moderators_away -= was;
}

void occupant_set_role(struct occupant *o, enum affiliation a, enum role role, enum source source)
{
	bool was = seat_is_moderator(&o->seat);
	o->seat.affiliation = a;
	o->seat.role = role;
	o->seat.source = source;
	count_role(o, was);
}

bool occupant_apply(struct occupant *o, const struct verdict *v)
{
	if (v->has_name && !o->seat.service &&
	        !occupant_set_name(o, name_str(&v->name), v->name_frozen, v->name_marked))
		return false;
	bool was = seat_is_moderator(&o->seat);
	seat_apply(&o->seat, v);
	count_role(o, was);
	if (!o->seat.lent)
		occupant_keep_lender(o, NULL);
	return true;
}

void occupant_keep_lender(struct occupant *o, struct claims *lender)
{
	struct claims *old = o->lent_claims;
	o->lent_claims = lender ? claims_ref(lender) : NULL;
	claims_unref(old);
}
