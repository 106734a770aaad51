/* serve.c - `gavel serve`: configuration in, a running server, an exit code out. io */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "cli/certificates.h"
#include "cli/cli.h"
#include "cli/faults.h"
#include "cli/keys.h"
#include "cli/server.h"
#include "cli/trial.h"

#define SET_MAX 64
#define TRIAL_SETS 5

extern char **environ;

static const char help[] =
        "gavel serve [--config FILE | --env FILE] [--set KEY=VALUE]... [--trial [--lan]]\n"
        "\n"
        "Runs the server until SIGINT or SIGTERM. Settings come from flags, the environment and "
        "FILE; "
        "`gavel check` shows\n"
        "them. With neither a file nor ENABLE_AUTH in the environment it refuses to start.\n"
        "\n"
        "  --config FILE     the configuration (YAML, one key a line)\n"
        "  --env FILE        a .env of docker-jitsi-meet, in place of the environment\n"
        "  --set KEY=VALUE   one setting, over file and environment\n"
        "  --trial           make a configuration and a secret in the state folder once, and print "
        "links "
        "to try\n"
        "  --lan             with --trial: for other machines of this network too, by HTTPS with a "
        "certificate made here\n"
        "\n"
        "Exit codes: 0 ended by a signal, 1 it could not run (a port that is taken), 2 bad "
        "arguments or "
        "configuration.\n";

struct options {
	const char *config, *env;
	const char *set[SET_MAX + TRIAL_SETS + 1]; /* the trial's own first; NULL at the end */
	size_t n_set;
	bool trial, lan, help;
};

static bool bad(const char *what, const char *word)
{
	fprintf(stderr, "gavel serve: %s%s%s. `gavel serve --help` tells more.\n", what,
	        word ? ": " : "", word ? word : "");
	return false;
}

static bool parse(int argc, char **argv, struct options *o)
{
	for (int i = 1; i < argc; i++) {
		const char *a = argv[i];
		if (strcmp(a, "--help") == 0 || strcmp(a, "-h") == 0) {
			o->help = true;
		} else if (strcmp(a, "--trial") == 0) {
			o->trial = true;
		} else if (strcmp(a, "--lan") == 0) {
			o->lan = true;
		} else if (strcmp(a, "--config") == 0) {
			if (++i == argc)
				return bad("--config needs a file", NULL);
			o->config = argv[i];
		} else if (strncmp(a, "--config=", 9) == 0) {
			o->config = a + 9;
		} else if (strcmp(a, "--env") == 0) {
			if (++i == argc)
				return bad("--env needs a file", NULL);
			o->env = argv[i];
		} else if (strcmp(a, "--set") == 0) {
			if (++i == argc || !strchr(argv[i], '='))
				return bad("--set needs KEY=VALUE", NULL);
			if (o->n_set == SET_MAX)
				return bad("too many --set", NULL);
			o->set[o->n_set++] = argv[i];
		} else {
			return bad("no such argument", a);
		}
	}
	if (o->trial && (o->config || o->env))
		return bad(
		        "--trial brings its own configuration, leave --config and --env out", NULL);
	if (o->config && o->env)
		return bad("give --config or --env, not both", NULL);
	if (o->lan && !o->trial)
		return bad("--lan belongs to --trial", NULL);
	return true;
}

/* What a trial wants on top of its file, under what the command line says. */
static void trial_sets(struct options *o)
{
	static const char *const sets[TRIAL_SETS] = {
	        /* somebody who tries it wants to see a guest; the file that stays keeps them out */
	        "allow_guests=true",
	        /* browsers give cameras to HTTPS only, where the page comes from elsewhere */
	        "bind=0.0.0.0,::", "https_port=8443", "tls_self_signed=true", "http_redirect=true"};
	size_t n = o->lan ? TRIAL_SETS : 1;
	memmove(o->set + n, o->set, o->n_set * sizeof *o->set);
	memcpy(o->set, sets, n * sizeof *sets);
}

static void print_report(const struct config_report *r)
{
	struct buf b;
	buf_init(&b, 0);
	for (size_t i = 0; i < r->n; i++) {
		const struct config_line *l = &r->lines[i];
		buf_reset(&b);
		config_line_write(l, &b);
		if (b.failed)
			continue;
		if (l->severity == CONFIG_FATAL)
			fprintf(stderr, "gavel serve: %s\n", b.p ? b.p : "");
		else if (l->severity == CONFIG_WARN)
			log_warn("event=config %s", b.p ? b.p : "");
		else
			log_info("event=config %s", b.p ? b.p : "");
	}
	buf_done(&b);
}

static int run(const struct config *c, const struct token_keys *keys, bool trial, bool lan)
{
	char why[640] = "";
	struct server *s = server_new(c, keys, why, sizeof why);
	config_forget_passwords(c);
	if (!s) {
		fprintf(stderr, "gavel serve: %s\n", why);
		return CLI_FAIL;
	}
	if (trial) {
		trial_print(c, server_url(s), server_port(s), lan);
	} else {
		printf("Gavel is ready: %s\n", server_url(s));
		fflush(stdout);
	}
	server_run(s);
	server_free(s);
	return CLI_OK;
}

static int load_keys_and_run(const struct config *c, bool trial, bool lan)
{
	struct token_keys *keys;
	struct token_error e;
	if (!keys_load(c, &keys, &e)) {
		fprintf(stderr, "gavel serve: %s\n", e.text);
		return CLI_USAGE;
	}
	char why[640] = "";
	struct buf notes;
	buf_init(&notes, 0);
	if (!certificates_check(c, &notes, why, sizeof why)) { /* its warnings come later */
		fprintf(stderr, "gavel serve: %s\n", why);
		token_keys_free(keys);
		return CLI_USAGE;
	}
	buf_reset(&notes);
	keys_notes(c, keys, &notes);
	struct str rest = buf_view(&notes);
	while (rest.n)
		log_warn("event=config %.*s", STR_FMT(str_split(&rest, '\n')));
	buf_done(&notes);
	struct token_store *store;
	int code = CLI_FAIL;
	if (keys_open_store(c, keys, &store))
		code = run(c, keys, trial, lan);
	else
		fputs("gavel serve: out of memory\n", stderr);
	token_store_free(store);
	token_keys_free(keys);
	return code;
}

int cli_serve(int argc, char **argv)
{
	struct options o = {0};
	char path[512];
	if (!faults_begin())
		return CLI_FAIL;
	if (!parse(argc, argv, &o))
		return CLI_USAGE;
	if (o.help) {
		fputs(help, stdout);
		return CLI_OK;
	}
	if (o.trial) {
		if (!trial_prepare(path, sizeof path))
			return CLI_FAIL;
		o.config = path;
		trial_sets(&o);
	}
	struct config c;
	struct config_report report;
	struct config_source source = {.file = o.config,
	        .env_file = o.env,
	        .environ = environ,
	        .overrides = o.set,
	        .need_start = true};
	config_report_init(&report);
	int err = config_load(&c, &source, &report);
	if (!err)
		log_set_level(c.server.log_level);
	print_report(&report);
	int code = CLI_USAGE;
	if (err == ERR_NOMEM || report.nomem)
		fputs("gavel serve: out of memory\n", stderr), code = CLI_FAIL;
	else if (!err && !report.fatal)
		code = load_keys_and_run(&c, o.trial, o.lan);
	config_report_free(&report);
	config_free(&c);
	return code;
}
