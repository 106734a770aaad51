/* brewery_relay.c - IQs and messages in rooms of services, and what such a room says of itself.
 * pure */
#include "base/log.h"
#include "room/brewery_internal.h"
#include "xmpp/disco.h"
#include "xmpp/error.h"
#include "xmpp/ns.h"

/* The attributes and children that are relayed, behind the addresses. */
static void put_rest(struct buf *b, const struct stanza *st)
{
	xml_attr(b, "type", element_attr(st->element, "type"));
	xml_attr(b, "id", st->id);
	buf_putc(b, '>');
	xml_write_children(b, st->element);
	buf_printf(b, "</%s>", stanza_kind_name(st->kind));
}

static bool is_too_large(struct breweries *bs, const struct room_client *c, const struct stanza *st,
        const struct buf *b)
{
	if (b->n <= bs->settings.message_bytes)
		return false;
	bs->counters.limit_message++;
	log_warn("event=limit limit=brewery_message_bytes bytes=%zu from=%s", b->n,
	        log_value(c->jid));
	brewery_error(bs, c, st, "modify", "not-acceptable", "Stanza too large");
	return true;
}

/* There was no memory for an answer: whoever waits for one gets this. */
static void send_lost(struct breweries *bs, const struct brewer *from, const struct brewer *to,
        const struct stanza *st)
{
	const struct stanza_error e = stanza_error_make("wait", "resource-constraint", NULL);
	struct buf *b = &bs->head;
	buf_reset(b);
	buf_puts(b, "<iq xmlns='" NS_CLIENT "' type='error'");
	xml_attr(b, "id", st->id);
	xml_attr(b, "to", to->jid);
	brewery_put_from(b, from);
	buf_putc(b, '>');
	stanza_error_write(b, &e);
	buf_puts(b, "</iq>");
	brewery_send(bs, to->handle, b);
}

static void relay(struct breweries *bs, const struct brewer *from, const struct brewer *to,
        const struct room_client *c, const struct stanza *st)
{
	struct buf b;
	buf_init(&b, 0);
	buf_printf(&b, "<%s xmlns='" NS_CLIENT "'", stanza_kind_name(st->kind));
	xml_attr(&b, "to", to->jid);
	brewery_put_from(&b, from);
	put_rest(&b, st);
	if (b.failed && stanza_answerable(st))
		brewery_error(bs, c, st, "wait", "resource-constraint", NULL);
	else if (b.failed && st->kind == STANZA_IQ)
		send_lost(bs, from, to, st);
	else if (!b.failed && !is_too_large(bs, c, st, &b))
		brewery_send(bs, to->handle, &b);
	buf_done(&b);
}

static void reply(struct breweries *bs, const struct room_client *c, const struct stanza *st,
        const struct buf *payload)
{
	struct buf *b = &bs->head;
	if (payload->failed) {
		brewery_error(bs, c, st, "wait", "resource-constraint", NULL);
		return;
	}
	buf_reset(b);
	stanza_head(b, STANZA_IQ, "result", st->id, st->to.full, c->jid);
	buf_putc(b, '>');
	buf_str(b, buf_view(payload));
	buf_puts(b, "</iq>");
	if (b->failed)
		brewery_error(bs, c, st, "wait", "resource-constraint", NULL);
	else
		brewery_send(bs, c->handle, b);
}

static void put_info(struct buf *b, struct str name)
{
	static const char *const features[] = {NS_DISCO_INFO, NS_DISCO_ITEMS, NS_MUC, NS_PING,
	        "muc_unsecured", "muc_open", "muc_nonanonymous", "muc_hidden", "muc_temporary",
	        "muc_unmoderated"};
	const struct disco_identity identity = {"conference", "text", name};
	size_t n = str_absent(name) ? 4 : sizeof features / sizeof *features;
	disco_info_write(b, &identity, 1, features, n, STR_NONE);
}

static void put_occupants(struct buf *b, const struct brewery *r)
{
	buf_puts(b, "<query xmlns='" NS_DISCO_ITEMS "'>");
	LIST_EACH(it, &r->brewers)
	{
		buf_puts(b, "<item jid='");
		xml_escape(b, r->jid);
		buf_putc(b, '/');
		xml_escape(b, BREWER_IN(it)->nick);
		buf_puts(b, "'/>");
	}
	buf_puts(b, "</query>");
}

/* What whoever opened the room asks for; it is taken as it comes, and changes nothing. */
static void put_form(struct buf *b)
{
	buf_puts(b, "<query xmlns='" NS_MUC_OWNER "'><x xmlns='" NS_DATA "' type='form'>");
	disco_field(b, "FORM_TYPE", "hidden", STR(NS_MUC_ROOMCONFIG));
	disco_field(b, "muc#roomconfig_whois", "list-single", STR("anyone"));
	disco_field(b, "muc#roomconfig_persistentroom", "boolean", STR("0"));
	disco_field(b, "muc#roomconfig_publicroom", "boolean", STR("0"));
	disco_field(b, "muc#roomconfig_membersonly", "boolean", STR("0"));
	buf_puts(b, "</x></query>");
}

