/* jwt_test.c - a token is refused for the right reason, in the right order, with the right words.
 * io */
#include "support/unit.h"

#include <stdio.h>

#include "base/base64.h"
#include "base/mem.h"
#include "support/token.h"
#include "token/jwt.h"

#define HEAD "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"
#define CLAIMS                                                                                     \
	"\"iss\":\"my_app\",\"aud\":\"jitsi\",\"sub\":\"meet.jitsi\",\"room\":\"demo\",\"exp\":"   \
	"1800003600"

static void settings(struct token_settings *s)
{
	token_settings_init(s);
	s->app_id = STR("my_app");
	s->keys.app_secret = STR(TEST_SECRET);
}

static struct token_keys *load(const struct token_settings *s)
{
	struct token_error e;
	struct token_keys *k = token_keys_load(s, STR_NONE, &e);
	if (!k)
		fail_msg("%s", e.text);
	return k;
}

static struct token_result verify_at(
        const struct token_settings *s, struct str compact, int64_t now)
{
	struct token_result r;
	struct token_keys *k = load(s);
	token_verify(s, k, compact, now, &r);
	token_keys_free(k);
	assert_int_equal(r.claims != NULL, r.reason == R_NONE);
	assert_int_equal(r.text[0] == '\0', r.reason == R_NONE);
	assert_null(strpbrk(r.text, "<>&\n"));
	assert_null(strstr(r.hint, TEST_SECRET));
	return r;
}

/* Signs and verifies; the caller has to see this reason, after this step. */
static void expect_at(const struct token_settings *s, const char *header, const char *payload,
        int64_t now, enum reason want, enum token_step passed)
{
	char *token = test_token(TOKEN_HS256, NULL, header, payload);
	struct token_result r = verify_at(s, str_c(token), now);
	if (r.reason != want || (want && r.passed != passed))
		fail_msg("%s . %s: %s after %s (%s), want %s after %s", header, payload,
		        reason_name(r.reason), token_step_name(r.passed), r.hint, reason_name(want),
		        token_step_name(passed));
	token_result_done(&r);
	mem_free(token);
}

static void expect(
        const char *header, const char *payload, enum reason want, enum token_step passed)
{
	struct token_settings s;
	settings(&s);
	expect_at(&s, header, payload, TEST_NOW, want, passed);
}

static void a_good_token_gives_claims(void **state)
{
	(void)state;
	struct token_settings s;
	settings(&s);
	char *token = test_token(TOKEN_HS256, NULL, HEAD,
	        "{" CLAIMS ",\"context\":{\"user\":{\"id\":\"u1\",\"name\":\"\xd0\x90nna\"}}}");
	struct token_result r = verify_at(&s, str_c(token), TEST_NOW);
	assert_int_equal(r.reason, R_NONE);
	assert_int_equal(r.passed, TOKEN_STEP_SUB);
	assert_int_equal(r.alg, TOKEN_HS256);
	assert_str(r.claims->iss, "my_app");
	assert_str(r.claims->sub, "meet.jitsi");
	assert_str(r.claims->room, "demo");
	assert_true(r.claims->has_exp && r.claims->exp == 1800003600);
	assert_true(r.claims->identity.present);
	assert_str(r.claims->identity.text, "u1");
	assert_int_equal(r.warnings, 0);
	assert_memory_equal(r.claims->token_sha256, r.sha256, 32);
	assert_null(r.refused);
	token_result_done(&r);
	mem_free(token);
}

