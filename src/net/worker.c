/* worker.c - threads, each with a loop and a mailbox. io */
#include "net/worker.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>

#include "base/mem.h"

struct worker {
	struct loop *loop;
	struct mailbox *mailbox;
	pthread_t thread;
	bool started;
};

struct worker *worker_new(void (*before)(void *arg), void *arg)
{
	struct worker *w = mem_zalloc(sizeof *w);
	if (!w)
		return NULL;
	w->loop = loop_new();
	w->mailbox = w->loop ? mailbox_new(w->loop, before, arg) : NULL;
	if (w->mailbox)
		return w;
	loop_free(w->loop);
	mem_free(w);
	return NULL;
}

void worker_free(struct worker *w)
{
	if (!w)
		return;
	mailbox_free(w->mailbox);
	loop_free(w->loop);
	mem_free(w);
}

struct loop *worker_loop(const struct worker *w)
{
	return w->loop;
}

static void *run(void *arg)
{
	struct worker *w = arg;
	loop_run(w->loop);
	return NULL;
}

/* Signals are the main thread's. */
bool worker_start(struct worker *w)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	w->started = pthread_create(&w->thread, NULL, run, w) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return w->started;
}

void worker_join(struct worker *w)
{
	if (w->started)
		pthread_join(w->thread, NULL);
	w->started = false;
}

void worker_post(struct worker *w, struct message *m)
{
	mailbox_post(w->mailbox, m);
}

bool worker_drain(struct worker *w)
{
	return mailbox_drain(w->mailbox);
}

unsigned worker_cores(void)
{
	cpu_set_t set;
	int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
	return n < 1 ? 1 : n > WORKERS_MAX ? WORKERS_MAX : (unsigned)n;
}
