/* source_test.c - keys from elsewhere as a matter of time and bounds, by a clock of the test's own.
 * io */
#include "support/unit.h"

#include <stdio.h>

#include "base/mem.h"
#include "support/token.h"
#include "token/source.h"

#define SECOND 1000ull
#define HOUR (3600 * SECOND)

static EVP_PKEY *rsa, *other;
static char *rsa_pem, *other_pem, *list_ab, *list_b;

static const struct source_bounds bounds = {
        .per_second = 10, .documents = 300, .waiters = 400, .wait_ms = 10000};

struct world {
	struct key_source source;
	uint64_t now;
	struct list told;
	char why[KEY_WHY];
};

static void begin(struct world *w, enum source_kind kind)
{
	memset(w, 0, sizeof *w);
	w->now = 1000 * HOUR;
	list_init(&w->told);
	assert_true(source_init(&w->source, kind, &bounds));
}

static enum key_answer ask(struct world *w, const char *kid, struct key_waiter *waiter)
{
	const char *why = "";
	enum key_answer a = source_ask(&w->source, TOKEN_RS256, str_c(kid), waiter, w->now, &why);
	snprintf(w->why, sizeof w->why, "%s", why);
	return a;
}

static bool have(struct world *w, const char *kid)
{
	bool due = false;
	return source_key(&w->source, TOKEN_RS256, str_c(kid), w->now, &due) != NULL;
}

static void answer(struct world *w, struct key_document *d, enum key_outcome outcome,
        const char *text, int64_t max_age)
{
	struct token_error e;
	struct source_result r = {.outcome = outcome,
	        .status = outcome == KEY_GOOD      ? 200
	                  : outcome == KEY_MISSING ? 404
	                                           : 0,
	        .max_age = max_age,
	        .why = outcome == KEY_GOOD ? "" : "it did not work"};
	assert_non_null(d);
	if (text)
		assert_true(keyset_add_text(&r.keys, str_c(text), "test", &e));
	source_answer(&w->source, d, &r, w->now, &w->told);
	keyset_done(&r.keys);
}

static size_t told(struct world *w)
{
	size_t n = 0;
	while (!list_empty(&w->told)) {
		struct key_waiter *k = LIST_OWNER(w->told.next, struct key_waiter, link);
		assert_null(k->source);
		list_remove(&k->link);
		n++;
	}
	return n;
}

static struct key_document *next(struct world *w)
{
	return source_next(&w->source, w->now);
}

/* One kid, known from here on for max_age seconds. */
static void learn(struct world *w, const char *kid, int64_t max_age)
{
	struct key_waiter k = {0};
	assert_int_equal(ask(w, kid, &k), KEY_WAIT);
	answer(w, next(w), KEY_GOOD, rsa_pem, max_age);
	assert_int_equal(told(w), 1);
	assert_true(have(w, kid));
}

static void one_request_serves_all_who_wait(void **state)
{
	(void)state;
	struct world w;
	struct key_waiter k[5] = {0};
	begin(&w, SOURCE_SERVER);
	for (int i = 0; i < 5; i++)
		assert_int_equal(ask(&w, "a", &k[i]), KEY_WAIT);
	struct key_document *d = next(&w);
	assert_non_null(d);
	assert_null(next(&w));
	assert_string_equal(
	        d->name, "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb");
	assert_true(source_cancel(&k[2]));
	assert_false(source_cancel(&k[2]));
	answer(&w, d, KEY_GOOD, rsa_pem, -1);
	assert_int_equal(told(&w), 4);
	assert_false(source_cancel(&k[0]));
	assert_int_equal(ask(&w, "a", NULL), KEY_READY);
	assert_int_equal(w.source.counters.requests, 1);
	assert_int_equal(w.source.n_waiters, 0);
	/* a key of another type is not asked for again */
	const char *why = "";
	assert_int_equal(
	        source_ask(&w.source, TOKEN_ES256, STR("a"), NULL, w.now, &why), KEY_REFUSED);
	assert_non_null(strstr(why, "another type"));
	source_done(&w.source);
}

