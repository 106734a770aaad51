/* message.c - chat to all and to one, the subject, and what a newcomer is told of both. pure */
#include <stdio.h>
#include <time.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "room/model.h"
#include "xmpp/ns.h"

#define BODY_END "</message>"

static void answer(struct room_service *s, const struct room_client *c, const struct stanza *st,
        const char *type, const char *condition, const char *text)
{
	struct stanza_error e = stanza_error_make(type, condition, text);
	service_error(s, c, st, &e);
}

/* Names come from presence and history marks, a delay from us (clients take any element of the old
 * namespace for one), the original sender and muc#user from the room: none from a sender. A subject
 * beside a body would be shown as the meeting's title. */
static bool is_relayed(const struct element *e)
{
	static const char *const names[] = {
	        "nick", "display-name", "delay", "addresses", "subject", "error"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (str_eqc(e->name, names[i]))
			return false;
	}
	return !str_eqc(e->ns, NS_DELAY_OLD) && !element_is(e, "x", NS_MUC_USER);
}

static void write_children(struct buf *b, const struct stanza *st)
{
	for (const struct element *c = element_first(st->element); c; c = element_next(c)) {
		if (!is_relayed(c))
			continue;
		/* replies are honoured only with a namespace that not every sender writes */
		if (element_is(c, "reply", NS_CLIENT)) {
			buf_puts(b, "<reply xmlns='" NS_REPLY "'");
			xml_attr(b, "to", element_attr(c, "to"));
			xml_attr(b, "id", element_attr(c, "id"));
			buf_puts(b, "/>");
			continue;
		}
		xml_write(b, c, STR(NS_CLIENT));
	}
}

/* " from='room/nick' type='..' id='..'>"; type NULL: none, which is "normal" */
static void write_start(
        struct buf *b, const struct occupant *from, const char *type, const struct stanza *st)
{
	char made[17] = "";
	struct str id = st->id;
	if (str_absent(id) && rand_hex(made, 16))
		id = str_c(made);
	buf_puts(b, " from='");
	occupant_write_jid(from, b);
	buf_putc(b, '\'');
	if (type)
		xml_attr(b, "type", str_c(type));
	xml_attr(b, "id", id);
	buf_putc(b, '>');
}

static void drop_oldest(struct room *r)
{
	struct history_line *line = LIST_OWNER(r->history.next, struct history_line, link);
	list_remove(&line->link);
	r->n_history--;
	r->history_bytes -= line->tail->n;
	block_unref(line->tail);
	mem_free(line);
}

/* Keeps a chat line for newcomers, with the time and the author's name as it was. */
static void remember(struct room *r, const struct occupant *from, const struct buf *whole)
{
	const struct room_settings *limits = &r->service->settings;
	time_t now = (time_t)service_unix(r->service);
	struct tm tm;
	char stamp[32] = "";
	struct buf b;
	if (limits->history_messages == 0 || whole->n > limits->history_bytes / 4)
		return;
	if (gmtime_r(&now, &tm))
		strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%SZ", &tm);
	buf_init(&b, 0);
	buf_add(&b, whole->p, whole->n - (sizeof BODY_END - 1));
	if (from->name) {
		buf_printf(&b, "<display-name xmlns='" NS_DISPLAY_NAME "' source='%s'>",
		        from->claims ? "token" : "guest");
		xml_text(&b, str_c(from->name));
		buf_puts(&b, "</display-name>");
	}
	buf_printf(&b, "<delay xmlns='" NS_DELAY "' stamp='%s' from='", stamp);
	xml_escape(&b, r->jid);
	buf_puts(&b, "'/>" BODY_END);
	struct history_line *line = mem_zalloc(sizeof *line);
	struct block *tail = b.failed ? NULL : block_new(buf_view(&b));
	buf_done(&b);
	if (!line || !tail) {
		mem_free(line);
		block_unref(tail);
		return; /* a line less in the history of newcomers */
	}
	line->tail = tail;
	list_append(&r->history, &line->link);
	r->n_history++;
	r->history_bytes += tail->n;
	while (r->n_history > limits->history_messages || r->history_bytes > limits->history_bytes)
		drop_oldest(r);
}

void message_free_history(struct room *r)
{
	while (!list_empty(&r->history))
		drop_oldest(r);
}

static void write_subject(const struct room *r, struct buf *b)
{
	buf_puts(b, " from='");
	xml_escape(b, r->jid);
	if (r->subject_nick)
		buf_printf(b, "/%s", r->subject_nick);
	buf_puts(b, "' type='groupchat'><subject>");
	if (r->subject)
		xml_text(b, str_c(r->subject));
	buf_puts(b, "</subject>" BODY_END);
}

/* How many lines of history a newcomer wants (XEP-0045 7.2.13). */
static uint64_t wanted_lines(const struct element *muc_x)
{
	const struct element *h = element_child(muc_x, "history", NULL);
	uint64_t n = UINT64_MAX, chars;
	if (str_u64(element_attr(h, "maxchars"), &chars) && chars == 0)
		return 0;
	return str_u64(element_attr(h, "maxstanzas"), &n) ? n : UINT64_MAX;
}

