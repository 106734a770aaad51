/* mem.h - allocation that may fail, in one place so that tests can make it fail. pure
 *
 * All of Gavel allocates through these. They return NULL when memory is out or when the test budget
 * is used up; the caller refuses the request at hand. Thread: any. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

void *mem_alloc(size_t size);               /* uninitialised */
void *mem_zalloc(size_t size);              /* zeroed */
void *mem_realloc(void *p, size_t size);    /* on failure p stays valid */
void mem_free(void *p);                     /* NULL is fine */
char *mem_strndup(const char *s, size_t n); /* NUL-terminated copy */

/* Tests only: allow n further successful allocations, then fail exactly one; -1 = unlimited
 * (default). */
void mem_budget_set(long n);