static void a_key_is_fresh_as_long_as_was_said_within_bounds(void **state)
{
	(void)state;
	static const struct {
		int64_t said;
		uint64_t fresh_s;
	} cases[] = {{-1, 3600}, {0, 60}, {59, 60}, {600, 600}, {86400, 86400}, {86401, 86400},
	        {INT32_MAX, 86400}, {INT64_MAX, 86400}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct world w;
		begin(&w, SOURCE_SERVER);
		learn(&w, "a", cases[i].said);
		w.now += cases[i].fresh_s * SECOND - 1;
		assert_true(have(&w, "a"));
		w.now += 1;
		assert_false(have(&w, "a"));
		assert_int_equal(ask(&w, "a", NULL), KEY_WAIT);
		source_done(&w.source);
	}
}

static void a_used_key_is_asked_for_before_it_is_out_of_date(void **state)
{
	(void)state;
	struct world w;
	begin(&w, SOURCE_SERVER);
	learn(&w, "a", 3600);
	w.now += 2879 * SECOND;
	assert_true(have(&w, "a"));
	assert_null(next(&w));
	w.now += 1 * SECOND;
	assert_true(have(&w, "a"));
	struct key_document *d = next(&w);
	assert_non_null(d);
	assert_true(have(&w, "a")); /* meanwhile too, and without a second request */
	assert_null(next(&w));
	answer(&w, d, KEY_GOOD, other_pem, 3600);
	w.now += 3599 * SECOND;
	assert_true(have(&w, "a"));
	source_done(&w.source);
}

static void the_last_good_key_serves_a_dead_server_for_an_hour(void **state)
{
	(void)state;
	struct world w;
	struct key_waiter k = {0};
	begin(&w, SOURCE_SERVER);
	learn(&w, "a", 60);
	w.now += 61 * SECOND;
	assert_int_equal(ask(&w, "a", &k), KEY_WAIT);
	answer(&w, next(&w), KEY_FAILED, NULL, -1);
	assert_int_equal(told(&w), 1);
	assert_int_equal(ask(&w, "a", NULL), KEY_READY);
	for (unsigned s = 0; s < 3590; s += 10) {
		w.now += 10 * SECOND;
		assert_true(have(&w, "a"));
		struct key_document *d = next(&w);
		if (d)
			answer(&w, d, KEY_BROKEN, NULL, -1);
	}
	w.now += 10 * SECOND;
	assert_false(have(&w, "a"));
	assert_int_not_equal(ask(&w, "a", NULL), KEY_READY);
	/* asked at most every half minute, and the first times sooner */
	assert_in_range(w.source.counters.requests, 100, 130);
	source_done(&w.source);
}

static void a_key_that_is_withdrawn_is_gone_at_once(void **state)
{
	(void)state;
	struct world w;
	begin(&w, SOURCE_SERVER);
	learn(&w, "a", 60);
	w.now += 61 * SECOND;
	assert_int_equal(ask(&w, "a", NULL), KEY_WAIT);
	answer(&w, next(&w), KEY_MISSING, NULL, -1);
	assert_false(have(&w, "a"));
	assert_int_equal(ask(&w, "a", NULL), KEY_REFUSED);
	assert_non_null(strstr(w.why, "it did not work; asked again in 60 s"));
	assert_int_equal(w.source.n_with_keys, 0);
	assert_int_equal(w.source.n_without_keys, 1);
	source_done(&w.source);
}

static void what_is_not_there_is_not_asked_for_again_for_a_minute(void **state)
{
	(void)state;
	struct world w;
	struct key_waiter k = {0};
	begin(&w, SOURCE_SERVER);
	for (int broken = 0; broken < 2; broken++) {
		const char *kid = broken ? "b" : "a";
		assert_int_equal(ask(&w, kid, &k), KEY_WAIT);
		answer(&w, next(&w), broken ? KEY_BROKEN : KEY_MISSING, NULL, 86400);
		assert_int_equal(told(&w), 1);
		w.now += 59 * SECOND;
		assert_int_equal(ask(&w, kid, &k), KEY_REFUSED);
		w.now += 1 * SECOND;
		assert_int_equal(ask(&w, kid, &k), KEY_WAIT);
		answer(&w, next(&w), KEY_GOOD, rsa_pem, -1);
		assert_int_equal(told(&w), 1);
		assert_true(have(&w, kid));
	}
	assert_int_equal(w.source.counters.refused, 2);
	/* a failure is another matter: asked again soon, then less and less often */
	static const unsigned waits[] = {2, 4, 8, 16, 30, 30};
	for (size_t i = 0; i < sizeof waits / sizeof *waits; i++) {
		assert_int_equal(ask(&w, "c", &k), KEY_WAIT);
		answer(&w, next(&w), KEY_FAILED, NULL, -1);
		assert_int_equal(told(&w), 1);
		w.now += waits[i] * SECOND - 1;
		assert_int_equal(ask(&w, "c", &k), KEY_REFUSED);
		w.now += 1;
	}
	source_done(&w.source);
}

