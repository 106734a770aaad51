/* login.c - who a client is: the token of its arrival, SASL ANONYMOUS, and the JID it is bound to.
 * io */
#include <math.h>
#include <stdio.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/utf8.h"
#include "http/parse.h"
#include "policy/decide.h"
#include "session/accounts.h"
#include "session/internal.h"
#include "token/jwt.h"
#include "xmpp/error.h"
#include "xmpp/ns.h"

#define QUERY_MAX 1024 /* bytes of room= and prefix= */
#define RESOURCE_MAX 256
#define RESOURCE_DIGITS 12
#define REFUSED_CLOSE_MS                                                                           \
	3000 /* the current client closes by itself; the 2021 one leaves the socket open           \
	      */

static char *query_copy(struct str query, const char *name)
{
	struct buf b;
	buf_init(&b, QUERY_MAX);
	char *copy = NULL;
	if (http_query_get(query, name, &b) == 1 && !b.failed && utf8_valid(buf_view(&b)))
		copy = buf_steal(&b);
	buf_done(&b);
	return copy;
}

/* The token stays with the session until it logs in. Its own faults are judged then, in the order
 * of the rule. */
static void take_token(struct session *s, const struct session_arrival *a)
{
	struct buf query;
	buf_init(&query, 0);
	int n = http_query_get(a->query, "token", &query);
	struct str found = STR_NONE;
	enum reason reason = E_TOKEN_FORMAT;
	if (n == 0 || n == 1)
		reason = token_from_request(
		        n ? buf_view(&query) : STR_NONE, a->authorization, &found);
	if (a->authorizations > 1)
		reason = E_TOKEN_FORMAT;
	if (query.failed)
		reason = E_RATE;
	if (reason == R_NONE && found.n) {
		s->token = mem_strndup(found.p, found.n);
		if (!s->token)
			reason = E_RATE;
	}
	s->token_reason = reason;
	buf_done(&query);
}

void login_take_arrival(struct session *s, const struct session_arrival *a)
{
	s->query_room = query_copy(a->query, "room");
	s->query_prefix = query_copy(a->query, "prefix");
	if (s->all->settings.policy->auth == AUTH_JWT)
		take_token(s, a);
}

/* The setting that would have let this client in; "" where none would, or where the token code
 * knows better. */
static const char *fix_of(enum reason reason)
{
	switch (reason) {
	case E_TOKEN_REQUIRED:
		return "allow_guests=true lets clients in without a token";
	case E_TOKEN_FORMAT:
		return "send one token: ?token=, or Authorization: Bearer";
	default:
		return "";
	}
}

static void put_identity(struct buf *b, const struct jval *payload)
{
	static const char *const keys[] = {"iss", "sub"};
	for (size_t i = 0; i < 2; i++) {
		struct str v = jval_str(jval_getc(payload, keys[i]));
		if (!str_absent(v))
			buf_printf(b, " %s=%s", keys[i], log_value(v));
	}
	const struct jval *id = jval_getc(jval_getc(jval_getc(payload, "context"), "user"), "id");
	if (jval_is_string(id))
		buf_printf(b, " id=%s", log_value(jval_str(id)));
	else if (jval_is_number(id))
		buf_printf(b, " id=%.17g", jval_number(id));
}

struct refusal {
	enum reason reason;
	const char *text;           /* for the client */
	const char *fix;            /* for the log */
	const struct jval *payload; /* verified, or NULL */
	const uint8_t *sha256;      /* of the token, or NULL */
};

/* One line, with everything an administrator needs and nothing that would let anybody in. */
static void log_refusal(struct session *s, const struct refusal *r)
{
	if (!session_may_log(s->all))
		return;
	char hash[9] = "-";
	if (r->sha256)
		hash_hex(r->sha256, 4, hash);
	struct buf b;
	buf_init(&b, 900);
	buf_printf(&b, "event=refuse stage=sasl reason=%s text=%s token=%s", reason_name(r->reason),
	        log_value(str_c(r->text)), hash);
	put_identity(&b, r->payload);
	buf_printf(&b, " peer=%s", s->peer);
	if (s->query_room)
		buf_printf(&b, " room=%s", log_value(str_c(s->query_room)));
	if (r->fix[0]) {
		buf_puts(&b, " fix=");
		jval_quote(str_c(r->fix), &b);
	}
	log_info("%s", b.p ? b.p : "event=refuse stage=sasl");
	buf_done(&b);
}

