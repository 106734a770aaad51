/* brewery.c - rooms of services: presence, messages and IQs relayed among them. pure */
#include "room/brewery.h"

#include "base/list.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "room/brewery_internal.h"
#include "xmpp/error.h"
#include "xmpp/ns.h"

#define NICK_MAX 256
#define HEAD_BYTES 4096

#define CODES_SELF "<status code='110'/>"
#define CODES_JOINED "<status code='100'/>" CODES_SELF
#define CODES_CREATED CODES_JOINED "<status code='201'/>"

const struct brewery_settings brewery_settings_default = {
        .rooms = 100,
        .occupants = 1000,
        .presence_bytes = 65536,
        .message_bytes = 1048576,
};

static void no_memory(struct breweries *bs, const char *where)
{
	if (bs->counters.no_memory++ == 0)
		log_error("event=no-memory where=brewery-%s", where);
}

struct breweries *breweries_new(
        const struct brewery_settings *settings, const struct outbox *outbox)
{
	struct breweries *bs = mem_zalloc(sizeof *bs);
	if (!bs)
		return NULL;
	bs->settings = *settings;
	bs->outbox = outbox;
	map_init(&bs->rooms);
	list_init(&bs->brewers);
	buf_init(&bs->head, 0);
	if (buf_reserve(&bs->head, HEAD_BYTES))
		return bs;
	mem_free(bs);
	return NULL;
}

static void brewer_free(struct brewer *o)
{
	list_remove(&o->in_room);
	list_remove(&o->in_all);
	o->room->n--;
	o->room->all->counters.occupants--;
	block_unref(o->presence);
	block_unref(o->gone);
	mem_free(o);
}

static void room_end(struct brewery *r)
{
	struct breweries *bs = r->all;
	map_remove(&bs->rooms, r->jid);
	bs->counters.rooms--;
	if (bs->settings.ended)
		bs->settings.ended(bs->settings.arg, r->jid);
	log_info("brewery=%s event=ended", log_value(r->jid));
	mem_free(r);
}

void breweries_free(struct breweries *bs)
{
	if (!bs)
		return;
	while (!list_empty(&bs->brewers)) {
		struct brewer *o = LIST_OWNER(bs->brewers.next, struct brewer, in_all);
		struct brewery *r = o->room;
		brewer_free(o);
		if (r->n == 0)
			room_end(r);
	}
	map_done(&bs->rooms);
	buf_done(&bs->head);
	mem_free(bs);
}

/* Look-ups: a brewery holds tens of services, not thousands. */

struct brewery *brewery_find(const struct breweries *bs, struct str jid)
{
	return map_get(&bs->rooms, jid);
}

struct brewer *brewery_nick(const struct brewery *r, struct str nick)
{
	LIST_EACH(it, &r->brewers)
	{
		struct brewer *o = BREWER_IN(it);
		if (str_eq(o->nick, nick))
			return o;
	}
	return NULL;
}

struct brewer *brewery_brewer_of(const struct brewery *r, struct session_handle h)
{
	LIST_EACH(it, &r->brewers)
	{
		struct brewer *o = BREWER_IN(it);
		if (session_handle_eq(o->handle, h))
			return o;
	}
	return NULL;
}

/* Sending */

void brewery_send(struct breweries *bs, struct session_handle to, struct buf *stanza)
{
	if (stanza->failed) {
		no_memory(bs, "stanza");
		bs->outbox->close(bs->outbox->arg, to, "resource-constraint", STR_NONE);
	} else if (stanza->n) {
		bs->outbox->send(bs->outbox->arg, to, buf_view(stanza), NULL);
	}
}

void brewery_error(struct breweries *bs, const struct room_client *c, const struct stanza *st,
        const char *type, const char *condition, const char *text)
{
	struct stanza_error e = stanza_error_make(type, condition, text);
	buf_reset(&bs->head);
	stanza_error_reply(&bs->head, st, st->to.full, c->jid, &e);
	brewery_send(bs, c->handle, &bs->head);
}

/* "<name xmlns='jabber:client' to='..'" and the rest, which all receivers share. */
static void send_to(
        struct breweries *bs, const char *name, const struct brewer *to, struct block *tail)
{
	struct buf *b = &bs->head;
	buf_reset(b);
	buf_printf(b, "<%s xmlns='" NS_CLIENT "'", name);
	xml_attr(b, "to", to->jid);
	if (b->failed)
		brewery_send(bs, to->handle, b);
	else
		bs->outbox->send(bs->outbox->arg, to->handle, buf_view(b), tail);
}

