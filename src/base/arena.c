/* arena.c - a list of pages, bumped. pure */
#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"

#define PAGE_BYTES 4096
#define ALIGN 16

struct arena_page {
	struct arena_page *next;
	size_t used, cap;
	_Alignas(ALIGN) char bytes[];
};

void arena_init(struct arena *a, size_t limit)
{
	*a = (struct arena){.limit = limit};
}

void arena_done(struct arena *a)
{
	while (a->pages) {
		struct arena_page *p = a->pages;
		a->pages = p->next;
		mem_free(p);
	}
	a->used = 0;
}

void arena_reset(struct arena *a)
{
	while (a->pages && a->pages->next) {
		struct arena_page *p = a->pages;
		a->pages = p->next;
		mem_free(p);
	}
	if (a->pages)
		a->pages->used = 0;
	a->used = 0;
	a->failed = false;
}

static struct arena_page *page_new(size_t size)
{
	size_t cap = size > PAGE_BYTES ? size : PAGE_BYTES;
	struct arena_page *p = mem_alloc(sizeof *p + cap);
	if (p) {
		p->used = 0;
		p->cap = cap;
	}
	return p;
}

static void *bump(struct arena *a, size_t size)
{
	if (size > SIZE_MAX / 4)
		return NULL;
	size = (size + ALIGN - 1) / ALIGN * ALIGN;
	if (size == 0)
		size = ALIGN;
	if (a->limit && (a->used > a->limit || size > a->limit - a->used))
		return NULL;
	struct arena_page *p = a->pages;
	if (!p || p->cap - p->used < size) {
		p = page_new(size);
		if (!p)
			return NULL;
		p->next = a->pages;
		a->pages = p;
	}
	void *out = p->bytes + p->used;
	p->used += size;
	a->used += size;
	memset(out, 0, size);
	return out;
}

void *arena_alloc(struct arena *a, size_t size)
{
	void *out = bump(a, size);
	if (!out)
		a->failed = true;
	return out;
}

struct str arena_str(struct arena *a, struct str s)
{
	if (!s.p)
		return STR_NONE;
	char *copy = arena_alloc(a, s.n + 1);
	if (!copy)
		return STR_NONE;
	if (s.n)
		memcpy(copy, s.p, s.n);
	return (struct str){copy, s.n};
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	va_list again;
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	char *out = n < 0 ? NULL : arena_alloc(a, (size_t)n + 1);
	if (out)
		vsnprintf(out, (size_t)n + 1, fmt, again);
	va_end(again);
	return out;
}
