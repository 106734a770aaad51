/* presence.c - what others see of an occupant: taken from the client, completed, serialised once,
 * sent to all. pure */
#include "base/err.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "policy/capability.h"
#include "room/model.h"
#include "xmpp/ns.h"

#define TAIL_END "</x></presence>"
#define NOTICE_EVERY_MS 30000
#define PROFILE_BYTES_MAX 2048
#define ANNOUNCE_AGAIN_MS 200
#define REJOINS_PER_SECOND                                                                         \
	0.5 /* of one occupant: each brings the whole room's presences and its history */
#define REJOINS_BURST 5

/* Never relayed: what the server itself says about somebody, and what only the focus or a service
 * may say. Clients look these up by name without a namespace, so the namespace does not matter here
 * either. */
static bool is_ours(const struct element *e)
{
	static const char *const names[] = {"x", "nick", "identity", "email", "avatar-url",
	        "permissions", "ignore", "flip_device", "bridgeNotAvailable",
	        "conference-properties", "jibri-recording-status"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (str_eqc(e->name, names[i]))
			return true;
	}
	return false;
}

/* A service says of itself what it wants, but for the x. */
static bool is_withheld(const struct occupant *o, const struct element *e)
{
	return o->seat.service ? str_eqc(e->name, "x") : is_ours(e);
}

/* Clients take the first `x` anywhere in a presence for that of muc#user: there must be no other.
 */
static bool holds_x(const struct element *e)
{
	for (const struct element *c = element_first(e); c; c = element_next(c)) {
		if (str_eqc(c->name, "x") || holds_x(c))
			return true;
	}
	return false;
}

static bool take_text(
        char **field, const struct element *presence, const char *name, struct arena *a)
{
	struct str text = element_child_text(presence, name, a);
	char *copy = NULL;
	if (text.n && text.n <= PROFILE_BYTES_MAX && !(copy = mem_strndup(text.p, text.n)))
		return false;
	mem_free(*field);
	*field = copy;
	return true;
}

static void write_profile(struct buf *b, const char *name, enum profile_action action,
        struct str sent, struct str ours)
{
	struct str value = action == PROFILE_KEEP      ? sent
	                   : action == PROFILE_REPLACE ? ours
	                                               : STR_NONE;
	if (value.n)
		xml_leaf(b, name, NULL, value);
}

static void write_item(struct buf *b, const struct occupant *o)
{
	buf_puts(b, "<x xmlns='" NS_MUC_USER "'><item");
	xml_attr(b, "affiliation", str_c(affiliation_name(o->seat.affiliation)));
	xml_attr(b, "role", str_c(role_name(o->seat.role)));
	xml_attr(b, "jid", str_c(o->jid));
	buf_puts(b, "/>");
}

static bool render(struct occupant *o, struct str body)
{
	struct buf b;
	struct room_view view;
	struct str ours = STR_NONE;
	struct str email = str_c(o->email), avatar = str_c(o->avatar);
	room_view_make(o->room->service, o->room, o->room->node, &view);
	buf_init(&b, 0);
	buf_puts(&b, " from='");
	occupant_write_jid(o, &b);
	buf_puts(&b, "'>");
	if (o->name)
		xml_leaf(&b, "nick", NS_NICK, str_c(o->name));
	if (o->identity)
		buf_puts(&b, o->identity);
	write_profile(&b, "email", capability_email(&view, &o->seat, email, &ours), email, ours);
	write_profile(
	        &b, "avatar-url", capability_avatar(&view, &o->seat, avatar, &ours), avatar, ours);
	if (o->region && !o->sends_region)
		xml_leaf(&b, "jitsi_participant_region", NULL, str_c(o->region));
	size_t body_at = b.n;
	buf_str(&b, body);
	write_item(&b, o);
	buf_puts(&b, TAIL_END);
	struct block *tail = b.failed || b.n > UINT32_MAX ? NULL : block_new(buf_view(&b));
	buf_done(&b);
	if (!tail)
		return false;
	block_unref(o->presence.tail);
	o->presence = (struct presence){tail, (uint32_t)body_at, (uint32_t)body.n};
	return true;
}