static void only_three_parts_of_clean_base64url_are_a_token(void **state)
{
	(void)state;
	struct token_settings s;
	settings(&s);
	char *good = test_token(TOKEN_HS256, NULL, HEAD, "{" CLAIMS "}"), text[1024];
	size_t n = strlen(good), dot = strcspn(good, ".");
	const char *bad[] = {"", ".", "..", "...", "a.b", "abc", "a.b.c", " ", "e30.e30.e30.e30",
	        "e30.e30.e30=", "e30..e30", ".e30.e30", "e30.e30.e3*"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct token_result r = verify_at(&s, str_c(bad[i]), TEST_NOW);
		if (r.reason != E_TOKEN_FORMAT)
			fail_msg("\"%s\": %s", bad[i], reason_name(r.reason));
		assert_string_equal(r.text, "Invalid token");
	}
	/* one stray byte anywhere; the last digit of the signature carries two bits that must be
	 * zero */
	static const char stray[] = " \n\t=+/\x01\x80%\"";
	for (size_t i = 0; stray[i]; i++) {
		for (size_t at = 0; at <= n; at += dot / 2) {
			snprintf(text, sizeof text, "%.*s%c%s", (int)at, good, stray[i], good + at);
			struct token_result r = verify_at(&s, str_c(text), TEST_NOW);
			assert_int_equal(r.reason, E_TOKEN_FORMAT);
		}
	}
	snprintf(text, sizeof text, "%s", good);
	text[n - 1]++;
	struct token_result r = verify_at(&s, str_c(text), TEST_NOW);
	assert_true(r.reason == E_TOKEN_FORMAT || r.reason == E_SIG);
	r = verify_at(&s, str_from("e30.e30.e3\0", 11), TEST_NOW);
	assert_int_equal(r.reason, E_TOKEN_FORMAT);
	r = verify_at(&s, STR_NONE, TEST_NOW);
	assert_int_equal(r.reason, E_TOKEN_FORMAT);
	mem_free(good);
}

static void stray_bits_of_the_last_digit_are_refused(void **state)
{
	(void)state;
	static const char digits[] =
	        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	struct token_settings s;
	settings(&s);
	char *token = test_token(TOKEN_HS256, NULL, HEAD, "{" CLAIMS "}");
	size_t last = strlen(token) - 1; /* 32 bytes are 43 digits, the last with 2 stray bits */
	size_t value = (size_t)(strchr(digits, token[last]) - digits);
	for (size_t bits = 1; bits < 4; bits++) {
		token[last] = digits[value | bits];
		struct token_result r = verify_at(&s, str_c(token), TEST_NOW);
		assert_int_equal(r.reason, E_TOKEN_FORMAT);
	}
	mem_free(token);
}

static void header_and_payload_are_objects(void **state)
{
	(void)state;
	const char *bad[] = {"", "[]", "1", "null", "\"x\"", "{", "{}x", "{\"a\":\"\\u0000\"}",
	        "{\"a\":\"\xff\"}", "\xef\xbb\xbf{}", "{\"a\":NaN}",
	        "{\"a\":[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]}", "{\"a\":\"\\ud800\"}", "{'a':1}",
	        "{\"a\":1,}"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		expect(HEAD, bad[i], E_TOKEN_FORMAT, TOKEN_STEP_SIZE);
		expect(bad[i], "{" CLAIMS "}", E_TOKEN_FORMAT, TOKEN_STEP_SIZE);
	}
	/* depth 16, the object itself being 1 */
	expect(HEAD, "{" CLAIMS ",\"a\":[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]}", R_NONE, TOKEN_STEP_SUB);
}

static void the_size_is_checked_first(void **state)
{
	(void)state;
	struct token_settings s;
	struct token_result r;
	static char big[8194];
	settings(&s);
	memset(big, '!', 8193);
	r = verify_at(&s, str_from(big, 8193), TEST_NOW);
	assert_int_equal(r.reason, E_TOKEN_TOO_LARGE);
	assert_string_equal(r.text, "token too large");
	r = verify_at(&s, str_from(big, 8192), TEST_NOW);
	assert_int_equal(r.reason, E_TOKEN_FORMAT);
	char *token = test_token(TOKEN_HS256, NULL, HEAD, "{" CLAIMS "}");
	s.max_token_bytes = strlen(token);
	r = verify_at(&s, str_c(token), TEST_NOW);
	assert_int_equal(r.reason, R_NONE);
	token_result_done(&r);
	s.max_token_bytes--;
	r = verify_at(&s, str_c(token), TEST_NOW);
	assert_int_equal(r.reason, E_TOKEN_TOO_LARGE);
	mem_free(token);
}

