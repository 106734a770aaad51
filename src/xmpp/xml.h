/* xml.h - XML as XMPP allows it (RFC 6120 11): a bounded parser into a tree, and the writer. pure
 *
 * This parser is for framed transports (xmpp/stream reads the others): one whole element per
 * message. One per worker, reset between messages; it never keeps a pointer to the message. Trees
 * live in the arena that the caller hands in, and die with its reset. Thread: the owner's. */
#pragma once
#include "base/arena.h"
#include "base/buf.h"

struct attribute {
	struct attribute *next;
	struct str name;  /* local name */
	struct str ns;    /* absent: no namespace */
	struct str value; /* unescaped, NUL-terminated behind n */
};

/* An element, or a run of text between elements (then `name` is absent and `text` present). */
struct element {
	struct element *next;         /* sibling */
	struct element *first, *last; /* children, text runs included */
	struct attribute
	        *attributes; /* in document order; namespace declarations are not among them */
	struct str name;     /* local name; absent for a text run */
	struct str ns;       /* never absent in an element; empty: no namespace */
	struct str text;     /* of a text run: unescaped, NUL-terminated behind n */
	bool declares;       /* its own default xmlns was written literally */
};

struct xml_limits {
	size_t bytes;        /* of one message */
	unsigned depth;      /* the root has depth 1 */
	unsigned attributes; /* per element, namespace declarations included */
	unsigned elements;   /* per message */
};
/* Before login and after it. */
extern const struct xml_limits xml_limits_before_auth, xml_limits_after_auth;

enum xml_fault {
	XML_FINE = 0,
	XML_NOT_WELL_FORMED, /* stream error not-well-formed */
	XML_RESTRICTED, /* DTD, entity, comment, processing instruction, <xml:.../>, <parsererror/>:
	                   restricted-xml */
	XML_TOO_LARGE,  /* the rest: policy-violation, one kind for each limit */
	XML_TOO_DEEP,
	XML_TOO_MANY_ATTRIBUTES,
	XML_TOO_MANY_ELEMENTS,
	XML_NO_MEMORY, /* resource-constraint */
};
/* The stream error condition (RFC 6120 4.9.3) and a short text for logs. */
const char *xml_fault_condition(enum xml_fault f);
const char *xml_fault_text(enum xml_fault f);

struct xml_parser;
struct xml_parser *xml_parser_new(void);    /* NULL on no memory */
void xml_parser_free(struct xml_parser *p); /* NULL is fine */
/* Reads one message holding exactly one element (an XML declaration and white space around it are
 * accepted). A root that is iq, presence or message without a namespace is read as jabber:client.
 * *root is set on XML_FINE. */
enum xml_fault xml_parse(struct xml_parser *p, struct str message, const struct xml_limits *limits,
        struct arena *a, struct element **root);

/* Reading. A NULL element gives absent, NULL or false everywhere. */
bool element_is(const struct element *e, const char *name, const char *ns);
struct str element_attr(
        const struct element *e, const char *name); /* without namespace; absent if not there */
const struct element *element_child(
        const struct element *e, const char *name, const char *ns); /* ns NULL: any */
const struct element *element_first(const struct element *e); /* first child that is an element */
const struct element *element_next(const struct element *e);  /* next sibling element */
struct str element_text(
        const struct element *e, struct arena *a); /* joined direct text; empty if none */
struct str element_child_text(
        const struct element *e, const char *name, struct arena *a); /* absent: no such child */

/* Writing. Single quotes; namespaces are written as literal xmlns attributes, never as element
 * prefixes. */
void xml_escape(struct buf *b, struct str s); /* for attribute values, and fine for text */
void xml_text(struct buf *b, struct str s); /* for text only: JSON keeps its quotes, and its size */
void xml_attr(struct buf *b, const char *name,
        struct str value); /* " name='value'"; nothing when absent */
/* "<name xmlns='ns'>text</name>"; ns NULL: inherits. */
void xml_leaf(struct buf *b, const char *name, const char *ns, struct str text);
/* e with all below it; xmlns is written when it differs from `scope` or the sender had written it.
 */
void xml_write(struct buf *b, const struct element *e, struct str scope);
void xml_write_children(struct buf *b, const struct element *e);
