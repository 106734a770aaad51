/* match.c - canonical room names, and whether a token covers a room. pure */
#include "policy/match.h"

#include "base/err.h"
#include "base/utf8.h"
#include "policy/claims.h"
#include "policy/pattern.h"

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* ERR_BADMSG on an escape that is none. */
static int percent_decode(struct str s, struct buf *out)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] != '%') {
			buf_putc(out, s.p[i]);
			continue;
		}
		if (s.n - i < 3)
			return ERR_BADMSG;
		int high = hex_value(s.p[i + 1]), low = hex_value(s.p[i + 2]);
		if (high < 0 || low < 0)
			return ERR_BADMSG;
		buf_putc(out, (char)(high << 4 | low));
		i += 2;
	}
	return out->failed ? ERR_NOMEM : 0;
}

int room_decode(struct str name, struct buf *out)
{
	struct buf decoded;
	if (!utf8_valid(name)) /* a stray byte and an escape could make one character */
		return ERR_BADMSG;
	buf_init(&decoded, 0);
	int err = percent_decode(name, &decoded);
	if (err == ERR_BADMSG || (!err && !utf8_valid(buf_view(&decoded))))
		buf_str(out, name);
	else
		buf_str(out, buf_view(&decoded));
	buf_done(&decoded);
	return err == ERR_NOMEM || out->failed ? ERR_NOMEM : 0;
}

/* encodeURIComponent, with its hex digits already in lower case. */
static void percent_encode(struct str s, struct buf *out)
{
	static const char unreserved[] = "-_.!~*'()";
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
		             (c >= 'A' && c <= 'Z') || (c && strchr(unreserved, c));
		if (plain)
			buf_putc(out, ascii_lower((char)c));
		else
			buf_printf(out, "%%%02x", c);
	}
}

int room_canonical(struct str name, struct buf *out)
{
	struct buf decoded, composed, lower;
	buf_init(&decoded, 0);
	buf_init(&composed, 0);
	buf_init(&lower, 0);
	int err = room_decode(name, &decoded);
	if (!err)
		err = utf8_nfkc(buf_view(&decoded), &composed);
	if (!err)
		err = utf8_lower(buf_view(&composed), &lower);
	if (!err) {
		percent_encode(buf_view(&lower), out);
		err = out->failed ? ERR_NOMEM : 0;
	}
	buf_done(&decoded);
	buf_done(&composed);
	buf_done(&lower);
	return err;
}

/* Do two names have the same canonical form; an invalid one equals nothing. */
static int canonical_eq(struct str a, struct str b, bool *yes)
{
	struct buf ca, cb;
	buf_init(&ca, 0);
	buf_init(&cb, 0);
	int ea = room_canonical(a, &ca), eb = room_canonical(b, &cb);
	*yes = !ea && !eb && str_eq(buf_view(&ca), buf_view(&cb));
	buf_done(&ca);
	buf_done(&cb);
	return ea == ERR_NOMEM || eb == ERR_NOMEM ? ERR_NOMEM : 0;
}

int room_is_canonical(struct str node, bool *yes)
{
	struct buf canonical;
	buf_init(&canonical, 0);
	int err = room_canonical(node, &canonical);
	*yes = !err && node.n > 0 && str_eq(buf_view(&canonical), node);
	buf_done(&canonical);
	return err == ERR_NOMEM ? ERR_NOMEM : 0;
}

void room_split_tenant(struct str internal, struct str *tenant, struct str *node)
{
	*tenant = STR_NONE;
	*node = internal;
	if (internal.n < 4 || internal.p[0] != '[')
		return;
	struct str rest = str_sub(internal, 1, internal.n);
	size_t close = str_find(rest, ']');
	if (close == 0 || close + 1 >= rest.n)
		return;
	*tenant = str_sub(rest, 0, close);
	*node = str_sub(rest, close + 1, rest.n);
}

static char tenant_char(char c)
{
	return c == '.' ? '_' : ascii_lower(c);
}

bool tenant_eq(struct str a, struct str b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++) {
		if (tenant_char(a.p[i]) != tenant_char(b.p[i]))
			return false;
	}
	return true;
}

