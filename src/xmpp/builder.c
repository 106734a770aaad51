/* builder.c - one tree from expat's events, within its limits. pure */
#include "xmpp/builder.h"

#include "base/mem.h"
#include "base/rand.h"
#include "xmpp/ns.h"

/* Between namespace, name and prefix in expat's names. No XML document can hold this character. */
#define SEPARATOR '\x01'
#define NAMESPACE_MAX 256 /* bytes of a namespace or a name */
/* A prefix makes a long namespace cheap for the sender, but the tree and the writer spell it out on
 * each element and attribute: together they may do so for this much more than the message has
 * bytes. */
#define SPELLED_FACTOR 2
#define SPELLED_FREE 4096

static const XML_Memory_Handling_Suite memory = {mem_alloc, mem_realloc, mem_free};

void xml_builder_init(struct xml_builder *b)
{
	buf_init(&b->run, 0);
	if (!rand_bytes(&b->salt, sizeof b->salt))
		b->salt = 0;
}

void xml_builder_drop_expat(struct xml_builder *b)
{
	if (b->expat)
		XML_ParserFree(b->expat);
	b->expat = NULL;
}

void xml_builder_done(struct xml_builder *b)
{
	xml_builder_drop_expat(b);
	buf_done(&b->run);
}

void xml_builder_stop(struct xml_builder *b, enum xml_fault fault)
{
	if (b->fault == XML_FINE)
		b->fault = fault;
	XML_StopParser(b->expat, XML_FALSE);
}

static void append_child(struct element *parent, struct element *child)
{
	if (parent->last)
		parent->last->next = child;
	else
		parent->first = child;
	parent->last = child;
}

/* Turns the character data read so far into a text run of the innermost open element. */
static bool flush_run(struct xml_builder *b)
{
	if (b->run.failed) {
		xml_builder_stop(b, XML_NO_MEMORY);
		return false;
	}
	if (b->run.n == 0 || b->open == 0)
		return true;
	struct element *e = arena_alloc(b->arena, sizeof *e);
	if (e)
		e->text = arena_str(b->arena, buf_view(&b->run));
	if (!e || str_absent(e->text)) {
		xml_builder_stop(b, XML_NO_MEMORY);
		return false;
	}
	append_child(b->path[b->open - 1], e);
	buf_reset(&b->run);
	return true;
}

/* Splits expat's "ns SEP name" into arena strings. Every element has a copy of its namespace, whose
 * length the sender paid for only once: hence the limit, and the sharing with the parent. */
static bool take_name(
        struct xml_builder *b, const char *given, bool attribute, struct str *ns, struct str *name)
{
	struct str rest = str_c(given);
	struct str first = str_split(&rest, SEPARATOR);
	struct str parent = b->open ? b->path[b->open - 1]->ns : STR("");
	struct str local = str_absent(rest) ? first : rest;
	first = str_absent(rest) ? STR("") : first;
	if (str_find(local, ':') < local.n) {
		xml_builder_stop(b, XML_NOT_WELL_FORMED);
		return false;
	}
	if (first.n > NAMESPACE_MAX || local.n > NAMESPACE_MAX) {
		xml_builder_stop(b, XML_TOO_LARGE);
		return false;
	}
	bool shared = str_eq(first, parent);
	if ((attribute || !shared) && (b->spelled += first.n) > b->spelled_max) {
		xml_builder_stop(b, XML_TOO_LARGE);
		return false;
	}
	*name = arena_str(b->arena, local);
	*ns = first.n == 0 ? STR("") : shared ? parent : arena_str(b->arena, first);
	if (!str_absent(*ns) && !str_absent(*name))
		return true;
	xml_builder_stop(b, XML_NO_MEMORY);
	return false;
}

static bool take_attributes(struct xml_builder *b, struct element *e, const XML_Char **given)
{
	unsigned n = b->declarations;
	struct attribute **tail = &e->attributes;
	for (; given[0]; given += 2) {
		if (++n > b->limits->attributes) {
			xml_builder_stop(b, XML_TOO_MANY_ATTRIBUTES);
			return false;
		}
		struct attribute *a = arena_alloc(b->arena, sizeof *a);
		if (!a)
			goto nomem;
		if (!take_name(b, given[0], true, &a->ns, &a->name))
			return false;
		if (a->ns.n == 0)
			a->ns = STR_NONE;
		a->value = arena_str(b->arena, str_c(given[1]));
		if (str_absent(a->value))
			goto nomem;
		*tail = a;
		tail = &a->next;
	}
	return true;
nomem:
	xml_builder_stop(b, XML_NO_MEMORY);
	return false;
}

/* What could not be handed on: an element of XML's own namespace can't be written without its
 * prefix, and browsers say "parsererror" by an element of that name. A sender of either would be
 * nobody that others see. */
static bool is_unwritable(const struct element *e)
{
	return str_eqc(e->ns, NS_XML) || str_eqc(e->name, "parsererror");
}

static bool is_stanza_name(struct str name)
{
	return str_eqc(name, "iq") || str_eqc(name, "presence") || str_eqc(name, "message");
}

