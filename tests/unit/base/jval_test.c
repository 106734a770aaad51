/* jval_test.c - JSON is read strictly. io */
#include "support/unit.h"

#include "base/jval.h"

static void refused(const char *text, bool duplicate, bool deep)
{
	struct jval_error e;
	struct jval *j = jval_parse(str_c(text), 4, &e);
	if (j)
		fail_msg("accepted: %s", text);
	assert_int_equal(e.duplicate, duplicate);
	assert_int_equal(e.too_deep, deep);
}

static void what_is_not_json_is_refused(void **state)
{
	(void)state;
	refused("", false, false);
	refused("{", false, false);
	refused("{} x", false, false);
	refused("{\"a\":NaN}", false, false);
	refused("{\"a\":01}", false, false);
	refused("{'a':1}", false, false);
	refused("{\"a\":\"\\u0000\"}", false, false);
	refused("{\"a\":\"\xff\"}", false, false);
	refused("{\"a\":1e999,\"b\":01e999}", false, false);
	refused("{\"a\":1.e999}", false, false);
	refused("[1e999x]", false, false);
	refused("{\"a\":1,\"a\":2}", true, false);
	refused("{\"b\":{\"a\":1,\"\\u0061\":2}}", true, false);
	refused("[[[[[1]]]]]", false, true);
	refused("{\"a\":1,\"a\":2,}", false, false); /* the syntax is the worse fault */
}

static void numbers_beyond_the_machine_are_numbers(void **state)
{
	(void)state;
	struct jval *j = jval_parse(STR("{\"a\":1e999,\"b\":-1e999,\"c\":123456789012345678901234,"
	                                "\"d\":\"1e999\\\"\",\"e\":7}"),
	        4, NULL);
	assert_non_null(j);
	assert_true(jval_number(jval_getc(j, "a")) > 1e308);
	assert_true(jval_number(jval_getc(j, "b")) < -1e308);
	assert_true(jval_number(jval_getc(j, "c")) > 1.2e23);
	assert_str(jval_str(jval_getc(j, "d")), "1e999\"");
	assert_int_equal(jval_type(jval_getc(j, "e")), JVAL_INTEGER);
	jval_free(j);
}

static void values_are_read_with_their_types(void **state)
{
	(void)state;
	struct jval *j = jval_parse(
	        STR("{\"s\":\"x\\\"[\",\"i\":3,\"r\":1.0,\"t\":true,\"n\":null,\"a\":[1,2]}"), 4,
	        NULL);
	assert_non_null(j);
	assert_str(jval_str(jval_getc(j, "s")), "x\"[");
	assert_int_equal(jval_type(jval_getc(j, "i")), JVAL_INTEGER);
	assert_int_equal(jval_type(jval_getc(j, "r")), JVAL_REAL);
	assert_true(jval_number(jval_getc(j, "r")) == 1.0);
	assert_true(jval_true(jval_getc(j, "t")));
	assert_true(jval_is_null(jval_getc(j, "n")));
	assert_false(jval_is_null(jval_getc(j, "zz")));
	assert_int_equal(jval_size(jval_getc(j, "a")), 2);
	assert_int_equal(jval_integer(jval_at(jval_getc(j, "a"), 1)), 2);
	assert_null(jval_at(jval_getc(j, "a"), 2));
	struct buf b;
	buf_init(&b, 0);
	jval_write(j, &b);
	assert_str(buf_view(&b),
	        "{\"s\":\"x\\\"[\",\"i\":3,\"r\":1.0,\"t\":true,\"n\":null,\"a\":[1,2]}");
	buf_done(&b);
	jval_free(j);
}

UNIT_MAIN(cmocka_unit_test(what_is_not_json_is_refused),
        cmocka_unit_test(numbers_beyond_the_machine_are_numbers),
        cmocka_unit_test(values_are_read_with_their_types))
