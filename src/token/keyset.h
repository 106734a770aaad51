/* keyset.h - keys that belong together: read from PEM, JWKS or an object of PEMs by kid, found by
 * algorithm and kid. pure
 *
 * A key is found by family (HMAC, RSA, P-256, P-384, Ed25519) and kid, never by kid alone: a public
 * key cannot become an HMAC secret. RFC 7517; the other form of key list is {kid: PEM}. Secrets are
 * copied, wiped at the end, and never appear in an error. Thread: immutable once filled, then any.
 */
#pragma once
#include <openssl/evp.h>

#include "token/settings.h"

struct token_error {
	char text[320]; /* English, for the administrator: the setting, the file, the reason */
};

struct keyset_key {
	enum token_family family;
	enum token_alg only; /* a JWK's `alg`; TOKEN_ALG_COUNT: every one of the family */
	char *kid;           /* owned; NULL: fits any kid */
	EVP_PKEY *pkey;      /* owned; NULL for a secret */
	char *secret;        /* owned, wiped; NULL for a public key */
	size_t secret_n;
};

struct keyset {
	struct keyset_key *items;
	size_t n, cap;
};

/* A zeroed keyset is empty. */
void keyset_done(struct keyset *ks); /* it is empty then */

/* All: false on failure, *e says why (`where` in front); the set may then hold a part of it. */
bool keyset_add_secret(struct keyset *ks, struct str secret, struct token_error *e);
/* One PEM, public key or certificate. kid absent: it fits any. */
bool keyset_add_pem(struct keyset *ks, struct str kid, struct str text, const char *where,
        struct token_error *e);
/* A key list, or one PEM. Keys of a JWKS that no algorithm here uses are passed over (RFC 7517 5);
 * all of them unusable, or none, is an error. The same key twice counts once. */
bool keyset_add_text(struct keyset *ks, struct str text, const char *where, struct token_error *e);

/* The key for this algorithm; kid absent: the first that fits. NULL: there is none. */
const struct keyset_key *keyset_find(const struct keyset *ks, enum token_alg alg, struct str kid);
bool keyset_has_family(const struct keyset *ks, enum token_family family);
