/* sig.h - one signature checked or made: JWA (RFC 7518, RFC 8037) on OpenSSL's EVP. pure
 *
 * Thread: any; a key may be used by several threads at once. OpenSSL's error queue is left empty.
 */
#pragma once
#include <openssl/evp.h>

#include "token/settings.h"

/* What the key can verify; TOKEN_FAMILY_COUNT when nothing (other types and curves, RSA below 2048
 * or above 16384 bits). Never TOKEN_FAMILY_HMAC. */
enum token_family sig_key_family(const EVP_PKEY *key);

/* false: wrong length, wrong signature, or no memory. The key must be of the algorithm's family. */
bool sig_verify(enum token_alg alg, EVP_PKEY *key, struct str input, struct str signature);

/* HMAC of input under HS256, HS384 or HS512; the length, or 0 on failure. */
size_t sig_hmac(
        enum token_alg alg, struct str secret, struct str input, uint8_t out[EVP_MAX_MD_SIZE]);
/* Compares in constant time. */
bool sig_hmac_verify(enum token_alg alg, struct str secret, struct str input, struct str signature);
