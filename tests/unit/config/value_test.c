/* value_test.c - every key round-trips from YAML, JSON and a variable; what is wrong is said. pure
 */
#include <stdio.h>

#include "config/report.h"
#include "config/set.h"
#include "config/yaml.h"
#include "support/unit.h"

/* One value of each row that is not its default: as a variable writes it, and as JSON. */
static const struct {
	enum config_key key;
	const char *text, *json;
} samples[] = {
        {KEY_APP_ID, "my_app", "\"my_app\""},
        {KEY_APP_SECRET, "0123456789abcdef0123456789abcdef",
                "\"0123456789abcdef0123456789abcdef\""},
        {KEY_ACCEPTED_ISSUERS, "a, b", "[\"a\",\"b\"]"},
        {KEY_ALGS, "HS256,ES384", "[\"HS256\",\"ES384\"]"},
        {KEY_KEY_FILES, "[{\"path\":\"k.pem\"}]", "[{\"path\":\"k.pem\"}]"},
        {KEY_KEY_SERVER, "https://keys.example.com/", "\"https://keys.example.com\""},
        {KEY_ISSUERS, "[{\"iss\":\"a\",\"app_secret\":\"s\"}]",
                "[{\"iss\":\"a\",\"app_secret\":\"s\"}]"},
        {KEY_LEEWAY, "1m", "60"},
        {KEY_MAX_TOKEN_BYTES, "4096", "4096"},
        {KEY_DOMAIN, "Meet.Example", "\"meet.example\""},
        {KEY_CLAIM_PATHS, "[]", "[]"},
        {KEY_CLAIM_RULES, "[{\"path\":\"g\",\"op\":\"has\",\"value\":[\"x\"],\"then\":\"deny\"}]",
                "[{\"path\":\"g\",\"op\":\"has\",\"value\":[\"x\"],\"then\":\"deny\"}]"},
        {KEY_END_AFTER, "2h", "7200"},
        {KEY_CLASH_SUFFIX, " *", "\" *\""},
        {KEY_BIND, "0.0.0.0,::", "[\"0.0.0.0\",\"::\"]"},
};

static void check_one(enum config_key key, const char *text, const char *json)
{
	struct value_fault f;
	struct jval *want = jval_parse(str_c(json), 8, NULL);
	struct jval *from_text = value_parse(schema_row(key), str_c(text), &f);
	if (!from_text)
		fail_msg("%s=%s: %s", schema_row(key)->key, text, f.text);
	struct jval *from_json = value_check(schema_row(key), want, &f);
	if (!from_json)
		fail_msg("%s: %s: %s", schema_row(key)->key, json, f.text);
	assert_true(jval_equal(want, from_text));
	assert_true(jval_equal(want, from_json));
	jval_free(want);
	jval_free(from_text);
	jval_free(from_json);
}

static void texts_and_json_give_the_same_value(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof samples / sizeof *samples; i++)
		check_one(samples[i].key, samples[i].text, samples[i].json);
	for (int k = 0; k < KEY_COUNT; k++) {
		const struct schema_row *row = schema_row((enum config_key)k);
		char json[64];
		for (size_t i = 0; row->type == SCHEMA_WORD && i < 6 && row->words[i]; i++) {
			snprintf(json, sizeof json, "\"%s\"", row->words[i]);
			check_one((enum config_key)k, row->words[i], json);
		}
		if (row->type == SCHEMA_BOOL) {
			check_one((enum config_key)k, "T", "true");
			check_one((enum config_key)k, "False", "false");
		}
		if (row->type == SCHEMA_INT || row->type == SCHEMA_DURATION) {
			snprintf(json, sizeof json, "%lld", (long long)row->min);
			check_one((enum config_key)k, json, json);
			snprintf(json, sizeof json, "%lld", (long long)row->max);
			check_one((enum config_key)k, json, json);
		}
	}
}

/* Each row's value in a YAML line, and back out of the set. */
static void every_row_round_trips_through_yaml(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
		struct config_set *s = set_new();
		struct config_report r;
		char line[300];
		struct jval *want = jval_parse(str_c(samples[i].json), 8, NULL);
		config_report_init(&r);
		snprintf(line, sizeof line, "# first\n%s: %s\n", schema_row(samples[i].key)->key,
		        samples[i].json);
		yaml_read(str_c(line), "f.yaml", s, &r);
		assert_false(r.fatal);
		assert_true(jval_equal(set_json(s, samples[i].key), want));
		assert_int_equal(set_origin(s, samples[i].key), CONFIG_FILE);
		assert_int_equal(set_value(s, samples[i].key)->line, 2);
		jval_free(want);
		config_report_free(&r);
		set_free(s);
	}
}