static void ten_thousand_kids_in_ten_seconds_are_a_hundred_requests(void **state)
{
	(void)state;
	struct world w;
	static struct key_waiter k[10000];
	struct key_document *flying[KEY_IN_FLIGHT];
	size_t n = 0, answered = 0;
	uint64_t requests;
	memset(k, 0, sizeof k);
	begin(&w, SOURCE_SERVER);
	learn(&w, "known", -1);
	for (int i = 0; i < 10000; i++) {
		char kid[32];
		snprintf(kid, sizeof kid, "random %d", i);
		(void)ask(&w, kid, &k[i]);
		assert_int_equal(ask(&w, "known", NULL), KEY_READY);
		if (i % 10 == 0) {
			struct key_document *d;
			source_tick(&w.source, w.now, false, &w.told);
			while (n && answered < w.source.counters.requests)
				answer(&w, flying[--n], KEY_MISSING, NULL, -1), answered++;
			while (n < KEY_IN_FLIGHT && (d = next(&w)))
				flying[n++] = d;
		}
		(void)told(&w);
		w.now += 1;
	}
	requests = w.source.counters.requests;
	assert_in_range(requests, 100, 115);
	assert_int_equal(ask(&w, "known", NULL), KEY_READY);
	assert_true(w.source.n_waiters <= KEY_QUEUE_SECONDS * 10 + KEY_IN_FLIGHT);
	assert_true(w.source.n_without_keys <= bounds.documents);
	assert_true(w.source.counters.limit_lookups > 9000);
	/* in the middle of it a known key is refreshed before all of them */
	w.now += HOUR / 5 * 4;
	assert_true(have(&w, "known"));
	struct key_document *d = next(&w);
	assert_non_null(d);
	assert_int_equal(d->keys.n, 1);
	source_tick(&w.source, w.now, true, &w.told);
	(void)told(&w);
	source_done(&w.source);
}

static void nobody_waits_for_longer_than_he_may_and_not_too_many(void **state)
{
	(void)state;
	struct world w;
	static struct key_waiter k[401];
	memset(k, 0, sizeof k);
	begin(&w, SOURCE_SERVER);
	for (int i = 0; i < 400; i++)
		assert_int_equal(ask(&w, "a", &k[i]), KEY_WAIT);
	assert_int_equal(ask(&w, "a", &k[400]), KEY_REFUSED);
	assert_non_null(strstr(w.why, "keys_waiting=400"));
	assert_int_equal(source_due(&w.source, w.now), w.now + 101);
	struct key_document *d = next(&w);
	assert_int_equal(source_due(&w.source, w.now), w.now + 10000);
	w.now += 9999;
	source_tick(&w.source, w.now, false, &w.told);
	assert_int_equal(told(&w), 0);
	w.now += 1;
	source_tick(&w.source, w.now, false, &w.told);
	assert_int_equal(told(&w), 400);
	assert_int_equal(w.source.counters.timeouts, 400);
	answer(&w, d, KEY_GOOD, rsa_pem, -1);
	assert_int_equal(told(&w), 0);
	assert_true(have(&w, "a")); /* for the next one */
	source_done(&w.source);
}

static void whom_nobody_waits_for_is_not_asked_for(void **state)
{
	(void)state;
	struct world w;
	struct key_waiter k[20] = {0};
	begin(&w, SOURCE_SERVER);
	for (int i = 0; i < 20; i++) {
		char kid[16];
		snprintf(kid, sizeof kid, "%d", i);
		assert_int_equal(ask(&w, kid, &k[i]), KEY_WAIT);
	}
	for (int i = 0; i < 19; i++)
		assert_true(source_cancel(&k[i]));
	struct key_document *d = next(&w);
	assert_non_null(d);
	assert_null(next(&w));
	assert_int_equal(w.source.n_without_keys, 1);
	answer(&w, d, KEY_MISSING, NULL, -1);
	assert_int_equal(told(&w), 1);
	source_done(&w.source);
}

