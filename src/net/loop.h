/* loop.h - one thread's event loop: descriptors, timers, signals, jobs that share the thread
 * fairly, and what is put off to the end of a turn. io
 *
 * The only place, with net/tcp, that knows libuv. A turn is: wait for descriptors, call back, run
 * the deferred tasks, and jobs for a tenth of a millisecond; as long as some wait, descriptors are
 * looked at without waiting. The time is read once per turn; everything below is handed
 * loop_now_ms. Thread: the one that runs the loop. */
#pragma once
#include "base/timer.h"
#include "base/turns.h"

struct loop;

struct loop *loop_new(void);    /* NULL: no memory or no descriptors */
void loop_free(struct loop *l); /* after loop_run; every tcp must be closed */
void loop_run(struct loop *l);  /* until loop_stop */
void loop_stop(struct loop *l); /* the current turn is finished first */

void loop_turn(struct loop *l); /* one turn, without waiting: for tests */

uint64_t loop_now_ms(const struct loop *l);      /* monotonic, of this turn */
double loop_wall_s(const struct loop *l);        /* Unix seconds, for token times */
struct timer_wheel *loop_timers(struct loop *l); /* driven by the loop, 100 ms ticks */

/* Called before the timers of each tick run, for those who must be told the time first. One at
 * most. */
void loop_on_tick(struct loop *l, void (*fn)(void *arg), void *arg);

/* Runs fn once at the end of this turn. A task that is already waiting is not added again. */
struct loop_task {
	struct list link;
	void (*fn)(void *arg);
	void *arg;
	bool later; /* it waits for loop_later */
};
void loop_defer(struct loop *l,
        struct loop_task *t); /* t zeroed before its first use, owned by the caller */
/* Runs fn once within LOOP_LATER_MS, together with all that wait so; loop_defer brings it forward.
 */
#define LOOP_LATER_MS 3
void loop_later(struct loop *l, struct loop_task *t);
void loop_undefer(struct loop_task *t); /* fine when not waiting */

/* Work that may be much: runs once when its turn comes (base/turns.h), and stops when its slice is
 * over; what is left waits for another turn. Its owner's memory lives until the deferred tasks of
 * this turn. */
struct loop_job {
	struct turn turn;
	void (*fn)(void *arg);
	void *arg;
};
void loop_job_add(struct loop *l,
        struct loop_job *j); /* j zeroed before its first use; once only while it waits */
void loop_job_remove(struct loop_job *j); /* fine when not waiting */
bool loop_job_waits(const struct loop_job *j);
void loop_job_known(struct loop *l, struct loop_job *j); /* its peer has logged in */
bool loop_slice_over(const struct loop *l); /* the running job should stop and come again */

/* Calls fn on the loop's thread when the process gets signum. At most eight signals. ERR_LIMIT,
 * ERR_IO. */
int loop_on_signal(struct loop *l, int signum, void (*fn)(void *arg, int signum), void *arg);

/* Watches a plain non-blocking descriptor. */
enum { LOOP_READ = 1, LOOP_WRITE = 2 };
struct loop_watch;
typedef void loop_watch_fn(
        void *arg, int ready); /* ready: LOOP_READ | LOOP_WRITE; both on a socket error */
/* NULL: no memory. Nothing is watched until loop_watch_set. The descriptor stays the caller's. */
struct loop_watch *loop_watch_new(struct loop *l, int fd, loop_watch_fn *fn, void *arg);
void loop_watch_set(struct loop_watch *w, int want);
void loop_watch_free(
        struct loop_watch *w); /* no more calls; the descriptor may be closed at once */

/* Room for descriptors below n, made now: libuv ends the process when it finds no memory for it
 * later. Where n is more than the process may open, nothing happens. */
void loop_reserve(struct loop *l, uint32_t n);

/* A buffer of LOOP_BUFFER bytes that a callback may borrow until it returns. */
#define LOOP_BUFFER 65536
char *loop_buffer(struct loop *l);