static void refuse(struct session *s, const struct refusal *r)
{
	s->all->counters.refused_logins++;
	log_refusal(s, r);
	struct buf *b = session_begin(s);
	/* exactly these bytes: a client finds the text with a regular expression, and takes it as
	 * it stands
	 */
	buf_puts(b, "<failure xmlns='" NS_SASL "'><not-allowed/><text>");
	for (const char *p = r->text; *p; p++)
		buf_putc(b,
		        *p == '<' || *p == '>' || *p == '&' || (unsigned char)*p < 0x20 ? ' ' : *p);
	buf_puts(b, "</text></failure>");
	session_flush(s);
	if (s->state == SESSION_ENDING)
		return;
	s->state = SESSION_REFUSED;
	s->timer.at_ms = loop_now_ms(s->all->loop) + REFUSED_CLOSE_MS;
	timer_start(
	        loop_timers(s->all->loop), &s->timer, s->timer.at_ms, s->timer.fn, s->timer.arg);
}

void login_accept(struct session *s, struct str data)
{
	struct transport *t = s->transport;
	s->state = SESSION_RESTARTING;
	t->ops->set_max_message(t, stream_limits(s)->bytes);
	struct buf *b = session_begin(s);
	buf_puts(b, "<success xmlns='" NS_SASL "'");
	if (data.n) {
		buf_putc(b, '>');
		buf_str(b, data);
		buf_puts(b, "</success>");
	} else {
		buf_puts(b, "/>");
	}
	session_flush(s);
	if (s->transport && t->ops->restart)
		t->ops->restart(t);
}

static void verify_again(struct session *s);

/* Verifies the session's token. True: its key is asked for elsewhere, and verify_again comes later.
 * waited: this is later. */
static bool check_token(struct session *s, bool waited, struct token_result *result)
{
	const struct session_settings *set = &s->all->settings;
	int64_t now = (int64_t)floor(loop_wall_s(s->all->loop));
	for (int tries = 0; tries < 2; tries++) {
		char why[KEY_WHY];
		token_verify(set->token, set->keys, str_c(s->token), now, result);
		if (!result->wanted)
			return false;
		enum key_answer answer =
		        wait_for_key(s, &result->want, waited ? NULL : verify_again, why);
		if (answer == KEY_REFUSED)
			snprintf(result->hint, sizeof result->hint, "%.*s",
			        (int)sizeof result->hint - 1, why);
		if (answer != KEY_READY) /* it came just now */
			return answer == KEY_WAIT;
	}
	return false;
}

static void accept_plain(struct session *s)
{
	login_accept(s, STR(""));
}

/* It comes back with the token that it had: that was verified then, and may have run out since. */
static bool login_again(struct session *s)
{
	const struct refusal over = {.reason = E_EXP, .text = "Token expired", .fix = ""};
	enum resume_login how = resume_login(s);
	if (how == RESUME_LOGIN_NEW)
		return false;
	mem_free(s->token);
	s->token = NULL;
	if (how == RESUME_LOGIN_SAME)
		accept_plain(s);
	else
		refuse(s, &over);
	return true;
}

static void verify(struct session *s, bool waited)
{
	struct token_result result = {0};
	struct connect_request c = {.settings = s->all->settings.policy,
	        .token = s->token_reason,
	        .present = s->token || s->token_reason != R_NONE};
	bool verified = s->token && s->token_reason == R_NONE;
	if (!waited && login_again(s))
		return;
	if (verified && check_token(s, waited, &result)) {
		s->state = SESSION_WAITING;
		return;
	}
	if (verified) {
		c.token = result.reason;
		c.claims = result.claims;
	}
	struct verdict v;
	policy_connect(&c, &v);
	if (v.accepted) {
		s->claims = result.claims;
		result.claims = NULL;
		if (resume_asks(s, accept_plain))
			s->state = SESSION_WAITING;
		else
			accept_plain(s);
	} else {
		/* the token's own words where it was the token: they hold the seconds, the name of
		 * the claim */
		bool token_said = verified && result.reason != R_NONE && result.text[0];
		const char *fix = token_said && result.hint[0] ? result.hint : fix_of(v.reason);
		refuse(s,
		        &(struct refusal){.reason = v.reason,
		                .text = token_said ? result.text
		                        : v.text   ? v.text
		                                   : "",
		                .fix = fix,
		                .payload = result.claims ? result.claims->payload : result.refused,
		                .sha256 = verified ? result.sha256 : NULL});
	}
	token_result_done(&result);
	mem_free(s->token);
	s->token = NULL;
}

static void verify_again(struct session *s)
{
	verify(s, true);
}

void login_fail(struct session *s, const char *condition)
{
	struct buf *b = session_begin(s);
	buf_printf(b, "<failure xmlns='" NS_SASL "'><%s/></failure>", condition);
	session_flush(s);
}

