/* mute.c - muting one participant: the rules, and the order passed on. "Mute everyone" is a loop of
 * these. pure */
#include "base/log.h"
#include "focus/internal.h"
#include "xmpp/ns.h"

static const char *const namespaces[] = {NS_MUTE_AUDIO, NS_MUTE_VIDEO, NS_MUTE_DESKTOP};

bool mute_is(const struct element *payload)
{
	for (size_t i = 0; i < sizeof namespaces / sizeof *namespaces; i++) {
		if (element_is(payload, "mute", namespaces[i]))
			return true;
	}
	return false;
}

/* The target acts only on an IQ from its focus occupant with the text `true`; it does not answer.
 * false: no memory. */
static bool forward(struct focus *f, struct room *r, const struct occupant *from,
        struct occupant *to, const struct stanza *st)
{
	struct buf b;
	buf_init(&b, 0);
	buf_printf(&b, "<iq xmlns='" NS_CLIENT "' type='set' id='mute-%u' from='", f->next_id++);
	xml_escape(&b, room_jid(r));
	buf_puts(&b, "/focus'");
	xml_attr(&b, "to", occupant_real_jid(to));
	buf_puts(&b, "><mute");
	xml_attr(&b, "xmlns", st->payload->ns);
	buf_puts(&b, " actor='");
	occupant_write_jid(from, &b);
	buf_puts(&b, "'>true</mute></iq>");
	bool fine = !b.failed;
	if (fine)
		occupant_send(to, buf_view(&b));
	buf_done(&b);
	return fine;
}

/* The one who is to be muted or unmuted; NULL: it was refused. */
static struct occupant *judge(struct room *r, struct occupant *from, const struct stanza *st)
{
	struct arena a;
	struct jid jid = {0};
	arena_init(&a, 0);
	struct str wanted = element_attr(st->payload, "jid");
	struct str text = str_trim(element_text(st->payload, &a));
	bool mute = str_eqc(text, "true");
	struct stanza_error e = {.type = NULL};
	struct occupant *to = NULL;
	if (str_absent(wanted) || (!mute && !str_eqc(text, "false")) ||
	        jid_parse(wanted, &a, &jid) != 0)
		e = stanza_error_make("modify", "bad-request", NULL);
	else if (!str_eq(jid.bare, room_jid(r)) || str_absent(jid.resource))
		e = stanza_error_make("cancel", "item-not-found", NULL);
	else if (str_eqc(jid.resource, "focus"))
		e = stanza_error_make("cancel", "not-allowed", NULL);
	else if (!(to = room_occupant(r, jid.resource)))
		e = stanza_error_make("cancel", "item-not-found", NULL);
	else if (to != from && (!mute || !occupant_is_moderator(from)))
		e = stanza_error_make("cancel", "not-allowed", NULL);
	if (e.type) {
		log_info("room=%s occupant=%.64s event=mute refused because=%s",
		        log_value(jid_view(room_jid(r)).node), occupant_nick(from).p, e.condition);
		focus_refuse(r, from, st, &e);
		to = NULL;
	}
	arena_done(&a);
	return to;
}

static void log_mute(const struct room *r, const struct occupant *from, const struct occupant *to)
{
	log_info("room=%s occupant=%.64s event=mute by=%.64s",
	        log_value(jid_view(room_jid(r)).node), occupant_nick(to).p, occupant_nick(from).p);
}

bool mute_guard(struct room *r, struct occupant *from, const struct stanza *st)
{
	struct occupant *to = st->type == STANZA_SET ? judge(r, from, st) : NULL;
	if (st->type != STANZA_SET) {
		struct stanza_error e = stanza_error_make("cancel", "service-unavailable", NULL);
		focus_refuse(r, from, st, &e);
	}
	if (to && to != from)
		log_mute(r, from, to);
	return to != NULL;
}

void mute_iq(struct focus *f, struct room *r, struct occupant *from, const struct stanza *st)
{
	struct occupant *to = judge(r, from, st);
	if (!to)
		return;
	if (to != from && !forward(f, r, from, to, st)) {
		struct stanza_error e = stanza_error_make("wait", "resource-constraint", NULL);
		focus_refuse(r, from, st, &e);
		return;
	}
	room_focus_reply(r, from, st, "result", STR_NONE);
	if (to != from)
		log_mute(r, from, to);
}
