/* store.h - keys from elsewhere, for all workers: one lock, one thread that fetches. io
 *
 *   worker: token_verify --no such key yet--> token_store_lookup --wait--> told --> token_verify
 *   thread of the store: token/source says what is due, token/fetch asks, token/keyset reads
 *
 * A lookup never waits: it is answered from what is known, or refused, or the caller is told later.
 * Each issuer has a source, and so limits, of its own. There is no store, and no thread, where no
 * key comes from elsewhere. Names and hashes of kids are logged, key material is not. */
#pragma once
#include "base/buf.h"
#include "base/counter.h"
#include "token/keys.h"
#include "token/source.h"

struct token_store;

struct token_store_settings {
	struct source_bounds bounds;
	struct str ca_file, proxy; /* absent: the system's store, none */
	const char *agent;         /* what requests call themselves */
	uint32_t log_lines_per_second;
};

/* Does any of these keys come from elsewhere? */
bool token_store_needed(const struct token_settings *s);
/* settings are borrowed, set is copied. NULL: no memory. Nothing is asked before
 * token_store_start. */
struct token_store *token_store_new(
        const struct token_settings *s, const struct token_store_settings *set);
/* Starts the thread; false: there can be none. */
bool token_store_start(struct token_store *ts);
/* Ends the thread. Everybody who waits is told; lookups are refused from now on. Fine when it was
 * not started. */
void token_store_stop(struct token_store *ts);
void token_store_free(struct token_store *ts); /* stops it; NULL is fine */

/* Is there such a key now? Thread: any. */
bool token_store_has(struct token_store *ts, const struct token_issuer *issuer, enum token_alg alg,
        struct str kid);
/* A reference for token_store_give_back; NULL: not known now. Thread: any. */
EVP_PKEY *token_store_key(struct token_store *ts, const struct token_issuer *issuer,
        enum token_alg alg, struct str kid);
void token_store_give_back(struct token_store *ts, EVP_PKEY *key); /* NULL is fine */

/* KEY_READY: verify again. KEY_WAIT: w->told is called within the time of the bounds, from the
 * store's thread; then verify again. KEY_REFUSED: *why says why, for the log. w may be NULL: then
 * nobody is told. Thread: any. */
enum key_answer token_store_lookup(struct token_store *ts, const struct token_want *want,
        struct key_waiter *w, char why[KEY_WHY]);
/* False: w has been told, or is about to be. Thread: any. */
bool token_store_cancel(struct token_store *ts, struct key_waiter *w);

/* Reads lists and files again, now. Thread: any. */
void token_store_reload(struct token_store *ts);

/* What is known: a JSON array, one object per source. Thread: any. */
void token_store_write(struct token_store *ts, struct buf *out);
size_t token_store_list_counters(struct token_store *ts, struct counter *out, size_t max);
