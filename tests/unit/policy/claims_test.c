/* claims_test.c - who is the same person. io */
#include "support/unit.h"

#include "base/jval.h"
#include "policy/claims.h"

static bool same(const char *a, const char *b)
{
	struct jval *ja = jval_parse(str_c(a), 2, NULL), *jb = jval_parse(str_c(b), 2, NULL);
	struct identity ia = {.iss = STR("iss")}, ib = {.iss = STR("iss")};
	identity_read(&ia, ja);
	identity_read(&ib, jb);
	bool eq = identity_eq(&ia, &ib);
	jval_free(ja);
	jval_free(jb);
	return eq;
}

static void ids_compare_with_their_types(void **state)
{
	(void)state;
	assert_true(same("1", "1"));
	assert_true(same("1", "1.0"));
	assert_true(same("\"u1\"", "\"u1\""));
	assert_false(same("1", "\"1\""));
	assert_false(same("\"\"", "\"\""));
	assert_false(same("null", "null"));
	assert_false(same("true", "true"));
}

static void neighbouring_large_ids_are_two_people(void **state)
{
	(void)state;
	assert_true(same("9007199254740993", "9007199254740993"));
	assert_false(same("9007199254740993", "9007199254740992"));
	assert_false(same("18446744073709551617", "18446744073709551617"));
}

static void another_issuer_is_another_person(void **state)
{
	(void)state;
	struct identity a = {.iss = STR("a"), .present = true, .text = STR("u")};
	struct identity b = {.iss = STR("b"), .present = true, .text = STR("u")};
	assert_false(identity_eq(&a, &b));
}

UNIT_MAIN(cmocka_unit_test(ids_compare_with_their_types),
        cmocka_unit_test(neighbouring_large_ids_are_two_people),
        cmocka_unit_test(another_issuer_is_another_person))
