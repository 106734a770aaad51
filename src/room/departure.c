/* departure.c - leaving, by will, by loss or by force, and what becomes of the meeting then. pure
 */
#include "base/log.h"
#include "room/model.h"
#include "xmpp/ns.h"

static const char *status_code(const struct departure *d)
{
	if (!d->verdict)
		return NULL;
	return d->verdict->banned ? "301" : "307";
}

/* " type='unavailable' from='room/nick'>...<x>...", without the end. */
static void write_gone(struct buf *b, const struct occupant *o, const struct departure *d)
{
	const char *code = status_code(d);
	buf_puts(b, " type='unavailable' from='");
	occupant_write_jid(o, b);
	buf_puts(b, "'>");
	if (!code && d->text.n)
		xml_leaf(b, "status", NULL, d->text);
	buf_puts(b, "<x xmlns='" NS_MUC_USER "'><item");
	xml_attr(b, "affiliation", str_c(d->verdict && d->verdict->banned ? "outcast" : "none"));
	buf_puts(b, " role='none'");
	xml_attr(b, "jid", str_c(o->jid));
	if (code) {
		buf_puts(b, ">");
		if (d->actor) {
			buf_puts(b, "<actor");
			xml_attr(b, "nick", str_c(d->actor->nick));
			buf_puts(b, "/>");
		}
		if (d->text.n)
			xml_leaf(b, "reason", NULL, d->text);
		buf_puts(b, "</item>");
		buf_printf(b, "<status code='%s'/>", code);
	} else {
		buf_puts(b, "/>");
	}
}

static void write_gone_to(struct buf *b, const struct occupant *o, const struct departure *d,
        const struct occupant *to)
{
	buf_puts(b, "<presence xmlns='" NS_CLIENT "'");
	xml_attr(b, "to", str_c(to->jid));
	write_gone(b, o, d);
	buf_puts(b, to == o ? "<status code='110'/></x></presence>" : "</x></presence>");
}

/* Out of memory: whoever leaves must not stay in the others' lists, so each copy is made on the
 * stack. */
static void tell_from_stack(
        struct occupant *o, const struct departure *d, const struct list *others)
{
	struct room_service *s = o->room->service;
	char bytes[8192];
	for (struct list *it = others->next; it != others; it = it->next) {
		const struct occupant *to = OCCUPANT_IN(it);
		struct buf b = {
		        .p = bytes, .cap = sizeof bytes, .max = sizeof bytes - 1}; /* never grows */
		write_gone_to(&b, o, d, to);
		if (to != o && !b.failed)
			s->outbox->send(s->outbox->arg, to->handle, buf_view(&b), NULL);
	}
}

static void tell(struct occupant *o, const struct departure *d, bool itself)
{
	struct room *r = o->room;
	struct buf b;
	buf_init(&b, 0);
	write_gone(&b, o, d);
	buf_puts(&b, "</x></presence>");
	struct block *tail = b.failed ? NULL : block_new(buf_view(&b));
	if (tail) {
		room_broadcast(r, "presence", tail, o);
	} else {
		service_no_memory(r->service, "leave");
		tell_from_stack(o, d, &r->services);
		tell_from_stack(o, d, &r->occupants);
	}
	block_unref(tail);
	if (itself) {
		buf_reset(&b);
		write_gone_to(&b, o, d, o);
		service_send(r->service, o->handle, &b);
	}
	buf_done(&b);
}

/* A service decides nothing by leaving. Without its focus a room goes on, but not for nobody. */
static void leave_service(struct occupant *o, const struct departure *d)
{
	struct room *r = o->room;
	bool focus = o == room_outside_focus(r);
	log_info("room=%s occupant=%s event=%s because=R_SERVICE jid=%s", log_value(r->node),
	        o->nick, d->what, log_value(str_c(o->jid)));
	tell(o, d, strcmp(d->what, "lost") != 0);
	occupant_free(o);
	if (!focus || r->n > 0)
		return;
	if (r->wanted)
		r->awaits_focus = true; /* it will come again, for the next meeting */
	else
		timer_stop(&r->ready), room_free_if_empty(r);
}

