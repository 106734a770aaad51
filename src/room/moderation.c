/* moderation.c - muc#admin: kick, ban, grant, revoke; several items are checked before the first is
 * applied. pure */
#include "base/log.h"
#include "base/mem.h"
#include "policy/capability.h"
#include "room/model.h"
#include "xmpp/ns.h"

#define REASON_BYTES_MAX 256
#define ITEMS_MAX 64 /* of one IQ: each may change somebody for all to see */

/* One IQ being worked on. */
struct moderation {
	struct room *room;
	struct occupant *actor;
	const struct room_client *client;
	const struct stanza *stanza;
	struct arena arena;
};

static void answer(struct moderation *m, const char *type, const char *condition, const char *text)
{
	struct stanza_error e = stanza_error_make(type, condition, text);
	service_error(m->room->service, m->client, m->stanza, &e);
}

static bool is_focus(const struct room *r, struct str nick, struct str jid)
{
	return str_eqc(nick, FOCUS_NICK) ||
	       (jid.n && str_eq(jid_view(jid).bare, r->service->settings.focus_jid));
}

/* The occupant that an item means, or NULL. The nick wins; of a JID only the bare form counts. */
static struct occupant *item_target(struct moderation *m, const struct element *item, bool *focus)
{
	struct str nick = element_attr(item, "nick");
	struct str text = element_attr(item, "jid");
	struct jid jid = {0};
	if (!str_absent(text) && jid_parse(text, &m->arena, &jid) != 0)
		jid = (struct jid){0};
	*focus = is_focus(m->room, nick, jid.full);
	if (*focus)
		return NULL;
	if (!str_absent(nick))
		return room_occupant(m->room, nick);
	return jid.full.n ? room_occupant_jid(m->room, jid.full) : NULL;
}

/* false: an unknown word, or nothing asked. */
static bool read_item(const struct element *item, struct item_request *out)
{
	struct str affiliation = element_attr(item, "affiliation");
	struct str role = element_attr(item, "role");
	out->has_affiliation = !str_absent(affiliation);
	out->has_role = !str_absent(role);
	if (out->has_affiliation && !affiliation_parse(affiliation, &out->affiliation))
		return false;
	if (out->has_role && !role_parse(role, &out->role))
		return false;
	return out->has_affiliation || out->has_role;
}

static void log_item(const struct moderation *m, const struct occupant *target, const char *what,
        const struct verdict *v)
{
	if (!v->accepted && !room_service_may_log(m->room->service))
		return;
	log_info("room=%s occupant=%s event=%s%s by=%s affiliation=%s role=%s because=%s "
	         "source=%s%s",
	        log_value(m->room->node), target ? target->nick : "-", what,
	        v->accepted ? "" : " refused", m->actor ? m->actor->nick : "-",
	        affiliation_name(v->affiliation), role_name(v->role),
	        *reason_name(v->reason) ? reason_name(v->reason) : "-", source_name(v->source),
	        v->accepted ? "" : refusal_fix(v));
}

static void decide(struct moderation *m, const struct element *item, struct occupant *target,
        struct verdict *v)
{
	struct room_view view;
	struct item_request request = {.settings = m->room->service->settings.policy,
	        .room = &view,
	        .actor = m->actor ? &m->actor->seat : NULL,
	        .target = target ? &target->seat : NULL};
	read_item(item, &request);
	room_view_make(m->room->service, m->room, m->room->node, &view);
	policy_item(&request, v);
}

/* true: this item may be applied. Otherwise the error has been sent. */
static bool check_item(struct moderation *m, const struct element *item)
{
	struct item_request words = {0};
	struct verdict v;
	bool focus;
	if (!element_is(item, "item", NS_MUC_ADMIN) || !read_item(item, &words)) {
		answer(m, "modify", "bad-request", NULL);
		return false;
	}
	struct occupant *target = item_target(m, item, &focus);
	if (focus && m->actor && seat_is_moderator(&m->actor->seat)) {
		answer(m, "cancel", "not-allowed", NULL);
		return false;
	}
	decide(m, item, target, &v);
	if (v.accepted)
		return true;
	m->room->service->counters.refusals++;
	log_item(m, target, "item", &v);
	if (target && v.reason == E_RANK)
		record_add(target, "refused", v.reason, m->actor);
	service_refuse(m->room->service, m->client, m->stanza, &v);
	return false;
}

static bool remove_target(struct moderation *m, const struct element *item, struct occupant *target,
        const struct verdict *v)
{
	struct room_service *s = m->room->service;
	struct str reason = element_child_text(item, "reason", &m->arena);
	if (v->banned && !room_ban(m->room, target))
		return false;
	s->counters.bans += v->banned;
	s->counters.kicks += !v->banned;
	const struct departure d = {.what = v->banned ? "ban" : "kick",
	        .verdict = v,
	        .actor = m->actor,
	        .text = str_sub(reason, 0, REASON_BYTES_MAX)};
	departure_leave(target, &d);
	return true;
}

/* What an item asks for, in a word. */
static const char *item_word(const struct element *item)
{
	struct item_request words = {0};
	read_item(item, &words);
	return words.has_affiliation ? affiliation_name(words.affiliation) : role_name(words.role);
}

