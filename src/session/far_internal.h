/* far_internal.h - ties and what one worker knows of the others, shared by the files far*.c and
 * nobody else. io */
#pragma once
#include <stdatomic.h>

#include "base/map.h"
#include "session/far.h"
#include "session/internal.h"

/* From the room's worker: this session must end. Made with the tie, so that it never fails. */
struct alarm {
	struct message m;
	struct far *to;
	struct session_handle handle;
	bool slow;
};

/* One session and one other worker. Made by the session's worker, which keeps a pointer for the two
 * sums and for `gone`; all else belongs to the room's worker from the first crossing on, which
 * frees it when `gone` arrives. */
struct tie {
	struct message gone;
	struct far *to;        /* the room's worker */
	atomic_uint waiting;   /* bytes of crossings that are not handled */
	atomic_uint under_way; /* bytes of batches that are not handled */
	bool known, broken;    /* known: in `ties`; broken: its session will end */
	struct alarm *alarm;   /* NULL: sent */
	struct claims *claims; /* one reference, the only one on this thread */
	struct session_handle handle;
	bool peer_loopback;
	char region[65];
	enum service service;
	char peer[46], key[37];
	size_t jid_n;
	char jid[];
};

struct batch;

/* What one worker sends to another. */
struct link {
	struct batch *batch;     /* being filled; NULL: none */
	struct batch *spare;     /* for when there is no memory for one; NULL: used up */
	struct block *tail;      /* of the last RECORD_TAIL in it, referenced */
	atomic_ullong under_way; /* bytes; the receiver takes off */
};

struct far_counters {
	uint64_t crossings, batches, deliveries, limit_under_way, no_memory;
};

struct far {
	struct far_settings settings;
	struct sessions *own;
	struct loop *loop;
	unsigned worker, n;
	struct map ties; /* handle bytes -> tie, of sessions elsewhere */
	struct loop_task flush;
	struct far_counters counters;
	struct link links[];
};

/* The session of a tie, as rooms are told of it. Borrowed. */
struct far_client far_client_of(const struct tie *t);
/* Claims whose counts no other thread touches; c may be NULL. False: no memory. */
bool far_copy_claims(const struct claims *c, struct claims **copy);