static void repeated_names_are_refused_at_every_level(void **state)
{
	(void)state;
	expect(HEAD, "{" CLAIMS ",\"room\":\"other\"}", E_DUP_CLAIM, TOKEN_STEP_FORMAT);
	expect(HEAD, "{" CLAIMS ",\"context\":{\"user\":{\"id\":1,\"id\":2}}}", E_DUP_CLAIM,
	        TOKEN_STEP_FORMAT);
	expect(HEAD, "{" CLAIMS ",\"a\":[{\"b\":1,\"\\u0062\":2}]}", E_DUP_CLAIM,
	        TOKEN_STEP_FORMAT);
	expect("{\"alg\":\"none\",\"alg\":\"HS256\"}", "{" CLAIMS "}", E_DUP_CLAIM,
	        TOKEN_STEP_FORMAT);
	/* format comes before duplicates, whichever document is at fault */
	expect(HEAD, "{\"a\":1,\"a\":2", E_TOKEN_FORMAT, TOKEN_STEP_SIZE);
	expect("{\"alg\":\"HS256\",\"alg\":\"HS256\"}", "[]", E_TOKEN_FORMAT, TOKEN_STEP_SIZE);
	expect("{\"crit\":[],\"x\":1,\"x\":1}", "{" CLAIMS "}", E_DUP_CLAIM, TOKEN_STEP_FORMAT);
}

static void header_parameters_are_read_strictly(void **state)
{
	(void)state;
	expect("{\"alg\":\"HS256\"}", "{" CLAIMS "}", R_NONE, TOKEN_STEP_SUB);
	expect("{\"alg\":\"HS256\",\"typ\":\"jwt\"}", "{" CLAIMS "}", R_NONE, TOKEN_STEP_SUB);
	/* never used, never a fault */
	expect("{\"alg\":\"HS256\",\"jwk\":{\"kty\":\"oct\",\"k\":\"AAAA\"},\"jku\":\"http://"
	       "127.0.0.1/"
	       "\",\"x5u\":1,\"x5c\":[]}",
	        "{" CLAIMS "}", R_NONE, TOKEN_STEP_SUB);
	expect("{\"alg\":\"HS256\",\"kid\":17}", "{" CLAIMS "}", R_NONE, TOKEN_STEP_SUB);
	expect("{\"alg\":\"HS256\",\"crit\":[\"exp\"],\"typ\":1}", "{" CLAIMS "}", E_CRIT,
	        TOKEN_STEP_DUPLICATES);
	expect("{\"alg\":\"HS256\",\"crit\":null}", "{" CLAIMS "}", E_CRIT, TOKEN_STEP_DUPLICATES);
	expect("{\"alg\":\"XX\",\"typ\":\"at+jwt\"}", "{" CLAIMS "}", E_TYP, TOKEN_STEP_CRIT);
	expect("{\"alg\":\"HS256\",\"typ\":null}", "{" CLAIMS "}", E_TYP, TOKEN_STEP_CRIT);
	expect("{\"alg\":\"HS256\",\"typ\":\"\"}", "{" CLAIMS "}", E_TYP, TOKEN_STEP_CRIT);
	expect("{\"alg\":\"HS256\",\"b64\":false,\"crit\":[\"b64\"]}", "{" CLAIMS "}",
	        E_TOKEN_FORMAT, TOKEN_STEP_SIZE);
	expect("{\"alg\":\"HS256\",\"zip\":\"DEF\"}", "{" CLAIMS "}", E_TOKEN_FORMAT,
	        TOKEN_STEP_SIZE);
	expect("{\"alg\":\"HS256\",\"enc\":\"A128GCM\"}", "{" CLAIMS "}", E_TOKEN_FORMAT,
	        TOKEN_STEP_SIZE);
}

