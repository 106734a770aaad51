/* negotiate_test.c - coding, freshness, range and type of a file; tenants in paths. pure */
#include "support/unit.h"

#include <stdio.h>

#include "http/negotiate.h"
#include "http/tenant.h"

static char text[4096];
static struct http_head head;

static const struct http_head *with(const char *fields)
{
	static const struct http_limits limits = {.max_head = 4000, .max_target = 500};
	size_t seen = 0;
	snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: a\r\n%s\r\n", fields);
	assert_int_equal(http_parse(str_c(text), &limits, &seen, &head), 0);
	return &head;
}

static void codings_are_ranked(void **state)
{
	(void)state;
	static const struct {
		const char *accept, *want;
	} cases[] = {
	        {"", "identity"},
	        {"Accept-Encoding: gzip, deflate, br, zstd\r\n", "br gzip identity"},
	        {"Accept-Encoding: gzip\r\nAccept-Encoding: br;q=0.9\r\n", "gzip br identity"},
	        {"Accept-Encoding: br;q=0.001, gzip;q=0.002\r\n", "gzip br identity"},
	        {"Accept-Encoding: *;q=0\r\n", "identity"},
	        {"Accept-Encoding: *, br;q=0\r\n", "gzip identity"},
	        {"Accept-Encoding: identity;q=0, x-gzip;q=1.000\r\n", "gzip identity"},
	        {"Accept-Encoding: identity, br;q=0.5\r\n", "identity br"},
	        {"Accept-Encoding: br;q=x, gzip;level=1;q=0.5\r\n", "gzip identity"},
	        {"Accept-Encoding: ,,;q=1, ;;\r\n", "identity"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		enum coding out[CODING_COUNT];
		char got[64] = "";
		size_t n = negotiate_codings(with(cases[i].accept), out), at = 0;
		for (size_t k = 0; k < n; k++)
			at += (size_t)snprintf(got + at, sizeof got - at, "%s%s", k ? " " : "",
			        coding_name(out[k]));
		if (strcmp(got, cases[i].want) != 0)
			fail_msg("%s: %s, want %s", cases[i].accept, got, cases[i].want);
	}
}

static void dates_and_tags_are_compared(void **state)
{
	(void)state;
	char date[DATE_BYTES];
	date_write(784111777, date);
	assert_string_equal(date, "Sun, 06 Nov 1994 08:49:37 GMT");
	date_write(-1, date);
	assert_string_equal(date, "");
	assert_true(negotiate_fresh(with("If-None-Match: \"b\", W/\"a\"\r\n"), "\"a\"", ""));
	assert_true(negotiate_fresh(with("If-None-Match: *\r\n"), "\"a\"", ""));
	assert_false(negotiate_fresh(with("If-None-Match: a\r\n"), "\"a\"", ""));
	assert_false(negotiate_fresh(with("If-Modified-Since: \r\n"), "\"a\"", ""));
	assert_true(negotiate_fresh(with("If-Modified-Since: D\r\n"), "\"a\"", "D"));
	assert_false(negotiate_fresh(
	        with("If-Modified-Since: D\r\nIf-None-Match: \"b\"\r\n"), "\"a\"", "D"));
}

static void ranges_are_cut(void **state)
{
	(void)state;
	static const struct {
		const char *range;
		uint64_t n;
		enum range want;
		uint64_t from, to;
	} cases[] = {
	        {"bytes=0-0", 10, RANGE_PART, 0, 1},
	        {"bytes=9-", 10, RANGE_PART, 9, 10},
	        {"bytes=10-", 10, RANGE_NONE, 0, 0},
	        {"bytes=-3", 10, RANGE_PART, 7, 10},
	        {"bytes=-30", 10, RANGE_PART, 0, 10},
	        {"bytes=-0", 10, RANGE_NONE, 0, 0},
	        {"bytes=0-", 0, RANGE_NONE, 0, 0},
	        {"bytes=0-18446744073709551615", 10, RANGE_PART, 0, 10},
	        {"bytes=0-1-2", 10, RANGE_ALL, 0, 10},
	        {"bytes= 0-1", 10, RANGE_ALL, 0, 10},
	        {"bytes=1", 10, RANGE_ALL, 0, 10},
	        {"", 10, RANGE_ALL, 0, 10},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char field[100];
		uint64_t from, to;
		snprintf(field, sizeof field, "Range: %s\r\n", cases[i].range);
		enum range got = negotiate_range(with(field), "\"a\"", cases[i].n, &from, &to);
		bool same = got == RANGE_NONE || (from == cases[i].from && to == cases[i].to);
		if (got != cases[i].want || !same)
			fail_msg("%s of %d: %d, %d to %d", cases[i].range, (int)cases[i].n,
			        (int)got, (int)from, (int)to);
	}
}

static void types_go_by_the_ending(void **state)
{
	(void)state;
	assert_string_equal(type_of(STR("/a/b.WASM")), "application/wasm");
	assert_string_equal(type_of(STR("/a.js.gz")), "application/gzip");
	assert_string_equal(type_of(STR("/js")), "application/octet-stream");
	assert_string_equal(type_of(STR("")), "application/octet-stream");
}

static void tenants_hold_nothing_that_means_something(void **state)
{
	(void)state;
	struct str tenant, rest;
	assert_true(tenant_split(STR("/acme.x-1_~/room"), &tenant, &rest));
	assert_str(tenant, "acme.x-1_~");
	assert_str(rest, "/room");
	assert_true(tenant_split(STR("/\xc3\xa4/"), &tenant, &rest));
	assert_str(rest, "/");
	static const char *const wrong[] = {"/", "/a", "//a", "/.a/b", "/a b/c", "/a'b/c",
	        "/a\"b/c", "/a<b/c", "/a&b/c", "/a%b/c", "/a\\b/c", "/a:b/c", "/a\x01/c",
	        "/a\x7f/c", "/\xff/c", "/\xc2\x85/c", "/\xe2\x80\xa8/c", "/a;b/c", "/a=b/c",
	        "/a`b/c", "/a$b/c"};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		if (tenant_split(str_c(wrong[i]), &tenant, &rest))
			fail_msg("%s has a tenant", wrong[i]);
	}
	char longest[TENANT_MAX + 2];
	memset(longest, 'a', sizeof longest);
	assert_true(tenant_ok(str_from(longest, TENANT_MAX)));
	assert_false(tenant_ok(str_from(longest, TENANT_MAX + 1)));
}

static void a_tenant_wins_over_the_query(void **state)
{
	(void)state;
	struct buf b;
	buf_init(&b, 0);
	tenant_query(STR("\xc3\xa4.b"), STR("room=x&prefix=y&&prefix&token=a=b&prefixed=1"), &b);
	assert_str(buf_view(&b), "prefix=%C3%A4.b&room=x&token=a=b&prefixed=1");
	buf_reset(&b);
	tenant_query(STR("t"), STR_NONE, &b);
	assert_str(buf_view(&b), "prefix=t");
	buf_reset(&b);
	tenant_label(STR("Acme.Inc"), &b);
	assert_str(buf_view(&b), "acme_inc");
	buf_done(&b);
}

UNIT_MAIN(cmocka_unit_test(codings_are_ranked), cmocka_unit_test(dates_and_tags_are_compared),
        cmocka_unit_test(ranges_are_cut), cmocka_unit_test(types_go_by_the_ending),
        cmocka_unit_test(tenants_hold_nothing_that_means_something),
        cmocka_unit_test(a_tenant_wins_over_the_query))
