/* jval.h - JSON documents, read strictly (the only place that knows jansson). pure
 *
 * A struct jval is an immutable node; it is borrowed from its document and lives as long as that.
 * Duplicate member names, NUL characters, invalid UTF-8, NaN and trailing bytes are refused. JSON
 * sets no bounds on numbers: one that neither an int64 nor a double holds becomes the nearest
 * double. */
#pragma once
#include "base/buf.h"

struct jval; /* a node; NULL stands for "absent" in every function below */

enum jval_type {
	JVAL_ABSENT,
	JVAL_OBJECT,
	JVAL_ARRAY,
	JVAL_STRING,
	JVAL_INTEGER,
	JVAL_REAL,
	JVAL_TRUE,
	JVAL_FALSE,
	JVAL_NULL
};

struct jval_error {
	int line, column; /* 1-based */
	bool duplicate;   /* the fault is a repeated member name */
	bool too_deep;
	bool nomem;
	char text[160];
};

/* Parses a whole document. max_depth: the top value has depth 1. NULL on error (*e filled in when e
 * is not NULL). The root holds the document: give it to jval_free. */
struct jval *jval_parse(struct str text, unsigned max_depth, struct jval_error *e);
void jval_free(struct jval *root); /* NULL is fine */

enum jval_type jval_type(const struct jval *j);
const char *jval_type_name(
        const struct jval *j); /* "object", "string", "number", "boolean", "null", "absent" */
bool jval_is_object(const struct jval *j);
bool jval_is_array(const struct jval *j);
bool jval_is_string(const struct jval *j);
bool jval_is_number(const struct jval *j);
bool jval_is_bool(const struct jval *j);
bool jval_is_null(const struct jval *j); /* a JSON null, not absent */

const struct jval *jval_get(
        const struct jval *object, struct str key); /* NULL: absent or not an object */
const struct jval *jval_getc(const struct jval *object, const char *key);
struct str jval_str(
        const struct jval *j); /* the string's bytes (UTF-8), absent when it is no string */
double jval_number(const struct jval *j);   /* 0 when it is no number */
int64_t jval_integer(const struct jval *j); /* 0 when it is no integer */
bool jval_true(const struct jval *j);       /* is it the literal true */
size_t jval_size(const struct jval *j);     /* members or elements; 0 for others */
const struct jval *jval_at(const struct jval *array, size_t i);
/* Members in the order of the text: start with *it = NULL; false at the end. */
bool jval_each(const struct jval *object, void **it, struct str *key, const struct jval **value);
bool jval_equal(const struct jval *a, const struct jval *b);

/* Appends compact text. */
void jval_write(const struct jval *j, struct buf *out);

/* Building (for --json output and vectors). Setters take the value over (and free it on failure); a
 * NULL value makes the call fail. */
struct jval *jval_new_object(void);
struct jval *jval_new_array(void);
struct jval *jval_new_str(struct str s);
struct jval *jval_new_int(int64_t n);
struct jval *jval_new_bool(bool b);
struct jval *jval_new_null(void);
bool jval_set(struct jval *object, const char *key, struct jval *value);
bool jval_append(struct jval *array, struct jval *value);
/* A deep copy that the caller frees. */
struct jval *jval_copy(const struct jval *j);
/* Removes a member; absent is fine. */
void jval_remove(struct jval *object, const char *key);

/* Writes s as a JSON string literal, quotes included (no library needed: for streams of text). */
void jval_quote(struct str s, struct buf *out);
