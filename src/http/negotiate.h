/* negotiate.h - what a client will take of a file: coding, type, freshness, range. pure
 *
 * RFC 9110 8 and 12 to 14, as far as files need them. */
#pragma once
#include "http/parse.h"

/* Codings, the better one last. */
enum coding { CODING_IDENTITY, CODING_GZIP, CODING_BR, CODING_COUNT };

/* Which codings the Accept-Encoding fields allow, by preference: q first, then the smaller file.
 * Identity is always among them: who wants nothing at all gets it plain. Returns how many. */
size_t negotiate_codings(const struct http_head *h, enum coding out[CODING_COUNT]);
const char *coding_name(enum coding c);   /* "br" */
const char *coding_ending(enum coding c); /* ".br"; "" for identity */

/* The Content-Type of a file's name; application/octet-stream when nothing is known. */
const char *type_of(struct str path);

#define DATE_BYTES 30
/* "Sun, 06 Nov 1994 08:49:37 GMT" */
void date_write(int64_t unix_s, char out[DATE_BYTES]);

/* Has the client this version already: If-None-Match by any of its tags (weakly), else
 * If-Modified-Since by the date that it was given. */
bool negotiate_fresh(const struct http_head *h, const char *etag, const char *modified);

/* One byte range of a file of n bytes. */
enum range { RANGE_ALL, RANGE_PART, RANGE_NONE };
/* [*from, *to). RANGE_ALL where none was asked for, where more than one was, or where If-Range
 * names another version. RANGE_NONE: it begins behind the end. */
enum range negotiate_range(
        const struct http_head *h, const char *etag, uint64_t n, uint64_t *from, uint64_t *to);
