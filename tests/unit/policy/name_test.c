/* name_test.c - cleaning, marks and skeletons beyond the vectors. io */
#include "support/unit.h"

#include <time.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "policy/name.h"

static void assert_clean(struct str raw, unsigned units, const char *want)
{
	struct name name;
	int err = name_clean(raw, units, &name, NULL);
	if (!want) {
		assert_int_equal(err, ERR_BADMSG);
		assert_false(name.present);
		return;
	}
	assert_int_equal(err, ERR_OK);
	assert_str(name_str(&name), want);
}

static void cleaning_keeps_what_is_legal_and_drops_what_hides(void **state)
{
	(void)state;
	assert_clean(STR("Ann"), 50, "Ann");
	assert_clean(STR("a\0b"), 50, "ab");
	assert_clean(STR("\xff"), 50, NULL);
	assert_clean(STR("A\xed\xa0\x80"), 50, NULL); /* a surrogate in UTF-8 */
	assert_clean(STR(""), 50, NULL);
	assert_clean(STR("\xe2\x80\x8d"), 50, NULL); /* nothing but a joiner */
	assert_clean(STR("\xcc\x81"), 50, NULL);     /* nothing but a mark */
	assert_clean(STR("\xee\x80\x80"), 50, NULL); /* private use: neither letter nor symbol */
	assert_clean(STR("-"), 50, "-");
	assert_clean(STR("A\xe2\x80\x8b\xcc\x81"), 50,
	        "\xc3\x81"); /* composed once the blank between is gone */
	assert_clean(STR("x \xe2\x80\x8b y"), 50, "x y"); /* the two spaces meet */
}

static void marks_are_bounded_also_across_joiners(void **state)
{
	(void)state;
	struct name name;
	char raw[64] = "q";
	for (int i = 0; i < 6; i++)
		strcat(raw, "\xcc\x81\xe2\x80\x8d");
	assert_int_equal(name_clean(str_c(raw), 50, &name, NULL), ERR_OK);
	unsigned marks = 0;
	for (size_t pos = 0; pos < name.n;)
		marks += utf8_is_mark(utf8_next(name_str(&name), &pos));
	assert_int_equal(marks, 4);
}

static void cutting_counts_utf16_and_keeps_characters_whole(void **state)
{
	(void)state;
	assert_clean(STR("abcdef"), 3, "abc");
	assert_clean(STR("ab\xf0\x9f\x98\x80"), 3, "ab");
	assert_clean(STR("ab\xf0\x9f\x98\x80"), 4, "ab\xf0\x9f\x98\x80");
	assert_clean(STR("ab cd"), 3, "ab");
	assert_clean(STR("\xf0\x9f\x98\x80"), 1, NULL); /* nothing fits */
	char longest[4 * NAME_UNITS_MAX + 1];
	for (size_t i = 0; i < NAME_UNITS_MAX; i++)
		memcpy(longest + 3 * i, "\xe4\xb8\xad", 3);
	struct name name;
	assert_int_equal(
	        name_clean(str_from(longest, 3 * NAME_UNITS_MAX), 100000, &name, NULL), ERR_OK);
	assert_int_equal(name.n, 3 * NAME_UNITS_MAX);
}

/* Composing sorts each run of marks, in a time that grows with its square. */
static void a_long_run_of_marks_costs_little(void **state)
{
	(void)state;
	struct buf b;
	struct name name;
	buf_init(&b, 0);
	buf_putc(&b, 'x');
	for (int i = 0; i < 8000; i++)
		buf_puts(&b, "\xcc\x81\xcc\x96"); /* above, below: each pair in the wrong order */
	buf_puts(&b, "y");
	clock_t before = clock();
	assert_int_equal(name_clean(buf_view(&b), 50, &name, NULL), ERR_OK);
	assert_true(clock() - before < CLOCKS_PER_SEC / 20);
	assert_int_equal(name.text[0], 'x');
	assert_int_equal(name.text[name.n - 1], 'y');
	assert_int_equal(utf8_units16(name_str(&name)), 6);
	buf_done(&b);
}

static void a_huge_name_costs_no_more_than_its_beginning(void **state)
{
	(void)state;
	size_t n = 1 << 20;
	char *raw = mem_alloc(n);
	struct name name;
	assert_non_null(raw);
	memset(raw, 'a', n);
	assert_int_equal(name_clean(str_from(raw, n), 50, &name, NULL), ERR_OK);
	assert_int_equal(name.n, 50);
	mem_free(raw);
}

static void a_change_is_reported(void **state)
{
	(void)state;
	struct name name;
	bool changed;
	assert_int_equal(name_clean(STR("Ann"), 50, &name, &changed), ERR_OK);
	assert_false(changed);
	assert_int_equal(name_clean(STR("Ann "), 50, &name, &changed), ERR_OK);
	assert_true(changed);
}

