/* xml.c - the bounded parser of framed XML, on expat. pure */
#include "xmpp/xml.h"

#include <expat.h>

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

const struct xml_limits xml_limits_before_auth = {
        .bytes = 4096, .depth = 6, .attributes = 16, .elements = 32};
const struct xml_limits xml_limits_after_auth = {
        .bytes = 262144, .depth = 32, .attributes = 64, .elements = 8192};

struct xml_parser {
	XML_Parser expat;   /* made at first use, and anew after memory ran out */
	unsigned long salt; /* of expat's hashes; 0: it draws one for each message, at a price */
	/* of the message being read */
	const struct xml_limits *limits;
	struct arena *arena;
	struct element *root;
	struct element **path; /* open elements, `open` of them; lives in the arena */
	unsigned open, elements, declarations;
	size_t spelled, spelled_max; /* bytes of namespaces that are written out */
	bool declares;  /* a default xmlns stands on the element that is about to start */
	bool adopt;     /* the root had no namespace: read no namespace as jabber:client */
	struct buf run; /* character data since the last tag */
	enum xml_fault fault;
};

static const XML_Memory_Handling_Suite memory = {mem_alloc, mem_realloc, mem_free};

struct xml_parser *xml_parser_new(void)
{
	struct xml_parser *p = mem_zalloc(sizeof *p);
	if (!p)
		return NULL;
	buf_init(&p->run, 0);
	if (!rand_bytes(&p->salt, sizeof p->salt))
		p->salt = 0;
	return p;
}

static void drop_expat(struct xml_parser *p)
{
	if (p->expat)
		XML_ParserFree(p->expat);
	p->expat = NULL;
}

void xml_parser_free(struct xml_parser *p)
{
	if (!p)
		return;
	drop_expat(p);
	buf_done(&p->run);
	mem_free(p);
}

const char *xml_fault_condition(enum xml_fault f)
{
	switch (f) {
	case XML_NOT_WELL_FORMED:
		return "not-well-formed";
	case XML_RESTRICTED:
		return "restricted-xml";
	case XML_NO_MEMORY:
		return "resource-constraint";
	default:
		return "policy-violation";
	}
}

const char *xml_fault_text(enum xml_fault f)
{
	static const char *const texts[] = {"fine", "not well-formed", "restricted XML",
	        "too large", "too deep", "too many attributes", "too many elements",
	        "out of memory"};
	return texts[f];
}

