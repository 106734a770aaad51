/* claims_test.c - what a payload says about who somebody is. io */
#include "support/unit.h"

#include "token/claims.h"

static struct claims *parse(const char *text)
{
	struct claims *c = token_claims_parse(str_c(text));
	if (!c)
		fail_msg("refused: %s", text);
	return c;
}

static bool same_person(const char *a, const char *b)
{
	struct claims *x = parse(a), *y = parse(b);
	bool same = identity_eq(&x->identity, &y->identity);
	claims_unref(x);
	claims_unref(y);
	return same;
}

#define ID(id) "{\"iss\":\"i\",\"context\":{\"user\":{\"id\":" id "}}}"

static void identity_is_issuer_and_typed_id(void **state)
{
	(void)state;
	assert_true(same_person(ID("\"u\""), ID("\"u\"")));
	assert_true(same_person(ID("1"), ID("1.0")));
	assert_false(same_person(ID("1"), ID("\"1\"")));
	assert_false(same_person(ID("\"u\""), ID("\"U\"")));
	assert_false(
	        same_person(ID("\"u\""), "{\"iss\":\"j\",\"context\":{\"user\":{\"id\":\"u\"}}}"));
	assert_true(same_person(ID("\"u\""), "{\"iss\":\"i\",\"user_id\":\"u\"}"));
	assert_true(same_person(ID("\"u\""), "{\"iss\":\"i\",\"user_id\":\"u\",\"context\":null}"));
	assert_true(same_person(ID("\"u\""), "{\"iss\":\"i\",\"user_id\":\"u\",\"context\":[]}"));
}

static void what_is_no_id_is_nobody(void **state)
{
	(void)state;
	static const char *const nobody[] = {"{}", ID("\"\""), ID("null"), ID("true"), ID("[1]"),
	        ID("{}"), "{\"iss\":\"i\",\"context\":{},\"user_id\":\"u\"}",
	        "{\"iss\":\"i\",\"context\":{\"user\":[]},\"user_id\":\"u\"}",
	        "{\"iss\":\"i\",\"context\":\"x\",\"user_id\":\"u\"}",
	        "{\"iss\":\"i\",\"user_id\":\"\"}"};
	for (size_t i = 0; i < sizeof nobody / sizeof *nobody; i++) {
		struct claims *c = parse(nobody[i]);
		if (c->identity.present)
			fail_msg("%s names somebody", nobody[i]);
		claims_unref(c);
	}
	assert_false(same_person(ID("null"), ID("null")));
}

static void claims_are_shared_by_count(void **state)
{
	(void)state;
	struct claims *c = parse("{\"exp\":1.5,\"room\":\"a\",\"sub\":7}");
	assert_ptr_equal(claims_ref(c), c);
	claims_unref(c);
	assert_true(c->has_exp && c->exp == 1.5);
	assert_str(c->room, "a");
	assert_true(str_absent(c->sub));
	assert_true(str_absent(c->iss));
	claims_unref(c);
	assert_null(token_claims_parse(STR("[]")));
	assert_null(token_claims_parse(STR("{\"a\":1,\"a\":1}")));
	assert_null(token_claims_parse(STR_NONE));
}

UNIT_MAIN(cmocka_unit_test(identity_is_issuer_and_typed_id),
        cmocka_unit_test(what_is_no_id_is_nobody), cmocka_unit_test(claims_are_shared_by_count))