/* Renders the tail anew from seat, name and the client's part. false on no memory: the old one
 * stays. */
static bool render_again(struct occupant *o)
{
	struct str body = STR("");
	if (o->presence.tail)
		body = str_from(o->presence.tail->p + o->presence.body_at, o->presence.body_n);
	return render(o, body);
}

bool presence_take(struct occupant *o, const struct stanza *st, struct arena *a, bool *too_large)
{
	struct buf body;
	size_t max = o->room->service->settings.presence_bytes;
	*too_large = false;
	buf_init(&body, 0);
	for (const struct element *c = element_first(st->element);
	        c && (body.n <= max || o->seat.service); c = element_next(c)) {
		if (!is_withheld(o, c) && !holds_x(c))
			xml_write(&body, c, STR(NS_CLIENT));
	}
	bool fine = !body.failed, had = o->sends_region;
	o->sends_region = element_child(st->element, "jitsi_participant_region", NULL) != NULL;
	if (body.n > max && !o->seat.service) {
		*too_large = true;
		fine = false;
	}
	if (!o->seat.service)
		fine = fine && take_text(&o->email, st->element, "email", a) &&
		       take_text(&o->avatar, st->element, "avatar-url", a);
	fine = fine && render(o, buf_view(&body));
	if (!fine)
		o->sends_region = had;
	buf_done(&body);
	return fine;
}

static void write_permissions(struct buf *b, const struct occupant *o)
{
	const struct jval *features = NULL;
	enum capability_answer answer = capability_permissions(&o->seat, &features);
	if (answer == CAPABILITY_NO_PERMISSIONS)
		return;
	buf_puts(b, "<permissions xmlns='" NS_JITMEET "'>");
	void *it = NULL;
	struct str key;
	const struct jval *value;
	if (answer == CAPABILITY_DEFAULT_SET || !features) {
		for (size_t i = 0; i < CAPABILITY_DEFAULTS; i++)
			buf_printf(b, "<p name='%s' val='true'/>", capability_defaults[i]);
	} else {
		while (jval_each(features, &it, &key, &value)) {
			if (!capability_has(&o->seat, key))
				continue;
			buf_puts(b, "<p");
			xml_attr(b, "name", key);
			buf_puts(b, " val='true'/>");
		}
	}
	buf_puts(b, "</permissions>");
}

void presence_write_self(struct occupant *o, unsigned status, bool permissions, struct buf *out)
{
	struct str tail = block_view(o->presence.tail);
	buf_puts(out, "<presence xmlns='" NS_CLIENT "'");
	xml_attr(out, "to", str_c(o->jid));
	buf_str(out, str_sub(tail, 0, tail.n - (sizeof TAIL_END - 1)));
	if (status & STATUS_JOINED)
		buf_puts(out, "<status code='100'/>");
	if (status & STATUS_SELF)
		buf_puts(out, "<status code='110'/>");
	if (status & STATUS_CREATED)
		buf_puts(out, "<status code='201'/>");
	buf_puts(out, "</x>");
	if (permissions)
		write_permissions(out, o);
	buf_puts(out, "</presence>");
}

static void on_announce(void *arg, uint64_t now_ms)
{
	struct occupant *o = arg;
	o->room->service->now_ms = now_ms;
	presence_publish(o, o->announce_permissions, NULL);
}

