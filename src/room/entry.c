/* entry.c - joining: limits, the decision, and everybody's one presence of the newcomer. pure */
#include "base/err.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "policy/capability.h"
#include "room/model.h"
#include "xmpp/ns.h"

static void refuse(struct room_service *s, const struct room_client *c, const struct stanza *st,
        const struct verdict *v, const char *fix)
{
	s->counters.refusals++;
	if (room_service_may_log(s))
		log_info("room=%s occupant=%s session=%.8s event=join refused because=%s%s",
		        service_log_room(s, &st->to), log_value(st->to.resource),
		        c->key.n ? c->key.p : "-", reason_name(v->reason), fix);
	service_refuse(s, c, st, v);
}

static void refuse_limit(struct room_service *s, const struct room_client *c,
        const struct stanza *st, const char *fix)
{
	struct verdict v;
	policy_refuse(E_RATE, STAGE_JOIN, &v);
	refuse(s, c, st, &v, fix);
}

/* Bounds that stand before the decision. */
static bool within_limits(struct room_service *s, struct room *r, const struct room_client *c,
        const struct stanza *st)
{
	const struct room_settings *limits = &s->settings;
	const struct attendee *a = service_attendee(s, c->handle);
	unsigned in = a ? a->n : 0;
	if (limits->openers)
		in = openers_inside(s->openers, c->key);
	if (in >= limits->rooms_per_session) {
		s->counters.limit_rooms_per_session++;
		refuse_limit(s, c, st, " fix=\"a larger rooms_per_session\"");
		return false;
	}
	if (r && r->n >= limits->occupants_per_room) {
		struct verdict v;
		s->counters.limit_occupants++;
		policy_refuse(E_FULL, STAGE_JOIN, &v);
		refuse(s, c, st, &v, " fix=\"a larger occupants_per_room\"");
		return false;
	}
	return true;
}

/* Behind the decision: whom the room does not want must not use up what those have whom it wants.
 */
static bool within_join_rate(struct room_service *s, struct room *r, const struct room_client *c,
        const struct stanza *st)
{
	double rate = s->settings.joins_per_second;
	if (limit_take(&r->joins, 1, rate, 2 * rate, s->now_ms))
		return true;
	s->counters.limit_joins++;
	refuse_limit(s, c, st, " fix=\"a larger joins_per_second\"");
	return false;
}

static bool refused_nick(struct room_service *s, struct room *r, const struct room_client *c,
        const struct stanza *st)
{
	struct verdict v;
	struct str nick = st->to.resource;
	const struct resource_request request = {.resource = jid_nick_ok(nick) ? nick : STR_NONE,
	        .session = c->key,
	        .strict = s->settings.resource_strict,
	        .taken = str_eqc(nick, FOCUS_NICK) || (r && room_occupant(r, nick))};
	policy_resource(&request, &v);
	if (v.accepted)
		return false;
	refuse(s, c, st, &v,
	        v.reason == E_NICK && jid_nick_ok(nick) ? " fix=\"resource_strict=false\"" : "");
	return true;
}

/* "<identity>" from the token, once per stay (roles.md 4.5). */
bool entry_make_identity(struct occupant *o)
{
	const struct policy_settings *settings = o->room->service->settings.policy;
	struct buf b, value;
	struct str key;
	size_t it = 0;
	buf_init(&b, 0);
	buf_init(&value, 0);
	const struct claims *claims = o->claims;
	while (claims && capability_identity(settings, claims, &it, &key, &value)) {
		if (b.n == 0)
			buf_puts(&b, "<identity><user>");
		buf_putc(&b, '<');
		buf_str(&b, key);
		buf_putc(&b, '>');
		xml_text(&b, buf_view(&value));
		buf_puts(&b, "</");
		buf_str(&b, key);
		buf_putc(&b, '>');
	}
	bool fine = !b.failed && !value.failed;
	if (fine && claims && b.n) {
		struct str group =
		        jval_str(jval_getc(jval_getc(claims->payload, "context"), "group"));
		buf_puts(&b, "</user>");
		buf_reset(&value);
		for (size_t i = 0; i < group.n && i < 256; i++) {
			if ((unsigned char)group.p[i] >= 0x20 && group.p[i] != 0x7f)
				buf_putc(&value, group.p[i]);
		}
		if (group.n <= 256)
			xml_leaf(&b, "group", NULL, buf_view(&value));
		buf_puts(&b, "</identity>");
		o->identity = value.failed ? NULL : buf_steal(&b);
		fine = o->identity != NULL;
	}
	buf_done(&b);
	buf_done(&value);
	return fine;
}

