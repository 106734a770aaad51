/* sm_test.c - counts of stream management: kept, acknowledged, forgotten, around 2^32. io */
#include "support/unit.h"

#include "base/mem.h"
#include "session/sm.h"
#include "xmpp/xml.h"

static void only_stanzas_count(void **state)
{
	(void)state;
	assert_true(sm_counts(STR("<iq type='get'")));
	assert_true(sm_counts(STR("<presence>")));
	assert_true(sm_counts(STR("<message/>")));
	assert_false(sm_counts(STR("<iq")));
	assert_false(sm_counts(STR("<iqs/>")));
	assert_false(sm_counts(STR("<r xmlns='urn:xmpp:sm:3'/>")));
	assert_false(sm_counts(STR("")));
	const struct element e = {.name = STR("messages"), .ns = STR("")};
	assert_false(sm_counts_element(&e));
}

static void what_is_acknowledged_is_let_go(void **state)
{
	(void)state;
	struct sm m = {.resumable = true};
	struct block *tail = block_new(STR(" from='x'/>"));
	for (unsigned i = 0; i < 5; i++)
		sm_sent(&m, STR("<message"), tail);
	assert_int_equal(tail->refs, 6);
	assert_int_equal(m.n, 5);
	assert_int_equal(m.bytes, 5 * (8 + 11 + SM_STANZA_OVERHEAD));
	assert_true(sm_holds(&m, 0));
	assert_true(sm_holds(&m, 5));
	assert_false(sm_holds(&m, 6));
	assert_true(sm_acknowledge(&m, 3));
	assert_int_equal(m.n, 2);
	assert_int_equal(tail->refs, 3);
	assert_false(sm_acknowledge(&m, 2)); /* less than before */
	assert_false(sm_acknowledge(&m, 6)); /* more than was sent */
	assert_int_equal(m.n, 2);
	assert_true(sm_acknowledge(&m, 3));
	sm_bound(&m, 1, 1000);
	assert_int_equal(m.n, 1);
	assert_false(sm_holds(&m, 3)); /* the fourth is forgotten */
	assert_true(sm_holds(&m, 4));
	sm_bound(&m, 10, 5);
	assert_int_equal(m.n, 0);
	assert_int_equal(m.bytes, 0);
	assert_int_equal(tail->refs, 1);
	assert_true(sm_acknowledge(&m, 5));
	assert_true(sm_holds(&m, 5));
	sm_done(&m);
	block_unref(tail);
}

static void counts_go_around(void **state)
{
	(void)state;
	struct sm m = {.resumable = true, .sent = UINT32_MAX - 1, .acked = UINT32_MAX - 1};
	for (unsigned i = 0; i < 4; i++)
		sm_sent(&m, STR("<iq/>"), NULL);
	assert_int_equal(m.sent, 2);
	assert_true(sm_holds(&m, UINT32_MAX - 1));
	assert_true(sm_acknowledge(&m, UINT32_MAX));
	assert_int_equal(m.n, 3);
	assert_true(sm_acknowledge(&m, 1));
	assert_int_equal(m.n, 1);
	assert_false(sm_acknowledge(&m, UINT32_MAX));
	sm_done(&m);
}

static void without_memory_nothing_is_kept_and_nothing_is_wrong(void **state)
{
	(void)state;
	struct sm m = {.resumable = true};
	sm_sent(&m, STR("<iq/>"), NULL);
	mem_budget_set(0);
	sm_sent(&m, STR("<iq/>"), NULL);
	mem_budget_set(-1);
	assert_int_equal(m.sent, 2);
	assert_int_equal(m.n, 0);
	assert_false(sm_holds(&m, 0));
	assert_false(sm_holds(&m, 1));
	assert_true(sm_holds(&m, 2));
	sm_sent(&m, STR("<iq/>"), NULL);
	assert_true(sm_acknowledge(&m, 1));
	assert_int_equal(m.n, 1);
	assert_true(sm_holds(&m, 2));
	sm_done(&m);
	struct sm counts_only = {0};
	sm_sent(&counts_only, STR("<iq/>"), NULL);
	assert_int_equal(counts_only.sent, 1);
	assert_int_equal(counts_only.n, 0);
}

static void counts_and_ids_are_read_strictly(void **state)
{
	(void)state;
	uint32_t h = 7;
	unsigned w = 0;
	struct sm m = {0};
	assert_true(sm_read_count(STR("0"), &h) && h == 0);
	assert_true(sm_read_count(STR("4294967295"), &h) && h == UINT32_MAX);
	assert_false(sm_read_count(STR("4294967296"), &h));
	assert_false(sm_read_count(STR(""), &h));
	assert_false(sm_read_count(STR_NONE, &h));
	assert_false(sm_read_count(STR("-1"), &h));
	assert_false(sm_read_count(STR(" 1"), &h));
	assert_false(sm_read_count(STR("1e3"), &h));
	assert_true(sm_make_id(&m, 42));
	assert_int_equal(strlen(m.id), SM_ID_DIGITS);
	assert_true(sm_worker_of(str_c(m.id), &w));
	assert_int_equal(w, 42);
	assert_false(sm_worker_of(str_from(m.id, SM_ID_DIGITS - 1), &w));
	m.id[20] = 'G';
	assert_false(sm_worker_of(str_c(m.id), &w));
	assert_false(sm_worker_of(STR_NONE, &w));
	assert_false(sm_make_id(&m, 256));
}

UNIT_MAIN(cmocka_unit_test(only_stanzas_count), cmocka_unit_test(what_is_acknowledged_is_let_go),
        cmocka_unit_test(counts_go_around),
        cmocka_unit_test(without_memory_nothing_is_kept_and_nothing_is_wrong),
        cmocka_unit_test(counts_and_ids_are_read_strictly))
