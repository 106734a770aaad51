/* mailbox.h - messages to the thread of one loop, from any thread. io
 *
 * Drained in batches, for a slice of the thread's time each (loop_job); the order of one sender's
 * messages is kept. A message is made by its sender and belongs to the mailbox from mailbox_post
 * on, then to its own `run`, which frees it. */
#pragma once
#include "net/loop.h"

struct message {
	struct message *next; /* the mailbox's */
	/* On the receiver's thread. arg: the mailbox's owner's. Must free m, or post it on. */
	void (*run)(void *arg, struct message *m);
};

struct mailbox;

/* NULL: no memory or descriptors. before (may be NULL) is called before each batch. */
struct mailbox *mailbox_new(struct loop *l, void (*before)(void *arg), void *arg);
/* Thread: the receiver's, or any once that is over. Must be empty (mailbox_drain). */
void mailbox_free(struct mailbox *m); /* NULL is fine */
/* Never fails and never waits for the receiver. Thread: any. */
void mailbox_post(struct mailbox *m, struct message *message);
/* Runs what waits; false: nothing did. Thread: the receiver's, or any once that is over. */
bool mailbox_drain(struct mailbox *m);
