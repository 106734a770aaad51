/* stream.h - an XML stream (RFC 6120 4) read as its bytes come: header, top-level elements, end.
 * pure
 *
 * For TCP, where nothing else frames the elements. Refuses what xmpp/xml refuses, with the same
 * limits for each top-level element and for the header; white space between elements is nothing.
 * What it holds between two elements is small; within one it is bounded by the element's limits.
 * One per connection. Thread: the owner's. */
#pragma once
#include "xmpp/xml.h"

struct stream_parser;

enum stream_event {
	STREAM_MORE,    /* all bytes were taken: come again with others */
	STREAM_OPENED,  /* the header */
	STREAM_ELEMENT, /* a top-level element is whole */
	STREAM_CLOSED,  /* the end of the stream: nothing behind it is read */
	STREAM_FAULT,   /* it can't be read any further */
};

/* Borrowed until the next call. */
struct stream_item {
	size_t bytes; /* that the header or the element took */
	/* STREAM_OPENED; `condition` is the stream error that such a header earns, NULL: none */
	struct str to;
	const char *condition;
	struct element *element; /* STREAM_ELEMENT */
	enum xml_fault fault;    /* STREAM_FAULT */
};

struct stream_parser *stream_parser_new(void);    /* NULL on no memory */
void stream_parser_free(struct stream_parser *p); /* NULL is fine */
/* Takes from the front of *bytes until there is something to tell; the rest is for the next call,
 * or for another stream. limits: of what begins with this call; they outlive it. */
enum stream_event stream_parser_next(struct stream_parser *p, struct str *bytes,
        const struct xml_limits *limits, struct stream_item *out);
/* A new stream begins with the next bytes (RFC 6120 4.3.3): after SASL, after STARTTLS. */
void stream_parser_restart(struct stream_parser *p);
