/* xml.c - fuzz: any bytes through the XML parser; what is accepted must be written, read again, and
 * mean the same. io */
#include <stdlib.h>

#include "base/err.h"
#include "base/utf8.h"
#include "xmpp/error.h"
#include "xmpp/stanza.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool same(const struct element *a, const struct element *b)
{
	while (a && b) {
		if (str_absent(a->name) != str_absent(b->name))
			return false;
		if (str_absent(a->name) ? !str_eq(a->text, b->text)
		                        : !str_eq(a->name, b->name) || !str_eq(a->ns, b->ns))
			return false;
		const struct attribute *p = a->attributes, *q = b->attributes;
		for (; p && q; p = p->next, q = q->next) {
			if (!str_eq(p->name, q->name) || !str_eq(p->ns, q->ns) ||
			        !str_eq(p->value, q->value))
				return false;
		}
		if (p || q || !same(a->first, b->first))
			return false;
		a = a->next;
		b = b->next;
	}
	return a == b;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* the rewritten form is longer: it may cross no limit of its own */
	static const struct xml_limits first = {
	        .bytes = 65536, .depth = 16, .attributes = 16, .elements = 1024};
	static const struct xml_limits second = {
	        .bytes = 1u << 30, .depth = 16, .attributes = 64, .elements = 1024};
	static struct xml_parser *parser;
	if (!parser && !(parser = xml_parser_new()))
		abort();
	struct arena a;
	struct buf out;
	struct element *e, *again;
	arena_init(&a, 0);
	buf_init(&out, 0);
	enum xml_fault fault =
	        xml_parse(parser, str_from((const char *)data, size), &first, &a, &e);
	if (fault != XML_FINE && (!xml_fault_condition(fault)[0] || !xml_fault_text(fault)[0]))
		abort();
	if (fault == XML_FINE) {
		xml_write(&out, e, STR(""));
		if (xml_parse(parser, buf_view(&out), &second, &a, &again) != XML_FINE ||
		        !same(e, again))
			abort();
		struct stanza st;
		if (stanza_read(e, &a, &st) != ERR_TYPE) {
			struct stanza_error err =
			        stanza_error_make("modify", "bad-request", "it's <bad>");
			struct str body = element_child_text(e, "body", &a);
			if (!str_absent(body) && !utf8_valid(body))
				abort();
			buf_reset(&out);
			stanza_error_reply(&out, &st, st.to.full, STR("a@b/c"), &err);
			if (out.n &&
			        xml_parse(parser, buf_view(&out), &second, &a, &again) != XML_FINE)
				abort();
		}
	}
	buf_done(&out);
	arena_done(&a);
	return 0;
}