static void no_spelling_of_none_and_no_unlisted_algorithm_is_accepted(void **state)
{
	(void)state;
	const char *bad[] = {"\"none\"", "\"None\"", "\"NONE\"", "\"nOnE\"", "\"\"", "\"none \"",
	        "null", "0", "[\"HS256\"]", "\"hs256\"", "\"HS256 \"", "\"HS384\"", "\"RS256\"",
	        "\"EdDSA\"", "\"ES256K\"", "\"\\u006eone\"", "true"};
	struct token_settings s;
	char header[64], token[512];
	settings(&s);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		snprintf(header, sizeof header, "{\"alg\":%s}", bad[i]);
		expect(header, "{" CLAIMS "}", E_ALG, TOKEN_STEP_TYP);
		/* and the same without signature */
		char *made = test_token(TOKEN_HS256, NULL, header, "{" CLAIMS "}");
		snprintf(token, sizeof token, "%.*s.", (int)(strrchr(made, '.') - made), made);
		struct token_result r = verify_at(&s, str_c(token), TEST_NOW);
		assert_int_equal(r.reason, E_ALG);
		mem_free(made);
	}
	expect("{}", "{" CLAIMS "}", E_ALG, TOKEN_STEP_TYP);
	/* allowed, but a secret verifies only HS*: still E_ALG */
	s.keys.algs = TOKEN_ALG_BIT(TOKEN_HS256) | TOKEN_ALG_BIT(TOKEN_RS256);
	expect_at(&s, "{\"alg\":\"RS256\"}", "{" CLAIMS "}", TEST_NOW, E_ALG, TOKEN_STEP_TYP);
}

static void nothing_is_told_before_the_signature_holds(void **state)
{
	(void)state;
	struct token_settings s, other;
	settings(&s);
	settings(&other);
	other.keys.app_secret = STR("another secret of thirty-two byte");
	/* everything in the payload is wrong too */
	char *made = test_token(TOKEN_HS256, NULL, HEAD, "{\"exp\":\"x\",\"iss\":1}"), token[512];
	struct token_result r = verify_at(&other, str_c(made), TEST_NOW);
	assert_int_equal(r.reason, E_SIG);
	assert_string_equal(r.text, "Invalid signature");
	assert_null(r.refused);
	assert_int_equal(r.alg, TOKEN_ALG_COUNT);
	snprintf(token, sizeof token, "%.*s.", (int)(strrchr(made, '.') - made), made);
	r = verify_at(&s, str_c(token), TEST_NOW);
	assert_int_equal(r.reason, E_SIG);
	assert_int_equal(r.passed, TOKEN_STEP_KEY);
	mem_free(made);
}

static void times_are_numbers_and_have_a_leeway(void **state)
{
	(void)state;
	static const char rest[] =
	        "\"iss\":\"my_app\",\"aud\":\"jitsi\",\"sub\":\"meet.jitsi\",\"room\":\"demo\"";
	static const struct {
		const char *times;
		enum reason want;
		enum token_step passed;
	} rows[] = {
	        {"\"exp\":1799999996", R_NONE, 0}, /* 4 s ago */
	        {"\"exp\":1799999995", E_EXP, TOKEN_STEP_SIGNATURE},
	        {"\"exp\":1799999995.5", R_NONE, 0},
	        {"\"exp\":1.8e9", R_NONE, 0},
	        {"\"exp\":0", E_EXP, TOKEN_STEP_SIGNATURE},
	        {"\"exp\":-1", E_EXP_TYPE, TOKEN_STEP_SIGNATURE},
	        {"\"exp\":\"1800003600\"", E_EXP_TYPE, TOKEN_STEP_SIGNATURE},
	        {"\"exp\":null", E_EXP_TYPE, TOKEN_STEP_SIGNATURE},
	        {"\"exp\":true", E_EXP_TYPE, TOKEN_STEP_SIGNATURE},
	        {"\"exp\":[1800003600]", E_EXP_TYPE, TOKEN_STEP_SIGNATURE},
	        {"\"exp\":{}", E_EXP_TYPE, TOKEN_STEP_SIGNATURE},
	        {"\"exp\":9007199254740992", R_NONE, 0},
	        {"\"exp\":9007199254740993", E_EXP_TYPE, TOKEN_STEP_SIGNATURE},
	        {"\"exp\":1e300", E_EXP_TYPE, TOKEN_STEP_SIGNATURE},
	        {"\"exp\":1e999", E_EXP_TYPE, TOKEN_STEP_SIGNATURE},
	        {"\"exp\":99999999999999999999999", E_EXP_TYPE, TOKEN_STEP_SIGNATURE},
	        {"\"nbf\":1800000005", R_NONE, 0},
	        {"\"nbf\":1800000006", E_NBF, TOKEN_STEP_EXP},
	        {"\"nbf\":1800000005.5", E_NBF, TOKEN_STEP_EXP},
	        {"\"nbf\":\"0\"", E_NBF_TYPE, TOKEN_STEP_EXP},
	        {"\"nbf\":-0.5", E_NBF_TYPE, TOKEN_STEP_EXP},
	        {"\"nbf\":null", E_NBF_TYPE, TOKEN_STEP_EXP},
	        {"\"exp\":\"x\",\"nbf\":\"x\"", E_EXP_TYPE, TOKEN_STEP_SIGNATURE},
	        {"\"exp\":1,\"nbf\":1900000000", E_EXP, TOKEN_STEP_SIGNATURE},
	        {"\"iat\":\"junk\"", R_NONE, 0},
	};
	char payload[512];
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		snprintf(payload, sizeof payload, "{%s,%s}", rows[i].times, rest);
		expect(HEAD, payload, rows[i].want, rows[i].passed);
	}
	struct token_settings s;
	settings(&s);
	s.leeway = 0;
	snprintf(payload, sizeof payload, "{\"exp\":1800000000,\"nbf\":1800000000,%s}", rest);
	expect_at(&s, HEAD, payload, 1799999999, E_NBF, TOKEN_STEP_EXP);
	expect_at(&s, HEAD, payload, 1800000000, E_EXP, TOKEN_STEP_SIGNATURE);
	s.leeway = 60;
	expect_at(&s, HEAD, payload, 1799999940, R_NONE, 0);
	expect_at(&s, HEAD, payload, 1799999939, E_NBF, TOKEN_STEP_EXP);
	expect_at(&s, HEAD, payload, 1800000059, R_NONE, 0);
	expect_at(&s, HEAD, payload, 1800000060, E_EXP, TOKEN_STEP_SIGNATURE);
}

