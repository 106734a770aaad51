/* expiry.c - a token that runs out during the meeting: kept, demoted, or disconnected after a
 * notice. pure
 */
#include "base/log.h"
#include "room/model.h"
#include "xmpp/ns.h"

#define NOTICE_MS 30000
#define FAR_MS (10ull * 365 * 86400 * 1000)

static void notice(struct occupant *o)
{
	struct room *r = o->room;
	struct buf b;
	buf_init(&b, 0);
	buf_puts(&b, "<message xmlns='" NS_CLIENT "'");
	xml_attr(&b, "from", r->jid);
	xml_attr(&b, "to", str_c(o->jid));
	buf_putc(&b, '>');
	xml_leaf(&b, "json-message", NS_JITMEET,
	        STR("{\"type\":\"system_chat_message\",\"displayName\":\"\","
	            "\"message\":\"Your access to this meeting has expired. You will be "
	            "disconnected in 30 "
	            "seconds.\"}"));
	buf_puts(&b, "</message>");
	service_send(r->service, o->handle, &b);
	buf_done(&b);
}

static void on_expired(void *arg, uint64_t now_ms)
{
	struct occupant *o = arg;
	struct room *r = o->room;
	struct room_service *s = r->service;
	struct room_view view;
	struct verdict v;
	s->now_ms = now_ms;
	if (o->leaving) {
		s->outbox->close(s->outbox->arg, o->handle, "not-authorized", STR("Token expired"));
		return;
	}
	bool was = seat_is_moderator(&o->seat);
	room_view_make(s, r, r->node, &view);
	policy_expire(s->settings.policy, &view, &o->seat, &v);
	s->counters.expired++;
	const char *key = v.reason == R_EXPIRED_KEPT ? "" : "on_expiry";
	log_info("room=%s occupant=%s event=expire because=%s%s%s", log_value(r->node), o->nick,
	        reason_name(v.reason), *key ? " key=" : "", key);
	if (!v.accepted) {
		o->leaving = true;
		record_add(o, "expire", v.reason, NULL);
		notice(o);
		timer_start(s->timers, &o->expiry, now_ms + NOTICE_MS, on_expired, o);
		return;
	}
	if (!occupant_apply(o, &v)) {
		service_no_memory(s, "expiry");
		timer_start(s->timers, &o->expiry, now_ms + 1000, on_expired, o);
		return;
	}
	record_add(o, "expire", v.reason, NULL);
	if (was != seat_is_moderator(&o->seat) || v.changed)
		presence_publish(o, false, NULL);
	departure_consequences(r, &v, &o->seat, NULL);
}

void expiry_start(struct occupant *o)
{
	struct room_service *s = o->room->service;
	if (!o->claims || !o->claims->has_exp)
		return;
	double left = o->claims->exp + (double)s->settings.policy->leeway - service_unix(s);
	uint64_t in_ms = left <= 0                       ? 0
	                 : left * 1000 >= (double)FAR_MS ? FAR_MS
	                                                 : (uint64_t)(left * 1000) + 1;
	timer_start(s->timers, &o->expiry, s->now_ms + in_ms, on_expired, o);
}
