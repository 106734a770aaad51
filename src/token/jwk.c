/* jwk.c - PEM and JWK to EVP keys. pure */
#include "token/jwk.h"

#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/decoder.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/base64.h"
#include "token/sig.h"

#define INTEGER_MAX                                                                                \
	2050 /* bytes of the longest modulus, with room for a leading zero that is refused later   \
	      */

static bool contains(struct str text, const char *word)
{
	return memmem(text.p, text.n, word, strlen(word)) != NULL;
}

static EVP_PKEY *checked(EVP_PKEY *key, enum token_family *family, const char **why)
{
	ERR_clear_error();
	if (!key)
		return NULL;
	*family = sig_key_family(key);
	if (*family != TOKEN_FAMILY_COUNT)
		return key;
	*why = EVP_PKEY_is_a(key, "RSA")
	               ? "an RSA key needs at least 2048 bits"
	               : "a key type that no algorithm uses (RSA, P-256, P-384, Ed25519 are)";
	EVP_PKEY_free(key);
	return NULL;
}

static EVP_PKEY *from_certificate(struct str text)
{
	EVP_PKEY *key = NULL;
	BIO *bio = BIO_new_mem_buf(text.p, (int)text.n);
	X509 *cert = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
	if (cert)
		key = X509_get_pubkey(cert);
	X509_free(cert);
	BIO_free(bio);
	return key;
}

static EVP_PKEY *from_public_pem(struct str text)
{
	EVP_PKEY *key = NULL;
	const unsigned char *at = (const unsigned char *)text.p;
	size_t left = text.n;
	OSSL_DECODER_CTX *ctx = OSSL_DECODER_CTX_new_for_pkey(
	        &key, "PEM", NULL, NULL, EVP_PKEY_PUBLIC_KEY, NULL, NULL);
	if (ctx && OSSL_DECODER_from_data(ctx, &at, &left) != 1) {
		EVP_PKEY_free(key);
		key = NULL;
	}
	OSSL_DECODER_CTX_free(ctx);
	return key;
}

EVP_PKEY *jwk_from_pem(struct str text, enum token_family *family, const char **why)
{
	EVP_PKEY *key;
	*why = "no PEM public key or certificate in it";
	if (text.n > INT_MAX || !contains(text, "-----BEGIN "))
		return NULL;
	if (contains(text, "PRIVATE KEY-----")) {
		*why = "it holds a private key; give the public key only (openssl pkey -pubout)";
		return NULL;
	}
	*why = "the PEM cannot be read";
	if (contains(text, "-----BEGIN CERTIFICATE-----") ||
	        contains(text, "-----BEGIN TRUSTED CERTIFICATE-----"))
		key = from_certificate(text);
	else
		key = from_public_pem(text);
	return checked(key, family, why);
}

/* A base64url member; false when it is missing, malformed or longer than out. */
static bool member_bytes(const struct jval *jwk, const char *name, struct buf *out)
{
	struct str text = jval_str(jval_getc(jwk, name));
	buf_init(out, INTEGER_MAX);
	return text.n && base64url_decode(text, out) == 0 && out->n > 0;
}

static EVP_PKEY *from_params(const char *type, OSSL_PARAM_BLD *bld)
{
	EVP_PKEY *key = NULL;
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(bld);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	if (!params || !ctx || EVP_PKEY_fromdata_init(ctx) != 1 ||
	        EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(params);
	return key;
}

static EVP_PKEY *from_rsa(const struct jval *jwk)
{
	struct buf n, e;
	EVP_PKEY *key = NULL;
	BIGNUM *bn_n = NULL, *bn_e = NULL;
	OSSL_PARAM_BLD *bld = NULL;
	bool have_n = member_bytes(jwk, "n", &n), have_e = member_bytes(jwk, "e", &e);
	if (have_n && have_e && e.n <= 8) {
		bn_n = BN_bin2bn((const uint8_t *)n.p, (int)n.n, NULL);
		bn_e = BN_bin2bn((const uint8_t *)e.p, (int)e.n, NULL);
		bld = OSSL_PARAM_BLD_new();
		/* an even exponent is no RSA key, 1 would accept anything */
		if (bn_n && bn_e && bld && BN_is_odd(bn_n) && BN_is_odd(bn_e) && !BN_is_one(bn_e) &&
		        OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, bn_n) == 1 &&
		        OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, bn_e) == 1)
			key = from_params("RSA", bld);
	}
	OSSL_PARAM_BLD_free(bld);
	BN_free(bn_n);
	BN_free(bn_e);
	buf_done(&n);
	buf_done(&e);
	return key;
}

