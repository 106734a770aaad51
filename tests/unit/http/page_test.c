/* page_test.c - /config.js says what the settings say, and nothing can break out of it. io */
#include "support/unit.h"

#include "http/page.h"

static struct page_config usual(void)
{
	static const struct str paths[] = {{"context.user.name", 17}};
	return (struct page_config){.domain = STR("meet.example"),
	        .muc_domain = STR("muc.meet.example"),
	        .focus_domain = STR("focus.meet.example"),
	        .focus_jid = STR("focus@auth.meet.example"),
	        .ws_path = "/xmpp-websocket",
	        .names = PAGE_NAMES_FROZEN,
	        .name_paths = paths,
	        .n_name_paths = 1,
	        .name_max = 50,
	        .prejoin = true};
}

static struct buf write(const struct page_config *c)
{
	struct buf b;
	buf_init(&b, 0);
	page_config_write(c, &b);
	assert_false(b.failed);
	return b;
}

static void expect(const struct page_config *c, const char *holds, bool there)
{
	struct buf b = write(c);
	if ((strstr(b.p, holds) != NULL) != there)
		fail_msg("%s is %sin %s", holds, there ? "not " : "", b.p);
	buf_done(&b);
}

static void clients_find_what_they_need(void **state)
{
	(void)state;
	struct page_config c = usual();
	expect(&c, "var config = {", true);
	expect(&c, "domain: \"meet.example\"", true);
	expect(&c, "muc: \"muc.meet.example\"", true);
	expect(&c, "focusUserJid: \"focus@auth.meet.example\"", true);
	expect(&c, "enabled: true,\n    stunServers: []",
	        true); /* without the list clients ask a public server */
	expect(&c, "anonymousdomain",
	        false); /* it would turn a refused join into a connection error */
	expect(&c, "tokenAuthUrl", false);
	expect(&c, "readOnlyName: true,", false);
}

static void settings_show(void **state)
{
	(void)state;
	static const struct str stun[] = {{"stun:a.example:3478", 19}, {"stun:b.example", 14}};
	struct page_config c = usual();
	c.stun_servers = stun;
	c.n_stun_servers = 2;
	c.token_auth_url = STR("https://login.example/?r={room}");
	c.read_only_name = c.disable_kickout = true;
	c.public_url = STR("https://meet.example");
	expect(&c, "stunServers: [{ urls: \"stun:a.example:3478\" }, { urls: \"stun:b.example\" }]",
	        true);
	expect(&c, "tokenAuthUrl: \"https://login.example/?r={room}\"", true);
	expect(&c, "  readOnlyName: true,\n", true);
	expect(&c, "disableKick: true", true);
	expect(&c, ": \"https://meet.example\";", true);
}

static void the_snippet_follows_the_name_mode(void **state)
{
	(void)state;
	struct page_config c = usual();
	expect(&c, "mode: 'frozen', max: 50, paths: [\"context.user.name\"]", true);
	c.names = PAGE_NAMES_PER_CLAIM;
	expect(&c, "mode: 'per-claim'", true);
	c.names = PAGE_NAMES_FREE;
	expect(&c, "jwt=", false);
}

static void strings_cannot_break_out(void **state)
{
	(void)state;
	struct page_config c = usual();
	c.domain = STR("a\"};alert(1);//");
	expect(&c, "domain: \"a\\\"};alert(1);//\"", true);
}

static void out_of_memory_shows(void **state)
{
	(void)state;
	struct page_config c = usual();
	struct buf b;
	buf_init(&b, 1000);
	page_config_write(&c, &b);
	assert_true(b.failed);
	buf_done(&b);
}

static void a_tenant_has_addresses_of_its_own(void **state)
{
	(void)state;
	struct page_config c = usual();
	expect(&c, "base += ", false);
	expect(&c, "conferenceRequestUrl", false);
	expect(&c, "deploymentInfo", false);
	c.tenant = STR("Acme.Inc");
	c.conference_path = "/conference-request/v1";
	c.shard = STR("s1");
	expect(&c, "base += '/' + \"Acme.Inc\";", true);
	expect(&c, "config.conferenceRequestUrl = base + '/conference-request/v1';", true);
	expect(&c, "deploymentInfo: {\n    shard: \"s1\",\n  }", true);
	expect(&c, "muc: \"muc.meet.example\"", true);
	c.tenant_rooms = true;
	expect(&c, "muc: \"muc.acme_inc.meet.example\"", true);
	c.muc_domain = STR("rooms.elsewhere");
	expect(&c, "muc: \"rooms.elsewhere\"", true);
}

static void the_end_stands_alone(void **state)
{
	(void)state;
	struct page_config c = usual();
	struct buf b;
	buf_init(&b, 0);
	page_config_write_end(&c, &b);
	assert_true(str_starts(buf_view(&b), STR("(function (names) {")));
	assert_null(strstr(b.p, "var config"));
	buf_reset(&b);
	c.names = PAGE_NAMES_FREE;
	page_config_write_end(&c, &b);
	assert_int_equal(b.n, 0);
	buf_done(&b);
}

UNIT_MAIN(cmocka_unit_test(a_tenant_has_addresses_of_its_own),
        cmocka_unit_test(the_end_stands_alone), cmocka_unit_test(clients_find_what_they_need),
        cmocka_unit_test(settings_show), cmocka_unit_test(the_snippet_follows_the_name_mode),
        cmocka_unit_test(strings_cannot_break_out), cmocka_unit_test(out_of_memory_shows))
