/* scram_test.c - SCRAM by the examples of its specifications, messages that are none, and accounts.
 * pure */
#include "support/unit.h"

#include <stdio.h>

#include "base/base64.h"
#include "base/mem.h"
#include "session/accounts.h"

struct example {
	enum hash_kind hash;
	const char *first, *nonce, *salt, *challenge, *last, *final;
};

/* RFC 5802 5 and RFC 7677 3; the password is "pencil". */
static const struct example examples[] = {
        {HASH_SHA_1, "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL", "3rfcNHYJY1ZVvWVs7j",
                "QSXCR+Q6sek8bf92",
                "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
                "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,"
                "p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
                "v=rmF9pqV8S7suAoZWja4dJRkFsKQ="},
        {HASH_SHA_256, "n,,n=user,r=rOprNGfwEbeRWgbNEkqO", "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
                "W22ZaJ0SNY7soEsUEjb6gQ==",
                "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
                "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
                "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
                "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
                "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="},
};

struct outcome {
	enum scram_result first, last;
	struct buf user, acts_as, challenge, final;
};

static void outcome_done(struct outcome *o)
{
	buf_done(&o->user);
	buf_done(&o->acts_as);
	buf_done(&o->challenge);
	buf_done(&o->final);
}

static struct outcome play(
        const struct example *e, const char *password, const char *first, const char *last)
{
	struct outcome o = {.last = SCRAM_NO_MEMORY};
	struct scram x;
	struct scram_keys keys;
	struct buf salt;
	buf_init(&salt, 0);
	buf_init(&o.user, 0);
	buf_init(&o.acts_as, 0);
	buf_init(&o.challenge, 0);
	buf_init(&o.final, 0);
	scram_begin(&x, e->hash);
	o.first = scram_client_first(&x, str_c(first), &o.user, &o.acts_as);
	if (o.first == SCRAM_FINE && base64_decode(str_c(e->salt), &salt) == 0 &&
	        scram_derive(e->hash, str_c(password), buf_view(&salt), SCRAM_ITERATIONS, &keys)) {
		struct str said =
		        scram_challenge(&x, str_c(e->nonce), buf_view(&salt), SCRAM_ITERATIONS);
		if (!str_absent(said)) {
			buf_str(&o.challenge, said);
			o.last = scram_client_final(&x, str_c(last), &keys, &o.final);
		}
	}
	buf_done(&salt);
	scram_end(&x);
	scram_end(&x);
	return o;
}

static void test_examples(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const struct example *e = &examples[i];
		struct outcome o = play(e, "pencil", e->first, e->last);
		assert_int_equal(o.first, SCRAM_FINE);
		assert_str(buf_view(&o.user), "user");
		assert_int_equal(o.acts_as.n, 0);
		assert_str(buf_view(&o.challenge), e->challenge);
		assert_int_equal(o.last, SCRAM_FINE);
		assert_str(buf_view(&o.final), e->final);
		outcome_done(&o);
		o = play(e, "Pencil", e->first, e->last);
		assert_int_equal(o.last, SCRAM_WRONG);
		assert_int_equal(o.final.n, 0);
		outcome_done(&o);
	}
}

static void test_first_messages(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		enum scram_result want;
		const char *user, *acts_as;
	} cases[] = {
	        {"n,,n=a=2Cb=3Dc,r=x", SCRAM_FINE, "a,b=c", ""},
	        {"y,,n=user,r=x", SCRAM_FINE, "user", ""},
	        {"n,a=other=2C,n=user,r=x,ext=1", SCRAM_FINE, "user", "other,"},
	        {"n,,n=\xc3\xa9,r=x", SCRAM_FINE, "\xc3\xa9", ""},
	        {"", SCRAM_MALFORMED, "", ""},
	        {"n", SCRAM_MALFORMED, "", ""},
	        {"n,", SCRAM_MALFORMED, "", ""},
	        {"n,,", SCRAM_MALFORMED, "", ""},
	        {"x,,n=user,r=x", SCRAM_MALFORMED, "", ""},
	        {"p=tls-unique,,n=user,r=x", SCRAM_MALFORMED, "", ""},
	        {"n,b=other,n=user,r=x", SCRAM_MALFORMED, "", ""},
	        {"n,a=,n=user,r=x", SCRAM_MALFORMED, "", ""},
	        {"n,,m=1,n=user,r=x", SCRAM_MALFORMED, "", ""},
	        {"n,,n=,r=x", SCRAM_MALFORMED, "", ""},
	        {"n,,n=user", SCRAM_MALFORMED, "", ""},
	        {"n,,n=user,r=", SCRAM_MALFORMED, "", ""},
	        {"n,,n=user,r=a b", SCRAM_MALFORMED, "", ""},
	        {"n,,n=us=2cer,r=x", SCRAM_MALFORMED, "", ""},
	        {"n,,n=user=,r=x", SCRAM_MALFORMED, "", ""},
	        {"n,,n=\xff,r=x", SCRAM_MALFORMED, "", ""},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct outcome o = play(&examples[0], "pencil", cases[i].text, "");
		if (o.first != cases[i].want)
			fail_msg("%s: %d", cases[i].text, (int)o.first);
		if (cases[i].want == SCRAM_FINE) {
			assert_str(buf_view(&o.user), cases[i].user);
			assert_str(buf_view(&o.acts_as), cases[i].acts_as);
		}
		outcome_done(&o);
	}
}

