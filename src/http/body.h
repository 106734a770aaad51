/* body.h - the body of one request, taken from its connection's buffer: by length or in chunks.
 * pure
 *
 * RFC 9112 6 and 7, strictly: CRLF only, sizes in plain hexadecimal, trailers read and dropped.
 * What two readers could see differently is refused, so that nothing behind a body is a request to
 * one and a body to the other. */
#pragma once
#include "http/parse.h"

#define BODY_LINE_MAX 256     /* a chunk's size with its extensions; a trailer line */
#define BODY_TRAILER_MAX 2048 /* all trailer lines */

struct body_reader {
	size_t head;    /* where the body begins in the buffer */
	size_t max;     /* bytes, decoded */
	size_t end;     /* where the decoded body ends in the buffer */
	uint64_t left;  /* of the length, or of the chunk */
	size_t trailer; /* bytes of trailer lines so far */
	enum { BODY_LENGTH, BODY_SIZE, BODY_DATA, BODY_DATA_END, BODY_TRAILER, BODY_DONE } state;
	int status; /* after ERR_BADMSG or ERR_LIMIT: the answer, 400 or 413 */
};

/* h was read from the front of the buffer, so the body begins at h->bytes. ERR_LIMIT: it says
 * itself that it is longer than max. */
int body_start(struct body_reader *r, const struct http_head *h, size_t max);
/* Decodes in place what has come. ERR_AGAIN: more is needed. ERR_OK: the body is whole,
 * in[h->bytes..r->end), and the next request begins right behind it. */
int body_take(struct body_reader *r, struct buf *in);