static void stop(struct xml_parser *p, enum xml_fault fault)
{
	if (p->fault == XML_FINE)
		p->fault = fault;
	XML_StopParser(p->expat, XML_FALSE);
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
static bool flush_run(struct xml_parser *p)
{
	if (p->run.failed) {
		stop(p, XML_NO_MEMORY);
		return false;
	}
	if (p->run.n == 0 || p->open == 0)
		return true;
	struct element *e = arena_alloc(p->arena, sizeof *e);
	if (e)
		e->text = arena_str(p->arena, buf_view(&p->run));
	if (!e || str_absent(e->text)) {
		stop(p, XML_NO_MEMORY);
		return false;
	}
	append_child(p->path[p->open - 1], e);
	buf_reset(&p->run);
	return true;
}

/* Splits expat's "ns SEP name" into arena strings. Every element has a copy of its namespace, whose
 * length the sender paid for only once: hence the limit, and the sharing with the parent. */
static bool take_name(
        struct xml_parser *p, const char *given, bool attribute, struct str *ns, struct str *name)
{
	struct str rest = str_c(given);
	struct str first = str_split(&rest, SEPARATOR);
	struct str parent = p->open ? p->path[p->open - 1]->ns : STR("");
	struct str local = str_absent(rest) ? first : rest;
	first = str_absent(rest) ? STR("") : first;
	if (str_find(local, ':') < local.n) {
		stop(p, XML_NOT_WELL_FORMED);
		return false;
	}
	if (first.n > NAMESPACE_MAX || local.n > NAMESPACE_MAX) {
		stop(p, XML_TOO_LARGE);
		return false;
	}
	bool shared = str_eq(first, parent);
	if ((attribute || !shared) && (p->spelled += first.n) > p->spelled_max) {
		stop(p, XML_TOO_LARGE);
		return false;
	}
	*name = arena_str(p->arena, local);
	*ns = first.n == 0 ? STR("") : shared ? parent : arena_str(p->arena, first);
	if (!str_absent(*ns) && !str_absent(*name))
		return true;
	stop(p, XML_NO_MEMORY);
	return false;
}

static bool take_attributes(struct xml_parser *p, struct element *e, const XML_Char **given)
{
	unsigned n = p->declarations;
	struct attribute **tail = &e->attributes;
	for (; given[0]; given += 2) {
		if (++n > p->limits->attributes) {
			stop(p, XML_TOO_MANY_ATTRIBUTES);
			return false;
		}
		struct attribute *a = arena_alloc(p->arena, sizeof *a);
		if (!a)
			goto nomem;
		if (!take_name(p, given[0], true, &a->ns, &a->name))
			return false;
		if (a->ns.n == 0)
			a->ns = STR_NONE;
		a->value = arena_str(p->arena, str_c(given[1]));
		if (str_absent(a->value))
			goto nomem;
		*tail = a;
		tail = &a->next;
	}
	return true;
nomem:
	stop(p, XML_NO_MEMORY);
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

static void XMLCALL on_start(void *arg, const XML_Char *name, const XML_Char **attributes)
{
	struct xml_parser *p = arg;
	if (p->fault || !flush_run(p))
		return;
	if (p->open >= p->limits->depth) {
		stop(p, XML_TOO_DEEP);
		return;
	}
	if (++p->elements > p->limits->elements) {
		stop(p, XML_TOO_MANY_ELEMENTS);
		return;
	}
	if (p->declarations > p->limits->attributes) {
		stop(p, XML_TOO_MANY_ATTRIBUTES);
		return;
	}
	struct element *e = arena_alloc(p->arena, sizeof *e);
	if (!e) {
		stop(p, XML_NO_MEMORY);
		return;
	}
	if (!take_name(p, name, false, &e->ns, &e->name))
		return;
	if (is_unwritable(e)) {
		stop(p, XML_RESTRICTED);
		return;
	}
	if (p->open == 0)
		p->adopt = e->ns.n == 0 && is_stanza_name(e->name);
	if (p->adopt && e->ns.n == 0)
		e->ns = STR(NS_CLIENT);
	e->declares = p->declares;
	if (!take_attributes(p, e, attributes))
		return;
	p->declares = false;
	p->declarations = 0;
	if (p->open)
		append_child(p->path[p->open - 1], e);
	else
		p->root = e;
	p->path[p->open++] = e;
}

static void XMLCALL on_end(void *arg, const XML_Char *name)
{
	struct xml_parser *p = arg;
	(void)name;
	if (p->fault || !flush_run(p))
		return;
	p->open--;
}

static void XMLCALL on_text(void *arg, const XML_Char *s, int n)
{
	struct xml_parser *p = arg;
	if (!p->fault)
		buf_add(&p->run, s, (size_t)n);
}

static void XMLCALL on_declaration(void *arg, const XML_Char *prefix, const XML_Char *uri)
{
	struct xml_parser *p = arg;
	(void)uri;
	p->declarations++;
	if (!prefix)
		p->declares = true;
}

static void XMLCALL on_doctype(
        void *arg, const XML_Char *name, const XML_Char *sysid, const XML_Char *pubid, int internal)
{
	(void)name, (void)sysid, (void)pubid, (void)internal;
	stop(arg, XML_RESTRICTED);
}

static void XMLCALL on_comment(void *arg, const XML_Char *text)
{
	(void)text;
	stop(arg, XML_RESTRICTED);
}

static void XMLCALL on_instruction(void *arg, const XML_Char *target, const XML_Char *data)
{
	(void)target, (void)data;
	stop(arg, XML_RESTRICTED);
}

static void XMLCALL on_entity(void *arg, const XML_Char *name, int is_parameter)
{
	(void)name, (void)is_parameter;
	stop(arg, XML_RESTRICTED);
}

static bool prepare(struct xml_parser *p)
{
	if (!p->expat) {
		const XML_Char separator[2] = {SEPARATOR, 0};
		p->expat = XML_ParserCreate_MM("UTF-8", &memory, separator);
	} else if (XML_ParserReset(p->expat, "UTF-8") != XML_TRUE) {
		drop_expat(p);
	}
	if (!p->expat)
		return false;
	(void)XML_SetHashSalt(p->expat, p->salt);
	XML_SetUserData(p->expat, p);
	XML_SetElementHandler(p->expat, on_start, on_end);
	XML_SetCharacterDataHandler(p->expat, on_text);
	XML_SetNamespaceDeclHandler(p->expat, on_declaration, NULL);
	XML_SetStartDoctypeDeclHandler(p->expat, on_doctype);
	XML_SetCommentHandler(p->expat, on_comment);
	XML_SetProcessingInstructionHandler(p->expat, on_instruction);
	XML_SetSkippedEntityHandler(p->expat, on_entity);
	return true;
}

static enum xml_fault expat_fault(enum XML_Error e)
{
	switch (e) {
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

enum xml_fault xml_parse(struct xml_parser *p, struct str message, const struct xml_limits *limits,
        struct arena *a, struct element **root)
{
	*root = NULL;
	if (message.n > limits->bytes || message.n > INT32_MAX)
		return XML_TOO_LARGE;
	p->limits = limits;
	p->arena = a;
	p->root = NULL;
	p->open = p->elements = p->declarations = 0;
	p->spelled = 0;
	p->spelled_max = SPELLED_FACTOR * message.n + SPELLED_FREE;
	p->declares = p->adopt = false;
	p->fault = XML_FINE;
	buf_reset(&p->run);
	p->path = arena_alloc(a, limits->depth * sizeof *p->path);
	if (!p->path || !prepare(p))
		return XML_NO_MEMORY;
	enum XML_Status status =
	        XML_Parse(p->expat, message.n ? message.p : "", (int)message.n, XML_TRUE);
	enum xml_fault fault = p->fault;
	if (fault == XML_FINE && status != XML_STATUS_OK)
		fault = expat_fault(XML_GetErrorCode(p->expat));
	if (fault == XML_FINE && !p->root)
		fault = XML_NOT_WELL_FORMED;
	if (fault == XML_NO_MEMORY)
		drop_expat(p); /* its state after a failed allocation is not worth trusting */
	if (p->run.cap > 65536)
		buf_done(&p->run), buf_init(&p->run, 0);
	if (fault == XML_FINE)
		*root = p->root;
	return fault;
}