static struct token_result verify_payload(const struct token_settings *s, const char *payload)
{
	char *token = test_token(TOKEN_HS256, NULL, HEAD, payload);
	struct token_result r = verify_at(s, str_c(token), TEST_NOW);
	mem_free(token);
	return r;
}

static void a_missing_exp_and_a_future_iat_are_told(void **state)
{
	(void)state;
	static const char no_exp[] =
	        "{\"iss\":\"my_app\",\"aud\":\"jitsi\",\"sub\":\"meet.jitsi\",\"room\":\"demo\"}";
	struct token_settings s;
	settings(&s);
	struct token_result r = verify_payload(&s, no_exp);
	assert_int_equal(r.reason, R_NONE);
	assert_int_equal(r.warnings, W_NO_EXP);
	assert_int_equal(r.claims->warnings, W_NO_EXP);
	assert_false(r.claims->has_exp);
	token_result_done(&r);
	r = verify_payload(&s, "{" CLAIMS ",\"iat\":1800000061}");
	assert_int_equal(r.warnings, W_IAT_FUTURE);
	token_result_done(&r);
	r = verify_payload(&s, "{" CLAIMS ",\"iat\":1800000060}");
	assert_int_equal(r.warnings, 0);
	token_result_done(&r);
	s.require_exp = true;
	r = verify_payload(&s, no_exp);
	assert_int_equal(r.reason, E_NO_EXP);
	assert_string_equal(r.text, "Not acceptable: no exp");
	assert_non_null(strstr(r.hint, "require_exp=false"));
	token_result_done(&r);
}

static void refusals_use_the_words_that_clients_know(void **state)
{
	(void)state;
	static const struct {
		const char *payload, *text, *hint;
	} rows[] = {
	        {"{\"exp\":1799996400}", "Not acceptable by exp (3600 sec since expired)",
	                "leeway=5"},
	        {"{\"exp\":1799996400,\"iat\":1799989200}",
	                "Not acceptable by exp (3600 sec since expired, valid for:7200 sec)",
	                "3600 s ago"},
	        {"{\"exp\":1799996400,\"iat\":\"<b>\"}",
	                "Not acceptable by exp (3600 sec since expired)", ""},
	        {"{\"exp\":\"1\"}", "exp must be number", "string"},
	        {"{\"nbf\":1800003600}", "Not acceptable by nbf", "3600 s"},
	        {"{\"nbf\":{}}", "nbf must be number", "object"},
	        {"{}", "'iss' claim is missing", "accepted_issuers"},
	        {"{\"iss\":\"issID\"}", "invalid 'iss' claim", "accepted_issuers=[\"issID\"]"},
	        {"{\"iss\":\"my_app\"}", "'aud' claim is missing", "accepted_audiences"},
	        {"{\"iss\":\"my_app\",\"aud\":7}", "invalid 'aud' claim", "number"},
	        {"{\"iss\":\"my_app\",\"aud\":\"x\"}", "room claim is missing",
	                "require_room=false"},
	        {"{\"iss\":\"my_app\",\"aud\":\"x\",\"room\":\"r\"}", "sub claim is missing",
	                "sub"},
	};
	struct token_settings s;
	settings(&s);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct token_result r = verify_payload(&s, rows[i].payload);
		assert_string_equal(r.text, rows[i].text);
		assert_non_null(strstr(r.hint, rows[i].hint));
		assert_non_null(r.refused);
		token_result_done(&r);
	}
}

