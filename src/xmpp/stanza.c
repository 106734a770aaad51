/* stanza.c - elements read as stanzas, and heads of stanzas written. pure */
#include "xmpp/stanza.h"

#include "base/err.h"
#include "xmpp/ns.h"

static const struct {
	const char *word;
	enum stanza_type type;
} types[] = {
        {"get", STANZA_GET},
        {"set", STANZA_SET},
        {"result", STANZA_RESULT},
        {"error", STANZA_ERROR},
        {"unavailable", STANZA_UNAVAILABLE},
        {"chat", STANZA_CHAT},
        {"groupchat", STANZA_GROUPCHAT},
        {"normal", STANZA_PLAIN},
};

static enum stanza_type read_type(struct str word)
{
	if (str_absent(word))
		return STANZA_PLAIN;
	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		if (str_eqc(word, types[i].word))
			return types[i].type;
	}
	return STANZA_OTHER;
}

const char *stanza_kind_name(enum stanza_kind k)
{
	static const char *const names[] = {"iq", "presence", "message"};
	return names[k];
}

static int check_iq(const struct stanza *s)
{
	bool asks = s->type == STANZA_GET || s->type == STANZA_SET;
	if (!asks && s->type != STANZA_RESULT && s->type != STANZA_ERROR)
		return ERR_BADMSG;
	if (s->id.n == 0)
		return ERR_BADMSG;
	if (asks && (!s->payload || element_next(s->payload)))
		return ERR_BADMSG;
	return ERR_OK;
}

int stanza_read(const struct element *e, struct arena *a, struct stanza *out)
{
	*out = (struct stanza){.element = e};
	if (!str_eqc(e->ns, NS_CLIENT))
		return ERR_TYPE;
	if (str_eqc(e->name, "iq"))
		out->kind = STANZA_IQ;
	else if (str_eqc(e->name, "presence"))
		out->kind = STANZA_PRESENCE;
	else if (str_eqc(e->name, "message"))
		out->kind = STANZA_MESSAGE;
	else
		return ERR_TYPE;
	out->type = read_type(element_attr(e, "type"));
	out->id = element_attr(e, "id");
	out->payload = element_first(e);
	if (out->id.n > STANZA_ID_MAX) {
		out->id = STR_NONE;
		return ERR_LIMIT;
	}
	struct str to = element_attr(e, "to");
	if (!str_absent(to)) {
		int err = jid_parse(to, a, &out->to);
		if (err)
			return err == ERR_NOMEM ? ERR_NOMEM : ERR_NOTFOUND;
		out->has_to = true;
	}
	return out->kind == STANZA_IQ ? check_iq(out) : ERR_OK;
}

bool stanza_answerable(const struct stanza *s)
{
	if (s->type == STANZA_ERROR)
		return false;
	if (s->kind == STANZA_IQ)
		return s->type != STANZA_RESULT;
	if (s->kind == STANZA_PRESENCE)
		return s->type != STANZA_UNAVAILABLE;
	return true;
}

void stanza_head(struct buf *b, enum stanza_kind kind, const char *type, struct str id,
        struct str from, struct str to)
{
	buf_putc(b, '<');
	buf_puts(b, stanza_kind_name(kind));
	buf_puts(b, " xmlns='" NS_CLIENT "'");
	if (type)
		xml_attr(b, "type", str_c(type));
	xml_attr(b, "id", id);
	xml_attr(b, "from", from);
	xml_attr(b, "to", to);
}

void stanza_result(struct buf *b, const struct stanza *s, struct str from, struct str to)
{
	stanza_head(b, s->kind, "result", s->id, from, to);
	buf_puts(b, "/>");
}
