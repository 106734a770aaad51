/* sig.c - signatures on OpenSSL 3 EVP. pure */
#include "token/sig.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>

#define RSA_MIN_BITS 2048  /* RFC 7518 3.3 */
#define RSA_MAX_BITS 16384 /* OpenSSL's own bound */
#define ECDSA_DER_MAX 128  /* two integers of at most 49 bytes, their heads, the sequence */

static const EVP_MD *digest(enum token_alg alg)
{
	switch (alg) {
	case TOKEN_HS256:
	case TOKEN_RS256:
	case TOKEN_PS256:
	case TOKEN_ES256:
		return EVP_sha256();
	case TOKEN_HS384:
	case TOKEN_RS384:
	case TOKEN_PS384:
	case TOKEN_ES384:
		return EVP_sha384();
	case TOKEN_HS512:
	case TOKEN_RS512:
	case TOKEN_PS512:
		return EVP_sha512();
	default:
		return NULL; /* EdDSA hashes by itself */
	}
}

static bool is_pss(enum token_alg alg)
{
	return alg == TOKEN_PS256 || alg == TOKEN_PS384 || alg == TOKEN_PS512;
}

enum token_family sig_key_family(const EVP_PKEY *key)
{
	char curve[32];
	if (EVP_PKEY_is_a(key, "RSA")) {
		int bits = EVP_PKEY_get_bits(key);
		return bits >= RSA_MIN_BITS && bits <= RSA_MAX_BITS ? TOKEN_FAMILY_RSA
		                                                    : TOKEN_FAMILY_COUNT;
	}
	if (EVP_PKEY_is_a(key, "ED25519"))
		return TOKEN_FAMILY_ED25519;
	if (EVP_PKEY_is_a(key, "EC") &&
	        EVP_PKEY_get_group_name(key, curve, sizeof curve, NULL) == 1) {
		if (strcmp(curve, "prime256v1") == 0 || strcmp(curve, "P-256") == 0)
			return TOKEN_FAMILY_P256;
		if (strcmp(curve, "secp384r1") == 0 || strcmp(curve, "P-384") == 0)
			return TOKEN_FAMILY_P384;
	}
	return TOKEN_FAMILY_COUNT;
}

/* r||s (RFC 7518 3.4) to the DER that EVP wants; its length, 0 on failure. */
static size_t ecdsa_der(struct str raw, uint8_t out[ECDSA_DER_MAX])
{
	const uint8_t *bytes = (const uint8_t *)raw.p;
	int half = (int)(raw.n / 2);
	BIGNUM *r = BN_bin2bn(bytes, half, NULL), *s = BN_bin2bn(bytes + half, half, NULL);
	ECDSA_SIG *pair = ECDSA_SIG_new();
	int n = 0;
	if (!r || !s || !pair || ECDSA_SIG_set0(pair, r, s) != 1) {
		BN_free(r);
		BN_free(s);
	} else {
		n = i2d_ECDSA_SIG(pair, NULL);
		uint8_t *at = out;
		n = n > 0 && n <= ECDSA_DER_MAX ? i2d_ECDSA_SIG(pair, &at) : 0;
	}
	ECDSA_SIG_free(pair);
	return n > 0 ? (size_t)n : 0;
}

static size_t canonical_length(enum token_alg alg, const EVP_PKEY *key)
{
	switch (token_alg_family(alg)) {
	case TOKEN_FAMILY_RSA:
		return (size_t)EVP_PKEY_get_size(key);
	case TOKEN_FAMILY_P256:
	case TOKEN_FAMILY_ED25519:
		return 64;
	case TOKEN_FAMILY_P384:
		return 96;
	default:
		return 0;
	}
}

static bool evp_verify(
        enum token_alg alg, EVP_PKEY *key, struct str input, const uint8_t *sig, size_t sig_n)
{
	EVP_PKEY_CTX *pctx = NULL; /* owned by ctx */
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = ctx && EVP_DigestVerifyInit(ctx, &pctx, digest(alg), NULL, key) == 1;
	if (ok && token_alg_family(alg) == TOKEN_FAMILY_RSA) {
		ok = EVP_PKEY_CTX_set_rsa_padding(
		             pctx, is_pss(alg) ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING) == 1;
		/* RFC 7518 3.5: the salt is as long as the hash, MGF1 uses the same hash (the
		 * default) */
		if (ok && is_pss(alg))
			ok = EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_DIGEST) == 1;
	}
	ok = ok && EVP_DigestVerify(ctx, sig, sig_n, (const uint8_t *)input.p, input.n) == 1;
	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return ok;
}

bool sig_verify(enum token_alg alg, EVP_PKEY *key, struct str input, struct str signature)
{
	enum token_family family = token_alg_family(alg);
	if (family == TOKEN_FAMILY_HMAC || sig_key_family(key) != family ||
	        signature.n != canonical_length(alg, key))
		return false;
	if (family == TOKEN_FAMILY_P256 || family == TOKEN_FAMILY_P384) {
		uint8_t der[ECDSA_DER_MAX];
		size_t n = ecdsa_der(signature, der);
		return n && evp_verify(alg, key, input, der, n);
	}
	return evp_verify(alg, key, input, (const uint8_t *)signature.p, signature.n);
}

size_t sig_hmac(
        enum token_alg alg, struct str secret, struct str input, uint8_t out[EVP_MAX_MD_SIZE])
{
	unsigned n = 0;
	if (token_alg_family(alg) != TOKEN_FAMILY_HMAC || secret.n == 0 || secret.n > INT_MAX)
		return 0;
	if (!HMAC(digest(alg), secret.p, (int)secret.n, (const uint8_t *)input.p, input.n, out, &n))
		n = 0;
	ERR_clear_error();
	return n;
}

bool sig_hmac_verify(enum token_alg alg, struct str secret, struct str input, struct str signature)
{
	uint8_t want[EVP_MAX_MD_SIZE];
	size_t n = sig_hmac(alg, secret, input, want);
	return n && signature.n == n && CRYPTO_memcmp(want, signature.p, n) == 0;
}
