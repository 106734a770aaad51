/* mem.c - allocation, in builds for tests with one that fails. pure */
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

#ifdef GAVEL_MEM_FAULTS
static struct mem_faults own;
static struct mem_faults *faults = &own;
static void (*on_refused)(void);

void mem_faults_share(struct mem_faults *f, void (*refused)(void))
{
	faults = f;
	on_refused = refused;
}

void mem_budget_set(long n)
{
	atomic_store(&faults->next, n + 1);
}

static bool refused(void)
{
	struct mem_faults *f = faults;
	atomic_fetch_add_explicit(&f->counted, 1, memory_order_relaxed);
	if (atomic_load_explicit(&f->next, memory_order_relaxed) <= 0 ||
	        atomic_fetch_sub(&f->next, 1) != 1)
		return false;
	if (on_refused && atomic_load(&f->trace))
		on_refused();
	return true;
}
#else
static bool refused(void)
{
	return false;
}
#endif

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
