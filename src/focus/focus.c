/* focus.c - routing a session's stanzas, and the occupant `focus` of every room. pure */
#include "focus/focus.h"

#include "base/log.h"
#include "base/mem.h"
#include "focus/internal.h"
#include "session/directory.h"
#include "xmpp/disco.h"
#include "xmpp/ns.h"

struct focus *focus_new(const struct focus_settings *settings, const struct outbox *outbox)
{
	struct focus *f = mem_zalloc(sizeof *f);
	if (!f)
		return NULL;
	f->settings = *settings;
	f->outbox = outbox;
	external_init(f);
	return f;
}

void focus_free(struct focus *f)
{
	if (f)
		external_done(f);
	mem_free(f);
}

void focus_clock(struct focus *f, uint64_t now_ms)
{
	f->now_ms = now_ms;
}

void focus_attach(struct focus *f, struct room_service *rooms)
{
	f->rooms = rooms;
}

/* What clients read of the focus (signaling: the version, restart of sessions, and that there is no
 * bridge). */
static void write_presence(void *arg, const struct room *r, struct buf *out)
{
	const struct focus *f = arg;
	buf_puts(out, "<versions xmlns='" NS_JITMEET "'>");
	buf_puts(out, "<component name='focus'>");
	xml_escape(out, str_c(f->settings.version));
	buf_puts(out, "</component></versions><conference-properties xmlns='" NS_FOCUS "'>"
	              "<property key='support-terminate-restart' value='true'/><property "
	              "key='bridge-count' value='0'/>");
	buf_printf(out, "<property key='created-ms' value='%llu'/></conference-properties>",
	        (unsigned long long)room_created_ms(r));
}

void focus_refuse(
        struct room *r, struct occupant *to, const struct stanza *st, const struct stanza_error *e)
{
	struct buf b;
	buf_init(&b, 0);
	stanza_error_write(&b, e);
	if (b.failed)
		occupant_lost(to);
	else
		room_focus_reply(r, to, st, "error", buf_view(&b));
	buf_done(&b);
}

static void answer_disco(struct room *r, struct occupant *to, const struct stanza *st)
{
	static const char *const features[] = {NS_DISCO_INFO, NS_PING};
	const struct disco_identity identity = {"component", "conference", STR("focus")};
	struct buf b;
	buf_init(&b, 0);
	disco_info_write(&b, &identity, 1, features, sizeof features / sizeof *features, STR_NONE);
	if (!b.failed)
		room_focus_reply(r, to, st, "result", buf_view(&b));
	buf_done(&b);
}

static void on_focus_iq(void *arg, struct room *r, struct occupant *from, const struct stanza *st)
{
	struct focus *f = arg;
	struct stanza_error e = stanza_error_make("cancel", "service-unavailable", NULL);
	if (mute_is(st->payload) && st->type == STANZA_SET) {
		mute_iq(f, r, from, st);
	} else if (st->type == STANZA_GET && element_is(st->payload, "query", NS_DISCO_INFO)) {
		answer_disco(r, from, st);
	} else if (st->type == STANZA_GET && element_is(st->payload, "ping", NS_PING)) {
		room_focus_reply(r, from, st, "result", STR_NONE);
	} else if (element_is(st->payload, "jingle", NS_JINGLE)) {
		e = stanza_error_make("cancel", "item-not-found", NULL);
		e.extra = STR("<unknown-session xmlns='" NS_JINGLE_ERRORS "'/>");
		focus_refuse(r, from, st, &e);
	} else {
		focus_refuse(r, from, st, &e);
	}
}

/* The feature that recording, streaming, dialling out and transcription want; NULL: nothing does
 * (signaling.md 7.3). Whoever hangs up needs none. */
static const char *feature_of(const struct element *e)
{
	if (element_is(e, "jibri", NS_JIBRI))
		return str_eqc(element_attr(e, "recording_mode"), "stream") ? "livestreaming"
		                                                            : "recording";
	if (!element_is(e, "dial", NS_RAYO))
		return NULL;
	return str_eqc(element_attr(e, "to"), "jitsi_meet_transcribe") ? "transcription"
	                                                               : "outbound-call";
}

