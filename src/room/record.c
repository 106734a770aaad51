/* record.c - the running "why" of each occupant: the decision at the door, and everything that
 * changed it. pure */
#include "base/mem.h"
#include "room/model.h"

#define VALUE_BYTES_MAX 120

static void write_warnings(struct buf *b, unsigned warnings)
{
	bool first = true;
	buf_puts(b, ",\"warnings\":[");
	for (unsigned i = 0; i < WARNING_COUNT; i++) {
		if (!(warnings >> i & 1u))
			continue;
		buf_printf(b, "%s\"%s\"", first ? "" : ",", warning_name((enum warning_index)i));
		first = false;
	}
	buf_putc(b, ']');
}

/* At most max bytes, whole characters. */
static struct str cut(struct str s, size_t max)
{
	if (s.n <= max)
		return s;
	while (max > 0 && ((unsigned char)s.p[max] & 0xc0) == 0x80)
		max--;
	return str_from(s.p, max);
}

static void write_claims(struct buf *b, const struct claim_reading *c)
{
	struct buf value;
	bool first = true;
	buf_init(&value, 0);
	buf_puts(b, ",\"claims\":[");
	for (unsigned i = 0; i < c->n_facts; i++) {
		const struct claim_fact *f = &c->facts[i];
		if (!f->value)
			continue;
		buf_reset(&value);
		jval_write(f->value, &value);
		buf_puts(b, first ? "{\"path\":" : ",{\"path\":");
		jval_quote(f->path, b);
		buf_puts(b, ",\"key\":");
		jval_quote(str_c(f->key ? f->key : ""), b);
		buf_puts(b, ",\"value\":");
		jval_quote(cut(buf_view(&value), VALUE_BYTES_MAX), b); /* as text: it may be cut */
		buf_printf(b, ",\"says\":\"%s\"%s}", claim_class_word(f->class),
		        f->misplaced ? ",\"misplaced\":true" : "");
		first = false;
	}
	buf_putc(b, ']');
	if (c->conflict)
		buf_puts(b, ",\"conflict\":true");
	buf_done(&value);
}

/* The verdict as text: what it points to is gone with the call. */
static char *write_decision(const struct occupant *o, const struct verdict *v)
{
	const struct room_service *s = o->room->service;
	struct buf b;
	buf_init(&b, 0);
	buf_printf(&b,
	        "{\"at\":%.3f,\"affiliation\":\"%s\",\"role\":\"%s\",\"source\":\"%s\",\"reason\":"
	        "\"%s\"",
	        service_unix(s), affiliation_name(v->affiliation), role_name(v->role),
	        source_name(v->source), reason_name(v->reason));
	if (v->trace.rule)
		buf_printf(&b, ",\"rule\":%u", v->trace.rule);
	if (v->trace.has_claims)
		buf_printf(&b, ",\"silent_reason\":\"%s\"", reason_name(v->trace.silent_reason));
	buf_puts(&b, ",\"name\":");
	if (o->name)
		jval_quote(str_c(o->name), &b);
	else
		buf_puts(&b, "null");
	buf_printf(&b, ",\"name_editable\":%s,\"token\":%s", v->name_frozen ? "false" : "true",
	        o->claims ? "true" : "false");
	if (o->claims) {
		buf_puts(&b, ",\"iss\":");
		jval_quote(o->claims->iss, &b);
	}
	write_warnings(&b, v->warnings | (o->claims ? o->claims->warnings : 0));
	if (v->trace.has_claims)
		write_claims(&b, &v->trace.claims);
	buf_putc(&b, '}');
	return buf_steal(&b);
}

struct record *record_new(const struct occupant *o, const struct verdict *v)
{
	struct record *rec = mem_zalloc(sizeof *rec);
	if (!rec)
		return NULL;
	list_init(&rec->link);
	list_init(&rec->events);
	rec->nick = mem_strndup(o->nick, strlen(o->nick));
	rec->jid = mem_strndup(o->jid, strlen(o->jid));
	rec->decision = write_decision(o, v);
	if (rec->nick && rec->jid && rec->decision)
		return rec;
	record_free(rec);
	return NULL;
}

static void drop_first(struct record *rec)
{
	struct record_event *e = LIST_OWNER(rec->events.next, struct record_event, link);
	list_remove(&e->link);
	rec->n_events--;
	mem_free(e);
}

void record_free(struct record *rec)
{
	if (!rec)
		return;
	if (rec->room) {
		list_remove(&rec->link);
		list_remove(&rec->among);
		rec->room->n_departed--;
		rec->room->service->n_departed--;
	}
	while (!list_empty(&rec->events))
		drop_first(rec);
	mem_free(rec->nick);
	mem_free(rec->jid);
	mem_free(rec->decision);
	mem_free(rec);
}

