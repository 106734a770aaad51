/* tcp.h - listeners and connections: bounded, never blocking, one writev per connection and turn.
 * io
 *
 * Thread: the loop's. */
#pragma once
#include "base/block.h"
#include "base/counter.h"
#include "net/loop.h"
#include "net/tls.h"

#define TCP_PEER_MAX 46 /* INET6_ADDRSTRLEN */

struct tcp; /* one accepted connection */
struct tcp_address;
struct tcp_server; /* the listeners of one port and the bounds that they share */

enum tcp_end {
	TCP_END_EOF,     /* the peer closed */
	TCP_END_ERROR,   /* reset, or the path is dead */
	TCP_END_STALLED, /* queued bytes made no progress for stall_ms */
};

/* A connection on its way from one loop to another: a value, counted as open all the time. */
struct tcp_parcel {
	int fd;
	char peer[TCP_PEER_MAX];
	bool loopback;
	struct tcp_address *address; /* of the shared ledger */
	struct tls_stream *tls;      /* NULL: clear text */
};

struct tcp_events {
	void *arg;
	/* bytes are borrowed for the call; called when it is t's turn (loop_job). Whoever has much
	 * to do with them stops when the slice is over, and puts the rest back. May call anything
	 * on t, tcp_close too. */
	void (*data)(void *arg, struct tcp *t, struct str bytes);
	/* Everything queued is with the kernel. May be NULL. */
	void (*drained)(void *arg, struct tcp *t);
	/* Called once, unless the owner called tcp_close before; t is gone when it returns. */
	void (*ended)(void *arg, struct tcp *t, enum tcp_end why);
};

struct network;

struct tcp_limits {
	uint32_t max_connections;  /* in total */
	uint32_t max_per_address;  /* loopback is exempt */
	uint32_t per_second;       /* new ones from one address; loopback is exempt */
	uint32_t max_queued;       /* bytes waiting in one connection */
	uint64_t max_queued_total; /* in all, shared blocks once; then those that hold most of it
	                              are refused */
	uint32_t stall_ms;
	/* Proxies: their connections count in total only, until tcp_forwarded_for. Live as long as
	 * the server. */
	const struct network *trusted;
	size_t n_trusted;
};

/* What was refused, and how much there is. */
struct tcp_counters {
	uint64_t accepted, refused_total, refused_address, refused_rate, refused_nofile, stalled,
	        queue_full, queues_full;
	uint64_t queued; /* bytes, now; a block that waits in many queues counts once */
	uint32_t open;
};

/* `accepted` must set the events of t (tcp_own) or close it. */
struct tcp_server *tcp_server_new(struct loop *l, const struct tcp_limits *limits,
        void (*accepted)(void *arg, struct tcp *t), void *arg);
/* A server on another loop that only adopts what `front` has accepted: the bounds per address, per
 * second and in total are shared, those of queues are its own. front outlives it. */
struct tcp_server *tcp_server_new_beside(struct tcp_server *front, struct loop *l,
        const struct tcp_limits *limits, void (*accepted)(void *arg, struct tcp *t), void *arg);
/* Open connections of this server and all beside it, those on their way included. Thread: any. */
uint32_t tcp_server_open_everywhere(const struct tcp_server *s);
/* host is a numeric address. port 0: one is chosen and written back to *port. ERR_EXISTS: in use,
 * ERR_TYPE: not an address, ERR_NOTFOUND: not an address of this host, ERR_IO (errno tells),
 * ERR_NOMEM. */
int tcp_server_listen(struct tcp_server *s, const char *host, uint16_t *port);
/* The same with TLS from the first byte on: `accepted` finds it started. tls outlives s. */
int tcp_server_listen_tls(struct tcp_server *s, const char *host, uint16_t *port,
        struct tls_context *tls, const struct tls_door *door);
void tcp_server_stop(struct tcp_server *s); /* accept no more; connections live on */
void tcp_server_free(struct tcp_server *s); /* closes what is left, without calling `ended` */
const struct tcp_counters *tcp_server_counters(const struct tcp_server *s);
/* The same by name into out, at most max; returns how many. */
size_t tcp_server_list_counters(const struct tcp_server *s, struct counter *out, size_t max);

void tcp_own(struct tcp *t, const struct tcp_events *ev); /* the events are copied */
struct loop *tcp_loop(const struct tcp *t);
struct str tcp_peer(
        const struct tcp *t); /* numeric address, IPv4-mapped ones as IPv4; lives with t */
bool tcp_peer_loopback(const struct tcp *t);
size_t tcp_queued(const struct tcp *t); /* bytes */
/* A trusted proxy says for whom t is: peer, as address_write writes it, is t's peer from now on,
 * and counts it. False: that address has too many, nothing has changed. */
bool tcp_forwarded_for(struct tcp *t, const char *peer);

/* A client without a connection of its own counts like one, for its address, as long as it has a
 * seat. *seat is NULL for loopback, which counts in total. False: there are too many, or too many
 * new ones. Thread: s's. */
bool tcp_seat_take(struct tcp_server *s, const char *peer, struct tcp_address **seat);
/* Once for each that was taken. Thread: any. */
void tcp_seat_give(struct tcp_server *s, struct tcp_address *seat);

/* Takes t off its loop, without a word to its owner: t is gone, the parcel must be adopted or
 * dropped. False: bytes are queued or were put back, or it is closing; nothing has happened. */
bool tcp_release(struct tcp *t, struct tcp_parcel *out);
/* Puts it on this server's loop; `accepted` is not called. NULL: no memory, it is dropped. Thread:
 * s's. */
struct tcp *tcp_adopt(struct tcp_server *s, const struct tcp_parcel *p);
/* Closes it. s: any server of its ledger; thread: any. */
void tcp_parcel_drop(struct tcp_server *s, const struct tcp_parcel *p);

/* Queues bytes (copied) or a block (referenced; its owner keeps his reference). Sent at the end of
 * the turn; a block within LOOP_LATER_MS when something was sent that shortly before, so that what
 * is told to many goes out together. ERR_LIMIT: max_queued (or max_queued_total, by one that has
 * its share queued) would be passed, nothing was queued; ERR_NOMEM likewise; ERR_CLOSED: closing,
 * dropped. */
int tcp_write(struct tcp *t, struct str bytes);
int tcp_write_block(struct tcp *t, struct block *b);
/* All or nothing: n parts, copied, then tail (may be NULL). may_exceed lets a last word pass
 * max_queued. */
int tcp_write_parts(
        struct tcp *t, const struct str *parts, size_t n, struct block *tail, bool may_exceed);

void tcp_read_pause(struct tcp *t, bool pause);
/* What `data` was given and did not handle: it is handed on again in another turn, before anything
 * else is read. bytes may be empty: just another turn. False: no memory. */
bool tcp_put_back(struct tcp *t, struct str bytes);
void tcp_known(struct tcp *t); /* its peer has logged in: a stranger no more (base/turns.h) */

/* The owner lets go: no event comes any more. linger_ms 0: at once, what is queued is dropped;
 * otherwise what is queued is sent, then our side is shut down, and the rest ends when the peer
 * closes or the time is over. */
void tcp_close(struct tcp *t, uint32_t linger_ms);
