/* explain_options.h - the arguments of gavel explain. io */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct explain_options {
	const char *config, *env;
	const char *room, *tenant, *token, *claims;
	const char *keys, *occupants, *nick, *password, *vectors;
	int64_t now; /* Unix seconds; 0: the clock */
	bool guest, admitted, compare_jitsi, json, check, live, help;
};

extern const char explain_help[];

/* false: a message is on standard error. */
bool explain_options_parse(struct explain_options *o, int argc, char **argv);