static void test_last_messages(void **state)
{
	(void)state;
#define NONCE "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j"
#define PROOF "p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts="
	static const struct {
		const char *text;
		enum scram_result want;
	} cases[] = {
	        {"c=biws," NONCE "," PROOF, SCRAM_FINE},
	        {"c=biws," NONCE ",x=1," PROOF, SCRAM_WRONG}, /* signed with it, or not at all */
	        {"c=biws," NONCE ",m=1," PROOF, SCRAM_MALFORMED},
	        {"c=eSws," NONCE "," PROOF, SCRAM_MALFORMED}, /* "y,," */
	        {"c=biw=," NONCE "," PROOF, SCRAM_MALFORMED},
	        {"c=," NONCE "," PROOF, SCRAM_MALFORMED},
	        {"c=biws,r=fyko+d2lbbFgONRv9qkxdawL," PROOF, SCRAM_MALFORMED},
	        {"c=biws," NONCE "x," PROOF, SCRAM_MALFORMED},
	        {"c=biws," PROOF "," NONCE, SCRAM_MALFORMED},
	        {"c=biws," NONCE, SCRAM_MALFORMED},
	        {"c=biws," NONCE ",", SCRAM_MALFORMED},
	        {"c=biws," NONCE ",p=", SCRAM_MALFORMED},
	        {"c=biws," NONCE ",p=AAAA", SCRAM_MALFORMED},
	        {"c=biws," NONCE ",p=v0X8v3Bz2T0CJGbJQyF0X+HI4Tt=", SCRAM_MALFORMED},
	        {"c=biws," NONCE ",p=A0X8v3Bz2T0CJGbJQyF0X+HI4Ts=", SCRAM_WRONG},
	        {"c=biws," NONCE "," PROOF ",", SCRAM_MALFORMED},
	        {"", SCRAM_MALFORMED},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct outcome o = play(&examples[0], "pencil", examples[0].first, cases[i].text);
		if (o.last != cases[i].want)
			fail_msg("%s: %d", cases[i].text, (int)o.last);
		outcome_done(&o);
	}
}

static void test_no_memory(void **state)
{
	(void)state;
	const struct example *e = &examples[1];
	bool done = false;
	for (long n = 0; !done; n++) {
		mem_budget_set(n);
		struct outcome o = play(e, "pencil", e->first, e->last);
		mem_budget_set(-1);
		done = o.last == SCRAM_FINE;
		assert_true(done || o.first == SCRAM_NO_MEMORY || o.last == SCRAM_NO_MEMORY);
		outcome_done(&o);
		assert_true(n < 1000);
	}
}

