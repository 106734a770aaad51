/* openers_test.c - rooms in total, per address and per session, and without memory. io */
#include "support/unit.h"

#include "base/mem.h"
#include "room/openers.h"

#define PEER STR("192.0.2.1")

static const struct openers_bounds bounds = {.rooms = 4, .per_address = 3, .per_session = 2};

struct held {
	struct opener *address, *session;
};

static enum openers_answer take(
        struct openers *o, struct str address, const char *session, struct held *h)
{
	*h = (struct held){NULL, NULL};
	return openers_take(o, &bounds, address, str_c(session), &h->address, &h->session);
}

static void bounds_hold(void **state)
{
	(void)state;
	struct openers *o = openers_new();
	struct held a, b, c, d, over;
	assert_int_equal(take(o, PEER, "s1", &a), OPENERS_TAKEN);
	assert_int_equal(take(o, PEER, "s1", &b), OPENERS_TAKEN);
	assert_int_equal(take(o, PEER, "s1", &over), OPENERS_SESSION);
	assert_null(over.address); /* nothing was counted */
	openers_entered(o, &a.session);
	assert_int_equal(take(o, PEER, "s1", &c), OPENERS_TAKEN);
	openers_entered(o, &c.session);
	assert_int_equal(take(o, PEER, "s1", &over), OPENERS_ADDRESS);
	assert_int_equal(take(o, STR_NONE, "s1", &d), OPENERS_TAKEN); /* loopback */
	assert_int_equal(take(o, STR_NONE, "s2", &over), OPENERS_TOTAL);
	openers_give(o, &a.address, &a.session);
	assert_int_equal(take(o, PEER, "s2", &a), OPENERS_TAKEN);
	openers_give(o, &a.address, &a.session);
	openers_give(o, &b.address, &b.session);
	openers_give(o, &c.address, &c.session);
	openers_give(o, &d.address, &d.session);
	assert_int_equal(o->rooms, 0);
	assert_int_equal(o->addresses.n + o->waiting.n, 0);
	openers_free(o);
}

static void rooms_that_a_session_is_in(void **state)
{
	(void)state;
	struct openers *o = openers_new();
	struct opener *one = openers_enter(o, STR("s1")), *two = openers_enter(o, STR("s1"));
	assert_int_equal(openers_inside(o, STR("s1")), 2);
	assert_int_equal(openers_inside(o, STR("s2")), 0);
	openers_leave(o, &one);
	openers_leave(o, &one); /* it holds nothing any more */
	assert_int_equal(openers_inside(o, STR("s1")), 1);
	openers_leave(o, &two);
	assert_int_equal(o->inside.n, 0);
	openers_free(o);
}

static void without_memory_nothing_is_counted(void **state)
{
	(void)state;
	struct openers *o = openers_new();
	struct held h;
	for (long budget = 0; budget < 4; budget++) {
		mem_budget_set(budget);
		enum openers_answer a = take(o, PEER, "s1", &h);
		mem_budget_set(-1);
		assert_int_equal(a, OPENERS_NOMEM);
		assert_null(h.address);
		assert_int_equal(o->rooms, 0);
		assert_int_equal(o->addresses.n + o->waiting.n, 0);
		map_done(&o->addresses); /* each round grows its tables anew */
		map_init(&o->addresses);
		map_done(&o->waiting);
		map_init(&o->waiting);
	}
	mem_budget_set(0);
	assert_null(openers_enter(o, STR("s1")));
	mem_budget_set(-1);
	openers_free(o);
}

UNIT_MAIN(cmocka_unit_test(bounds_hold), cmocka_unit_test(rooms_that_a_session_is_in),
        cmocka_unit_test(without_memory_nothing_is_counted))
