/* sig_test.c - signatures of every algorithm, published ones and our own, good and spoilt. io */
#include "support/unit.h"

#include <stdio.h>

#include "base/base64.h"
#include "base/jval.h"
#include "base/mem.h"
#include "support/token.h"
#include "token/jwk.h"
#include "token/sig.h"

static struct jval *load_vectors(void)
{
	static char text[32768];
	FILE *f = fopen("tests/vectors/tokens/rfc.json", "rb");
	assert_non_null(f);
	size_t n = fread(text, 1, sizeof text, f);
	fclose(f);
	struct jval *root = jval_parse(str_from(text, n), 16, NULL);
	assert_non_null(root);
	return root;
}

static bool verifies(
        enum token_alg alg, EVP_PKEY *key, struct str secret, struct str input, struct str sig)
{
	return key ? sig_verify(alg, key, input, sig) : sig_hmac_verify(alg, secret, input, sig);
}

/* The good signature verifies; every single bit changed, one byte less or more do not. */
static void check_signature(
        enum token_alg alg, EVP_PKEY *key, struct str secret, struct str input, struct buf *sig)
{
	struct str whole = buf_view(sig);
	if (!verifies(alg, key, secret, input, whole))
		fail_msg("%s: a good signature is refused", token_alg_name(alg));
	for (size_t i = 0; i < sig->n; i++) {
		sig->p[i] ^= (char)(1 << i % 8);
		if (verifies(alg, key, secret, input, whole))
			fail_msg("%s: accepted with byte %zu changed", token_alg_name(alg), i);
		sig->p[i] ^= (char)(1 << i % 8);
	}
	assert_false(verifies(alg, key, secret, input, str_sub(whole, 0, whole.n - 1)));
	assert_false(verifies(alg, key, secret, input, str_sub(whole, 1, whole.n)));
	assert_false(verifies(alg, key, secret, input, str_from(whole.p, 0)));
	assert_false(verifies(alg, key, secret, str_sub(input, 0, input.n - 1), whole));
	buf_putc(sig, 0);
	assert_false(verifies(alg, key, secret, input, buf_view(sig)));
	sig->n--;
}

static void published_signatures_verify(void **state)
{
	(void)state;
	struct jval *root = load_vectors();
	const struct jval *list = jval_getc(root, "vectors");
	assert_int_equal(jval_size(list), 5);
	for (size_t i = 0; i < jval_size(list); i++) {
		const struct jval *v = jval_at(list, i);
		enum token_alg alg = token_alg_parse(jval_str(jval_getc(v, "alg"))), only;
		enum token_family family = TOKEN_FAMILY_COUNT;
		const char *why = "";
		struct str token = jval_str(jval_getc(v, "token")), rest = token;
		struct buf sig, secret;
		buf_init(&sig, 0);
		buf_init(&secret, 0);
		struct str header = str_split(&rest, '.'), payload = str_split(&rest, '.');
		assert_int_equal(base64url_decode(rest, &sig), 0);
		EVP_PKEY *key = NULL;
		if (jval_getc(v, "jwk")) {
			key = jwk_from_json(jval_getc(v, "jwk"), &family, &only, &why);
			if (!key)
				fail_msg(
				        "%.*s: %s", STR_FMT(jval_str(jval_getc(v, "source"))), why);
			assert_int_equal(family, token_alg_family(alg));
		} else {
			assert_int_equal(
			        base64url_decode(jval_str(jval_getc(v, "secret")), &secret), 0);
		}
		check_signature(alg, key, buf_view(&secret),
		        str_sub(token, 0, header.n + 1 + payload.n), &sig);
		EVP_PKEY_free(key);
		buf_done(&sig);
		buf_done(&secret);
	}
	jval_free(root);
}

static void every_algorithm_verifies_with_its_own_key_only(void **state)
{
	(void)state;
	EVP_PKEY *keys[TOKEN_FAMILY_COUNT] = {NULL}, *others[TOKEN_FAMILY_COUNT] = {NULL};
	for (unsigned f = TOKEN_FAMILY_RSA; f < TOKEN_FAMILY_COUNT; f++) {
		keys[f] = test_key((enum token_family)f);
		others[f] = test_key((enum token_family)f);
	}
	for (unsigned a = 0; a < TOKEN_ALG_COUNT; a++) {
		enum token_alg alg = (enum token_alg)a;
		enum token_family family = token_alg_family(alg);
		struct buf sig;
		buf_init(&sig, 0);
		test_sign(alg, keys[family], STR("aaaa.bbbb"), &sig);
		check_signature(alg, keys[family], STR(TEST_SECRET), STR("aaaa.bbbb"), &sig);
		if (family != TOKEN_FAMILY_HMAC)
			assert_false(
			        sig_verify(alg, others[family], STR("aaaa.bbbb"), buf_view(&sig)));
		else
			assert_false(sig_hmac_verify(
			        alg, STR("another"), STR("aaaa.bbbb"), buf_view(&sig)));
		/* the same signature under any other algorithm and key */
		for (unsigned b = 0; b < TOKEN_ALG_COUNT; b++) {
			enum token_alg other = (enum token_alg)b;
			for (unsigned f = TOKEN_FAMILY_RSA; f < TOKEN_FAMILY_COUNT; f++) {
				bool good = b == a && f == (unsigned)family;
				assert_int_equal(sig_verify(other, keys[f], STR("aaaa.bbbb"),
				                         buf_view(&sig)),
				        good);
			}
			if (b != a)
				assert_false(sig_hmac_verify(
				        other, STR(TEST_SECRET), STR("aaaa.bbbb"), buf_view(&sig)));
		}
		buf_done(&sig);
	}
	for (unsigned f = TOKEN_FAMILY_RSA; f < TOKEN_FAMILY_COUNT; f++) {
		EVP_PKEY_free(keys[f]);
		EVP_PKEY_free(others[f]);
	}
}

static void ecdsa_signatures_are_raw_and_not_der(void **state)
{
	(void)state;
	EVP_PKEY *key = test_key(TOKEN_FAMILY_P256);
	uint8_t der[128];
	size_t n = sizeof der;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key), 1);
	assert_int_equal(EVP_DigestSign(ctx, der, &n, (const uint8_t *)"a.b", 3), 1);
	assert_false(sig_verify(TOKEN_ES256, key, STR("a.b"), str_from((char *)der, n)));
	/* r = s = 0 must never verify (CVE-2022-21449 in another implementation) */
	memset(der, 0, sizeof der);
	assert_false(sig_verify(TOKEN_ES256, key, STR("a.b"), str_from((char *)der, 64)));
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
}

static void an_empty_secret_makes_and_verifies_nothing(void **state)
{
	(void)state;
	uint8_t mac[EVP_MAX_MD_SIZE];
	assert_int_equal(sig_hmac(TOKEN_HS256, STR(""), STR("a.b"), mac), 0);
	assert_false(sig_hmac_verify(TOKEN_HS256, STR(""), STR("a.b"), STR("")));
	assert_int_equal(sig_hmac(TOKEN_RS256, STR("secret"), STR("a.b"), mac), 0);
}

UNIT_MAIN(cmocka_unit_test(published_signatures_verify),
        cmocka_unit_test(every_algorithm_verifies_with_its_own_key_only),
        cmocka_unit_test(ecdsa_signatures_are_raw_and_not_der),
        cmocka_unit_test(an_empty_secret_makes_and_verifies_nothing))
