/* stream.c - the stream of one session: open, close, restart, and stanzas once it is bound (RFC
 * 6120). io */
#include "base/err.h"
#include "base/log.h"
#include "base/rand.h"
#include "session/accounts.h"
#include "session/internal.h"
#include "xmpp/error.h"
#include "xmpp/ns.h"

#define BURST_SECONDS 5
#define BURST_STANZAS_MIN                                                                          \
	30 /* what a client may send at once in any case: joining takes ten or so */

void stream_open_reply(struct session *s)
{
	char id[17];
	if (!rand_hex(id, 16))
		id[0] = '\0';
	s->greeted = true;
	if (!s->transport)
		return;
	int err = s->transport->ops->open(s->transport, s->domain, str_c(id));
	if (err)
		session_send_failed(s, err);
}

static bool can_start_tls(const struct session *s)
{
	struct transport *t = s->transport;
	return t && t->ops->can_start_tls && t->ops->can_start_tls(t);
}

static void write_starttls(const struct session *s, struct buf *b)
{
	if (can_start_tls(s))
		buf_puts(b, login_needs_tls(s) ? "<starttls xmlns='" NS_TLS
		                                 "'><required/></starttls>"
		                               : "<starttls xmlns='" NS_TLS "'/>");
}

/* RFC 6120 5.4.2: the stream begins anew inside TLS, or it ends. */
static void on_starttls(struct session *s)
{
	if (!can_start_tls(s)) {
		session_send(s, STR("<failure xmlns='" NS_TLS "'/>"));
		session_close(s, SESSION_PROTOCOL, NULL, STR_NONE);
		return;
	}
	s->state = SESSION_OPENING;
	s->greeted = false;
	if (s->transport->ops->start_tls(s->transport))
		s->all->counters.tls_started++;
	else
		session_close(s, SESSION_ENDED, NULL, STR_NONE);
}

static void write_mechanisms(const struct session *s, struct buf *b)
{
	buf_puts(b, "<mechanisms xmlns='" NS_SASL "'>");
	if (sasl_here(s))
		sasl_write_mechanisms(s, b);
	else
		buf_puts(b, "<mechanism>ANONYMOUS</mechanism>");
	buf_puts(b, "</mechanisms>");
}

static void stream_features(struct session *s)
{
	struct buf *b = session_begin(s);
	buf_puts(b, "<stream:features xmlns:stream='" NS_STREAMS "' xmlns='" NS_CLIENT "'>");
	if (s->state == SESSION_BINDING) {
		buf_puts(b, "<bind xmlns='" NS_BIND "'><required/></bind>");
		if (management_offered(s))
			buf_puts(b, "<sm xmlns='" NS_SM "'><optional/></sm>");
	} else {
		write_starttls(s, b);
		if (!login_needs_tls(s))
			write_mechanisms(s, b);
	}
	buf_puts(b, "</stream:features>");
	session_flush(s);
}

/* Which of the server's domains the client wants. Whoever has logged in stays what he is: a service
 * on its domain, a person on one of people. */
static bool choose_domain(struct session *s, struct str to)
{
	const struct session_settings *set = &s->all->settings;
	struct str service = accounts_domain(set->accounts, to);
	if (s->account)
		return str_absent(to) || str_eq_ascii_nocase(to, s->domain);
	if (!str_absent(set->guest_domain) && str_eq_ascii_nocase(to, set->guest_domain))
		s->domain = set->guest_domain;
	else if (!str_absent(service) && s->state == SESSION_OPENING)
		s->domain = service;
	else if (str_eq_ascii_nocase(to, set->domain) || (str_absent(to) && sasl_here(s)))
		s->domain = set->domain;
	else
		return str_absent(to);
	return true;
}

void session_opened(struct session *s, struct str to)
{
	if (s->state == SESSION_ENDING || s->state == SESSION_REFUSED)
		return;
	if (s->state != SESSION_OPENING && s->state != SESSION_RESTARTING) {
		session_close(s, SESSION_PROTOCOL, "bad-format", STR("The stream is open already"));
		return;
	}
	if (!choose_domain(s, to)) {
		session_close(s, SESSION_PROTOCOL, "host-unknown", STR_NONE);
		return;
	}
	s->state = s->state == SESSION_OPENING ? SESSION_AUTH : SESSION_BINDING;
	stream_open_reply(s); /* may end the session */
	stream_features(s);
}

