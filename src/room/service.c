/* service.c - the rooms of one worker: who is addressed, limits, errors, time. pure */
#include "room/room.h"

#include <stdio.h>

#include "base/log.h"
#include "base/mem.h"
#include "room/model.h"
#include "xmpp/muc_host.h"
#include "xmpp/ns.h"

#define HEAD_BYTES 1024 /* of a stanza to one, up to the end of to='...'; longer ones allocate */

const struct room_settings room_settings_default = {
        .rooms = 10000,
        .rooms_per_address = 500,
        .rooms_per_session = 20,
        .occupants_per_room = 1000,
        .joins_per_second = 100,
        .passwords_per_minute = 20,
        .presence_bytes =
                16384, /* five times a usual one; a newcomer is sent those of everybody at once */
        .message_bytes = 262144,
        .history_messages = 20,
        .history_bytes = 65536,
        .subject_bytes = 1024,
        .ready_ms = 15000,
        .record_events = 32,
        .record_departed = 32,
        .record_departed_all = 1000,
        .log_lines_per_second = 50,
};

struct room_service *room_service_new(const struct room_settings *settings,
        const struct outbox *outbox, const struct room_listener *listener,
        struct timer_wheel *timers)
{
	struct room_service *s = mem_zalloc(sizeof *s);
	if (!s)
		return NULL;
	s->settings = *settings;
	s->outbox = outbox;
	if (listener)
		s->listener = *listener;
	s->timers = timers;
	map_init(&s->rooms);
	map_init(&s->attendees);
	list_init(&s->departed);
	list_init(&s->parked);
	s->openers = settings->openers ? settings->openers : openers_new();
	if (!s->openers) {
		mem_free(s);
		return NULL;
	}
	buf_init(&s->head, 0);
	if (!buf_reserve(&s->head, HEAD_BYTES)) {
		if (!settings->openers)
			openers_free(s->openers);
		mem_free(s);
		return NULL;
	}
	return s;
}

void room_service_free(struct room_service *s)
{
	if (!s)
		return;
	size_t pos = 0;
	struct room *r;
	while ((r = map_next(&s->rooms, &pos))) {
		room_free(r);
		pos = 0;
	}
	map_done(&s->rooms);
	map_done(&s->attendees);
	if (!s->settings.openers)
		openers_free(s->openers);
	buf_done(&s->head);
	mem_free(s);
}

void room_service_clock(struct room_service *s, uint64_t now_ms, double unix_s)
{
	s->now_ms = now_ms;
	s->unix_offset = unix_s - (double)now_ms / 1000.0;
}

double service_unix(const struct room_service *s)
{
	return s->unix_offset + (double)s->now_ms / 1000.0;
}

void service_no_memory(struct room_service *s, const char *where)
{
	s->counters.no_memory++;
	if (s->memory_logged_ms && s->now_ms - s->memory_logged_ms < 60000)
		return;
	s->memory_logged_ms = s->now_ms ? s->now_ms : 1;
	log_error("event=no-memory where=%s count=%llu", where,
	        (unsigned long long)s->counters.no_memory);
}

bool room_service_may_log(struct room_service *s)
{
	double rate = s->settings.log_lines_per_second;
	if (limit_take(&s->log_lines, 1, rate, 2 * rate, s->now_ms))
		return true;
	s->counters.log_suppressed++;
	return false;
}

/* Waiting for an answer that never comes, or with a wrong picture of the room: neither may happen.
 */
void service_lost(struct room_service *s, struct session_handle to, const char *where)
{
	service_no_memory(s, where);
	s->outbox->close(s->outbox->arg, to, "resource-constraint", STR_NONE);
}

void room_service_lost(struct room_service *s, const struct room_client *c)
{
	service_lost(s, c->handle, "focus");
}

void occupant_lost(struct occupant *o)
{
	service_lost(o->room->service, o->handle, "focus");
}

void service_send(struct room_service *s, struct session_handle to, struct buf *stanza)
{
	if (stanza->failed)
		service_lost(s, to, "stanza");
	else if (stanza->n)
		s->outbox->send(s->outbox->arg, to, buf_view(stanza), NULL);
}

