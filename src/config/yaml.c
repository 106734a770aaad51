/* yaml.c - the configuration file, by libyaml's events. pure */
#include "config/yaml.h"

#include <yaml.h>

#include "config/report.h"

#define DEPTH_MAX 8 /* a list of issuers with a list of key files needs five */
#define NODES_MAX 20000

struct reader {
	yaml_parser_t parser;
	yaml_event_t event;
	bool has_event;
	bool broken; /* a fatal line was written that ends the reading */
	unsigned nodes;
	const char *file;
	struct str text;
	struct config_report *report;
	int item_line[256]; /* first line of each item of the list being read at the top level */
};

static int line_of(const yaml_mark_t *mark)
{
	return mark->line < INT32_MAX ? (int)mark->line + 1 : 0;
}

static void stop(struct reader *r, int line, const char *key, const char *why)
{
	if (!r->broken)
		report_fatal(r->report, key, r->file, line, "%s", why);
	r->broken = true;
}

/* Bytes that are no text have no mark, only an offset. */
static int line_of_problem(const struct reader *r)
{
	int line = 1;
	if (r->parser.error != YAML_READER_ERROR)
		return line_of(&r->parser.problem_mark);
	for (size_t i = 0; i < r->text.n && i < r->parser.problem_offset; i++)
		line += r->text.p[i] == '\n';
	return line;
}

/* Moves to the next event; false at a fault. */
static bool next(struct reader *r)
{
	if (r->has_event)
		yaml_event_delete(&r->event);
	r->has_event = false;
	if (r->broken)
		return false;
	if (!yaml_parser_parse(&r->parser, &r->event)) {
		const char *why = r->parser.problem ? r->parser.problem : "malformed";
		if (r->parser.error == YAML_MEMORY_ERROR)
			r->report->nomem = true;
		stop(r, line_of_problem(r), "", why);
		return false;
	}
	r->has_event = true;
	if (++r->nodes > NODES_MAX)
		stop(r, line_of(&r->event.start_mark), "", "too many values in this file");
	return !r->broken;
}

static bool decorated(struct reader *r, const yaml_char_t *anchor, const yaml_char_t *tag)
{
	if (anchor)
		stop(r, line_of(&r->event.start_mark), "",
		        "anchors (&) and aliases (*) are not allowed here");
	else if (tag)
		stop(r, line_of(&r->event.start_mark), "", "tags (!) are not allowed here");
	return anchor || tag;
}

static bool plain_integer(struct str s)
{
	uint64_t ignored;
	struct str digits = s.n > 1 && s.p[0] == '-' ? str_sub(s, 1, s.n) : s;
	return str_u64(digits, &ignored) && ignored <= INT64_MAX && digits.n <= 18;
}

static struct jval *integer(struct str s)
{
	uint64_t n = 0;
	bool negative = s.p[0] == '-';
	str_u64(negative ? str_sub(s, 1, s.n) : s, &n);
	return jval_new_int(negative ? -(int64_t)n : (int64_t)n);
}

