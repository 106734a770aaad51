/* envfile_test.c - .env files as docker compose writes them, and raw Lua lines. pure */
#include <stdio.h>

#include "base/mem.h"
#include "config/envfile.h"
#include "config/lua.h"
#include "config/report.h"
#include "support/unit.h"

/* A variable as the process has it: not const. */
#define V(text) ((char[]){text})

static void expect(const char *text, const char *name, const char *want)
{
	struct env e;
	struct config_report r;
	env_init(&e, ".env");
	config_report_init(&r);
	env_read_text(&e, str_c(text), &r);
	if (r.fatal)
		fail_msg("refused: %s: %s", text, r.lines[0].text);
	struct str got = env_str(&e, name);
	if (want ? !str_eqc(got, want) : !str_absent(got))
		fail_msg("%s: %s=\"%.*s\", want \"%s\"", text, name, STR_FMT(got),
		        want ? want : "(unset)");
	env_done(&e);
	config_report_free(&r);
}

static void lines_are_read(void **state)
{
	(void)state;
	expect("A=1\n", "A", "1");
	expect("A=1", "A", "1");
	expect("A=1\r\nB=2\r\n", "A", "1");
	expect("A=1\r\nB=2\r\n", "B", "2");
	expect("\xef\xbb\xbf"
	       "A=1\n",
	        "A", "1");
	expect("# A=0\n\n  A = 1  \n", "A", "1");
	expect("export A=1\n", "A", "1");
	expect("A=a b # comment\n", "A", "a b");
	expect("A=a#b\n", "A", "a#b");
	expect("A=#b\n", "A", NULL);
	expect("A=\n", "A", NULL);
	expect("A=~\n", "A", NULL);
	expect("A=~/x\n", "A", "~/x");
	expect("A=\"~\"\n", "A", "~");
	expect("A=\"\"\n", "A", NULL);
	expect("A=a=b\n", "A", "a=b");
	expect("A=1\nA=2\n", "A", "2");
	expect("A\n", "A", NULL);
}

static void quotes_are_read(void **state)
{
	(void)state;
	expect("A='a $B \\n # c' # d\n", "A", "a $B \\n # c");
	expect("A=\"a # b\"\n", "A", "a # b");
	expect("A=\"a\\n\\\"b\\\" \\$C\"\n", "A", "a\n\"b\" $C");
	expect("A=\"one\ntwo\"\nB=3\n", "A", "one\ntwo");
	expect("A=\"one\ntwo\"\nB=3\n", "B", "3");
	expect("A=it's\n", "A", "it's");
}

static void names_expand(void **state)
{
	(void)state;
	expect("B=x\nA=$B\n", "A", "x");
	expect("B=x\nA=${B}y\n", "A", "xy");
	expect("B=x\nA=\"<${B}>\"\n", "A", "<x>");
	expect("A=${B}\n", "A", NULL);
	expect("A=${B:-d}\n", "A", "d");
	expect("B=\nA=${B:-d}\n", "A", "d");
	expect("B=\nA=${B-d}\n", "A", NULL);
	expect("B=x\nA=${B:-d}\n", "A", "x");
	expect("B=x\nA=${B:+d}\n", "A", "d");
	expect("A=${B:+d}\n", "A", NULL);
	expect("C=x\nA=${B:-${C}}\n", "A", "x");
	expect("A=5$\n", "A", "5$");
	expect("A=$$\n", "A", "$$");
}

static void refused(const char *text, int line, const char *part)
{
	struct env e;
	struct config_report r;
	env_init(&e, ".env");
	config_report_init(&r);
	env_read_text(&e, str_c(text), &r);
	assert_true(r.fatal);
	for (size_t i = 0; i < r.n; i++) {
		if (r.lines[i].severity != CONFIG_FATAL)
			continue;
		if (r.lines[i].line != line || !strstr(r.lines[i].text, part))
			fail_msg("%s: line %d \"%s\", want %d \"%s\"", text, r.lines[i].line,
			        r.lines[i].text, line, part);
		break;
	}
	env_done(&e);
	config_report_free(&r);
}

static void faults_are_named_with_their_line(void **state)
{
	(void)state;
	refused("A=1\n=2\n", 2, "expected NAME=value");
	refused("A: 1\n", 1, "expected NAME=value");
	refused("1A=1\n", 1, "expected NAME=value");
	refused("A=1\nB=\"x\n", 2, "not closed");
	refused("A='x\n\n\n", 1, "not closed");
	refused("A=\"x\" y\n", 1, "only a comment");
	refused("A=${B\n", 1, "only :- - :+ + :? and ?");
	refused("A=${B:-x\n", 1, "not closed");
	refused("A=${}\n", 1, "a name must follow");
	refused("A=${B:?}\n", 1, "must be set above");
	refused("A=\xff\n", 1, "not text in UTF-8");
	refused("A=${B:-${B:-${B:-${B:-${B:-${B:-${B:-${B:-${B:-${B:-x}}}}}}}}}}\n", 1,
	        "nested too deep");
}

