/* schema_test.c - the table of keys holds together, and the documents are written from it. io */
#include <stdio.h>

#include "config/report.h"
#include "config/set.h"
#include "config/yaml.h"
#include "support/unit.h"

static void every_row_is_whole(void **state)
{
	(void)state;
	for (int k = 0; k < KEY_COUNT; k++) {
		const struct schema_row *row = schema_row((enum config_key)k);
		assert_non_null(row->key);
		assert_int_equal(schema_find(str_c(row->key)), k);
		if (!row->help || !row->help[0])
			fail_msg("%s has no help", row->key);
		if (row->flags & SCHEMA_COMPUTED && !row->fallback_text)
			fail_msg("%s: a computed default needs words", row->key);
		if ((row->type == SCHEMA_INT || row->type == SCHEMA_DURATION) &&
		        row->max <= row->min)
			fail_msg("%s has no range", row->key);
		if (row->type == SCHEMA_WORD && !row->words[1])
			fail_msg("%s has no choice", row->key);
	}
}

static void every_default_is_a_value_of_its_row(void **state)
{
	(void)state;
	for (int k = 0; k < KEY_COUNT; k++) {
		const struct schema_row *row = schema_row((enum config_key)k);
		struct value_fault f;
		if (!row->fallback)
			continue;
		struct jval *v = value_parse(row, str_c(row->fallback), &f);
		if (!v)
			fail_msg("%s: %s: %s", row->key, row->fallback, f.text);
		/* and what was checked once passes again, unchanged */
		struct jval *again = value_check(row, v, &f);
		assert_true(jval_equal(v, again));
		jval_free(v);
		jval_free(again);
	}
}

static void words_stand_in_the_order_of_their_enum(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++)
		assert_string_equal(
		        schema_row(KEY_ROLE_MODE)->words[i], role_mode_word((enum role_mode)i));
	for (int i = 0; i < 3; i++) {
		assert_string_equal(schema_row(KEY_ROOM_CREATE)->words[i],
		        room_create_word((enum room_create)i));
		assert_string_equal(schema_row(KEY_LOBBY_BYPASS)->words[i],
		        lobby_bypass_word((enum lobby_bypass)i));
		assert_string_equal(schema_row(KEY_RUNTIME_GRANT)->words[i],
		        runtime_grant_word((enum runtime_grant)i));
		assert_string_equal(schema_row(KEY_ON_LAST_MODERATOR_LEFT)->words[i],
		        on_last_moderator_left_word((enum on_last_moderator_left)i));
		assert_string_equal(
		        schema_row(KEY_ON_EXPIRY)->words[i], on_expiry_word((enum on_expiry)i));
		assert_string_equal(
		        schema_row(KEY_NAME_MODE)->words[i], name_mode_word((enum name_mode)i));
	}
	for (int i = 0; i < 4; i++)
		assert_string_equal(schema_row(KEY_KEY_SOURCE)->words[i],
		        token_key_source_name((enum token_key_source)i));
}

static void defaults_of_the_table_are_those_of_the_policy_and_the_tokens(void **state)
{
	(void)state;
	struct config c;
	struct config_report r;
	struct policy_settings p;
	struct token_settings t;
	policy_settings_init(&p);
	token_settings_init(&t);
	config_report_init(&r);
	assert_int_equal(config_apply_json(&c, NULL, &r), 0);
	assert_int_equal(c.policy.role_mode, p.role_mode);
	assert_int_equal(c.policy.name_mode, p.name_mode);
	assert_int_equal(c.policy.name_max, p.name_max);
	assert_int_equal(c.policy.end_after, p.end_after);
	assert_int_equal(c.policy.leeway, p.leeway);
	assert_int_equal(c.policy.room_wildcard, p.room_wildcard);
	assert_int_equal(c.policy.require_room, p.require_room);
	assert_int_equal(c.policy.honour_deny, p.honour_deny);
	assert_int_equal(c.policy.runtime_grant, p.runtime_grant);
	assert_int_equal(c.policy.lobby_bypass, p.lobby_bypass);
	assert_true(str_eq(c.policy.domain, p.domain));
	assert_true(str_eq(c.policy.clash_suffix, p.clash_suffix));
	assert_true(str_eq(c.policy.clash_suffix_user, p.clash_suffix_user));
	assert_int_equal(c.policy.claim_paths.n, p.claim_paths.n);
	assert_true(str_eq(c.policy.claim_paths.v[0], p.claim_paths.v[0]));
	assert_int_equal(c.policy.identity_fields.n, p.identity_fields.n);
	assert_int_equal(c.token.leeway, t.leeway);
	assert_int_equal(c.token.max_token_bytes, t.max_token_bytes);
	assert_int_equal(c.token.require_room, t.require_room);
	assert_int_equal(c.token.require_exp, t.require_exp);
	assert_int_equal(c.token.keys.source, t.keys.source);
	config_free(&c);
	config_report_free(&r);
}