void session_closed(struct session *s)
{
	session_close(s, SESSION_CLOSED, NULL, STR_NONE);
}

void stream_refuse(struct session *s, const struct stanza *st, const char *type,
        const char *condition, const char *text)
{
	struct stanza_error err = stanza_error_make(type, condition, text);
	struct buf *b = session_begin(s);
	stanza_error_reply(b, st, st->has_to ? st->to.full : s->domain, session_jid(s), &err);
	if (b->failed || b->n)
		session_flush(s);
}

/* Whatever the client wrote, the stanza comes from its session. */
bool stream_stamp_from(struct arena *arena, struct element *e, struct str jid)
{
	for (struct attribute *a = e->attributes; a; a = a->next) {
		if (str_absent(a->ns) && str_eqc(a->name, "from")) {
			a->value = jid;
			return true;
		}
	}
	struct attribute *a = arena_alloc(arena, sizeof *a);
	if (!a)
		return false;
	*a = (struct attribute){
	        .next = e->attributes, .name = STR("from"), .ns = STR_NONE, .value = jid};
	e->attributes = a;
	return true;
}

/* RFC 6121 4.7.1: a type that nobody defined is answered, those of subscriptions are somebody's. */
static bool is_presence_type_ok(const struct stanza *st)
{
	static const char *const known[] = {
	        "subscribe", "subscribed", "unsubscribe", "unsubscribed", "probe"};
	if (st->kind != STANZA_PRESENCE || st->type != STANZA_OTHER)
		return true;
	struct str type = element_attr(st->element, "type");
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		if (str_eqc(type, known[i]))
			return true;
	}
	return false;
}

static void on_stanza(struct session *s, struct element *e)
{
	struct stanza st;
	int err = stanza_read(e, &s->all->arena, &st);
	if (!err && !is_presence_type_ok(&st))
		err = ERR_BADMSG;
	if (!err && !stream_stamp_from(&s->all->arena, e, session_jid(s)))
		err = ERR_NOMEM;
	switch (err) {
	case ERR_OK:
		if (domain_is_ours(s, &st))
			domain_stanza(s, &st);
		else
			s->all->events.stanza(s->all->events.arg, s, &st);
		return;
	case ERR_TYPE:
		session_close(s, SESSION_PROTOCOL, "unsupported-stanza-type", STR_NONE);
		return;
	case ERR_NOTFOUND:
		if (session_may_log(s->all))
			log_info("event=refuse stage=stanza because=jid-malformed session=%.8s "
			         "to=%s",
			        s->key, log_value(element_attr(e, "to")));
		stream_refuse(s, &st, "modify", "jid-malformed", NULL);
		return;
	case ERR_NOMEM:
		s->all->counters.no_memory++;
		/* unread, but what the client asked is what it expects an answer from */
		st.to.full = element_attr(e, "to");
		st.has_to = !str_absent(st.to.full);
		if (stanza_answerable(&st))
			stream_refuse(s, &st, "wait", "resource-constraint", NULL);
		else /* it would never hear that its leaving, or its answer, got lost */
			session_close(s, SESSION_ENDED, "resource-constraint", STR_NONE);
		return;
	default:
		stream_refuse(s, &st, "modify", "bad-request", NULL);
		return;
	}
}