void service_error(struct room_service *s, const struct room_client *c, const struct stanza *st,
        const struct stanza_error *e)
{
	struct buf b;
	buf_init(&b, 0);
	stanza_error_reply(&b, st, st->to.full, c->jid, e);
	service_send(s, c->handle, &b);
	buf_done(&b);
}

const char *refusal_fix(const struct verdict *v)
{
	switch (v->reason) {
	case E_WAIT_HOST:
		return " fix=\"room_create=anyone\"";
	case E_ROOM_MISMATCH:
	case E_ROOM_REGEX:
		return " fix=\"the token's room claim\"";
	case E_WILDCARD:
		return " fix=\"room_wildcard=true\"";
	case E_TENANT_MISMATCH:
		return " fix=\"the token's sub claim, or domain_verification=false\"";
	case E_OUTCAST: /* by the token; a ban is no setting */
		return v->trace.refused_by == GATE_OUTCAST ? " fix=\"outcast_claim=member\"" : "";
	case E_FULL:
		return " fix=\"a larger max_occupants\"";
	case E_GRANT_OFF:
		return " fix=\"runtime_grant=allow\"";
	case E_EXP:
		return " fix=\"a fresh token\"";
	default:
		return "";
	}
}

void service_refuse(struct room_service *s, const struct room_client *c, const struct stanza *st,
        const struct verdict *v)
{
	struct stanza_error e = stanza_error_make(v->type, v->condition, v->text);
	struct buf extra;
	buf_init(&extra, 0);
	if (v->element)
		xml_leaf(&extra, v->element, NS_JITMEET, STR_NONE);
	e.extra = buf_view(&extra);
	service_error(s, c, st, &e);
	buf_done(&extra);
}

struct attendee *service_attendee(const struct room_service *s, struct session_handle h)
{
	return map_get(&s->attendees, str_from((const char *)&h, sizeof h));
}

static void on_iq(struct room_service *s, const struct room_client *c, const struct stanza *st)
{
	if (str_absent(st->to.node)) {
		discovery_service(s, c, st);
		return;
	}
	if (!str_absent(st->to.resource)) {
		relay_iq(s, c, st);
		return;
	}
	if (st->type != STANZA_GET && st->type != STANZA_SET)
		return;
	struct room *r = room_find(s, st->to.bare);
	struct occupant *from = r ? room_occupant_of(r, c->handle) : NULL;
	struct stanza_error e;
	if (!r) {
		e = stanza_error_make("cancel", "item-not-found", NULL);
		service_error(s, c, st, &e);
	} else if (element_is(st->payload, "query", NS_MUC_ADMIN)) {
		moderation_iq(r, from, c, st);
	} else if (element_is(st->payload, "query", NS_MUC_OWNER)) {
		form_iq(r, from, c, st);
	} else {
		discovery_room(r, c, st);
	}
}

void room_service_stanza(
        struct room_service *s, const struct room_client *from, const struct stanza *st)
{
	if (st->kind == STANZA_IQ) {
		on_iq(s, from, st);
		return;
	}
	if (str_absent(st->to.node)) {
		struct stanza_error e = stanza_error_make("cancel", "service-unavailable", NULL);
		service_error(s, from, st, &e);
		return;
	}
	if (st->kind == STANZA_PRESENCE)
		presence_on(s, from, st);
	else
		message_on(s, from, st);
}

void room_service_gone(struct room_service *s, struct session_handle h)
{
	struct attendee *a = service_attendee(s, h);
	parking_forget(s, h);
	/* the attendee is freed with its last occupant */
	for (unsigned n = a ? a->n : 0; n > 0; n--) {
		struct occupant *o = LIST_OWNER(a->occupants.next, struct occupant, in_attendee);
		const struct departure d = {.what = "lost"};
		departure_leave(o, &d);
	}
}

struct str service_tenant(const struct room_service *s, struct str domain)
{
	const struct room_settings *set = &s->settings;
	const struct muc_host h = muc_host_make(set->muc_domain, set->domain, set->tenants);
	struct str tenant;
	return muc_host_has(&h, domain, &tenant) ? tenant : STR_NONE;
}

