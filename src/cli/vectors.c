/* vectors.c - `gavel explain --vectors FILE [--check]`. io */
#include "cli/vectors.h"

#include <stdio.h>

#include "base/map.h"
#include "cli/case.h"
#include "cli/cli.h"
#include "cli/file.h"
#include "cli/vector_diff.h"

enum { VECTORS_BYTES_MAX = 64 * 1024 * 1024, VECTORS_DEPTH_MAX = 64 };

/* One entry of the file with the defaults merged in. */
struct vector {
	const struct jval *entry;
	struct jval *config, *header, *claims, *room; /* owned */
	struct buf header_text, payload_text;
};

static void vector_done(struct vector *v)
{
	jval_free(v->config);
	jval_free(v->header);
	jval_free(v->claims);
	jval_free(v->room);
	buf_done(&v->header_text);
	buf_done(&v->payload_text);
}

/* defaults[key] with the members of entry[key] over it; NULL: no memory. */
static struct jval *merge(const struct jval *defaults, const struct jval *entry, const char *key)
{
	const struct jval *base = jval_getc(defaults, key), *over = jval_getc(entry, key), *value;
	struct jval *out = jval_is_object(base) ? jval_copy(base) : jval_new_object();
	struct buf name;
	struct str member;
	void *it = NULL;
	bool ok = out != NULL;

	buf_init(&name, 0);
	while (ok && jval_is_object(over) && jval_each(over, &it, &member, &value)) {
		buf_reset(&name);
		buf_str(&name, member);
		ok = !name.failed && jval_set(out, name.p, jval_copy(value));
	}
	buf_done(&name);
	if (!ok) {
		jval_free(out);
		return NULL;
	}
	return out;
}

static bool drop(struct jval *object, const struct jval *names)
{
	for (size_t i = 0; i < jval_size(names); i++) {
		struct buf name;
		buf_init(&name, 0);
		buf_str(&name, jval_str(jval_at(names, i)));
		bool failed = name.failed;
		if (!failed && name.p)
			jval_remove(object, name.p);
		buf_done(&name);
		if (failed)
			return false;
	}
	return true;
}

static bool vector_read(struct vector *v, const struct jval *defaults, const struct jval *entry)
{
	*v = (struct vector){.entry = entry};
	buf_init(&v->header_text, 0);
	buf_init(&v->payload_text, 0);
	v->config = merge(defaults, entry, "config");
	v->header = merge(defaults, entry, "header");
	v->claims = merge(defaults, entry, "claims");
	v->room = merge(defaults, entry, "room");
	if (!v->config || !v->header || !v->claims || !v->room)
		return false;
	if (!drop(v->claims, jval_getc(entry, "drop_claims")) ||
	        !drop(v->header, jval_getc(entry, "drop_header")))
		return false;
	jval_write(v->header, &v->header_text);
	const struct jval *text = jval_getc(entry, "payload_text");
	if (jval_is_string(text))
		buf_str(&v->payload_text, jval_str(text));
	else
		jval_write(v->claims, &v->payload_text);
	return !v->header_text.failed && !v->payload_text.failed;
}

static const struct jval *own_or_default(
        const struct jval *defaults, const struct jval *entry, const char *key)
{
	const struct jval *own = jval_getc(entry, key);
	return own ? own : jval_getc(defaults, key);
}

static bool is_word(const struct jval *entry, const char *key, const char *word)
{
	return str_eqc(jval_str(jval_getc(entry, key)), word);
}

/* A refusal to start: nothing is decided then. */
static struct jval *fatal_json(const struct config_report *report)
{
	struct jval *o = jval_new_object();
	if (o && jval_set(o, "accepted", jval_new_bool(false)) &&
	        jval_set(o, "fatal", jval_new_bool(true)) && warnings_set(o, report->warnings))
		return o;
	jval_free(o);
	return NULL;
}

static struct jval *env_json(const struct config *c, const struct config_report *report)
{
	struct jval *o = jval_new_object();
	if (o && jval_set(o, "accepted", jval_new_bool(true)) &&
	        jval_set(o, "fatal", jval_new_bool(false)) &&
	        jval_set(o, "effective", config_effective_json(c)) &&
	        warnings_set(o, report->warnings))
		return o;
	jval_free(o);
	return NULL;
}

static struct jval *run_env(const struct jval *entry)
{
	struct config c;
	struct config_report report;
	struct jval *out;

	config_report_init(&report);
	const struct jval *variables = jval_getc(jval_getc(entry, "event"), "env");
	int err = config_derive_env(&c, variables, jval_getc(entry, "config"), &report);
	out = err || report.fatal ? fatal_json(&report) : env_json(&c, &report);
	config_free(&c);
	config_report_free(&report);
	return out;
}

static void fill_input(const struct jval *defaults, const struct vector *v, struct case_input *in)
{
	const struct jval *entry = v->entry;
	const struct jval *bytes = jval_getc(entry, "token_bytes");
	const struct jval *kind = own_or_default(defaults, entry, "token");

	in->now = jval_integer(own_or_default(defaults, entry, "now"));
	in->token = str_eqc(jval_str(kind), "absent") || str_eqc(jval_str(kind), "empty")
	                    ? CASE_NO_TOKEN
	                    : CASE_PARTS;
	in->parts.header = buf_view(&v->header_text);
	in->parts.payload = buf_view(&v->payload_text);
	in->parts.bytes = jval_integer(bytes) > 0 ? (size_t)jval_integer(bytes) : 0;
	in->parts.signature_present = !is_word(entry, "signature", "missing");
	in->signature_valid =
	        !jval_getc(entry, "signature") || is_word(entry, "signature", "valid");
	in->nick = jval_str(jval_getc(entry, "nick"));
	in->password = jval_str(jval_getc(entry, "password"));
	in->admitted = jval_true(jval_getc(entry, "admitted"));
	in->event = jval_getc(entry, "event");
}

