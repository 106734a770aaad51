/* relay.c - IQs between occupants (Jingle, disco), with their ids unchanged both ways; and to the
 * focus. pure */
#include "base/log.h"
#include "room/model.h"
#include "xmpp/ns.h"

static const char *type_word(enum stanza_type t)
{
	switch (t) {
	case STANZA_GET:
		return "get";
	case STANZA_SET:
		return "set";
	case STANZA_RESULT:
		return "result";
	default:
		return "error";
	}
}

static void deliver(struct occupant *from, struct occupant *to, const struct room_client *c,
        const struct stanza *st)
{
	struct room_service *s = from->room->service;
	struct buf b;
	buf_init(&b, 0);
	buf_puts(&b, "<iq xmlns='" NS_CLIENT "'");
	xml_attr(&b, "type", str_c(type_word(st->type)));
	xml_attr(&b, "id", st->id);
	xml_attr(&b, "to", str_c(to->jid));
	buf_puts(&b, " from='");
	occupant_write_jid(from, &b);
	buf_puts(&b, "'>");
	xml_write_children(&b, st->element);
	buf_puts(&b, "</iq>");
	if (b.n > s->settings.message_bytes && !from->seat.service) {
		struct stanza_error e =
		        stanza_error_make("modify", "not-acceptable", "IQ too large");
		s->counters.limit_message++;
		if (room_service_may_log(s))
			log_warn("event=limit limit=message_bytes session=%.8s",
			        c->key.n ? c->key.p : "-");
		service_error(s, c, st, &e);
	} else {
		service_send(s, to->handle, &b);
	}
	buf_done(&b);
}

static void answer(struct room_service *s, const struct room_client *c, const struct stanza *st,
        const char *condition)
{
	struct stanza_error e = stanza_error_make("cancel", condition, NULL);
	service_error(s, c, st, &e);
}

void relay_iq(struct room_service *s, const struct room_client *c, const struct stanza *st)
{
	struct room *r = room_find(s, st->to.bare);
	struct occupant *from = r ? room_occupant_of(r, c->handle) : NULL;
	bool asks = st->type == STANZA_GET || st->type == STANZA_SET;
	if (!from) {
		answer(s, c, st, r ? "not-acceptable" : "item-not-found");
		return;
	}
	if (str_eqc(st->to.resource, FOCUS_NICK) && r->focus) {
		if (asks && s->listener.focus_iq)
			s->listener.focus_iq(s->listener.arg, r, from, st);
		else if (asks)
			answer(s, c, st, "service-unavailable");
		return;
	}
	struct occupant *to = room_occupant(r, st->to.resource);
	if (asks && to && to == room_outside_focus(r) && s->listener.focus_guard &&
	        !s->listener.focus_guard(s->listener.arg, r, from, st))
		return;
	if (!to) {
		answer(s, c, st, "item-not-found"); /* of results and errors nothing is heard */
	} else if (to == from && st->type == STANZA_GET &&
	           element_is(st->payload, "ping", NS_PING)) {
		struct buf b;
		buf_init(&b, 0);
		stanza_result(&b, st, st->to.full, c->jid);
		service_send(s, c->handle, &b);
		buf_done(&b);
	} else {
		deliver(from, to, c, st);
	}
}