static void unknown_kids_push_out_no_known_one(void **state)
{
	(void)state;
	struct world w;
	begin(&w, SOURCE_SERVER);
	learn(&w, "known", 86400);
	for (int i = 0; i < 1000; i++) {
		char kid[32];
		struct key_waiter k = {0};
		snprintf(kid, sizeof kid, "unknown %d", i);
		assert_int_equal(ask(&w, kid, &k), KEY_WAIT);
		answer(&w, next(&w), KEY_MISSING, NULL, -1);
		assert_int_equal(told(&w), 1);
		w.now += 100;
	}
	assert_int_equal(w.source.n_without_keys, bounds.documents);
	assert_true(have(&w, "known"));
	/* known ones give way to known ones, the least recently used first */
	for (unsigned i = 0; i < bounds.documents; i++) {
		char kid[32];
		snprintf(kid, sizeof kid, "good %u", i);
		learn(&w, kid, 86400);
		assert_true(have(&w, "known"));
		w.now += 100;
	}
	assert_false(have(&w, "good 0"));
	assert_true(have(&w, "good 1"));
	assert_int_equal(w.source.counters.evicted, 1);
	source_done(&w.source);
}

static void a_list_is_read_at_the_start_and_again_in_time(void **state)
{
	(void)state;
	struct world w;
	struct key_waiter k = {0};
	begin(&w, SOURCE_LIST);
	assert_int_equal(source_due(&w.source, w.now), 0);
	assert_int_equal(ask(&w, "a", &k), KEY_WAIT);
	source_tick(&w.source, w.now, false, &w.told);
	struct key_document *d = next(&w);
	assert_null(next(&w));
	answer(&w, d, KEY_GOOD, list_ab, 100);
	assert_int_equal(told(&w), 1);
	assert_true(have(&w, "a") && have(&w, "b"));
	assert_int_equal(source_due(&w.source, w.now), w.now + 80 * SECOND);
	w.now += 80 * SECOND;
	source_tick(&w.source, w.now, false, &w.told);
	answer(&w, next(&w), KEY_GOOD, list_b, 100);
	assert_false(have(&w, "a")); /* removed keys die with the next good answer */
	assert_true(have(&w, "b"));
	source_done(&w.source);
}

static void an_unknown_kid_has_the_list_read_once_in_half_a_minute(void **state)
{
	(void)state;
	struct world w;
	struct key_waiter k = {0};
	begin(&w, SOURCE_LIST);
	source_tick(&w.source, w.now, false, &w.told);
	answer(&w, next(&w), KEY_GOOD, list_b, 3600);
	for (int i = 0; i < 3000; i++) {
		char kid[32];
		snprintf(kid, sizeof kid, "x%d", i);
		if (ask(&w, kid, i % 100 ? NULL : &k) == KEY_WAIT && k.source)
			assert_true(source_cancel(&k));
		struct key_document *d = next(&w);
		if (d)
			answer(&w, d, KEY_GOOD, i < 2000 ? list_b : list_ab, 3600);
		assert_int_equal(ask(&w, "b", NULL), KEY_READY);
		w.now += 100;
	}
	assert_in_range(w.source.counters.requests, 9, 12);
	assert_int_equal(ask(&w, "a", NULL), KEY_READY);
	source_reload(&w.source);
	answer(&w, next(&w), KEY_GOOD, list_ab, 3600);
	w.now += 29 * SECOND;
	assert_int_equal(ask(&w, "nobody", NULL), KEY_REFUSED);
	assert_non_null(strstr(w.why, "the key list has no such key: it holds 2"));
	source_done(&w.source);
}

static void a_broken_list_leaves_the_last_good_one(void **state)
{
	(void)state;
	static const enum key_outcome outcomes[] = {KEY_BROKEN, KEY_FAILED};
	struct world w;
	begin(&w, SOURCE_LIST);
	source_tick(&w.source, w.now, false, &w.told);
	answer(&w, next(&w), KEY_GOOD, list_ab, 60);
	uint64_t end = w.now + 60 * SECOND + HOUR;
	for (unsigned i = 0; w.now < end; i++) {
		source_tick(&w.source, w.now, false, &w.told);
		struct key_document *d = next(&w);
		if (d)
			answer(&w, d, outcomes[i % 2], NULL, -1);
		assert_true(have(&w, "a") && have(&w, "b"));
		w.now += SECOND;
	}
	assert_false(have(&w, "a"));
	source_tick(&w.source, w.now + 30 * SECOND, false, &w.told);
	answer(&w, next(&w), KEY_GOOD, list_ab, 60);
	assert_true(have(&w, "a"));
	source_done(&w.source);
}

