/* answer.h - one answer to one request, with the headers that every answer carries. pure */
#pragma once
#include "base/block.h"
#include "base/buf.h"

struct http_answer {
	int status;
	const char *type;     /* Content-Type; NULL: no body */
	const char *cache;    /* Cache-Control; NULL: no-store */
	const char *headers;  /* further lines, each with CRLF; NULL: none */
	const char *policy;   /* the same, in place of our own page's policy; NULL: that */
	const char *endpoint; /* the same, of its endpoint; NULL: none */
	struct str body;
	struct block *block; /* the body where it is shared; wins over `body`, borrowed */
	bool sized; /* `length` is that of the whole body, of which this is the beginning */
	uint64_t length;
	bool close;     /* the connection ends behind it */
	bool hsts;      /* browsers shall come by HTTPS only */
	bool head_only; /* HEAD: the length is told, the body stays here */
};

const char *http_status_text(int status);
/* Appends the head. wall_s: Unix seconds, for Date. */
void http_answer_head(struct buf *b, const struct http_answer *a, double wall_s);
