/* set.c - the values of all keys, by origin. pure */
#include "config/set.h"

#include "base/mem.h"
#include "config/report.h"

struct config_set *set_new(void)
{
	struct config_set *s = mem_zalloc(sizeof *s);
	if (s)
		arena_init(&s->arena, 0);
	return s;
}

void set_free(struct config_set *s)
{
	if (!s)
		return;
	for (int o = 0; o < CONFIG_ORIGINS; o++) {
		for (int k = 0; k < KEY_COUNT; k++)
			jval_free(s->layer[o][k].json);
	}
	jval_free(s->secret);
	arena_done(&s->arena);
	mem_free(s);
}

enum config_origin set_origin(const struct config_set *s, enum config_key key)
{
	for (int o = CONFIG_ORIGINS - 1; o > 0; o--) {
		if (s->layer[o][key].json)
			return (enum config_origin)o;
	}
	return CONFIG_DEFAULT;
}

const struct config_value *set_value(const struct config_set *s, enum config_key key)
{
	return &s->layer[set_origin(s, key)][key];
}

const struct jval *set_json(const struct config_set *s, enum config_key key)
{
	return set_value(s, key)->json;
}

bool set_given(const struct config_set *s, enum config_key key)
{
	return set_origin(s, key) > CONFIG_PROFILE;
}

struct str set_str(const struct config_set *s, enum config_key key)
{
	return jval_str(set_json(s, key));
}

bool set_true(const struct config_set *s, enum config_key key)
{
	return jval_true(set_json(s, key));
}

bool set_word_is(const struct config_set *s, enum config_key key, const char *word)
{
	return str_eqc(set_str(s, key), word);
}

bool set_list_has(const struct config_set *s, enum config_key key, const char *item)
{
	const struct jval *list = set_json(s, key);
	for (size_t i = 0; i < jval_size(list); i++) {
		if (str_eqc(jval_str(jval_at(list, i)), item))
			return true;
	}
	return false;
}

static const char *keep(struct config_set *s, const char *z)
{
	struct str copy = arena_str(&s->arena, str_c(z ? z : ""));
	return copy.p;
}

bool set_put(
        struct config_set *s, enum config_key key, struct jval *value, const struct set_source *src)
{
	struct config_value v = {value, keep(s, src->from), keep(s, src->file), src->line};
	if (!value || !v.from || !v.file) {
		jval_free(value);
		return false;
	}
	jval_free(s->layer[src->origin][key].json);
	s->layer[src->origin][key] = v;
	return true;
}

struct str set_path(struct config_set *s, struct str path, enum config_origin origin)
{
	if (origin != CONFIG_FILE || !s->folder || path.n == 0 || path.p[0] == '/')
		return path;
	return str_c(arena_printf(&s->arena, "%s/%.*s", s->folder, STR_FMT(path)));
}

static bool put_checked(struct config_set *s, enum config_key key, struct jval *value,
        struct value_fault *f, const struct set_source *src, struct config_report *r)
{
	const struct schema_row *row = schema_row(key);
	if (value) {
		if (set_put(s, key, value, src))
			return true;
		r->nomem = true;
		return false;
	}
	if (f->nomem)
		r->nomem = true;
	const char *name = src->origin == CONFIG_FILE || src->origin == CONFIG_FLAG || !src->from ||
	                                   !*src->from
	                           ? row->key
	                           : src->from;
	if (*f->nearest)
		report_fatal(r, name, src->file, src->line, "%s (did you mean %s?)", f->text,
		        f->nearest);
	else
		report_fatal(r, name, src->file, src->line, "%s", f->text);
	return false;
}

bool set_put_text(struct config_set *s, enum config_key key, struct str text,
        const struct set_source *src, struct config_report *r)
{
	struct value_fault f;
	struct jval *value = value_parse(schema_row(key), text, &f);
	return put_checked(s, key, value, &f, src, r);
}

bool set_put_json(struct config_set *s, enum config_key key, const struct jval *j,
        const struct set_source *src, struct config_report *r)
{
	struct value_fault f;
	struct jval *value = value_check(schema_row(key), j, &f);
	return put_checked(s, key, value, &f, src, r);
}

void set_origin_write(const struct config_set *s, enum config_key key, struct buf *out)
{
	enum config_origin o = set_origin(s, key);
	const struct config_value *v = &s->layer[o][key];
	switch (o) {
	case CONFIG_DEFAULT:
		buf_puts(out, "default");
		if (v->from && *v->from)
			buf_printf(out, ", from %s", v->from);
		break;
	case CONFIG_PROFILE:
		buf_printf(out, "profile %s", v->from);
		break;
	case CONFIG_FILE:
		if (*v->file && v->line)
			buf_printf(out, "%s:%d", v->file, v->line);
		else
			buf_puts(out, "file");
		break;
	case CONFIG_DERIVED:
		buf_printf(out, "derived from %s", v->from);
		break;
	case CONFIG_ENVIRONMENT:
		buf_printf(out, "environment %s", v->from);
		break;
	case CONFIG_FLAG:
		buf_puts(out, "flag");
		break;
	}
}

void set_value_write(const struct config_set *s, enum config_key key, struct buf *out)
{
	const struct jval *j = set_json(s, key);
	enum schema_type type = schema_row(key)->type;
	if (!j)
		buf_puts(out, "(none)");
	else if (type == SCHEMA_SECRET)
		buf_puts(out, "(hidden)");
	else if (schema_is_secret(type))
		buf_printf(out, "(%zu %s)", jval_size(j),
		        type == SCHEMA_ISSUERS ? "issuers" : "accounts");
	else if (jval_is_string(j) && type != SCHEMA_STRING)
		buf_str(out, jval_str(j));
	else
		jval_write(j, out);
}