static void a_name_given_twice_is_said(void **state)
{
	(void)state;
	struct env e;
	struct config_report r;
	env_init(&e, ".env");
	config_report_init(&r);
	env_read_text(&e, STR("A=1\nB=2\nA=3\n"), &r);
	assert_int_equal(r.n, 1);
	assert_int_equal(r.lines[0].severity, CONFIG_WARN);
	assert_string_equal(r.lines[0].text, "is given twice, in lines 1 and 3: the last counts");
	env_done(&e);
	config_report_free(&r);
}

static void expansion_cannot_explode(void **state)
{
	(void)state;
	struct env e;
	struct config_report r;
	struct buf b;
	buf_init(&b, 0);
	buf_puts(&b, "A0=xxxxxxxxxxxxxxxx\n");
	for (int i = 1; i < 40; i++)
		buf_printf(&b, "A%d=$A%d$A%d$A%d$A%d\n", i, i - 1, i - 1, i - 1, i - 1);
	env_init(&e, ".env");
	config_report_init(&r);
	env_read_text(&e, buf_view(&b), &r);
	assert_true(r.fatal);
	assert_true(e.bytes <= ENV_TOTAL_MAX);
	env_done(&e);
	config_report_free(&r);
	buf_done(&b);
}

static void the_process_gives_its_variables(void **state)
{
	(void)state;
	char *const environment[] = {
	        V("A=1"), V("B="), V("=C:=x"), V("D"), V("BASH_FUNC_x%%=() { }"), V("E=a=b"), NULL};
	struct env e;
	env_init(&e, NULL);
	assert_true(env_read_process(&e, environment));
	assert_str(env_str(&e, "A"), "1");
	assert_null(env_get(&e, "B"));
	assert_str(env_str(&e, "E"), "a=b");
	assert_int_equal(e.n, 3);
	env_done(&e);
}

/* ---- raw Lua lines ---- */

static void on_entry(void *arg, struct str name, enum lua_kind kind, struct str text)
{
	static const char *const kinds[] = {"s", "n", "b", "l", "?"};
	buf_printf(arg, "%.*s:%s:%.*s|", STR_FMT(name), kinds[kind], STR_FMT(text));
}

static void lua_gives(const char *lines, const char *want)
{
	struct buf b;
	buf_init(&b, 0);
	lua_read(str_c(lines), on_entry, &b);
	assert_str(buf_view(&b), want);
	buf_done(&b);
}

static void lua_literals_are_read_and_nothing_is_evaluated(void **state)
{
	(void)state;
	lua_gives("", "");
	lua_gives("app_id = \"my_app\"", "app_id:s:my_app|");
	lua_gives("a='x',b=2;c=true\nd = false", "a:s:x|b:n:2|c:b:true|d:b:false|");
	lua_gives("a=1\\nb=2", "a:n:1|b:n:2|");
	lua_gives("x = {\"a\", \"b, c\"; 'd',}", "x:l:[\"a\",\"b, c\",\"d\"]|");
	lua_gives("x = {}", "x:l:[]|");
	lua_gives("-- a comment\nx = 1 -- another", "x:n:1|");
	lua_gives("x = 1 + 1", "x:?:|");
	lua_gives("x = os.getenv(\"HOME\")", "x:?:|");
	lua_gives("x = { a = 1 }", "x:?:|");
	lua_gives("x = \"a\" .. \"b\"", "x:?:|");
	lua_gives("x == 1", "x:?:|");
	lua_gives("x = \"open", "x:?:|");
	lua_gives("VirtualHost \"x\"", "VirtualHost:?:|");
	lua_gives("}}}", ":?:|");
	lua_gives("x = nil", "x:?:|");
}

UNIT_MAIN(cmocka_unit_test(lines_are_read), cmocka_unit_test(quotes_are_read),
        cmocka_unit_test(names_expand), cmocka_unit_test(faults_are_named_with_their_line),
        cmocka_unit_test(a_name_given_twice_is_said), cmocka_unit_test(expansion_cannot_explode),
        cmocka_unit_test(the_process_gives_its_variables),
        cmocka_unit_test(lua_literals_are_read_and_nothing_is_evaluated))
