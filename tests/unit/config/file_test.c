/* file_test.c - the YAML file: what is wrong is named with its line. pure */
#include <stdio.h>

#include "base/mem.h"
#include "config/report.h"
#include "config/set.h"
#include "config/yaml.h"
#include "support/unit.h"

static const struct config_line *first_fatal(const struct config_report *r)
{
	for (size_t i = 0; i < r->n; i++) {
		if (r->lines[i].severity == CONFIG_FATAL)
			return &r->lines[i];
	}
	return NULL;
}

static void refused(const char *text, int line, const char *want)
{
	struct config_set *s = set_new();
	struct config_report r;
	struct buf b;
	config_report_init(&r);
	buf_init(&b, 0);
	yaml_read(str_c(text), "f.yaml", s, &r);
	const struct config_line *l = first_fatal(&r);
	if (!l)
		fail_msg("taken: %s", text);
	config_line_write(l, &b);
	if (l->line != line || !strstr(b.p, want))
		fail_msg("\"%s\" is not line %d with \"%s\"", b.p, line, want);
	buf_done(&b);
	config_report_free(&r);
	set_free(s);
}

static void faults_are_named_with_their_line(void **state)
{
	(void)state;
	refused("auth: jwt\nrole_mod: token\n", 2,
	        "f.yaml:2: role_mod: unknown key (did you mean role_mode?)");
	refused("favourite_colour: blue\n", 1, "favourite_colour: unknown key");
	refused("auth: jwt\n\nrole_mode: tokens\n", 3, "role_mode: unknown word \"tokens\"");
	refused("role_mode: tokens\n", 1, "(did you mean token?)");
	refused("leeway: 61\n", 1, "leeway: 61 is out of range");
	refused("require_exp: yes\n", 1, "require_exp: must be true or false");
	refused("require_exp: \"true\"\n", 1, "require_exp: must be true or false");
	refused("auth: jwt\nauth: none\n", 2, "is given twice, first in line 1");
	refused("auth:\n", 1, "has no value");
	refused("auth: ~\n", 1, "has no value");
	refused("app_id: [a]\n", 1, "app_id: must be a text");
	refused("accepted_issuers: a\n", 1, "must be a list");
	refused("known_kids: [a]\n", 1, "unknown key");
	refused("algs:\n  - HS256\n  - none\n", 3, "never accepted");
	refused("claim_rules:\n  - path: a\n    op: is\n    value: x\n    then: grant\n  - path: "
	        "b\n    "
	        "op: was\n    value: x\n"
	        "    then: grant\n",
	        6, "rule 2: op must be");
	refused("claim_rules:\n  - path: a\n    path: b\n", 3, "path: is given twice");
}

static void yaml_that_could_surprise_is_refused(void **state)
{
	(void)state;
	refused("key_files: &x [1]\n", 1, "anchors");
	refused("app_id: *x\n", 1, "anchors");
	refused("accepted_issuers: &a [x]\naccepted_audiences: *a\n", 1, "anchors");
	refused("app_id: !!binary aGk=\n", 1, "tags");
	refused("app_id: a\n---\napp_id: b\n", 2, "second document");
	refused("- a\n- b\n", 1, "expected lines `key: value`");
	refused("just text\n", 1, "expected lines `key: value`");
	refused("? [a, b]\n: c\n", 1, "expected a line `key: value`");
	refused("app_id: [a\n", 2, "");
	refused("app_id: \"a\n", 2, "");
	refused("\tapp_id: a\n", 1, "");
	refused("auth: jwt\napp_id: \xff\xfe\n", 2, "UTF-8");
	refused("key_files: [[[[[[[[[[[[1]]]]]]]]]]]]\n", 1, "nested too deep");
}

static void sizes_are_bounded(void **state)
{
	(void)state;
	size_t n = YAML_FILE_MAX + 1;
	char *text = mem_alloc(n + 1);
	memset(text, '#', n);
	text[n] = 0;
	refused(text, 0, "larger than 1 MiB");
	mem_free(text);
	struct buf b;
	buf_init(&b, 0);
	buf_puts(&b, "key_files: [");
	for (int i = 0; i < 30000; i++)
		buf_puts(&b, "1,");
	buf_puts(&b, "1]\n");
	refused(b.p, 1, "too many values");
	buf_done(&b);
}

static void plain_texts_stay_texts(void **state)
{
	(void)state;
	struct config_set *s = set_new();
	struct config_report r;
	config_report_init(&r);
	yaml_read(STR("app_id: 007\napp_secret: 1234567890\naccepted_issuers: [12, true]\nauth: "
	              "none\nhttp_port: 0\n"
	              "claim_rules:\n  - {path: a, op: is, value: true, then: deny}\n  - {path: a, "
	              "op: is, "
	              "value: \"true\", then: deny}\n"),
	        "f.yaml", s, &r);
	assert_false(r.fatal);
	assert_str(set_str(s, KEY_APP_ID), "007");
	assert_str(set_str(s, KEY_APP_SECRET), "1234567890");
	assert_str(jval_str(jval_at(set_json(s, KEY_ACCEPTED_ISSUERS), 1)), "true");
	assert_true(set_word_is(s, KEY_AUTH, "none"));
	const struct jval *rules = set_json(s, KEY_CLAIM_RULES);
	assert_true(jval_is_bool(jval_getc(jval_at(rules, 0), "value")));
	assert_true(jval_is_string(jval_getc(jval_at(rules, 1), "value")));
	config_report_free(&r);
	set_free(s);
}

static void an_empty_file_is_fine(void **state)
{
	(void)state;
	static const char *const texts[] = {"", "# nothing\n", "---\n", "\n\n"};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct config_set *s = set_new();
		struct config_report r;
		config_report_init(&r);
		yaml_read(str_c(texts[i]), "f.yaml", s, &r);
		assert_false(r.fatal);
		config_report_free(&r);
		set_free(s);
	}
}

/* A secret in a wrong place must not be repeated to the terminal. */
static void a_secret_is_not_echoed(void **state)
{
	(void)state;
	struct config_set *s = set_new();
	struct config_report r;
	config_report_init(&r);
	yaml_read(STR("app_secret: [hush-hush]\nissuers: [{iss: a, app_secret: [hush-hush]}]\n"),
	        "f.yaml", s, &r);
	assert_true(r.fatal);
	for (size_t i = 0; i < r.n; i++)
		assert_null(strstr(r.lines[i].text, "hush"));
	config_report_free(&r);
	set_free(s);
}

static void memory_running_out_is_a_refusal(void **state)
{
	(void)state;
	for (long n = 0; n < 60; n++) {
		struct config_set *s = set_new();
		struct config_report r;
		config_report_init(&r);
		mem_budget_set(n);
		yaml_read(STR("auth: jwt\napp_id: a\nleeway: 99\nrole_mod: x\n"), "f.yaml", s, &r);
		mem_budget_set(-1);
		assert_true(r.fatal || r.nomem);
		config_report_free(&r);
		set_free(s);
	}
}

UNIT_MAIN(cmocka_unit_test(faults_are_named_with_their_line),
        cmocka_unit_test(yaml_that_could_surprise_is_refused), cmocka_unit_test(sizes_are_bounded),
        cmocka_unit_test(plain_texts_stay_texts), cmocka_unit_test(an_empty_file_is_fine),
        cmocka_unit_test(a_secret_is_not_echoed), cmocka_unit_test(memory_running_out_is_a_refusal))
