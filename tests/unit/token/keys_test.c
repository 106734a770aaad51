/* keys_test.c - keys are found by issuer, type and kid; a public key is never a secret. io */
#include "support/unit.h"

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/mem.h"
#include "support/token.h"
#include "token/jwt.h"

#define PAYLOAD                                                                                    \
	"{\"iss\":\"my_app\",\"aud\":\"jitsi\",\"sub\":\"s\",\"room\":\"demo\",\"exp\":"           \
	"1800003600}"
#define ALL ((1u << TOKEN_ALG_COUNT) - 1)

static EVP_PKEY *keys[TOKEN_FAMILY_COUNT];
static char folder[64];

static const char *path(const char *name)
{
	static char out[4][128];
	static int turn;
	turn = (turn + 1) % 4;
	snprintf(out[turn], sizeof out[turn], "%s/%s", folder, name);
	return out[turn];
}

static void write_file(const char *name, const char *text)
{
	FILE *f = fopen(path(name), "wb");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void settings(struct token_settings *s, enum token_key_source source)
{
	token_settings_init(s);
	s->app_id = STR("my_app");
	s->keys.source = source;
	s->keys.algs = ALL;
}

static struct token_keys *load(const struct token_settings *s, const char *given)
{
	struct token_error e;
	struct token_keys *k = token_keys_load(s, str_c(given), &e);
	if (!k)
		fail_msg("%s", e.text);
	return k;
}

static void refused(const struct token_settings *s, const char *given, const char *want)
{
	struct token_error e;
	struct token_keys *k = token_keys_load(s, str_c(given), &e);
	if (k)
		fail_msg("loaded, want \"%s\"", want);
	if (!strstr(e.text, want))
		fail_msg("\"%s\" lacks \"%s\"", e.text, want);
	assert_null(strstr(e.text, TEST_SECRET));
}

static enum reason verdict(const struct token_settings *s, const struct token_keys *k,
        enum token_alg alg, EVP_PKEY *key, const char *header, const char *payload)
{
	struct token_result r;
	char *token = test_token(alg, key, header, payload);
	token_verify(s, k, str_c(token), TEST_NOW, &r);
	enum reason reason = r.reason;
	token_result_done(&r);
	mem_free(token);
	return reason;
}

static const char *header_of(enum token_alg alg, const char *kid)
{
	static char out[128];
	if (kid)
		snprintf(out, sizeof out, "{\"alg\":\"%s\",\"kid\":\"%s\"}", token_alg_name(alg),
		        kid);
	else
		snprintf(out, sizeof out, "{\"alg\":\"%s\"}", token_alg_name(alg));
	return out;
}

static void one_pem_file_serves_any_kid_and_its_own_algorithms(void **state)
{
	(void)state;
	for (unsigned f = TOKEN_FAMILY_RSA; f < TOKEN_FAMILY_COUNT; f++) {
		struct token_settings s;
		struct token_key_file file = {STR_NONE, str_c(path("one.pem"))};
		char *pem = test_pem(keys[f]);
		write_file("one.pem", pem);
		settings(&s, TOKEN_KEYS_FILE);
		s.keys.key_files = &file;
		s.keys.n_key_files = 1;
		struct token_keys *k = load(&s, NULL);
		for (unsigned a = 0; a < TOKEN_ALG_COUNT; a++) {
			enum token_alg alg = (enum token_alg)a;
			enum token_family family = token_alg_family(alg);
			EVP_PKEY *signer = family == TOKEN_FAMILY_HMAC ? NULL : keys[family];
			enum reason want = family == (enum token_family)f ? R_NONE : E_ALG;
			assert_int_equal(
			        verdict(&s, k, alg, signer, header_of(alg, NULL), PAYLOAD), want);
			assert_int_equal(
			        verdict(&s, k, alg, signer, header_of(alg, "what ever"), PAYLOAD),
			        want);
		}
		assert_int_equal(token_keys_missing(k, NULL) & TOKEN_ALG_BIT(TOKEN_HS256),
		        TOKEN_ALG_BIT(TOKEN_HS256));
		token_keys_free(k);
		mem_free(pem);
	}
}

/* The classic: sign HS256 with the text of the public key. */
static void a_public_key_is_no_secret(void **state)
{
	(void)state;
	struct token_settings s, forger;
	struct token_key_file file = {STR("k"), str_c(path("rsa.pem"))};
	char *pem = test_pem(keys[TOKEN_FAMILY_RSA]), token[4096];
	struct token_result r;
	settings(&s, TOKEN_KEYS_FILE);
	s.keys.key_files = &file;
	s.keys.n_key_files = 1;
	s.keys.app_secret = str_c(pem); /* even if somebody set it as such: public keys only */
	write_file("rsa.pem", pem);
	struct token_keys *k = load(&s, NULL);
	settings(&forger, TOKEN_KEYS_SECRET);
	forger.keys.app_secret = str_c(pem);
	struct token_keys *fk = load(&forger, NULL);
	char *unsigned_ =
	        test_token(TOKEN_HS256, NULL, "{\"alg\":\"HS256\",\"kid\":\"k\"}", PAYLOAD);
	int n = (int)(strrchr(unsigned_, '.') - unsigned_);
	uint8_t mac[64];
	size_t mac_n;
	assert_non_null(EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, pem, strlen(pem),
	        (uint8_t *)unsigned_, (size_t)n, mac, sizeof mac, &mac_n));
	struct buf b;
	buf_init(&b, 0);
	buf_add(&b, unsigned_, (size_t)n + 1);
	base64url_encode(str_from((char *)mac, mac_n), &b);
	snprintf(token, sizeof token, "%s", b.p);
	token_verify(&forger, fk, str_c(token), TEST_NOW, &r);
	assert_int_equal(r.reason, R_NONE); /* the forgery is a good HS256 token in itself */
	token_result_done(&r);
	token_verify(&s, k, str_c(token), TEST_NOW, &r);
	assert_int_equal(r.reason, E_ALG);
	buf_done(&b);
	mem_free(unsigned_);
	mem_free(pem);
	token_keys_free(k);
	token_keys_free(fk);
}