static void a_mark_stays_within_the_bound(void **state)
{
	(void)state;
	struct name name;
	assert_int_equal(name_mark(STR("Alice Example"), STR(" (guest)"), 50, &name), ERR_OK);
	assert_str(name_str(&name), "Alice Example (guest)");
	assert_int_equal(name_mark(STR("Alice Example"), STR(" (guest)"), 14, &name), ERR_OK);
	assert_str(name_str(&name), "Alice (guest)"); /* no space left hanging */
	assert_int_equal(name_mark(STR("a\xf0\x9f\x98\x80"), STR("!!"), 4, &name), ERR_OK);
	assert_str(name_str(&name), "a!!");
	assert_int_equal(name_mark(STR("Alice"), STR(" (guest)"), 4, &name), ERR_OK);
	assert_true(utf8_units16(name_str(&name)) <= 4);
}

static bool alike(const char *a, const char *b)
{
	struct name_skeleton x, y;
	assert_int_equal(name_skeleton(str_c(a), &x), ERR_OK);
	assert_int_equal(name_skeleton(str_c(b), &y), ERR_OK);
	return x.n && str_eq(name_skeleton_str(&x), name_skeleton_str(&y));
}

static void skeletons_see_through_disguises(void **state)
{
	(void)state;
	static const char *const pairs[][2] = {
	        {"Arnold", "Ar nold"}, {"Arnold", "Amold"}, {"Arnold", "ARNOLD"},
	        {"Arnold", "\xf0\x9d\x90\x80rnold"}, {"Bill", "B1||"}, {"Bill", "BiII"},
	        {"Olaf", "0laf"}, {"Olaf", "\xc3\x98laf"},
	        {"Sophia", "\xd0\x85"
	                   "oph\xd1\x96"
	                   "\xd0\xb0"},
	        {"Paul", "P\xcc\xb6"
	                 "a\xcc\xb6ul"},
	        {"Stra\xc3\x9f"
	         "e",
	                "STRASSE"},
	        {"Nana", "\xd0\x9f\xd0\xb0\xd0\xbf\xd0\xb0"},
	        {"\xce\x9f\xce\xb4\xce\xbf\xcf\x82", "\xce\x9f\xce\xb4\xce\xbf\xcf\x83"},
	        {"\xe3\x81\x8c", "\xe3\x81\x8b\xe3\x82\x99"}, /* a kana with its voiced mark, two
	                                                         spellings */
	        {"\xe0\xa4\xb0\xe0\xa4\xbf",
	                "\xe0\xa4\xb0\xe2\x80\x8d\xe0\xa4\xbf"}, /* a joiner before a vowel sign */
	        {"\xe2\x9d\xa4 Ann", "Ann \xef\xb8\x8f"},
	        {"Alice", "\xe1\xb4\x80\xca\x9f\xc9\xaa\xe1\xb4\x84\xe1\xb4\x87"}, /* small capitals
	                                                                            */
	        {"Alice", "\xf0\x9f\x85\x90\xf0\x9f\x85\x9b\xf0\x9f\x85\x98\xf0\x9f\x85\x92\xf0\x9f"
	                  "\x85"
	                  "\x94"}, /* emblems */
	        {"Alice",
	                "\xea\x93\xae\xea\x93\xa1\xea\x93\xb2\xea\x93\x9a\xea\x93\xb0"}, /* Lisu */
	        {"Alice", "Alice \xf0\x9f\x87\xa9\xf0\x9f\x87\xaa"}, /* and a flag */
	};
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		if (!alike(pairs[i][0], pairs[i][1]))
			fail_msg("%s and %s should look alike", pairs[i][0], pairs[i][1]);
	}
}

static void other_names_stay_other_names(void **state)
{
	(void)state;
	assert_false(alike("Arnold", "Ronald"));
	assert_false(alike("Ann", "Anna"));
	assert_false(alike("Mia", "Nia"));
	assert_false(alike("\xe3\x81\x8b", "\xe3\x81\x8c")); /* ka and ga */
	assert_false(alike("\xe0\xa4\xb0\xe0\xa4\xbe", "\xe0\xa4\xb0\xe0\xa4\xbf"));
	assert_false(alike("\xd7\x90", "\xd7\x91"));
	assert_false(alike("\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80")); /* empty: never a clash */
}

static void a_long_skeleton_becomes_a_digest(void **state)
{
	(void)state;
	char a[1200], b[1200];
	struct name_skeleton x, y;
	memset(a, 'x', sizeof a);
	memcpy(b, a, sizeof b);
	b[sizeof b - 1] = 'y';
	assert_int_equal(name_skeleton(str_from(a, sizeof a), &x), ERR_OK);
	assert_int_equal(name_skeleton(str_from(b, sizeof b), &y), ERR_OK);
	assert_int_equal(x.n, y.n);
	assert_false(str_eq(name_skeleton_str(&x), name_skeleton_str(&y)));
}

UNIT_MAIN(cmocka_unit_test(cleaning_keeps_what_is_legal_and_drops_what_hides),
        cmocka_unit_test(marks_are_bounded_also_across_joiners),
        cmocka_unit_test(cutting_counts_utf16_and_keeps_characters_whole),
        cmocka_unit_test(a_long_run_of_marks_costs_little),
        cmocka_unit_test(a_huge_name_costs_no_more_than_its_beginning),
        cmocka_unit_test(a_change_is_reported), cmocka_unit_test(a_mark_stays_within_the_bound),
        cmocka_unit_test(skeletons_see_through_disguises),
        cmocka_unit_test(other_names_stay_other_names),
        cmocka_unit_test(a_long_skeleton_becomes_a_digest))
