/* check.c - gavel check: the settings in force, where each came from, and what stock Jitsi would
 * have done. io */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/err.h"
#include "cli/certificates.h"
#include "cli/cli.h"
#include "cli/keys.h"
#include "config/config.h"

static const char help[] =
        "usage: gavel check [--config FILE | --env FILE] [--json]\n"
        "       gavel check --print-example | --print-doc\n"
        "\n"
        "Shows every setting in force and where it came from, every variable that counts and what "
        "became "
        "of it,\n"
        "contradictions, and what stock Jitsi would have done with the same. Starts nothing, asks "
        "nobody.\n"
        "\n"
        "  --config FILE     the configuration file; the environment counts too\n"
        "  --env FILE        a .env of docker-jitsi-meet, in place of the environment\n"
        "  --json            one JSON object: ok, lines, effective, origins, stock, stock_outcome, "
        "outcome\n"
        "  --print-example   a configuration file with every key, commented\n"
        "  --print-doc       the table of keys, as docs/config.md\n"
        "  --help            this\n"
        "\n"
        "Without a file, the environment is checked (ENABLE_AUTH and so on).\n"
        "Exit code: 0 Gavel would take it, 2 it is wrong (or the arguments are), with the reasons "
        "on standard error.\n";

static int print(struct buf *out, FILE *to, int code)
{
	bool fine = !out->failed && fwrite(out->p ? out->p : "", 1, out->n, to) == out->n &&
	            fflush(to) == 0;
	if (!fine)
		fprintf(stderr, "gavel check: cannot write: %s\n",
		        out->failed ? "out of memory" : strerror(errno));
	buf_done(out);
	return fine ? code : CLI_FAIL;
}

static int generated(void (*write)(struct buf *out))
{
	struct buf out;
	buf_init(&out, 0);
	write(&out);
	return print(&out, stdout, CLI_OK);
}

/* The keys that the configuration names, which only their files can tell. */
static int check_keys(const struct config *c, bool json, struct buf *out)
{
	struct token_keys *keys;
	struct token_error e;
	if (!keys_load(c, &keys, &e)) {
		fprintf(stderr, "gavel check: %s\n", e.text);
		return CLI_USAGE;
	}
	struct buf notes;
	buf_init(&notes, 0);
	keys_sources(c, &notes);
	keys_notes(c, keys, &notes);
	if (notes.n && json)
		fputs(notes.p, stderr);
	else if (notes.n)
		buf_printf(out, "\nKeys\n%s", notes.p);
	out->failed = out->failed || notes.failed;
	buf_done(&notes);
	token_keys_free(keys);
	return CLI_OK;
}

/* Likewise the certificates. */
static int check_certificates(const struct config *c, bool json, struct buf *out)
{
	char why[640] = "";
	struct buf warnings;
	buf_init(&warnings, 0);
	bool fine = certificates_check(c, &warnings, why, sizeof why);
	if (!fine)
		fprintf(stderr, "gavel check: %s\n", why);
	else if (warnings.n && json)
		fputs(warnings.p, stderr);
	else if (warnings.n)
		buf_printf(out, "\nCertificates\n%s", warnings.p);
	out->failed = out->failed || warnings.failed;
	buf_done(&warnings);
	return fine ? CLI_OK : CLI_USAGE;
}

static int check(const struct config_source *src, bool json)
{
	struct config c;
	struct config_report r;
	struct buf out;
	config_report_init(&r);
	buf_init(&out, 0);
	int err = config_load(&c, src, &r);
	if (json) {
		struct jval *j = config_print_json(&c, &r);
		if (j)
			jval_write(j, &out);
		else
			out.failed = true;
		buf_putc(&out, '\n');
		jval_free(j);
	} else {
		config_print(&c, &r, &out);
	}
	if (err == ERR_NOMEM)
		out.failed = true;
	int code = err == ERR_OK ? check_keys(&c, json, &out) : CLI_USAGE;
	if (code == CLI_OK)
		code = check_certificates(&c, json, &out);
	config_free(&c);
	config_report_free(&r);
	return print(&out, err == ERR_OK || json ? stdout : stderr, code);
}

int cli_check(int argc, char **argv)
{
	struct config_source src = {.environ = environ};
	bool json = false;
	for (int i = 1; i < argc; i++) {
		const char *a = argv[i];
		bool value = i + 1 < argc;
		if (strcmp(a, "--help") == 0) {
			fputs(help, stdout);
			return CLI_OK;
		}
		if (strcmp(a, "--print-example") == 0)
			return generated(config_write_example);
		if (strcmp(a, "--print-doc") == 0)
			return generated(config_write_doc);
		if (strcmp(a, "--json") == 0) {
			json = true;
		} else if (strcmp(a, "--config") == 0 && value) {
			src.file = argv[++i];
		} else if (strcmp(a, "--env") == 0 && value) {
			src.env_file = argv[++i];
		} else {
			fprintf(stderr, "gavel check: %s %s\n\n%s", a,
			        strcmp(a, "--config") == 0 || strcmp(a, "--env") == 0
			                ? "needs a file"
			                : "is not known here",
			        help);
			return CLI_USAGE;
		}
	}
	if (src.file && src.env_file) {
		fputs("gavel check: give --config or --env, not both\n", stderr);
		return CLI_USAGE;
	}
	return check(&src, json);
}
