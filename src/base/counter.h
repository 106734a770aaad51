/* counter.h - a count with a name: what each limit has refused, for logs and admin. pure */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct counter {
	const char *name; /* stable, lower case with underscores */
	uint64_t count;
};

/* Copies the first of n counters into out, at most max; returns how many. */
static inline size_t counter_list(
        const struct counter *all, size_t n, struct counter *out, size_t max)
{
	if (n > max)
		n = max;
	memcpy(out, all, n * sizeof *all);
	return n;
}
