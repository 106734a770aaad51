/* bosh_window.h - which request of a BOSH session may be served now, by its number (XEP-0124 14.2).
 * pure */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define BOSH_REQUESTS 2                  /* a client may have unanswered at once */
#define BOSH_REPLAYS (BOSH_REQUESTS + 1) /* numbers whose answers are remembered */
#define BOSH_RID_MAX ((UINT64_C(1) << 53) - 1)

struct bosh_window {
	uint64_t first; /* the request that opened the session */
	uint64_t next;  /* what is served next; BOSH_RID_MAX + 1: nothing any more */
};

enum bosh_turn {
	BOSH_NOW,   /* it is the next one */
	BOSH_EARLY, /* the one before it is still missing: it waits */
	BOSH_AGAIN, /* served before, and remembered: the same answer */
	BOSH_LOST,  /* too old, too far ahead, or no number: the session is over */
};

/* rid must be a number of the session: 1 to BOSH_RID_MAX. */
void bosh_window_open(struct bosh_window *w, uint64_t rid);
enum bosh_turn bosh_window_judge(const struct bosh_window *w, uint64_t rid);
/* The next one is served. */
void bosh_window_move(struct bosh_window *w);
/* Where the answer to rid is kept, of BOSH_REPLAYS places. */
unsigned bosh_window_place(uint64_t rid);
/* The oldest number that is remembered. */
uint64_t bosh_window_oldest(const struct bosh_window *w);