void brewery_broadcast(
        struct brewery *r, const char *name, struct block *tail, const struct brewer *except)
{
	LIST_EACH(it, &r->brewers)
	{
		if (BREWER_IN(it) != except)
			send_to(r->all, name, BREWER_IN(it), tail);
	}
}

void brewery_put_from(struct buf *b, const struct brewer *o)
{
	buf_puts(b, " from='");
	xml_escape(b, o->room->jid);
	buf_putc(b, '/');
	xml_escape(b, o->nick);
	buf_putc(b, '\'');
}

/* Presence */

static void put_item(struct buf *b, const struct brewer *o, bool gone)
{
	buf_puts(b, "<item affiliation='");
	buf_puts(b, o->owner ? "owner" : "none");
	buf_puts(b, gone       ? "' role='none'"
	            : o->owner ? "' role='moderator'"
	                       : "' role='participant'");
	xml_attr(b, "jid", o->jid);
	buf_puts(b, "/>");
}

/* What the service wrote, but for what a room says itself. */
static void put_children(struct buf *b, const struct element *presence)
{
	for (const struct element *e = element_first(presence); e; e = element_next(e)) {
		if (!element_is(e, "x", NS_MUC) && !element_is(e, "x", NS_MUC_USER))
			xml_write(b, e, STR(NS_CLIENT));
	}
}

/* What the others are told of o, with the elements of body (NULL: none): that it is there, or gone.
 * NULL: there was no memory, or it is too large, which what is gone is never. */
static struct block *render(
        const struct brewer *o, const struct element *body, bool gone, bool *too_large)
{
	struct buf b;
	buf_init(&b, 0);
	brewery_put_from(&b, o);
	buf_puts(&b, gone ? " type='unavailable'>" : ">");
	put_children(&b, body);
	*too_large = !gone && b.n > o->room->all->settings.presence_bytes;
	buf_puts(&b, "<x xmlns='" NS_MUC_USER "'>");
	put_item(&b, o, gone);
	buf_puts(&b, "</x></presence>");
	struct block *tail = b.failed || *too_large ? NULL : block_new(buf_view(&b));
	buf_done(&b);
	return tail;
}

/* Its own copy of a presence that the others have, with the codes that tell it so; in the head. */
static struct buf *write_self(
        const struct brewer *o, const struct block *presence, const char *codes)
{
	static const struct str end = {"</x></presence>", 15};
	struct buf *b = &o->room->all->head;
	struct str tail = block_view(presence);
	buf_reset(b);
	buf_puts(b, "<presence xmlns='" NS_CLIENT "'");
	xml_attr(b, "to", o->jid);
	buf_str(b, str_sub(tail, 0, tail.n - end.n));
	buf_puts(b, codes);
	buf_str(b, end);
	return b;
}

/* Afterwards it can be told of this presence of its own, whatever happens. */
static bool can_write_self(const struct brewer *o, const struct block *presence)
{
	return !write_self(o, presence, CODES_CREATED)->failed;
}

static void refuse_presence(
        struct breweries *bs, const struct room_client *c, const struct stanza *st, bool too_large)
{
	if (too_large)
		bs->counters.limit_presence++;
	else
		no_memory(bs, "presence");
	if (too_large)
		brewery_error(bs, c, st, "modify", "policy-violation", "Presence too large");
	else
		brewery_error(bs, c, st, "wait", "resource-constraint", NULL);
}

/* Everything that it must know, in the order of the specification: the others, then itself. */
static void welcome(struct brewer *o, bool created)
{
	struct brewery *r = o->room;
	struct buf *head = &r->all->head;
	LIST_EACH(it, &r->brewers)
	{
		if (BREWER_IN(it) != o)
			send_to(r->all, "presence", o, BREWER_IN(it)->presence);
	}
	brewery_send(r->all, o->handle,
	        write_self(o, o->presence, created ? CODES_CREATED : CODES_JOINED));
	/* a room has a subject, be it empty: some libraries wait for it */
	buf_reset(head);
	stanza_head(head, STANZA_MESSAGE, "groupchat", STR_NONE, r->jid, o->jid);
	buf_puts(head, "><subject/></message>");
	brewery_send(r->all, o->handle, head);
}