void presence_publish(struct occupant *o, bool permissions, const struct occupant *unaware)
{
	struct room *r = o->room;
	struct buf self;
	buf_init(&self, 0);
	bool fine = render_again(o);
	if (fine)
		presence_write_self(o, STATUS_SELF, permissions, &self);
	if (!fine || self.failed) {
		service_no_memory(r->service, "presence");
		o->announce_permissions =
		        permissions || (timer_running(&o->announce) && o->announce_permissions);
		timer_start(r->service->timers, &o->announce,
		        r->service->now_ms + ANNOUNCE_AGAIN_MS, on_announce, o);
		buf_done(&self);
		return;
	}
	timer_stop(&o->announce);
	LIST_EACH(it, &r->services)
	{
		const struct occupant *to = OCCUPANT_IN(it);
		if (to != o && to != unaware)
			room_send(r, "presence", to, o->presence.tail);
	}
	LIST_EACH(it, &r->occupants)
	{
		const struct occupant *to = OCCUPANT_IN(it);
		if (to != o && to != unaware)
			room_send(r, "presence", to, o->presence.tail);
	}
	service_send(r->service, o->handle, &self);
	buf_done(&self);
}

void presence_send_all(struct occupant *to)
{
	struct room *r = to->room;
	const struct occupant *focus = room_outside_focus(r);
	if (r->focus)
		room_send(r, "presence", to, r->focus);
	if (focus && focus != to)
		room_send(r, "presence", to, focus->presence.tail);
	LIST_EACH(it, &r->services)
	{
		const struct occupant *other = OCCUPANT_IN(it);
		if (other != to && other != focus)
			room_send(r, "presence", to, other->presence.tail);
	}
	LIST_EACH(it, &r->occupants)
	{
		const struct occupant *other = OCCUPANT_IN(it);
		if (other != to)
			room_send(r, "presence", to, other->presence.tail);
	}
}

struct str presence_typed_name(const struct stanza *st, struct arena *a)
{
	return element_child_text(st->element, "nick", a);
}

void presence_notice(struct occupant *o)
{
	struct room_service *s = o->room->service;
	if (o->noticed_ms && s->now_ms - o->noticed_ms < NOTICE_EVERY_MS)
		return;
	o->noticed_ms = s->now_ms ? s->now_ms : 1;
	struct buf text, json, b;
	buf_init(&text, 0);
	buf_init(&json, 0);
	buf_init(&b, 0);
	struct str seen = o->name ? str_c(o->name) : STR("");
	if (o->seat.name_frozen)
		buf_puts(&text, "Your name is set by your organisation. Others see: ");
	else
		buf_puts(&text, "Your name looks like that of somebody named by your organisation. "
		                "Others see: ");
	buf_str(&text, seen);
	buf_puts(&json, "{\"type\":\"system_chat_message\",\"displayName\":");
	jval_quote(seen, &json);
	buf_puts(&json, ",\"message\":");
	jval_quote(buf_view(&text), &json);
	buf_puts(&json, "}");
	buf_puts(&b, "<message xmlns='" NS_CLIENT "'");
	xml_attr(&b, "from", o->room->jid);
	xml_attr(&b, "to", str_c(o->jid));
	buf_putc(&b, '>');
	xml_leaf(&b, "json-message", NS_JITMEET, buf_view(&json));
	buf_puts(&b, "</message>");
	if (text.failed || json.failed)
		service_no_memory(s, "notice");
	else
		service_send(s, o->handle, &b);
	buf_done(&text);
	buf_done(&json);
	buf_done(&b);
}

/* A name was typed that differs from the one typed before: decided anew. */
static bool rename_to(struct occupant *o, struct str typed)
{
	struct room_service *s = o->room->service;
	uint64_t hash = str_absent(typed) ? 0 : hash_key(typed) | 1;
	if (hash == o->typed)
		return true;
	struct room_view view;
	struct verdict v;
	room_view_make(s, o->room, o->room->node, &view);
	policy_rename(s->settings.policy, &view, &o->seat, typed, &v);
	if (!v.accepted || !v.has_name)
		return v.accepted;
	if (!occupant_set_name(o, name_str(&v.name), v.name_frozen, v.name_marked))
		return false;
	o->typed = hash;
	if (room_service_may_log(s))
		log_info("room=%s occupant=%s event=rename because=%s name=%s",
		        log_value(o->room->node), o->nick, reason_name(v.reason),
		        log_value(str_c(o->name)));
	record_add(o, "rename", v.reason, o);
	if (v.name_overruled)
		presence_notice(o);
	return true;
}

