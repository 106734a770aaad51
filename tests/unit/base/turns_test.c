/* turns_test.c - who is next: the light before the heavy, strangers by their address, and nobody
 * never. io */
#include "base/turns.h"

#include "support/unit.h"

#define MS UINT64_C(1000000)

/* Lets one run and wait again, for so many ns. */
static struct turn *run(struct turns *ts, uint64_t *now, uint64_t ran)
{
	struct turn *t = turns_next(ts, *now);
	assert_non_null(t);
	*now += ran;
	turns_charge(ts, t, ran, *now);
	turns_add(ts, t, *now);
	return t;
}

static void one_that_waits_runs_once(void **state)
{
	(void)state;
	struct turns ts;
	struct turn a = {0}, b = {0};
	turns_init(&ts);
	assert_null(turns_next(&ts, MS));
	turns_add(&ts, &a, MS);
	turns_add(&ts, &a, MS);
	turns_add(&ts, &b, MS);
	assert_true(turn_waits(&a));
	turns_remove(&b);
	turns_remove(&b);
	assert_ptr_equal(turns_next(&ts, MS), &a);
	assert_false(turn_waits(&a));
	assert_null(turns_next(&ts, MS));
}

static void a_light_peer_goes_before_a_hundred_heavy_ones(void **state)
{
	(void)state;
	struct turns ts;
	struct turn heavy[100] = {0}, light = {.kind = TURN_PEER};
	uint64_t now = 1000 * MS, worst = 0;
	turns_init(&ts);
	for (int i = 0; i < 100; i++) {
		turn_known(&heavy[i], now);
		turns_add(&ts, &heavy[i], now);
	}
	for (int i = 0; i < 20000; i++) { /* two seconds of a flood */
		assert_ptr_not_equal(run(&ts, &now, MS / 10), &light);
		if (i % 100 == 0)
			turns_age(&ts);
	}
	for (int i = 0; i < 100; i++) {
		uint64_t since = now;
		turns_add(&ts, &light, now);
		struct turn *t;
		while ((t = turns_next(&ts, now)) != &light) {
			now += MS / 10;
			turns_charge(&ts, t, MS / 10, now);
			turns_add(&ts, t, now);
		}
		worst = now - since > worst ? now - since : worst;
		now += MS / 50;
		turns_charge(&ts, &light, MS / 50, now);
		for (int k = 0; k < 250; k++)
			(void)run(&ts, &now, MS / 10);
		turns_age(&ts);
	}
	assert_true(worst <= MS / 10);
	assert_true(light.used < heavy[0].used);
}

static void all_heavy_ones_have_their_turn(void **state)
{
	(void)state;
	struct turns ts;
	struct turn peers[20] = {0}, *t;
	int ran[20] = {0};
	uint64_t now = 1000 * MS;
	turns_init(&ts);
	for (int i = 0; i < 20; i++) {
		turn_known(&peers[i], now);
		turns_add(&ts, &peers[i], now);
	}
	/* the first half asks for much less than the second, and for all that there is */
	for (int i = 0; i < 20000; i++) {
		t = turns_next(&ts, now);
		ran[t - peers]++;
		uint64_t cost = t - peers < 10 ? MS / 20 : MS;
		now += cost;
		turns_charge(&ts, t, cost, now);
		turns_add(&ts, t, now);
		if (i % 100 == 0)
			turns_age(&ts);
	}
	for (int i = 0; i < 20; i++)
		assert_true(ran[i] > 50);
	assert_true(ran[0] > 2 * ran[19]);
}

static void strangers_do_not_take_the_thread_from_peers(void **state)
{
	(void)state;
	struct turns ts;
	struct turn strangers[1000] = {0}, peers[10] = {0}, door = {.kind = TURN_DOOR},
	            house = {.kind = TURN_HOUSE};
	uint64_t now = 1000 * MS, had[TURN_KINDS] = {0}, all = 0;
	turns_init(&ts);
	for (int i = 0; i < 1000; i++)
		turns_add(&ts, &strangers[i], now);
	for (int i = 0; i < 10; i++) {
		turn_known(&peers[i], now);
		turns_add(&ts, &peers[i], now);
	}
	turns_add(&ts, &door, now);
	turns_add(&ts, &house, now);
	for (int i = 0; i < 20000; i++) {
		struct turn *t = run(&ts, &now, MS / 20);
		had[t->kind] += MS / 20;
		all += MS / 20;
	}
	assert_true(had[TURN_PEER] * 100 > all * 35);
	assert_true(had[TURN_STRANGER] * 100 > all * 15 && had[TURN_STRANGER] * 100 < all * 25);
	assert_true(had[TURN_DOOR] * 100 > all * 15);
	assert_true(had[TURN_HOUSE] * 100 > all * 15);
}

static void a_stranger_waits_for_others_of_his_address_only(void **state)
{
	(void)state;
	struct turns ts;
	struct turn_account many = {0}, few = {0};
	struct turn flood[200] = {0}, one = {.account = &few}, proxy = {0};
	uint64_t now = 1000 * MS;
	turns_init(&ts);
	for (int i = 0; i < 200; i++) {
		flood[i].account = &many;
		turns_add(&ts, &flood[i], now);
	}
	for (int i = 0; i < 1000; i++)
		(void)run(&ts, &now, MS / 5);
	turns_add(&ts, &one, now);
	turns_add(&ts, &proxy, now);
	assert_ptr_equal(turns_next(&ts, now), &one);
	turns_charge(&ts, &one, MS / 5, now);
	assert_ptr_equal(turns_next(&ts, now), &proxy);
	/* what an address has used is forgotten */
	now += 30000 * MS;
	struct turn late = {.account = &many};
	for (int i = 0; i < 200; i++)
		turns_remove(&flood[i]);
	turns_add(&ts, &one, now);
	turns_add(&ts, &late, now);
	assert_ptr_equal(turns_next(&ts, now), &one);
	assert_ptr_equal(turns_next(&ts, now), &late);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(one_that_waits_runs_once),
	        cmocka_unit_test(a_light_peer_goes_before_a_hundred_heavy_ones),
	        cmocka_unit_test(all_heavy_ones_have_their_turn),
	        cmocka_unit_test(strangers_do_not_take_the_thread_from_peers),
	        cmocka_unit_test(a_stranger_waits_for_others_of_his_address_only),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