static void log_joined(const struct occupant *o, const struct verdict *v)
{
	const struct room_service *s = o->room->service;
	unsigned warnings = v->warnings | (o->claims ? o->claims->warnings : 0);
	struct buf names;
	buf_init(&names, 0);
	for (unsigned i = 0; i < WARNING_COUNT; i++) {
		if (warnings >> i & 1u)
			buf_printf(&names, "%s%s",
			        names.n ? "," : " warnings=", warning_name((enum warning_index)i));
	}
	log_info("room=%s occupant=%s session=%.8s event=join affiliation=%s role=%s because=%s "
	         "source=%s "
	         "name=%s%s "
	         "token=%s%.*s occupants=%u/%u",
	        log_value(o->room->node), o->nick, o->key, affiliation_name(v->affiliation),
	        role_name(v->role), reason_name(v->reason), source_name(v->source),
	        log_value(str_c(o->name)), v->name_frozen ? " frozen=yes" : "",
	        o->claims ? "yes" : "no", STR_FMT(buf_view(&names)), o->room->n,
	        s->counters.occupants);
	buf_done(&names);
}

/* The newcomer is told first: who is here, the focus before all, then himself. Then everybody else
 * is told.
 */
static void deliver(struct occupant *o, struct buf *self, const struct element *muc_x)
{
	struct room *r = o->room;
	presence_send_all(o);
	service_send(r->service, o->handle, self);
	message_welcome(o, muc_x);
	room_broadcast(r, "presence", o->presence.tail, o);
}

/* Everything that may fail, before anybody hears of the newcomer. NULL: no memory or too large;
 * nothing is left. */
static struct occupant *seat_newcomer(struct room *r, const struct room_client *c,
        const struct stanza *st, const struct verdict *v, struct buf *self, bool *too_large)
{
	struct arena a;
	struct occupant *o = occupant_new(r, c, st->to.resource);
	if (!o)
		return NULL;
	arena_init(&a, 0);
	struct str typed = presence_typed_name(st, &a);
	o->typed = str_absent(typed) ? 0 : hash_key(typed) | 1;
	bool fine = occupant_apply(o, v) && entry_make_identity(o) &&
	            presence_take(o, st, &a, too_large);
	arena_done(&a);
	if (fine) {
		presence_write_self(
		        o, STATUS_JOINED | STATUS_SELF, seat_is_moderator(&o->seat), self);
		o->record = record_new(o, v);
		fine = !self->failed && o->record;
	}
	if (fine)
		return o;
	occupant_free(o);
	return NULL;
}

static void commit(struct room_service *s, struct room *r, const struct room_client *c,
        const struct stanza *st, const struct verdict *v)
{
	struct buf self;
	bool too_large = false;
	bool had_moderator = r->had_moderator, was_ending = timer_running(&r->end);
	uint64_t ends_at = r->end.at_ms;
	buf_init(&self, 0);
	struct occupant *o = seat_newcomer(r, c, st, v, &self, &too_large);
	if (!o) {
		buf_done(&self);
		r->had_moderator =
		        had_moderator; /* a moderator who did not get in has not been here */
		if (was_ending)
			departure_end_at(r, ends_at);
		if (too_large)
			s->counters.limit_presence++;
		else
			service_no_memory(s, "join");
		refuse_limit(s, c, st, too_large ? " limit=presence_bytes" : "");
		room_free_if_empty(r);
		return;
	}
	s->counters.joins++;
	room_entered(r);
	log_joined(o, v);
	departure_consequences(r, v, &o->seat, o);
	deliver(o, &self, element_child(st->element, "x", NS_MUC));
	buf_done(&self);
	expiry_start(o);
	if (v->name_overruled)
		presence_notice(o);
}