static void issuer_and_audience_are_typed_and_listed(void **state)
{
	(void)state;
	static const char *const bad_iss[] = {
	        "1", "null", "[\"my_app\"]", "{}", "\"\"", "\"My_app\"", "\"my_app \"", "\"*\""};
	static const char *const bad_aud[] = {
	        "1", "null", "[]", "{}", "[\"jitsi\",1]", "[[\"jitsi\"]]", "true"};
	char payload[256];
	for (size_t i = 0; i < sizeof bad_iss / sizeof *bad_iss; i++) {
		snprintf(payload, sizeof payload, "{\"iss\":%s,\"aud\":1}", bad_iss[i]);
		expect(HEAD, payload, E_ISS, TOKEN_STEP_NBF);
	}
	for (size_t i = 0; i < sizeof bad_aud / sizeof *bad_aud; i++) {
		snprintf(payload, sizeof payload,
		        "{\"iss\":\"my_app\",\"aud\":%s,\"sub\":\"s\",\"room\":\"r\"}", bad_aud[i]);
		expect(HEAD, payload, E_AUD, TOKEN_STEP_ISS);
	}
	struct token_settings s;
	const struct str listed[] = {STR("x"), STR("y")}, star[] = {STR("*")};
	settings(&s);
	s.accepted_audiences = (struct token_words){listed, 2};
	expect_at(&s, HEAD,
	        "{\"iss\":\"my_app\",\"aud\":[\"a\",\"y\"],\"sub\":\"s\",\"room\":\"r\"}", TEST_NOW,
	        R_NONE, 0);
	expect_at(&s, HEAD, "{\"iss\":\"my_app\",\"aud\":\"y\",\"sub\":\"s\",\"room\":\"r\"}",
	        TEST_NOW, R_NONE, 0);
	expect_at(&s, HEAD, "{\"iss\":\"my_app\",\"aud\":[\"a\",\"*\"],\"room\":\"r\"}", TEST_NOW,
	        E_AUD, TOKEN_STEP_ISS);
	s.accepted_audiences = (struct token_words){star, 1};
	expect_at(&s, HEAD, "{\"iss\":\"my_app\",\"aud\":[\"a\"],\"sub\":\"s\",\"room\":\"r\"}",
	        TEST_NOW, R_NONE, 0);
	expect_at(&s, HEAD, "{\"iss\":\"my_app\",\"sub\":\"s\",\"room\":\"r\"}", TEST_NOW, E_AUD,
	        TOKEN_STEP_ISS);
	/* a list of issuers replaces app_id */
	s.accepted_issuers = (struct token_words){listed, 2};
	expect_at(&s, HEAD, "{" CLAIMS "}", TEST_NOW, E_ISS, TOKEN_STEP_NBF);
	expect_at(&s, HEAD, "{\"iss\":\"x\",\"aud\":\"a\",\"sub\":\"s\",\"room\":\"r\"}", TEST_NOW,
	        R_NONE, 0);
	s.accepted_issuers = (struct token_words){star, 1};
	expect_at(&s, HEAD, "{\"iss\":\"whoever\",\"aud\":\"a\",\"sub\":\"s\",\"room\":\"r\"}",
	        TEST_NOW, R_NONE, 0);
	expect_at(&s, HEAD, "{\"iss\":7,\"aud\":\"a\",\"sub\":\"s\",\"room\":\"r\"}", TEST_NOW,
	        E_ISS, TOKEN_STEP_NBF);
	s.accepted_issuers = (struct token_words){listed, 0};
	expect_at(&s, HEAD, "{" CLAIMS "}", TEST_NOW, E_ISS, TOKEN_STEP_NBF);
}