void record_add(
        struct occupant *o, const char *what, enum reason reason, const struct occupant *actor)
{
	struct record *rec = o->record;
	unsigned max = o->room->service->settings.record_events;
	struct record_event *e = rec && max ? mem_zalloc(sizeof *e) : NULL;
	if (!e) {
		if (rec)
			rec->dropped++;
		return;
	}
	e->at = service_unix(o->room->service);
	e->reason = reason;
	e->affiliation = o->seat.affiliation;
	e->role = o->seat.role;
	e->source = o->seat.source;
	size_t n = actor ? strlen(actor->nick) : 0;
	if (n)
		memcpy(e->actor, actor->nick, n < sizeof e->actor ? n : sizeof e->actor - 1);
	n = strlen(what);
	memcpy(e->what, what, n < sizeof e->what ? n : sizeof e->what - 1);
	list_append(&rec->events, &e->link);
	if (++rec->n_events > max) {
		drop_first(rec);
		rec->dropped++;
	}
}

void record_depart(struct occupant *o)
{
	struct room *r = o->room;
	struct record *rec = o->record;
	o->record = NULL;
	if (!rec)
		return;
	struct room_service *s = r->service;
	rec->room = r;
	list_append(&r->departed, &rec->link);
	list_append(&s->departed, &rec->among);
	s->n_departed++;
	if (++r->n_departed > s->settings.record_departed)
		record_free(LIST_OWNER(r->departed.next, struct record, link));
	if (s->n_departed > s->settings.record_departed_all)
		record_free(LIST_OWNER(s->departed.next, struct record, among));
}

static void write_event(struct buf *b, const struct record_event *e)
{
	buf_printf(b, "{\"at\":%.3f,\"event\":\"%s\",\"by\":", e->at, e->what);
	if (e->actor[0])
		jval_quote(str_c(e->actor), b);
	else
		buf_puts(b, "null");
	buf_puts(b, ",\"reason\":");
	jval_quote(str_c(reason_name(e->reason)), b);
	buf_printf(b, ",\"affiliation\":\"%s\",\"role\":\"%s\",\"source\":\"%s\"}",
	        affiliation_name(e->affiliation), role_name(e->role), source_name(e->source));
}

static void write_record(struct buf *b, const struct record *rec, const struct occupant *o)
{
	buf_puts(b, "{\"occupant\":");
	jval_quote(str_c(rec->nick), b);
	buf_puts(b, ",\"jid\":");
	jval_quote(str_c(rec->jid), b);
	buf_printf(b, ",\"present\":%s", o ? "true" : "false");
	if (o) {
		buf_printf(b,
		        ",\"now\":{\"affiliation\":\"%s\",\"role\":\"%s\",\"source\":\"%s\","
		        "\"state\":\"%s\",\"name\":",
		        affiliation_name(o->seat.affiliation), role_name(o->seat.role),
		        source_name(o->seat.source),
		        o->seat.state == SEAT_HIBERNATING ? "hibernating" : "live");
		if (o->name)
			jval_quote(str_c(o->name), b);
		else
			buf_puts(b, "null");
		buf_putc(b, '}');
	}
	buf_puts(b, ",\"decision\":");
	buf_puts(b, rec->decision);
	buf_puts(b, ",\"events\":[");
	LIST_EACH(it, &rec->events)
	{
		if (it != rec->events.next)
			buf_putc(b, ',');
		write_event(b, LIST_OWNER(it, struct record_event, link));
	}
	buf_printf(b, "],\"events_dropped\":%u}", rec->dropped);
}

static bool is_wanted(const struct record *rec, struct str who)
{
	return str_absent(who) || str_eqc(who, rec->nick) || str_eqc(who, rec->jid) ||
	       str_eq(who, jid_view(str_c(rec->jid)).bare);
}

struct jval *room_record_json(const struct room *r, struct str who)
{
	struct buf b;
	unsigned found = 0;
	buf_init(&b, 0);
	buf_puts(&b, "{\"room\":");
	jval_quote(r->jid, &b);
	buf_printf(&b,
	        ",\"meeting\":\"%s\",\"opened\":%.3f,\"occupants\":%u,\"moderators\":%u,\"had_"
	        "moderator\":%"
	        "s,"
	        "\"password\":%s,\"records\":[",
	        r->meeting_id, r->opened, r->n, r->moderators, r->had_moderator ? "true" : "false",
	        r->password ? "true" : "false");
	LIST_EACH(it, &r->occupants)
	{
		const struct occupant *o = OCCUPANT_IN(it);
		if (!o->record || !is_wanted(o->record, who))
			continue;
		if (found++)
			buf_putc(&b, ',');
		write_record(&b, o->record, o);
	}
	LIST_EACH(it, &r->departed)
	{
		const struct record *rec = LIST_OWNER(it, struct record, link);
		if (!is_wanted(rec, who))
			continue;
		if (found++)
			buf_putc(&b, ',');
		write_record(&b, rec, NULL);
	}
	buf_puts(&b, "]}");
	struct jval *out = b.failed || (!str_absent(who) && found == 0)
	                           ? NULL
	                           : jval_parse(buf_view(&b), 16, NULL);
	buf_done(&b);
	return out;
}
