/* limit.c - token bucket. pure */
#include "base/limit.h"

bool limit_take(struct limit *l, double cost, double per_second, double burst, uint64_t now_ms)
{
	if (l->at_ms == 0) {
		l->tokens = burst;
	} else if (now_ms > l->at_ms) {
		l->tokens += (double)(now_ms - l->at_ms) * per_second / 1000.0;
		if (l->tokens > burst)
			l->tokens = burst;
	}
	l->at_ms = now_ms ? now_ms : 1;
	if (l->tokens < cost)
		return false;
	l->tokens -= cost;
	return true;
}
