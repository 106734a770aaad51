/* forwarded_test.c - for whom a request comes: chains of proxies, and what strangers make up. io */
#include "support/unit.h"

#include <stdio.h>

#include "base/err.h"
#include "http/forwarded.h"

static struct network trusted[3];
static char text[4096]; /* the head borrows it */

static void parse(const char *lines, struct http_head *h)
{
	static const struct http_limits limits = {8192, 8192};
	size_t seen = 0;
	snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: x\r\n%s\r\n", lines);
	assert_int_equal(http_parse(str_c(text), &limits, &seen, h), ERR_OK);
	assert_true(network_parse(STR("10.0.0.0/8"), &trusted[0]));
	assert_true(network_parse(STR("127.0.0.1"), &trusted[1]));
	assert_true(network_parse(STR("fd00::/8"), &trusted[2]));
}

static void read_as(const char *direct, const char *lines, struct forwarded *out)
{
	struct http_head h;
	parse(lines, &h);
	forwarded_read(&h, trusted, 3, str_c(direct), out);
}

static void client(const char *direct, const char *lines, const char *want)
{
	struct forwarded f;
	read_as(direct, lines, &f);
	if (strcmp(f.peer, want) != 0)
		fail_msg("%s with %s: got %s, want %s", direct, lines, f.peer, want);
	assert_int_equal(f.by_proxy, strcmp(direct, want) != 0);
	assert_int_equal(f.loopback, strncmp(want, "127.", 4) == 0 || strcmp(want, "::1") == 0);
}

static void strangers_are_not_believed(void **state)
{
	(void)state;
	struct forwarded f;
	client("192.0.2.1", "X-Forwarded-For: 198.51.100.9\r\n", "192.0.2.1");
	client("192.0.2.1", "X-Real-IP: 127.0.0.1\r\n", "192.0.2.1");
	client("2001:db8::1", "X-Forwarded-For: 10.0.0.1\r\n", "2001:db8::1");
	client("127.0.0.2", "X-Forwarded-For: 198.51.100.9\r\n", "127.0.0.2");
	read_as("192.0.2.1", "X-Forwarded-Proto: https\r\n", &f);
	assert_false(f.https);
}

static void the_rightmost_stranger_is_the_client(void **state)
{
	(void)state;
	client("10.0.0.1", "", "10.0.0.1");
	client("10.0.0.1", "X-Forwarded-For: 192.0.2.1\r\n", "192.0.2.1");
	client("10.0.0.1", "X-Forwarded-For: 198.51.100.9, 192.0.2.1\r\n", "192.0.2.1");
	client("10.0.0.1", "X-Forwarded-For: 127.0.0.1, 192.0.2.1\r\n", "192.0.2.1");
	client("10.0.0.1", "x-forwarded-for:198.51.100.9,192.0.2.1 , 10.9.9.9\r\n", "192.0.2.1");
	client("10.0.0.1", "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 192.0.2.1, 10.1.1.1\r\n",
	        "192.0.2.1");
	client("127.0.0.1", "X-Forwarded-For: 10.0.0.7\r\n", "10.0.0.7");
	client("10.0.0.1", "X-Forwarded-For: 10.0.0.7, 10.0.0.8\r\n", "10.0.0.7");
	client("fd00::1", "X-Forwarded-For: 2001:DB8:0::5\r\n", "2001:db8::5");
	client("10.0.0.1", "X-Forwarded-For: [2001:db8::5]:4711\r\n", "2001:db8::5");
	client("10.0.0.1", "X-Forwarded-For: [2001:db8::5]\r\n", "2001:db8::5");
	client("10.0.0.1", "X-Forwarded-For: 192.0.2.1:4711\r\n", "192.0.2.1");
	client("10.0.0.1", "X-Forwarded-For: ::ffff:192.0.2.1\r\n", "192.0.2.1");
	client("10.0.0.1", "X-Real-IP: 192.0.2.1\r\n", "192.0.2.1");
	client("10.0.0.1", "X-Real-IP: 192.0.2.1\r\nX-Forwarded-For: 192.0.2.2\r\n", "192.0.2.2");
	client("10.0.0.1", "X-Forwarded-For: 127.0.0.1\r\n", "127.0.0.1");
}

