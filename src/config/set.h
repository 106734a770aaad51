/* set.h - the values of all keys, one layer per origin; the strongest layer that has a key wins.
 * pure */
#pragma once
#include "base/arena.h"
#include "config/schema.h"
#include "config/value.h"

#define CONFIG_ORIGINS (CONFIG_FLAG + 1)

struct config_value {
	struct jval *json; /* owned; NULL: this layer does not have the key */
	const char
	        *from; /* variable or key it came from; "" for none. In the set's arena, as file */
	const char *file; /* "" for none */
	int line;
};

struct config_set {
	struct arena arena; /* strings, and what fill makes of lists and rules */
	struct config_value layer[CONFIG_ORIGINS][KEY_COUNT];
	struct jval *secret; /* owned: what app_secret_file holds */
	const char *folder;  /* of the configuration file: relative paths in it start there; NULL:
	                        none */
	bool vectors;        /* signatures are given: no key is needed */
	bool docker;         /* docker-jitsi-meet's names counted */
	struct stock_setup stock;
};

struct config_set *set_new(void);
void set_free(struct config_set *s);

/* The value in force; absent (NULL) when no layer has it. */
const struct config_value *set_value(const struct config_set *s, enum config_key key);
const struct jval *set_json(const struct config_set *s, enum config_key key);
enum config_origin set_origin(const struct config_set *s, enum config_key key);
/* Somebody wrote it: file, variable or flag, directly or derived. */
bool set_given(const struct config_set *s, enum config_key key);
struct str set_str(const struct config_set *s, enum config_key key);
bool set_true(const struct config_set *s, enum config_key key);
bool set_word_is(const struct config_set *s, enum config_key key, const char *word);
bool set_list_has(const struct config_set *s, enum config_key key, const char *item);

struct set_source {
	enum config_origin origin;
	const char *from, *file;
	int line;
};
/* Takes value over. false: no memory. */
bool set_put(struct config_set *s, enum config_key key, struct jval *value,
        const struct set_source *src);
/* Checks and puts; a fault becomes a fatal line of the report. */
bool set_put_text(struct config_set *s, enum config_key key, struct str text,
        const struct set_source *src, struct config_report *r);
bool set_put_json(struct config_set *s, enum config_key key, const struct jval *j,
        const struct set_source *src, struct config_report *r);
/* "default", "file gavel.yaml:3", "environment NAME", "derived from NAME" ... appended. */
void set_origin_write(const struct config_set *s, enum config_key key, struct buf *out);
/* The value as a person reads it, secrets hidden, appended. */
void set_value_write(const struct config_set *s, enum config_key key, struct buf *out);

/* A path of the configuration, made relative to the file's folder where the file gave it; absent on
 * no memory. */
struct str set_path(struct config_set *s, struct str path, enum config_origin origin);

/* Fills CONFIG_PROFILE and CONFIG_DEFAULT, once all other layers are there (config/defaults.c).
 * false: no memory. */
bool set_defaults(struct config_set *s, const char *state_directory);

/* What contradicts itself, cannot start or ought to be known (config/judge.c).
 * need_start: also what serve cannot do. */
void set_judge(struct config_set *s, bool need_start, struct config_report *r);
/* Of the accounts (config/accounts.c). */
void accounts_judge(struct config_set *s, struct config_report *r);
bool accounts_fill(struct config_set *s, struct server_settings *out);
/* Into the structs that the rooms read (config/fill.c). false: no memory. */
bool set_fill(struct config_set *s, struct config *c);
