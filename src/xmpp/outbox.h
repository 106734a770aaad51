/* outbox.h - how a room reaches sessions without knowing sockets. pure
 *
 * session fills this table in; tests fill in an array. A handle names a session on some worker; it
 * never dangles: a send to a handle whose session is gone is dropped. Thread: the conference's
 * worker. */
#pragma once
#include <stdint.h>
#include "base/block.h"

struct session_handle {
	uint32_t worker;
	uint32_t index;
	uint32_t generation; /* never 0 for a real session */
};

static inline bool session_handle_eq(struct session_handle a, struct session_handle b)
{
	return a.worker == b.worker && a.index == b.index && a.generation == b.generation;
}

struct outbox {
	void *arg;
	/* Queues one whole stanza for `to`: the bytes of head followed by the bytes of tail. head
	 * is copied; of tail a reference is kept until it is written. tail may be NULL. A broadcast
	 * makes one tail (attributes and children) and a short head per receiver, "<presence
	 * to='...'". A session that does not drain is closed by its own rule (queued bytes), never
	 * slows the room. */
	void (*send)(void *arg, struct session_handle to, struct str head, struct block *tail);
	/* Ends the stream with a stream error (RFC 6120 4.9.3), e.g. "policy-violation", text or
	 * absent. */
	void (*close)(void *arg, struct session_handle to, const char *condition, struct str text);
};
