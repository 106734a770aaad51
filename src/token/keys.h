/* keys.h - the keys that verify tokens, each bound to its type. io (reads the key files)
 *
 * Made once from the settings, immutable afterwards, usable from any thread at once. A key is found
 * by issuer, family (HMAC, RSA, P-256, P-384, Ed25519) and kid, never by kid alone: a public key
 * cannot become an HMAC secret. Secrets are copied and wiped on free; they never appear in an
 * error. */
#pragma once
#include "token/settings.h"

struct token_keys;

struct token_error {
	char text[320]; /* English, for the administrator: the setting, the file, the reason */
};

/* Loads every secret and key file. `given` (absent: none) is PEM or JWKS text that stands in for
 * each key source that would be asked over the network or read from a key list (`--keys` of
 * explain); without it those stay empty, and their tokens end in E_KEY. NULL on error, *e filled.
 * The settings must outlive the keys. */
struct token_keys *token_keys_load(
        const struct token_settings *s, struct str given, struct token_error *e);
void token_keys_free(struct token_keys *k); /* NULL is fine */

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
enum token_key_answer token_keys_verify(const struct token_keys *k,
        const struct token_issuer *issuer, enum token_alg alg, struct str kid, struct str input,
        struct str signature);
size_t token_keys_count(const struct token_keys *k);
