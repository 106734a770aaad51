/* mem.c - allocation with a test budget. pure */
#include "base/mem.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static atomic_long budget = -1;

void mem_budget_set(long n)
{
	atomic_store(&budget, n);
}

/* Only tests set a budget, so the plain path is one relaxed load. */
static bool refused(void)
{
	long left = atomic_load_explicit(&budget, memory_order_relaxed);
	if (left < 0)
		return false;
	return atomic_fetch_sub(&budget, 1) == 0;
}

void *mem_alloc(size_t size)
{
	return refused() ? NULL : malloc(size ? size : 1);
}

void *mem_zalloc(size_t size)
{
	return refused() ? NULL : calloc(1, size ? size : 1);
}

void *mem_realloc(void *p, size_t size)
{
	return refused() ? NULL : realloc(p, size ? size : 1);
}

void mem_free(void *p)
{
	free(p);
}

char *mem_strndup(const char *s, size_t n)
{
	char *copy = mem_alloc(n + 1);
	if (!copy)
		return NULL;
	if (n)
		memcpy(copy, s, n);
	copy[n] = '\0';
	return copy;
}
