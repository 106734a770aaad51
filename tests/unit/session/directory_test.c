/* directory_test.c - where conferences are: entries live as long as they are held, loads and sums
 * add up, and tests can be sent astray. io */
#include "support/unit.h"

#include <pthread.h>
#include <stdio.h>

#include "base/mem.h"
#include "session/directory.h"
#include "session/session.h"

#define DEMO STR("demo@muc.x")

static void an_entry_lives_while_it_is_held(void **state)
{
	(void)state;
	struct directory *d = directory_new(2, false);
	unsigned w = 9;
	assert_false(directory_find(d, DEMO, &w));
	struct directory_entry *e = directory_claim(d, DEMO, 1);
	assert_int_equal(e->worker, 1);
	assert_str(e->room, "demo@muc.x");
	assert_true(directory_find(d, DEMO, &w));
	assert_int_equal(w, 1);
	struct directory_entry *again = directory_claim(d, DEMO, 0); /* it stays where it is */
	assert_ptr_equal(again, e);
	assert_int_equal(directory_size(d), 1);
	directory_release(d, again);
	directory_hold(d, e);
	directory_release(d, e);
	assert_true(directory_find(d, DEMO, &w));
	directory_release(d, e);
	assert_false(directory_find(d, DEMO, &w));
	assert_int_equal(directory_load(d, 1), 0);
	directory_release(d, NULL);
	directory_free(d);
}

static void a_room_holds_its_own(void **state)
{
	(void)state;
	struct directory *d = directory_new(2, false);
	unsigned w;
	assert_false(directory_room_opened(d, DEMO, 0)); /* nobody asked for it */
	struct directory_entry *e = directory_claim(d, DEMO, 0);
	assert_false(directory_room_opened(d, DEMO, 1)); /* it is not there */
	assert_true(directory_room_opened(d, DEMO, 0));
	directory_release(d, e);
	assert_true(directory_find(d, DEMO, &w));
	directory_room_ended(d, DEMO);
	assert_false(directory_find(d, DEMO, &w));
	directory_room_ended(d, DEMO);
	directory_free(d);
}

static void sockets_go_to_their_room_or_where_least_is(void **state)
{
	(void)state;
	struct directory *d = directory_new(3, false);
	struct directory_entry *none, *a, *b;
	assert_int_equal(directory_place(d, STR_NONE, &none), 0);
	assert_null(none);
	assert_int_equal(directory_place(d, STR_NONE, &none), 1);
	assert_int_equal(directory_place(d, DEMO, &a), 2); /* a new conference, the least loaded */
	assert_int_equal(directory_load(d, 2), 2);
	assert_int_equal(directory_place(d, DEMO, &b), 2);
	assert_ptr_equal(a, b);
	directory_placed(d, 2, a);
	directory_placed(d, 2, b);
	directory_placed(d, 0, NULL);
	directory_placed(d, 1, NULL);
	assert_int_equal(directory_size(d), 0);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(directory_load(d, i), 0);
	/* near by until another has much less to do */
	struct directory_entry *many[64];
	char name[32];
	unsigned moved = 0;
	for (unsigned i = 0; i < 64; i++) {
		snprintf(name, sizeof name, "r%u@muc.x", i);
		many[i] = directory_claim(d, str_c(name), 0);
		moved += many[i]->worker != 0;
	}
	assert_true(moved > 10);
	assert_int_equal(many[0]->worker, 0);
	for (unsigned i = 0; i < 64; i++)
		directory_release(d, many[i]);
	directory_free(d);
}

static void tests_go_astray(void **state)
{
	(void)state;
	struct directory *d = directory_new(2, true);
	struct directory_entry *e, *held;
	e = directory_claim(d, DEMO, 0);
	assert_int_equal(e->worker, 1);
	assert_int_equal(directory_place(d, DEMO, &held), 0);
	directory_placed(d, 0, held);
	directory_release(d, e);
	directory_free(d);
}

static void sessions_are_counted_together(void **state)
{
	(void)state;
	struct directory *d = directory_new(2, false);
	assert_true(directory_take_session(d, 0, 2));
	assert_true(directory_take_session(d, 1, 2));
	assert_false(directory_take_session(d, 1, 2));
	assert_int_equal(directory_sessions(d), 2);
	assert_int_equal(directory_load(d, 1), 1);
	directory_give_session(d, 0);
	assert_true(directory_take_session(d, 1, 2));
	directory_give_session(d, 1);
	directory_give_session(d, 1);
	assert_int_equal(directory_sessions(d), 0);
	directory_free(d);
}

static void *claim_and_release(void *arg)
{
	struct directory *d = arg;
	char name[32];
	for (unsigned i = 0; i < 2000; i++) {
		snprintf(name, sizeof name, "r%u@muc.x", i % 7);
		struct directory_entry *e = directory_claim(d, str_c(name), i % 2);
		if (!e || e->worker > 1 || !str_eqc(e->room, name))
			return arg;
		directory_release(d, e);
	}
	return NULL;
}

static void threads_may_share_it(void **state)
{
	(void)state;
	struct directory *d = directory_new(2, false);
	pthread_t t[3];
	void *bad;
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&t[i], NULL, claim_and_release, d), 0);
	for (unsigned i = 0; i < 3; i++) {
		pthread_join(t[i], &bad);
		assert_null(bad);
	}
	assert_int_equal(directory_size(d), 0);
	assert_int_equal(directory_load(d, 0) + directory_load(d, 1), 0);
	directory_free(d);
}

static void without_memory_nothing_changes(void **state)
{
	(void)state;
	struct directory *d = directory_new(2, false);
	for (long budget = 0; budget < 2; budget++) {
		struct directory_entry *held;
		mem_budget_set(budget);
		struct directory_entry *e = directory_claim(d, DEMO, 0);
		mem_budget_set(-1);
		assert_null(e);
		mem_budget_set(budget);
		unsigned w = directory_place(d, DEMO, &held);
		mem_budget_set(-1);
		assert_null(held);
		directory_placed(d, w, held);
	}
	assert_int_equal(directory_size(d), 0);
	assert_int_equal(directory_load(d, 0) + directory_load(d, 1), 0);
	directory_free(d);
}

static void expect_room(const char *query, const char *want)
{
	const struct muc_host muc = muc_host_make(STR("muc.x"), STR("x"), true);
	struct buf b;
	buf_init(&b, 0);
	session_room_of_query(str_c(query), &muc, &b);
	assert_str(buf_view(&b), want);
	buf_done(&b);
}

static void a_url_names_a_room(void **state)
{
	(void)state;
	expect_room("room=demo", "demo@muc.x");
	expect_room("token=a.b.c&room=Demo", "demo@muc.x");
	expect_room("room=demo&prefix=acme", "demo@muc.acme.x");
	expect_room("room=demo&prefix=A.Cme", "demo@muc.a_cme.x");
	expect_room("room=demo&prefix=", "demo@muc.x");
	expect_room("", "");
	expect_room("room=", "");
	expect_room("room=a&room=b", "");
	expect_room("room=%ff", "");
}

UNIT_MAIN(cmocka_unit_test(an_entry_lives_while_it_is_held), cmocka_unit_test(a_room_holds_its_own),
        cmocka_unit_test(sockets_go_to_their_room_or_where_least_is),
        cmocka_unit_test(tests_go_astray), cmocka_unit_test(sessions_are_counted_together),
        cmocka_unit_test(threads_may_share_it), cmocka_unit_test(without_memory_nothing_changes),
        cmocka_unit_test(a_url_names_a_room))
