/* timer.h - a timer wheel: thousands of timeouts, one tick. The time is handed in. pure
 *
 * Resolution 100 ms; a timer fires at the first timer_wheel_run whose now_ms is at or past its
 * time. */
#pragma once
#include <stdint.h>
#include "base/list.h"

#define TIMER_SLOTS 512

typedef void timer_fn(void *arg, uint64_t now_ms);

struct timer {
	struct list link;
	uint64_t at_ms;
	timer_fn *fn;
	void *arg;
};

struct timer_wheel {
	struct list slots[TIMER_SLOTS];
	uint64_t tick;   /* the last tick that was run */
	struct list due; /* those whose time has come, in that order */
};

void timer_wheel_init(struct timer_wheel *w, uint64_t now_ms);
/* (Re)starts t; t must be zeroed before its first use. */
void timer_start(struct timer_wheel *w, struct timer *t, uint64_t at_ms, timer_fn *fn, void *arg);
void timer_stop(struct timer *t); /* fine when not running */
bool timer_running(const struct timer *t);
/* Fires what is due. A callback may start or stop any timer, its own included. */
void timer_wheel_run(struct timer_wheel *w, uint64_t now_ms);
/* The same in pieces, where thousands may be due together: collects, then fires one at a time;
 * false: none is left. */
void timer_wheel_collect(struct timer_wheel *w, uint64_t now_ms);
bool timer_wheel_fire(struct timer_wheel *w, uint64_t now_ms);
