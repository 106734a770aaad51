/* mem.h - allocation that may fail, in one place so that tests can make it fail. pure
 *
 * All of Gavel allocates through these. They return NULL when memory is out; the caller refuses the
 * request at hand. Thread: any. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

void *mem_alloc(size_t size);               /* uninitialised */
void *mem_zalloc(size_t size);              /* zeroed */
void *mem_realloc(void *p, size_t size);    /* on failure p stays valid */
void mem_free(void *p);                     /* NULL is fine */
char *mem_strndup(const char *s, size_t n); /* NUL-terminated copy */

#ifdef GAVEL_MEM_FAULTS
/* Builds for tests only (PRESET=asan, tsan): one allocation fails. */
#include <stdatomic.h>

struct mem_faults {
	atomic_llong next;    /* fails: 1 the next allocation, 2 the one behind it; below: none */
	atomic_llong counted; /* allocations so far */
	atomic_llong trace; /* not 0: mem_faults_share's refused is called at the one that fails */
};

/* From here on these are obeyed, e.g. such that another process writes to. */
void mem_faults_share(struct mem_faults *f, void (*refused)(void));
/* Allow n further successful allocations, then fail exactly one; -1 = unlimited (default). */
void mem_budget_set(long n);
#endif
