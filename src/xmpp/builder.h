/* builder.h - expat's events into one bounded tree: what xmpp/xml and xmpp/stream share; nobody
 * else includes it, and with these two it is all that knows expat. pure
 *
 * The owner puts it first in its own struct, feeds expat, and may put its own handlers before
 * these. Thread: the owner's. */
#pragma once
#include <expat.h>

#include "xmpp/xml.h"

struct xml_builder {
	XML_Parser expat;   /* made at first use, and anew after memory ran out */
	unsigned long salt; /* of expat's hashes; 0: it draws one for each message, at a price */
	/* of the tree being built */
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

void xml_builder_init(struct xml_builder *b); /* zeroed before */
void xml_builder_done(struct xml_builder *b);
/* A fresh expat with the handlers below, and refusals of what XMPP forbids. False: no memory. */
bool xml_builder_prepare(struct xml_builder *b);
void xml_builder_drop_expat(struct xml_builder *b);
/* Can these bytes be UTF-8 XML? expat itself would go over to UTF-16 when they look like it. */
bool xml_builder_may_be_utf8(struct str bytes);
/* Begins a tree. False: no memory. */
bool xml_builder_begin(struct xml_builder *b, const struct xml_limits *limits, struct arena *a);
/* So many bytes have come for this tree: bounds what its namespaces may add up to. */
void xml_builder_allow(struct xml_builder *b, size_t bytes);
/* Gives back what a large text needed. */
void xml_builder_trim(struct xml_builder *b, size_t kept);
/* No more is read; the first fault counts. */
void xml_builder_stop(struct xml_builder *b, enum xml_fault fault);
/* Why it was stopped, or why expat stopped. */
enum xml_fault xml_builder_fault(const struct xml_builder *b);

/* expat's handlers; their first argument is the builder. */
void XMLCALL xml_builder_start(void *b, const XML_Char *name, const XML_Char **attributes);
void XMLCALL xml_builder_end(void *b, const XML_Char *name);
void XMLCALL xml_builder_text(void *b, const XML_Char *s, int n);
void XMLCALL xml_builder_declaration(void *b, const XML_Char *prefix, const XML_Char *uri);