static bool is_star(struct str s)
{
	return str_eqc(s, "*");
}

/* context.room.regex is true or "true" */
static bool wants_regex(const struct claims *claims)
{
	const struct jval *regex =
	        jval_getc(jval_getc(jval_getc(claims->payload, "context"), "room"), "regex");
	return jval_true(regex) || str_eqc(jval_str(regex), "true");
}

/* room_wildcard=false: nothing may cover more than one room, or more than one tenant. */
static bool wildcard_gate(
        const struct policy_settings *s, const struct claims *claims, struct match *m)
{
	if (s->room_wildcard)
		return true;
	if (str_absent(claims->room) || is_star(claims->room))
		m->text = "Wildcard room in token not allowed";
	else if (is_star(claims->sub))
		m->text = "Wildcard sub in token not allowed";
	else if (wants_regex(claims))
		m->text = "Regex support not allowed for token";
	else
		return true;
	m->refusal = E_WILDCARD;
	return false;
}

static void refuse_room(const struct policy_settings *s, struct match *m)
{
	m->refusal = E_ROOM_MISMATCH;
	if (s->domain_verification)
		m->text = "Room and token mismatched";
	else
		m->element = "room-mismatch";
}

static void match_regex(
        const struct policy_settings *s, struct str pattern, struct str node, struct match *m)
{
	struct buf decoded;
	buf_init(&decoded, 0);
	m->nomem = room_decode(node, &decoded) != 0;
	if (!m->nomem) {
		switch (pattern_match_whole(pattern, buf_view(&decoded))) {
		case PATTERN_YES:
			m->regex = true;
			break;
		case PATTERN_NO:
			refuse_room(s, m);
			break;
		case PATTERN_INVALID:
		case PATTERN_STEPS:
			m->refusal = E_ROOM_REGEX;
			m->element = "invalid-regex";
			break;
		}
	}
	buf_done(&decoded);
}

static bool room_gate(const struct policy_settings *s, const struct claims *claims, struct str node,
        struct match *m)
{
	if (str_absent(claims->room) || is_star(claims->room)) {
		m->wildcard = true;
	} else if (wants_regex(claims)) {
		match_regex(s, claims->room, node, m);
	} else {
		bool same;
		m->nomem = canonical_eq(claims->room, node, &same) == ERR_NOMEM;
		if (!m->nomem && !same)
			refuse_room(s, m);
	}
	return !m->nomem && m->refusal == R_NONE;
}

static bool names_us(const struct policy_settings *s, struct str sub)
{
	return (s->domain.n && str_eq_ascii_nocase(sub, s->domain)) ||
	       (s->public_host.n && str_eq_ascii_nocase(sub, s->public_host));
}

static void sub_gate(const struct policy_settings *s, const struct claims *claims,
        struct str tenant, struct match *m)
{
	struct str sub = claims->sub;
	bool fits = is_star(sub) || (tenant.n ? tenant_eq(sub, tenant) : names_us(s, sub));
	if (s->domain_verification && !fits)
		m->refusal = E_TENANT_MISMATCH;
	else if (tenant.n && !fits && !names_us(s, sub))
		m->warnings |= W_TENANT_UNCHECKED;
}

/* context.tenant names another tenant than the address: the token's features do not count here. */
static void context_tenant(const struct claims *claims, struct str tenant, struct match *m)
{
	const struct jval *said = jval_getc(jval_getc(claims->payload, "context"), "tenant");
	if (!said || jval_is_null(said))
		return;
	if (!jval_is_string(said) || !tenant_eq(jval_str(said), tenant))
		m->warnings |= W_TENANT_MISMATCH;
}

void match_token(const struct policy_settings *s, const struct claims *claims,
        const struct room_view *room, struct match *m)
{
	struct str node = room->breakout ? room->main_node : room->node;

	*m = (struct match){.refusal = R_NONE};
	context_tenant(claims, room->tenant, m);
	if (!wildcard_gate(s, claims, m) || !room_gate(s, claims, node, m))
		return;
	sub_gate(s, claims, room->tenant, m);
}