static bool change_target(
        struct moderation *m, struct occupant *target, const struct verdict *v, const char *word)
{
	struct room_service *s = m->room->service;
	bool was = seat_is_moderator(&target->seat);
	if (m->actor->seat.service) {
		outside_wrote(target, word, m->actor);
		return true;
	}
	if (!v->changed)
		return true;
	if (!occupant_apply(target, v))
		return false;
	bool is = seat_is_moderator(&target->seat);
	if (v->lent)
		occupant_keep_lender(target,
		        m->actor->seat.own_features ? m->actor->claims : m->actor->lent_claims);
	s->counters.grants += is && !was;
	s->counters.revokes += was && !is;
	const char *what = is && !was ? "grant" : was && !is ? "revoke" : "affiliation";
	log_item(m, target, what, v);
	record_add(target, what, v->reason, m->actor);
	presence_publish(target, is && !was, NULL);
	departure_consequences(m->room, v, &target->seat, NULL);
	return true;
}

/* What was checked is decided again, because the items before it have changed the room. The actor's
 * own item comes last, so that none loses its ground. */
static bool apply_item(struct moderation *m, const struct element *item, bool own)
{
	struct verdict v;
	bool focus;
	struct occupant *target = item_target(m, item, &focus);
	if (!target || (target == m->actor) != own)
		return true; /* gone by an earlier item for the same person, or not its turn */
	decide(m, item, target, &v);
	if (!v.accepted)
		return !v.nomem;
	return v.removed ? remove_target(m, item, target, &v)
	                 : change_target(m, target, &v, item_word(item));
}

static void on_set(struct moderation *m)
{
	struct room_service *s = m->room->service;
	const struct element *first = element_first(m->stanza->payload);
	if (!first) {
		answer(m, "modify", "bad-request", NULL);
		return;
	}
	unsigned n = 0;
	for (const struct element *item = first; item; item = element_next(item)) {
		if (++n > ITEMS_MAX) {
			answer(m, "modify", "not-acceptable", "Too many items");
			return;
		}
		if (!check_item(m, item))
			return;
	}
	bool fine = true;
	for (const struct element *item = first; item && fine; item = element_next(item)) {
		if (!room_find(s, m->stanza->to.bare))
			break; /* a service has removed the last one */
		fine = apply_item(m, item, false);
	}
	for (const struct element *item = first; item && fine; item = element_next(item)) {
		if (m->client->service || !room_find(s, m->stanza->to.bare) ||
		        !room_occupant_of(m->room, m->client->handle))
			break; /* the actor has removed himself, perhaps with the room */
		fine = apply_item(m, item, true);
	}
	struct buf b;
	buf_init(&b, 0);
	struct stanza_error e = stanza_error_make("wait", "resource-constraint", NULL);
	if (fine)
		stanza_result(&b, m->stanza, m->stanza->to.full, m->client->jid);
	else
		service_no_memory(s, "item"),
		        stanza_error_reply(&b, m->stanza, m->stanza->to.full, m->client->jid, &e);
	service_send(s, m->client->handle, &b);
	buf_done(&b);
}

static void write_member(struct buf *b, const struct occupant *o)
{
	buf_puts(b, "<item");
	xml_attr(b, "affiliation", str_c(affiliation_name(o->seat.affiliation)));
	xml_attr(b, "role", str_c(role_name(o->seat.role)));
	xml_attr(b, "jid", jid_view(str_c(o->jid)).bare);
	xml_attr(b, "nick", str_c(o->nick));
	buf_puts(b, "/>");
}

static void on_get(struct moderation *m)
{
	struct item_request words = {0};
	const struct element *item = element_child(m->stanza->payload, "item", NS_MUC_ADMIN);
	if (!m->actor || !seat_is_moderator(&m->actor->seat)) {
		answer(m, "auth", "forbidden", NULL);
		return;
	}
	if (!item || !read_item(item, &words)) {
		answer(m, "modify", "bad-request", NULL);
		return;
	}
	struct buf b;
	buf_init(&b, 0);
	stanza_head(&b, STANZA_IQ, "result", m->stanza->id, m->room->jid, m->client->jid);
	buf_puts(&b, "><query xmlns='" NS_MUC_ADMIN "'>");
	LIST_EACH(it, &m->room->occupants)
	{
		const struct occupant *o = OCCUPANT_IN(it);
		if (words.has_affiliation ? o->seat.affiliation == words.affiliation
		                          : o->seat.role == words.role)
			write_member(&b, o);
	}
	buf_puts(&b, "</query></iq>");
	service_send(m->room->service, m->client->handle, &b);
	buf_done(&b);
}

void moderation_iq(
        struct room *r, struct occupant *from, const struct room_client *c, const struct stanza *st)
{
	struct occupant stranger;
	struct moderation m = {.room = r, .actor = from, .client = c, .stanza = st};
	arena_init(&m.arena, 0);
	if (!from && outside_is_focus(r->service, c)) {
		stranger = outside_stranger(r, c);
		m.actor = &stranger;
	}
	if (!m.actor)
		answer(&m, "auth", "forbidden", NULL);
	else if (st->type == STANZA_SET)
		on_set(&m);
	else
		on_get(&m);
	arena_done(&m.arena);
}
