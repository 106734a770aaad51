/* loop.c - the event loop of one thread, on libuv. io */
#include "net/loop.h"

#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include "base/err.h"
#include "base/mem.h"

#define TICK_MS 100
#define MAX_SIGNALS 8
#define SLICE_NS 50000  /* of one job; one stanza or login is never divided */
#define ROUND_NS 100000 /* of jobs, until descriptors are looked at again */

struct loop_signal {
	uv_signal_t uv;
	void (*fn)(void *arg, int signum);
	void *arg;
};

struct loop {
	uv_loop_t uv;
	uv_timer_t tick, later;
	uv_prepare_t prepare;
	uv_check_t check;
	uv_idle_t idle; /* active while jobs wait: descriptors are polled, not waited for */
	struct loop_signal signals[MAX_SIGNALS];
	size_t n_signals;
	struct list deferred, waiting; /* waiting: until `later` */
	struct timer_wheel timers;
	struct turns turns;
	uint64_t slice_end;
	struct loop_job due_timers;
	bool idling;
	void (*tick_fn)(void *arg);
	void *tick_arg;
	double wall_offset_s; /* wall clock minus monotonic, measured at each tick */
	char buffer[LOOP_BUFFER];
};

struct loop_watch {
	uv_poll_t uv;
	loop_watch_fn *fn;
	void *arg;
	int want;
};

uint64_t loop_now_ms(const struct loop *l)
{
	return uv_now(&l->uv);
}

double loop_wall_s(const struct loop *l)
{
	return (double)loop_now_ms(l) / 1000.0 + l->wall_offset_s;
}

struct timer_wheel *loop_timers(struct loop *l)
{
	return &l->timers;
}

char *loop_buffer(struct loop *l)
{
	return l->buffer;
}

static void measure_wall(struct loop *l)
{
	struct timespec ts;
	if (clock_gettime(CLOCK_REALTIME, &ts) == 0)
		l->wall_offset_s = (double)ts.tv_sec + (double)ts.tv_nsec / 1e9 -
		                   (double)loop_now_ms(l) / 1000.0;
}

static void on_tick(uv_timer_t *t)
{
	struct loop *l = t->data;
	measure_wall(l);
	if (l->tick_fn)
		l->tick_fn(l->tick_arg);
	turns_age(&l->turns);
	timer_wheel_collect(&l->timers, loop_now_ms(l));
	loop_job_add(l, &l->due_timers);
}

static void run_timers(void *arg)
{
	struct loop *l = arg;
	while (timer_wheel_fire(&l->timers, loop_now_ms(l))) {
		if (loop_slice_over(l)) {
			loop_job_add(l, &l->due_timers);
			return;
		}
	}
}

/* Tasks put off by tasks run in the same go: what they write must not wait for the next event. */
static void run_deferred(struct loop *l)
{
	while (!list_empty(&l->deferred)) {
		struct loop_task *t = LIST_OWNER(l->deferred.next, struct loop_task, link);
		list_remove(&t->link);
		t->later = false;
		t->fn(t->arg);
	}
}

static void on_later(uv_timer_t *timer)
{
	struct loop *l = timer->data;
	while (!list_empty(&l->waiting)) {
		struct list *first = l->waiting.next;
		list_remove(first);
		list_append(&l->deferred, first);
	}
}

static void on_idle(uv_idle_t *idle)
{
	(void)idle;
}

static void run_jobs(struct loop *l)
{
	uint64_t begin = uv_hrtime(), now = begin;
	bool left = true;
	while (now - begin < ROUND_NS) {
		struct turn *t = turns_next(&l->turns, now);
		left = t != NULL;
		if (!left)
			break;
		struct loop_job *j = LIST_OWNER(t, struct loop_job, turn);
		l->slice_end = now + SLICE_NS;
		j->fn(j->arg);
		uint64_t after = uv_hrtime();
		turns_charge(&l->turns, t, after - now, after);
		now = after;
		run_deferred(l);
	}
	if (left && !l->idling)
		uv_idle_start(&l->idle, on_idle);
	else if (!left && l->idling)
		uv_idle_stop(&l->idle);
	l->idling = left;
}

/* Timers run before the wait, descriptors during it: both are followed by the deferred tasks. */
static void on_prepare(uv_prepare_t *p)
{
	struct loop *l = p->data;
	run_deferred(l);
	run_jobs(l);
}
static void on_check(uv_check_t *c)
{
	struct loop *l = c->data;
	run_deferred(l);
	run_jobs(l);
}

void loop_job_add(struct loop *l, struct loop_job *j)
{
	if (!turn_waits(&j->turn))
		turns_add(&l->turns, &j->turn, uv_hrtime());
}

void loop_job_remove(struct loop_job *j)
{
	turns_remove(&j->turn);
}

bool loop_job_waits(const struct loop_job *j)
{
	return turn_waits(&j->turn);
}

void loop_job_known(struct loop *l, struct loop_job *j)
{
	bool waits = turn_waits(&j->turn);
	turns_remove(&j->turn);
	turn_known(&j->turn, uv_hrtime());
	if (waits)
		loop_job_add(l, j);
}

bool loop_slice_over(const struct loop *l)
{
	return uv_hrtime() >= l->slice_end;
}

void loop_on_tick(struct loop *l, void (*fn)(void *arg), void *arg)
{
	l->tick_fn = fn;
	l->tick_arg = arg;
}