static void room_and_sub_are_non_empty_strings(void **state)
{
	(void)state;
	static const char *const bad[] = {"1", "null", "true", "[\"demo\"]", "{}", "\"\""};
	char payload[256];
	struct token_settings s;
	settings(&s);
	s.require_room = false;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		snprintf(payload, sizeof payload,
		        "{\"iss\":\"my_app\",\"aud\":\"a\",\"room\":%s,\"sub\":%s}", bad[i],
		        bad[i]);
		expect(HEAD, payload, E_ROOM_CLAIM, TOKEN_STEP_AUD);
		expect_at(&s, HEAD, payload, TEST_NOW, E_ROOM_CLAIM, TOKEN_STEP_AUD);
		snprintf(payload, sizeof payload,
		        "{\"iss\":\"my_app\",\"aud\":\"a\",\"room\":\"r\",\"sub\":%s}", bad[i]);
		expect(HEAD, payload, E_SUB, TOKEN_STEP_ROOM);
	}
	expect(HEAD, "{\"iss\":\"my_app\",\"aud\":\"a\",\"sub\":\"s\"}", E_ROOM_CLAIM,
	        TOKEN_STEP_AUD);
	expect_at(
	        &s, HEAD, "{\"iss\":\"my_app\",\"aud\":\"a\",\"sub\":\"s\"}", TEST_NOW, R_NONE, 0);
	expect_at(&s, HEAD, "{\"iss\":\"my_app\",\"aud\":\"a\"}", TEST_NOW, E_SUB, TOKEN_STEP_ROOM);
	/* any Unicode is a room here; whether it matches is the join's matter */
	expect(HEAD,
	        "{\"iss\":\"my_app\",\"aud\":\"a\",\"sub\":\"\xd0\xa2\",\"room\":"
	        "\"\xd0\xa2\xd0\xb5\xd1\x81\xd1\x82\"}",
	        R_NONE, 0);
}

static void parts_run_the_same_checks(void **state)
{
	(void)state;
	struct token_settings s;
	settings(&s);
	s.keys.app_secret = STR_NONE; /* a vector names none */
	struct sig_assumed valid = {&s, true}, invalid = {&s, false};
	struct sig_oracle yes = sig_oracle_assumed(&valid), no = sig_oracle_assumed(&invalid);
	struct token_parts p = {STR(HEAD), STR("{" CLAIMS "}"), 0, true, STR_NONE};
	struct token_result r;
	token_verify_parts(&s, &p, &yes, TEST_NOW, &r);
	assert_int_equal(r.reason, R_NONE);
	token_result_done(&r);
	token_verify_parts(&s, &p, &no, TEST_NOW, &r);
	assert_int_equal(r.reason, E_SIG);
	p.signature_present = false;
	token_verify_parts(&s, &p, &yes, TEST_NOW, &r);
	assert_int_equal(r.reason, E_SIG);
	p.signature_present = true;
	p.bytes = 8193;
	token_verify_parts(&s, &p, &yes, TEST_NOW, &r);
	assert_int_equal(r.reason, E_TOKEN_TOO_LARGE);
	p.bytes = 8192;
	/* a key source, as the vectors describe it */
	const struct str known[] = {STR("k1")};
	s.keys = (struct token_key_settings){
	        .source = TOKEN_KEYS_KEYSERVER, .known_kids = {known, 1}};
	p.header = STR("{\"alg\":\"RS256\",\"kid\":\"k1\"}");
	token_verify_parts(&s, &p, &yes, TEST_NOW, &r);
	assert_int_equal(r.reason, R_NONE);
	assert_string_equal(r.kid, "k1");
	token_result_done(&r);
	static const struct {
		const char *header;
		enum reason want;
	} rows[] = {
	        {"{\"alg\":\"RS256\",\"kid\":\"k2\"}", E_KEY},
	        {"{\"alg\":\"RS256\"}", E_KID},
	        {"{\"alg\":\"RS256\",\"kid\":\"\"}", E_KID},
	        {"{\"alg\":\"RS256\",\"kid\":1}", E_KID},
	        {"{\"alg\":\"RS256\",\"kid\":\"a\\u0007b\"}", E_KID},
	        {"{\"alg\":\"RS256\",\"kid\":\"a\\u0085\"}", E_KID},
	        {"{\"alg\":\"HS256\",\"kid\":\"k1\"}", E_ALG},
	        {"{\"alg\":\"ES256\",\"kid\":\"k1\"}", E_ALG},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		p.header = str_c(rows[i].header);
		token_verify_parts(&s, &p, &yes, TEST_NOW, &r);
		assert_int_equal(r.reason, rows[i].want);
	}
	s.keys.algs = TOKEN_ALG_BIT(TOKEN_RS256) | TOKEN_ALG_BIT(TOKEN_HS256);
	p.header = STR("{\"alg\":\"HS256\",\"kid\":\"k1\"}");
	token_verify_parts(&s, &p, &yes, TEST_NOW, &r);
	assert_int_equal(r.reason, E_ALG);
}