static bool on_focus_guard(
        void *arg, struct room *r, struct occupant *from, const struct stanza *st)
{
	(void)arg;
	const char *feature = feature_of(st->payload);
	if (mute_is(st->payload))
		return mute_guard(r, from, st);
	if (!feature || occupant_may(from, feature))
		return true;
	struct stanza_error e = stanza_error_make("auth", "forbidden", NULL);
	log_info("room=%s occupant=%.64s event=refuse feature=%s",
	        log_value(jid_view(room_jid(r)).node), occupant_nick(from).p, feature);
	focus_refuse(r, from, st, &e);
	return false;
}

static bool on_opened(void *arg, struct str room)
{
	const struct focus *f = arg;
	return directory_room_opened(f->settings.directory, room, f->settings.worker);
}

static void on_ended(void *arg, struct str room)
{
	const struct focus *f = arg;
	directory_room_ended(f->settings.directory, room);
}

struct room_listener focus_listener(struct focus *f)
{
	bool several = f->settings.directory != NULL;
	return (struct room_listener){.arg = f,
	        .opened = several ? on_opened : NULL,
	        .ended = several ? on_ended : NULL,
	        .focus_presence = write_presence,
	        .focus_iq = on_focus_iq,
	        .focus_guard = on_focus_guard};
}

void focus_send(struct focus *f, const struct room_client *to, struct buf *stanza)
{
	if (stanza->failed)
		room_service_lost(f->rooms, to);
	else if (stanza->n)
		f->outbox->send(f->outbox->arg, to->handle, buf_view(stanza), NULL);
}

/* No such address: ours but not served, or somebody else's (there is no federation). */
static void refuse_address(struct focus *f, const struct room_client *c, const struct stanza *st)
{
	struct str d = st->to.domain, own = f->settings.domain;
	bool below = d.n > own.n && str_ends(d, own) && d.p[d.n - own.n - 1] == '.';
	struct stanza_error e = stanza_error_make(
	        "cancel", below ? "service-unavailable" : "remote-server-not-found", NULL);
	struct buf b;
	buf_init(&b, 0);
	stanza_error_reply(&b, st, st->to.full, c->jid, &e);
	focus_send(f, c, &b);
	buf_done(&b);
}

struct room_client focus_client_of(const struct session *s)
{
	return (struct room_client){
	        .handle = session_handle(s),
	        .jid = session_jid(s),
	        .key = session_key(s),
	        .peer = session_peer(s),
	        .peer_loopback = session_peer_loopback(s),
	        .claims = session_claims(s),
	        .service = session_service(s),
	        .region = session_region(s),
	};
}

void focus_stanza(struct focus *f, struct session *s, const struct stanza *st)
{
	const struct room_client c = focus_client_of(s);
	focus_client_stanza(f, &c, st);
}

static void route(struct focus *f, const struct room_client *c, const struct stanza *st)
{
	bool asks = st->kind == STANZA_IQ && (st->type == STANZA_GET || st->type == STANZA_SET);
	if (address_is_room(f, st->to.domain))
		room_service_stanza(f->rooms, c, st);
	else if (external_answer(f, c, st))
		return;
	else if (asks && str_absent(st->to.node) && str_eq(st->to.domain, f->settings.focus_domain))
		request_iq(f, c, st);
	else if (st->kind != STANZA_PRESENCE)
		refuse_address(f, c, st);
}

void focus_client_stanza(struct focus *f, const struct room_client *c, const struct stanza *st)
{
	struct arena a;
	struct stanza outward = *st;
	arena_init(&a, 0);
	/* without memory the address stays one that no room has */
	(void)address_outward(f, &outward.to, &a);
	route(f, c, &outward);
	arena_done(&a);
}

bool focus_conference_of(
        const struct focus *f, const struct stanza *st, struct buf *room, bool *opens)
{
	*opens = st->kind == STANZA_PRESENCE && st->type == STANZA_PLAIN;
	if (address_is_room(f, st->to.domain)) {
		struct arena a;
		struct jid to = st->to;
		arena_init(&a, 0);
		room->failed = room->failed || !address_outward(f, &to, &a);
		buf_str(room, to.bare);
		arena_done(&a);
		return !str_absent(st->to.node);
	}
	*opens = true;
	return st->kind == STANZA_IQ && st->type == STANZA_SET && str_absent(st->to.node) &&
	       str_eq(st->to.domain, f->settings.focus_domain) && request_names(f, st, room);
}

void focus_gone(struct focus *f, struct session *s)
{
	focus_client_gone(f, session_handle(s));
}

void focus_client_gone(struct focus *f, struct session_handle h)
{
	external_gone(f, h);
	room_service_gone(f->rooms, h);
}