static void wrong(enum config_key key, const char *json, const char *part)
{
	struct value_fault f;
	struct jval *j = jval_parse(str_c(json), 8, NULL);
	assert_non_null(j);
	struct jval *v = value_check(schema_row(key), j, &f);
	if (v)
		fail_msg("%s: %s was taken", schema_row(key)->key, json);
	if (!strstr(f.text, part))
		fail_msg("%s: %s: \"%s\" does not say \"%s\"", schema_row(key)->key, json, f.text,
		        part);
	jval_free(j);
}

static void wrong_types_and_words_are_refused(void **state)
{
	(void)state;
	wrong(KEY_REQUIRE_EXP, "\"yes\"", "true or false");
	wrong(KEY_REQUIRE_EXP, "1", "true or false");
	wrong(KEY_ROLE_MODE, "\"tokens\"", "unknown word");
	wrong(KEY_ROLE_MODE, "\"Token\"", "unknown word");
	wrong(KEY_ROLE_MODE, "true", "one of token");
	wrong(KEY_LEEWAY, "61", "out of range");
	wrong(KEY_LEEWAY, "-1", "out of range");
	wrong(KEY_LEEWAY, "1.5", "0 to 60");
	wrong(KEY_LEEWAY, "\"5 s\"", "whole number");
	wrong(KEY_HTTP_PORT, "65536", "out of range");
	wrong(KEY_HTTP_PORT, "\"8000\"", "0 to 65535");
	wrong(KEY_ACCEPTED_ISSUERS, "\"a\"", "must be a list");
	wrong(KEY_ACCEPTED_ISSUERS, "[1]", "must be a text");
	wrong(KEY_ACCEPTED_ISSUERS, "[\" \"]", "not be empty");
	wrong(KEY_ALGS, "[\"none\"]", "never accepted");
	wrong(KEY_ALGS, "[\"NonE\"]", "never accepted");
	wrong(KEY_ALGS, "[\"HS265\"]", "unknown algorithm");
	wrong(KEY_ALGS, "[]", "at least one");
	wrong(KEY_PUBLIC_URL, "\"ftp://x\"", "http");
	wrong(KEY_PUBLIC_URL, "\"https://user:pw@x/\"", "http");
	wrong(KEY_DOMAIN, "\"a..b\"", "domain name");
	wrong(KEY_DOMAIN, "\"a b\"", "domain name");
	wrong(KEY_BIND, "[\"localhost\"]", "numeric");
	wrong(KEY_BIND, "[\"256.0.0.1\"]", "numeric");
	wrong(KEY_CLAIM_PATHS, "[\"a..b\"]", "joined by dots");
	wrong(KEY_CLAIM_PATHS, "[\"a.b.c.d.e.f.g.h.i\"]", "at most 8");
	wrong(KEY_APP_ID, "\"a\\u0007b\"", "control characters");
}

static void rules_are_refused_for_each_reason(void **state)
{
	(void)state;
	wrong(KEY_CLAIM_RULES, "{}", "must be a list");
	wrong(KEY_CLAIM_RULES, "[1]", "must be an object");
	wrong(KEY_CLAIM_RULES,
	        "[{\"path\":\"a\",\"op\":\"is\",\"value\":\"x\",\"then\":\"grant\",\"or\":1}]",
	        "unknown member");
	wrong(KEY_CLAIM_RULES,
	        "[{\"path\":\"a\",\"op\":\"in\",\"value\":\"x\",\"then\":\"grant\"}]",
	        "op must be");
	wrong(KEY_CLAIM_RULES,
	        "[{\"path\":\"a\",\"op\":\"is\",\"value\":\"x\",\"then\":\"allow\"}]",
	        "then must be");
	wrong(KEY_CLAIM_RULES, "[{\"path\":\"a\",\"op\":\"is\",\"value\":\"\",\"then\":\"deny\"}]",
	        "not empty");
	wrong(KEY_CLAIM_RULES, "[{\"path\":\"a\",\"op\":\"is\",\"value\":1,\"then\":\"deny\"}]",
	        "not empty");
	wrong(KEY_CLAIM_RULES, "[{\"path\":\"a\",\"op\":\"has\",\"value\":true,\"then\":\"deny\"}]",
	        "op has");
	wrong(KEY_CLAIM_RULES, "[{\"path\":\"a\",\"op\":\"is\",\"value\":[],\"then\":\"deny\"}]",
	        "1 to 1024");
	wrong(KEY_CLAIM_RULES, "[{\"path\":\"\",\"op\":\"is\",\"value\":\"x\",\"then\":\"deny\"}]",
	        "path must be");
	wrong(KEY_CLAIM_RULES,
	        "[{\"path\":\"a..b\",\"op\":\"is\",\"value\":\"x\",\"then\":\"deny\"}]",
	        "path must be");
	wrong(KEY_CLAIM_RULES,
	        "[{\"path\":\"a.\",\"op\":\"is\",\"value\":\"x\",\"then\":\"deny\"}]",
	        "path must be");
	wrong(KEY_CLAIM_RULES, "[{\"path\":[],\"op\":\"is\",\"value\":\"x\",\"then\":\"deny\"}]",
	        "path must be");
	wrong(KEY_CLAIM_RULES,
	        "[{\"path\":\"a.b.c.d.e.f.g.h.i\",\"op\":\"is\",\"value\":\"x\",\"then\":\"deny\"}"
	        "]",
	        "at most 8");
	wrong(KEY_CLAIM_RULES, "[{\"op\":\"is\",\"value\":\"x\",\"then\":\"deny\"}]",
	        "path must be");
	char many[8192] = "[";
	for (int i = 0; i < 65; i++) {
		size_t n = strlen(many);
		snprintf(many + n, sizeof many - n,
		        "%s{\"path\":\"a\",\"op\":\"is\",\"value\":\"x\",\"then\":\"deny\"}",
		        i ? "," : "");
	}
	strcat(many, "]");
	wrong(KEY_CLAIM_RULES, many, "at most 64");
	check_one(KEY_CLAIM_RULES,
	        "[{\"path\":\"a\",\"op\":\"is\",\"value\":true,\"then\":\"deny\"}]",
	        "[{\"path\":\"a\",\"op\":\"is\",\"value\":true,\"then\":\"deny\"}]");
}

