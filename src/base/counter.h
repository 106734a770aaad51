/* counter.h - a count with a name: what each limit has refused, for logs and admin. pure */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct counter {
	const char *name; /* stable, lower case with underscores */
	uint64_t count;
};