static void several_files_need_a_kid_that_fits_key_and_type(void **state)
{
	(void)state;
	struct token_settings s;
	const struct token_key_file files[] = {
	        {STR("r"), str_c(path("r.pem"))}, {STR("e"), str_c(path("e.pem"))}};
	char *r = test_pem(keys[TOKEN_FAMILY_RSA]), *e = test_pem(keys[TOKEN_FAMILY_P256]);
	write_file("r.pem", r);
	write_file("e.pem", e);
	settings(&s, TOKEN_KEYS_FILE);
	s.keys.key_files = files;
	s.keys.n_key_files = 2;
	struct token_keys *k = load(&s, NULL);
	EVP_PKEY *rsa = keys[TOKEN_FAMILY_RSA], *ec = keys[TOKEN_FAMILY_P256];
	assert_int_equal(token_keys_count(k), 2);
	assert_int_equal(
	        verdict(&s, k, TOKEN_RS256, rsa, header_of(TOKEN_RS256, "r"), PAYLOAD), R_NONE);
	assert_int_equal(
	        verdict(&s, k, TOKEN_PS512, rsa, header_of(TOKEN_PS512, "r"), PAYLOAD), R_NONE);
	assert_int_equal(
	        verdict(&s, k, TOKEN_ES256, ec, header_of(TOKEN_ES256, "e"), PAYLOAD), R_NONE);
	assert_int_equal(
	        verdict(&s, k, TOKEN_RS256, rsa, header_of(TOKEN_RS256, NULL), PAYLOAD), E_KID);
	assert_int_equal(
	        verdict(&s, k, TOKEN_RS256, rsa, header_of(TOKEN_RS256, "e"), PAYLOAD), E_KEY);
	assert_int_equal(
	        verdict(&s, k, TOKEN_RS256, rsa, header_of(TOKEN_RS256, "R"), PAYLOAD), E_KEY);
	assert_int_equal(
	        verdict(&s, k, TOKEN_ES256, ec, header_of(TOKEN_ES256, "r"), PAYLOAD), E_KEY);
	assert_int_equal(verdict(&s, k, TOKEN_EDDSA, keys[TOKEN_FAMILY_ED25519],
	                         header_of(TOKEN_EDDSA, "r"), PAYLOAD),
	        E_ALG);
	/* one file with a kid: none is fine, another is not */
	token_keys_free(k);
	s.keys.n_key_files = 1;
	k = load(&s, NULL);
	assert_int_equal(
	        verdict(&s, k, TOKEN_RS256, rsa, header_of(TOKEN_RS256, NULL), PAYLOAD), R_NONE);
	assert_int_equal(
	        verdict(&s, k, TOKEN_RS256, rsa, header_of(TOKEN_RS256, "x"), PAYLOAD), E_KEY);
	assert_int_equal(
	        verdict(&s, k, TOKEN_RS256, rsa, "{\"alg\":\"RS256\",\"kid\":null}", PAYLOAD),
	        E_KID);
	token_keys_free(k);
	mem_free(r);
	mem_free(e);
}