/* raw: plain scalars stay texts (a secret may look like a number). */
static struct jval *scalar(const yaml_event_t *e, bool raw)
{
	struct str s = str_from((const char *)e->data.scalar.value, e->data.scalar.length);
	if (e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		return jval_new_str(s);
	if (s.n == 0 || str_eqc(s, "~") || str_eqc(s, "null"))
		return jval_new_null();
	if (raw)
		return jval_new_str(s);
	if (str_eqc(s, "true") || str_eqc(s, "false"))
		return jval_new_bool(s.p[0] == 't');
	return plain_integer(s) ? integer(s) : jval_new_str(s);
}

static struct jval *node(struct reader *r, bool raw, unsigned depth);

static struct jval *sequence(struct reader *r, bool raw, unsigned depth)
{
	struct jval *list = jval_new_array();
	size_t n = 0;
	while (list && next(r) && r->event.type != YAML_SEQUENCE_END_EVENT) {
		if (depth == 1 && n < 256)
			r->item_line[n] = line_of(&r->event.start_mark);
		n++;
		struct jval *item = node(r, raw, depth + 1);
		if (!item || !jval_append(list, item)) {
			jval_free(list);
			return NULL;
		}
	}
	if (r->broken) {
		jval_free(list);
		return NULL;
	}
	return list;
}

static bool member(struct reader *r, struct jval *object, unsigned depth)
{
	char key[128];
	int line = line_of(&r->event.start_mark);
	if (r->event.type != YAML_SCALAR_EVENT || r->event.data.scalar.length >= sizeof key ||
	        memchr(r->event.data.scalar.value, 0, r->event.data.scalar.length)) {
		stop(r, line, "", "a member's name must be a short text");
		return false;
	}
	if (decorated(r, r->event.data.scalar.anchor, r->event.data.scalar.tag))
		return false;
	memcpy(key, r->event.data.scalar.value, r->event.data.scalar.length);
	key[r->event.data.scalar.length] = 0;
	if (jval_getc(object, key)) {
		stop(r, line, key, "is given twice");
		return false;
	}
	struct jval *value = next(r) ? node(r, false, depth + 1) : NULL;
	return value && jval_set(object, key, value);
}

static struct jval *mapping(struct reader *r, unsigned depth)
{
	struct jval *object = jval_new_object();
	while (object && next(r) && r->event.type != YAML_MAPPING_END_EVENT) {
		if (!member(r, object, depth)) {
			jval_free(object);
			return NULL;
		}
	}
	if (r->broken) {
		jval_free(object);
		return NULL;
	}
	return object;
}

/* The value that begins with the present event. NULL: a fault (then broken) or no memory. */
static struct jval *node(struct reader *r, bool raw, unsigned depth)
{
	yaml_event_t *e = &r->event;
	struct jval *j = NULL;
	if (depth > DEPTH_MAX) {
		stop(r, line_of(&e->start_mark), "", "nested too deep");
		return NULL;
	}
	if (e->type == YAML_SCALAR_EVENT) {
		/* libyaml gives quoted scalars no tag of their own: a tag is always the author's */
		if (!decorated(r, e->data.scalar.anchor, e->data.scalar.tag))
			j = scalar(e, raw);
	} else if (e->type == YAML_SEQUENCE_START_EVENT) {
		if (!decorated(r, e->data.sequence_start.anchor, e->data.sequence_start.tag))
			j = sequence(r, raw, depth);
	} else if (e->type == YAML_MAPPING_START_EVENT) {
		if (!decorated(r, e->data.mapping_start.anchor, e->data.mapping_start.tag))
			j = mapping(r, depth);
	} else if (e->type == YAML_ALIAS_EVENT) {
		stop(r, line_of(&e->start_mark), "",
		        "anchors (&) and aliases (*) are not allowed here");
	} else {
		stop(r, line_of(&e->start_mark), "", "a value is missing");
	}
	if (!j && !r->broken) {
		r->report->nomem = true;
		stop(r, 0, "", "out of memory");
	}
	return j;
}

static bool typed(enum schema_type t)
{
	return t == SCHEMA_BOOL || t == SCHEMA_INT || t == SCHEMA_DURATION || t >= SCHEMA_RULES;
}

static void unknown_key(struct reader *r, struct str key, int line)
{
	char name[64];
	const char *nearest = schema_nearest(key);
	snprintf(name, sizeof name, "%.*s", STR_FMT(str_sub(key, 0, 60)));
	if (nearest)
		report_fatal(
		        r->report, name, r->file, line, "unknown key (did you mean %s?)", nearest);
	else
		report_fatal(r->report, name, r->file, line, "unknown key");
}

static void put(struct reader *r, struct config_set *s, enum config_key key,
        const struct jval *value, int line)
{
	const struct schema_row *row = schema_row(key);
	const struct config_value *before = &s->layer[CONFIG_FILE][key];
	struct set_source src = {CONFIG_FILE, row->key, r->file, line};
	struct value_fault f;
	if (before->json) {
		report_fatal(r->report, row->key, r->file, line, "is given twice, first in line %d",
		        before->line);
		return;
	}
	if (jval_is_null(value)) {
		report_fatal(r->report, row->key, r->file, line,
		        "has no value: leave the line out for the default");
		return;
	}
	struct jval *checked = value_check(row, value, &f);
	jval_free(checked);
	if (!checked && f.item >= 0 && f.item < 256 && r->item_line[f.item])
		src.line = r->item_line[f.item];
	set_put_json(s, key, value, &src, r->report);
}

static void pair(struct reader *r, struct config_set *s)
{
	int line = line_of(&r->event.start_mark);
	if (r->event.type != YAML_SCALAR_EVENT) {
		stop(r, line, "", "expected a line `key: value`");
		return;
	}
	if (decorated(r, r->event.data.scalar.anchor, r->event.data.scalar.tag))
		return;
	struct str name =
	        str_from((const char *)r->event.data.scalar.value, r->event.data.scalar.length);
	enum config_key key = schema_find(name);
	if (key != KEY_NONE && schema_row(key)->flags & SCHEMA_VECTORS_ONLY)
		key = KEY_NONE;
	if (key == KEY_NONE)
		unknown_key(r, name, line);
	memset(r->item_line, 0, sizeof r->item_line);
	struct jval *value =
	        next(r) ? node(r, key != KEY_NONE && !typed(schema_row(key)->type), 1) : NULL;
	if (value && key != KEY_NONE)
		put(r, s, key, value, line);
	jval_free(value);
}

static void document(struct reader *r, struct config_set *s)
{
	while (next(r) && (r->event.type == YAML_STREAM_START_EVENT ||
	                          r->event.type == YAML_DOCUMENT_START_EVENT))
		;
	if (r->broken || r->event.type == YAML_STREAM_END_EVENT)
		return;
	if (r->event.type == YAML_SCALAR_EVENT && r->event.data.scalar.length == 0)
		return;
	if (r->event.type != YAML_MAPPING_START_EVENT) {
		stop(r, line_of(&r->event.start_mark), "", "expected lines `key: value`");
		return;
	}
	if (decorated(r, r->event.data.mapping_start.anchor, r->event.data.mapping_start.tag))
		return;
	while (next(r) && r->event.type != YAML_MAPPING_END_EVENT)
		pair(r, s);
	if (next(r) && next(r) && r->event.type != YAML_STREAM_END_EVENT)
		stop(r, line_of(&r->event.start_mark), "", "a second document begins here");
}

void yaml_read(
        struct str text, const char *file, struct config_set *s, struct config_report *report)
{
	struct reader r = {.file = file, .text = text, .report = report};
	if (text.n > YAML_FILE_MAX) {
		report_fatal(report, "", file, 0, "is larger than 1 MiB");
		return;
	}
	if (!yaml_parser_initialize(&r.parser)) {
		report->nomem = true;
		return;
	}
	yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(
	        &r.parser, (const unsigned char *)(text.p ? text.p : ""), text.n);
	document(&r, s);
	if (r.has_event)
		yaml_event_delete(&r.event);
	yaml_parser_delete(&r.parser);
}
