/* config.h - the configuration: one file, the environment, one table of keys; read, checked,
 * explained. io
 *
 *   flags, own keys as variables, docker-jitsi-meet's names, file, defaults  --schema-->  struct
 * config
 *
 * Later sources give way to earlier ones. Each setting remembers where it came from; everything
 * worth saying is a line of the report, and whatever is wrong is a fatal line with file, line, key,
 * reason and the nearest name. Reads files and the environment, never the network. Thread: the one
 * that starts the server; the result is read-only. */
#pragma once
#include "base/jval.h"
#include "config/server.h"
#include "policy/reason.h"
#include "policy/settings.h"
#include "policy/stock.h"
#include "token/settings.h"

/* Where a value came from, the strongest last. */
enum config_origin {
	CONFIG_DEFAULT,
	CONFIG_PROFILE,     /* the set that `profile` names */
	CONFIG_FILE,        /* from.line is set */
	CONFIG_DERIVED,     /* computed from environment variables (docker-jitsi-meet's names) */
	CONFIG_ENVIRONMENT, /* the key itself as an upper-case variable */
	CONFIG_FLAG,
};

enum config_severity { CONFIG_FATAL, CONFIG_WARN, CONFIG_INFO };

struct config_line {
	enum config_severity severity;
	unsigned warning; /* one enum warning bit, or 0 */
	const char *key;  /* setting or variable it is about; "" for none */
	const char *file; /* "" when it is about no file */
	int line;         /* 1-based; 0 unknown */
	const char *text; /* never holds a secret */
};

/* What loading had to say, in order. config_report_init first, config_report_free last. */
struct config_report {
	struct config_line *lines; /* owned; strings too */
	size_t n, cap;
	unsigned warnings; /* all enum warning bits */
	bool fatal;
	bool nomem; /* something is missing from this report: refuse */
};

void config_report_init(struct config_report *r);
void config_report_free(struct config_report *r);
/* "file:line: key: text" or "key: text" for the i-th line, appended. */
void config_line_write(const struct config_line *l, struct buf *out);

struct config_source {
	const char *file; /* YAML; NULL: none */
	const char
	        *env_file; /* a docker .env, read in place of the process environment; NULL: none */
	char *const *environ;         /* process environment, NULL-terminated; NULL: none */
	const char *const *overrides; /* flags: "key=value", NULL-terminated; NULL: none */
	bool need_start; /* for serve: refuse what cannot be served, and a start without any
	                    configuration */
};

struct config_set; /* the values, one per key, with origins (config/set.h) */

struct config {
	struct policy_settings policy;
	struct token_settings token;
	struct server_settings server;
	struct stock_setup stock; /* what the same variables would set up in stock Jitsi */

	struct config_set *set; /* owned */
};

/* All leave *c safe for config_free, whatever they return.
 * ERR_OK; ERR_BADMSG: refused, the report's fatal lines say why, c holds no usable settings;
 * ERR_NOMEM. */
int config_load(struct config *c, const struct config_source *s, struct config_report *r);
/* Flat keys as in a vector's `config`. A missing secret, key or key server is no fault here
 * (the signature is given). */
int config_apply_json(struct config *c, const struct jval *object, struct config_report *r);
/* An `env` vector: env is an object of strings (variables), file the configuration file as flat
 * keys or NULL. */
int config_derive_env(
        struct config *c, const struct jval *env, const struct jval *file, struct config_report *r);
void config_free(struct config *c);
/* Once what is needed was derived from them: the accounts' passwords are overwritten. */
void config_forget_passwords(const struct config *c);

/* Every key with its effective value: words, booleans, numbers, lists; null when unset; secrets as
 * "(hidden)". NULL: no memory. The caller frees it. */
struct jval *config_effective_json(const struct config *c);

/* The whole of `gavel check`, --json aside. stock: with what docker-jitsi-meet would have done. */
void config_print(const struct config *c, const struct config_report *r, struct buf *out);
struct jval *config_print_json(const struct config *c, const struct config_report *r);
/* docs/config.md and docs/gavel.example.yaml, from the schema. */
void config_write_doc(struct buf *out);
void config_write_example(struct buf *out);

/* A first installation: makes the folder (0700), <folder>/gavel.yaml and <folder>/app_secret
 * (256 random bits, base64url, 0600), unless gavel.yaml is there already. path_out receives its
 * path. ERR_OK (made or there before), ERR_IO (errno tells), ERR_LIMIT (path too long). */
int config_write_fresh(const char *folder, char *path_out, size_t path_size);
/* The folder, 0700, and those above it. False: errno tells. */
bool config_make_folder(const char *path);
/* $STATE_DIRECTORY (its first entry), else $XDG_STATE_HOME/gavel, else ~/.local/state/gavel.
 * ERR_NOTFOUND: none is set. */
int config_state_directory(char *const *env, char *out, size_t size);
