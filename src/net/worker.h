/* worker.h - one thread with one loop and one mailbox. io
 *
 * A worker owns all that belongs to its conferences; whoever wants something of it posts a
 * message. The front is a worker without a thread of its own: its loop is run by the main one. */
#pragma once
#include "net/mailbox.h"

#define WORKERS_MAX 64

struct worker;

/* arg goes to every message's run; before is called before each batch of them. NULL: no memory or
 * descriptors. */
struct worker *worker_new(void (*before)(void *arg), void *arg);
void worker_free(struct worker *w); /* after worker_join; all watches but its own are gone */
struct loop *worker_loop(const struct worker *w);
/* Runs the loop in a new thread. False: there can be none. */
bool worker_start(struct worker *w);
void worker_join(struct worker *w);                    /* fine when it was not started */
void worker_post(struct worker *w, struct message *m); /* thread: any */
bool worker_drain(struct worker *w);                   /* mailbox_drain, once its thread is over */

/* The cores that this process may use, at least 1, at most WORKERS_MAX. */
unsigned worker_cores(void);