static EVP_PKEY *from_ec(const struct jval *jwk)
{
	struct str crv = jval_str(jval_getc(jwk, "crv"));
	size_t half = str_eqc(crv, "P-256") ? 32 : str_eqc(crv, "P-384") ? 48 : 0;
	struct buf x, y;
	uint8_t point[1 + 2 * 48] = {POINT_CONVERSION_UNCOMPRESSED};
	EVP_PKEY *key = NULL;
	OSSL_PARAM_BLD *bld = NULL;
	bool have_x = member_bytes(jwk, "x", &x), have_y = member_bytes(jwk, "y", &y);
	if (half && have_x && have_y && x.n == half && y.n == half &&
	        (bld = OSSL_PARAM_BLD_new())) {
		memcpy(point + 1, x.p, half);
		memcpy(point + 1 + half, y.p, half);
		if (OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME,
		            half == 32 ? "P-256" : "P-384", 0) == 1 &&
		        OSSL_PARAM_BLD_push_octet_string(
		                bld, OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * half) == 1)
			key = from_params("EC", bld); /* refuses a point that is not on the curve */
	}
	OSSL_PARAM_BLD_free(bld);
	buf_done(&x);
	buf_done(&y);
	return key;
}

static EVP_PKEY *from_okp(const struct jval *jwk)
{
	struct buf x;
	EVP_PKEY *key = NULL;
	if (member_bytes(jwk, "x", &x) && x.n == 32 &&
	        str_eqc(jval_str(jval_getc(jwk, "crv")), "Ed25519"))
		key = EVP_PKEY_new_raw_public_key(
		        EVP_PKEY_ED25519, NULL, (const uint8_t *)x.p, x.n);
	buf_done(&x);
	return key;
}

/* RFC 7517 4.2 and 4.3: absent allows everything. */
static bool may_verify(const struct jval *jwk)
{
	const struct jval *use = jval_getc(jwk, "use"), *ops = jval_getc(jwk, "key_ops");
	bool found = !ops;
	for (size_t i = 0; i < jval_size(ops) && jval_is_array(ops); i++)
		found = found || str_eqc(jval_str(jval_at(ops, i)), "verify");
	return found && (!use || str_eqc(jval_str(use), "sig"));
}

EVP_PKEY *jwk_from_json(
        const struct jval *jwk, enum token_family *family, enum token_alg *only, const char **why)
{
	struct str kty = jval_str(jval_getc(jwk, "kty"));
	const struct jval *alg = jval_getc(jwk, "alg");
	*only = TOKEN_ALG_COUNT;
	*why = "its use or key_ops does not allow verifying";
	if (!may_verify(jwk))
		return NULL;
	*why = "its kty is none of RSA, EC, OKP";
	EVP_PKEY *key = NULL;
	if (str_eqc(kty, "RSA"))
		*why = "its n or e is unusable", key = from_rsa(jwk);
	else if (str_eqc(kty, "EC"))
		*why = "its crv, x or y is unusable", key = from_ec(jwk);
	else if (str_eqc(kty, "OKP"))
		*why = "its crv or x is unusable", key = from_okp(jwk);
	key = checked(key, family, why);
	if (!key || !alg)
		return key;
	*only = token_alg_parse(jval_str(alg));
	if (*only != TOKEN_ALG_COUNT && token_alg_family(*only) == *family)
		return key;
	*why = "its alg is unknown or does not fit its kty";
	EVP_PKEY_free(key);
	return NULL;
}
