/* jval.c - jansson, behind an opaque node type. pure */
#include "base/jval.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"

static const json_t *in(const struct jval *j)
{
	return (const json_t *)(const void *)j;
}

static json_t *mut(const struct jval *j)
{
	return (json_t *)(uintptr_t)j;
}

static struct jval *out_of(json_t *j)
{
	return (struct jval *)(void *)j;
}

/* Brackets outside strings, counted before the parser recurses into a stranger's bytes. */
static bool too_deep(struct str s, unsigned max_depth)
{
	unsigned depth = 0;
	bool quoted = false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (quoted) {
			if (c == '\\')
				i++;
			else if (c == '"')
				quoted = false;
		} else if (c == '"') {
			quoted = true;
		} else if (c == '{' || c == '[') {
			if (++depth > max_depth)
				return true;
		} else if ((c == '}' || c == ']') && depth) {
			depth--;
		}
	}
	return false;
}

static size_t digits(struct str s, size_t at)
{
	while (at < s.n && s.p[at] >= '0' && s.p[at] <= '9')
		at++;
	return at;
}

/* RFC 8259 6; *integer: without fraction and exponent. */
static bool number_syntax(struct str s, bool *integer)
{
	size_t at = s.n && s.p[0] == '-', from = at;
	*integer = true;
	at = digits(s, at);
	if (at == from || (s.p[from] == '0' && at - from > 1))
		return false;
	if (at < s.n && s.p[at] == '.') {
		*integer = false;
		from = at + 1;
		at = digits(s, from);
		if (at == from)
			return false;
	}
	if (at < s.n && (s.p[at] == 'e' || s.p[at] == 'E')) {
		*integer = false;
		at++;
		at += at < s.n && (s.p[at] == '+' || s.p[at] == '-');
		from = at;
		at = digits(s, from);
		if (at == from)
			return false;
	}
	return at == s.n;
}

/* Copies one number (bad ones as they are); what no integer or double holds becomes the nearest
 * double, as a real. */
static void clamp_number(struct str number, struct buf *out)
{
	bool integer;
	if (!number_syntax(number, &integer)) {
		buf_str(out, number);
		return;
	}
	char *z = mem_strndup(number.p, number.n);
	if (!z)
		out->failed = true;
	else if (isinf(strtod(z, NULL)))
		buf_puts(out, z[0] == '-' ? "-1.7976931348623157e308" : "1.7976931348623157e308");
	else
		buf_printf(out, "%s%s", z, integer && number.n > 18 ? ".0" : "");
	mem_free(z);
}

/* JSON sets no bounds on numbers, jansson does: a huge one is still a number and not bad syntax. */
static json_t *load_clamped(struct str s, size_t flags, json_error_t *je)
{
	struct buf b;
	size_t i = 0;
	buf_init(&b, 0);
	while (i < s.n) {
		size_t from = i;
		if (s.p[i] == '"') {
			for (i++; i < s.n && s.p[i] != '"'; i++)
				i += s.p[i] == '\\';
			i = i < s.n ? i + 1 : s.n;
			buf_str(&b, str_sub(s, from, i));
		} else if (s.p[i] == '-' || (s.p[i] >= '0' && s.p[i] <= '9')) {
			while (i < s.n && s.p[i] && strchr("0123456789+-.eE", s.p[i]))
				i++;
			clamp_number(str_sub(s, from, i), &b);
		} else {
			buf_putc(&b, s.p[i++]);
		}
	}
	json_t *root = b.failed ? NULL : json_loadb(b.p ? b.p : "", b.n, flags, je);
	buf_done(&b);
	return root;
}

static json_t *load(struct str s, size_t flags, json_error_t *je)
{
	flags |= JSON_DECODE_ANY;
	json_t *root = json_loadb(s.p ? s.p : "", s.n, flags, je);
	if (!root && json_error_code(je) == json_error_numeric_overflow)
		root = load_clamped(s, flags, je);
	return root;
}

struct jval *jval_parse(struct str text, unsigned max_depth, struct jval_error *e)
{
	struct jval_error ignored;
	json_error_t je;
	if (!e)
		e = &ignored;
	*e = (struct jval_error){.line = 1, .column = 1};
	if (too_deep(text, max_depth)) {
		e->too_deep = true;
		snprintf(e->text, sizeof e->text, "nested deeper than %u", max_depth);
		return NULL;
	}
	json_t *root = load(text, JSON_REJECT_DUPLICATES, &je);
	if (root)
		return out_of(root);
	/* bad syntax behind a repeated name is the worse fault */
	json_error_t lax_error;
	if (json_error_code(&je) == json_error_duplicate_key) {
		root = load(text, 0, &lax_error);
		if (!root)
			je = lax_error;
		json_decref(root);
	}
	e->line = je.line;
	e->column = je.column;
	e->duplicate = json_error_code(&je) == json_error_duplicate_key;
	e->nomem = json_error_code(&je) == json_error_out_of_memory;
	snprintf(e->text, sizeof e->text, "%s", je.text);
	return NULL;
}

void jval_free(struct jval *root)
{
	json_decref(mut(root));
}

