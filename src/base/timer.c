/* timer.c - hashed timer wheel; timers of later rounds stay in their slot until their time. pure */
#include "base/timer.h"

#define TICK_MS 100

void timer_wheel_init(struct timer_wheel *w, uint64_t now_ms)
{
	for (int i = 0; i < TIMER_SLOTS; i++)
		list_init(&w->slots[i]);
	list_init(&w->due);
	w->tick = now_ms / TICK_MS;
}

void timer_start(struct timer_wheel *w, struct timer *t, uint64_t at_ms, timer_fn *fn, void *arg)
{
	timer_stop(t);
	t->at_ms = at_ms;
	t->fn = fn;
	t->arg = arg;
	uint64_t tick = (at_ms + TICK_MS - 1) / TICK_MS;
	if (tick <= w->tick)
		tick = w->tick + 1;
	list_append(&w->slots[tick % TIMER_SLOTS], &t->link);
}

void timer_stop(struct timer *t)
{
	list_remove(&t->link);
}

bool timer_running(const struct timer *t)
{
	return list_linked(&t->link);
}

static void collect_slot(struct list *slot, struct list *due, uint64_t now_ms)
{
	LIST_EACH_SAFE(it, slot)
	{
		struct timer *t = LIST_OWNER(it, struct timer, link);
		if (t->at_ms <= now_ms) {
			list_remove(it);
			list_append(due, it);
		}
	}
}

void timer_wheel_collect(struct timer_wheel *w, uint64_t now_ms)
{
	uint64_t now_tick = now_ms / TICK_MS;
	if (now_tick <= w->tick)
		return;
	/* After a long pause one round visits every slot once. */
	uint64_t first = w->tick + 1;
	if (now_tick - w->tick > TIMER_SLOTS)
		first = now_tick - TIMER_SLOTS + 1;
	for (uint64_t tick = first; tick <= now_tick; tick++)
		collect_slot(&w->slots[tick % TIMER_SLOTS], &w->due, now_ms);
	w->tick = now_tick;
}

/* Callbacks may start timers and stop those that are due. */
bool timer_wheel_fire(struct timer_wheel *w, uint64_t now_ms)
{
	if (list_empty(&w->due))
		return false;
	struct timer *t = LIST_OWNER(w->due.next, struct timer, link);
	list_remove(&t->link);
	t->fn(t->arg, now_ms);
	return true;
}

void timer_wheel_run(struct timer_wheel *w, uint64_t now_ms)
{
	timer_wheel_collect(w, now_ms);
	while (timer_wheel_fire(w, now_ms))
		;
}
