/* ask.c - questions of the control socket, answered. pure */
#include "admin/ask.h"

#include "base/err.h"
#include "policy/match.h"

#define COUNTERS_MAX 128

static void fail(struct buf *out, const char *why)
{
	buf_puts(out, "{\"ok\":false,\"error\":");
	jval_quote(str_c(why), out);
	buf_puts(out, "}\n");
}

/* A room by its JID, by its node, or by the name that people read. */
static struct room *find_room(const struct ask_sources *s, struct str name)
{
	struct buf b;
	struct room *r = NULL;
	if (str_find(name, '@') < name.n)
		return room_find(s->rooms, name);
	buf_init(&b, 0);
	if (room_canonical(name, &b) == ERR_OK) {
		buf_putc(&b, '@');
		buf_str(&b, s->muc_domain);
		r = room_find(s->rooms, buf_view(&b));
	}
	buf_done(&b);
	return r;
}

static void answer_record(const struct ask_sources *s, const struct jval *question, struct buf *out)
{
	struct str occupant = jval_str(jval_getc(question, "occupant"));
	struct room *r = find_room(s, jval_str(jval_getc(question, "room")));
	if (!r) {
		fail(out, "no such room");
		return;
	}
	struct jval *record = room_record_json(r, occupant);
	if (!record) {
		fail(out, "no such occupant in this room");
		return;
	}
	buf_puts(out, "{\"ok\":true,\"result\":");
	jval_write(record, out);
	buf_puts(out, "}\n");
	jval_free(record);
}

static void answer_rooms(const struct ask_sources *s, struct buf *out)
{
	size_t pos = 0;
	bool first = true;
	struct room *r;
	buf_puts(out, "{\"ok\":true,\"result\":[");
	while ((r = room_next(s->rooms, &pos))) {
		buf_puts(out, first ? "{\"room\":" : ",{\"room\":");
		jval_quote(room_jid(r), out);
		buf_puts(out, ",\"meeting\":");
		jval_quote(room_meeting_id(r), out);
		buf_printf(out, ",\"occupants\":%u,\"moderators\":%u}", room_size(r),
		        room_moderators(r));
		first = false;
	}
	buf_puts(out, "]}\n");
}

static void answer_counters(const struct ask_sources *s, struct buf *out)
{
	struct counter all[COUNTERS_MAX];
	size_t n = room_service_list_counters(s->rooms, all, COUNTERS_MAX);
	if (s->counters)
		n += s->counters(s->arg, all + n, COUNTERS_MAX - n);
	buf_puts(out, "{\"ok\":true,\"result\":{");
	for (size_t i = 0; i < n; i++) {
		buf_puts(out, i ? "," : "");
		jval_quote(str_c(all[i].name), out);
		buf_printf(out, ":%llu", (unsigned long long)all[i].count);
	}
	buf_puts(out, "}}\n");
}

void ask_answer(const struct ask_sources *sources, struct str question, struct buf *out)
{
	struct jval *q = jval_parse(question, 4, NULL);
	struct str what = jval_str(jval_getc(q, "ask"));
	if (str_eqc(what, "record"))
		answer_record(sources, q, out);
	else if (str_eqc(what, "rooms"))
		answer_rooms(sources, out);
	else if (str_eqc(what, "counters"))
		answer_counters(sources, out);
	else
		fail(out, "unknown question");
	jval_free(q);
}