static void the_token_of_a_request_is_found(void **state)
{
	(void)state;
	static const struct {
		const char *query, *header;
		enum reason want;
		const char *token;
	} rows[] = {
	        {NULL, NULL, R_NONE, NULL},
	        {"", NULL, R_NONE, NULL},
	        {NULL, "", R_NONE, NULL},
	        {"", "Bearer ", R_NONE, NULL},
	        {NULL, "Bearer", R_NONE, NULL},
	        {"a.b.c", NULL, R_NONE, "a.b.c"},
	        {NULL, "Bearer a.b.c", R_NONE, "a.b.c"},
	        {NULL, "bEARER a.b.c", R_NONE, "a.b.c"},
	        {"a.b.c", "Bearer a.b.c", R_NONE, "a.b.c"},
	        {"a.b.c", "Bearer a.b.d", E_TOKEN_FORMAT, NULL},
	        {"a.b.c", "Bearer ", R_NONE, "a.b.c"},
	        {"", "Bearer x", R_NONE, "x"},
	        {NULL, "Basic eDp5", E_TOKEN_FORMAT, NULL},
	        {NULL, "Bearera.b.c", E_TOKEN_FORMAT, NULL},
	        {NULL, "Bearer  a.b.c", E_TOKEN_FORMAT, NULL},
	        {NULL, "Bearer\ta.b.c", E_TOKEN_FORMAT, NULL},
	        {NULL, "Token a.b.c", E_TOKEN_FORMAT, NULL},
	        {NULL, "a.b.c", E_TOKEN_FORMAT, NULL},
	        {"a.b.c", "Digest x", E_TOKEN_FORMAT, NULL},
	        {NULL, "B", E_TOKEN_FORMAT, NULL},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct str token = STR("left over");
		if (token_from_request(str_c(rows[i].query), str_c(rows[i].header), &token) !=
		        rows[i].want)
			fail_msg("row %zu", i);
		if (rows[i].token)
			assert_str(token, rows[i].token);
		else
			assert_true(str_absent(token));
	}
}

UNIT_MAIN(cmocka_unit_test(a_good_token_gives_claims),
        cmocka_unit_test(only_three_parts_of_clean_base64url_are_a_token),
        cmocka_unit_test(stray_bits_of_the_last_digit_are_refused),
        cmocka_unit_test(header_and_payload_are_objects),
        cmocka_unit_test(the_size_is_checked_first),
        cmocka_unit_test(repeated_names_are_refused_at_every_level),
        cmocka_unit_test(header_parameters_are_read_strictly),
        cmocka_unit_test(no_spelling_of_none_and_no_unlisted_algorithm_is_accepted),
        cmocka_unit_test(nothing_is_told_before_the_signature_holds),
        cmocka_unit_test(times_are_numbers_and_have_a_leeway),
        cmocka_unit_test(a_missing_exp_and_a_future_iat_are_told),
        cmocka_unit_test(refusals_use_the_words_that_clients_know),
        cmocka_unit_test(issuer_and_audience_are_typed_and_listed),
        cmocka_unit_test(room_and_sub_are_non_empty_strings),
        cmocka_unit_test(parts_run_the_same_checks),
        cmocka_unit_test(the_token_of_a_request_is_found))
