/* parse.h - one HTTP/1.1 request head as a value, and percent-encoding. pure
 *
 * RFC 9112, strictly: CRLF only, no folding, no space before a colon. Nothing is copied: strs point
 * into the input. */
#pragma once
#include "base/buf.h"

#define HTTP_MAX_HEADERS 64

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_OTHER };

struct http_field {
	struct str name, value; /* value without the white space around it */
};

struct http_limits {
	size_t max_head;   /* bytes of the head without the target's query */
	size_t max_target; /* bytes of the request target */
};

struct http_head {
	enum http_method method;
	struct str method_name, target, path,
	        query; /* path and query as sent; query absent without '?' */
	int minor;     /* HTTP/1.minor, 0 or 1 */
	bool keep_alive;
	uint64_t content_length; /* 0 when absent */
	bool chunked;            /* Transfer-Encoding: chunked, and no length */
	bool has_body;           /* a content length above 0, or chunks */
	size_t n_fields;
	struct http_field fields[HTTP_MAX_HEADERS];
	size_t bytes; /* of the head, the empty line included */
	int status;   /* after ERR_BADMSG or ERR_LIMIT: the answer, 400, 414, 431, 501 or 505 */
};

/* *seen is how much was looked at in an earlier call that said ERR_AGAIN (0 at first). */
int http_parse(struct str in, const struct http_limits *limits, size_t *seen, struct http_head *h);
struct str http_field(
        const struct http_head *h, const char *name); /* the first of that name; absent: none */
size_t http_field_count(const struct http_head *h, const char *name);
/* Is word one of the comma-separated tokens of any field of that name? Tokens compare without case
 * unless exact. */
bool http_field_has(const struct http_head *h, const char *name, const char *word, bool exact);

/* Appends. ERR_BADMSG: a bad escape or a NUL. plus: '+' means a space (query strings). */
int http_percent_decode(struct str s, bool plus, struct buf *out);
/* Decodes the first parameter of that name into out. Returns how many there are that differ from
 * each other (0: none, 1, or 2 for "two or more, not equal"), or a negative number for a bad escape
 * in it. */
int http_query_get(struct str query, const char *name, struct buf *out);