bool login_needs_tls(const struct session *s)
{
	struct transport *t = s->transport;
	return t && t->ops->kind == TRANSPORT_TCP && s->all->settings.require_tls &&
	       !t->ops->secure(t);
}

void login_auth(struct session *s, const struct element *e)
{
	if (element_is(e, "abort", NS_SASL)) {
		login_fail(s, "aborted");
	} else if (!element_is(e, "auth", NS_SASL)) {
		session_close(s, SESSION_PROTOCOL, "not-authorized", STR("Log in first"));
	} else if (login_needs_tls(s)) {
		login_fail(s, "encryption-required");
	} else if (sasl_here(s)) {
		sasl_auth(s, e);
	} else if (!str_eqc(element_attr(e, "mechanism"), "ANONYMOUS")) {
		login_fail(s, "invalid-mechanism");
	} else {
		verify(s, false); /* an initial response, "=" or anything else, is a trace (RFC
		              4505) and means nothing */
	}
}

/* While the answer to <auth/> is under way a client has nothing to say but that it gives up. */
void login_waiting(struct session *s, const struct element *e)
{
	if (!element_is(e, "abort", NS_SASL)) {
		session_close(s, SESSION_PROTOCOL, "not-authorized",
		        STR("Wait for the answer to <auth/>"));
		return;
	}
	wait_end(s);
	far_ask_end(s);
	claims_unref(s->claims); /* when its rooms were asked it was verified */
	s->claims = NULL;
	s->state = SESSION_AUTH;
	login_fail(s, "aborted");
}

/* The lower-case hexadecimal node matters: clients take their room nick from its first eight
 * digits. A service has the node of its account. */
static bool make_jid(struct session *s, struct str wanted)
{
	char made[RESOURCE_DIGITS + 1];
	if ((!resume_take_name(s) && !rand_uuid(s->key)) || !rand_hex(made, RESOURCE_DIGITS))
		return false;
	struct buf b;
	buf_init(&b, 0);
	if (s->account)
		buf_str(&b, s->account->node);
	else
		buf_puts(&b, s->key);
	buf_putc(&b, '@');
	for (size_t i = 0; i < s->domain.n; i++)
		buf_putc(&b, ascii_lower(s->domain.p[i]));
	s->bare_n = b.n;
	buf_putc(&b, '/');
	buf_str(&b, wanted.n ? wanted : str_c(made));
	s->jid = buf_steal(&b);
	return s->jid != NULL;
}

static void bind_error(
        struct session *s, const struct stanza *st, const char *type, const char *condition)
{
	struct stanza_error err = stanza_error_make(type, condition, NULL);
	struct buf *b = session_begin(s);
	stanza_error_reply(b, st, STR_NONE, STR_NONE, &err);
	if (b->failed || b->n)
		session_flush(s);
}

void login_bind(struct session *s, const struct element *e)
{
	struct sessions *ss = s->all;
	struct stanza st;
	int err = stanza_read(e, &ss->arena, &st);
	if (err || st.kind != STANZA_IQ || st.type != STANZA_SET ||
	        !element_is(st.payload, "bind", NS_BIND)) {
		session_close(s, SESSION_PROTOCOL, "not-authorized", STR("Bind a resource first"));
		return;
	}
	struct str resource = element_child_text(st.payload, "resource", &ss->arena);
	if (resource.n && (resource.n > RESOURCE_MAX || !jid_resource_ok(resource))) {
		bind_error(s, &st, "modify", "bad-request");
		return;
	}
	if (!make_jid(s, resource) || !session_assign(s)) {
		mem_free(s->jid);
		s->jid = NULL;
		ss->counters.no_memory++;
		bind_error(s, &st, "wait", "resource-constraint");
		return;
	}
	resume_supersede(s);
	timer_stop(&s->timer);
	s->state = SESSION_BOUND;
	s->was_bound = true;
	if (s->transport->ops->known)
		s->transport->ops->known(s->transport);
	ss->counters.bound++;
	ss->counters.bound_now++;
	log_debug("event=session-bind session=%.8s peer=%s token=%s", s->key, s->peer,
	        s->claims ? "verified" : "none");
	if (ss->settings.services_push && !s->account)
		domain_push_services(s);
	struct buf *b = session_begin(s);
	stanza_head(b, STANZA_IQ, "result", st.id, STR_NONE, STR_NONE);
	buf_puts(b, "><bind xmlns='" NS_BIND "'>");
	xml_leaf(b, "jid", NULL, session_jid(s));
	buf_puts(b, "</bind></iq>");
	session_flush(s);
	if (s->account && ss->events.service && s->state == SESSION_BOUND)
		ss->events.service(ss->events.arg, s);
}
