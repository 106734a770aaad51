/* buf.c - growable byte buffer. pure */
#include "base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"

void buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){.max = max};
}

void buf_done(struct buf *b)
{
	mem_free(b->p);
	*b = (struct buf){.max = b->max};
}

void buf_reset(struct buf *b)
{
	b->n = 0;
	b->failed = false;
}

bool buf_reserve(struct buf *b, size_t more)
{
	if (b->failed)
		return false;
	if (more > SIZE_MAX / 4 || (b->max && (b->n > b->max || more > b->max - b->n))) {
		b->failed = true;
		return false;
	}
	size_t need = b->n + more + 1;
	if (need <= b->cap)
		return true;
	size_t cap = b->cap ? b->cap : 64;
	while (cap < need)
		cap *= 2;
	char *p = mem_realloc(b->p, cap);
	if (!p) {
		b->failed = true;
		return false;
	}
	b->p = p;
	b->cap = cap;
	return true;
}

void buf_add(struct buf *b, const void *p, size_t n)
{
	if (!buf_reserve(b, n))
		return;
	if (n)
		memcpy(b->p + b->n, p, n);
	b->n += n;
	b->p[b->n] = '\0';
}

void buf_str(struct buf *b, struct str s)
{
	buf_add(b, s.p, s.n);
}

void buf_putc(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	va_list again;
	va_copy(again, ap);
	size_t room =
	        b->failed
	                ? 0
	                : b->cap -
	                          b->n; /* mostly enough; what is written there counts only below */
	int n = vsnprintf(room ? b->p + b->n : NULL, room, fmt, ap);
	va_end(ap);
	if (n < 0)
		b->failed = true;
	else if (buf_reserve(b, (size_t)n)) {
		if ((size_t)n >= room)
			vsnprintf(b->p + b->n, (size_t)n + 1, fmt, again);
		b->n += (size_t)n;
	} else if (room) {
		b->p[b->n] = '\0';
	}
	va_end(again);
}

void buf_consume(struct buf *b, size_t n)
{
	assert(n <= b->n);
	if (n == 0)
		return;
	b->n -= n;
	memmove(b->p, b->p + n, b->n);
	b->p[b->n] = '\0';
}

char *buf_steal(struct buf *b)
{
	char *p = NULL;
	if (buf_reserve(b, 0)) {
		p = b->p;
		p[b->n] = '\0';
		b->p = NULL;
	}
	buf_done(b);
	return p;
}