static void near_names_are_offered_and_far_ones_not(void **state)
{
	(void)state;
	assert_string_equal(schema_nearest(STR("role_mod")), "role_mode");
	assert_string_equal(schema_nearest(STR("rolemode")), "role_mode");
	assert_string_equal(schema_nearest(STR("alow_guest")), "allow_guests");
	assert_string_equal(schema_nearest(STR("ROLE_MODE")), "role_mode");
	assert_null(schema_nearest(STR("favourite_colour")));
	assert_int_equal(schema_distance(STR("ab"), STR("ba")), 1);
	assert_int_equal(schema_distance(STR(""), STR("abc")), 3);
}

static void compare_with_file(const char *path, void (*write)(struct buf *))
{
	static char text[1 << 18];
	struct buf b;
	FILE *f = fopen(path, "rb");
	if (!f)
		fail_msg("%s cannot be read", path);
	size_t n = fread(text, 1, sizeof text, f);
	fclose(f);
	buf_init(&b, 0);
	write(&b);
	assert_false(b.failed);
	if (!str_eq(buf_view(&b), str_from(text, n)))
		fail_msg("%s is not what the schema says: run tools/gen-config-doc", path);
	buf_done(&b);
}

static void the_documents_are_up_to_date(void **state)
{
	(void)state;
	compare_with_file("docs/config.md", config_write_doc);
	compare_with_file("docs/gavel.example.yaml", config_write_example);
}

static void fatal_free(const struct config_report *r)
{
	for (size_t i = 0; i < r->n; i++) {
		if (r->lines[i].severity == CONFIG_FATAL)
			fail_msg("line %d: %s: %s", r->lines[i].line, r->lines[i].key,
			        r->lines[i].text);
	}
}

/* Every line that is commented out is a line that could stand there. */
static void every_line_of_the_example_can_be_switched_on(void **state)
{
	(void)state;
	struct buf b;
	buf_init(&b, 0);
	config_write_example(&b);
	unsigned keys = 0;
	for (struct str rest = buf_view(&b); !str_absent(rest);) {
		struct config_set *s = set_new();
		struct config_report r;
		struct str line = str_split(&rest, '\n');
		config_report_init(&r);
		assert_non_null(s);
		if (line.n > 2 && line.p[0] == '#' && line.p[1] != ' ') {
			yaml_read(str_sub(line, 1, line.n), "example", s, &r);
			fatal_free(&r);
			keys++;
		}
		config_report_free(&r);
		set_free(s);
	}
	assert_int_equal(keys, KEY_COUNT - 1); /* known_kids is for vectors */
	buf_done(&b);
}

UNIT_MAIN(cmocka_unit_test(every_row_is_whole),
        cmocka_unit_test(every_default_is_a_value_of_its_row),
        cmocka_unit_test(words_stand_in_the_order_of_their_enum),
        cmocka_unit_test(defaults_of_the_table_are_those_of_the_policy_and_the_tokens),
        cmocka_unit_test(near_names_are_offered_and_far_ones_not),
        cmocka_unit_test(the_documents_are_up_to_date),
        cmocka_unit_test(every_line_of_the_example_can_be_switched_on))