/* RFC 4231 4.3, RFC 6070 2, RFC 4648 10 */
static void test_hashes(void **state)
{
	(void)state;
	uint8_t out[HASH_MAX];
	char hex[2 * HASH_MAX + 1];
	assert_true(hash_hmac(HASH_SHA_256, STR("Jefe"), STR("what do ya want for nothing?"), out));
	hash_hex(out, 32, hex);
	assert_string_equal(
	        hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	assert_true(hash_pbkdf2(HASH_SHA_1, STR("password"), STR("salt"), 4096, out));
	hash_hex(out, 20, hex);
	assert_string_equal(hex, "4b007901b765489abead49d926f721d065a429c1");
	static const struct {
		const char *text, *want; /* NULL: malformed */
	} cases[] = {{"", ""}, {"Zg==", "f"}, {"Zm8=", "fo"}, {"Zm9v", "foo"},
	        {"+/+/", "\xfb\xff\xbf"}, {"Zg=", NULL}, {"Zg", NULL}, {"Z===", NULL},
	        {"====", NULL}, {"Zh==", NULL}, {"Zm9v====", NULL}, {"-_-_", NULL},
	        {"Zg==Zg==", NULL}, {"Zm 9", NULL}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buf b;
		buf_init(&b, 0);
		int err = base64_decode(str_c(cases[i].text), &b);
		if (!err != (cases[i].want != NULL))
			fail_msg("%s: %d", cases[i].text, err);
		if (cases[i].want)
			assert_str(buf_view(&b), cases[i].want);
		buf_done(&b);
	}
}

static const struct account_order orders[] = {
        {STR("focus"), STR("auth.x"), STR("secret"), SERVICE_FOCUS},
        {STR("recorder"), STR("hidden.x"), STR("p\xe2\x84\xab"), SERVICE_RECORDER},
};

static void test_accounts(void **state)
{
	(void)state;
	struct accounts *a = accounts_new(orders, 2, 10);
	struct account_proof p, q;
	struct scram_keys keys;
	assert_non_null(a);
	assert_str(accounts_domain(a, STR("AUTH.x")), "auth.x");
	assert_true(str_absent(accounts_domain(a, STR("x"))));
	assert_true(str_absent(accounts_domain(a, STR_NONE)));
	assert_true(str_absent(accounts_domain(NULL, STR("auth.x"))));
	const struct account *f = accounts_plain(a, STR("auth.x"), STR("focus"), STR("secret"));
	assert_non_null(f);
	assert_int_equal(f->service, SERVICE_FOCUS);
	assert_ptr_equal(f, accounts_plain(a, STR("auth.x"), STR("Focus@auth.x"), STR("secret")));
	assert_null(accounts_plain(a, STR("hidden.x"), STR("focus"), STR("secret")));
	assert_null(accounts_plain(a, STR("hidden.x"), STR("focus@auth.x"), STR("secret")));
	assert_null(accounts_plain(a, STR("auth.x"), STR("focus"), STR("Secret")));
	assert_null(accounts_plain(a, STR("auth.x"), STR("focus"), STR("")));
	assert_null(accounts_plain(a, STR("auth.x"), STR("nobody"), STR("")));
	/* the same password, whatever its Unicode form */
	assert_non_null(accounts_plain(a, STR("hidden.x"), STR("recorder"), STR("p\xc3\x85")));
	for (int h = 0; h < HASH_KINDS; h++) {
		enum hash_kind hash = (enum hash_kind)h;
		assert_true(accounts_scram(a, STR("auth.x"), STR("focus"), hash, &p));
		assert_ptr_equal(p.account, f);
		assert_true(scram_derive(
		        hash, STR("secret"), account_salt(&p), SCRAM_ITERATIONS, &keys));
		assert_memory_equal(keys.stored, p.keys.stored, HASH_MAX);
		assert_memory_equal(keys.server, p.keys.server, HASH_MAX);
		/* a name that there is not has a salt that stays, and no account */
		assert_true(accounts_scram(a, STR("auth.x"), STR("nobody"), hash, &p));
		assert_true(accounts_scram(a, STR("auth.x"), STR("nobody"), hash, &q));
		assert_null(p.account);
		assert_memory_equal(p.salt, q.salt, SCRAM_SALT);
		assert_true(accounts_scram(a, STR("auth.x"), STR("<>@@"), hash, &q));
		assert_null(q.account);
		assert_memory_not_equal(p.salt, q.salt, SCRAM_SALT);
	}
	accounts_free(a);
}

static void test_guesses(void **state)
{
	(void)state;
	struct accounts *a = accounts_new(orders, 2, 6);
	for (int i = 0; i < 6; i++)
		assert_true(accounts_try(a, STR("192.0.2.1"), 1000));
	assert_false(accounts_try(a, STR("192.0.2.1"), 1000));
	assert_true(accounts_try(a, STR("192.0.2.2"), 1000));
	assert_true(accounts_try(a, STR("192.0.2.1"), 11001)); /* one in ten seconds */
	assert_false(accounts_try(a, STR("192.0.2.1"), 11001));
	accounts_right(a, STR("192.0.2.1"));
	assert_true(accounts_try(a, STR("192.0.2.1"), 11001));
	/* a /64 is one */
	for (int i = 0; i < 3; i++) {
		assert_true(accounts_try(a, STR("2001:db8::1"), 1000));
		assert_true(accounts_try(a, STR("2001:db8::ffff:1"), 1000));
	}
	assert_false(accounts_try(a, STR("2001:db8::5"), 1000));
	assert_true(accounts_try(a, STR("2001:db8:0:1::5"), 1000));
	/* from this machine ten times as many */
	for (int i = 0; i < 60; i++)
		assert_true(accounts_try(a, STR("127.0.0.1"), 1000));
	assert_false(accounts_try(a, STR("127.0.0.1"), 1000));
	/* more addresses than there is room for push each other out, and nothing grows */
	for (unsigned i = 0; i < 5000; i++) {
		char text[32];
		snprintf(text, sizeof text, "10.1.%u.%u", i / 250, i % 250 + 1);
		assert_true(accounts_try(a, str_c(text), 2000));
	}
	accounts_free(a);
}

static void test_accounts_no_memory(void **state)
{
	(void)state;
	struct accounts *a = NULL;
	for (long n = 0; !a; n++) {
		mem_budget_set(n);
		a = accounts_new(orders, 2, 6);
		mem_budget_set(-1);
		assert_true(n < 1000);
	}
	for (long n = 0; n < 20; n++) {
		struct account_proof p;
		mem_budget_set(n);
		bool fine = accounts_scram(a, STR("auth.x"), STR("focus"), HASH_SHA_1, &p);
		const struct account *f =
		        accounts_plain(a, STR("auth.x"), STR("focus"), STR("wrong"));
		mem_budget_set(-1);
		assert_true(!fine || p.account);
		assert_null(f);
	}
	accounts_free(a);
}

UNIT_MAIN(cmocka_unit_test(test_examples), cmocka_unit_test(test_first_messages),
        cmocka_unit_test(test_last_messages), cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_hashes), cmocka_unit_test(test_accounts),
        cmocka_unit_test(test_guesses), cmocka_unit_test(test_accounts_no_memory))
