/* value.h - one value against its row of the schema: text or JSON in, a checked value out. pure */
#pragma once
#include "config/schema.h"

struct value_fault {
	char text[320];   /* "must be true or false"; never holds a secret */
	char nearest[64]; /* the word that was perhaps meant, or "" */
	int item;         /* index into a list that the fault is about, or -1 */
	bool nomem;
};

/* j as it came from a file or a vector. *out: the value in its one form (numbers of seconds,
 * trimmed items), the caller's to free; NULL on a fault. */
struct jval *value_check(const struct schema_row *row, const struct jval *j, struct value_fault *f);
/* The same from the text of a variable or flag (roles.md 5): booleans as 1 t T true True TRUE and
 * their opposites, lists with commas or as JSON, rules as JSON. */
struct jval *value_parse(const struct schema_row *row, struct str text, struct value_fault *f);

/* 1, 0, or -1 for another spelling. */
int value_bool(struct str text);
bool value_domain(struct str s);
bool value_url(struct str s);
/* The host of a URL, without port and brackets; absent when there is none, or a user before it. */
struct str value_url_host(struct str url);
/* No plain http across networks of others: https, or a host that is this one, has a private
 * address, or a name without dots. What is no URL is fine. */
bool value_url_private(struct str url);

void value_fault_set(struct value_fault *f, int item, const char *fmt, ...)
        __attribute__((format(printf, 3, 4)));
/* Rules (roles.md 3.3.1), key files and issuers: their shape. */
bool rules_check(const struct jval *j, struct value_fault *f);
bool key_files_check(const struct jval *j, struct value_fault *f);
bool issuers_check(const struct jval *j, struct value_fault *f);
bool accounts_check(const struct jval *j, struct value_fault *f);
/* Parts of such checks: no members but these (words with blanks between), and a list of objects. */
bool members_only(const struct jval *object, const char *allowed, int item, struct value_fault *f);
bool objects_only(const struct jval *j, size_t most, struct value_fault *f);