bool session_admit(struct session *s, size_t bytes)
{
	struct sessions *ss = s->all;
	if (s->state == SESSION_ENDING)
		return false;
	const struct session_settings *set = &ss->settings;
	if (s->state != SESSION_BOUND) {
		if (++s->login_stanzas <= set->login_stanzas)
			return true;
		ss->counters.limit_login_stanzas++;
		session_close(
		        s, SESSION_RATE, "policy-violation", STR("Too many messages before login"));
		return false;
	}
	uint64_t now = loop_now_ms(ss->loop);
	double rate = s->account ? set->service_stanzas_per_second : set->stanzas_per_second;
	double burst = BURST_SECONDS * rate;
	if (burst < BURST_STANZAS_MIN)
		burst = BURST_STANZAS_MIN;
	double bytes_burst = BURST_SECONDS * (double)set->bytes_per_second;
	if (bytes_burst < 2.0 * (double)set->after_login.bytes)
		bytes_burst = 2.0 * (double)set->after_login.bytes;
	bool many = !limit_take(&s->stanzas, 1, rate, burst, now);
	bool much = !s->account &&
	            !limit_take(&s->bytes, (double)bytes, set->bytes_per_second, bytes_burst, now);
	if (!many && !much)
		return true;
	if (many)
		ss->counters.limit_stanzas_per_second++;
	else
		ss->counters.limit_bytes_per_second++;
	session_close(s, SESSION_RATE, "policy-violation", STR("Rate limit exceeded"));
	return false;
}

static void count_fault(struct session_counters *c, enum xml_fault f)
{
	switch (f) {
	case XML_NOT_WELL_FORMED:
		c->xml_not_well_formed++;
		break;
	case XML_RESTRICTED:
		c->xml_restricted++;
		break;
	case XML_TOO_LARGE:
		c->limit_xml_bytes++;
		break;
	case XML_TOO_DEEP:
		c->limit_xml_depth++;
		break;
	case XML_TOO_MANY_ATTRIBUTES:
		c->limit_xml_attributes++;
		break;
	case XML_TOO_MANY_ELEMENTS:
		c->limit_xml_elements++;
		break;
	case XML_NO_MEMORY:
		c->no_memory++;
		break;
	case XML_FINE:
		break;
	}
}

void session_fault(struct session *s, enum xml_fault fault)
{
	if (s->state == SESSION_ENDING)
		return;
	count_fault(&s->all->counters, fault);
	session_close(
	        s, SESSION_PROTOCOL, xml_fault_condition(fault), str_c(xml_fault_text(fault)));
}

const struct xml_limits *stream_limits(const struct session *s)
{
	const struct session_settings *set = &s->all->settings;
	return s->account ? &set->of_service : &set->after_login;
}

const struct xml_limits *session_limits(const struct session *s)
{
	bool known = s->state == SESSION_BOUND || s->state == SESSION_BINDING ||
	             s->state == SESSION_RESUMING;
	return known ? stream_limits(s) : &s->all->settings.before_login;
}

void session_element(struct session *s, struct element *e, struct str text)
{
	s->all->text = text;
	switch (s->state) {
	case SESSION_BOUND:
		if (!management_took(s, e))
			on_stanza(s, e);
		return;
	case SESSION_AUTH:
		if (s->transport->ops->start_tls && element_is(e, "starttls", NS_TLS))
			on_starttls(s);
		else
			login_auth(s, e);
		return;
	case SESSION_WAITING:
		login_waiting(s, e);
		return;
	case SESSION_CHALLENGED:
		sasl_challenged(s, e);
		return;
	case SESSION_BINDING:
		if (str_eqc(e->ns, NS_SM))
			resume_element(s, e);
		else
			login_bind(s, e);
		return;
	case SESSION_RESUMING:
		session_close(s, SESSION_PROTOCOL, "not-authorized",
		        STR("Wait for the answer to <resume/>"));
		return;
	case SESSION_REFUSED: /* only the client's own close counts; anything else waits for ours */
	case SESSION_ENDING:
		return;
	case SESSION_OPENING:
	case SESSION_RESTARTING:
		session_close(s, SESSION_PROTOCOL, "not-authorized", STR("The stream is not open"));
		return;
	}
}

struct element *session_parse(struct session *s, struct str message)
{
	struct sessions *ss = s->all;
	if (!session_admit(s, message.n))
		return NULL;
	if (message.n == 0 || message.p[0] != '<') { /* RFC 7395 3.3.3: no white space pings */
		ss->counters.xml_not_well_formed++;
		session_close(s, SESSION_PROTOCOL, "not-well-formed", STR_NONE);
		return NULL;
	}
	struct element *root = NULL;
	enum xml_fault fault = xml_parse(ss->parser, message, session_limits(s), &ss->arena, &root);
	if (fault != XML_FINE)
		session_fault(s, fault);
	return root;
}
