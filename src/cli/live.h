/* live.h - asking the running server, for commands. io */
#pragma once
#include "admin/ask.h"

/* Where it is: a configuration that names its state folder, that folder, or neither. */
struct live_place {
	const char *command; /* for messages */
	const char *config, *env, *state;
};

/* Asks through the control socket; a CLI exit code, its reason told on standard error. */
int live_ask(const struct live_place *p, const struct buf *question, struct buf *answer);
