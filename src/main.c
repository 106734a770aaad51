/* main.c - picks the command. io */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
} commands[] = {
        {"serve", cli_serve, "run the server"},
        {"check", cli_check,
                "show the effective settings, where each came from, and what contradicts"},
        {"explain", cli_explain,
                "what a token may do in a room, and why; or what the running server decided"},
        {"keys", cli_keys, "which keys from elsewhere the running server knows"},
        {"reload", cli_reload, "the running server reads its certificates again"},
        {"token", cli_token, "make or read a token"},
        {"link", cli_link, "the address that lets somebody into a room"},
        {"version", cli_version, "the version of this program and its libraries"},
};
#define COMMANDS (sizeof commands / sizeof *commands)

static void print_help(FILE *out)
{
	fputs("gavel COMMAND [ARGUMENTS]\n\n", out);
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(out, "  %-8s  %s\n", commands[i].name, commands[i].help);
	fputs("\n`gavel COMMAND --help` tells more. Exit codes: 0 done, 1 it did not work, 2 bad "
	      "arguments "
	      "or "
	      "configuration.\n",
	        out);
}

/* Edit distance of two short words. */
static size_t distance(const char *a, const char *b)
{
	enum { MAX = 32 };
	size_t row[MAX + 1], n = strlen(b);
	if (n > MAX)
		return MAX;
	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 1; *a; a++, i++) {
		size_t diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			size_t cost = diagonal + (*a != b[j - 1]);
			diagonal = row[j];
			if (row[j] + 1 < cost)
				cost = row[j] + 1;
			if (row[j - 1] + 1 < cost)
				cost = row[j - 1] + 1;
			row[j] = cost;
		}
	}
	return row[n];
}

static int unknown(const char *word)
{
	const struct command *nearest = NULL;
	size_t best = 3; /* further away is no help */
	for (size_t i = 0; i < COMMANDS; i++) {
		size_t d = distance(word, commands[i].name);
		if (d < best) {
			best = d;
			nearest = &commands[i];
		}
	}
	fprintf(stderr, "gavel: no such command: %.40s%s%s%s\n", word,
	        nearest ? " (did you mean " : "", nearest ? nearest->name : "",
	        nearest ? "?)" : ". `gavel --help` lists them");
	return CLI_USAGE;
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		print_help(stderr);
		return CLI_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
	        strcmp(argv[1], "help") == 0) {
		print_help(stdout);
		return CLI_OK;
	}
	if (strcmp(argv[1], "--version") == 0)
		return cli_version(1, argv);
	for (size_t i = 0; i < COMMANDS; i++) {
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	}
	return unknown(argv[1]);
}
