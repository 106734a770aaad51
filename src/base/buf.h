/* buf.h - a growable byte buffer that remembers failure, so that writers check once, at the end.
 * pure
 *
 * After an allocation failure or when `max` would be passed, `failed` is set and every further
 * write is dropped. Always NUL-terminated after a successful write (the NUL is not counted in n).
 */
#pragma once
#include "base/str.h"

struct buf {
	char *p; /* owned */
	size_t n, cap;
	size_t max; /* bytes; 0 = no limit */
	bool failed;
};

void buf_init(struct buf *b, size_t max);
void buf_done(struct buf *b);  /* frees; b may be reused after buf_init */
void buf_reset(struct buf *b); /* keeps the memory, clears n and failed */
void buf_add(struct buf *b, const void *p, size_t n);
void buf_str(struct buf *b, struct str s);
/* In line, so that the length of a literal is known. */
static inline void buf_puts(struct buf *b, const char *z)
{
	buf_add(b, z, strlen(z));
}
void buf_putc(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool buf_reserve(struct buf *b, size_t more); /* room for `more` further bytes behind p+n */
void buf_consume(struct buf *b, size_t n);    /* drops n bytes from the front (memmove) */
static inline struct str buf_view(const struct buf *b)
{
	return (struct str){b->p ? b->p : "", b->n};
}
/* Hands the memory over as a NUL-terminated string (mem_free it); NULL if failed. b is empty
 * afterwards. */
char *buf_steal(struct buf *b);
