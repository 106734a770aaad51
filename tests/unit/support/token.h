/* token.h - keys and signed tokens for tests, of every algorithm. io */
#pragma once
#include <openssl/evp.h>

#include "base/buf.h"
#include "token/settings.h"

#define TEST_SECRET "0123456789abcdef0123456789abcdef"
#define TEST_NOW 1800000000

/* A fresh private key of the family (not HMAC). */
EVP_PKEY *test_key(enum token_family family);
/* Its public half: PEM text or one JWK object with the given members in front ("\"kid\":\"k\",").
 * Caller frees. */
char *test_pem(EVP_PKEY *key);
char *test_jwk(EVP_PKEY *key, enum token_family family, const char *members);

/* header.payload.signature; caller frees (mem_free). key: NULL signs with TEST_SECRET. */
char *test_token(enum token_alg alg, EVP_PKEY *key, const char *header, const char *payload);
/* The raw signature of input as it stands in a token. */
void test_sign(enum token_alg alg, EVP_PKEY *key, struct str input, struct buf *out);