const char *service_log_room(const struct room_service *s, const struct jid *at)
{
	struct str tenant = service_tenant(s, at->domain);
	char text[128]; /* log_value shows less */
	if (!tenant.n)
		return log_value(at->node);
	snprintf(text, sizeof text, "[%.*s]%.*s", STR_FMT(str_sub(tenant, 0, 64)),
	        STR_FMT(str_sub(at->node, 0, 64)));
	return log_value(str_c(text));
}

static void log_request_refused(struct room_service *s, const struct room_client *c, struct str jid,
        const struct verdict *v)
{
	const struct jid at = jid_view(jid);
	s->counters.refusals++;
	if (room_service_may_log(s))
		log_info("room=%s session=%.8s event=request refused because=%s%s",
		        service_log_room(s, &at), c->key.n ? c->key.p : "-", reason_name(v->reason),
		        refusal_fix(v));
}

/* The focus outside is about to be asked for a room that is there: perhaps it was in the last
 * meeting, and is on its way out. */
static void await_focus(struct room *r)
{
	if (r->n > 0)
		return;
	r->wanted = true;
	room_wait(r);
}

enum reason room_service_request(
        struct room_service *s, const struct room_client *from, struct str room_jid_text)
{
	struct jid jid = jid_view(room_jid_text);
	struct room *r = room_find(s, jid.bare);
	struct room_view view;
	struct verdict v;
	room_view_at(s, r, &jid, &view);
	const struct join_request request = {.settings = s->settings.policy,
	        .room = &view,
	        .now = (int64_t)service_unix(s),
	        .claims = from->claims,
	        .session = from->key,
	        .requested = true};
	enum conference_answer answer = policy_conference(&request, &v);
	if (answer == CONFERENCE_REFUSED) {
		log_request_refused(s, from, jid.bare, &v);
		return v.reason;
	}
	if (r && answer == CONFERENCE_READY && s->settings.focus_outside)
		await_focus(r);
	if (answer == CONFERENCE_READY_ONLY || r)
		return R_NONE;
	if (room_is_reserved(s, jid.node)) {
		policy_refuse(E_ROOM_NAME, STAGE_CONFERENCE, &v);
		log_request_refused(s, from, jid.bare, &v);
		return E_ROOM_NAME;
	}
	if ((r = room_new(s, &jid, from))) {
		r->wanted = s->settings.focus_outside;
		return R_NONE;
	}
	policy_refuse(E_RATE, STAGE_CONFERENCE, &v);
	log_request_refused(s, from, jid.bare, &v);
	return E_RATE;
}

const struct room_counters *room_service_counters(const struct room_service *s)
{
	return &s->counters;
}

struct room *room_next(const struct room_service *s, size_t *pos)
{
	return map_next(&s->rooms, pos);
}

size_t room_service_list_counters(const struct room_service *s, struct counter *out, size_t max)
{
	const struct room_counters *c = &s->counters;
	const struct counter all[] = {
	        {"rooms", c->rooms},
	        {"occupants", c->occupants},
	        {"joins", c->joins},
	        {"refusals", c->refusals},
	        {"leaves", c->leaves},
	        {"kicks", c->kicks},
	        {"bans", c->bans},
	        {"grants", c->grants},
	        {"revokes", c->revokes},
	        {"elections", c->elections},
	        {"expired", c->expired},
	        {"rooms_destroyed", c->destroyed},
	        {"limit_rooms", c->limit_rooms},
	        {"limit_rooms_per_address", c->limit_rooms_per_address},
	        {"limit_rooms_per_session", c->limit_rooms_per_session},
	        {"limit_occupants_per_room", c->limit_occupants},
	        {"limit_joins_per_second", c->limit_joins},
	        {"limit_passwords_per_minute", c->limit_passwords},
	        {"limit_presence_bytes", c->limit_presence},
	        {"limit_message_bytes", c->limit_message},
	        {"limit_subject_bytes", c->limit_subject},
	        {"limit_bans_per_room", c->limit_bans},
	        {"room_log_lines_suppressed", c->log_suppressed},
	        {"room_no_memory", c->no_memory},
	};
	return counter_list(all, sizeof all / sizeof *all, out, max);
}
