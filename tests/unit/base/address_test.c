/* address_test.c - IP addresses and networks: what is one, how it is written, what it holds. io */
#include "support/unit.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "base/address.h"

static void check_text(const char *in, const char *out)
{
	struct address a;
	char text[ADDRESS_TEXT_MAX];
	assert_true(address_parse(str_c(in), &a));
	address_write(&a, text);
	assert_string_equal(text, out);
}

static void addresses_are_written_one_way(void **state)
{
	(void)state;
	check_text("192.0.2.1", "192.0.2.1");
	check_text("0.0.0.0", "0.0.0.0");
	check_text("::ffff:192.0.2.1", "192.0.2.1");
	check_text("::FFFF:c000:0201", "192.0.2.1");
	check_text("2001:DB8:0:0:0:0:0:1", "2001:db8::1");
	check_text("2001:db8::1:0:0:1", "2001:db8::1:0:0:1");
	check_text("2001:0:0:1:0:0:0:1", "2001:0:0:1::1");
	check_text("1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7");
	check_text("::", "::");
	check_text("::1", "::1");
	check_text("1::", "1::");
	check_text("fe80::0001", "fe80::1");
	check_text("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0");
}

static void what_is_no_address_is_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {"", ":", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256",
	        "01.2.3.4", "1.2.3.4 ", " 1.2.3.4", "1.2.3.-4", "1.2.3.4:80", "[::1]",
	        ":::", "::1::", "1::2::3", "12345::", "g::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9",
	        "1:2:3:4:5:6:7:8::", "::1%eth0", "1.2.3.4::", "::1.2.3", "::1.2.3.4:5", "unknown",
	        "_secret", "1..2.3", "::ffff:1.2.3.4.5", "1:2:3:4:5:6:7:1.2.3.4",
	        "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct address a;
		if (address_parse(str_c(bad[i]), &a))
			fail_msg("taken: %s", bad[i]);
	}
}

/* The C library reads and writes the same, for many addresses. */
static void the_library_agrees(void **state)
{
	(void)state;
	unsigned seed = 1;
	for (int i = 0; i < 20000; i++) {
		struct address a;
		char ours[ADDRESS_TEXT_MAX], theirs[ADDRESS_TEXT_MAX];
		struct address back;
		for (int k = 0; k < 16; k++) {
			seed = seed * 1103515245u + 12345u;
			a.bytes[k] = seed >> 16 & 3 ? 0 : (uint8_t)(seed >> 20);
		}
		if (i % 3 == 0)
			memcpy(a.bytes, "\0\0\0\0\0\0\0\0\0\0\377\377", 12);
		address_write(&a, ours);
		assert_true(address_parse(str_c(ours), &back));
		assert_memory_equal(&a, &back, sizeof a);
		bool v4 = address_is_v4(&a);
		inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? a.bytes + 12 : a.bytes, theirs,
		        sizeof theirs);
		/* it writes ::a.b.c.d for addresses that nobody has any more */
		if (!strchr(theirs, '.') || v4)
			assert_string_equal(ours, theirs);
	}
}

static bool holds(const char *network, const char *address)
{
	struct network n;
	struct address a;
	assert_true(network_parse(str_c(network), &n));
	assert_true(address_parse(str_c(address), &a));
	return network_has(&n, &a);
}

static void networks_hold_what_begins_alike(void **state)
{
	(void)state;
	assert_true(holds("10.0.0.0/8", "10.255.1.2"));
	assert_false(holds("10.0.0.0/8", "11.0.0.0"));
	assert_true(holds("172.16.0.0/12", "172.31.255.255"));
	assert_false(holds("172.16.0.0/12", "172.32.0.0"));
	assert_true(holds("10.0.0.0/8", "::ffff:10.1.1.1"));
	assert_true(holds("192.0.2.7", "192.0.2.7"));
	assert_false(holds("192.0.2.7", "192.0.2.6"));
	assert_true(holds("192.0.2.77/31", "192.0.2.76"));
	assert_true(holds("0.0.0.0/0", "8.8.8.8"));
	assert_false(holds("0.0.0.0/0", "2001:db8::1"));
	assert_true(holds("::/0", "2001:db8::1"));
	assert_true(holds("2001:db8::/33", "2001:db8:7fff::1"));
	assert_false(holds("2001:db8::/33", "2001:db8:8000::1"));
	struct network n;
	static const char *const bad[] = {"", "/", "10.0.0.0/", "10.0.0.0/33", "::/129", "10/8",
	        "10.0.0.0/8/8", "10.0.0.0/-1", "10.0.0.0/0x8", "10.0.0.0/0008"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(network_parse(str_c(bad[i]), &n));
}

static void loopback_is_known(void **state)
{
	(void)state;
	struct address a;
	static const char *const yes[] = {"127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.2"};
	static const char *const no[] = {"128.0.0.1", "::", "::2", "::127.0.0.1", "10.0.0.1"};
	for (size_t i = 0; i < 4; i++)
		assert_true(address_parse(str_c(yes[i]), &a) && address_loopback(&a));
	for (size_t i = 0; i < 5; i++)
		assert_true(address_parse(str_c(no[i]), &a) && !address_loopback(&a));
}

static void a_household_counts_as_one(void **state)
{
	(void)state;
	static const char *const pairs[][2] = {{"192.0.2.1", "192.0.2.1"},
	        {"::ffff:192.0.2.1", "192.0.2.1"}, {"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"},
	        {"2001:db8:1:2::9", "2001:db8:1:2::"}, {"::1", "::"}, {"nowhere", "nowhere"},
	        {"", ""}};
	char out[ADDRESS_TEXT_MAX];
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
		assert_string_equal(address_household(str_c(pairs[i][0]), out).p, pairs[i][1]);
}

UNIT_MAIN(cmocka_unit_test(addresses_are_written_one_way),
        cmocka_unit_test(what_is_no_address_is_refused), cmocka_unit_test(the_library_agrees),
        cmocka_unit_test(networks_hold_what_begins_alike), cmocka_unit_test(loopback_is_known),
        cmocka_unit_test(a_household_counts_as_one))
