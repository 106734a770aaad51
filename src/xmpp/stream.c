/* stream.c - the incremental parser of XML streams, on expat. pure
 *
 * expat is fed up to the next '>' at a time: only there can a tag be complete, so no more than one
 * thing happens in each piece, and what is behind it has not been read when the owner learns of it
 * - it may belong to another stream. */
#include "xmpp/stream.h"

#include "base/mem.h"
#include "xmpp/builder.h"
#include "xmpp/ns.h"

#define ARENA_BYTES (16u << 20)
#define RUN_KEPT 1024
/* expat reads a tag from its start with each piece of it. Whoever sends a long one byte by byte, or
 * full of '>', may make it read this much more than the tag has bytes. */
#define EFFORT_FACTOR 128
#define EFFORT_FREE (1u << 20)
/* expat keeps every name that it has seen as long as its stream lasts, ten times the bytes that it
 * came with. After so many bytes it begins anew, with the header. */
#define LEARNED_MAX (64u << 10)

struct stream_parser {
	struct xml_builder builder; /* of the element that is coming; first, since expat gives it */
	struct arena arena;
	bool running;   /* expat is set up for this stream */
	bool inside;    /* the header was read */
	bool under_way; /* some bytes of the next element were taken */
	/* of the element, or header, that is coming */
	size_t bytes;
	size_t pending; /* of them: since expat last told something */
	uint64_t effort;
	size_t learned; /* bytes that expat has read of this stream */
	/* the header */
	struct buf header;      /* as it came */
	bool is_content_client; /* its default namespace is jabber:client */
	struct str to;
	const char *condition;

	enum stream_event event; /* of the piece being fed */
	enum xml_fault fault;    /* why it stopped for good */
};

struct stream_parser *stream_parser_new(void)
{
	struct stream_parser *p = mem_zalloc(sizeof *p);
	if (!p)
		return NULL;
	xml_builder_init(&p->builder);
	arena_init(&p->arena, ARENA_BYTES);
	buf_init(&p->header, 0);
	return p;
}

void stream_parser_free(struct stream_parser *p)
{
	if (!p)
		return;
	xml_builder_done(&p->builder);
	arena_done(&p->arena);
	buf_done(&p->header);
	mem_free(p);
}

/* Nothing of an element is held any more. */
static void settle(struct stream_parser *p)
{
	p->under_way = false;
	p->learned += p->bytes;
	p->bytes = p->pending = 0;
	p->effort = 0;
	p->to = STR_NONE;
	arena_done(&p->arena);
	xml_builder_trim(&p->builder, RUN_KEPT);
}

void stream_parser_restart(struct stream_parser *p)
{
	settle(p);
	p->running = p->inside = false;
	p->learned = 0;
	buf_reset(&p->header);
	p->event = STREAM_MORE;
	p->fault = XML_FINE;
}

static bool take_header_attributes(struct stream_parser *p, const XML_Char **given)
{
	unsigned n = p->builder.declarations;
	struct str version = STR("");
	for (; given[0]; given += 2) {
		if (++n > p->builder.limits->attributes) {
			xml_builder_stop(&p->builder, XML_TOO_MANY_ATTRIBUTES);
			return false;
		}
		if (str_eqc(str_c(given[0]), "version"))
			version = str_c(given[1]);
		if (!str_eqc(str_c(given[0]), "to"))
			continue;
		p->to = arena_str(&p->arena, str_c(given[1]));
		if (str_absent(p->to)) {
			xml_builder_stop(&p->builder, XML_NO_MEMORY);
			return false;
		}
	}
	/* RFC 6120 4.7.5: a client without a version, or with 0.x, speaks what came before */
	if (!p->condition && !(version.n >= 3 && version.p[0] >= '1' && version.p[0] <= '9'))
		p->condition = "unsupported-version";
	return true;
}

static void on_header(struct stream_parser *p, const XML_Char *name, const XML_Char **attributes)
{
	static const char stream[] = NS_STREAMS "\x01stream";
	p->condition = NULL;
	if (!str_eqc(str_c(name), stream))
		p->condition = "invalid-namespace";
	else if (!p->is_content_client)
		p->condition = "invalid-namespace";
	if (!take_header_attributes(p, attributes))
		return;
	p->builder.declares = false;
	p->builder.declarations = 0;
	p->inside = true;
	p->event = STREAM_OPENED;
}

static void XMLCALL on_start(void *arg, const XML_Char *name, const XML_Char **attributes)
{
	struct stream_parser *p = arg;
	p->pending = 0;
	if (p->builder.fault)
		return;
	if (p->inside)
		xml_builder_start(arg, name, attributes);
	else
		on_header(p, name, attributes);
}

static void XMLCALL on_end(void *arg, const XML_Char *name)
{
	struct stream_parser *p = arg;
	p->pending = 0;
	if (p->builder.fault)
		return;
	if (p->builder.open == 0) {
		/* "<stream:stream/>" is told as a header; there is nothing more to come */
		p->event = p->event == STREAM_MORE ? STREAM_CLOSED : p->event;
		return;
	}
	xml_builder_end(arg, name);
	if (p->builder.open == 0 && p->builder.fault == XML_FINE)
		p->event = STREAM_ELEMENT;
}

static bool is_space(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] != ' ' && s.p[i] != '\t' && s.p[i] != '\r' && s.p[i] != '\n')
			return false;
	}
	return true;
}