void departure_leave(struct occupant *o, const struct departure *d)
{
	struct room *r = o->room;
	struct room_service *s = r->service;
	struct verdict leave;
	const struct verdict *v = d->verdict;
	if (o->seat.service) {
		leave_service(o, d);
		return;
	}
	if (!v) {
		struct room_view view;
		room_view_make(s, r, r->node, &view);
		policy_leave(s->settings.policy, &view, &o->seat, false, &leave);
		v = &leave;
		s->counters.leaves++;
	}
	log_info("room=%s occupant=%s session=%.8s event=%s because=%s by=%s occupants=%u",
	        log_value(r->node), o->nick, o->key, d->what,
	        *reason_name(v->reason) ? reason_name(v->reason) : "-",
	        d->actor ? d->actor->nick : "-", r->n - 1);
	tell(o, d, strcmp(d->what, "lost") != 0);
	record_add(o, d->what, v->reason, d->actor);
	record_depart(o);
	const struct seat *elected = v->elected == &o->seat ? NULL : v->elected;
	struct verdict after = *v;
	after.elected = elected;
	occupant_free(o);
	departure_consequences(r, &after, NULL, NULL);
	room_free_if_empty(r);
}

static void rename_marked(
        struct occupant *o, const struct change *c, const struct occupant *unaware)
{
	struct room_service *s = o->room->service;
	if (!occupant_set_name(o, name_str(&c->name), false, c->name_marked)) {
		service_no_memory(s, "rename");
		return;
	}
	log_info("room=%s occupant=%s event=rename because=W_NAME_CLASH name=%s",
	        log_value(o->room->node), o->nick, log_value(str_c(o->name)));
	record_add(o, "rename", c->reason, NULL);
	presence_publish(o, false, unaware);
	presence_notice(o);
}

static void promote(struct occupant *o, const struct change *c, const struct occupant *unaware)
{
	struct room_service *s = o->room->service;
	bool was = seat_is_moderator(&o->seat);
	occupant_set_role(o, c->affiliation, c->role, c->source);
	s->counters.elections++;
	log_info("room=%s occupant=%s event=role affiliation=%s role=%s because=%s source=%s",
	        log_value(o->room->node), o->nick, affiliation_name(c->affiliation),
	        role_name(c->role), reason_name(c->reason), source_name(c->source));
	record_add(o, "elect", c->reason, NULL);
	presence_publish(o, !was && seat_is_moderator(&o->seat), unaware);
}

static void on_end(void *arg, uint64_t now_ms)
{
	struct room *r = arg;
	r->service->now_ms = now_ms;
	log_info("room=%s event=room-end because=last-moderator-left key=on_last_moderator_left",
	        log_value(r->node));
	room_destroy(r, STR("The meeting has been terminated"));
}

void departure_end_at(struct room *r, uint64_t at_ms)
{
	timer_start(r->service->timers, &r->end, at_ms, on_end, r);
}

void departure_moderator_returned(struct room *r)
{
	timer_stop(&r->end);
}

void departure_consequences(struct room *r, const struct verdict *v, const struct seat *subject,
        const struct occupant *unaware)
{
	struct room_service *s = r->service;
	struct room_view view;
	struct change_cursor cursor = {0};
	struct change now, next;
	room_view_make(s, r, r->node, &view);
	bool have = verdict_change_next(v, s->settings.policy, &view, subject, &cursor, &now);
	while (have) {
		/* the cursor stands on a seat that is about to be renamed: look ahead first */
		bool more =
		        verdict_change_next(v, s->settings.policy, &view, subject, &cursor, &next);
		struct occupant *o = OCCUPANT_OF(now.seat);
		if (now.is_name)
			rename_marked(o, &now, unaware);
		else
			promote(o, &now, unaware);
		now = next;
		have = more;
	}
	if (cursor.nomem)
		service_no_memory(s, "names");
	if (v->end_room && r->n > 0 && r->moderators == 0)
		departure_end_at(r, s->now_ms + 1000ull * s->settings.policy->end_after);
}
