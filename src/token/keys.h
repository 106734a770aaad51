/* keys.h - the keys that verify tokens, each bound to its type. io (reads the key files)
 *
 * Made once from the settings, immutable afterwards, usable from any thread at once; what comes
 * from elsewhere is asked of the store that was attached. A key is found by issuer, family (HMAC,
 * RSA, P-256, P-384, Ed25519) and kid, never by kid alone: a public key cannot become an HMAC
 * secret. */
#pragma once
#include "token/keyset.h"

struct token_keys;
struct token_store;

/* Loads every secret and key file. `given` (absent: none) is PEM or JWKS text that stands in for
 * each key source that would be asked over the network or read from a key list (`--keys` of
 * explain); without it a key list that is a file is read, others stay empty, and their tokens end
 * in E_KEY. NULL on error, *e filled. The settings must outlive the keys. */
struct token_keys *token_keys_load(
        const struct token_settings *s, struct str given, struct token_error *e);
void token_keys_free(struct token_keys *k); /* NULL is fine */
/* From now on keys from elsewhere are the store's. Before any other thread knows of k. */
void token_keys_attach(struct token_keys *k, struct token_store *store);
struct token_store *token_keys_store(const struct token_keys *k); /* NULL: none */

/* What a token wanted that is not known, but might be elsewhere. */
struct token_want {
	const struct token_issuer *issuer; /* NULL: the server's own keys */
	enum token_alg alg;                /* TOKEN_ALG_COUNT: nothing is wanted */
	char kid[257];
};

/* Algorithms that are allowed but have no key (refused as E_ALG when a token uses them):
 * TOKEN_ALG_BIT set, over the server's own keys (issuer NULL) or those of one issuer. For a remote
 * source without keys: only HS*. */
unsigned token_keys_missing(const struct token_keys *k, const struct token_issuer *issuer);
/* Any configured secret shorter than 32 bytes (W_WEAK_SECRET). */
bool token_keys_weak_secret(const struct token_keys *k);
/* Is there a key at all for this issuer (NULL: the server's own); a remote source counts as one. */
bool token_keys_any(const struct token_keys *k, const struct token_issuer *issuer);
bool token_keys_has_family(
        const struct token_keys *k, const struct token_issuer *issuer, enum token_family family);
/* Verifies: the key of this issuer, algorithm and kid (absent: the only one) must exist and the
 * signature fit. */
enum token_key_answer { TOKEN_KEY_NONE, TOKEN_KEY_BAD_SIGNATURE, TOKEN_KEY_GOOD };
bool token_keys_find(const struct token_keys *k, const struct token_issuer *issuer,
        enum token_alg alg, struct str kid);
/* After token_keys_find found nothing: true, and *want filled, when the store could get it
 * (token_store_lookup). */
bool token_keys_want(const struct token_keys *k, const struct token_issuer *issuer,
        enum token_alg alg, struct str kid, struct token_want *want);
enum token_key_answer token_keys_verify(const struct token_keys *k,
        const struct token_issuer *issuer, enum token_alg alg, struct str kid, struct str input,
        struct str signature);
size_t token_keys_count(const struct token_keys *k);
