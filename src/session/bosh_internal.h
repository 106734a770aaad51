/* bosh_internal.h - one BOSH session's state, shared by session/bosh.c and session/bosh_stream.c
 * and nobody else. io */
#pragma once
#include "base/list.h"
#include "net/tcp.h"
#include "session/bosh.h"
#include "session/bosh_window.h"
#include "session/internal.h"

/* One number of the window: held while `open`, then its answer. */
struct place {
	bool open;
	struct bosh_post *post; /* NULL, while open: its connection has gone */
	uint64_t until_ms;
	char *answer; /* owned; NULL: an empty body, or none yet */
	size_t n;
};

struct bosh_stream {
	struct transport t;
	struct sessions *all;
	struct list in_ended; /* linked once it has ended */
	uint32_t index;
	char secret[BOSH_SECRET_DIGITS + 1];
	bool secure, acks;
	bool opens;            /* the answer to the first request is not given yet */
	bool ended;            /* t has no session any more */
	bool said;             /* and the client was told */
	const char *condition; /* of the end; NULL: in good order */
	const char *ver;
	unsigned wait, hold;
	struct str from; /* a domain of the settings */
	char id[17];

	struct bosh_window window;
	struct place places[BOSH_REPLAYS];
	struct bosh_post *early; /* the number after window.next; NULL: none */
	struct buf out;
	char key[BOSH_KEY_DIGITS + 1]; /* "": none */

	uint64_t seen_ms;     /* its last request */
	uint32_t inactive_ms; /* how long it may be without one */
	struct limit polls;
	struct timer timer; /* of the oldest request that is held, or of inactivity */
	struct loop_task settle;
	struct tcp_server *seats;
	struct tcp_address *seat;
};

struct bosh {
	struct bosh_stream **streams; /* by index; NULL: free */
	uint32_t n, cap, used;
	struct list ended; /* those that stay for their last words, the oldest first */
	uint64_t kept;     /* bytes in all queues and answers */
	uint64_t requests, opened, replays, early, lost, inactive, polled, limit_streams;
};

/* bosh_stream.c */
extern const struct transport_ops bosh_ops;
void bosh_answer_empty(struct bosh_post *p, const struct bosh_answer *a);
void bosh_refuse(struct bosh_post *p, const char *condition);
/* Answers the number that is held, with what waits or without. False: no memory, nothing has
 * changed. */
bool bosh_answer_place(struct bosh_stream *st, uint64_t rid, bool content);
void bosh_replay(struct bosh_stream *st, struct place *pl, struct bosh_post *p);
void bosh_forget_answer(struct bosh_stream *st, struct place *pl);
unsigned bosh_count_open(const struct bosh_stream *st);
/* Who gets what waits: the oldest that can, but the last words stand last. 0: nobody. */
uint64_t bosh_receiver(const struct bosh_stream *st);
/* Answers whom there is something to tell, or who must not wait any more, and sets the timer. */
void bosh_settle(struct bosh_stream *st);
void bosh_settle_later(struct bosh_stream *st); /* at the end of the turn */
/* It was heard of. Once it has ended nothing makes it stay longer. */
void bosh_touch(struct bosh_stream *st);
/* Nothing of it may be up the stack. */
void bosh_stream_free(struct bosh_stream *st);
