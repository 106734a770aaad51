/* reload.c - `gavel reload`: the running server reads its certificates, and key lists from
 * elsewhere, again. io */
#include <stdio.h>
#include <string.h>

#include "base/jval.h"
#include "cli/cli.h"
#include "cli/live.h"

static const char help[] =
        "gavel reload [--config FILE|--env FILE|--state FOLDER]\n"
        "\n"
        "Tells the running server, through the control socket in its state folder, to read the "
        "files of tls_certificate\n"
        "and tls_key again, and key lists (jwks). Nobody is dropped: connections that are there "
        "live on with the old "
        "certificate, new ones get\n"
        "the new one. A file that cannot be used is told, and the old certificates stay. SIGHUP "
        "does the same. Other\n"
        "settings are read at the start only.\n"
        "\n"
        "  --config FILE   the server's configuration (it names the state folder)\n"
        "  --env FILE      the docker .env the server was started with\n"
        "  --state FOLDER  the state folder itself\n"
        "\n"
        "Exit codes: 0 done, 1 refused, or no server there, 2 bad arguments or configuration.\n";

/* 0: go on, 1: only help is wanted, -1: a message is on standard error. */
static int parse(struct live_place *p, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		const char *a = argv[i], **value = NULL;
		if (strcmp(a, "--help") == 0 || strcmp(a, "-h") == 0)
			return 1;
		if (strcmp(a, "--config") == 0)
			value = &p->config;
		else if (strcmp(a, "--env") == 0)
			value = &p->env;
		else if (strcmp(a, "--state") == 0)
			value = &p->state;
		if (!value || i + 1 == argc) {
			fprintf(stderr, "gavel reload: %s: %s (--help tells more)\n", a,
			        value ? "needs a value" : "no such argument");
			return -1;
		}
		*value = argv[++i];
	}
	return 0;
}

static int show(struct str answer)
{
	struct jval *j = jval_parse(answer, 4, NULL);
	bool ok = jval_true(jval_getc(j, "ok"));
	if (ok)
		puts("The certificates were read again.");
	else
		fprintf(stderr, "gavel reload: %.*s\n", STR_FMT(jval_str(jval_getc(j, "error"))));
	jval_free(j);
	return ok ? CLI_OK : CLI_FAIL;
}

int cli_reload(int argc, char **argv)
{
	struct live_place place = {.command = "reload"};
	struct buf question, answer;
	int parsed = parse(&place, argc, argv);
	if (parsed) {
		if (parsed > 0)
			fputs(help, stdout);
		return parsed > 0 ? CLI_OK : CLI_USAGE;
	}
	buf_init(&question, 0);
	buf_init(&answer, 0);
	buf_puts(&question, "{\"ask\":\"reload\"}");
	int code = live_ask(&place, &question, &answer);
	if (!code)
		code = show(buf_view(&answer));
	buf_done(&question);
	buf_done(&answer);
	return code;
}
