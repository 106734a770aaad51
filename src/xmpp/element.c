/* element.c - walking an element tree, and writing it. pure */
#include "xmpp/ns.h"
#include "xmpp/xml.h"

bool element_is(const struct element *e, const char *name, const char *ns)
{
	return e && !str_absent(e->name) && str_eqc(e->name, name) && (!ns || str_eqc(e->ns, ns));
}

struct str element_attr(const struct element *e, const char *name)
{
	for (const struct attribute *a = e ? e->attributes : NULL; a; a = a->next) {
		if (str_absent(a->ns) && str_eqc(a->name, name))
			return a->value;
	}
	return STR_NONE;
}

static const struct element *skip_text(const struct element *e)
{
	while (e && str_absent(e->name))
		e = e->next;
	return e;
}

const struct element *element_first(const struct element *e)
{
	return e ? skip_text(e->first) : NULL;
}

const struct element *element_next(const struct element *e)
{
	return e ? skip_text(e->next) : NULL;
}

const struct element *element_child(const struct element *e, const char *name, const char *ns)
{
	for (const struct element *c = element_first(e); c; c = element_next(c)) {
		if (element_is(c, name, ns))
			return c;
	}
	return NULL;
}

struct str element_text(const struct element *e, struct arena *a)
{
	const struct element *only = NULL;
	size_t n = 0;
	unsigned runs = 0;
	for (const struct element *c = e ? e->first : NULL; c; c = c->next) {
		if (!str_absent(c->name))
			continue;
		only = c;
		runs++;
		n += c->text.n;
	}
	if (runs == 0)
		return STR("");
	if (runs == 1)
		return only->text;
	char *joined = arena_alloc(a, n + 1);
	if (!joined)
		return STR("");
	size_t at = 0;
	for (const struct element *c = e->first; c; c = c->next) {
		if (str_absent(c->name)) {
			memcpy(joined + at, c->text.p, c->text.n);
			at += c->text.n;
		}
	}
	return str_from(joined, n);
}

struct str element_child_text(const struct element *e, const char *name, struct arena *a)
{
	const struct element *c = element_child(e, name, NULL);
	return c ? element_text(c, a) : STR_NONE;
}

static const char *escape_of(char c, bool in_attribute)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '\r': /* a parser would turn these into spaces or line feeds (XML 1.0 2.11, 3.3.3) */
		return "&#13;";
	case '\n':
		return in_attribute ? "&#10;" : NULL;
	case '\t':
		return in_attribute ? "&#9;" : NULL;
	case '\'':
		return in_attribute ? "&apos;" : NULL;
	case '"':
		return in_attribute ? "&quot;" : NULL;
	default:
		return NULL;
	}
}

/* May escape_of have something for it; nearly all of what is written has not. */
static const bool is_special[256] = {['&'] = true,
        ['<'] = true,
        ['>'] = true,
        ['\r'] = true,
        ['\n'] = true,
        ['\t'] = true,
        ['\''] = true,
        ['"'] = true};

static void escape(struct buf *b, struct str s, bool in_attribute)
{
	size_t plain = 0;
	for (size_t i = 0; i < s.n; i++) {
		if (!is_special[(unsigned char)s.p[i]])
			continue;
		const char *with = escape_of(s.p[i], in_attribute);
		if (!with)
			continue;
		buf_add(b, s.p + plain, i - plain);
		buf_puts(b, with);
		plain = i + 1;
	}
	if (plain < s.n)
		buf_add(b, s.p + plain, s.n - plain);
}

void xml_escape(struct buf *b, struct str s)
{
	escape(b, s, true);
}

void xml_text(struct buf *b, struct str s)
{
	escape(b, s, false);
}

void xml_attr(struct buf *b, const char *name, struct str value)
{
	if (str_absent(value))
		return;
	buf_putc(b, ' ');
	buf_puts(b, name);
	buf_puts(b, "='");
	escape(b, value, true);
	buf_putc(b, '\'');
}

void xml_leaf(struct buf *b, const char *name, const char *ns, struct str text)
{
	buf_putc(b, '<');
	buf_puts(b, name);
	if (ns)
		xml_attr(b, "xmlns", str_c(ns));
	if (text.n == 0) {
		buf_puts(b, "/>");
		return;
	}
	buf_putc(b, '>');
	xml_text(b, text);
	buf_puts(b, "</");
	buf_puts(b, name);
	buf_putc(b, '>');
}

/* An attribute in a namespace gets a prefix declared on the spot, n distinguishing them. */
static void write_attribute(struct buf *b, const struct attribute *a, unsigned n)
{
	if (str_absent(a->ns)) {
		buf_putc(b, ' ');
		buf_str(b, a->name);
	} else if (str_eqc(a->ns, NS_XML)) {
		buf_puts(b, " xml:");
		buf_str(b, a->name);
	} else {
		buf_printf(b, " xmlns:a%u='", n);
		escape(b, a->ns, true);
		buf_printf(b, "' a%u:", n);
		buf_str(b, a->name);
	}
	buf_puts(b, "='");
	escape(b, a->value, true);
	buf_putc(b, '\'');
}

/* Depth is bounded by the parser's limits, so recursion is too. */
void xml_write(struct buf *b, const struct element *e, struct str scope)
{
	if (str_absent(e->name)) {
		xml_text(b, e->text);
		return;
	}
	buf_putc(b, '<');
	buf_str(b, e->name);
	if (e->declares || !str_eq(e->ns, scope))
		xml_attr(b, "xmlns", e->ns);
	unsigned n = 0;
	for (const struct attribute *a = e->attributes; a; a = a->next)
		write_attribute(b, a, n++);
	if (!e->first) {
		buf_puts(b, "/>");
		return;
	}
	buf_putc(b, '>');
	xml_write_children(b, e);
	buf_puts(b, "</");
	buf_str(b, e->name);
	buf_putc(b, '>');
}

void xml_write_children(struct buf *b, const struct element *e)
{
	for (const struct element *c = e->first; c; c = c->next)
		xml_write(b, c, e->ns);
}
