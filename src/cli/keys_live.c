/* keys_live.c - `gavel keys`: which keys from elsewhere the running server knows, and how their
 * sources answer. io */
#include <stdio.h>
#include <string.h>

#include "base/jval.h"
#include "cli/cli.h"
#include "cli/live.h"

static const char help[] =
        "gavel keys [--config FILE|--env FILE|--state FOLDER] [--json]\n"
        "\n"
        "Asks the running server, through the control socket in its state folder, what it knows of "
        "keys that come from\n"
        "a key server or a key list: per source the requests and their outcome, and per key its "
        "age, how long it is\n"
        "fresh, and the last error. No key is shown.\n"
        "\n"
        "  --config FILE   the server's configuration (it names the state folder)\n"
        "  --env FILE      the docker .env the server was started with\n"
        "  --state FOLDER  the state folder itself\n"
        "  --json          the server's answer as it is\n"
        "\n"
        "Exit codes: 0 answered, 1 no server there, 2 bad arguments or configuration.\n";

struct options {
	struct live_place place;
	bool json, help;
};

static bool parse(struct options *o, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		const char *a = argv[i];
		const char **value = NULL;
		if (strcmp(a, "--help") == 0 || strcmp(a, "-h") == 0)
			o->help = true;
		else if (strcmp(a, "--json") == 0)
			o->json = true;
		else if (strcmp(a, "--config") == 0)
			value = &o->place.config;
		else if (strcmp(a, "--env") == 0)
			value = &o->place.env;
		else if (strcmp(a, "--state") == 0)
			value = &o->place.state;
		else {
			fprintf(stderr, "gavel keys: no such argument: %s (--help tells more)\n",
			        a);
			return false;
		}
		if (value && i + 1 == argc) {
			fprintf(stderr, "gavel keys: %s needs a value (--help tells more)\n", a);
			return false;
		}
		if (value)
			*value = argv[++i];
	}
	return true;
}

/* Issuers and kids are others' words: no control character reaches the terminal. */
static void print_quoted(struct str s)
{
	struct buf b;
	buf_init(&b, 0);
	jval_quote(s, &b);
	printf("%.*s", STR_FMT(buf_view(&b)));
	buf_done(&b);
}

static long long number(const struct jval *j, const char *key)
{
	return (long long)jval_integer(jval_getc(j, key));
}

static void print_document(const struct jval *d)
{
	const struct jval *keys = jval_getc(d, "keys");
	struct str hash = jval_str(jval_getc(d, "kid_sha256"));
	struct str because = jval_str(jval_getc(d, "because"));
	if (hash.n)
		printf("  kid SHA-256 %.*s\n", STR_FMT(hash));
	printf("    last answer: %.*s", STR_FMT(jval_str(jval_getc(d, "last"))));
	if (number(d, "status"))
		printf(" (%lld)", number(d, "status"));
	if (because.n) {
		printf(", ");
		print_quoted(because);
	}
	if (jval_getc(d, "age"))
		printf("; read %lld s ago", number(d, "age"));
	if (jval_getc(d, "age") && number(d, "fresh_for") >= 0)
		printf(", fresh for %lld s", number(d, "fresh_for"));
	else if (jval_getc(d, "age") && number(d, "failures"))
		printf(", out of date");
	printf(jval_true(jval_getc(d, "in_flight")) ? "; asked now\n" : "\n");
	for (size_t i = 0; i < jval_size(keys); i++) {
		const struct jval *k = jval_at(keys, i);
		printf("    key %.*s", STR_FMT(jval_str(jval_getc(k, "type"))));
		if (jval_getc(k, "kid")) {
			printf(" kid ");
			print_quoted(jval_str(jval_getc(k, "kid")));
		}
		putchar('\n');
	}
}

static void print_source(const struct jval *s)
{
	const struct jval *documents = jval_getc(s, "documents");
	printf("%.*s ", STR_FMT(jval_str(jval_getc(s, "source"))));
	print_quoted(jval_str(jval_getc(s, "place")));
	if (jval_is_string(jval_getc(s, "issuer"))) {
		printf(" for issuer ");
		print_quoted(jval_str(jval_getc(s, "issuer")));
	}
	printf("\n  requests %lld: good %lld, missing %lld, broken %lld, failed %lld; in flight "
	       "%lld\n",
	        number(s, "requests"), number(s, "good"), number(s, "missing"), number(s, "broken"),
	        number(s, "failed"), number(s, "in_flight"));
	printf("  lookups refused %lld, limited %lld, timed out %lld; logins waiting %lld\n",
	        number(s, "refused"), number(s, "limited"), number(s, "timed_out"),
	        number(s, "waiting"));
	for (size_t i = 0; i < jval_size(documents); i++)
		print_document(jval_at(documents, i));
}

static int show(const struct options *o, struct str answer)
{
	struct jval *j = jval_parse(answer, 16, NULL);
	const struct jval *result = jval_getc(j, "result");
	bool ok = jval_true(jval_getc(j, "ok"));
	if (o->json)
		printf("%.*s", STR_FMT(answer));
	else if (!ok)
		fprintf(stderr, "gavel keys: %.*s\n", STR_FMT(jval_str(jval_getc(j, "error"))));
	else if (jval_size(result) == 0)
		printf("No key comes from elsewhere: secrets and key files are read at the "
		       "start.\n");
	for (size_t i = 0; ok && !o->json && i < jval_size(result); i++)
		print_source(jval_at(result, i));
	jval_free(j);
	return ok ? CLI_OK : CLI_FAIL;
}

int cli_keys(int argc, char **argv)
{
	struct options o = {.place.command = "keys"};
	struct buf question, answer;
	if (!parse(&o, argc, argv))
		return CLI_USAGE;
	if (o.help) {
		fputs(help, stdout);
		return CLI_OK;
	}
	buf_init(&question, 0);
	buf_init(&answer, 0);
	buf_puts(&question, "{\"ask\":\"keys\"}");
	int code = live_ask(&o.place, &question, &answer);
	if (!code)
		code = show(&o, buf_view(&answer));
	buf_done(&question);
	buf_done(&answer);
	return code;
}
