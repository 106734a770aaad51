/* include_test.c - server-side includes: carried out, left alone, and bounded. pure */
#include "support/unit.h"

#include <stdio.h>

#include "base/err.h"
#include "http/include.h"

/* Files by name: a text, itself again, or a long one. */
static bool on_file(
        void *arg, struct str from, struct str name, struct buf *text, char *path, size_t size)
{
	(void)arg;
	snprintf(path, size, "/%.*s", STR_FMT(name));
	if (str_eqc(name, "a"))
		buf_puts(text, "[A]");
	else if (str_eqc(name, "b"))
		buf_puts(text, "[B <!--#include virtual=\"a\" -->]");
	else if (str_eqc(name, "self"))
		buf_puts(text, "x<!--#include virtual=\"self\" -->");
	else if (str_eqc(name, "where"))
		buf_str(text, from);
	else if (str_eqc(name, "long"))
		for (int i = 0; i < 100000; i++)
			buf_puts(text, "0123456789");
	else
		return false;
	return true;
}

static bool on_value(void *arg, struct str name, struct buf *out)
{
	(void)arg;
	if (!str_eqc(name, "v"))
		return false;
	buf_puts(out, "<!--#include virtual=\"a\" -->");
	return true;
}

static int expand(const char *text, struct include *inc, struct buf *out)
{
	*inc = (struct include){.file = on_file, .value = on_value};
	buf_init(out, INCLUDE_BYTES_MAX);
	return include_expand(inc, STR("/page"), str_c(text), out);
}

static void directives_are_carried_out(void **state)
{
	(void)state;
	static const struct {
		const char *text, *want;
	} cases[] = {
	        {"", ""},
	        {"plain <!-- comment -->", "plain <!-- comment -->"},
	        {"1<!--#include virtual=\"a\" -->2", "1[A]2"},
	        {"<!--#include virtual='a'--><!--# include  file = \"b\"  -->", "[A][B [A]]"},
	        {"<!--#include virtual=\"where\" -->", "/page"},
	        {"<!--#include virtual=\"none\" -->x", "x"},
	        {"'<!--# echo var=\"u\" default=\"\" -->'", "''"},
	        {"<!--# echo var=\"u\" default=\"d\" encoding=\"none\" -->", "d"},
	        {"<!--# echo var=\"u\" -->", ""},
	        /* a value is a value: what it holds is not carried out */
	        {"<!--# echo var=\"v\" default=\"\" -->", "<!--#include virtual=\"a\" -->"},
	        {"<!--#exec cmd=\"x\" -->", "<!--#exec cmd=\"x\" -->"},
	        {"<!--#include -->", "<!--#include -->"},
	        {"<!--#include virtual=a -->", "<!--#include virtual=a -->"},
	        {"<!--#include virtual=\"a -->x", "<!--#include virtual=\"a -->x"},
	        {"x<!--#include virtual=\"a\"", "x<!--#include virtual=\"a\""},
	        {"<!--#", "<!--#"},
	        {"<!--#-->", "<!--#-->"},
	        {"<!-<!--#include virtual=\"a\" -->->", "<!-[A]->"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct include inc;
		struct buf out;
		assert_int_equal(expand(cases[i].text, &inc, &out), 0);
		if (!str_eqc(buf_view(&out), cases[i].want))
			fail_msg("%s: %.*s", cases[i].text, STR_FMT(buf_view(&out)));
		buf_done(&out);
	}
}

static void there_is_an_end(void **state)
{
	(void)state;
	struct include inc;
	struct buf out, many;
	assert_int_equal(expand("<!--#include virtual=\"self\" -->", &inc, &out), ERR_LIMIT);
	buf_done(&out);
	buf_init(&many, 0);
	for (int i = 0; i < INCLUDE_FILES_MAX; i++)
		buf_puts(&many, "<!--#include virtual=\"a\" -->");
	assert_int_equal(expand(many.p, &inc, &out), 0);
	assert_int_equal(out.n, 3 * INCLUDE_FILES_MAX);
	buf_done(&out);
	buf_puts(&many, "<!--#include virtual=\"none\" -->");
	assert_int_equal(expand(many.p, &inc, &out), ERR_LIMIT);
	buf_done(&out);
	buf_done(&many);
	buf_init(&many, 0);
	for (int i = 0; i < 3; i++)
		buf_puts(&many, "<!--#include virtual=\"long\" -->");
	assert_int_equal(expand(many.p, &inc, &out), ERR_LIMIT);
	assert_true(out.n <= INCLUDE_BYTES_MAX);
	buf_done(&out);
	buf_done(&many);
}

static void missing_files_are_counted(void **state)
{
	(void)state;
	struct include inc;
	struct buf out;
	assert_int_equal(
	        expand("<!--#include virtual=\"no\" --><!--#include virtual=\"a\" -->", &inc, &out),
	        0);
	assert_int_equal(inc.missing, 1);
	assert_int_equal(inc.files, 2);
	buf_done(&out);
}

UNIT_MAIN(cmocka_unit_test(directives_are_carried_out), cmocka_unit_test(there_is_an_end),
        cmocka_unit_test(missing_files_are_counted))