static void key_files_and_issuers_are_refused_for_each_reason(void **state)
{
	(void)state;
	wrong(KEY_KEY_FILES, "[{\"kid\":\"a\"}]", "path is missing");
	wrong(KEY_KEY_FILES, "[{\"path\":\"a\"},{\"path\":\"b\"}]", "kid is missing");
	wrong(KEY_KEY_FILES, "[{\"kid\":\"a\",\"path\":\"a\"},{\"kid\":\"a\",\"path\":\"b\"}]",
	        "there twice");
	wrong(KEY_KEY_FILES, "[{\"kid\":\"\",\"path\":\"a\"}]", "kid must be");
	wrong(KEY_KEY_FILES, "[{\"file\":\"a\"}]", "unknown member");
	wrong(KEY_ISSUERS, "[{\"app_secret\":\"s\"}]", "iss is missing");
	wrong(KEY_ISSUERS, "[{\"iss\":\"*\",\"app_secret\":\"s\"}]", "one issuer");
	wrong(KEY_ISSUERS,
	        "[{\"iss\":\"a\",\"app_secret\":\"s\"},{\"iss\":\"a\",\"app_secret\":\"t\"}]",
	        "there twice");
	wrong(KEY_ISSUERS, "[{\"iss\":\"a\",\"algs\":[\"none\"]}]", "never accepted");
	wrong(KEY_ISSUERS, "[{\"iss\":\"a\",\"keysource\":\"jwks\"}]", "unknown member");
}

static void the_word_that_was_meant_is_offered(void **state)
{
	(void)state;
	struct value_fault f;
	assert_null(value_parse(schema_row(KEY_ROLE_MODE), STR("tokens"), &f));
	assert_string_equal(f.nearest, "token");
	assert_null(value_parse(schema_row(KEY_ROLE_MODE), STR("firstuser"), &f));
	assert_string_equal(f.nearest, "first-user");
	assert_null(value_parse(schema_row(KEY_ALGS), STR("HS265"), &f));
	assert_string_equal(f.nearest, "HS256");
}

static void booleans_of_variables_have_twelve_spellings(void **state)
{
	(void)state;
	static const char *const bad[] = {"yes", "no", "on", "off", "TrUe", " 1", "2", "01", ""};
	static const char *const yes[] = {"1", "t", "T", "true", "True", "TRUE"};
	static const char *const no[] = {"0", "f", "F", "false", "False", "FALSE"};
	for (size_t i = 0; i < 6; i++) {
		assert_int_equal(value_bool(str_c(yes[i])), 1);
		assert_int_equal(value_bool(str_c(no[i])), 0);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(value_bool(str_c(bad[i])), -1);
}

static void hosts_come_out_of_urls(void **state)
{
	(void)state;
	assert_str(value_url_host(STR("https://meet.example.com:8443/x?y")), "meet.example.com");
	assert_str(value_url_host(STR("http://[::1]:8000/")), "::1");
	assert_true(str_absent(value_url_host(STR("meet.example.com"))));
	assert_true(str_absent(value_url_host(STR("https://"))));
}

UNIT_MAIN(cmocka_unit_test(texts_and_json_give_the_same_value),
        cmocka_unit_test(every_row_round_trips_through_yaml),
        cmocka_unit_test(wrong_types_and_words_are_refused),
        cmocka_unit_test(rules_are_refused_for_each_reason),
        cmocka_unit_test(key_files_and_issuers_are_refused_for_each_reason),
        cmocka_unit_test(the_word_that_was_meant_is_offered),
        cmocka_unit_test(booleans_of_variables_have_twelve_spellings),
        cmocka_unit_test(hosts_come_out_of_urls))
