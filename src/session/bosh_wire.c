/* bosh_wire.c - the <body/> of BOSH. pure */
#include "session/bosh_wire.h"

#include "session/bosh_window.h"
#include "xmpp/ns.h"

#define OUR_VERSION "1.6"

/* Names */

static const char digits[] = "0123456789abcdef";

static void put_hex(uint32_t v, unsigned n, char *out)
{
	for (unsigned i = n; i-- > 0; v >>= 4)
		out[i] = digits[v & 15];
}

static bool get_hex(struct str s, uint32_t *out)
{
	*out = 0;
	for (size_t i = 0; i < s.n; i++) {
		const char *d = s.p[i] ? strchr(digits, s.p[i]) : NULL;
		if (!d)
			return false;
		*out = *out << 4 | (uint32_t)(d - digits);
	}
	return true;
}

void bosh_sid_write(const struct bosh_sid *sid, char out[BOSH_SID_DIGITS + 1])
{
	put_hex(sid->worker, 2, out);
	put_hex(sid->index, 8, out + 2);
	memcpy(out + 10, sid->secret.p, BOSH_SECRET_DIGITS);
	out[BOSH_SID_DIGITS] = '\0';
}

bool bosh_sid_read(struct str text, struct bosh_sid *out)
{
	uint32_t worker;
	if (text.n != BOSH_SID_DIGITS || !get_hex(str_sub(text, 0, 2), &worker) ||
	        !get_hex(str_sub(text, 2, 10), &out->index))
		return false;
	out->worker = worker;
	out->secret = str_sub(text, 10, BOSH_SID_DIGITS);
	return true;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static size_t skip_spaces(struct str s, size_t i)
{
	while (i < s.n && is_space(s.p[i]))
		i++;
	return i;
}

/* Where the name of the first tag begins, behind an XML declaration. */
static size_t first_tag(struct str body)
{
	size_t i = skip_spaces(body, 0);
	if (str_starts(str_sub(body, i, body.n), STR("<?"))) {
		i += str_find(str_sub(body, i, body.n), '>');
		i = skip_spaces(body, i + 1);
	}
	return i;
}

struct str bosh_find_sid(struct str body)
{
	size_t i = first_tag(body);
	while (i < body.n && !is_space(body.p[i]) && body.p[i] != '>')
		i++;
	for (;;) {
		i = skip_spaces(body, i);
		size_t name = i;
		while (i < body.n && body.p[i] != '=' && body.p[i] != '>' && !is_space(body.p[i]))
			i++;
		bool found = str_eqc(str_sub(body, name, i), "sid");
		i = skip_spaces(body, i);
		if (i >= body.n || body.p[i] != '=')
			return STR_NONE;
		i = skip_spaces(body, i + 1);
		if (i >= body.n || (body.p[i] != '\'' && body.p[i] != '"'))
			return STR_NONE;
		size_t value = i + 1;
		i = value + str_find(str_sub(body, value, body.n), body.p[i]);
		if (i >= body.n)
			return STR_NONE;
		if (found)
			return str_sub(body, value, i);
		i++;
	}
}

/* Reading */

static struct str attr_of(const struct element *e, const char *name, const char *ns)
{
	for (const struct attribute *a = e->attributes; a; a = a->next) {
		if (str_eqc(a->name, name) && str_eqc(a->ns, ns))
			return a->value;
	}
	return STR_NONE;
}

static bool is_true(struct str s)
{
	return str_eqc(s, "true") || str_eqc(s, "1");
}

static unsigned number(struct str s, unsigned fallback, unsigned max)
{
	uint64_t n;
	if (str_absent(s) || !str_u64(s, &n))
		return fallback;
	return n < max ? (unsigned)n : max;
}

/* The lower one of theirs and ours; what is no version is ours. */
static const char *version(struct str s)
{
	static const char *const older[] = {"1.0", "1.1", "1.2", "1.3", "1.4", "1.5"};
	for (size_t i = 0; i < sizeof older / sizeof *older; i++) {
		if (str_eqc(s, older[i]))
			return older[i];
	}
	return OUR_VERSION;
}

static bool only_elements(const struct element *body)
{
	for (const struct element *e = body->first; e; e = e->next) {
		if (str_absent(e->name) && str_trim(e->text).n)
			return false;
	}
	return true;
}

bool bosh_body_read(const struct element *e, struct bosh_body *out)
{
	struct str type;
	*out = (struct bosh_body){0};
	if (!element_is(e, "body", NS_BOSH) || !only_elements(e))
		return false;
	if (!str_u64(element_attr(e, "rid"), &out->rid) || out->rid > BOSH_RID_MAX)
		out->rid = 0;
	out->sid = element_attr(e, "sid");
	out->to = element_attr(e, "to");
	out->key = element_attr(e, "key");
	out->newkey = element_attr(e, "newkey");
	out->wait = number(element_attr(e, "wait"), BOSH_WAIT_MAX, BOSH_WAIT_MAX);
	out->hold = number(element_attr(e, "hold"), 1, BOSH_REQUESTS - 1);
	if (out->wait == 0)
		out->hold = 0;
	out->ver = version(element_attr(e, "ver"));
	out->pause = number(element_attr(e, "pause"), 0, BOSH_PAUSE_MAX);
	type = element_attr(e, "type");
	out->terminate = str_eqc(type, "terminate");
	out->restart = is_true(attr_of(e, "restart", NS_XBOSH));
	out->acks = str_eqc(element_attr(e, "ack"), "1");
	return true;
}

void bosh_adopt(struct element *e)
{
	if (str_absent(e->name) || !str_eqc(e->ns, NS_BOSH))
		return;
	e->ns = STR(NS_CLIENT);
	for (struct element *c = e->first; c; c = c->next)
		bosh_adopt(c);
}

/* Writing */

static void put_opening(struct buf *b, const struct bosh_answer *a)
{
	buf_printf(b,
	        " wait='%u' requests='%u' hold='%u' inactivity='%u' polling='%u' maxpause='%u'"
	        " ver='%s'",
	        a->wait, a->hold + 1, a->hold, BOSH_INACTIVITY, BOSH_POLLING, BOSH_PAUSE_MAX,
	        a->ver);
	xml_attr(b, "sid", a->sid);
	xml_attr(b, "from", a->from);
	xml_attr(b, "authid", a->id);
	buf_puts(b, " xmlns:xmpp='" NS_XBOSH "' xmpp:version='1.0' xmpp:restartlogic='true'"
	            " xmlns:stream='" NS_STREAMS "'");
}

void bosh_answer_open(struct buf *b, const struct bosh_answer *a, bool empty)
{
	buf_puts(b, "<body xmlns='" NS_BOSH "'");
	if (a->opens)
		put_opening(b, a);
	if (a->ack)
		buf_printf(b, " ack='%llu'", (unsigned long long)a->ack);
	if (a->terminate)
		buf_puts(b, " type='terminate'");
	else if (a->error)
		buf_puts(b, " type='error'");
	if (a->terminate && a->condition)
		buf_printf(b, " condition='%s'", a->condition);
	buf_puts(b, empty ? "/>" : ">");
}

void bosh_answer_close(struct buf *b)
{
	buf_puts(b, "</body>");
}

const char *bosh_condition(struct str error)
{
	/* those that BOSH has names of its own for */
	static const char *const known[] = {
	        "host-unknown", "host-gone", "policy-violation", "system-shutdown"};
	size_t inner = str_find(error, '>') + 1;
	struct str rest = str_sub(error, inner, error.n);
	if (rest.n && rest.p[0] == '<')
		rest = str_sub(rest, 1, rest.n);
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		if (str_eqc(str_sub(rest, 0, str_find(rest, ' ')), known[i]))
			return known[i];
	}
	return "remote-stream-error";
}
