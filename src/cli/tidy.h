/* tidy.h - gives memory back to the system when a crowd has gone. io
 *
 * The C library keeps what was freed between things that live on; after a meeting of thousands that
 * would be most of it, for ever. Thread: the loop's. */
#pragma once
#include "base/timer.h"
#include "net/loop.h"
#include "net/tcp.h"

struct crowd {
	uint32_t most; /* since memory was last given back */
	bool again;    /* that was at the last look: others may have been on their way out */
};

struct tidy {
	struct timer timer;
	struct loop *loop;
	const struct tcp_server *tcp;
	uint32_t (*sessions)(void *arg); /* how many there are, also without a connection */
	void *arg;
	struct crowd connections, clients;
};

void tidy_start(struct tidy *t, struct loop *loop, const struct tcp_server *tcp,
        uint32_t (*sessions)(void *arg), void *arg);
void tidy_stop(struct tidy *t); /* fine when it was not started */