static void a_key_list_is_read_as_the_rfc_says(void **state)
{
	(void)state;
	struct token_settings s;
	char *jwk[4], text[8192];
	settings(&s, TOKEN_KEYS_JWKS);
	jwk[0] = test_jwk(keys[TOKEN_FAMILY_RSA], TOKEN_FAMILY_RSA,
	        "\"kid\":\"r\",\"use\":\"sig\",\"alg\":\"PS256\",");
	jwk[1] = test_jwk(keys[TOKEN_FAMILY_P384], TOKEN_FAMILY_P384,
	        "\"kid\":\"e\",\"key_ops\":[\"sign\",\"verify\"],");
	jwk[2] = test_jwk(keys[TOKEN_FAMILY_ED25519], TOKEN_FAMILY_ED25519, "\"kid\":\"r\",");
	jwk[3] = test_jwk(
	        keys[TOKEN_FAMILY_P256], TOKEN_FAMILY_P256, "\"kid\":\"x\",\"use\":\"enc\",");
	snprintf(text, sizeof text,
	        "{\"keys\":[%s,%s,%s,%s,{\"kty\":\"oct\",\"kid\":\"o\",\"k\":\"AAAA\"},7,{\"kty\":"
	        "\"EC\","
	        "\"crv\":\"secp256k1\",\"kid\":\"z\"}]}",
	        jwk[0], jwk[1], jwk[2], jwk[3]);
	struct token_keys *k = load(&s, text);
	assert_int_equal(token_keys_count(k), 3);
	EVP_PKEY *rsa = keys[TOKEN_FAMILY_RSA];
	assert_int_equal(
	        verdict(&s, k, TOKEN_PS256, rsa, header_of(TOKEN_PS256, "r"), PAYLOAD), R_NONE);
	assert_int_equal(verdict(&s, k, TOKEN_RS256, rsa, header_of(TOKEN_RS256, "r"), PAYLOAD),
	        E_KEY); /* its alg */
	assert_int_equal(verdict(&s, k, TOKEN_ES384, keys[TOKEN_FAMILY_P384],
	                         header_of(TOKEN_ES384, "e"), PAYLOAD),
	        R_NONE);
	assert_int_equal(verdict(&s, k, TOKEN_EDDSA, keys[TOKEN_FAMILY_ED25519],
	                         header_of(TOKEN_EDDSA, "r"), PAYLOAD),
	        R_NONE);
	assert_int_equal(verdict(&s, k, TOKEN_ES256, keys[TOKEN_FAMILY_P256],
	                         header_of(TOKEN_ES256, "x"), PAYLOAD),
	        E_KEY);
	assert_int_equal(
	        verdict(&s, k, TOKEN_PS256, rsa, header_of(TOKEN_PS256, NULL), PAYLOAD), E_KID);
	assert_int_equal(
	        verdict(&s, k, TOKEN_HS256, NULL, header_of(TOKEN_HS256, "o"), PAYLOAD), E_ALG);
	token_keys_free(k);
	for (int i = 0; i < 4; i++)
		mem_free(jwk[i]);
	/* without given keys: nothing to verify with */
	k = load(&s, NULL);
	assert_int_equal(
	        verdict(&s, k, TOKEN_PS256, rsa, header_of(TOKEN_PS256, "r"), PAYLOAD), E_KEY);
	token_keys_free(k);
	/* the other form, kid and PEM; and one PEM for a key server, where a kid is needed all the
	 * same */
	char *pem = test_pem(rsa), *cr = pem;
	struct buf b;
	buf_init(&b, 0);
	buf_puts(&b, "{\"one\":\"");
	for (; *cr; cr++)
		*cr == '\n' ? buf_puts(&b, "\\n") : buf_putc(&b, *cr);
	buf_puts(&b, "\"}");
	k = load(&s, b.p);
	assert_int_equal(
	        verdict(&s, k, TOKEN_RS256, rsa, header_of(TOKEN_RS256, "one"), PAYLOAD), R_NONE);
	assert_int_equal(
	        verdict(&s, k, TOKEN_RS256, rsa, header_of(TOKEN_RS256, "two"), PAYLOAD), E_KEY);
	token_keys_free(k);
	k = load(&s, pem);
	assert_int_equal(
	        verdict(&s, k, TOKEN_RS256, rsa, header_of(TOKEN_RS256, "two"), PAYLOAD), R_NONE);
	assert_int_equal(
	        verdict(&s, k, TOKEN_RS256, rsa, header_of(TOKEN_RS256, NULL), PAYLOAD), E_KID);
	token_keys_free(k);
	buf_done(&b);
	mem_free(pem);
}

