/* mailbox_test.c - messages between threads: all arrive, each sender's in order, and a worker lives
 * and ends. io */
#include "support/unit.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/mem.h"
#include "net/worker.h"
#include "support/wire.h"

#define SENDERS 4
#define EACH 2000

struct box {
	struct mailbox *mailbox;
	unsigned from[SENDERS]; /* the next number expected of each */
	unsigned got, batches, wrong;
};

struct note {
	struct message m;
	unsigned sender, number;
};

static void on_note(void *arg, struct message *m)
{
	struct box *b = arg;
	struct note *n = LIST_OWNER(m, struct note, m);
	b->wrong += n->number != b->from[n->sender]++;
	b->got++;
	mem_free(n);
}

static void on_batch(void *arg)
{
	((struct box *)arg)->batches++;
}

static void post(struct mailbox *m, unsigned sender, unsigned number)
{
	struct note *n = mem_zalloc(sizeof *n);
	assert_non_null(n);
	*n = (struct note){.m.run = on_note, .sender = sender, .number = number};
	mailbox_post(m, &n->m);
}

struct sender {
	struct mailbox *mailbox;
	unsigned number;
	pthread_t thread;
};

static void *send_all(void *arg)
{
	const struct sender *s = arg;
	for (unsigned i = 0; i < EACH; i++)
		post(s->mailbox, s->number, i);
	return NULL;
}

static void all_arrive_in_order(void **state)
{
	(void)state;
	struct loop *l = loop_new();
	struct box b = {0};
	struct sender s[SENDERS];
	b.mailbox = mailbox_new(l, on_batch, &b);
	assert_non_null(b.mailbox);
	for (unsigned i = 0; i < SENDERS; i++) {
		s[i] = (struct sender){.mailbox = b.mailbox, .number = i};
		assert_int_equal(pthread_create(&s[i].thread, NULL, send_all, &s[i]), 0);
	}
	for (unsigned i = 0; i < 5000 && b.got < SENDERS * EACH; i++)
		wire_turn(l, 1);
	for (unsigned i = 0; i < SENDERS; i++)
		pthread_join(s[i].thread, NULL);
	assert_int_equal(b.got, SENDERS * EACH);
	assert_int_equal(b.wrong, 0);
	assert_true(b.batches >= 1 && b.batches <= b.got);
	assert_false(mailbox_drain(b.mailbox));
	mailbox_free(b.mailbox);
	loop_free(l);
}

static void a_turn_wakes_once_for_many(void **state)
{
	(void)state;
	struct loop *l = loop_new();
	struct box b = {0};
	b.mailbox = mailbox_new(l, on_batch, &b);
	for (unsigned i = 0; i < 10; i++)
		post(b.mailbox, 0, i);
	loop_turn(l);
	assert_int_equal(b.got, 10);
	assert_int_equal(b.batches, 1);
	loop_turn(l);
	assert_int_equal(b.batches, 1);
	post(b.mailbox, 0, 10);
	assert_true(mailbox_drain(b.mailbox)); /* by hand, as at the end */
	assert_int_equal(b.got, 11);
	loop_turn(l); /* the wake-up that is left finds nothing */
	assert_int_equal(b.batches, 2);
	mailbox_free(b.mailbox);
	loop_free(l);
}

/* A message may be posted on from within: it goes round two workers and comes back. */
struct round {
	struct message m;
	struct worker *workers[2];
	unsigned hops;
	atomic_uint done;
};

static void on_round(void *arg, struct message *m)
{
	(void)arg;
	struct round *r = LIST_OWNER(m, struct round, m);
	if (++r->hops < 100)
		worker_post(r->workers[r->hops % 2], m);
	else
		atomic_store(&r->done, 1);
}

struct stop {
	struct message m;
	struct worker *worker;
};

static void on_stop(void *arg, struct message *m)
{
	(void)arg;
	loop_stop(worker_loop(LIST_OWNER(m, struct stop, m)->worker));
}

static void workers_pass_a_message_on(void **state)
{
	(void)state;
	struct round r = {.m.run = on_round};
	for (unsigned i = 0; i < 2; i++) {
		r.workers[i] = worker_new(NULL, NULL);
		assert_non_null(r.workers[i]);
		assert_true(worker_start(r.workers[i]));
	}
	worker_post(r.workers[0], &r.m);
	struct loop *l = loop_new();
	for (unsigned i = 0; i < 5000 && !atomic_load(&r.done); i++)
		wire_turn(l, 1);
	loop_free(l);
	assert_int_equal(atomic_load(&r.done), 1);
	struct stop stop[2];
	for (unsigned i = 0; i < 2; i++) {
		stop[i] = (struct stop){.m.run = on_stop, .worker = r.workers[i]};
		worker_post(r.workers[i], &stop[i].m);
	}
	for (unsigned i = 0; i < 2; i++) {
		worker_join(r.workers[i]);
		assert_false(worker_drain(r.workers[i]));
		worker_free(r.workers[i]);
	}
	assert_int_equal(r.hops, 100);
}

static void without_memory_there_is_none(void **state)
{
	(void)state;
	struct loop *l = loop_new();
	for (long budget = 0; budget < 2; budget++) {
		mem_budget_set(budget);
		struct mailbox *m = mailbox_new(l, NULL, NULL);
		mem_budget_set(-1);
		assert_null(m);
	}
	loop_turn(l);
	loop_free(l);
	assert_true(worker_cores() >= 1 && worker_cores() <= WORKERS_MAX);
}

UNIT_MAIN(cmocka_unit_test(all_arrive_in_order), cmocka_unit_test(a_turn_wakes_once_for_many),
        cmocka_unit_test(workers_pass_a_message_on), cmocka_unit_test(without_memory_there_is_none))
