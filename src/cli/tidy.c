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

static void give_back(uint32_t connections, uint32_t sessions)
{
	double began = now_ms_exactly();
#ifdef __GLIBC__
	(void)malloc_trim(0);
#endif
	log_debug("event=memory because=crowd-gone connections=%u sessions=%u ms=%.1f", connections,
	        sessions, now_ms_exactly() - began);
}

static bool has_gone(struct crowd *c, uint32_t now)
{
	bool gone = now < c->most && (c->again || (c->most - now >= CROWD && now <= c->most / 2));
	if (gone || now > c->most)
		c->most = now;
	c->again = gone;
	return gone;
}

/* Sessions outlive their connections while they wait to be resumed, and what is kept for them may
 * be far more than what a connection needs. */
static void on_look(void *arg, uint64_t now_ms)
{
	struct tidy *t = arg;
	uint32_t connections = tcp_server_open_everywhere(t->tcp), sessions = t->sessions(t->arg);
	bool fewer_connections = has_gone(&t->connections, connections);
	bool fewer_sessions = has_gone(&t->clients, sessions);
	if (fewer_connections || fewer_sessions)
		give_back(connections, sessions);
	timer_start(loop_timers(t->loop), &t->timer, now_ms + LOOK_MS, on_look, t);
}

void tidy_start(struct tidy *t, struct loop *loop, const struct tcp_server *tcp,
        uint32_t (*sessions)(void *arg), void *arg)
{
	t->loop = loop;
	t->tcp = tcp;
	t->sessions = sessions;
	t->arg = arg;
	t->connections = t->clients = (struct crowd){0};
	timer_start(loop_timers(loop), &t->timer, loop_now_ms(loop) + LOOK_MS, on_look, t);
}

void tidy_stop(struct tidy *t)
{
	timer_stop(&t->timer);
}
