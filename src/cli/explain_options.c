/* explain_options.c - reading the arguments of gavel explain. io */
#include "cli/explain_options.h"

#include <stdio.h>

#include "base/str.h"

const char explain_help[] =
        "usage: gavel explain [--config FILE | --env FILE] --room ROOM [--tenant T]\n"
        "                     (--token JWT | --claims JSON | --guest) [OPTIONS]\n"
        "       gavel explain --vectors FILE [--check]\n"
        "       gavel explain --live ROOM[/OCCUPANT] [OPTIONS]\n"
        "\n"
        "What would happen to this person in this room, and why: by the same function that the "
        "server calls.\n"
        "Asks no server and no key server, and prints neither token nor secret.\n"
        "\n"
        "  --config FILE     the configuration file\n"
        "  --env FILE        a .env of docker-jitsi-meet; shows the derivation too\n"
        "                    (without either: the environment, else the state folder's "
        "gavel.yaml)\n"
        "  --room ROOM       a room's name, or its form on the wire\n"
        "  --tenant T        the tenant of the address\n"
        "  --token JWT       a token; - reads it from standard input\n"
        "  --claims JSON     a payload that nobody signed; @FILE reads it from a file\n"
        "  --guest           no token\n"
        "  --keys FILE       PEM or JWKS in place of a remote key source\n"
        "  --occupants FILE  who is there: a JSON list of occupants, or an object like `room` of a "
        "vector\n"
        "                    (without: an existing room, empty)\n"
        "  --nick NAME       the name that the client sends\n"
        "  --password P      the room password that it sends\n"
        "  --admitted        a moderator has let this person in from the lobby\n"
        "  --now SECONDS     the time, Unix seconds (default: the clock)\n"
        "  --compare-jitsi   what each source of roles in stock Jitsi would have done, in order\n"
        "  --json            the verdict as one JSON object, as `expect` of a vector\n"
        "  --vectors FILE    decides each vector of a file and prints one JSON object per line\n"
        "  --check           with --vectors: compares with what the file expects, prints "
        "differences\n"
        "  --live            asks the running server for its record (gavel explain --live --help)\n"
        "  --help            this\n"
        "\n"
        "Exit code: 0 accepted (vectors: all fine), 1 refused (--check: differences), 2 bad "
        "input.\n";

struct option {
	const char *name;
	const char **value; /* takes a value */
	bool *flag;         /* or none */
};

static bool take(const struct option *options, size_t n, int argc, char **argv, int *i)
{
	for (size_t k = 0; k < n; k++) {
		const struct option *o = &options[k];
		if (strcmp(argv[*i], o->name) != 0)
			continue;
		if (o->flag) {
			*o->flag = true;
			return true;
		}
		if (*i + 1 >= argc) {
			fprintf(stderr, "gavel explain: %s needs a value\n", o->name);
			return false;
		}
		if (*o->value) {
			fprintf(stderr, "gavel explain: %s is given twice\n", o->name);
			return false;
		}
		*o->value = argv[++*i];
		return true;
	}
	fprintf(stderr,
	        "gavel explain: unknown argument (see gavel explain --help)\n"); /* it may be a
	                                                                            token */
	return false;
}

static bool sensible(const struct explain_options *o)
{
	int who = (o->token != NULL) + (o->claims != NULL) + o->guest;
	const char *wrong = NULL;

	if (o->config && o->env)
		wrong = "give --config or --env, not both";
	else if (o->check && !o->vectors)
		wrong = "--check belongs to --vectors";
	else if (o->vectors)
		wrong = who || o->room ? "--vectors takes nothing but --check" : NULL;
	else if (!o->room || !*o->room)
		wrong = "--room is needed";
	else if (who != 1)
		wrong = "one of --token, --claims and --guest is needed";
	if (wrong)
		fprintf(stderr, "gavel explain: %s (see gavel explain --help)\n", wrong);
	return !wrong;
}

bool explain_options_parse(struct explain_options *o, int argc, char **argv)
{
	const char *now = NULL;
	uint64_t seconds = 0;
	const struct option options[] = {
	        {"--config", &o->config, NULL},
	        {"--env", &o->env, NULL},
	        {"--room", &o->room, NULL},
	        {"--tenant", &o->tenant, NULL},
	        {"--token", &o->token, NULL},
	        {"--claims", &o->claims, NULL},
	        {"--keys", &o->keys, NULL},
	        {"--occupants", &o->occupants, NULL},
	        {"--nick", &o->nick, NULL},
	        {"--password", &o->password, NULL},
	        {"--vectors", &o->vectors, NULL},
	        {"--now", &now, NULL},
	        {"--guest", NULL, &o->guest},
	        {"--admitted", NULL, &o->admitted},
	        {"--compare-jitsi", NULL, &o->compare_jitsi},
	        {"--json", NULL, &o->json},
	        {"--check", NULL, &o->check},
	        {"--live", NULL, &o->live},
	        {"--help", NULL, &o->help},
	};

	*o = (struct explain_options){.now = 0};
	for (int i = 1; i < argc && !o->live; i++) {
		if (strcmp(argv[i], "--live") == 0 || strcmp(argv[i], "--help") == 0)
			return take(options, sizeof options / sizeof *options, argc, argv, &i);
	}
	for (int i = 1; i < argc; i++) {
		if (!take(options, sizeof options / sizeof *options, argc, argv, &i))
			return false;
	}
	if (now && (!str_u64(str_c(now), &seconds) || seconds == 0 || seconds > 1u << 31)) {
		fprintf(stderr, "gavel explain: --now needs Unix seconds\n");
		return false;
	}
	o->now = (int64_t)seconds;
	return sensible(o);
}
