/* memory_test.c - loading keys, verifying and signing with every single allocation failing:
 * refused, never a crash. io */
#include "support/unit.h"

#include <jansson.h>
#include <openssl/crypto.h>

#include "base/mem.h"
#include "support/token.h"
#include "token/jwt.h"
#include "token/sign.h"

#define PAYLOAD                                                                                    \
	"{\"iss\":\"my_app\",\"aud\":\"jitsi\",\"sub\":\"s\",\"room\":\"demo\",\"exp\":"           \
	"1800003600}"

static void *ssl_alloc(size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return mem_alloc(n);
}

static void *ssl_realloc(void *p, size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return mem_realloc(p, n);
}

static void ssl_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	mem_free(p);
}

static void settings(struct token_settings *s, enum token_key_source source)
{
	token_settings_init(s);
	s->app_id = STR("my_app");
	s->keys.source = source;
	s->keys.app_secret = STR(TEST_SECRET);
	s->keys.algs = (1u << TOKEN_ALG_COUNT) - 1;
}

/* Counts up the allocation that fails until the run needs fewer. */
static void verify_starved(
        const struct token_settings *s, const struct token_keys *k, const char *token)
{
	bool succeeded = false;
	for (long n = 0; n < 2000 && !succeeded; n++) {
		struct token_result r;
		mem_budget_set(n);
		token_verify(s, k, str_c(token), TEST_NOW, &r);
		mem_budget_set(-1);
		assert_int_equal(r.claims != NULL, r.reason == R_NONE);
		if (r.claims)
			assert_str(r.claims->room, "demo");
		/* one failed allocation may be survived; two good runs in a row mean that none was
		 * left to fail */
		static bool before;
		succeeded = before && r.reason == R_NONE && n > 200;
		before = r.reason == R_NONE;
		token_result_done(&r);
	}
	assert_true(succeeded);
}

static void a_starved_verification_is_a_refusal(void **state)
{
	(void)state;
	struct token_settings s;
	settings(&s, TOKEN_KEYS_SECRET);
	struct token_keys *k = token_keys_load(&s, STR_NONE, NULL);
	char *token = test_token(TOKEN_HS256, NULL, "{\"alg\":\"HS256\"}", PAYLOAD);
	verify_starved(&s, k, token);
	mem_free(token);
	token_keys_free(k);
	settings(&s, TOKEN_KEYS_JWKS);
	for (unsigned f = TOKEN_FAMILY_RSA; f < TOKEN_FAMILY_COUNT; f++) {
		static const enum token_alg algs[] = {[TOKEN_FAMILY_RSA] = TOKEN_PS256,
		        [TOKEN_FAMILY_P256] = TOKEN_ES256,
		        [TOKEN_FAMILY_P384] = TOKEN_ES384,
		        [TOKEN_FAMILY_ED25519] = TOKEN_EDDSA};
		char header[64];
		snprintf(header, sizeof header, "{\"alg\":\"%s\",\"kid\":\"k\"}",
		        token_alg_name(algs[f]));
		EVP_PKEY *key = test_key((enum token_family)f);
		char *pem = test_pem(key);
		token = test_token(algs[f], key, header, PAYLOAD);
		k = token_keys_load(&s, str_c(pem), NULL);
		verify_starved(&s, k, token);
		token_keys_free(k);
		mem_free(token);
		mem_free(pem);
		EVP_PKEY_free(key);
	}
}

/* A key list passes over what it cannot read, for want of memory too; a secret or a file is never
 * passed over. */
static void starved_loading_ends_in_an_error_or_fewer_keys(void **state)
{
	(void)state;
	struct token_settings s;
	struct token_issuer issuer = {
	        STR("a"), {.source = TOKEN_KEYS_SECRET, .app_secret = STR("secret")}};
	settings(&s, TOKEN_KEYS_JWKS);
	s.issuers = &issuer;
	s.n_issuers = 1;
	char text[2048];
	EVP_PKEY *rsa = test_key(TOKEN_FAMILY_RSA), *ec = test_key(TOKEN_FAMILY_P256);
	char *r = test_jwk(rsa, TOKEN_FAMILY_RSA, "\"kid\":\"r\","),
	     *e = test_jwk(ec, TOKEN_FAMILY_P256, "\"kid\":\"e\",");
	snprintf(text, sizeof text, "{\"keys\":[%s,%s]}", r, e);
	long n = 0, full = 0;
	for (; n < 3000 && full < 200; n++) {
		struct token_error err;
		mem_budget_set(n);
		struct token_keys *k = token_keys_load(&s, str_c(text), &err);
		mem_budget_set(-1);
		if (k)
			assert_true(token_keys_any(k, &issuer));
		else
			assert_true(err.text[0] != '\0');
		full = k && token_keys_count(k) == 3 ? full + 1 : 0;
		token_keys_free(k);
	}
	assert_int_equal(full, 200);
	mem_free(r);
	mem_free(e);
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(ec);
}

static void starved_signing_says_so(void **state)
{
	(void)state;
	int err = 1;
	for (long n = 0; n < 100 && err; n++) {
		struct buf out;
		buf_init(&out, 0);
		mem_budget_set(n);
		err = token_sign(TOKEN_HS256, STR(TEST_SECRET), STR(PAYLOAD), &out);
		mem_budget_set(-1);
		buf_done(&out);
	}
	assert_int_equal(err, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_starved_verification_is_a_refusal),
	        cmocka_unit_test(starved_loading_ends_in_an_error_or_fewer_keys),
	        cmocka_unit_test(starved_signing_says_so),
	};
	/* the libraries' allocations count too */
	json_set_alloc_funcs(mem_alloc, mem_free);
	if (!CRYPTO_set_mem_functions(ssl_alloc, ssl_realloc, ssl_free))
		return 1;
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
