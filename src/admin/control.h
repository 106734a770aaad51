/* control.h - the control socket: a Unix socket in the state folder, for the same user only. io
 *
 * One connection, one question (a line of JSON), one answer, and the end. Mode 0600; a few
 * connections at a time, each with a time limit. Thread: that of its loop, the front's. */
#pragma once
#include "admin/ask.h"
#include "net/loop.h"

#define CONTROL_NAME "control.sock"

struct control;

/* One question, and whom to answer. The asked calls control_answer, at once or later. */
struct control_question {
	struct control *control;
	uint64_t id; /* of the connection: it may be gone by then */
	struct ask ask;
};
/* q is the callee's until it is answered (mem_free after ask_done: control_answer does both). */
typedef void control_fn(void *arg, struct control_question *q);

/* Listens at <folder>/control.sock; a file left by a server that is gone is replaced. NULL: *why
 * says it (English, one line); the server can do without. */
struct control *control_new(struct loop *l, struct str folder, control_fn *asked, void *arg,
        char *why, size_t why_size);
/* Sends the answer, if the asker still waits, and frees q. Thread: the loop's. */
void control_answer(struct control_question *q);
/* Frees a question that nobody will answer. */
void control_drop(struct control_question *q);
void control_free(struct control *c); /* NULL is fine; removes the file */

/* The other side, for commands: asks and waits at most five seconds. ERR_OK; ERR_NOTFOUND: no
 * server listens there; ERR_IO, ERR_LIMIT (path or answer too long), ERR_NOMEM. */
int control_ask(struct str folder, struct str question, struct buf *answer);