void message_welcome(struct occupant *o, const struct element *muc_x)
{
	struct room *r = o->room;
	uint64_t wanted = wanted_lines(muc_x);
	unsigned skip = r->n_history > wanted ? r->n_history - (unsigned)wanted : 0;
	LIST_EACH(it, &r->history)
	{
		struct history_line *line = LIST_OWNER(it, struct history_line, link);
		if (skip > 0)
			skip--;
		else
			room_send(r, "message", o, line->tail);
	}
	struct buf b;
	buf_init(&b, 0);
	buf_puts(&b, "<message xmlns='" NS_CLIENT "'");
	xml_attr(&b, "to", str_c(o->jid));
	write_subject(r, &b);
	service_send(r->service, o->handle, &b);
	buf_done(&b);
}

static void on_subject(struct occupant *from, const struct room_client *c, const struct stanza *st,
        struct str subject)
{
	struct room *r = from->room;
	struct room_service *s = r->service;
	if (!seat_is_moderator(&from->seat)) {
		if (room_service_may_log(s))
			log_info("room=%s occupant=%s event=subject refused because=not-moderator",
			        log_value(r->node), from->nick);
		answer(s, c, st, "auth", "forbidden", "You are not allowed to change the subject");
		return;
	}
	if (subject.n > s->settings.subject_bytes) {
		s->counters.limit_subject++;
		answer(s, c, st, "modify", "not-acceptable", "Subject too long");
		return;
	}
	char *text = mem_strndup(subject.p, subject.n);
	char *nick = mem_strndup(from->nick, strlen(from->nick));
	struct buf b;
	buf_init(&b, 0);
	if (text && nick) {
		mem_free(r->subject);
		mem_free(r->subject_nick);
		r->subject = text;
		r->subject_nick = nick;
		write_subject(r, &b);
	} else {
		mem_free(text);
		mem_free(nick);
		b.failed = true;
	}
	struct block *tail = b.failed ? NULL : block_new(buf_view(&b));
	buf_done(&b);
	if (tail)
		room_broadcast(r, "message", tail, NULL);
	else
		answer(s, c, st, "wait", "resource-constraint", NULL);
	block_unref(tail);
}

/* Serialised and within bounds, as a block; NULL: the sender has been told. */
static struct block *make_tail(struct room_service *s, const struct room_client *c,
        const struct stanza *st, const struct buf *b)
{
	if (b->n > s->settings.message_bytes) {
		s->counters.limit_message++;
		if (room_service_may_log(s))
			log_warn("event=limit limit=message_bytes session=%.8s",
			        c->key.n ? c->key.p : "-");
		answer(s, c, st, "modify", "not-acceptable", "Message too large");
		return NULL;
	}
	struct block *tail = b->failed ? NULL : block_new(buf_view(b));
	if (!tail) {
		service_no_memory(s, "message");
		answer(s, c, st, "wait", "resource-constraint", NULL);
	}
	return tail;
}

static void on_groupchat(
        struct occupant *from, const struct room_client *c, const struct stanza *st)
{
	struct room *r = from->room;
	struct arena a;
	const struct element *body = element_child(st->element, "body", NULL);
	const struct element *subject = element_child(st->element, "subject", NULL);
	if (subject && !body) {
		arena_init(&a, 0);
		on_subject(from, c, st, element_text(subject, &a));
		arena_done(&a);
		return;
	}
	struct buf b;
	buf_init(&b, 0);
	write_start(&b, from, "groupchat", st);
	write_children(&b, st);
	buf_puts(&b, BODY_END);
	struct block *tail = make_tail(r->service, c, st, &b);
	if (tail) {
		room_broadcast(r, "message", tail, NULL);
		if (body && body->first)
			remember(r, from, &b);
	}
	block_unref(tail);
	buf_done(&b);
}

static void on_private(struct occupant *from, const struct room_client *c, const struct stanza *st)
{
	struct room *r = from->room;
	struct occupant *to = room_occupant(r, st->to.resource);
	if (!to) {
		answer(r->service, c, st, "cancel", "item-not-found", NULL);
		return;
	}
	struct buf b;
	buf_init(&b, 0);
	write_start(&b, from, st->type == STANZA_CHAT ? "chat" : NULL, st);
	write_children(&b, st);
	buf_puts(&b, "<x xmlns='" NS_MUC_USER "'/>" BODY_END);
	struct block *tail = make_tail(r->service, c, st, &b);
	if (tail)
		room_send(r, "message", to, tail);
	block_unref(tail);
	buf_done(&b);
}

void message_on(struct room_service *s, const struct room_client *c, const struct stanza *st)
{
	struct room *r = room_find(s, st->to.bare);
	struct occupant *from = r ? room_occupant_of(r, c->handle) : NULL;
	if (st->type == STANZA_ERROR)
		return;
	if (!from)
		answer(s, c, st, "cancel", "not-acceptable",
		        "You are not currently connected to this chat");
	else if (st->type == STANZA_GROUPCHAT && str_absent(st->to.resource))
		on_groupchat(from, c, st);
	else if ((st->type == STANZA_CHAT || st->type == STANZA_PLAIN) &&
	         !str_absent(st->to.resource))
		on_private(from, c, st);
	else if (element_child(st->element, "x", NS_MUC_USER))
		answer(s, c, st, "cancel", "feature-not-implemented",
		        "Invitations need a lobby, which this server does not have");
	else
		answer(s, c, st, "modify", "bad-request", NULL);
}
