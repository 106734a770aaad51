/* token.c - signs tokens for tests. io */
#include "support/token.h"

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "base/base64.h"
#include "base/mem.h"
#include "support/unit.h"
#include "token/sig.h"

EVP_PKEY *test_key(enum token_family family)
{
	EVP_PKEY *key = NULL;
	switch (family) {
	case TOKEN_FAMILY_RSA:
		key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
		break;
	case TOKEN_FAMILY_P256:
		key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
		break;
	case TOKEN_FAMILY_P384:
		key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384");
		break;
	case TOKEN_FAMILY_ED25519:
		key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
		break;
	default:
		break;
	}
	assert_non_null(key);
	return key;
}

char *test_pem(EVP_PKEY *key)
{
	char *text;
	BIO *bio = BIO_new(BIO_s_mem());
	assert_int_equal(PEM_write_bio_PUBKEY(bio, key), 1);
	long n = BIO_get_mem_data(bio, &text);
	char *copy = mem_strndup(text, (size_t)n);
	BIO_free(bio);
	return copy;
}

static void put_number(
        struct buf *out, EVP_PKEY *key, const char *param, const char *name, size_t width)
{
	uint8_t bytes[512];
	BIGNUM *n = NULL;
	assert_int_equal(EVP_PKEY_get_bn_param(key, param, &n), 1);
	int len = width ? BN_bn2binpad(n, bytes, (int)width) : BN_bn2bin(n, bytes);
	buf_printf(out, ",\"%s\":\"", name);
	base64url_encode(str_from((char *)bytes, (size_t)len), out);
	buf_putc(out, '"');
	BN_free(n);
}

char *test_jwk(EVP_PKEY *key, enum token_family family, const char *members)
{
	struct buf b;
	uint8_t raw[32];
	size_t n = sizeof raw;
	buf_init(&b, 0);
	if (family == TOKEN_FAMILY_RSA) {
		buf_printf(&b, "{%s\"kty\":\"RSA\"", members);
		put_number(&b, key, OSSL_PKEY_PARAM_RSA_N, "n", 0);
		put_number(&b, key, OSSL_PKEY_PARAM_RSA_E, "e", 0);
	} else if (family == TOKEN_FAMILY_ED25519) {
		assert_int_equal(EVP_PKEY_get_raw_public_key(key, raw, &n), 1);
		buf_printf(&b, "{%s\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"", members);
		base64url_encode(str_from((char *)raw, n), &b);
		buf_putc(&b, '"');
	} else {
		size_t half = family == TOKEN_FAMILY_P256 ? 32 : 48;
		buf_printf(&b, "{%s\"kty\":\"EC\",\"crv\":\"%s\"", members,
		        half == 32 ? "P-256" : "P-384");
		put_number(&b, key, OSSL_PKEY_PARAM_EC_PUB_X, "x", half);
		put_number(&b, key, OSSL_PKEY_PARAM_EC_PUB_Y, "y", half);
	}
	buf_putc(&b, '}');
	return buf_steal(&b);
}

static const EVP_MD *digest_of(enum token_alg alg)
{
	const char *name = token_alg_name(alg);
	if (alg == TOKEN_EDDSA)
		return NULL;
	return strstr(name, "256")   ? EVP_sha256()
	       : strstr(name, "384") ? EVP_sha384()
	                             : EVP_sha512();
}

/* DER to r||s */
static void put_raw_ecdsa(const uint8_t *der, size_t n, size_t half, struct buf *out)
{
	uint8_t raw[96];
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)n);
	assert_non_null(sig);
	BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, (int)half);
	BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + half, (int)half);
	buf_add(out, raw, 2 * half);
	ECDSA_SIG_free(sig);
}

void test_sign(enum token_alg alg, EVP_PKEY *key, struct str input, struct buf *out)
{
	uint8_t sig[1024];
	size_t n = sizeof sig;
	EVP_PKEY_CTX *pctx;
	if (!key) {
		n = sig_hmac(alg, STR(TEST_SECRET), input, sig);
		buf_add(out, sig, n);
		return;
	}
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	assert_int_equal(EVP_DigestSignInit(ctx, &pctx, digest_of(alg), NULL, key), 1);
	if (token_alg_name(alg)[0] == 'P') {
		assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING), 1);
		assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_DIGEST), 1);
	}
	assert_int_equal(EVP_DigestSign(ctx, sig, &n, (const uint8_t *)input.p, input.n), 1);
	EVP_MD_CTX_free(ctx);
	if (token_alg_name(alg)[0] == 'E' && alg != TOKEN_EDDSA)
		put_raw_ecdsa(sig, n, alg == TOKEN_ES256 ? 32 : 48, out);
	else
		buf_add(out, sig, n);
}

char *test_token(enum token_alg alg, EVP_PKEY *key, const char *header, const char *payload)
{
	struct buf b, sig;
	buf_init(&b, 0);
	buf_init(&sig, 0);
	base64url_encode(str_c(header), &b);
	buf_putc(&b, '.');
	base64url_encode(str_c(payload), &b);
	test_sign(alg, key, buf_view(&b), &sig);
	buf_putc(&b, '.');
	base64url_encode(buf_view(&sig), &b);
	buf_done(&sig);
	return buf_steal(&b);
}
