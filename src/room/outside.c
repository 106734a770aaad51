/* outside.c - services in rooms: how they come, and what they write about people. The focus outside
 * is one of them. pure
 *
 * A service sits in a room beside its people: in no sum, with no namesakes, and no rule about
 * moderators asks for it (R_SERVICE, roles.md 3.7). The focus opens rooms, and those who came
 * before it are let in behind it. */
#include <stdio.h>

#include "base/log.h"
#include "base/mem.h"
#include "room/model.h"
#include "xmpp/ns.h"

static void refuse(struct room_service *s, const struct room_client *c, const struct stanza *st,
        const struct verdict *v)
{
	s->counters.refusals++;
	if (room_service_may_log(s))
		log_info("room=%s occupant=%s service=%s event=join refused because=%s text=%s",
		        log_value(st->to.node), log_value(st->to.resource),
		        service_name(c->service), reason_name(v->reason),
		        log_value(str_c(v->text ? v->text : "")));
	service_refuse(s, c, st, v);
}

static void refuse_for(struct room_service *s, const struct room_client *c, const struct stanza *st,
        enum reason reason)
{
	struct verdict v;
	policy_refuse(reason, STAGE_JOIN, &v);
	if (reason == E_WAIT_HOST) {
		v.type = "cancel";
		v.condition = "not-allowed";
		v.text = "Room creation is restricted";
	}
	refuse(s, c, st, &v);
}

bool outside_is_focus(const struct room_service *s, const struct room_client *c)
{
	return s->settings.focus_outside && c->service == SERVICE_FOCUS;
}

/* `focus` is the focus's, and the focus has no other; E_NICK, E_CONFLICT, or R_NONE. */
static enum reason judge_nick(const struct room_service *s, const struct room *r,
        const struct room_client *c, struct str nick)
{
	if (!jid_nick_ok(nick))
		return E_NICK;
	if (outside_is_focus(s, c))
		return str_eqc(nick, FOCUS_NICK) ? R_NONE : E_NICK;
	if (str_eqc(nick, FOCUS_NICK) || (r && room_occupant(r, nick)))
		return E_CONFLICT;
	return R_NONE;
}

static bool decide(struct room_service *s, const struct room *r, const struct room_client *c,
        const struct stanza *st, struct verdict *v)
{
	struct room_view view;
	room_view_make(s, r, st->to.node, &view);
	const struct join_request request = {.settings = s->settings.policy,
	        .room = &view,
	        .now = (int64_t)service_unix(s),
	        .session = c->key,
	        .service = c->service};
	policy_join(&request, v);
	return v->accepted;
}

/* An earlier session of the focus sits there still: it is gone, or will hear that it is. Others
 * see the new one's presence in its place. */
static void take_place(struct occupant *old)
{
	struct room *r = old->room;
	struct buf b;
	buf_init(&b, 0);
	buf_puts(&b, "<presence xmlns='" NS_CLIENT "' type='unavailable'");
	xml_attr(&b, "to", str_c(old->jid));
	buf_puts(&b, " from='");
	occupant_write_jid(old, &b);
	buf_puts(&b, "'><x xmlns='" NS_MUC_USER "'><item affiliation='none' role='none'/><status "
	             "code='110'/></x></presence>");
	service_send(r->service, old->handle, &b);
	buf_done(&b);
	log_info("room=%s occupant=%s event=replaced because=R_SERVICE jid=%s", log_value(r->node),
	        old->nick, log_value(str_c(old->jid)));
	occupant_free(old);
}

static struct occupant *seat(struct room *r, const struct room_client *c, const struct stanza *st,
        const struct verdict *v, bool created, struct buf *self)
{
	struct arena a;
	bool too_large;
	struct occupant *o = occupant_new(r, c, st->to.resource);
	if (!o)
		return NULL;
	arena_init(&a, 0);
	bool fine = occupant_apply(o, v) && presence_take(o, st, &a, &too_large);
	arena_done(&a);
	if (fine) {
		presence_write_self(o, STATUS_JOINED | STATUS_SELF | (created ? STATUS_CREATED : 0),
		        false, self);
		o->record = record_new(o, v);
		fine = !self->failed && o->record;
	}
	if (fine)
		return o;
	occupant_free(o);
	return NULL;
}