enum jval_type jval_type(const struct jval *j)
{
	if (!j)
		return JVAL_ABSENT;
	switch (json_typeof(in(j))) {
	case JSON_OBJECT:
		return JVAL_OBJECT;
	case JSON_ARRAY:
		return JVAL_ARRAY;
	case JSON_STRING:
		return JVAL_STRING;
	case JSON_INTEGER:
		return JVAL_INTEGER;
	case JSON_REAL:
		return JVAL_REAL;
	case JSON_TRUE:
		return JVAL_TRUE;
	case JSON_FALSE:
		return JVAL_FALSE;
	default:
		return JVAL_NULL;
	}
}

const char *jval_type_name(const struct jval *j)
{
	static const char *const names[] = {
	        [JVAL_ABSENT] = "absent",
	        [JVAL_OBJECT] = "object",
	        [JVAL_ARRAY] = "array",
	        [JVAL_STRING] = "string",
	        [JVAL_INTEGER] = "number",
	        [JVAL_REAL] = "number",
	        [JVAL_TRUE] = "boolean",
	        [JVAL_FALSE] = "boolean",
	        [JVAL_NULL] = "null",
	};
	return names[jval_type(j)];
}

bool jval_is_object(const struct jval *j)
{
	return jval_type(j) == JVAL_OBJECT;
}

bool jval_is_array(const struct jval *j)
{
	return jval_type(j) == JVAL_ARRAY;
}

bool jval_is_string(const struct jval *j)
{
	return jval_type(j) == JVAL_STRING;
}

bool jval_is_number(const struct jval *j)
{
	enum jval_type t = jval_type(j);
	return t == JVAL_INTEGER || t == JVAL_REAL;
}

bool jval_is_bool(const struct jval *j)
{
	enum jval_type t = jval_type(j);
	return t == JVAL_TRUE || t == JVAL_FALSE;
}

bool jval_is_null(const struct jval *j)
{
	return jval_type(j) == JVAL_NULL;
}

const struct jval *jval_get(const struct jval *object, struct str key)
{
	if (!jval_is_object(object))
		return NULL;
	return out_of(json_object_getn(in(object), key.p ? key.p : "", key.n));
}

const struct jval *jval_getc(const struct jval *object, const char *key)
{
	return jval_get(object, str_c(key));
}

struct str jval_str(const struct jval *j)
{
	if (!jval_is_string(j))
		return STR_NONE;
	return (struct str){json_string_value(in(j)), json_string_length(in(j))};
}

double jval_number(const struct jval *j)
{
	return j ? json_number_value(in(j)) : 0;
}

int64_t jval_integer(const struct jval *j)
{
	return j ? json_integer_value(in(j)) : 0;
}

bool jval_true(const struct jval *j)
{
	return jval_type(j) == JVAL_TRUE;
}

size_t jval_size(const struct jval *j)
{
	if (jval_is_array(j))
		return json_array_size(in(j));
	return jval_is_object(j) ? json_object_size(in(j)) : 0;
}

const struct jval *jval_at(const struct jval *array, size_t i)
{
	return jval_is_array(array) ? out_of(json_array_get(in(array), i)) : NULL;
}

bool jval_each(const struct jval *object, void **it, struct str *key, const struct jval **value)
{
	if (!jval_is_object(object))
		return false;
	*it = *it ? json_object_iter_next(mut(object), *it) : json_object_iter(mut(object));
	if (!*it)
		return false;
	*key = (struct str){json_object_iter_key(*it), json_object_iter_key_len(*it)};
	*value = out_of(json_object_iter_value(*it));
	return true;
}

bool jval_equal(const struct jval *a, const struct jval *b)
{
	return a && b && json_equal(in(a), in(b));
}

static int dump(const char *p, size_t n, void *arg)
{
	buf_add(arg, p, n);
	return 0;
}

void jval_write(const struct jval *j, struct buf *out)
{
	if (json_dump_callback(in(j), dump, out, JSON_COMPACT | JSON_ENCODE_ANY))
		out->failed = true;
}

struct jval *jval_new_object(void)
{
	return out_of(json_object());
}

struct jval *jval_new_array(void)
{
	return out_of(json_array());
}

struct jval *jval_new_str(struct str s)
{
	return out_of(json_stringn(s.p ? s.p : "", s.n));
}

struct jval *jval_new_int(int64_t n)
{
	return out_of(json_integer(n));
}

struct jval *jval_new_bool(bool b)
{
	return out_of(json_boolean(b));
}

struct jval *jval_new_null(void)
{
	return out_of(json_null());
}

bool jval_set(struct jval *object, const char *key, struct jval *value)
{
	return json_object_set_new(mut(object), key, mut(value)) == 0;
}

bool jval_append(struct jval *array, struct jval *value)
{
	return json_array_append_new(mut(array), mut(value)) == 0;
}

struct jval *jval_copy(const struct jval *j)
{
	return out_of(json_deep_copy(in(j)));
}

void jval_remove(struct jval *object, const char *key)
{
	json_object_del(mut(object), key);
}

void jval_quote(struct str s, struct buf *out)
{
	buf_putc(out, '"');
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c == '"' || c == '\\')
			buf_printf(out, "\\%c", c);
		else if (c == '\n')
			buf_puts(out, "\\n");
		else if (c < 0x20 || c == 0x7f)
			buf_printf(out, "\\u%04x", c);
		else
			buf_putc(out, (char)c);
	}
	buf_putc(out, '"');
}
