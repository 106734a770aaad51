/* room.c - a room: opened, found, told about, ended. pure */
#include "room/room.h"

#include "base/address.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "policy/capability.h"
#include "room/model.h"
#include "xmpp/ns.h"

struct room *room_find(const struct room_service *s, struct str room_jid_text)
{
	return map_get(&s->rooms, room_jid_text);
}

struct str room_jid(const struct room *r)
{
	return r->jid;
}
struct str room_meeting_id(const struct room *r)
{
	return str_c(r->meeting_id);
}
uint64_t room_created_ms(const struct room *r)
{
	return (uint64_t)(r->opened * 1000.0);
}

unsigned room_size(const struct room *r)
{
	return r->n;
}

unsigned room_moderators(const struct room *r)
{
	return r->moderators;
}

struct occupant *room_occupant(const struct room *r, struct str nick)
{
	return map_get(&r->nicks, nick);
}

struct occupant *room_occupant_of(const struct room *r, struct session_handle h)
{
	struct attendee *a = service_attendee(r->service, h);
	if (!a)
		return NULL;
	LIST_EACH(it, &a->occupants)
	{
		struct occupant *o = LIST_OWNER(it, struct occupant, in_attendee);
		if (o->room == r)
			return o;
	}
	return NULL;
}

struct occupant *room_outside_focus(const struct room *r)
{
	struct occupant *o = r->focus ? NULL : room_occupant(r, STR(FOCUS_NICK));
	return o && o->seat.service ? o : NULL;
}

bool room_is_reserved(const struct room_service *s, struct str node)
{
	return s->settings.focus_outside && str_starts(node, STR("__jicofo-health-check"));
}

struct occupant *room_occupant_jid(const struct room *r, struct str jid)
{
	struct jid wanted = jid_view(jid);
	LIST_EACH(it, &r->occupants)
	{
		struct occupant *o = OCCUPANT_IN(it);
		/* nodes are unique to a session: the bare form names one occupant */
		if (str_eq(jid_view(str_c(o->jid)).bare, wanted.bare))
			return o;
	}
	return NULL;
}

static bool make_focus(struct room *r)
{
	struct room_service *s = r->service;
	struct buf b;
	buf_init(&b, 0);
	buf_puts(&b, " from='");
	xml_escape(&b, r->jid);
	buf_puts(&b, "/" FOCUS_NICK "'>");
	if (s->listener.focus_presence)
		s->listener.focus_presence(s->listener.arg, r, &b);
	buf_puts(&b, "<x xmlns='" NS_MUC_USER "'><item affiliation='owner' role='moderator' jid='");
	xml_escape(&b, s->settings.focus_jid);
	buf_puts(&b, "/" FOCUS_NICK "'/></x></presence>");
	r->focus = b.failed ? NULL : block_new(buf_view(&b));
	buf_done(&b);
	return r->focus != NULL;
}

static void note_limit(struct room_service *s, uint64_t *counter, const char *limit, struct str who)
{
	++*counter;
	if (room_service_may_log(s))
		log_warn("event=limit limit=%s who=%s", limit,
		        log_value(str_absent(who) ? STR("-") : who));
}

/* Counts the room for whoever opens it: for his address as long as it lives, for his session as
 * long as nobody has entered it. ERR_LIMIT: logged; ERR_NOMEM. */
static int take_openers(struct room *r, const struct room_client *c)
{
	struct room_service *s = r->service;
	const struct openers_bounds bounds = {
	        s->settings.rooms, s->settings.rooms_per_address, s->settings.rooms_per_session};
	char household[ADDRESS_TEXT_MAX];
	struct str peer = c && !c->peer_loopback ? address_household(c->peer, household) : STR_NONE;
	struct str key = c ? c->key : STR_NONE;
	switch (openers_take(s->openers, &bounds, peer, key, &r->address, &r->waiting)) {
	case OPENERS_TAKEN:
		return ERR_OK;
	case OPENERS_TOTAL:
		note_limit(s, &s->counters.limit_rooms, "rooms", STR_NONE);
		return ERR_LIMIT;
	case OPENERS_ADDRESS:
		note_limit(s, &s->counters.limit_rooms_per_address, "rooms_per_address", peer);
		return ERR_LIMIT;
	case OPENERS_SESSION:
		note_limit(s, &s->counters.limit_rooms_per_session, "rooms_per_session",
		        str_sub(key, 0, 8));
		return ERR_LIMIT;
	case OPENERS_NOMEM:
		break;
	}
	return ERR_NOMEM;
}

void room_entered(struct room *r)
{
	timer_stop(&r->ready);
	openers_entered(r->service->openers, &r->waiting);
	if (r->started <= 0)
		r->started = service_unix(r->service);
}

