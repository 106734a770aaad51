/* stream.c - the stream of one session: open, close, restart, and stanzas once it is bound (RFC
 * 7395, RFC 6120). io */
#include "base/err.h"
#include "base/log.h"
#include "base/rand.h"
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
	struct buf *b = session_begin(s);
	buf_puts(b, "<open xmlns='" NS_FRAMING "'");
	xml_attr(b, "from", s->domain);
	buf_printf(b, " id='%s' version='1.0' xml:lang='en'/>", id);
	s->greeted = true;
	session_flush(s);
}

static void stream_features(struct session *s)
{
	struct buf *b = session_begin(s);
	buf_puts(b, "<stream:features xmlns:stream='" NS_STREAMS "' xmlns='" NS_CLIENT "'>");
	if (s->state == SESSION_BINDING)
		buf_puts(b, "<bind xmlns='" NS_BIND "'><required/></bind>");
	else
		buf_puts(b, "<mechanisms xmlns='" NS_SASL
		            "'><mechanism>ANONYMOUS</mechanism></mechanisms>");
	buf_puts(b, "</stream:features>");
	session_flush(s);
}

static void on_open(struct session *s, const struct element *e)
{
	if (s->state != SESSION_OPENING && s->state != SESSION_RESTARTING) {
		session_close(s, SESSION_PROTOCOL, "bad-format", STR("The stream is open already"));
		return;
	}
	struct str to = element_attr(e, "to");
	const struct session_settings *set = &s->all->settings;
	if (!str_absent(set->guest_domain) && str_eq_ascii_nocase(to, set->guest_domain)) {
		s->domain = set->guest_domain;
	} else if (!str_absent(to) && !str_eq_ascii_nocase(to, set->domain)) {
		session_close(s, SESSION_PROTOCOL, "host-unknown", STR_NONE);
		return;
	}
	s->state = s->state == SESSION_OPENING ? SESSION_AUTH : SESSION_BINDING;
	stream_open_reply(s); /* may end the session */
	stream_features(s);
}

static void on_close(struct session *s)
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

/* True when the session was closed for it. */
static bool over_limits(struct session *s, size_t bytes)
{
	struct sessions *ss = s->all;
	const struct session_settings *set = &ss->settings;
	if (s->state != SESSION_BOUND) {
		if (++s->login_stanzas <= set->login_stanzas)
			return false;
		ss->counters.limit_login_stanzas++;
		session_close(
		        s, SESSION_RATE, "policy-violation", STR("Too many messages before login"));
		return true;
	}
	uint64_t now = loop_now_ms(ss->loop);
	double burst = BURST_SECONDS * (double)set->stanzas_per_second;
	if (burst < BURST_STANZAS_MIN)
		burst = BURST_STANZAS_MIN;
	double bytes_burst = BURST_SECONDS * (double)set->bytes_per_second;
	if (bytes_burst < 2.0 * (double)set->after_login.bytes)
		bytes_burst = 2.0 * (double)set->after_login.bytes;
	bool many = !limit_take(&s->stanzas, 1, set->stanzas_per_second, burst, now);
	bool much = !limit_take(&s->bytes, (double)bytes, set->bytes_per_second, bytes_burst, now);
	if (!many && !much)
		return false;
	if (many)
		ss->counters.limit_stanzas_per_second++;
	else
		ss->counters.limit_bytes_per_second++;
	session_close(s, SESSION_RATE, "policy-violation", STR("Rate limit exceeded"));
	return true;
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

static void dispatch(struct session *s, struct element *e)
{
	if (element_is(e, "close", NS_FRAMING)) {
		on_close(s);
	} else if (element_is(e, "open", NS_FRAMING)) {
		on_open(s, e);
	} else if (s->state == SESSION_BOUND) {
		on_stanza(s, e);
	} else if (s->state == SESSION_AUTH) {
		login_auth(s, e);
	} else if (s->state == SESSION_BINDING) {
		login_bind(s, e);
	} else {
		session_close(s, SESSION_PROTOCOL, "not-authorized", STR("The stream is not open"));
	}
}

void stream_message(struct session *s, struct str text)
{
	struct sessions *ss = s->all;
	if (s->state == SESSION_ENDING || over_limits(s, text.n))
		return;
	if (text.n == 0 || text.p[0] != '<') { /* RFC 7395 3.3.3: no white space pings, no text */
		ss->counters.xml_not_well_formed++;
		session_close(s, SESSION_PROTOCOL, "not-well-formed", STR_NONE);
		return;
	}
	const struct xml_limits *limits = s->state == SESSION_BOUND || s->state == SESSION_BINDING
	                                          ? &ss->settings.after_login
	                                          : &ss->settings.before_login;
	struct element *root = NULL;
	ss->text = text;
	enum xml_fault fault = xml_parse(ss->parser, text, limits, &ss->arena, &root);
	if (fault == XML_FINE) {
		/* After a refusal only the client's own close counts; anything else waits for ours.
		 */
		if (s->state != SESSION_REFUSED || element_is(root, "close", NS_FRAMING))
			dispatch(s, root);
	} else {
		count_fault(&ss->counters, fault);
		session_close(s, SESSION_PROTOCOL, xml_fault_condition(fault),
		        str_c(xml_fault_text(fault)));
	}
	arena_reset(&ss->arena);
}