static void XMLCALL on_text(void *arg, const XML_Char *s, int n)
{
	struct stream_parser *p = arg;
	p->pending = 0;
	if (p->builder.open)
		xml_builder_text(arg, s, n);
	else if (!is_space(str_from(s, (size_t)n)))
		xml_builder_stop(&p->builder, XML_NOT_WELL_FORMED);
}

static void XMLCALL on_declaration(void *arg, const XML_Char *prefix, const XML_Char *uri)
{
	struct stream_parser *p = arg;
	xml_builder_declaration(arg, prefix, uri);
	if (!p->inside && !prefix)
		p->is_content_client = uri && str_eqc(str_c(uri), NS_CLIENT);
}

static bool prepare(struct stream_parser *p)
{
	struct xml_builder *b = &p->builder;
	if (!xml_builder_prepare(b))
		return false;
	/* an element is told when it is complete, not when something follows it */
	(void)XML_SetReparseDeferralEnabled(b->expat, XML_FALSE);
	return true;
}

static void listen(struct stream_parser *p)
{
	XML_Parser expat = p->builder.expat;
	XML_SetElementHandler(expat, on_start, on_end);
	XML_SetCharacterDataHandler(expat, on_text);
	XML_SetNamespaceDeclHandler(expat, on_declaration, NULL);
}

/* A new expat, which knows of the stream what its header said. False: no memory. */
static bool renew(struct stream_parser *p)
{
	struct xml_builder *b = &p->builder;
	xml_builder_drop_expat(b);
	p->running = false;
	if (!prepare(p))
		return false;
	XML_SetElementHandler(b->expat, NULL, NULL);
	XML_SetNamespaceDeclHandler(b->expat, NULL, NULL);
	if (XML_Parse(b->expat, p->header.p, (int)p->header.n, XML_FALSE) != XML_STATUS_OK)
		return false;
	listen(p);
	p->running = true;
	p->learned = 0;
	return true;
}

/* The first bytes of an element or a header are about to be fed. */
static bool begin(struct stream_parser *p, const struct xml_limits *limits)
{
	if (!xml_builder_begin(&p->builder, limits, &p->arena))
		return false;
	if (p->inside && p->learned > LEARNED_MAX && !renew(p))
		return false;
	if (!p->running) {
		if (!prepare(p))
			return false;
		p->is_content_client = false;
		listen(p);
	}
	p->running = p->under_way = true;
	return true;
}

static enum stream_event fail(
        struct stream_parser *p, enum xml_fault fault, struct stream_item *out)
{
	if (fault == XML_NO_MEMORY) {
		/* expat's state after a failed allocation is not worth trusting */
		xml_builder_drop_expat(&p->builder);
		p->running = false;
	}
	p->fault = out->fault = fault;
	return STREAM_FAULT;
}

static enum xml_fault feed(struct stream_parser *p, struct str piece)
{
	struct xml_builder *b = &p->builder;
	p->bytes += piece.n;
	p->pending += piece.n;
	p->effort += p->pending;
	if (p->bytes > b->limits->bytes ||
	        p->effort > (uint64_t)EFFORT_FACTOR * b->limits->bytes + EFFORT_FREE)
		return XML_TOO_LARGE;
	if (!xml_builder_may_be_utf8(piece))
		return XML_NOT_WELL_FORMED;
	xml_builder_allow(b, p->bytes);
	if (!p->inside)
		buf_str(&p->header, piece);
	if (p->header.failed)
		return XML_NO_MEMORY;
	p->event = STREAM_MORE;
	enum XML_Status status = XML_Parse(b->expat, piece.p, (int)piece.n, XML_FALSE);
	if (b->fault != XML_FINE || status != XML_STATUS_OK)
		return xml_builder_fault(b);
	return XML_FINE;
}

/* White space between two elements (or streams) is not even looked at. */
static void skip_space(struct str *bytes)
{
	size_t n = 0;
	while (n < bytes->n && is_space(str_from(bytes->p + n, 1)))
		n++;
	*bytes = str_sub(*bytes, n, bytes->n);
}

/* Up to the next '>', but never much more than the limit allows. */
static struct str piece_of(const struct stream_parser *p, struct str bytes)
{
	size_t most = p->builder.limits->bytes - p->bytes + 1;
	const char *end = memchr(bytes.p, '>', bytes.n < most ? bytes.n : most);
	size_t n = end ? (size_t)(end - bytes.p) + 1 : bytes.n < most ? bytes.n : most;
	return str_from(bytes.p, n);
}

enum stream_event stream_parser_next(struct stream_parser *p, struct str *bytes,
        const struct xml_limits *limits, struct stream_item *out)
{
	*out = (struct stream_item){.to = STR_NONE};
	if (p->fault != XML_FINE)
		return fail(p, p->fault, out);
	if (p->event != STREAM_MORE) {
		settle(p);
		p->event = STREAM_MORE;
	}
	if (!p->under_way)
		skip_space(bytes);
	if (bytes->n && !p->under_way && !begin(p, limits))
		return fail(p, XML_NO_MEMORY, out);
	while (bytes->n) {
		struct str piece = piece_of(p, *bytes);
		*bytes = str_sub(*bytes, piece.n, bytes->n);
		enum xml_fault fault = feed(p, piece);
		if (fault != XML_FINE)
			return fail(p, fault, out);
		if (p->event == STREAM_MORE)
			continue;
		out->bytes = p->bytes;
		out->to = p->to;
		out->condition = p->condition;
		out->element = p->builder.root;
		return p->event;
	}
	return STREAM_MORE;
}