static void update(struct brewer *o, const struct room_client *c, const struct stanza *st)
{
	struct brewery *r = o->room;
	bool too_large;
	struct block *tail = render(o, st->element, false, &too_large);
	if (!tail || !can_write_self(o, tail)) {
		block_unref(tail);
		refuse_presence(r->all, c, st, too_large);
		return;
	}
	block_unref(o->presence);
	o->presence = tail;
	if (element_child(st->element, "x", NS_MUC)) {
		welcome(o, false); /* it has lost what it knew of the room */
	} else {
		brewery_send(r->all, o->handle, write_self(o, tail, CODES_SELF));
	}
	brewery_broadcast(r, "presence", tail, o);
}

static struct brewery *room_open(struct breweries *bs, struct str jid)
{
	if (bs->counters.rooms >= bs->settings.rooms) {
		bs->counters.limit_rooms++;
		log_warn("event=limit limit=breweries rooms=%u brewery=%s", bs->counters.rooms,
		        log_value(jid));
		return NULL;
	}
	struct brewery *r = mem_zalloc(sizeof *r + jid.n + 1);
	if (!r) {
		no_memory(bs, "room");
		return NULL;
	}
	r->all = bs;
	memcpy(r->bytes, jid.p, jid.n);
	r->jid = str_from(r->bytes, jid.n);
	list_init(&r->brewers);
	if (bs->settings.opened && !bs->settings.opened(bs->settings.arg, r->jid)) {
		no_memory(bs, "room");
		mem_free(r);
		return NULL;
	}
	bs->counters.rooms++;
	if (map_put(&bs->rooms, r->jid, r)) {
		log_info("brewery=%s event=opened", log_value(r->jid));
		return r;
	}
	no_memory(bs, "room");
	room_end(r);
	return NULL;
}

static struct brewer *seat(
        struct brewery *r, const struct room_client *c, struct str nick, bool owner)
{
	struct brewer *o = mem_zalloc(sizeof *o + nick.n + c->jid.n + 2);
	if (!o)
		return NULL;
	o->room = r;
	o->handle = c->handle;
	o->owner = owner;
	memcpy(o->bytes, nick.p, nick.n);
	o->nick = str_from(o->bytes, nick.n);
	memcpy(o->bytes + nick.n + 1, c->jid.p, c->jid.n);
	o->jid = str_from(o->bytes + nick.n + 1, c->jid.n);
	list_append(&r->brewers, &o->in_room);
	list_append(&r->all->brewers, &o->in_all);
	r->n++;
	r->all->counters.occupants++;
	return o;
}

/* body: of its last presence, whose elements are relayed; NULL: none. told: it hears of it itself.
 * Who takes its nick is there already, and sees nothing of its namesake. */
static void leave(struct brewer *o, const struct element *body, bool told, const char *what)
{
	struct brewery *r = o->room;
	struct breweries *bs = r->all;
	bool too_large;
	struct block *tail = body ? render(o, body, true, &too_large) : NULL;
	if (body && !tail)
		no_memory(bs, "leave");
	if (!tail)
		tail = block_ref(o->gone);
	LIST_EACH(it, &r->brewers)
	{
		if (!str_eq(BREWER_IN(it)->nick, o->nick))
			send_to(bs, "presence", BREWER_IN(it), tail);
	}
	if (told) {
		struct buf *self = write_self(o, tail, CODES_SELF);
		brewery_send(
		        bs, o->handle, self->failed ? write_self(o, o->gone, CODES_SELF) : self);
	}
	block_unref(tail);
	log_info("brewery=%s occupant=%s event=%s", log_value(r->jid), log_value(o->nick), what);
	brewer_free(o);
	if (r->n == 0)
		room_end(r);
}

/* XEP-0045 7.2.8: one account may have one nick twice. Here the newer session has it alone: the
 * older one is that of a service that was started again, and what it was busy with is gone. */
static bool may_replace(const struct brewer *old, const struct room_client *c)
{
	return str_eq(jid_view(old->jid).bare, jid_view(c->jid).bare);
}

