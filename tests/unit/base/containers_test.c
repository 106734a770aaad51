/* containers_test.c - map, list, arena, block, timer wheel, token bucket. io */
#include "support/unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/block.h"
#include "base/limit.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/timer.h"

#define KEYS 500

/* Against a plain table: random puts and removes, every look-up compared. */
static void a_map_agrees_with_a_plain_table(void **state)
{
	(void)state;
	static char names[KEYS][16];
	static int there[KEYS];
	struct map m;
	map_init(&m);
	srand(7);
	for (int i = 0; i < KEYS; i++)
		snprintf(names[i], sizeof names[i], "key-%d", i);
	for (int step = 0; step < 20000; step++) {
		int i = rand() % KEYS;
		if (rand() % 2) {
			assert_true(map_put(&m, str_c(names[i]), names[i]));
			there[i] = 1;
		} else {
			assert_ptr_equal(
			        map_remove(&m, str_c(names[i])), there[i] ? names[i] : NULL);
			there[i] = 0;
		}
		int probe = rand() % KEYS;
		assert_ptr_equal(
		        map_get(&m, str_c(names[probe])), there[probe] ? names[probe] : NULL);
	}
	size_t count = 0, pos = 0;
	while (map_next(&m, &pos))
		count++;
	assert_int_equal(count, m.n);
	map_done(&m);
}

static void a_map_without_memory_stays_as_it_was(void **state)
{
	(void)state;
	struct map m;
	int value = 1;
	map_init(&m);
	mem_budget_set(0);
	assert_false(map_put(&m, STR("a"), &value));
	mem_budget_set(-1);
	assert_null(map_get(&m, STR("a")));
	map_done(&m);
}

static void an_arena_is_bounded_and_reusable(void **state)
{
	(void)state;
	struct arena a;
	arena_init(&a, 10000);
	for (int round = 0; round < 3; round++) {
		char *big = arena_alloc(&a, 8000);
		assert_non_null(big);
		memset(big, 1, 8000);
		assert_null(arena_alloc(&a, 4000));
		assert_str(arena_str(&a, STR("abc")), "abc");
		arena_reset(&a);
	}
	arena_done(&a);
}

static void a_block_lives_until_its_last_reference(void **state)
{
	(void)state;
	struct block *b = block_new(STR("presence"));
	block_ref(b);
	block_unref(b);
	assert_str(block_view(b), "presence");
	block_unref(b);
}

struct firing {
	struct timer timer;
	struct timer_wheel *wheel;
	uint64_t fired_at;
	int count;
};

static void on_fire(void *arg, uint64_t now_ms)
{
	struct firing *f = arg;
	f->fired_at = now_ms;
	f->count++;
}

static void on_fire_again(void *arg, uint64_t now_ms)
{
	struct firing *f = arg;
	on_fire(arg, now_ms);
	timer_start(f->wheel, &f->timer, now_ms + 100, on_fire_again, f);
}

static void timers_fire_once_when_due_also_after_many_rounds(void **state)
{
	(void)state;
	static struct timer_wheel w;
	struct firing soon = {0}, late = {0}, stopped = {0};
	timer_wheel_init(&w, 1000);
	timer_start(&w, &soon.timer, 1250, on_fire, &soon);
	timer_start(&w, &late.timer, 1000 + 3 * 512 * 100 + 50, on_fire, &late);
	timer_start(&w, &stopped.timer, 1300, on_fire, &stopped);
	timer_stop(&stopped.timer);
	for (uint64_t now = 1000; now < 400000; now += 30)
		timer_wheel_run(&w, now);
	assert_int_equal(soon.count, 1);
	assert_in_range(soon.fired_at, 1250, 1400);
	assert_int_equal(late.count, 1);
	assert_in_range(late.fired_at, 154650, 154800);
	assert_int_equal(stopped.count, 0);
}

static void a_timer_may_restart_itself(void **state)
{
	(void)state;
	static struct timer_wheel w;
	struct firing f = {.wheel = &w};
	timer_wheel_init(&w, 0);
	timer_start(&w, &f.timer, 100, on_fire_again, &f);
	for (uint64_t now = 0; now <= 1000; now += 100)
		timer_wheel_run(&w, now);
	assert_int_equal(f.count, 10);
	timer_wheel_run(&w, 10000000);
	assert_int_equal(f.count, 11);
}

static void a_token_bucket_refills(void **state)
{
	(void)state;
	struct limit l = {0};
	for (int i = 0; i < 5; i++)
		assert_true(limit_take(&l, 1, 10, 5, 1000));
	assert_false(limit_take(&l, 1, 10, 5, 1000));
	assert_false(limit_take(&l, 1, 10, 5, 1050));
	assert_true(limit_take(&l, 1, 10, 5, 1150));
}

UNIT_MAIN(cmocka_unit_test(a_map_agrees_with_a_plain_table),
        cmocka_unit_test(a_map_without_memory_stays_as_it_was),
        cmocka_unit_test(an_arena_is_bounded_and_reusable),
        cmocka_unit_test(a_block_lives_until_its_last_reference),
        cmocka_unit_test(timers_fire_once_when_due_also_after_many_rounds),
        cmocka_unit_test(a_timer_may_restart_itself), cmocka_unit_test(a_token_bucket_refills))