static void a_file_is_looked_at_often_and_its_keys_last(void **state)
{
	(void)state;
	struct world w;
	begin(&w, SOURCE_FILE);
	source_tick(&w.source, w.now, false, &w.told);
	answer(&w, next(&w), KEY_GOOD, list_ab, -1);
	for (int i = 0; i < 5000; i++) {
		source_tick(&w.source, w.now, false, &w.told);
		struct key_document *d = next(&w);
		if (d)
			answer(&w, d, i % 2 ? KEY_FAILED : KEY_SAME, NULL, -1);
		assert_true(have(&w, "a"));
		w.now += 2 * SECOND;
	}
	assert_true(w.source.counters.requests > 1600);
	source_reload(&w.source);
	assert_non_null(next(&w));
	source_done(&w.source);
}

static void cache_control_is_read(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t want;
	} cases[] = {{"max-age=300", 300}, {"public, Max-Age = 60 , immutable", 60},
	        {"max-age=\"5\"", 5}, {"no-store", 0}, {"max-age=5, no-cache", 0},
	        {"s-maxage=7", -1}, {"", -1}, {"max-age=", -1}, {"max-age=-1", -1},
	        {"max-age=99999999999999999999", -1}, {"max-age=9999999999", INT32_MAX},
	        {"max-age=1,max-age=2", 1}, {",,=,max-age", -1}, {"max-age=1x", -1}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(source_max_age(str_c(cases[i].text)), cases[i].want);
	assert_int_equal(source_max_age(STR_NONE), -1);
}

static int setup(void **state)
{
	(void)state;
	struct buf b;
	rsa = test_key(TOKEN_FAMILY_RSA);
	other = test_key(TOKEN_FAMILY_RSA);
	rsa_pem = test_pem(rsa);
	other_pem = test_pem(other);
	char *a = test_jwk(rsa, TOKEN_FAMILY_RSA, "\"kid\":\"a\","),
	     *c = test_jwk(other, TOKEN_FAMILY_RSA, "\"kid\":\"b\",");
	buf_init(&b, 0);
	buf_printf(&b, "{\"keys\":[%s,%s]}", a, c);
	list_ab = buf_steal(&b);
	buf_printf(&b, "{\"keys\":[%s]}", c);
	list_b = buf_steal(&b);
	mem_free(a);
	mem_free(c);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(other);
	mem_free(rsa_pem);
	mem_free(other_pem);
	mem_free(list_ab);
	mem_free(list_b);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(one_request_serves_all_who_wait),
	        cmocka_unit_test(a_key_is_fresh_as_long_as_was_said_within_bounds),
	        cmocka_unit_test(a_used_key_is_asked_for_before_it_is_out_of_date),
	        cmocka_unit_test(the_last_good_key_serves_a_dead_server_for_an_hour),
	        cmocka_unit_test(a_key_that_is_withdrawn_is_gone_at_once),
	        cmocka_unit_test(what_is_not_there_is_not_asked_for_again_for_a_minute),
	        cmocka_unit_test(ten_thousand_kids_in_ten_seconds_are_a_hundred_requests),
	        cmocka_unit_test(nobody_waits_for_longer_than_he_may_and_not_too_many),
	        cmocka_unit_test(whom_nobody_waits_for_is_not_asked_for),
	        cmocka_unit_test(unknown_kids_push_out_no_known_one),
	        cmocka_unit_test(a_list_is_read_at_the_start_and_again_in_time),
	        cmocka_unit_test(an_unknown_kid_has_the_list_read_once_in_half_a_minute),
	        cmocka_unit_test(a_broken_list_leaves_the_last_good_one),
	        cmocka_unit_test(a_file_is_looked_at_often_and_its_keys_last),
	        cmocka_unit_test(cache_control_is_read),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown);
}
