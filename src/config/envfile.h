/* envfile.h - environment variables: of the process, of a .env file, of a vector. pure
 *
 * A .env file is read as docker compose reads it: NAME=value, `export`, # comments, single quotes
 * as they stand, double quotes with \n \r \t \" \\ \$, and $NAME ${NAME} ${NAME:-word} ${NAME-word}
 * ${NAME:+word} ${NAME+word} outside single quotes, from the names above them in the same file. `~`
 * alone is empty. The last of several equal names wins. */
#pragma once
#include "config/config.h"

enum {
	ENV_FILE_MAX = 1 << 20, /* bytes of the file */
	ENV_VARS_MAX = 4096,
	ENV_VALUE_MAX = 64 * 1024, /* bytes of one value, after expansion */
	ENV_TOTAL_MAX = 4 << 20,   /* of all */
};

struct env_var {
	struct str name, value; /* both NUL-terminated behind n */
	int line;
};

struct env {
	struct env_var *v; /* owned */
	size_t n, cap;
	size_t bytes;
	const char *file; /* borrowed; "" for the process */
};

void env_init(struct env *e, const char *file);
void env_done(struct env *e);
/* Adds or replaces. false: no memory, or a limit. */
bool env_put(struct env *e, struct str name, struct str value, int line);
/* NULL when unset or empty: the two are the same (roles.md 5). */
const struct env_var *env_get(const struct env *e, const char *name);
struct str env_str(const struct env *e, const char *name); /* absent when unset or empty */
/* All of the process's variables that have a sane name. false: no memory. */
bool env_read_process(struct env *e, char *const *environ);
/* The text of a .env file. Faults become fatal lines, odd things warnings. */
void env_read_text(struct env *e, struct str text, struct config_report *r);
/* Variables from a JSON object of strings. */
void env_read_json(struct env *e, const struct jval *object, struct config_report *r);