static void tell_destroyed(const struct occupant *o, struct str reason)
{
	struct room *r = o->room;
	struct buf b;
	buf_init(&b, 0);
	buf_puts(&b, "<presence xmlns='" NS_CLIENT "' type='unavailable'");
	xml_attr(&b, "to", str_c(o->jid));
	buf_puts(&b, " from='");
	occupant_write_jid(o, &b);
	buf_puts(
	        &b, "'><x xmlns='" NS_MUC_USER "'><item affiliation='none' role='none'/><destroy>");
	if (reason.n)
		xml_leaf(&b, "reason", NULL, reason);
	buf_puts(&b, "</destroy><status code='110'/></x></presence>");
	service_send(r->service, o->handle, &b);
	buf_done(&b);
}

/* The room is over: whoever is in it is told, and it is gone. */
static void end_room(struct room *r, struct str reason)
{
	parking_refuse(r);
	LIST_EACH(it, &r->services)
	tell_destroyed(OCCUPANT_IN(it), reason);
	LIST_EACH(it, &r->occupants)
	tell_destroyed(OCCUPANT_IN(it), reason);
	room_free(r);
}

static void on_ready_over(void *arg, uint64_t now_ms)
{
	struct room *r = arg;
	r->service->now_ms = now_ms;
	if (r->n == 0) {
		log_info("room=%s event=room-end because=%s", log_value(r->node),
		        r->awaits_focus ? "no-focus" : "nobody-came");
		end_room(r, STR_NONE);
	}
}

void room_wait(struct room *r)
{
	struct room_service *s = r->service;
	timer_start(s->timers, &r->ready, s->now_ms + s->settings.ready_ms, on_ready_over, r);
}

/* From here on it is found, by this service and by those who ask where it is. */
static bool announce(struct room *r)
{
	struct room_service *s = r->service;
	const struct room_listener *l = &s->listener;
	if (l->opened && !l->opened(l->arg, r->jid))
		return false;
	if (map_put(&s->rooms, r->jid, r))
		return true;
	if (l->ended)
		l->ended(l->arg, r->jid);
	return false;
}

/* Its names, behind the struct. */
static void name_room(struct room *r, const struct jid *jid, struct str tenant)
{
	char *bytes = (char *)(r + 1), *node = bytes + jid->bare.n + 1, *end = node;
	memcpy(bytes, jid->bare.p, jid->bare.n);
	r->jid = str_from(bytes, jid->bare.n);
	if (tenant.n) {
		*end++ = '[';
		memcpy(end, tenant.p, tenant.n);
		r->tenant = str_from(end, tenant.n);
		end += tenant.n;
		*end++ = ']';
	}
	memcpy(end, jid->node.p, jid->node.n);
	r->plain_node = str_from(end, jid->node.n);
	r->node = str_from(node, (size_t)(end - node) + jid->node.n);
}

struct room *room_new(
        struct room_service *s, const struct jid *jid, const struct room_client *opener)
{
	/* "room@conference.tenant.meet.example", NUL, "[tenant]room", NUL */
	struct str tenant = service_tenant(s, jid->domain);
	struct room *r = mem_zalloc(sizeof *r + jid->bare.n + 1 + 2 + tenant.n + jid->node.n + 1);
	if (!r)
		goto nomem;
	name_room(r, jid, tenant);
	r->service = s;
	r->opened = service_unix(s);
	map_init(&r->nicks);
	map_init(&r->identities);
	map_init(&r->names);
	map_init(&r->emails);
	map_init(&r->avatars);
	map_init(&r->bans);
	list_init(&r->occupants);
	list_init(&r->history);
	list_init(&r->departed);
	list_init(&r->services);
	list_init(&r->parked);
	r->awaits_focus = s->settings.focus_outside;
	if (!rand_uuid(r->meeting_id) || (!r->awaits_focus && !make_focus(r)))
		goto nomem;
	int err = take_openers(r, opener);
	if (err == ERR_LIMIT) {
		block_unref(r->focus);
		mem_free(r);
		return NULL;
	}
	if (err)
		goto nomem;
	if (!announce(r)) {
		openers_give(s->openers, &r->address, &r->waiting);
		goto nomem;
	}
	s->counters.rooms++;
	room_wait(r);
	log_info("room=%s event=room-open meeting=%s", log_value(r->node), r->meeting_id);
	return r;
nomem:
	service_no_memory(s, "room");
	if (r)
		block_unref(r->focus);
	mem_free(r);
	return NULL;
}

static void free_records(struct room *r)
{
	LIST_EACH_SAFE(it, &r->departed)
	{
		struct record *rec = LIST_OWNER(it, struct record, link);
		list_remove(it);
		record_free(rec);
	}
}

/* What ends with a meeting. */
static void clear_meeting(struct room *r)
{
	timer_stop(&r->end);
	message_free_history(r);
	free_records(r);
	size_t pos = 0;
	char *ban;
	while ((ban = map_next(&r->bans, &pos)))
		mem_free(ban);
	map_done(&r->bans);
	map_init(&r->bans);
	mem_free(r->password);
	mem_free(r->subject);
	mem_free(r->subject_nick);
	r->password = r->subject = r->subject_nick = NULL;
}

