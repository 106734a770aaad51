/* text_test.c - strings, buffers, base64url, UTF-8. io */
#include "support/unit.h"

#include "base/base64.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/utf8.h"

static void split_yields_every_part_and_then_is_absent(void **state)
{
	(void)state;
	struct str rest = STR("a,,b");
	assert_str(str_split(&rest, ','), "a");
	assert_str(str_split(&rest, ','), "");
	assert_str(str_split(&rest, ','), "b");
	assert_true(str_absent(rest));
}

static void numbers_are_whole_decimal_and_bounded(void **state)
{
	(void)state;
	uint64_t n = 7;
	assert_true(str_u64(STR("18446744073709551615"), &n));
	assert_true(n == UINT64_MAX);
	assert_false(str_u64(STR("18446744073709551616"), &n));
	assert_false(str_u64(STR(""), &n));
	assert_false(str_u64(STR("1 "), &n));
	assert_false(str_u64(STR("-1"), &n));
}

static void absent_differs_from_empty(void **state)
{
	(void)state;
	assert_false(str_eq(STR_NONE, STR("")));
	assert_true(str_eq(STR_NONE, STR_NONE));
	assert_true(str_eq_secret(STR("abc"), STR("abc")));
	assert_false(str_eq_secret(STR("abc"), STR("abd")));
	assert_str(str_trim(STR(" \t x y\r\n")), "x y");
}

static void a_buffer_over_its_limit_drops_writes_and_says_so(void **state)
{
	(void)state;
	struct buf b;
	buf_init(&b, 8);
	buf_puts(&b, "12345678");
	assert_false(b.failed);
	buf_putc(&b, '9');
	assert_true(b.failed);
	assert_int_equal(b.n, 8);
	buf_reset(&b);
	buf_printf(&b, "%d-%s", 12, "abc");
	assert_str(buf_view(&b), "12-abc");
	buf_consume(&b, 3);
	assert_str(buf_view(&b), "abc");
	buf_done(&b);
}

static void a_buffer_survives_memory_running_out(void **state)
{
	(void)state;
	struct buf b;
	buf_init(&b, 0);
	mem_budget_set(0);
	buf_puts(&b, "x");
	mem_budget_set(-1);
	assert_true(b.failed);
	assert_int_equal(b.n, 0);
	buf_done(&b);
}

static void base64url_is_strict(void **state)
{
	(void)state;
	static const char *const bad[] = {"A", "AAAAA", "QQ==", "QR", "Q Q", "+A", "/A", "QUJ="};
	struct buf b;
	buf_init(&b, 0);
	assert_int_equal(base64url_decode(STR("QUJDRA"), &b), 0);
	assert_str(buf_view(&b), "ABCD");
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		buf_reset(&b);
		assert_int_equal(base64url_decode(str_c(bad[i]), &b), ERR_BADMSG);
	}
	buf_reset(&b);
	base64url_encode(STR("\xff\xfe\xfd\xfc"), &b);
	assert_str(buf_view(&b), "__79_A");
	buf_done(&b);
}

static void check_lower(const char *in, const char *want)
{
	struct buf b;
	buf_init(&b, 0);
	assert_int_equal(utf8_lower(str_c(in), &b), 0);
	assert_str(buf_view(&b), want);
	buf_done(&b);
}

static void lower_case_is_that_of_javascript(void **state)
{
	(void)state;
	check_lower("DEMO", "demo");
	check_lower("Тест", "тест");
	check_lower("ΟΔΟΣ", "οδος");
	check_lower("ΟΔΟΣ ΣΑΣ", "οδος σας");
	check_lower("Σ", "σ");
	check_lower("İ", "i\xcc\x87");
}

static void invalid_utf8_is_refused(void **state)
{
	(void)state;
	struct buf b;
	buf_init(&b, 0);
	assert_false(utf8_valid(STR("\xc0\x80")));
	assert_false(utf8_valid(STR("\xed\xa0\x80")));
	assert_false(utf8_valid(STR("a\xff")));
	assert_true(utf8_valid(STR("Zo\xc3\xab \xf0\x9f\x98\x80")));
	assert_int_equal(utf8_units16(STR("Zo\xc3\xab \xf0\x9f\x98\x80")), 6);
	assert_int_equal(utf8_nfc(STR("\xff"), &b), ERR_BADMSG);
	assert_int_equal(utf8_nfc(STR("e\xcc\x81"), &b), 0);
	assert_str(buf_view(&b), "\xc3\xa9");
	buf_done(&b);
}

UNIT_MAIN(cmocka_unit_test(split_yields_every_part_and_then_is_absent),
        cmocka_unit_test(numbers_are_whole_decimal_and_bounded),
        cmocka_unit_test(absent_differs_from_empty),
        cmocka_unit_test(a_buffer_over_its_limit_drops_writes_and_says_so),
        cmocka_unit_test(a_buffer_survives_memory_running_out),
        cmocka_unit_test(base64url_is_strict), cmocka_unit_test(lower_case_is_that_of_javascript),
        cmocka_unit_test(invalid_utf8_is_refused))