struct loop *loop_new(void)
{
	struct loop *l = mem_zalloc(sizeof *l);
	if (!l)
		return NULL;
	if (uv_loop_init(&l->uv) != 0) {
		mem_free(l);
		return NULL;
	}
	list_init(&l->deferred);
	list_init(&l->waiting);
	uv_update_time(&l->uv);
	timer_wheel_init(&l->timers, loop_now_ms(l));
	turns_init(&l->turns);
	l->due_timers = (struct loop_job){.turn.kind = TURN_HOUSE, .fn = run_timers, .arg = l};
	measure_wall(l);
	uv_timer_init(&l->uv, &l->tick);
	uv_timer_init(&l->uv, &l->later);
	uv_prepare_init(&l->uv, &l->prepare);
	uv_check_init(&l->uv, &l->check);
	uv_idle_init(&l->uv, &l->idle);
	l->tick.data = l->later.data = l->prepare.data = l->check.data = l;
	uv_timer_start(&l->tick, on_tick, TICK_MS, TICK_MS);
	uv_prepare_start(&l->prepare, on_prepare);
	uv_check_start(&l->check, on_check);
	return l;
}

void loop_free(struct loop *l)
{
	if (!l)
		return;
	on_later(&l->later);
	run_deferred(l);
	uv_close((uv_handle_t *)&l->tick, NULL);
	uv_close((uv_handle_t *)&l->later, NULL);
	uv_close((uv_handle_t *)&l->prepare, NULL);
	uv_close((uv_handle_t *)&l->check, NULL);
	uv_close((uv_handle_t *)&l->idle, NULL);
	for (size_t i = 0; i < l->n_signals; i++)
		uv_close((uv_handle_t *)&l->signals[i].uv, NULL);
	uv_run(&l->uv, UV_RUN_NOWAIT);
	run_deferred(l);
	uv_run(&l->uv, UV_RUN_NOWAIT);
	int busy = uv_loop_close(&l->uv);
	assert(busy == 0 && "every watch is freed before its loop");
	(void)busy;
	mem_free(l);
}

void loop_run(struct loop *l)
{
	uv_run(&l->uv, UV_RUN_DEFAULT);
}

void loop_turn(struct loop *l)
{
	uv_run(&l->uv, UV_RUN_NOWAIT);
}

void loop_stop(struct loop *l)
{
	uv_stop(&l->uv);
}

void loop_later(struct loop *l, struct loop_task *t)
{
	if (list_linked(&t->link))
		return;
	if (list_empty(&l->waiting))
		uv_timer_start(&l->later, on_later, LOOP_LATER_MS, 0);
	t->later = true;
	list_append(&l->waiting, &t->link);
}

void loop_defer(struct loop *l, struct loop_task *t)
{
	if (t->later)
		list_remove(&t->link);
	t->later = false;
	if (!list_linked(&t->link))
		list_append(&l->deferred, &t->link);
}

void loop_undefer(struct loop_task *t)
{
	list_remove(&t->link);
	t->later = false;
}

static void on_signal(uv_signal_t *s, int signum)
{
	struct loop_signal *sig = s->data;
	sig->fn(sig->arg, signum);
}

int loop_on_signal(struct loop *l, int signum, void (*fn)(void *arg, int signum), void *arg)
{
	if (l->n_signals == MAX_SIGNALS)
		return ERR_LIMIT;
	struct loop_signal *s = &l->signals[l->n_signals];
	if (uv_signal_init(&l->uv, &s->uv) != 0)
		return ERR_IO;
	l->n_signals++;
	s->fn = fn;
	s->arg = arg;
	s->uv.data = s;
	return uv_signal_start(&s->uv, on_signal, signum) == 0 ? ERR_OK : ERR_IO;
}

static void on_poll(uv_poll_t *p, int status, int events)
{
	struct loop_watch *w = p->data;
	int ready = 0;
	if (status < 0) {
		/* libuv has stopped watching: remember, so that the next loop_watch_set starts it
		 * again */
		w->want = 0;
		ready = LOOP_READ | LOOP_WRITE;
	}
	if (events & UV_READABLE)
		ready |= LOOP_READ;
	if (events & UV_WRITABLE)
		ready |= LOOP_WRITE;
	w->fn(w->arg, ready);
}

struct loop_watch *loop_watch_new(struct loop *l, int fd, loop_watch_fn *fn, void *arg)
{
	struct loop_watch *w = mem_zalloc(sizeof *w);
	if (!w)
		return NULL;
	if (uv_poll_init(&l->uv, &w->uv, fd) != 0) {
		mem_free(w);
		return NULL;
	}
	w->uv.data = w;
	w->fn = fn;
	w->arg = arg;
	return w;
}

void loop_watch_set(struct loop_watch *w, int want)
{
	if (want == w->want)
		return;
	w->want = want;
	int events = (want & LOOP_READ ? UV_READABLE : 0) | (want & LOOP_WRITE ? UV_WRITABLE : 0);
	if (events)
		uv_poll_start(&w->uv, events, on_poll);
	else
		uv_poll_stop(&w->uv);
}

static void on_watch_closed(uv_handle_t *h)
{
	mem_free(h->data);
}

void loop_watch_free(struct loop_watch *w)
{
	if (w)
		uv_close((uv_handle_t *)&w->uv, on_watch_closed);
}

static void on_nothing(void *arg, int ready)
{
	(void)arg, (void)ready;
}

void loop_reserve(struct loop *l, uint32_t n)
{
	int low = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	int high =
	        low >= 0 && n > 0 && n < INT32_MAX ? fcntl(low, F_DUPFD_CLOEXEC, (int)n - 1) : -1;
	struct loop_watch *w = high >= 0 ? loop_watch_new(l, high, on_nothing, NULL) : NULL;
	if (w) {
		loop_watch_set(w, LOOP_READ);
		loop_watch_free(w);
	}
	if (high >= 0)
		close(high);
	if (low >= 0)
		close(low);
}
