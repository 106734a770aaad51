/* pattern_test.c - Lua patterns: what matches, what is refused, and what it may cost. io */
#include "support/unit.h"

#include "policy/pattern.h"

struct row {
	const char *pattern, *text;
	enum pattern_result want;
};

static void check(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		enum pattern_result got =
		        pattern_match_whole(str_c(rows[i].pattern), str_c(rows[i].text));
		if (got != rows[i].want)
			fail_msg("`%s` against `%s`: %d, not %d", rows[i].pattern, rows[i].text,
			        got, rows[i].want);
	}
}
#define CHECK(rows) check(rows, sizeof(rows) / sizeof *(rows))

static void items_and_quantifiers_match_as_in_lua(void **state)
{
	(void)state;
	static const struct row rows[] = {
	        {"", "", PATTERN_YES},
	        {"", "a", PATTERN_NO},
	        {"demo", "demo", PATTERN_YES},
	        {"demo", "demos", PATTERN_NO},
	        {"d.mo", "dxmo", PATTERN_YES},
	        {"a*", "", PATTERN_YES},
	        {"a*", "aaa", PATTERN_YES},
	        {"a+", "", PATTERN_NO},
	        {"a+b", "aaab", PATTERN_YES},
	        {"a-b", "aab", PATTERN_YES},
	        {"a?b", "b", PATTERN_YES},
	        {"a?b", "ab", PATTERN_YES},
	        {"a?ab", "ab", PATTERN_YES},
	        {".*b", "aabab", PATTERN_YES},
	        {".-", "anything", PATTERN_YES},
	        {"*", "*", PATTERN_YES}, /* nothing stands before it: the character */
	        {"*a", "*a", PATTERN_YES},
	        {"a**", "aa*", PATTERN_YES}, /* `a*`, then the character */
	        {"a--", "aa-", PATTERN_YES},
	        {"+", "+", PATTERN_YES},
	};
	CHECK(rows);
}

static void classes_are_those_of_the_c_locale(void **state)
{
	(void)state;
	static const struct row rows[] = {
	        {"%a%a%A", "aZ1", PATTERN_YES},
	        {"%d%D", "1x", PATTERN_YES},
	        {"%l%L", "aA", PATTERN_YES},
	        {"%u%U", "Aa", PATTERN_YES},
	        {"%w%W", "a-", PATTERN_YES},
	        {"%x%X", "fG", PATTERN_YES},
	        {"%s%S", " a", PATTERN_YES},
	        {"%p%P", "-a", PATTERN_YES},
	        {"%g%G", "a ", PATTERN_YES},
	        {"%c", "\x01", PATTERN_YES},
	        {"%c", "a", PATTERN_NO},
	        {"%a", "\xc3", PATTERN_NO}, /* a byte of a letter beyond ASCII */
	        {"..", "\xc3\xa9", PATTERN_YES},
	        {"%q", "q", PATTERN_YES},
	        {"%.", ".", PATTERN_YES},
	        {"%.", "x", PATTERN_NO},
	        {"%%", "%", PATTERN_YES},
	        {"%(%)", "()", PATTERN_YES},
	};
	CHECK(rows);
}

static void sets_and_anchors(void **state)
{
	(void)state;
	static const struct row rows[] = {
	        {"[abc]+", "cab", PATTERN_YES},
	        {"[^abc]+", "xyz", PATTERN_YES},
	        {"[^abc]+", "xaz", PATTERN_NO},
	        {"[a-c]+", "abc", PATTERN_YES},
	        {"[a-c]", "d", PATTERN_NO},
	        {"[]]", "]", PATTERN_YES},
	        {"[^]]", "a", PATTERN_YES},
	        {"[^]]", "]", PATTERN_NO},
	        {"[a-]", "-", PATTERN_YES},
	        {"[-a]", "-", PATTERN_YES},
	        {"[%a_]+", "a_b", PATTERN_YES},
	        {"[%]]", "]", PATTERN_YES},
	        {"[(]", "(", PATTERN_YES},
	        {"[a%-z]", "-", PATTERN_YES},
	        {"[a%-z]", "b", PATTERN_NO},
	        {"^demo", "demo", PATTERN_YES},
	        {"^demo$", "demo", PATTERN_YES},
	        {"demo$", "demo", PATTERN_YES},
	        {"de$mo", "de$mo", PATTERN_YES},
	        {"a^b", "a^b", PATTERN_YES},
	        {"$", "", PATTERN_YES},
	        {"%$", "$", PATTERN_YES},
	};
	CHECK(rows);
}

