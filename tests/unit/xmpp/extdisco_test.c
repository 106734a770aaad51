/* extdisco_test.c - addresses of STUN and TURN servers, and passwords that run out. io */
#include "support/unit.h"

#include "base/err.h"
#include "xmpp/extdisco.h"
#include "xmpp/ns.h"

static void expect(
        const char *url, const char *type, const char *host, unsigned port, const char *transport)
{
	struct extdisco_service s;
	int err = extdisco_parse(str_c(url), &s);
	if (!type) {
		if (err != ERR_BADMSG)
			fail_msg("%s was accepted", url);
		return;
	}
	assert_int_equal(err, ERR_OK);
	assert_str(s.type, type);
	assert_str(s.host, host);
	assert_int_equal(s.port, port);
	if (transport)
		assert_str(s.transport, transport);
	else
		assert_true(str_absent(s.transport));
}

static void test_addresses(void **state)
{
	(void)state;
	expect("stun:a.example", "stun", "a.example", 0, NULL);
	expect("stun:a.example:3478", "stun", "a.example", 3478, NULL);
	expect("turn:a.example:443?transport=tcp", "turn", "a.example", 443, "tcp");
	expect("turns:[2001:db8::1]:5349?transport=tcp", "turns", "2001:db8::1", 5349, "tcp");
	expect("turn:[::1]", "turn", "::1", 0, NULL);
	static const char *const bad[] = {"", "stun", "stun:", "http:a", "turn:a:0", "turn:a:65536",
	        "turn:a:b", "turn:a?transport=sctp", "stun:a?transport=udp", "turn:[::1",
	        "turn:[::1]x", "turn:a b", "turn:a'", "turn:a:1:2", "turn:[]"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		expect(bad[i], NULL, NULL, 0, NULL);
}

static struct extdisco_service services[] = {
        {STR("stun"), STR("s.example"), STR_NONE, 0},
        {STR("turn"), STR("t.example"), STR("udp"), 3479},
        {STR("turns"), STR("t.example"), STR_NONE, 443},
};

static void written(const struct extdisco *x, const struct element *asked, const char *want)
{
	struct buf b;
	buf_init(&b, 4096);
	extdisco_write(&b, x, asked, 1700000000);
	assert_str(buf_view(&b), want);
	buf_done(&b);
}

/* The password by hand: printf 1700086400 | openssl dgst -sha1 -hmac north -binary | base64 */
static void test_made_passwords(void **state)
{
	(void)state;
	const struct extdisco x = {.services = services,
	        .n = 3,
	        .secret = STR("north"),
	        .ttl_s = 86400,
	        .username = STR_NONE,
	        .password = STR_NONE};
	const struct element asked = {.name = STR("services"), .ns = STR(NS_EXTDISCO_2)};
	written(&x, &asked,
	        "<services xmlns='urn:xmpp:extdisco:2'>"
	        "<service type='stun' host='s.example' port='3478' transport='udp'/>"
	        "<service type='turn' host='t.example' port='3479' transport='udp' "
	        "username='1700086400' password='K+RlgFj3QLvB7WAVHfjfgMgyBeA=' "
	        "expires='2023-11-15T22:13:20Z' restricted='1'/>"
	        "<service type='turns' host='t.example' port='443' transport='tcp' "
	        "username='1700086400' password='K+RlgFj3QLvB7WAVHfjfgMgyBeA=' "
	        "expires='2023-11-15T22:13:20Z' restricted='1'/>"
	        "</services>");
}

static void test_fixed_passwords(void **state)
{
	(void)state;
	struct attribute host = {.name = STR("host"), .ns = STR_NONE, .value = STR("t.example")};
	struct attribute type = {
	        .next = &host, .name = STR("type"), .ns = STR_NONE, .value = STR("turns")};
	struct element service = {
	        .name = STR("service"), .ns = STR(NS_EXTDISCO_1), .attributes = &type};
	struct element asked = {.name = STR("credentials"),
	        .ns = STR(NS_EXTDISCO_1),
	        .first = &service,
	        .last = &service};
	const struct extdisco x = {.services = services,
	        .n = 3,
	        .secret = STR_NONE,
	        .username = STR("u"),
	        .password = STR("p'&")};
	written(&x, &asked,
	        "<credentials xmlns='urn:xmpp:extdisco:1'>"
	        "<service type='turns' host='t.example' port='443' transport='tcp' username='u' "
	        "password='p&apos;&amp;' restricted='1'/></credentials>");
	asked.first = asked.last = NULL;
	written(&x, &asked, "<credentials xmlns='urn:xmpp:extdisco:1'></credentials>");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_addresses),
	        cmocka_unit_test(test_made_passwords),
	        cmocka_unit_test(test_fixed_passwords),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
