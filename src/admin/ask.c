/* ask.c - questions of the control socket, answered. pure */
#include "admin/ask.h"

#include "base/err.h"
#include "policy/match.h"

static void fail_str(struct buf *out, struct str why)
{
	buf_puts(out, "{\"ok\":false,\"error\":");
	jval_quote(why, out);
	buf_puts(out, "}\n");
}

static void fail(struct buf *out, const char *why)
{
	fail_str(out, str_c(why));
}

/* A room by its JID, by its node, or by the name that people read; [tenant]room is a tenant's. */
static struct room *find_room(const struct ask_sources *s, struct str name)
{
	struct buf b;
	struct str tenant, plain;
	struct room *r = NULL;
	if (str_find(name, '@') < name.n)
		return room_find(s->rooms, name);
	buf_init(&b, 0);
	room_split_tenant(name, &tenant, &plain);
	if (room_canonical(plain, &b) == ERR_OK) {
		buf_putc(&b, '@');
		muc_host_write(&s->muc, tenant, &b);
		r = room_find(s->rooms, buf_view(&b));
	}
	buf_done(&b);
	return r;
}

void ask_begin(struct ask *a, struct str question)
{
	*a = (struct ask){.question = jval_parse(question, 4, NULL)};
	buf_init(&a->found, 0);
	struct str what = jval_str(jval_getc(a->question, "ask"));
	if (str_eqc(what, "record"))
		a->what = ASK_RECORD;
	else if (str_eqc(what, "rooms"))
		a->what = ASK_ROOMS;
	else if (str_eqc(what, "counters"))
		a->what = ASK_COUNTERS;
	else if (str_eqc(what, "keys"))
		a->what = ASK_KEYS;
	else if (str_eqc(what, "reload"))
		a->what = ASK_RELOAD;
}

void ask_done(struct ask *a)
{
	jval_free(a->question);
	buf_done(&a->found);
}

/* Only one worker has the room. */
static void gather_record(struct ask *a, const struct ask_sources *s)
{
	const struct room *r = find_room(s, jval_str(jval_getc(a->question, "room")));
	if (!r)
		return;
	a->room_found = true;
	struct jval *record = room_record_json(r, jval_str(jval_getc(a->question, "occupant")));
	if (record)
		jval_write(record, &a->found);
	jval_free(record);
}

static void gather_rooms(struct ask *a, const struct ask_sources *s)
{
	size_t pos = 0;
	struct room *r;
	struct buf *out = &a->found;
	while ((r = room_next(s->rooms, &pos))) {
		buf_puts(out, out->n ? ",{\"room\":" : "{\"room\":");
		jval_quote(room_jid(r), out);
		buf_puts(out, ",\"meeting\":");
		jval_quote(room_meeting_id(r), out);
		buf_printf(out, ",\"occupants\":%u,\"moderators\":%u}", room_size(r),
		        room_moderators(r));
	}
}

static void add_counter(struct ask *a, const struct counter *c)
{
	for (size_t i = 0; i < a->n_counters; i++) {
		if (strcmp(a->counters[i].name, c->name) == 0) {
			a->counters[i].count += c->count;
			return;
		}
	}
	if (a->n_counters < ASK_COUNTERS_MAX)
		a->counters[a->n_counters++] = *c;
}

static void gather_counters(struct ask *a, const struct ask_sources *s)
{
	struct counter all[ASK_COUNTERS_MAX];
	size_t n = s->rooms ? room_service_list_counters(s->rooms, all, ASK_COUNTERS_MAX) : 0;
	if (s->counters)
		n += s->counters(s->arg, all + n, ASK_COUNTERS_MAX - n);
	for (size_t i = 0; i < n; i++)
		add_counter(a, &all[i]);
}

void ask_gather(struct ask *a, const struct ask_sources *sources)
{
	if (a->what == ASK_COUNTERS)
		gather_counters(a, sources);
	else if (a->what == ASK_RECORD && sources->rooms)
		gather_record(a, sources);
	else if (a->what == ASK_ROOMS && sources->rooms)
		gather_rooms(a, sources);
	else if (a->what == ASK_KEYS && sources->keys)
		sources->keys(sources->arg, &a->found);
}

static void finish_record(const struct ask *a, struct buf *out)
{
	if (!a->room_found) {
		fail(out, "no such room");
	} else if (!a->found.n) {
		fail(out, "no such occupant in this room");
	} else {
		buf_puts(out, "{\"ok\":true,\"result\":");
		buf_str(out, buf_view(&a->found));
		buf_puts(out, "}\n");
	}
}

static void finish_counters(const struct ask *a, struct buf *out)
{
	buf_puts(out, "{\"ok\":true,\"result\":{");
	for (size_t i = 0; i < a->n_counters; i++) {
		buf_puts(out, i ? "," : "");
		jval_quote(str_c(a->counters[i].name), out);
		buf_printf(out, ":%llu", (unsigned long long)a->counters[i].count);
	}
	buf_puts(out, "}}\n");
}

void ask_finish(struct ask *a, struct buf *out)
{
	if (a->found.failed) {
		fail(out, "out of memory");
	} else if (a->what == ASK_RECORD) {
		finish_record(a, out);
	} else if (a->what == ASK_ROOMS) {
		buf_puts(out, "{\"ok\":true,\"result\":[");
		buf_str(out, buf_view(&a->found));
		buf_puts(out, "]}\n");
	} else if (a->what == ASK_COUNTERS) {
		finish_counters(a, out);
	} else if (a->what == ASK_KEYS) {
		buf_puts(out, "{\"ok\":true,\"result\":");
		buf_str(out, a->found.n ? buf_view(&a->found) : STR("[]"));
		buf_puts(out, "}\n");
	} else if (a->what == ASK_RELOAD && a->reloaded) {
		buf_puts(out, "{\"ok\":true,\"result\":null}\n");
	} else if (a->what == ASK_RELOAD) {
		fail_str(out, buf_view(&a->found));
	} else {
		fail(out, "unknown question");
	}
}
