/* token_test.c - `token read` and `link` from the outside: words, exit codes, and nothing that
 * steers a terminal. io */
#include "support/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/cli.h"
#include "support/token.h"

#define CLAIMS "\"iss\":\"my_app\",\"aud\":\"x\",\"sub\":\"s\",\"room\":\"demo\""

static char config_path[64], output[16384];

/* Runs a command with standard output caught in `output`; standard error is thrown away. */
static int run(int (*command)(int, char **), const char *const *words)
{
	static char text[8][8192];
	char *argv[9];
	int argc = 0;
	for (; words[argc]; argc++) {
		snprintf(text[argc], sizeof text[argc], "%s", words[argc]);
		argv[argc] = text[argc];
	}
	argv[argc] = NULL;
	FILE *catch = tmpfile(), *sink = fopen("/dev/null", "w");
	assert_true(catch && sink);
	fflush(stdout);
	fflush(stderr);
	int out = dup(1), err = dup(2);
	dup2(fileno(catch), 1);
	dup2(fileno(sink), 2);
	int result = command(argc, argv);
	fflush(stdout);
	fflush(stderr);
	dup2(out, 1);
	dup2(err, 2);
	close(out);
	close(err);
	rewind(catch);
	output[fread(output, 1, sizeof output - 1, catch)] = '\0';
	fclose(catch);
	fclose(sink);
	return result;
}

#define TOKEN(...) run(cli_token, (const char *const[]){"token", __VA_ARGS__, NULL})
#define LINK(...) run(cli_link, (const char *const[]){"link", __VA_ARGS__, NULL})

static bool says(const char *words)
{
	return strstr(output, words) != NULL;
}

static void reading_verifies_nothing_unless_asked(void **state)
{
	(void)state;
	char *token =
	        test_token(TOKEN_HS256, NULL, "{\"alg\":\"HS256\"}", "{" CLAIMS ",\"exp\":1}");
	assert_int_equal(TOKEN("read", token), CLI_OK);
	assert_true(says("NOT VERIFIED") && says("\"room\" = \"demo\"") &&
	            says("1970-01-01T00:00:01Z"));
	assert_int_equal(TOKEN("read", "--json", token), CLI_OK);
	assert_true(says("\"verified\":false,\"accepted\":null"));
	assert_int_equal(TOKEN("read", "--config", config_path, token), CLI_FAIL);
	assert_true(says("REFUSED  E_EXP") && !says("NOT VERIFIED"));
	mem_free(token);
}

static void reading_with_a_configuration_gives_its_verdict(void **state)
{
	(void)state;
	char *token = test_token(TOKEN_HS256, NULL, "{\"alg\":\"HS256\"}", "{" CLAIMS "}");
	assert_int_equal(TOKEN("read", "--config", config_path, token), CLI_OK);
	assert_true(says("VERIFIED HS256") && !says("NOT VERIFIED") && says("W_NO_EXP"));
	char link[4096];
	snprintf(link, sizeof link, "https://meet.example.com/demo#jwt=%s&config.x=1", token);
	assert_int_equal(TOKEN("read", "--json", "--config", config_path, link), CLI_OK);
	assert_true(says("\"verified\":true,\"accepted\":true"));
	token[strlen(token) - 5] ^= 3;
	assert_int_equal(TOKEN("read", "--config", config_path, token), CLI_FAIL);
	assert_true(says("E_SIG") && says("What follows is NOT VERIFIED"));
	mem_free(token);
}

static void what_is_no_token_is_told(void **state)
{
	(void)state;
	assert_int_equal(TOKEN("read", "hello"), CLI_FAIL);
	assert_true(says("three parts"));
	assert_int_equal(TOKEN("read", "e30.e30=.e30"), CLI_FAIL);
	assert_true(says("the payload is no base64url"));
	assert_int_equal(TOKEN("read", "--config", "/nonexistent", "a.b.c"), CLI_USAGE);
	assert_int_equal(TOKEN("read", "a", "b"), CLI_USAGE);
	assert_int_equal(TOKEN("read", "--keys", "x", "a.b.c"), CLI_USAGE);
	assert_int_equal(TOKEN("what"), CLI_USAGE);
	assert_int_equal(TOKEN("--help"), CLI_OK);
	assert_true(says("gavel token make"));
}

static void a_token_cannot_steer_the_terminal(void **state)
{
	(void)state;
	char *token = test_token(TOKEN_HS256, NULL, "{\"alg\":\"HS256\"}",
	        "{\"a\":\"\\u001b[2J\\u009b31m\\u007f\\u202egp\",\"\\u0007\":1}");
	assert_int_equal(TOKEN("read", token), CLI_OK);
	for (const char *p = output; *p; p++)
		assert_true((unsigned char)*p < 0x7f && (*p >= 0x20 || *p == '\n'));
	assert_true(says("\\u009b31m\\u007f\\u202egp"));
	mem_free(token);
}

static void a_link_opens_the_room(void **state)
{
	(void)state;
	assert_int_equal(
	        LINK("--config", config_path, "--room", "My Room", "--url", "https://h.example/"),
	        CLI_OK);
	assert_true(says("https://h.example/my%20room#jwt=eyJ"));
	assert_int_equal(TOKEN("read", "--config", config_path, output), CLI_OK);
	assert_true(says("\"room\" = \"My Room\""));
	assert_int_equal(LINK("--config", config_path, "--room", "demo", "--guest"), CLI_FAIL);
	assert_int_equal(LINK("--config", config_path, "--room", "a/b"), CLI_USAGE);
	assert_int_equal(LINK("--config", config_path, "--room", "*"), CLI_USAGE);
	assert_int_equal(LINK("--config", config_path, "--room", "demo", "--guest", "--name", "A"),
	        CLI_USAGE);
	assert_int_equal(LINK("--config", config_path), CLI_USAGE);
}

static int setup(void **state)
{
	(void)state;
	snprintf(config_path, sizeof config_path, "/tmp/gavel-token-%ld.yaml", (long)getpid());
	FILE *f = fopen(config_path, "w");
	if (!f)
		return -1;
	fputs("app_id: my_app\napp_secret: " TEST_SECRET "\n", f);
	return fclose(f);
}

static int teardown(void **state)
{
	(void)state;
	return remove(config_path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(reading_verifies_nothing_unless_asked),
	        cmocka_unit_test(reading_with_a_configuration_gives_its_verdict),
	        cmocka_unit_test(what_is_no_token_is_told),
	        cmocka_unit_test(a_token_cannot_steer_the_terminal),
	        cmocka_unit_test(a_link_opens_the_room),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown);
}