static void a_certificate_gives_its_key(void **state)
{
	(void)state;
	struct token_settings s;
	struct token_key_file file = {STR_NONE, str_c(path("cert.pem"))};
	X509 *cert = X509_new();
	assert_int_equal(X509_set_pubkey(cert, keys[TOKEN_FAMILY_RSA]), 1);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), 0);
	X509_gmtime_adj(X509_getm_notAfter(cert), 60);
	assert_true(X509_sign(cert, keys[TOKEN_FAMILY_RSA], EVP_sha256()) > 0);
	FILE *f = fopen(path("cert.pem"), "wb");
	assert_int_equal(PEM_write_X509(f, cert), 1);
	fclose(f);
	X509_free(cert);
	settings(&s, TOKEN_KEYS_FILE);
	s.keys.key_files = &file;
	s.keys.n_key_files = 1;
	struct token_keys *k = load(&s, NULL);
	assert_int_equal(verdict(&s, k, TOKEN_RS384, keys[TOKEN_FAMILY_RSA],
	                         header_of(TOKEN_RS384, NULL), PAYLOAD),
	        R_NONE);
	token_keys_free(k);
}

static void each_issuer_has_its_own_keys(void **state)
{
	(void)state;
	struct token_settings s;
	struct token_key_file file = {STR_NONE, str_c(path("i.pem"))};
	struct token_issuer issuers[] = {
	        {STR("a"), {.source = TOKEN_KEYS_SECRET, .app_secret = STR("secret of issuer a")}},
	        {STR("b"), {.source = TOKEN_KEYS_FILE, .key_files = &file, .n_key_files = 1}},
	};
	char *pem = test_pem(keys[TOKEN_FAMILY_RSA]);
	write_file("i.pem", pem);
	settings(&s, TOKEN_KEYS_SECRET);
	s.keys.algs = 0;
	s.keys.app_secret = STR(TEST_SECRET);
	s.issuers = issuers;
	s.n_issuers = 2;
	struct token_keys *k = load(&s, NULL);
	const char *a = "{\"iss\":\"a\",\"aud\":\"x\",\"sub\":\"s\",\"room\":\"r\"}",
	           *b = "{\"iss\":\"b\",\"aud\":\"x\",\"sub\":\"s\",\"room\":\"r\"}";
	const char *c = "{\"iss\":\"c\",\"aud\":\"x\",\"sub\":\"s\",\"room\":\"r\"}",
	           *none = "{\"aud\":\"x\"}";
	EVP_PKEY *rsa = keys[TOKEN_FAMILY_RSA];
	assert_int_equal(
	        verdict(&s, k, TOKEN_HS256, NULL, header_of(TOKEN_HS256, NULL), PAYLOAD), R_NONE);
	assert_int_equal(verdict(&s, k, TOKEN_HS256, NULL, header_of(TOKEN_HS256, NULL), a),
	        E_SIG); /* ours, not a's */
	assert_int_equal(verdict(&s, k, TOKEN_RS256, rsa, header_of(TOKEN_RS256, NULL), b), R_NONE);
	assert_int_equal(verdict(&s, k, TOKEN_RS256, rsa, header_of(TOKEN_RS256, NULL), a), E_ALG);
	assert_int_equal(
	        verdict(&s, k, TOKEN_RS256, rsa, header_of(TOKEN_RS256, NULL), PAYLOAD), E_ALG);
	assert_int_equal(verdict(&s, k, TOKEN_HS256, NULL, header_of(TOKEN_HS256, NULL), b), E_ALG);
	assert_int_equal(verdict(&s, k, TOKEN_HS256, NULL, header_of(TOKEN_HS256, NULL), c), E_ISS);
	assert_int_equal(
	        verdict(&s, k, TOKEN_HS256, NULL, header_of(TOKEN_HS256, NULL), none), E_ISS);
	token_keys_free(k);
	/* no keys of the server's own: an issuer that nobody configured has none */
	s.keys.app_secret = STR_NONE;
	k = load(&s, NULL);
	assert_int_equal(
	        verdict(&s, k, TOKEN_HS256, NULL, header_of(TOKEN_HS256, NULL), PAYLOAD), E_KEY);
	assert_int_equal(verdict(&s, k, TOKEN_RS256, rsa, header_of(TOKEN_RS256, NULL), b), R_NONE);
	token_keys_free(k);
	mem_free(pem);
}