void XMLCALL xml_builder_start(void *arg, const XML_Char *name, const XML_Char **attributes)
{
	struct xml_builder *b = arg;
	if (b->fault || !flush_run(b))
		return;
	if (b->open >= b->limits->depth) {
		xml_builder_stop(b, XML_TOO_DEEP);
		return;
	}
	if (++b->elements > b->limits->elements) {
		xml_builder_stop(b, XML_TOO_MANY_ELEMENTS);
		return;
	}
	if (b->declarations > b->limits->attributes) {
		xml_builder_stop(b, XML_TOO_MANY_ATTRIBUTES);
		return;
	}
	struct element *e = arena_alloc(b->arena, sizeof *e);
	if (!e) {
		xml_builder_stop(b, XML_NO_MEMORY);
		return;
	}
	if (!take_name(b, name, false, &e->ns, &e->name))
		return;
	if (is_unwritable(e)) {
		xml_builder_stop(b, XML_RESTRICTED);
		return;
	}
	if (b->open == 0)
		b->adopt = e->ns.n == 0 && is_stanza_name(e->name);
	if (b->adopt && e->ns.n == 0)
		e->ns = STR(NS_CLIENT);
	e->declares = b->declares;
	if (!take_attributes(b, e, attributes))
		return;
	b->declares = false;
	b->declarations = 0;
	if (b->open)
		append_child(b->path[b->open - 1], e);
	else
		b->root = e;
	b->path[b->open++] = e;
}

void XMLCALL xml_builder_end(void *arg, const XML_Char *name)
{
	struct xml_builder *b = arg;
	(void)name;
	if (b->fault || !flush_run(b))
		return;
	b->open--;
}

void XMLCALL xml_builder_text(void *arg, const XML_Char *s, int n)
{
	struct xml_builder *b = arg;
	if (!b->fault)
		buf_add(&b->run, s, (size_t)n);
}

void XMLCALL xml_builder_declaration(void *arg, const XML_Char *prefix, const XML_Char *uri)
{
	struct xml_builder *b = arg;
	(void)uri;
	b->declarations++;
	if (!prefix)
		b->declares = true;
}

static void XMLCALL on_doctype(
        void *arg, const XML_Char *name, const XML_Char *sysid, const XML_Char *pubid, int internal)
{
	(void)name, (void)sysid, (void)pubid, (void)internal;
	xml_builder_stop(arg, XML_RESTRICTED);
}

static void XMLCALL on_comment(void *arg, const XML_Char *text)
{
	(void)text;
	xml_builder_stop(arg, XML_RESTRICTED);
}

static void XMLCALL on_instruction(void *arg, const XML_Char *target, const XML_Char *data)
{
	(void)target, (void)data;
	xml_builder_stop(arg, XML_RESTRICTED);
}

static void XMLCALL on_entity(void *arg, const XML_Char *name, int is_parameter)
{
	(void)name, (void)is_parameter;
	xml_builder_stop(arg, XML_RESTRICTED);
}

bool xml_builder_prepare(struct xml_builder *b)
{
	if (!b->expat) {
		const XML_Char separator[2] = {SEPARATOR, 0};
		b->expat = XML_ParserCreate_MM("UTF-8", &memory, separator);
	} else if (XML_ParserReset(b->expat, "UTF-8") != XML_TRUE) {
		xml_builder_drop_expat(b);
	}
	if (!b->expat)
		return false;
	(void)XML_SetHashSalt(b->expat, b->salt);
	XML_SetUserData(b->expat, b);
	XML_SetElementHandler(b->expat, xml_builder_start, xml_builder_end);
	XML_SetCharacterDataHandler(b->expat, xml_builder_text);
	XML_SetNamespaceDeclHandler(b->expat, xml_builder_declaration, NULL);
	XML_SetStartDoctypeDeclHandler(b->expat, on_doctype);
	XML_SetCommentHandler(b->expat, on_comment);
	XML_SetProcessingInstructionHandler(b->expat, on_instruction);
	XML_SetSkippedEntityHandler(b->expat, on_entity);
	return true;
}

bool xml_builder_begin(struct xml_builder *b, const struct xml_limits *limits, struct arena *a)
{
	b->limits = limits;
	b->arena = a;
	b->root = NULL;
	b->open = b->elements = b->declarations = 0;
	b->spelled = 0;
	b->declares = b->adopt = false;
	b->fault = XML_FINE;
	buf_reset(&b->run);
	b->path = arena_alloc(a, limits->depth * sizeof *b->path);
	return b->path != NULL;
}

/* Every markup of UTF-16 has zero bytes, and no XML in UTF-8 has any. */
bool xml_builder_may_be_utf8(struct str bytes)
{
	return bytes.n == 0 || !memchr(bytes.p, 0, bytes.n);
}

void xml_builder_allow(struct xml_builder *b, size_t bytes)
{
	b->spelled_max = SPELLED_FACTOR * bytes + SPELLED_FREE;
}

void xml_builder_trim(struct xml_builder *b, size_t kept)
{
	if (b->run.cap > kept)
		buf_done(&b->run), buf_init(&b->run, 0);
}

enum xml_fault xml_builder_fault(const struct xml_builder *b)
{
	if (b->fault != XML_FINE)
		return b->fault;
	switch (XML_GetErrorCode(b->expat)) {
	case XML_ERROR_NO_MEMORY:
		return XML_NO_MEMORY;
	case XML_ERROR_UNDEFINED_ENTITY:
	case XML_ERROR_RECURSIVE_ENTITY_REF:
	case XML_ERROR_AMPLIFICATION_LIMIT_BREACH:
		return XML_RESTRICTED;
	default:
		return XML_NOT_WELL_FORMED;
	}
}
