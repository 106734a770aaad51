/* domain.c - what the server's own domain answers: ping, disco, extdisco, and "no such thing". io
 */
#include "session/accounts.h"
#include "session/internal.h"
#include "xmpp/disco.h"
#include "xmpp/error.h"
#include "xmpp/ns.h"

/* A service asks the domain of services, or its own account. */
static bool is_of_service(const struct session *s, const struct stanza *st)
{
	if (!s->account)
		return false;
	return str_absent(st->to.node)
	               ? !str_absent(accounts_domain(s->all->settings.accounts, st->to.domain))
	               : session_from_this_server(s, st->to.full);
}

bool domain_is_ours(const struct session *s, const struct stanza *st)
{
	const struct session_settings *set = &s->all->settings;
	return !st->has_to || is_of_service(s, st) ||
	       str_eq_ascii_nocase(st->to.domain, set->domain) ||
	       (!str_absent(set->guest_domain) &&
	               str_eq_ascii_nocase(st->to.domain, set->guest_domain));
}

/* The address that answers is the one that was asked: a ping to the main domain wants its result
 * from there. */
static struct str from_of(const struct stanza *st)
{
	return st->has_to ? st->to.full : STR_NONE;
}

static void reply_error(
        struct session *s, const struct stanza *st, const char *type, const char *condition)
{
	struct stanza_error err = stanza_error_make(type, condition, NULL);
	struct buf *b = session_begin(s);
	stanza_error_reply(b, st, from_of(st), session_jid(s), &err);
	if (b->failed || b->n)
		session_flush(s);
}

static struct buf *begin_result(struct session *s, const struct stanza *st)
{
	struct buf *b = session_begin(s);
	stanza_head(b, STANZA_IQ, "result", st->id, from_of(st), session_jid(s));
	buf_putc(b, '>');
	return b;
}

static void end_result(struct session *s, struct buf *b)
{
	buf_puts(b, "</iq>");
	session_flush(s);
}

static void empty_result(struct session *s, const struct stanza *st)
{
	struct buf *b = session_begin(s);
	stanza_result(b, st, from_of(st), session_jid(s));
	session_flush(s);
}

/* No component is named here that is not served: clients switch features on by these identities. */
static void write_info(struct buf *b, const struct session_settings *set)
{
	static const char *const features[] = {
	        NS_PING, NS_DISCO_INFO, NS_DISCO_ITEMS, NS_EXTDISCO_2};
	struct disco_identity identities[3] = {
	        {.category = "server", .type = "im", .name = STR("Gavel")}};
	size_t n = 1;
	if (set->shard.n)
		identities[n++] = (struct disco_identity){"server", "shard", set->shard};
	if (set->region.n)
		identities[n++] = (struct disco_identity){"server", "region", set->region};
	disco_info_write(b, identities, n, features, sizeof features / sizeof *features, STR_NONE);
}

static int64_t unix_now(const struct session *s)
{
	return (int64_t)loop_wall_s(s->all->loop);
}

static void answer_info(struct session *s, const struct stanza *st)
{
	if (element_attr(st->payload, "node").n) {
		reply_error(s, st, "cancel", "item-not-found");
		return;
	}
	struct buf *b = begin_result(s, st);
	write_info(b, &s->all->settings);
	end_result(s, b);
}

static bool is_extdisco(const struct element *p)
{
	static const char *const names[] = {"services", "credentials"};
	for (size_t i = 0; i < 2; i++) {
		if (element_is(p, names[i], NS_EXTDISCO_2) ||
		        element_is(p, names[i], NS_EXTDISCO_1))
			return true;
	}
	return false;
}

/* Jitsi's clients take both from one message, but only until they are bound. */
void domain_push_services(struct session *s)
{
	const struct session_settings *set = &s->all->settings;
	const struct element services = {.name = STR("services"), .ns = STR(NS_EXTDISCO_2)};
	struct buf *b = session_begin(s);
	stanza_head(b, STANZA_MESSAGE, NULL, STR_NONE, s->domain, session_jid(s));
	buf_putc(b, '>');
	write_info(b, set);
	extdisco_write(b, set->extdisco, &services, unix_now(s));
	buf_puts(b, "</message>");
	session_flush(s);
}

static void answer_iq(struct session *s, const struct stanza *st)
{
	const struct element *p = st->payload;
	bool get = st->type == STANZA_GET;
	if (get && element_is(p, "ping", NS_PING)) {
		empty_result(s, st);
	} else if (get && element_is(p, "query", NS_DISCO_INFO)) {
		answer_info(s, st);
	} else if (get && element_is(p, "query", NS_DISCO_ITEMS)) {
		struct buf *b = begin_result(s, st);
		buf_puts(b, "<query xmlns='" NS_DISCO_ITEMS "'/>");
		end_result(s, b);
	} else if (get && is_extdisco(p)) {
		struct buf *b = begin_result(s, st);
		extdisco_write(b, s->all->settings.extdisco, p, unix_now(s));
		end_result(s, b);
	} else if (!get && element_is(p, "session", NS_SESSION)) {
		empty_result(s, st); /* never advertised, but some libraries ask all the same */
	} else {
		reply_error(s, st, "cancel", "service-unavailable");
	}
}

void domain_stanza(struct session *s, const struct stanza *st)
{
	/* one's own address is answered by the server on one's behalf; other people are not
	 * reachable outside of rooms */
	bool other_person =
	        st->has_to && !str_absent(st->to.node) && !session_from_this_server(s, st->to.full);
	if (st->kind == STANZA_PRESENCE)
		return; /* no roster, no subscriptions: there is nobody who would want to know */
	if (st->kind == STANZA_IQ && (st->type == STANZA_RESULT || st->type == STANZA_ERROR))
		return;
	if (st->kind == STANZA_IQ && !other_person)
		answer_iq(s, st);
	else
		reply_error(s, st, "cancel", "service-unavailable");
}