static void what_cannot_be_a_key_is_refused_with_the_reason(void **state)
{
	(void)state;
	struct token_settings s;
	struct token_key_file files[] = {
	        {STR_NONE, str_c(path("missing.pem"))}, {STR("k"), STR("x")}};
	settings(&s, TOKEN_KEYS_SECRET);
	refused(&s, NULL, "app_secret is not set");
	s.keys.app_secret = STR(TEST_SECRET);
	refused(&s, "PEM", "no key_source of the configuration is keyserver or jwks");
	settings(&s, TOKEN_KEYS_FILE);
	refused(&s, NULL, "key_files is empty");
	s.keys.key_files = files;
	s.keys.n_key_files = 1;
	refused(&s, NULL, "No such file");
	s.keys.n_key_files = 2;
	refused(&s, NULL, "kid is missing");
	s.keys.n_key_files = 1;
	write_file("bad.pem", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n");
	files[0].path = str_c(path("bad.pem"));
	refused(&s, NULL, "bad.pem: the PEM cannot be read");
	write_file("bad.pem", "hello");
	refused(&s, NULL, "no PEM public key or certificate");
	write_file("bad.pem", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
	refused(&s, NULL, "it holds a private key");
	EVP_PKEY *small = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024),
	         *odd = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-521");
	char *pem = test_pem(small);
	write_file("bad.pem", pem);
	refused(&s, NULL, "at least 2048 bits");
	mem_free(pem);
	pem = test_pem(odd);
	write_file("bad.pem", pem);
	refused(&s, NULL, "no algorithm uses");
	mem_free(pem);
	EVP_PKEY_free(odd);
	settings(&s, TOKEN_KEYS_JWKS);
	refused(&s, "", "empty");
	refused(&s, "{", "bad JSON");
	refused(&s, "{\"keys\":[]}", "no usable key");
	refused(&s,
	        "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"a\",\"x\":\"AAAA\",\"y\":"
	        "\"AAAA\"}]}",
	        "crv, x or y");
	refused(&s, "{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"a\",\"n\":\"AQAB\",\"e\":\"AQAB\"}]}",
	        "2048");
	refused(&s, "{\"keys\":1}", "neither");
	refused(&s, "{\"a\":1}", "neither");
	/* not on the curve */
	refused(&s,
	        "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"a\",\"x\":"
	        "\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
	        "\"y\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\"}]}",
	        "crv, x or y");
	char *jwk = test_jwk(small, TOKEN_FAMILY_RSA, "\"kid\":\"a\","), text[2048];
	snprintf(text, sizeof text, "{\"keys\":[%s]}", jwk);
	refused(&s, text, "2048");
	mem_free(jwk);
	jwk = test_jwk(keys[TOKEN_FAMILY_P256], TOKEN_FAMILY_P256, "\"kid\":\"a\",");
	EVP_PKEY *second = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	char *rival = test_jwk(second, TOKEN_FAMILY_P256, "\"kid\":\"a\",");
	snprintf(text, sizeof text, "{\"keys\":[%s,%s]}", jwk, rival);
	refused(&s, text, "two keys");
	/* the same one twice is one */
	snprintf(text, sizeof text, "{\"keys\":[%s,%s]}", jwk, jwk);
	struct token_keys *k = load(&s, text);
	assert_int_equal(token_keys_count(k), 1);
	token_keys_free(k);
	/* a list that is a file is read before anything starts */
	s.keys.jwks = str_c(path("list.json"));
	refused(&s, NULL, "jwks: ");
	write_file("list.json", text);
	k = load(&s, NULL);
	assert_int_equal(token_keys_count(k), 1);
	token_keys_free(k);
	EVP_PKEY_free(second);
	mem_free(rival);
	mem_free(jwk);
	EVP_PKEY_free(small);
}

static void short_secrets_are_noticed(void **state)
{
	(void)state;
	struct token_settings s;
	settings(&s, TOKEN_KEYS_SECRET);
	s.keys.app_secret = STR("0123456789abcdef0123456789abcde");
	struct token_keys *k = load(&s, NULL);
	assert_true(token_keys_weak_secret(k));
	token_keys_free(k);
	s.keys.app_secret = STR(TEST_SECRET);
	k = load(&s, NULL);
	assert_false(token_keys_weak_secret(k));
	token_keys_free(k);
}

static int setup(void **state)
{
	(void)state;
	snprintf(folder, sizeof folder, "/tmp/gavel-keys-%ld", (long)getpid());
	for (unsigned f = TOKEN_FAMILY_RSA; f < TOKEN_FAMILY_COUNT; f++)
		keys[f] = test_key((enum token_family)f);
	return mkdir(folder, 0700);
}

static int teardown(void **state)
{
	(void)state;
	static const char *const names[] = {"one.pem", "rsa.pem", "r.pem", "e.pem", "i.pem",
	        "bad.pem", "cert.pem", "list.json"};
	for (unsigned f = TOKEN_FAMILY_RSA; f < TOKEN_FAMILY_COUNT; f++)
		EVP_PKEY_free(keys[f]);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		remove(path(names[i]));
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(one_pem_file_serves_any_kid_and_its_own_algorithms),
	        cmocka_unit_test(a_public_key_is_no_secret),
	        cmocka_unit_test(several_files_need_a_kid_that_fits_key_and_type),
	        cmocka_unit_test(a_key_list_is_read_as_the_rfc_says),
	        cmocka_unit_test(a_certificate_gives_its_key),
	        cmocka_unit_test(each_issuer_has_its_own_keys),
	        cmocka_unit_test(what_cannot_be_a_key_is_refused_with_the_reason),
	        cmocka_unit_test(short_secrets_are_noticed),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown);
}