static void enter(struct room *r, const struct room_client *c, const struct stanza *st,
        const struct verdict *v, bool created)
{
	struct room_service *s = r->service;
	struct occupant *old = outside_is_focus(s, c) ? room_outside_focus(r) : NULL;
	struct buf self;
	if (old)
		take_place(old);
	buf_init(&self, 0);
	struct occupant *o = seat(r, c, st, v, created, &self);
	if (!o) {
		service_no_memory(s, "join");
		refuse_for(s, c, st, E_RATE);
		if (old && r->n == 0)
			timer_stop(&r->ready);
		room_free_if_empty(r);
		buf_done(&self);
		return;
	}
	log_info("room=%s occupant=%s event=join affiliation=%s role=%s because=R_SERVICE "
	         "service=%s jid=%s",
	        log_value(r->node), o->nick, affiliation_name(v->affiliation), role_name(v->role),
	        service_name(c->service), log_value(str_c(o->jid)));
	presence_send_all(o);
	service_send(s, o->handle, &self);
	buf_done(&self);
	message_welcome(o, element_child(st->element, "x", NS_MUC));
	room_broadcast(r, "presence", o->presence.tail, o);
	if (!outside_is_focus(s, c))
		return;
	r->awaits_focus = r->wanted = false;
	if (r->n == 0)
		room_wait(r);
	parking_release(r);
}

void outside_join(struct room_service *s, const struct room_client *c, const struct stanza *st)
{
	struct room *r = room_find(s, st->to.bare);
	struct verdict v;
	enum reason reason = judge_nick(s, r, c, st->to.resource);
	bool created = !r || r->awaits_focus;
	if (reason == R_NONE && !outside_is_focus(s, c) && (!r || r->n == 0))
		reason = E_WAIT_HOST; /* only the focus opens, and the others come to people */
	if (reason != R_NONE)
		refuse_for(s, c, st, reason);
	else if (!decide(s, r, c, st, &v))
		refuse(s, c, st, &v);
	else if (r || (r = room_new(s, &st->to, NULL)))
		enter(r, c, st, &v, created);
	else
		refuse_for(s, c, st, E_RATE);
}

void outside_left(struct room_service *s, const struct room_client *c, const struct stanza *st)
{
	struct buf b;
	if (str_absent(st->to.resource))
		return;
	buf_init(&b, 0);
	stanza_head(&b, STANZA_PRESENCE, "unavailable", st->id, st->to.full, c->jid);
	buf_puts(&b, "><x xmlns='" NS_MUC_USER "'><item affiliation='none' role='none'/><status "
	             "code='110'/></x></presence>");
	service_send(s, c->handle, &b);
	buf_done(&b);
}

struct occupant outside_stranger(struct room *r, const struct room_client *c)
{
	static char nick[] = FOCUS_NICK;
	struct occupant o = {.room = r, .handle = c->handle, .nick = nick};
	o.seat.service = true;
	o.seat.affiliation = AFFILIATION_OWNER;
	o.seat.role = ROLE_MODERATOR;
	return o;
}

void outside_wrote(struct occupant *target, const char *what, const struct occupant *by)
{
	char event[sizeof((struct record_event *)0)->what];
	snprintf(event, sizeof event, "set %s", what);
	log_info("room=%s occupant=%s event=written by=%s wrote=%s because=R_SERVICE "
	         "affiliation=%s role=%s changed=nothing",
	        log_value(target->room->node), target->nick, by->nick, what,
	        affiliation_name(target->seat.affiliation), role_name(target->seat.role));
	record_add(target, event, R_SERVICE, by);
}
