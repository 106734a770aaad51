/* services.c - which services are there, and what one says to another. pure */
#include "focus/services.h"

#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "room/brewery.h"
#include "session/directory.h"
#include "xmpp/error.h"
#include "xmpp/ns.h"

#define STANZA_BYTES_MAX (10u << 20) /* of one that is handed on */
#define HEAD_BYTES 4096

/* A session of a service. */
struct present {
	struct list link; /* the newest last */
	struct session_handle handle;
	enum service kind;
	struct jid jid; /* its own bytes */
	char bytes[];
};

struct services {
	struct services_settings settings;
	const struct outbox *outbox;
	struct breweries *breweries;
	struct list present;
	struct buf head; /* of what is short: it seldom has to grow */
};

#define PRESENT_IN(it) LIST_OWNER(it, struct present, link)

static bool on_opened(void *arg, struct str room)
{
	const struct services *x = arg;
	return directory_room_opened(x->settings.directory, room, x->settings.worker);
}

static void on_ended(void *arg, struct str room)
{
	const struct services *x = arg;
	directory_room_ended(x->settings.directory, room);
}

struct services *services_new(const struct services_settings *settings, const struct outbox *outbox)
{
	struct services *x = mem_zalloc(sizeof *x);
	struct brewery_settings breweries = brewery_settings_default;
	if (!x)
		return NULL;
	x->settings = *settings;
	x->outbox = outbox;
	list_init(&x->present);
	breweries.domain = settings->internal_muc_domain;
	breweries.rooms = settings->breweries;
	breweries.occupants = settings->occupants;
	if (settings->directory) {
		breweries.arg = x;
		breweries.opened = on_opened;
		breweries.ended = on_ended;
	}
	buf_init(&x->head, 0);
	x->breweries = buf_reserve(&x->head, HEAD_BYTES) ? breweries_new(&breweries, outbox) : NULL;
	if (x->breweries)
		return x;
	buf_done(&x->head);
	mem_free(x);
	return NULL;
}

void services_free(struct services *x)
{
	if (!x)
		return;
	breweries_free(x->breweries);
	LIST_EACH_SAFE(it, &x->present)
	mem_free(PRESENT_IN(it));
	buf_done(&x->head);
	mem_free(x);
}

const struct breweries *services_breweries(const struct services *x)
{
	return x->breweries;
}

/* By full address, or the newest of an account. */
static struct present *find(const struct services *x, const struct jid *jid)
{
	for (struct list *it = x->present.prev; it != &x->present; it = it->prev) {
		struct present *p = PRESENT_IN(it);
		if (str_absent(jid->resource) ? str_eq(p->jid.bare, jid->bare)
		                              : str_eq(p->jid.full, jid->full))
			return p;
	}
	return NULL;
}

static void forget(struct present *p)
{
	list_remove(&p->link);
	mem_free(p);
}

static bool is_outside_focus(const struct services *x, const struct present *p)
{
	return x->settings.focus_outside && p->kind == SERVICE_FOCUS;
}

void services_came(struct services *x, const struct room_client *c)
{
	const struct jid jid = jid_view(c->jid);
	struct present *old = find(x, &jid);
	struct present *p = mem_zalloc(sizeof *p + c->jid.n + 1);
	bool here = c->handle.worker == x->settings.worker;
	if (!p) {
		log_error("event=no-memory where=services");
		x->outbox->close(x->outbox->arg, c->handle, "resource-constraint", STR_NONE);
		return;
	}
	if (old && !session_handle_eq(old->handle, c->handle)) {
		log_info("event=service-replaced jid=%s", log_value(c->jid));
		if (here)
			x->outbox->close(x->outbox->arg, old->handle, "conflict", STR_NONE);
		forget(old);
	}
	p->handle = c->handle;
	p->kind = c->service;
	memcpy(p->bytes, c->jid.p, c->jid.n);
	p->jid = jid_view(str_from(p->bytes, c->jid.n));
	list_append(&x->present, &p->link);
	if (here && is_outside_focus(x, p))
		log_info("event=focus-connected jid=%s", log_value(c->jid));
}

void services_gone(struct services *x, struct session_handle h)
{
	breweries_gone(x->breweries, h);
	LIST_EACH_SAFE(it, &x->present)
	{
		struct present *p = PRESENT_IN(it);
		if (!session_handle_eq(p->handle, h))
			continue;
		if (h.worker == x->settings.worker && is_outside_focus(x, p))
			log_warn("event=focus-gone jid=%s", log_value(p->jid.full));
		forget(p);
	}
}

