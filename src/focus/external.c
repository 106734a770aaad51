/* external.c - the focus outside: conference requests handed on to it and
 * its answers handed back. pure
 *
 *   client --iq to the focus address--> policy --iq from focus.<domain>/<client's JID>--> focus
 *   focus --result or error, to the same address--> client, from the address it had asked
 *
 * What is asked has an id of ours, with the number of the worker that waits for the answer. The
 * session of the focus that came last is asked (services.c knows them). */
#include <stdio.h>

#include "base/log.h"
#include "base/mem.h"
#include "focus/internal.h"
#include "focus/services.h"
#include "xmpp/ns.h"

#define ID_PREFIX "gavel-"
#define PENDING_MAX 10000
#define ANSWER_MS 20000 /* Jicofo joins the room before it answers */

/* A request that was handed on. */
struct pending {
	struct list link; /* oldest first */
	struct session_handle client;
	uint32_t number;
	uint64_t until_ms;
	struct str jid, id, asked, room; /* of the client, its IQ, the address it wrote to; absent:
	                                    not about a room */
	char bytes[];
};

#define PENDING_IN(it) LIST_OWNER(it, struct pending, link)

static struct str keep(char **at, struct str s)
{
	char *p = *at;
	if (str_absent(s))
		return s;
	memcpy(p, s.p, s.n);
	*at += s.n;
	return str_from(p, s.n);
}

void external_init(struct focus *f)
{
	list_init(&f->pending);
}

static void drop(struct focus *f, struct pending *p)
{
	list_remove(&p->link);
	f->n_pending--;
	mem_free(p);
}

void external_done(struct focus *f)
{
	timer_stop(&f->overdue);
	while (!list_empty(&f->pending))
		drop(f, PENDING_IN(f->pending.next));
}

void external_gone(struct focus *f, struct session_handle h)
{
	LIST_EACH_SAFE(it, &f->pending)
	{
		if (session_handle_eq(PENDING_IN(it)->client, h))
			drop(f, PENDING_IN(it));
	}
}

/* The client asks again after a while, and after a longer one (signaling: anything but
 * ready='true'). */
static void not_ready(struct focus *f, struct session_handle to, struct str jid, struct str id,
        struct str asked, struct str room)
{
	struct buf b;
	struct stanza_error e = stanza_error_make("wait", "service-unavailable", "No focus");
	const struct stanza st = {.kind = STANZA_IQ, .type = STANZA_SET, .id = id};
	const struct room_client c = {.handle = to};
	buf_init(&b, 0);
	if (str_absent(room)) {
		stanza_error_reply(&b, &st, asked, jid, &e);
	} else {
		stanza_head(&b, STANZA_IQ, "result", id, asked, jid);
		buf_puts(&b, "><conference xmlns='" NS_FOCUS "'");
		xml_attr(&b, "room", room);
		xml_attr(&b, "focusjid", f->settings.focus_jid);
		buf_puts(&b, " ready='false'/></iq>");
	}
	focus_send(f, &c, &b);
	buf_done(&b);
}

static void on_overdue(void *arg, uint64_t now_ms)
{
	struct focus *f = arg;
	f->now_ms = now_ms;
	while (!list_empty(&f->pending)) {
		struct pending *p = PENDING_IN(f->pending.next);
		if (p->until_ms > now_ms) {
			timer_start(f->settings.timers, &f->overdue, p->until_ms, on_overdue, f);
			return;
		}
		log_warn("event=focus-silent room=%s", log_value(p->room));
		not_ready(f, p->client, p->jid, p->id, p->asked, p->room);
		drop(f, p);
	}
}

static struct pending *add_pending(
        struct focus *f, const struct room_client *c, const struct stanza *st, struct str room)
{
	size_t n = c->jid.n + st->id.n + st->to.full.n + room.n;
	struct pending *p = f->n_pending < PENDING_MAX ? mem_alloc(sizeof *p + n) : NULL;
	if (!p)
		return NULL;
	char *at = p->bytes;
	*p = (struct pending){
	        .client = c->handle, .number = f->next_id++, .until_ms = f->now_ms + ANSWER_MS};
	p->jid = keep(&at, c->jid);
	p->id = keep(&at, st->id);
	p->asked = keep(&at, st->to.full);
	p->room = keep(&at, room);
	list_append(&f->pending, &p->link);
	f->n_pending++;
	if (f->settings.timers && !timer_running(&f->overdue))
		timer_start(f->settings.timers, &f->overdue, p->until_ms, on_overdue, f);
	return p;
}

