/* ice_test.c - STUN and TURN servers as docker-jitsi-meet's variables name them, and what is said
 * of each. io */
#include <stdio.h>

#include "config/report.h"
#include "config/set.h"
#include "support/unit.h"

static struct config c;
static struct config_report r;

static void derive(const char *variables)
{
	struct buf text;
	buf_init(&text, 0);
	buf_printf(&text, "{\"ENABLE_AUTH\":\"0\",\"TURN_CREDENTIALS\":\"hush\",%s}", variables);
	buf_putc(&text, '\0');
	struct jval *env = jval_parse(str_c(text.p), 4, NULL);
	if (!env)
		fail_msg("bad JSON: %s", text.p);
	config_report_init(&r);
	(void)config_derive_env(&c, env, NULL, &r);
	jval_free(env);
	buf_done(&text);
}

static void done(void)
{
	config_free(&c);
	config_report_free(&r);
}

/* Lines that hold this. */
static int said(const char *part)
{
	int n = 0;
	for (size_t i = 0; i < r.n; i++) {
		struct buf b;
		buf_init(&b, 0);
		config_line_write(&r.lines[i], &b);
		buf_putc(&b, '\0');
		n += strstr(b.p, part) != NULL;
		buf_done(&b);
	}
	return n;
}

static void gives(const char *variables, const char *key, const char *list)
{
	derive(variables);
	struct jval *all = config_effective_json(&c), *want = jval_parse(str_c(list), 4, NULL);
	struct buf got;
	buf_init(&got, 0);
	if (!jval_equal(jval_getc(all, key), want)) {
		jval_write(jval_getc(all, key), &got);
		fail_msg("%s: %s is %.*s", variables, key, STR_FMT(buf_view(&got)));
	}
	if (r.fatal)
		fail_msg("%s: refused", variables);
	buf_done(&got);
	jval_free(all);
	jval_free(want);
	done();
}

static void hosts_ports_and_ways(void **state)
{
	(void)state;
	gives("\"STUN_HOST\":\"s\"", "ice_servers", "[\"stun:s:443\"]");
	gives("\"STUN_HOST\":\" s , t \",\"STUN_PORT\":\"3478\"", "ice_servers",
	        "[\"stun:s:3478\",\"stun:t:3478\"]");
	gives("\"TURN_HOST\":\"t\"", "ice_servers", "[\"turn:t:443?transport=tcp\"]");
	gives("\"TURN_HOST\":\"t,u\",\"TURN_PORT\":\"1\",\"TURN_TRANSPORT\":\"udp, tcp\"",
	        "ice_servers",
	        "[\"turn:t:1?transport=udp\",\"turn:t:1?transport=tcp\","
	        "\"turn:u:1?transport=udp\",\"turn:u:1?transport=tcp\"]");
	gives("\"TURNS_HOST\":\"t\",\"TURN_TRANSPORT\":\"udp\"", "ice_servers",
	        "[\"turns:t:443?transport=tcp\"]");
	gives("\"STUN_HOST\":\",,s,\"", "ice_servers", "[\"stun:s:443\"]");
	gives("\"STUN_HOST\":\" , \"", "ice_servers", "[]");
	gives("\"TURN_PORT\":\"3478\",\"TURN_TRANSPORT\":\"tcp\"", "ice_servers", "[]");
	gives("\"P2P_STUN_SERVERS\":\"a:1, b:2\"", "stun_servers", "[\"stun:a:1\",\"stun:b:2\"]");
	gives("\"TURN_HOST\":\"t\",\"ICE_SERVERS\":\"stun:own:1\"", "ice_servers",
	        "[\"stun:own:1\"]");
}

static void each_variable_has_one_line(void **state)
{
	(void)state;
	derive("\"STUN_HOST\":\"s\",\"STUN_PORT\":\"1\",\"TURN_HOST\":\"t\",\"TURN_PORT\":\"2\","
	       "\"TURN_TRANSPORT\":\"tcp\",\"TURNS_HOST\":\"u\",\"TURNS_PORT\":\"3\","
	       "\"P2P_STUN_SERVERS\":\"p:4\"");
	static const char *const names[] = {"STUN_HOST=s -> ice_servers (honoured)",
	        "STUN_PORT=1 -> ice_servers (honoured)", "TURN_HOST=t -> ice_servers (honoured)",
	        "TURN_PORT=2 -> ice_servers (honoured)",
	        "TURN_TRANSPORT=tcp -> ice_servers (honoured)",
	        "TURNS_HOST=u -> ice_servers (honoured)", "TURNS_PORT=3 -> ice_servers (honoured)",
	        "P2P_STUN_SERVERS=p:4 -> stun_servers (honoured)"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (said(names[i]) != 1)
			fail_msg("%s was said %d times", names[i], said(names[i]));
	}
	assert_int_equal(said("hush"), 0);
	done();
	derive("\"TURN_PORT\":\"2\"");
	assert_int_equal(said("TURN_PORT=2 -> (ignored): it names no server"), 1);
	done();
	derive("\"TURN_HOST\":\"t\",\"TURN_PORT\":\"2\",\"ICE_SERVERS\":\"stun:own:1\"");
	assert_int_equal(said("TURN_HOST=t -> (ignored): ICE_SERVERS wins"), 1);
	assert_int_equal(said("TURN_PORT=2 -> (ignored): ICE_SERVERS wins"), 1);
	done();
}

static void refuses(const char *variables, const char *why)
{
	derive(variables);
	if (!r.fatal || !said(why))
		fail_msg("%s: \"%s\" was not said", variables, why);
	done();
}

static void what_is_no_server_is_refused(void **state)
{
	(void)state;
	refuses("\"STUN_HOST\":\"a b\"", "ice_servers");
	refuses("\"TURN_HOST\":\"t\",\"TURN_PORT\":\"0\"", "ice_servers");
	refuses("\"TURN_HOST\":\"t\",\"TURN_TRANSPORT\":\"carrier\"", "ice_servers");
	refuses("\"P2P_STUN_SERVERS\":\"a'\"", "stun_servers");
}

/* Longer than any list: said, and not cut. */
static void too_many(void **state)
{
	(void)state;
	static const char *const kinds[] = {"TURN_HOST", "P2P_STUN_SERVERS"};
	for (size_t k = 0; k < 2; k++) {
		struct buf b;
		buf_init(&b, 0);
		buf_printf(&b, "\"%s\":\"", kinds[k]);
		for (int i = 0; i < 2000; i++)
			buf_printf(&b, "host%d:1,", i);
		buf_puts(&b, "\"");
		buf_putc(&b, '\0');
		refuses(b.p, "names too many servers");
		buf_done(&b);
	}
}

UNIT_MAIN(cmocka_unit_test(hosts_ports_and_ways), cmocka_unit_test(each_variable_has_one_line),
        cmocka_unit_test(what_is_no_server_is_refused), cmocka_unit_test(too_many))
