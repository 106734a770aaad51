/* token_order_test.c - what `token make` and `link` accept, and that the server accepts what they
 * make. io */
#include "support/unit.h"

#include <stdio.h>
#include <time.h>

#include "cli/cli.h"
#include "cli/token_order.h"
#include "support/token.h"
#include "token/jwt.h"

static void a_lifetime_has_a_unit_and_a_bound(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t want; /* 0: refused */
	} rows[] = {{"90s", 90}, {"15m", 900}, {"1h", 3600}, {"7d", 604800}, {"3650d", 315360000},
	        {"3651d", 0}, {"0s", 0}, {"", 0}, {"h", 0}, {"60", 0}, {"1H", 0}, {"-1h", 0},
	        {"1 h", 0}, {"1h ", 0}, {"1.5h", 0}, {"1w", 0}, {"99999999999999999999d", 0},
	        {"18446744073709551615s", 0}, {"1hh", 0}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		int64_t got = 0;
		bool ok = token_ttl_parse(rows[i].text, &got);
		if (ok != (rows[i].want != 0) || got != rows[i].want)
			fail_msg("%s: %lld", rows[i].text, (long long)got);
	}
}

static int parse(struct token_order *o, const char *const *words)
{
	static char text[16][1100];
	char *argv[17];
	int argc = 0;
	for (; words[argc]; argc++) {
		snprintf(text[argc], sizeof text[argc], "%s", words[argc]);
		argv[argc] = text[argc];
	}
	argv[argc] = NULL;
	return token_order_parse(o, argc, argv);
}

#define PARSE(o, ...) parse(o, (const char *const[]){"test", __VA_ARGS__, NULL})

static void bad_arguments_are_refused(void **state)
{
	(void)state;
	struct token_order o;
	char longest[1030];
	memset(longest, 'a', sizeof longest);
	longest[1025] = '\0';
	assert_int_equal(PARSE(&o, "--name", "A"), CLI_USAGE);
	assert_int_equal(PARSE(&o, "--room", ""), CLI_USAGE);
	assert_int_equal(PARSE(&o, "--room", "a\nb"), CLI_USAGE);
	assert_int_equal(PARSE(&o, "--room", "a\xff"), CLI_USAGE);
	assert_int_equal(PARSE(&o, "--room", longest), CLI_USAGE);
	assert_int_equal(PARSE(&o, "--room", "r", "--moderator", "--participant"), CLI_USAGE);
	assert_int_equal(PARSE(&o, "--room", "r", "--avatar", "javascript:1"), CLI_USAGE);
	assert_int_equal(PARSE(&o, "--room", "r", "--ttl", "5"), CLI_USAGE);
	assert_int_equal(PARSE(&o, "--room", "r", "extra"), CLI_USAGE);
	assert_int_equal(PARSE(&o, "--room"), CLI_USAGE);
	assert_int_equal(PARSE(&o, "--what"), CLI_USAGE);
	assert_int_equal(PARSE(&o, "--help"), CLI_OK);
	assert_true(o.help);
	assert_int_equal(PARSE(&o, "--room", "r"), CLI_OK);
	assert_int_equal(o.ttl, 3600);
}

static void configuration(struct config *c)
{
	*c = (struct config){0};
	token_settings_init(&c->token);
	c->token.app_id = STR("my_app");
	c->token.keys.app_secret = STR(TEST_SECRET);
	c->policy.domain = STR("meet.jitsi");
}

/* The claims that a made token carries. */
static struct claims *made(const struct token_order *o, const struct config *c)
{
	struct buf token, payload;
	struct token_result r;
	struct token_error e;
	buf_init(&token, 0);
	buf_init(&payload, 0);
	assert_int_equal(token_order_sign(o, c, &token, &payload), CLI_OK);
	struct token_keys *k = token_keys_load(&c->token, STR_NONE, &e);
	token_verify(&c->token, k, buf_view(&token), (int64_t)time(NULL), &r);
	assert_int_equal(r.reason, R_NONE);
	token_keys_free(k);
	buf_done(&token);
	buf_done(&payload);
	return r.claims;
}

