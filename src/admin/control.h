/* control.h - the control socket: a Unix socket in the state folder, for the same user only. io
 *
 * One connection, one question (a line of JSON), one answer, and the end. Mode 0600; a few
 * connections at a time, each with a time limit. Thread: the worker's, on its loop. */
#pragma once
#include "admin/ask.h"
#include "net/loop.h"

#define CONTROL_NAME "control.sock"

struct control;

/* Listens at <folder>/control.sock; a file left by a server that is gone is replaced. NULL: *why
 * says it (English, one line); the server can do without. sources is copied, what it points to
 * outlives the control. */
struct control *control_new(struct loop *l, struct str folder, const struct ask_sources *sources,
        char *why, size_t why_size);
void control_free(struct control *c); /* NULL is fine; removes the file */

/* The other side, for commands: asks and waits at most five seconds. ERR_OK; ERR_NOTFOUND: no
 * server listens there; ERR_IO, ERR_LIMIT (path or answer too long), ERR_NOMEM. */
int control_ask(struct str folder, struct str question, struct buf *answer);
