/* limit.h - token bucket. The time is handed in. pure */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct limit {
	double tokens;
	uint64_t at_ms;
};

/* Takes `cost` from a bucket that holds at most `burst` and refills `per_second`; false when it
 * does not hold enough. A zeroed struct is a full bucket. */
bool limit_take(struct limit *l, double cost, double per_second, double burst, uint64_t now_ms);
