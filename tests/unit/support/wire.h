/* wire.h - a client on a real socket, in the same thread as the loop that serves it. io */
#pragma once
#include "base/buf.h"
#include "net/loop.h"

struct wire {
	struct loop *loop;
	int fd;
	struct buf in; /* all that came */
	bool ended;    /* the server closed */
};

void wire_open(struct wire *w, struct loop *l, uint16_t port);
void wire_done(struct wire *w);
void wire_send(struct wire *w, struct str bytes);
void wire_puts(struct wire *w, const char *text);
/* Turns the loop for about ms, reading what comes; stops early when `needle` has come (NULL: waits
 * for the end of the connection). Says whether it happened. */
bool wire_until(struct wire *w, const char *needle, unsigned ms);
/* Turns the loop only. */
void wire_turn(struct loop *l, unsigned ms);
/* Has these bytes come? */
bool wire_has(const struct wire *w, const char *needle);
void wire_forget(struct wire *w); /* what came so far */

/* A masked client frame, appended. */
void wire_frame(struct buf *out, unsigned opcode, bool fin, struct str payload);
/* The upgrade, with this query ("?room=x" or ""); fails the test when it is refused. */
void wire_ws(struct wire *w, struct loop *l, uint16_t port, const char *query);
void wire_text(struct wire *w, const char *text); /* one text frame */