bool services_newest(
        const struct services *x, enum service kind, struct session_handle *h, struct str *jid)
{
	for (struct list *it = x->present.prev; it != &x->present; it = it->prev) {
		const struct present *p = PRESENT_IN(it);
		if (p->kind != kind)
			continue;
		*h = p->handle;
		*jid = p->jid.full;
		return true;
	}
	return false;
}

/* What could not be written ends the receiver: it would wait without end. */
static void send_head(struct services *x, struct session_handle to)
{
	if (x->head.failed) {
		log_error("event=no-memory where=services");
		x->outbox->close(x->outbox->arg, to, "resource-constraint", STR_NONE);
	} else if (x->head.n) {
		x->outbox->send(x->outbox->arg, to, buf_view(&x->head), NULL);
	}
}

static void refuse(struct services *x, const struct room_client *c, const struct stanza *st,
        const char *type, const char *condition)
{
	struct stanza_error e = stanza_error_make(type, condition, NULL);
	buf_reset(&x->head);
	stanza_error_reply(&x->head, st, st->to.full, c->jid, &e);
	send_head(x, c->handle);
}

/* There was no memory for an answer: whoever waits for one gets this. */
static void send_lost(struct services *x, const struct room_client *c, const struct present *to,
        const struct stanza *st)
{
	struct stanza_error e = stanza_error_make("wait", "resource-constraint", NULL);
	buf_reset(&x->head);
	stanza_head(&x->head, STANZA_IQ, "error", st->id, c->jid, to->jid.full);
	buf_putc(&x->head, '>');
	stanza_error_write(&x->head, &e);
	buf_puts(&x->head, "</iq>");
	send_head(x, to->handle);
}

/* As it came, but for the addresses: the sender's is his own, whatever he wrote. */
static void hand_on(struct services *x, const struct room_client *c, const struct present *to,
        const struct stanza *st)
{
	struct buf b;
	buf_init(&b, STANZA_BYTES_MAX);
	buf_printf(&b, "<%s xmlns='" NS_CLIENT "'", stanza_kind_name(st->kind));
	xml_attr(&b, "type", element_attr(st->element, "type"));
	xml_attr(&b, "id", st->id);
	xml_attr(&b, "from", c->jid);
	xml_attr(&b, "to", to->jid.full);
	buf_putc(&b, '>');
	xml_write_children(&b, st->element);
	buf_printf(&b, "</%s>", stanza_kind_name(st->kind));
	if (b.failed && stanza_answerable(st))
		refuse(x, c, st, "wait", "resource-constraint");
	else if (b.failed && st->kind == STANZA_IQ)
		send_lost(x, c, to, st);
	else if (!b.failed)
		x->outbox->send(x->outbox->arg, to->handle, buf_view(&b), NULL);
	buf_done(&b);
}

/* To the address of an account: nobody else than services may write there. */
static void to_account(struct services *x, const struct room_client *c, const struct stanza *st)
{
	if (st->kind == STANZA_PRESENCE)
		return; /* no subscriptions, no rosters */
	/* an IQ to a bare address is the server's to answer, and it knows nothing of an account */
	bool answerable = st->kind == STANZA_MESSAGE || !str_absent(st->to.resource);
	const struct present *to = c->service && answerable ? find(x, &st->to) : NULL;
	if (to)
		hand_on(x, c, to, st);
	else
		refuse(x, c, st, "cancel", "service-unavailable");
}

static bool is_account_domain(const struct services *x, struct str domain)
{
	return str_eq(domain, x->settings.auth_domain) || str_eq(domain, x->settings.hidden_domain);
}

bool services_stanza(struct services *x, const struct room_client *c, const struct stanza *st)
{
	if (str_eq(st->to.domain, x->settings.internal_muc_domain)) {
		if (c->service)
			breweries_stanza(x->breweries, c, st);
		else /* as of a domain that there is not */
			refuse(x, c, st, "cancel", "service-unavailable");
		return true;
	}
	if (str_absent(st->to.node) || !is_account_domain(x, st->to.domain))
		return false;
	to_account(x, c, st);
	return true;
}

bool services_room_of(
        const struct services *x, const struct stanza *st, struct buf *room, bool *opens)
{
	if (str_absent(st->to.node) || !str_eq(st->to.domain, x->settings.internal_muc_domain))
		return false;
	*opens = st->kind == STANZA_PRESENCE && st->type == STANZA_PLAIN;
	buf_str(room, st->to.bare);
	return true;
}
