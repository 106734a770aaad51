/* jwk.h - public keys from text: PEM, certificates, JWK (RFC 7517, RFC 8037). pure */
#pragma once
#include <openssl/evp.h>

#include "base/jval.h"
#include "token/settings.h"

/* The first public key or certificate of the text. NULL: *why tells, in words for the administrator
 * (a private key, no key, a type that no algorithm uses); static. The caller frees the key
 * (EVP_PKEY_free). */
EVP_PKEY *jwk_from_pem(struct str text, enum token_family *family, const char **why);

/* One member of a JWKS' `keys`. NULL: not usable for signatures, *why tells. *only: the one
 * algorithm its `alg` allows, TOKEN_ALG_COUNT when it names none. Private and symmetric parts are
 * never read. */
EVP_PKEY *jwk_from_json(
        const struct jval *jwk, enum token_family *family, enum token_alg *only, const char **why);