static bool asks(const struct stanza *st, const char *name, const char *ns)
{
	return st->type == STANZA_GET && element_is(st->payload, name, ns);
}

static void on_service(struct breweries *bs, const struct room_client *c, const struct stanza *st)
{
	struct buf b;
	buf_init(&b, 0);
	if (asks(st, "query", NS_DISCO_INFO))
		put_info(&b, STR_NONE);
	else if (asks(st, "query", NS_DISCO_ITEMS))
		buf_puts(&b, "<query xmlns='" NS_DISCO_ITEMS "'/>"); /* rooms are hidden */
	if (b.n || b.failed || asks(st, "ping", NS_PING))
		reply(bs, c, st, &b);
	else
		brewery_error(bs, c, st, "cancel", "service-unavailable", NULL);
	buf_done(&b);
}

static void on_room(struct breweries *bs, const struct brewery *r, const struct room_client *c,
        const struct stanza *st)
{
	const struct brewer *from = brewery_brewer_of(r, c->handle);
	bool owner = element_is(st->payload, "query", NS_MUC_OWNER);
	struct buf b;
	if (!from && owner) {
		brewery_error(bs, c, st, "auth", "forbidden", NULL);
		return;
	}
	buf_init(&b, 0);
	if (asks(st, "query", NS_DISCO_INFO))
		put_info(&b, jid_view(r->jid).node);
	else if (asks(st, "query", NS_DISCO_ITEMS))
		put_occupants(&b, r);
	else if (owner && st->type == STANZA_GET)
		put_form(&b);
	if (b.n || b.failed || asks(st, "ping", NS_PING) || (owner && st->type == STANZA_SET))
		reply(bs, c, st, &b);
	else
		brewery_error(bs, c, st, "cancel", "service-unavailable", NULL);
	buf_done(&b);
}

void brewery_iq(struct breweries *bs, const struct room_client *c, const struct stanza *st)
{
	const struct brewery *r = brewery_find(bs, st->to.bare);
	bool question = st->type == STANZA_GET || st->type == STANZA_SET;
	if (str_absent(st->to.resource)) {
		if (!question)
			return;
		if (str_absent(st->to.node))
			on_service(bs, c, st);
		else if (r)
			on_room(bs, r, c, st);
		else
			brewery_error(bs, c, st, "cancel", "item-not-found", NULL);
		return;
	}
	const struct brewer *from = r ? brewery_brewer_of(r, c->handle) : NULL;
	const struct brewer *to = r ? brewery_nick(r, st->to.resource) : NULL;
	if (!r || (from && !to)) {
		brewery_error(bs, c, st, "cancel", "item-not-found", NULL);
	} else if (!from) {
		brewery_error(bs, c, st, "cancel", "not-acceptable", NULL);
	} else if (to == from && asks(st, "ping", NS_PING)) {
		const struct buf nothing = {0};
		reply(bs, c, st, &nothing);
	} else {
		relay(bs, from, to, c, st);
	}
}

/* To all, the sender included. */
static void say(struct breweries *bs, struct brewery *r, const struct brewer *from,
        const struct room_client *c, const struct stanza *st)
{
	struct buf b;
	buf_init(&b, 0);
	brewery_put_from(&b, from);
	put_rest(&b, st);
	if (!is_too_large(bs, c, st, &b)) {
		struct block *tail = b.failed ? NULL : block_new(buf_view(&b));
		if (tail)
			brewery_broadcast(r, "message", tail, NULL);
		else
			brewery_error(bs, c, st, "wait", "resource-constraint", NULL);
		block_unref(tail);
	}
	buf_done(&b);
}

void brewery_message(struct breweries *bs, const struct room_client *c, const struct stanza *st)
{
	struct brewery *r = brewery_find(bs, st->to.bare);
	const struct brewer *from = r ? brewery_brewer_of(r, c->handle) : NULL;
	const struct brewer *to =
	        r && !str_absent(st->to.resource) ? brewery_nick(r, st->to.resource) : NULL;
	bool groupchat = st->type == STANZA_GROUPCHAT;
	if (!r)
		brewery_error(bs, c, st, "cancel", "item-not-found", NULL);
	else if (!from)
		brewery_error(bs, c, st, "modify", "not-acceptable", NULL);
	else if (groupchat && str_absent(st->to.resource))
		say(bs, r, from, c, st);
	else if (groupchat || str_absent(st->to.resource))
		brewery_error(bs, c, st, "modify", "bad-request", NULL);
	else if (!to)
		brewery_error(bs, c, st, "cancel", "item-not-found", NULL);
	else
		relay(bs, from, to, c, st);
}
