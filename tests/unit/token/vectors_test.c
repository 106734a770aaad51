/* vectors_test.c - the verification stage of every decision vector that has a token, and of the
 * tokens' own. io */
#include "support/unit.h"

#include <stdio.h>

#include "base/mem.h"
#include "config/config.h"
#include "token/jwt.h"

#define FILE_MAX (1 << 20)

/* base with the members of over put on top and those named in drop taken away */
static struct jval *merged(
        const struct jval *base, const struct jval *over, const struct jval *drop)
{
	struct jval *out = jval_copy(base);
	void *it = NULL;
	struct str key;
	const struct jval *value;
	char name[64];
	while (jval_each(over, &it, &key, &value)) {
		snprintf(name, sizeof name, "%.*s", STR_FMT(key));
		assert_true(jval_set(out, name, jval_copy(value)));
	}
	for (size_t i = 0; i < jval_size(drop); i++) {
		snprintf(name, sizeof name, "%.*s", STR_FMT(jval_str(jval_at(drop, i))));
		jval_remove(out, name);
	}
	return out;
}

static enum reason verify(
        const struct jval *defaults, const struct jval *v, const struct token_settings *s)
{
	const struct jval *now = jval_getc(v, "now"), *text = jval_getc(v, "payload_text");
	struct str signature = jval_str(jval_getc(v, "signature"));
	struct jval *h = merged(
	        jval_getc(defaults, "header"), jval_getc(v, "header"), jval_getc(v, "drop_header"));
	struct jval *p = merged(
	        jval_getc(defaults, "claims"), jval_getc(v, "claims"), jval_getc(v, "drop_claims"));
	struct buf header, payload;
	struct token_result r;
	buf_init(&header, 0);
	buf_init(&payload, 0);
	jval_write(h, &header);
	jval_write(p, &payload);
	struct sig_assumed assumed = {s, !str_eqc(signature, "invalid")};
	struct sig_oracle oracle = sig_oracle_assumed(&assumed);
	struct token_parts parts = {buf_view(&header), text ? jval_str(text) : buf_view(&payload),
	        (size_t)jval_integer(jval_getc(v, "token_bytes")), !str_eqc(signature, "missing"),
	        STR_NONE};
	token_verify_parts(
	        s, &parts, &oracle, jval_integer(now ? now : jval_getc(defaults, "now")), &r);
	enum reason reason = r.reason;
	token_result_done(&r);
	buf_done(&header);
	buf_done(&payload);
	jval_free(h);
	jval_free(p);
	return reason;
}

static bool has_token(const struct jval *v)
{
	struct str token = jval_str(jval_getc(v, "token"));
	struct str event = jval_str(jval_getc(jval_getc(v, "event"), "type"));
	bool reads = str_absent(event) || str_eqc(event, "join") || str_eqc(event, "connect");
	return reads && (str_absent(token) || str_eqc(token, "present"));
}

/* Runs a file; the number of vectors that had a token to verify. */
static size_t run_file(const char *path)
{
	char *text = mem_alloc(FILE_MAX);
	FILE *f = fopen(path, "rb");
	assert_true(text && f);
	size_t n = fread(text, 1, FILE_MAX, f), ran = 0;
	fclose(f);
	struct jval *root = jval_parse(str_from(text, n), 40, NULL);
	const struct jval *defaults = jval_getc(root, "defaults"),
	                  *list = jval_getc(root, "vectors");
	for (size_t i = 0; i < jval_size(list); i++) {
		const struct jval *v = jval_at(list, i), *expect = jval_getc(v, "expect");
		struct config c;
		struct config_report report;
		if (!has_token(v) || jval_true(jval_getc(expect, "fatal")))
			continue;
		struct jval *keys =
		        merged(jval_getc(defaults, "config"), jval_getc(v, "config"), NULL);
		config_report_init(&report);
		assert_int_equal(config_apply_json(&c, keys, &report), 0);
		enum reason got = verify(defaults, v, &c.token);
		bool sasl = str_eqc(jval_str(jval_getc(expect, "stage")), "sasl");
		struct str want = sasl ? jval_str(jval_getc(expect, "reason")) : STR("");
		if (!str_eqc(want, reason_name(got)))
			fail_msg("%.*s: %s, want %.*s", STR_FMT(jval_str(jval_getc(v, "id"))),
			        reason_name(got), STR_FMT(want));
		config_report_free(&report);
		config_free(&c);
		jval_free(keys);
		ran++;
	}
	jval_free(root);
	mem_free(text);
	return ran;
}

static void tokens_are_judged_as_their_vectors_say(void **state)
{
	(void)state;
	assert_true(run_file("tests/vectors/tokens/token-vectors.json") >= 90);
}

static void decision_vectors_pass_or_fail_verification_as_they_say(void **state)
{
	(void)state;
	assert_true(run_file("tests/vectors/role-vectors.json") >= 60);
}

UNIT_MAIN(cmocka_unit_test(tokens_are_judged_as_their_vectors_say),
        cmocka_unit_test(decision_vectors_pass_or_fail_verification_as_they_say))
