/* tidy.c - memory goes back once half of a crowd has gone, and again for the rest of those who go.
 * io */
#include "cli/tidy.h"

#include <time.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "base/log.h"

#define LOOK_MS 2000
#define CROWD 200 /* so many must have gone, or it is not worth the while */

static double now_ms_exactly(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void give_back(uint32_t before, uint32_t now)
{
	double began = now_ms_exactly();
#ifdef __GLIBC__
	(void)malloc_trim(0);
#endif
	log_debug("event=memory because=crowd-gone connections=%u before=%u ms=%.1f", now, before,
	        now_ms_exactly() - began);
}

static void on_look(void *arg, uint64_t now_ms)
{
	struct tidy *t = arg;
	uint32_t open = tcp_server_open_everywhere(t->tcp);
	bool gone =
	        open < t->most && (t->again || (t->most - open >= CROWD && open <= t->most / 2));
	if (gone)
		give_back(t->most, open);
	if (gone || open > t->most)
		t->most = open;
	t->again = gone;
	timer_start(loop_timers(t->loop), &t->timer, now_ms + LOOK_MS, on_look, t);
}

void tidy_start(struct tidy *t, struct loop *loop, const struct tcp_server *tcp)
{
	t->loop = loop;
	t->tcp = tcp;
	t->most = 0;
	timer_start(loop_timers(loop), &t->timer, loop_now_ms(loop) + LOOK_MS, on_look, t);
}

void tidy_stop(struct tidy *t)
{
	timer_stop(&t->timer);
}
