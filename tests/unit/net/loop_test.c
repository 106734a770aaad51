/* loop_test.c - turns: what is put off runs at their end, time stands still within one, ticks tell
 * the time first. io */
#include "support/unit.h"

#include <signal.h>
#include <time.h>

#include "net/loop.h"
#include "support/wire.h"

struct order {
	struct loop *loop;
	struct loop_task a, b;
	struct timer timer;
	char log[64];
	uint64_t seen_ms;
};

static void note(struct order *o, const char *what)
{
	strncat(o->log, what, sizeof o->log - strlen(o->log) - 1);
}

static void run_b(void *arg)
{
	struct order *o = arg;
	note(o, "b");
}

static void run_a(void *arg)
{
	struct order *o = arg;
	note(o, "a");
	loop_defer(o->loop, &o->b);
}

static void deferred_tasks_run_once_and_bring_others(void **state)
{
	(void)state;
	struct order o = {.loop = loop_new(), .a = {.fn = run_a}, .b = {.fn = run_b}};
	o.a.arg = o.b.arg = &o;
	loop_defer(o.loop, &o.a);
	loop_defer(o.loop, &o.a);
	loop_turn(o.loop);
	assert_string_equal(o.log, "ab");
	loop_defer(o.loop, &o.a);
	loop_undefer(&o.a);
	loop_turn(o.loop);
	assert_string_equal(o.log, "ab");
	loop_free(o.loop);
}

static void run_c(void *arg)
{
	note(arg, "c");
}

static void later_tasks_wait_and_can_be_brought_forward(void **state)
{
	(void)state;
	struct order o = {.loop = loop_new(), .a = {.fn = run_c}, .b = {.fn = run_b}};
	o.a.arg = o.b.arg = &o;
	loop_later(o.loop, &o.a);
	loop_later(o.loop, &o.a);
	loop_defer(o.loop, &o.b);
	wire_turn(o.loop, 10 * LOOP_LATER_MS);
	assert_string_equal(o.log, "bc");
	loop_later(o.loop, &o.a);
	loop_defer(o.loop, &o.a);
	loop_later(o.loop, &o.a);
	loop_turn(o.loop);
	assert_string_equal(o.log, "bcc");
	loop_later(o.loop, &o.b);
	loop_undefer(&o.b);
	wire_turn(o.loop, 10 * LOOP_LATER_MS);
	assert_string_equal(o.log, "bcc");
	loop_later(o.loop, &o.b);
	loop_free(o.loop);
	assert_string_equal(o.log, "bccb");
}

static void on_tick(void *arg)
{
	note(arg, "t");
}

static void on_timer(void *arg, uint64_t now_ms)
{
	struct order *o = arg;
	note(o, "w");
	o->seen_ms = now_ms;
}

static void ticks_tell_the_time_before_timers(void **state)
{
	(void)state;
	struct order o = {.loop = loop_new()};
	uint64_t start = loop_now_ms(o.loop);
	loop_on_tick(o.loop, on_tick, &o);
	timer_start(loop_timers(o.loop), &o.timer, start + 150, on_timer, &o);
	wire_turn(o.loop, 450);
	char *w = strchr(o.log, 'w');
	assert_non_null(w);
	assert_true(w > o.log && w[-1] == 't');
	assert_null(strchr(w + 1, 'w'));
	assert_true(o.seen_ms >= start + 150);
	assert_false(timer_running(&o.timer));
	loop_free(o.loop);
}

static void the_wall_clock_is_the_systems(void **state)
{
	(void)state;
	struct loop *l = loop_new();
	double now = (double)time(NULL), seen = loop_wall_s(l);
	assert_true(seen > now - 2 && seen < now + 2);
	loop_free(l);
}

static void on_signal(void *arg, int signum)
{
	struct order *o = arg;
	note(o, signum == SIGUSR1 ? "1" : "?");
	loop_stop(o->loop);
}

static void signals_arrive_on_the_loop(void **state)
{
	(void)state;
	struct order o = {.loop = loop_new()};
	assert_int_equal(loop_on_signal(o.loop, SIGUSR1, on_signal, &o), 0);
	raise(SIGUSR1);
	loop_run(o.loop);
	assert_string_equal(o.log, "1");
	loop_free(o.loop);
}

UNIT_MAIN(cmocka_unit_test(deferred_tasks_run_once_and_bring_others),
        cmocka_unit_test(later_tasks_wait_and_can_be_brought_forward),
        cmocka_unit_test(ticks_tell_the_time_before_timers),
        cmocka_unit_test(the_wall_clock_is_the_systems),
        cmocka_unit_test(signals_arrive_on_the_loop))