static const struct jval *user(const struct claims *c, const char *name)
{
	return jval_getc(jval_getc(jval_getc(c->payload, "context"), "user"), name);
}

static void what_is_made_says_what_was_asked(void **state)
{
	(void)state;
	struct token_order o;
	struct config c;
	configuration(&c);
	assert_int_equal(PARSE(&o, "--room", "\xd0\xa2\xd0\xb5\xd1\x81\xd1\x82 \"1\"", "--name",
	                         "Anna \\ B", "--moderator", "--ttl", "90s", "--id", "u7",
	                         "--email", "a@b.c", "--avatar", "https://x/y.png"),
	        CLI_OK);
	struct claims *got = made(&o, &c);
	assert_str(got->room, "\xd0\xa2\xd0\xb5\xd1\x81\xd1\x82 \"1\"");
	assert_str(got->iss, "my_app");
	assert_str(got->sub, "meet.jitsi");
	assert_str(jval_str(jval_getc(got->payload, "aud")), "my_app");
	assert_str(got->identity.text, "u7");
	assert_str(jval_str(user(got, "name")), "Anna \\ B");
	assert_str(jval_str(user(got, "email")), "a@b.c");
	assert_str(jval_str(user(got, "avatar")), "https://x/y.png");
	assert_true(jval_true(user(got, "moderator")));
	assert_true(got->exp - jval_number(jval_getc(got->payload, "iat")) == 90);
	claims_unref(got);
	/* nothing asked: silent about the role, an id of its own */
	assert_int_equal(PARSE(&o, "--room", "r"), CLI_OK);
	got = made(&o, &c);
	assert_null(user(got, "moderator"));
	assert_null(user(got, "name"));
	assert_int_equal(got->identity.text.n, 36);
	claims_unref(got);
	assert_int_equal(PARSE(&o, "--room", "*", "--participant"), CLI_OK);
	got = made(&o, &c);
	assert_int_equal(jval_type(user(got, "moderator")), JVAL_FALSE);
	assert_str(got->room, "*");
	claims_unref(got);
}

static void tokens_fit_the_configuration(void **state)
{
	(void)state;
	static const struct str issuers[] = {STR("*"), STR("two")}, audiences[] = {STR("conf")};
	struct token_order o;
	struct config c;
	struct buf token, payload;
	configuration(&c);
	c.token.accepted_audiences = (struct token_words){audiences, 1};
	c.token.accepted_issuers = (struct token_words){issuers + 1, 1};
	c.token.keys.algs = TOKEN_ALG_BIT(TOKEN_HS512);
	assert_int_equal(PARSE(&o, "--room", "r"), CLI_OK);
	struct claims *got = made(&o, &c);
	assert_str(got->iss, "two");
	assert_str(jval_str(jval_getc(got->payload, "aud")), "conf");
	claims_unref(got);
	/* nothing to sign with, or nobody who reads it */
	buf_init(&token, 0);
	buf_init(&payload, 0);
	c.token.keys.source = TOKEN_KEYS_JWKS;
	assert_int_equal(token_order_sign(&o, &c, &token, &payload), CLI_USAGE);
	configuration(&c);
	c.policy.auth = AUTH_NONE;
	assert_int_equal(token_order_sign(&o, &c, &token, &payload), CLI_USAGE);
	/* a token that this very server would refuse is not handed out */
	configuration(&c);
	c.token.max_token_bytes = 100;
	assert_int_equal(token_order_sign(&o, &c, &token, &payload), CLI_FAIL);
	buf_done(&token);
	buf_done(&payload);
}

UNIT_MAIN(cmocka_unit_test(a_lifetime_has_a_unit_and_a_bound),
        cmocka_unit_test(bad_arguments_are_refused),
        cmocka_unit_test(what_is_made_says_what_was_asked),
        cmocka_unit_test(tokens_fit_the_configuration))