/* NULL: *error says what is wrong with the entry. */
static struct jval *run_decision(
        const struct jval *defaults, const struct vector *v, const char **error)
{
	struct config config;
	struct config_report report;
	struct scene scene = {.seats = NULL};
	struct case_input in = {.config = &config, .scene = &scene};
	struct case_result result;
	struct jval *out = NULL;

	config_report_init(&report);
	int err = config_apply_json(&config, v->config, &report);
	if (err || report.fatal) {
		out = fatal_json(&report);
	} else if (scene_build(&scene, v->room, &config.policy, error)) {
		fill_input(defaults, v, &in);
		case_run(&in, &result);
		*error = result.error;
		if (!result.error) {
			result.verdict.warnings |= report.warnings;
			out = case_json(&in, &result);
		}
		case_done(&result);
	}
	scene_done(&scene);
	config_free(&config);
	config_report_free(&report);
	return out;
}

/* Members that must be objects where they are given. */
static bool has_shape(const struct jval *entry)
{
	static const char *const objects[] = {
	        "config", "header", "claims", "room", "event", "expect"};
	for (size_t i = 0; i < sizeof objects / sizeof *objects; i++) {
		const struct jval *member = jval_getc(entry, objects[i]);
		if (member && !jval_is_object(member))
			return false;
	}
	return jval_is_object(entry);
}

static struct jval *run_vector(
        const struct jval *defaults, const struct jval *entry, const char **error)
{
	struct vector v;
	struct jval *out = NULL;

	*error = NULL;
	if (str_eqc(jval_str(jval_getc(jval_getc(entry, "event"), "type")), "env"))
		out = run_env(entry);
	else if (vector_read(&v, defaults, entry)) {
		out = run_decision(defaults, &v, error);
		vector_done(&v);
	} else {
		vector_done(&v);
	}
	if (!out && !*error)
		*error = "out of memory";
	return out;
}

static void print_line(struct str id, const struct jval *verdict)
{
	struct buf line;
	buf_init(&line, 0);
	buf_puts(&line, "{\"id\":");
	jval_quote(id, &line);
	buf_puts(&line, ",\"verdict\":");
	jval_write(verdict, &line);
	buf_puts(&line, "}\n");
	if (!line.failed)
		fwrite(line.p, 1, line.n, stdout);
	buf_done(&line);
}

/* true: no difference. */
static bool check_vector(struct str id, const struct jval *expect, const struct jval *verdict)
{
	struct buf differences;
	buf_init(&differences, 0);
	bool same = vector_diff(expect, verdict, &differences);
	if (!same)
		printf("%.*s:\n%.*s", STR_FMT(id), STR_FMT(buf_view(&differences)));
	buf_done(&differences);
	return same;
}

struct tally {
	size_t run, different, bad;
};

static void one_vector(
        const struct jval *defaults, const struct jval *entry, bool check, struct tally *t)
{
	struct str id = jval_str(jval_getc(entry, "id"));
	const char *error = NULL;
	struct jval *verdict = NULL;

	if (!id.n)
		error = "a vector needs an `id`";
	else if (!has_shape(entry))
		error = "`config`, `header`, `claims`, `room`, `event` and `expect` are objects";
	else
		verdict = run_vector(defaults, entry, &error);
	if (!verdict) {
		fprintf(stderr, "gavel: vector %.*s: %s\n", STR_FMT(id), error);
		t->bad++;
		return;
	}
	t->run++;
	if (!check)
		print_line(id, verdict);
	else if (!check_vector(id, jval_getc(entry, "expect"), verdict))
		t->different++;
	jval_free(verdict);
}

static bool ids_repeat(const struct jval *vectors)
{
	struct map ids;
	bool repeated = false;
	map_init(&ids);
	for (size_t i = 0; i < jval_size(vectors) && !repeated; i++) {
		struct str id = jval_str(jval_getc(jval_at(vectors, i), "id"));
		repeated = id.n && map_get(&ids, id);
		if (repeated)
			fprintf(stderr, "gavel: two vectors are called %.*s\n", STR_FMT(id));
		else if (id.n && !map_put(&ids, id, &ids))
			repeated = true;
	}
	map_done(&ids);
	return repeated;
}

int vectors_run(const char *path, bool check)
{
	struct jval_error e;
	struct tally t = {0, 0, 0};
	struct jval *file = file_read_json(path, VECTORS_BYTES_MAX, VECTORS_DEPTH_MAX, &e);
	if (!file)
		return CLI_USAGE;
	const struct jval *vectors = jval_getc(file, "vectors"),
	                  *defaults = jval_getc(file, "defaults");
	if (jval_integer(jval_getc(file, "schema")) != 1 || !jval_is_array(vectors)) {
		fprintf(stderr, "gavel: %s: `schema` 1 and a list `vectors` are needed\n", path);
		jval_free(file);
		return CLI_USAGE;
	}
	if (ids_repeat(vectors)) {
		jval_free(file);
		return CLI_USAGE;
	}
	for (size_t i = 0; i < jval_size(vectors); i++)
		one_vector(defaults, jval_at(vectors, i), check, &t);
	jval_free(file);
	if (check)
		printf("%zu vectors, %zu different\n", t.run, t.different);
	if (t.bad)
		return CLI_USAGE;
	return t.different ? CLI_FAIL : CLI_OK;
}
