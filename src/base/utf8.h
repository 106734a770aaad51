/* utf8.h - Unicode: validation, normal forms, case, categories (the only place that knows
 * utf8proc). pure */
#pragma once
#include "base/buf.h"

bool utf8_valid(struct str s);
/* Next code point; advances *pos. -1 on malformed bytes (then *pos does not move). */
int32_t utf8_next(struct str s, size_t *pos);
void utf8_put(struct buf *b, int32_t cp);
size_t utf8_units16(struct str s); /* UTF-16 code units; s must be valid */

/* Each appends the result to out; ERR_BADMSG on invalid UTF-8, ERR_NOMEM. */
int utf8_nfc(struct str s, struct buf *out);
int utf8_nfkc(struct str s, struct buf *out);
int utf8_nfkd_fold(struct str s, struct buf *out); /* NFKD, then full case folding, then NFKD */
/* Unicode full lower case as JavaScript's toLowerCase does, final sigma rule included. */
int utf8_lower(struct str s, struct buf *out);

bool utf8_is_letter(int32_t cp);  /* general category L* */
bool utf8_is_digit(int32_t cp);   /* N* */
bool utf8_is_mark(int32_t cp);    /* M* */
bool utf8_is_space(int32_t cp);   /* Zs */
bool utf8_is_graphic(int32_t cp); /* L, N, P or S */