void room_free(struct room *r)
{
	struct room_service *s = r->service;
	parking_refuse(r);
	LIST_EACH_SAFE(it, &r->occupants)
	occupant_free(OCCUPANT_IN(it));
	LIST_EACH_SAFE(it, &r->services)
	occupant_free(OCCUPANT_IN(it));
	timer_stop(&r->ready);
	map_remove(&s->rooms, r->jid);
	s->counters.rooms--;
	openers_give(s->openers, &r->address, &r->waiting);
	if (s->listener.ended)
		s->listener.ended(s->listener.arg, r->jid);
	clear_meeting(r);
	map_done(&r->nicks);
	map_done(&r->identities);
	map_done(&r->names);
	map_done(&r->emails);
	map_done(&r->avatars);
	block_unref(r->focus);
	mem_free(r);
}

/* The meeting is over, and the focus outside will see it and leave. Who comes before it does begins
 * another meeting. */
static void vacate(struct room *r)
{
	clear_meeting(r);
	r->had_moderator = false;
	r->started = 0;
	r->opened = service_unix(r->service);
	memset(r->guesses, 0, sizeof r->guesses);
	(void)rand_uuid(r->meeting_id); /* without one the old one is as good */
	room_wait(r);
}

void room_free_if_empty(struct room *r)
{
	if (r->n > 0 || timer_running(&r->ready))
		return;
	log_info("room=%s event=room-end because=last-one-left", log_value(r->node));
	if (room_outside_focus(r))
		vacate(r);
	else
		end_room(r, STR_NONE);
}

void room_send(struct room *r, const char *name, const struct occupant *to, struct block *tail)
{
	struct room_service *s = r->service;
	buf_reset(&s->head);
	buf_putc(&s->head, '<');
	buf_puts(&s->head, name);
	buf_puts(&s->head, " xmlns='" NS_CLIENT "'");
	xml_attr(&s->head, "to", str_c(to->jid));
	if (s->head.failed)
		service_lost(s, to->handle, "send");
	else
		s->outbox->send(s->outbox->arg, to->handle, buf_view(&s->head), tail);
}

void room_broadcast(
        struct room *r, const char *name, struct block *tail, const struct occupant *except)
{
	LIST_EACH(it, &r->services)
	{
		const struct occupant *to = OCCUPANT_IN(it);
		if (to != except)
			room_send(r, name, to, tail);
	}
	LIST_EACH(it, &r->occupants)
	{
		const struct occupant *to = OCCUPANT_IN(it);
		if (to != except)
			room_send(r, name, to, tail);
	}
}

void room_notify_config(struct room *r)
{
	struct buf b;
	buf_init(&b, 0);
	xml_attr(&b, "from", r->jid);
	buf_puts(&b,
	        " type='groupchat'><x xmlns='" NS_MUC_USER "'><status code='104'/></x></message>");
	struct block *tail = b.failed ? NULL : block_new(buf_view(&b));
	buf_done(&b);
	if (tail)
		room_broadcast(r, "message", tail, NULL);
	else
		service_no_memory(r->service, "notify");
	block_unref(tail);
}

void room_destroy(struct room *r, struct str reason)
{
	r->service->counters.destroyed++;
	log_info("room=%s event=room-destroy occupants=%u reason=%s", log_value(r->node), r->n,
	        log_value(reason));
	end_room(r, reason);
}

struct str occupant_nick(const struct occupant *o)
{
	return str_c(o->nick);
}
struct str occupant_real_jid(const struct occupant *o)
{
	return str_c(o->jid);
}
bool occupant_is_moderator(const struct occupant *o)
{
	return seat_is_moderator(&o->seat);
}

bool occupant_may(const struct occupant *o, const char *feature)
{
	return capability_has(&o->seat, str_c(feature));
}

void occupant_send(struct occupant *o, struct str stanza)
{
	struct room_service *s = o->room->service;
	s->outbox->send(s->outbox->arg, o->handle, stanza, NULL);
}

void room_focus_reply(struct room *r, struct occupant *to, const struct stanza *st,
        const char *type, struct str payload)
{
	struct buf b;
	buf_init(&b, 0);
	buf_puts(&b, "<iq xmlns='" NS_CLIENT "'");
	xml_attr(&b, "type", str_c(type));
	xml_attr(&b, "id", st->id);
	buf_puts(&b, " from='");
	xml_escape(&b, r->jid);
	buf_puts(&b, "/" FOCUS_NICK "'");
	xml_attr(&b, "to", str_c(to->jid));
	if (payload.n) {
		buf_putc(&b, '>');
		buf_str(&b, payload);
		buf_puts(&b, "</iq>");
	} else {
		buf_puts(&b, "/>");
	}
	service_send(r->service, to->handle, &b);
	buf_done(&b);
}

void occupant_write_jid(const struct occupant *o, struct buf *out)
{
	xml_escape(out, o->room->jid);
	buf_putc(out, '/');
	xml_escape(out, str_c(o->nick));
}
