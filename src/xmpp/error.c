/* error.c - stanza errors written. pure */
#include "xmpp/error.h"

#include "xmpp/ns.h"

struct stanza_error stanza_error_make(const char *type, const char *condition, const char *text)
{
	return (struct stanza_error){.type = type, .condition = condition, .text = str_c(text)};
}

void stanza_error_write(struct buf *b, const struct stanza_error *e)
{
	buf_puts(b, "<error");
	xml_attr(b, "type", str_c(e->type));
	buf_putc(b, '>');
	xml_leaf(b, e->condition, NS_STANZA_ERRORS, STR_NONE);
	if (e->text.n)
		xml_leaf(b, "text", NS_STANZA_ERRORS, e->text);
	buf_str(b, e->extra);
	buf_puts(b, "</error>");
}

void stanza_error_reply(struct buf *b, const struct stanza *s, struct str from, struct str to,
        const struct stanza_error *e)
{
	if (!stanza_answerable(s))
		return;
	stanza_head(b, s->kind, "error", s->id, from, to);
	buf_putc(b, '>');
	stanza_error_write(b, e);
	buf_str(b, e->beside);
	if (s->kind == STANZA_PRESENCE && element_child(s->element, "x", NS_MUC))
		buf_puts(b, "<x xmlns='" NS_MUC "'/>");
	buf_puts(b, "</");
	buf_puts(b, stanza_kind_name(s->kind));
	buf_putc(b, '>');
}
