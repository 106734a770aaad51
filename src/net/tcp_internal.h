/* tcp_internal.h - what tcp.c and tcp_server.c share; nobody else includes it. io */
#pragma once
#include "base/buf.h"
#include "base/limit.h"
#include "base/lock.h"
#include "base/map.h"
#include "net/tcp.h"
#include "net/tls_internal.h"

struct tcp_segment {
	struct block *block; /* a reference; NULL: the bytes stand in `copied` */
	uint32_t from, n;    /* of the block; n counts down */
};

/* How many connections one address holds. IPv6 counts by /64: a household has that many addresses.
 */
struct tcp_address {
	char key[TCP_PEER_MAX];
	uint32_t open;
	struct limit rate;           /* new connections */
	struct turn_account account; /* of its strangers */
};

/* Shared by the servers of all workers: a connection is counted from accept to close, wherever it
 * lives. */
struct tcp_ledger {
	struct lock lock;
	uint32_t max_connections, max_per_address, per_second;
	/* under the lock */
	uint32_t open;
	struct map addresses;
};

enum tcp_refusal {
	TCP_TAKEN,
	TCP_REFUSED_TOTAL,
	TCP_REFUSED_RATE,
	TCP_REFUSED_ADDRESS,
	TCP_REFUSED_NOMEM
};
struct tcp_ledger *tcp_ledger_new(const struct tcp_limits *limits);
void tcp_ledger_free(struct tcp_ledger *l);
/* key NULL: loopback, which counts in total only. On TCP_TAKEN: *out is the address, or NULL. */
enum tcp_refusal tcp_ledger_take(
        struct tcp_ledger *l, const char *key, uint64_t now_ms, struct tcp_address **out);
/* From one address to another, on which it counts as new. */
enum tcp_refusal tcp_ledger_move(
        struct tcp_ledger *l, const char *key, uint64_t now_ms, struct tcp_address **a);
void tcp_ledger_give(struct tcp_ledger *l, struct tcp_address *a);
uint32_t tcp_ledger_open(struct tcp_ledger *l);
/* Forgets addresses that are quiet; true: some are left. */
bool tcp_ledger_sweep(struct tcp_ledger *l, uint64_t now_ms);

struct tcp {
	struct list link; /* in the server's list */
	struct tcp_server *server;
	struct loop *loop;
	struct tcp_events ev;
	struct loop_watch *watch;
	int fd;
	char peer[TCP_PEER_MAX];
	struct tcp_address *address; /* NULL for loopback */
	bool loopback, paused, blocked, closing, shut, eof, dead;

	/* queue: segments[first..count), copied bytes from copied_from on */
	struct tcp_segment *segments;
	size_t first, count, cap;
	struct buf copied;
	size_t copied_from, queued;
	uint64_t moved_ms;      /* last progress */
	struct tls_stream *tls; /* NULL: clear text */

	struct timer stall, linger;
	/* its turn: to flush, to read, to hand on what was put back */
	struct loop_job job;
	bool flush_due, readable, again;
	struct buf rest;
	struct loop_task later, freed; /* later: flush_due, with others */
};

struct tcp_listener {
	struct list link;
	struct tcp_server *server;
	struct loop_watch *watch;
	struct loop_job job; /* accepts some */
	int fd;
	struct tls_context *tls; /* NULL: clear text */
	const struct tls_door *door;
};

struct tcp_server {
	struct loop *loop;
	struct tcp_ledger *ledger;
	bool beside; /* the ledger is another server's, and so are the listeners */
	struct tcp_limits limits;
	struct tcp_counters counters;
	void (*accepted)(void *arg, struct tcp *t);
	void *arg;
	struct list listeners, connections;
	int spare_fd; /* given up to be able to refuse when descriptors are out */
	bool paused;
	struct timer resume, sweep; /* sweep: forgets addresses that are quiet */
	struct timer spell;         /* running: descriptors ran out not long ago */
	uint64_t spell_from;        /* refused_nofile when that began */
	struct limit complaints;
	uint64_t tls_faults[TLS_FAULTS], tls_handshakes, tls_resumed;
};

bool tcp_start(struct tcp *t); /* false: no memory; the caller frees */
void tcp_destroy(struct tcp *t);
void tcp_server_forget(struct tcp_server *s, struct tcp *t); /* on destruction: counts and list */
void tcp_server_tls_fault(struct tcp_server *s, struct tcp *t); /* counts and tells it */
