/* match_test.c - room names in their canonical form, tenants. io */
#include "support/unit.h"

#include "base/err.h"
#include "policy/match.h"

static void assert_canonical(const char *name, const char *want)
{
	struct buf out;
	buf_init(&out, 0);
	assert_int_equal(room_canonical(str_c(name), &out), ERR_OK);
	assert_str(buf_view(&out), want);
	buf_done(&out);
}

/* Expected values: what decodeURIComponent, normalize("NFKC"), toLowerCase and encodeURIComponent
 * give. */
static void names_travel_as_the_clients_write_them(void **state)
{
	(void)state;
	assert_canonical("Demo", "demo");
	assert_canonical("My Room", "my%20room");
	assert_canonical("a/b?c#d", "a%2fb%3fc%23d");
	assert_canonical("-_.!~*'()", "-_.!~*'()");
	assert_canonical("\xd0\xa2\xd0\xb5\xd1\x81\xd1\x82", "%d1%82%d0%b5%d1%81%d1%82");
	assert_canonical("%D0%A2%D0%B5%D1%81%D1%82", "%d1%82%d0%b5%d1%81%d1%82");
	assert_canonical("%64emo", "demo");
	assert_canonical("\xef\xbc\xa4\xef\xbd\x85", "de"); /* full-width */
	assert_canonical("\xef\xac\x81", "fi");             /* ligature */
	assert_canonical(
	        "\xce\x9f\xce\x94\xce\x9f\xce\xa3", "%ce%bf%ce%b4%ce%bf%cf%82"); /* final sigma */
	assert_canonical("\xc4\xb0", "i%cc%87");                                 /* I with a dot */
	assert_canonical("e\xcc\x81", "%c3%a9");                                 /* composed */
	assert_canonical("", "");
}

static void one_bad_escape_leaves_the_whole_name_literal(void **state)
{
	(void)state;
	assert_canonical("a%20b%zz", "a%2520b%25zz");
	assert_canonical("a%2", "a%252");
	assert_canonical("%", "%25");
	assert_canonical("%ff", "%25ff");                 /* no UTF-8 */
	assert_canonical("%c0%af", "%25c0%25af");         /* overlong */
	assert_canonical("%ed%a0%80", "%25ed%25a0%2580"); /* a surrogate */
}

static void canonical_nodes_are_recognised(void **state)
{
	(void)state;
	static const struct {
		const char *node;
		bool yes;
	} rows[] = {
	        {"demo", true},
	        {"my%20room", true},
	        {"%d1%82", true},
	        {"", false},
	        {"Demo", false},
	        {"%64emo", false},
	        {"%D1%82", false},
	        {"my room", false},
	        {"\xd1\x82", false},
	        {"a%zz", false},
	        {"a%25zz", true},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		bool yes;
		assert_int_equal(room_is_canonical(str_c(rows[i].node), &yes), ERR_OK);
		if (yes != rows[i].yes)
			fail_msg("%s: %d", rows[i].node, yes);
	}
}

static void invalid_utf8_is_no_name(void **state)
{
	(void)state;
	struct buf out;
	bool yes;
	buf_init(&out, 0);
	assert_int_equal(room_canonical(STR("a\xff"), &out), ERR_BADMSG);
	buf_done(&out);
	assert_int_equal(room_is_canonical(STR("a\xff"), &yes), ERR_OK);
	assert_false(yes);
}

static void tenants_are_split_and_compared(void **state)
{
	(void)state;
	struct str tenant, node;
	room_split_tenant(STR("[acme]demo"), &tenant, &node);
	assert_str(tenant, "acme");
	assert_str(node, "demo");
	room_split_tenant(STR("[a]b]c"), &tenant, &node);
	assert_str(tenant, "a");
	assert_str(node, "b]c");
	static const char *const plain[] = {"demo", "[]demo", "[acme]", "[acme", "x[acme]demo", ""};
	for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
		room_split_tenant(str_c(plain[i]), &tenant, &node);
		assert_true(str_absent(tenant));
		assert_str(node, plain[i]);
	}
	assert_true(tenant_eq(STR("A.b"), STR("a_B")));
	assert_false(tenant_eq(STR("a-b"), STR("a_b")));
	assert_false(tenant_eq(STR("ab"), STR("abc")));
	assert_false(tenant_eq(STR("\xe2\x84\xaa"), STR("k")));
}

UNIT_MAIN(cmocka_unit_test(names_travel_as_the_clients_write_them),
        cmocka_unit_test(one_bad_escape_leaves_the_whole_name_literal),
        cmocka_unit_test(canonical_nodes_are_recognised), cmocka_unit_test(invalid_utf8_is_no_name),
        cmocka_unit_test(tenants_are_split_and_compared))