static void what_is_left_out_or_malformed_is_refused(void **state)
{
	(void)state;
	static const struct row rows[] = {
	        {"(a)", "a", PATTERN_INVALID},
	        {"a)", "a", PATTERN_INVALID},
	        {"()", "", PATTERN_INVALID},
	        {"%b()", "()", PATTERN_INVALID},
	        {"%f[a]a", "a", PATTERN_INVALID},
	        {"a%1", "aa", PATTERN_INVALID},
	        {"a%0", "aa", PATTERN_INVALID},
	        {"a%", "a", PATTERN_INVALID},
	        {"[a", "a", PATTERN_INVALID},
	        {"[", "a", PATTERN_INVALID},
	        {"[^", "a", PATTERN_INVALID},
	        {"[]", "a", PATTERN_INVALID},
	        {"[^]", "a", PATTERN_INVALID},
	        {"[a%", "a", PATTERN_INVALID},
	        {"[a%]", "a", PATTERN_INVALID},
	        /* checked as a whole, even where matching would have ended before */
	        {"x(a)", "a", PATTERN_INVALID},
	};
	CHECK(rows);
}

static void length_is_bounded(void **state)
{
	(void)state;
	char pattern[PATTERN_BYTES_MAX + 2];
	memset(pattern, 'a', sizeof pattern);
	struct str longest = str_from(pattern, PATTERN_BYTES_MAX);
	assert_int_equal(pattern_match_whole(longest, longest), PATTERN_YES);
	struct str longer = str_from(pattern, PATTERN_BYTES_MAX + 1);
	assert_int_equal(pattern_match_whole(longer, longer), PATTERN_INVALID);
}

static void backtracking_is_bounded(void **state)
{
	(void)state;
	char text[4096];
	memset(text, 'a', sizeof text);
	struct str s = str_from(text, sizeof text);
	assert_int_equal(pattern_match_whole(STR(".*.*.*.*.*.*b"), s), PATTERN_STEPS);
	assert_int_equal(pattern_match_whole(STR(".-.-.-.-.-.-b"), s), PATTERN_STEPS);
	assert_int_equal(pattern_match_whole(STR("a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?b"), s),
	        PATTERN_STEPS);
	assert_int_equal(pattern_match_whole(STR("a*"), s), PATTERN_YES);
}

static void a_lazy_dash_is_noticed(void **state)
{
	(void)state;
	assert_true(pattern_has_lazy_dash(STR("team-1")));
	assert_false(pattern_has_lazy_dash(STR("team%-1")));
	assert_false(pattern_has_lazy_dash(STR("[a-z]+")));
	assert_false(pattern_has_lazy_dash(STR("-a")));
	assert_false(pattern_has_lazy_dash(STR("(a-)")));
}

UNIT_MAIN(cmocka_unit_test(items_and_quantifiers_match_as_in_lua),
        cmocka_unit_test(classes_are_those_of_the_c_locale), cmocka_unit_test(sets_and_anchors),
        cmocka_unit_test(what_is_left_out_or_malformed_is_refused),
        cmocka_unit_test(length_is_bounded), cmocka_unit_test(backtracking_is_bounded),
        cmocka_unit_test(a_lazy_dash_is_noticed))