/* Who guesses slows himself down: by address, or by session where everybody comes from the same
 * one. A few strangers share each bucket, so that guessers cannot make the room grow. */
static struct limit *guesses_of(struct room *r, const struct room_client *c)
{
	return &r->guesses[hash_key(c->peer_loopback ? c->key : c->peer) % GUESS_BUCKETS];
}

/* The decision, unless it would tell a guesser too much too fast. */
static bool decide(struct room_service *s, struct room *r, const struct room_client *c,
        const struct join_request *request, struct verdict *v)
{
	struct limit *guesses = r && r->password && request->password.n ? guesses_of(r, c) : NULL;
	double burst = s->settings.passwords_per_minute;
	if (guesses && !limit_take(guesses, 1, burst / 60, burst, s->now_ms)) {
		s->counters.limit_passwords++;
		return false;
	}
	policy_join(request, v);
	if (guesses && (v->accepted || v->reason != E_PASSWORD))
		guesses->tokens += 1;
	return true;
}

/* People do not open rooms where the focus is outside. A client asks the focus then, and joins
 * again. */
static void refuse_opening(
        struct room_service *s, const struct room_client *c, const struct stanza *st)
{
	struct verdict v;
	policy_refuse(E_WAIT_HOST, STAGE_JOIN, &v);
	v.type = "cancel";
	v.condition = "not-allowed";
	v.text = "Room creation is restricted";
	refuse(s, c, st, &v, "");
}

static void admit(struct room_service *s, struct room *r, const struct room_client *c,
        const struct stanza *st, const struct verdict *v)
{
	if (!r && s->settings.focus_outside) {
		refuse_opening(s, c, st);
	} else if (r && r->awaits_focus) {
		if (!parking_add(r, c, st))
			refuse_limit(s, c, st, "");
	} else if (r || (r = room_new(s, &st->to, c))) {
		commit(s, r, c, st, v);
	} else {
		refuse_limit(s, c, st, " fix=\"a larger rooms\"");
	}
}

static void join(
        struct room_service *s, const struct room_client *c, const struct stanza *st, bool replayed)
{
	struct room *r = room_find(s, st->to.bare);
	struct room_view view;
	struct verdict v;
	struct arena a;
	if (!within_limits(s, r, c, st))
		return;
	const struct element *muc_x = element_child(st->element, "x", NS_MUC);
	room_view_at(s, r, &st->to, &view);
	arena_init(&a, 0);
	const struct join_request request = {.settings = s->settings.policy,
	        .room = &view,
	        .now = (int64_t)service_unix(s),
	        .claims = c->claims,
	        .session = c->key,
	        .nick = presence_typed_name(st, &a),
	        .password = element_child_text(muc_x, "password", &a)};
	if (!decide(s, r, c, &request, &v)) {
		refuse_limit(s, c, st, " fix=\"a larger passwords_per_minute\"");
	} else if (!v.accepted) {
		refuse(s, c, st, &v, refusal_fix(&v));
	} else if (!refused_nick(s, r, c, st) &&
	           (!r || replayed || within_join_rate(s, r, c, st))) {
		admit(s, r, c, st, &v);
	}
	arena_done(&a);
}

void entry_join(struct room_service *s, const struct room_client *c, const struct stanza *st)
{
	if (room_is_reserved(s, st->to.node)) {
		struct stanza_error e = stanza_error_make("cancel", "service-unavailable", NULL);
		service_error(s, c, st, &e);
	} else {
		join(s, c, st, false);
	}
}

void entry_replay(struct room_service *s, const struct room_client *c, const struct stanza *st)
{
	join(s, c, st, true);
}
