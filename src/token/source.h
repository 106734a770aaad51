/* source.h - one issuer's keys from elsewhere: what is known, what shall be asked for now, who
 * waits for it. pure
 *
 * A source answers with documents: a key server one per kid (a PEM), a key list exactly one. A
 * document is fresh for as long as its answer said (max-age, within bounds); it is asked for again
 * before that ends, and when the source fails its last good keys serve for one more hour. What is
 * not there is not asked for again for a while. Strangers choose kids: requests for unknown ones
 * are limited, queued within a bound, and never push out a key that is known (roles.md 1.4).
 *
 * Nothing here asks a clock or the network: the time is handed in (milliseconds, monotonic), who
 * fetches takes documents with source_next and brings back what came with source_answer. Thread:
 * one at a time (token/store has the lock). */
#pragma once
#include "base/limit.h"
#include "base/list.h"
#include "base/map.h"
#include "token/keyset.h"

#define KEY_TTL_MIN_MS (60 * 1000ull)
#define KEY_TTL_MAX_MS (24 * 3600 * 1000ull)
#define KEY_TTL_MS (3600 * 1000ull)   /* where the answer says nothing */
#define KEY_STALE_MS (3600 * 1000ull) /* how long the last good keys serve a dead source */
#define KEY_MISSING_MS (60 * 1000ull) /* a kid that the server does not know */
#define KEY_UNKNOWN_MS (30 * 1000ull) /* between two readings of a list for unknown kids */
#define KEY_RETRY_MS (2 * 1000ull)    /* after a failure; doubles */
#define KEY_RETRY_MAX_MS (30 * 1000ull)
#define KEY_FILE_MS (5 * 1000ull) /* between two looks at a file */
#define KEY_QUEUE_SECONDS 2       /* of requests for unknown kids */
#define KEY_IN_FLIGHT 32          /* requests at once */
#define KEY_NAME_DIGITS 64
#define KEY_WHY 320 /* bytes of a reason */

enum source_kind { SOURCE_SERVER, SOURCE_LIST, SOURCE_FILE };

/* The bounds; the same for every source, and each has its own count. */
struct source_bounds {
	uint32_t per_second; /* requests for unknown kids; as many at once */
	uint32_t documents;  /* kids remembered: known ones, and as many unknown ones */
	uint32_t waiters;
	uint32_t wait_ms; /* the longest that anybody waits */
};

/* Somebody who waits for a document. His until he is told, or has cancelled. */
struct key_waiter {
	struct list link, age; /* of the document; of the source, the longest first */
	uint64_t until_ms;
	struct key_source *source; /* NULL: told, or about to be */
	/* Once, on the thread of the store, without its lock. The waiter is free from here on. */
	void (*told)(struct key_waiter *w);
};

/* What became of a request. */
enum key_outcome {
	KEY_NEVER, /* not asked for yet */
	KEY_GOOD,
	KEY_SAME,    /* a file that has not changed */
	KEY_MISSING, /* the server says that there is no such key; never of a list */
	KEY_BROKEN,  /* an answer without a usable key in it */
	KEY_FAILED,  /* no answer */
};
const char *key_outcome_name(enum key_outcome o); /* "good" */

struct key_document {
	struct key_source *source;
	char name[KEY_NAME_DIGITS + 1]; /* SHA-256 of the kid, in hexadecimal; a list: "" */
	struct keyset keys;             /* the last good ones; empty: none */
	uint64_t got_ms, fresh_ms, stale_ms, refresh_ms; /* of the keys */
	uint64_t retry_ms;                               /* not asked for again before */
	unsigned failures;                               /* since the last good answer */
	enum key_outcome last;
	int status;    /* of the last answer (HTTP); 0: none */
	char why[200]; /* of the last answer that was not good */
	bool in_flight;
	struct list link;   /* of the source */
	struct list queued; /* waits to be asked for */
	struct list waiters;
};

struct source_counters {
	uint64_t requests, good, missing, broken, failed; /* answers */
	uint64_t refused;       /* lookups answered from the memory of what is not there */
	uint64_t limit_lookups; /* refused: too many unknown kids at once */
	uint64_t limit_waiting; /* refused: too many wait */
	uint64_t timeouts;      /* waited in vain */
	uint64_t evicted;       /* known keys that gave way to others */
};

struct key_source {
	enum source_kind kind;
	const struct source_bounds *bounds;
	struct map documents;                /* by name */
	struct list with_keys, without_keys; /* the documents; the most recently used last */
	size_t n_with_keys, n_without_keys;
	struct list refreshes, unknown; /* queues */
	size_t n_unknown, n_in_flight, n_waiters;
	struct list ages; /* of waiters */
	struct limit lookups;
	struct source_counters counters;
	char why[KEY_WHY];
};

/* bounds must outlive it. A list or file is wanted from the start. False: no memory. */
bool source_init(struct key_source *s, enum source_kind kind, const struct source_bounds *bounds);
void source_done(struct key_source *s); /* nobody may wait any more */

enum key_answer { KEY_READY, KEY_WAIT, KEY_REFUSED };

/* Is there a key to be had? KEY_READY: source_key gives it. KEY_WAIT: w (may be NULL: then nobody
 * is told) waits for it. KEY_REFUSED: *why says why, in words for the log, valid until the next
 * call. */
enum key_answer source_ask(struct key_source *s, enum token_alg alg, struct str kid,
        struct key_waiter *w, uint64_t now_ms, const char **why);
/* The key, borrowed until the next call for this source; NULL: none now. *due: something is to be
 * fetched. */
const struct keyset_key *source_key(
        struct key_source *s, enum token_alg alg, struct str kid, uint64_t now_ms, bool *due);

/* The next document to fetch; it is in flight until source_answer. NULL: none now. */
struct key_document *source_next(struct key_source *s, uint64_t now_ms);

struct source_result {
	enum key_outcome outcome;
	int status;
	int64_t max_age;    /* seconds; below 0: not said */
	struct keyset keys; /* taken over when KEY_GOOD */
	const char *why;
};
/* Those who waited for it are moved to `told`. */
void source_answer(struct key_source *s, struct key_document *d, struct source_result *r,
        uint64_t now_ms, struct list *told);

/* Refreshes that are due are queued, those who waited too long are moved to `told`; all of them:
 * everybody, for the end. */
void source_tick(struct key_source *s, uint64_t now_ms, bool all, struct list *told);
/* When source_tick or source_next has something to do, at the earliest; UINT64_MAX: never. */
uint64_t source_due(const struct key_source *s, uint64_t now_ms);
/* A list or file is wanted again, now. */
void source_reload(struct key_source *s);
/* False: he has been told, or is about to be. */
bool source_cancel(struct key_waiter *w);

/* max-age of a Cache-Control header (RFC 9111 5.2.2.1); 0 with no-store or no-cache; -1: not said.
 */
int64_t source_max_age(struct str cache_control);
/* The name of the document for a kid. */
void source_document_name(
        const struct key_source *s, struct str kid, char out[KEY_NAME_DIGITS + 1]);