static void on_update(struct occupant *o, const struct room_client *c, const struct stanza *st)
{
	struct room_service *s = o->room->service;
	struct arena a;
	bool too_large = false;
	arena_init(&a, 0);
	bool fine = (o->seat.service || rename_to(o, presence_typed_name(st, &a))) &&
	            presence_take(o, st, &a, &too_large);
	arena_done(&a);
	if (fine) {
		presence_publish(o, false, NULL);
		return;
	}
	struct stanza_error e = stanza_error_make("wait", "resource-constraint", NULL);
	if (too_large) {
		s->counters.limit_presence++;
		if (room_service_may_log(s))
			log_warn("room=%s occupant=%s event=limit limit=presence_bytes",
			        log_value(o->room->node), o->nick);
		e = stanza_error_make("modify", "not-acceptable", "Presence too large");
	} else {
		presence_publish(
		        o, false, NULL); /* a new name at least, as soon as there is memory */
	}
	if (!str_absent(
	            st->id)) /* an error would look like a failed join to clients that send no id */
		service_error(s, c, st, &e);
}

static void on_rejoin(struct occupant *o, const struct element *muc_x)
{
	struct room *r = o->room;
	struct room_service *s = r->service;
	struct buf b;
	if (!limit_take(&o->rejoins, 1, REJOINS_PER_SECOND, REJOINS_BURST, s->now_ms)) {
		s->counters.limit_joins++;
		return;
	}
	presence_send_all(o);
	buf_init(&b, 0);
	presence_write_self(o, STATUS_JOINED | STATUS_SELF, seat_is_moderator(&o->seat), &b);
	service_send(r->service, o->handle, &b);
	buf_done(&b);
	message_welcome(o, muc_x);
}

static void on_unavailable(struct occupant *o, const struct stanza *st)
{
	struct arena a;
	arena_init(&a, 0);
	struct str status = element_child_text(st->element, "status", &a);
	const struct departure d = {.what = "leave", .text = str_sub(status, 0, 256)};
	departure_leave(o, &d);
	arena_done(&a);
}

void presence_on(struct room_service *s, const struct room_client *c, const struct stanza *st)
{
	struct room *r = room_find(s, st->to.bare);
	struct occupant *o = r ? room_occupant_of(r, c->handle) : NULL;
	const struct element *muc_x = element_child(st->element, "x", NS_MUC);
	struct stanza_error e;
	struct verdict v;
	if (st->type == STANZA_UNAVAILABLE) {
		if (o)
			on_unavailable(o, st);
		else if (c->service)
			outside_left(
			        s, c, st); /* it waits to be told, also of a room that is gone */
		else if (r)
			parking_leave(r, c->handle);
		return; /* a kicked client says good-bye: nobody needs to know */
	}
	if (st->type != STANZA_PLAIN)
		return;
	if (str_absent(st->to.resource)) {
		e = stanza_error_make("modify", "jid-malformed", "A nickname is required");
		service_error(s, c, st, &e);
	} else if (o && !str_eqc(st->to.resource, o->nick)) {
		const struct resource_request request = {
		        .resource = st->to.resource, .current = str_c(o->nick), .session = c->key};
		policy_resource(&request, &v);
		if (!v.accepted)
			service_refuse(s, c, st, &v);
	} else if (o) {
		on_update(o, c, st);
		if (muc_x)
			on_rejoin(o, muc_x);
	} else if (muc_x && c->service) {
		outside_join(s, c, st);
	} else if (muc_x) {
		entry_join(s, c, st);
	} else {
		e = stanza_error_make(
		        "cancel", "not-acceptable", "You are not currently connected to this chat");
		service_error(s, c, st, &e);
	}
}