/* As far as it can be read, and no further. */
static void garbage_ends_the_chain(void **state)
{
	(void)state;
	static const char *const bad[] = {"", " ", ",", ",,", "unknown", "_hidden", "192.0.2",
	        "1.2.3.4.5", "192.0.2.1/32", "\"192.0.2.1\"", "for=192.0.2.1", "[", "[]",
	        "[::", "]", ":", "::g", "192.0.2.1 192.0.2.2", "192.0.2.1;", "%31", "999.0.2.1"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		char lines[200];
		snprintf(lines, sizeof lines, "X-Forwarded-For: %s\r\n", bad[i]);
		client("10.0.0.1", lines, "10.0.0.1");
		snprintf(lines, sizeof lines, "X-Forwarded-For: 6.6.6.6, %s, 10.0.0.3\r\n", bad[i]);
		client("10.0.0.1", lines, "10.0.0.3");
		snprintf(lines, sizeof lines, "X-Forwarded-For: %s, 192.0.2.1\r\n", bad[i]);
		client("10.0.0.1", lines, "192.0.2.1");
		/* whoever says something unreadable there is not asked elsewhere */
		snprintf(lines, sizeof lines, "X-Forwarded-For: %s\r\nX-Real-IP: 6.6.6.6\r\n",
		        bad[i]);
		client("10.0.0.1", lines, "10.0.0.1");
	}
}

static bool https(const char *lines)
{
	struct forwarded f;
	read_as("10.0.0.1", lines, &f);
	return f.https;
}

static void the_nearest_proxy_says_by_which_way(void **state)
{
	(void)state;
	assert_false(https(""));
	assert_true(https("X-Forwarded-Proto: https\r\n"));
	assert_true(https("x-forwarded-proto:  HTTPS \r\n"));
	assert_false(https("X-Forwarded-Proto: http\r\n"));
	assert_false(https("X-Forwarded-Proto: https, http\r\n"));
	assert_true(https("X-Forwarded-Proto: http, https\r\n"));
	assert_false(https("X-Forwarded-Proto: https\r\nX-Forwarded-Proto: http\r\n"));
	assert_false(https("X-Forwarded-Proto: httpss\r\n"));
	assert_false(https("X-Forwarded-Proto:\r\n"));
}

static void region(const char *direct, const char *lines, const char *want)
{
	struct http_head h;
	parse(lines, &h);
	struct str got = forwarded_region(&h, trusted, 3, str_c(direct));
	if (want)
		assert_str(got, want);
	else if (!str_absent(got))
		fail_msg("%s with %s: %.*s", direct, lines, STR_FMT(got));
}

static void only_a_proxy_says_in_which_region(void **state)
{
	(void)state;
	region("10.0.0.1", "X-Proxy-Region: eu-west_1.a\r\n", "eu-west_1.a");
	region("fd00::1", "x-proxy-region:  Frankfurt \r\n", "Frankfurt");
	region("192.0.2.1", "X-Proxy-Region: eu\r\n", NULL);
	region("127.0.0.2", "X-Proxy-Region: eu\r\n", NULL);
	region("nobody", "X-Proxy-Region: eu\r\n", NULL);
	/* the connection counts, not whom a proxy speaks for */
	region("192.0.2.1", "X-Forwarded-For: 10.0.0.1\r\nX-Proxy-Region: eu\r\n", NULL);
	region("10.0.0.1", "X-Forwarded-For: 192.0.2.1\r\nX-Proxy-Region: eu\r\n", "eu");
	region("10.0.0.1", "", NULL);
}

static void a_region_is_a_word(void **state)
{
	(void)state;
	static const char *const bad[] = {"", "eu west", "eu,us", "eu'", "<eu/>", "\"eu\"", "eu/1",
	        "\xc3\xa9", "eu\r\nX-Proxy-Region: us", "eu\r\nx-proxy-region: eu"};
	char lines[200], name[REGION_MAX + 2] = "";
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		snprintf(lines, sizeof lines, "X-Proxy-Region: %s\r\n", bad[i]);
		region("10.0.0.1", lines, NULL);
	}
	memset(name, 'r', REGION_MAX);
	snprintf(lines, sizeof lines, "X-Proxy-Region: %s\r\n", name);
	region("10.0.0.1", lines, name);
	name[REGION_MAX] = 'r';
	snprintf(lines, sizeof lines, "X-Proxy-Region: %s\r\n", name);
	region("10.0.0.1", lines, NULL);
}

UNIT_MAIN(cmocka_unit_test(strangers_are_not_believed),
        cmocka_unit_test(the_rightmost_stranger_is_the_client),
        cmocka_unit_test(garbage_ends_the_chain),
        cmocka_unit_test(the_nearest_proxy_says_by_which_way),
        cmocka_unit_test(only_a_proxy_says_in_which_region), cmocka_unit_test(a_region_is_a_word))