static void join(struct breweries *bs, const struct room_client *c, const struct stanza *st)
{
	struct brewery *r = brewery_find(bs, st->to.bare);
	struct brewer *old = r ? brewery_nick(r, st->to.resource) : NULL;
	bool created = !r, too_large = false;
	if (st->to.resource.n > NICK_MAX) {
		brewery_error(bs, c, st, "cancel", "not-allowed", "Invalid resource");
		return;
	}
	if (old && !may_replace(old, c)) {
		brewery_error(bs, c, st, "cancel", "conflict", NULL);
		return;
	}
	if (r && !old && r->n >= bs->settings.occupants) {
		bs->counters.limit_occupants++;
		brewery_error(bs, c, st, "wait", "service-unavailable", NULL);
		return;
	}
	if (!r && !(r = room_open(bs, st->to.bare))) {
		brewery_error(bs, c, st, "wait", "resource-constraint", NULL);
		return;
	}
	struct brewer *o = seat(r, c, st->to.resource, created || c->service == SERVICE_FOCUS);
	if (o) {
		o->gone = render(o, NULL, true, &too_large);
		o->presence = render(o, st->element, false, &too_large);
	}
	if (!o || !o->presence || !o->gone || !can_write_self(o, o->presence)) {
		if (o)
			brewer_free(o);
		refuse_presence(bs, c, st, too_large);
		if (r->n == 0)
			room_end(r);
		return;
	}
	bs->counters.joins++;
	if (old)
		leave(old, NULL, true, "replaced");
	log_info("brewery=%s occupant=%s event=join because=R_SERVICE service=%s jid=%s "
	         "occupants=%u",
	        log_value(r->jid), log_value(o->nick), service_name(c->service), log_value(o->jid),
	        r->n);
	welcome(o, created);
	brewery_broadcast(r, "presence", o->presence, o);
}

static void on_presence(struct breweries *bs, const struct room_client *c, const struct stanza *st)
{
	struct brewery *r = brewery_find(bs, st->to.bare);
	struct brewer *o = r ? brewery_brewer_of(r, c->handle) : NULL;
	bool available = st->type == STANZA_PLAIN;
	if (!available && st->type != STANZA_UNAVAILABLE)
		return; /* subscriptions, probes, errors: nobody's matter here */
	if (o && !available)
		leave(o, st->element, true, "leave");
	else if (!available)
		return;
	else if (str_absent(st->to.resource))
		brewery_error(bs, c, st, "modify", "jid-malformed", NULL);
	else if (!o)
		join(bs, c, st);
	else if (str_eq(o->nick, st->to.resource))
		update(o, c, st);
	else
		brewery_error(bs, c, st, "cancel", "not-allowed", "Nick changes are not allowed");
}

void breweries_stanza(struct breweries *bs, const struct room_client *from, const struct stanza *st)
{
	if (st->kind == STANZA_PRESENCE && !str_absent(st->to.node))
		on_presence(bs, from, st);
	else if (st->kind == STANZA_IQ)
		brewery_iq(bs, from, st);
	else if (st->kind == STANZA_MESSAGE)
		brewery_message(bs, from, st);
	else
		brewery_error(bs, from, st, "cancel", "service-unavailable", NULL);
}

void breweries_gone(struct breweries *bs, struct session_handle h)
{
	LIST_EACH_SAFE(it, &bs->brewers)
	{
		struct brewer *o = LIST_OWNER(it, struct brewer, in_all);
		if (session_handle_eq(o->handle, h))
			leave(o, NULL, false, "lost");
	}
}

const struct brewery_counters *breweries_counters(const struct breweries *bs)
{
	return &bs->counters;
}

size_t breweries_list_counters(const struct breweries *bs, struct counter *out, size_t max)
{
	const struct brewery_counters *c = &bs->counters;
	const struct counter all[] = {
	        {"breweries", c->rooms},
	        {"brewery_occupants", c->occupants},
	        {"brewery_joins", c->joins},
	        {"limit_breweries", c->limit_rooms},
	        {"limit_brewery_occupants", c->limit_occupants},
	        {"limit_brewery_presence_bytes", c->limit_presence},
	        {"limit_brewery_message_bytes", c->limit_message},
	        {"brewery_no_memory", c->no_memory},
	};
	return counter_list(all, sizeof all / sizeof *all, out, max);
}
