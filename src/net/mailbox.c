/* mailbox.c - messages to the thread of one loop: a list behind a lock, and an eventfd. io */
#include "net/mailbox.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include "base/lock.h"
#include "base/mem.h"

struct mailbox {
	struct lock lock;
	struct message *first, **last; /* under the lock */
	struct message *taken;         /* out of it, not yet run; the loop's thread's */
	struct loop *loop;
	struct loop_job job;
	/* set once */
	struct loop_watch *watch;
	int fd;
	void (*before)(void *arg);
	void *arg;
};

static void on_wake(void *arg, int ready)
{
	(void)ready;
	struct mailbox *m = arg;
	uint64_t n;
	ssize_t got = read(m->fd, &n, sizeof n);
	(void)got; /* nothing there: somebody has drained it before */
	loop_job_add(m->loop, &m->job);
}

static bool take_all(struct mailbox *m)
{
	if (m->taken)
		return true;
	lock_take(&m->lock);
	m->taken = m->first;
	m->first = NULL;
	m->last = &m->first;
	lock_give(&m->lock);
	return m->taken != NULL;
}

static void run_one(struct mailbox *m)
{
	struct message *message = m->taken;
	m->taken = message->next;
	message->run(m->arg, message);
}

/* What was posted goes before what is posted meanwhile; a slice at a time. */
static void on_turn(void *arg)
{
	struct mailbox *m = arg;
	if (!take_all(m))
		return;
	if (m->before)
		m->before(m->arg);
	do
		run_one(m);
	while (m->taken && !loop_slice_over(m->loop));
	if (take_all(m)) /* those whose waking came while this job waited, too */
		loop_job_add(m->loop, &m->job);
}

struct mailbox *mailbox_new(struct loop *l, void (*before)(void *arg), void *arg)
{
	struct mailbox *m = mem_zalloc(sizeof *m);
	if (!m)
		return NULL;
	m->last = &m->first;
	m->loop = l;
	m->job = (struct loop_job){.turn.kind = TURN_HOUSE, .fn = on_turn, .arg = m};
	m->before = before;
	m->arg = arg;
	m->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	m->watch = m->fd >= 0 ? loop_watch_new(l, m->fd, on_wake, m) : NULL;
	if (!m->watch || !lock_init(&m->lock)) {
		loop_watch_free(m->watch);
		if (m->fd >= 0)
			close(m->fd);
		mem_free(m);
		return NULL;
	}
	loop_watch_set(m->watch, LOOP_READ);
	return m;
}

void mailbox_free(struct mailbox *m)
{
	if (!m)
		return;
	loop_watch_free(m->watch);
	loop_job_remove(&m->job);
	close(m->fd);
	lock_done(&m->lock);
	mem_free(m);
}

void mailbox_post(struct mailbox *m, struct message *message)
{
	message->next = NULL;
	lock_take(&m->lock);
	bool wake = m->first == NULL;
	*m->last = message;
	m->last = &message->next;
	lock_give(&m->lock);
	/* Who finds it empty wakes; whoever comes behind finds it awake. */
	if (wake) {
		const uint64_t one = 1;
		ssize_t n = write(m->fd, &one, sizeof one);
		(void)n; /* the counter cannot be full */
	}
}

bool mailbox_drain(struct mailbox *m)
{
	if (!take_all(m))
		return false;
	if (m->before)
		m->before(m->arg);
	while (m->taken)
		run_one(m);
	return true;
}