/* As the client wrote it, but for the room: its canonical name. */
static void write_payload(struct buf *b, const struct element *e, struct str room)
{
	buf_putc(b, '<');
	buf_str(b, e->name);
	xml_attr(b, "xmlns", e->ns);
	for (const struct attribute *a = e->attributes; a; a = a->next) {
		if (!str_absent(a->ns))
			continue;
		bool names_room = str_eqc(a->name, "room") && !str_absent(room);
		buf_putc(b, ' ');
		buf_str(b, a->name);
		buf_puts(b, "='");
		xml_escape(b, names_room ? room : a->value);
		buf_putc(b, '\'');
	}
	buf_putc(b, '>');
	xml_write_children(b, e);
	buf_puts(b, "</");
	buf_str(b, e->name);
	buf_putc(b, '>');
}

void external_ask(
        struct focus *f, const struct room_client *c, const struct stanza *st, struct str room)
{
	struct session_handle focus;
	struct str focus_jid;
	bool there = f->settings.services &&
	             services_newest(f->settings.services, SERVICE_FOCUS, &focus, &focus_jid);
	struct pending *p = there ? add_pending(f, c, st, room) : NULL;
	if (!p) {
		if (room_service_may_log(f->rooms))
			log_warn("event=refuse stage=conference because=%s room=%s",
			        there ? "too-many-requests" : "no-focus", log_value(room));
		not_ready(f, c->handle, c->jid, st->id, st->to.full, room);
		return;
	}
	const struct room_client to = {.handle = focus};
	struct buf b;
	buf_init(&b, 0);
	buf_printf(&b, "<iq xmlns='" NS_CLIENT "' type='%s' id='" ID_PREFIX "%u-%u' from='",
	        st->type == STANZA_SET ? "set" : "get", f->settings.worker, (unsigned)p->number);
	xml_escape(&b, f->settings.focus_domain);
	buf_putc(&b, '/');
	xml_escape(&b, c->jid);
	buf_putc(&b, '\'');
	xml_attr(&b, "to", focus_jid);
	buf_putc(&b, '>');
	write_payload(&b, st->payload, room);
	buf_puts(&b, "</iq>");
	bool failed = b.failed;
	focus_send(f, &to, &b);
	buf_done(&b);
	if (failed) {
		not_ready(f, c->handle, c->jid, st->id, st->to.full, room);
		drop(f, p);
	}
}

/* "gavel-<worker>-<number>" */
static bool read_id(struct str id, unsigned *worker, uint32_t *number)
{
	uint64_t w, n;
	struct str rest = str_sub(id, sizeof ID_PREFIX - 1, id.n);
	size_t dash = str_find(rest, '-');
	if (!str_starts(id, STR(ID_PREFIX)) || dash >= rest.n ||
	        !str_u64(str_sub(rest, 0, dash), &w) ||
	        !str_u64(str_sub(rest, dash + 1, rest.n), &n) || w > UINT32_MAX || n > UINT32_MAX)
		return false;
	*worker = (unsigned)w;
	*number = (uint32_t)n;
	return true;
}

static bool is_answer(const struct focus *f, enum service service, const struct stanza *st)
{
	return f->settings.outside && service == SERVICE_FOCUS && st->kind == STANZA_IQ &&
	       (st->type == STANZA_RESULT || st->type == STANZA_ERROR) && str_absent(st->to.node) &&
	       str_eq(st->to.domain, f->settings.focus_domain);
}

bool focus_answer_for(
        const struct focus *f, enum service service, const struct stanza *st, unsigned *worker)
{
	uint32_t number;
	return is_answer(f, service, st) && read_id(st->id, worker, &number);
}

bool external_answer(struct focus *f, const struct room_client *c, const struct stanza *st)
{
	unsigned worker;
	uint32_t number;
	if (!is_answer(f, c->service, st))
		return false;
	if (!read_id(st->id, &worker, &number) || worker != f->settings.worker)
		return true; /* to nothing that was asked */
	LIST_EACH_SAFE(it, &f->pending)
	{
		struct pending *p = PENDING_IN(it);
		if (p->number != number)
			continue;
		const struct room_client to = {.handle = p->client};
		struct buf b;
		buf_init(&b, 0);
		stanza_head(&b, STANZA_IQ, st->type == STANZA_RESULT ? "result" : "error", p->id,
		        p->asked, p->jid);
		buf_putc(&b, '>');
		xml_write_children(&b, st->element);
		buf_puts(&b, "</iq>");
		focus_send(f, &to, &b);
		buf_done(&b);
		drop(f, p);
		return true;
	}
	return true; /* too late */
}
