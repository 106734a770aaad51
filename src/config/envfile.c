/* envfile.c - environment variables, and the .env file's small language. pure */
#include "config/envfile.h"

#include "base/mem.h"
#include "base/utf8.h"
#include "config/report.h"

void env_init(struct env *e, const char *file)
{
	*e = (struct env){.file = file ? file : ""};
}

static void var_free(struct env_var *v)
{
	mem_free((void *)(uintptr_t)v->name.p);
	mem_free((void *)(uintptr_t)v->value.p);
}

void env_done(struct env *e)
{
	for (size_t i = 0; i < e->n; i++)
		var_free(&e->v[i]);
	mem_free(e->v);
	env_init(e, e->file);
}

static struct env_var *find(const struct env *e, struct str name)
{
	for (size_t i = 0; i < e->n; i++) {
		if (str_eq(e->v[i].name, name))
			return &e->v[i];
	}
	return NULL;
}

static bool grow(struct env *e)
{
	if (e->n < e->cap)
		return true;
	size_t cap = e->cap ? e->cap * 2 : 64;
	struct env_var *v = e->n < ENV_VARS_MAX ? mem_realloc(e->v, cap * sizeof *v) : NULL;
	if (!v)
		return false;
	e->v = v;
	e->cap = cap;
	return true;
}

bool env_put(struct env *e, struct str name, struct str value, int line)
{
	if (value.n > ENV_VALUE_MAX || e->bytes + name.n + value.n > ENV_TOTAL_MAX)
		return false;
	struct env_var *old = find(e, name);
	struct env_var v = {.line = line};
	v.name = str_from(mem_strndup(name.p ? name.p : "", name.n), name.n);
	v.value = str_from(mem_strndup(value.p ? value.p : "", value.n), value.n);
	if (!v.name.p || !v.value.p || (!old && !grow(e))) {
		var_free(&v);
		return false;
	}
	e->bytes += name.n + value.n;
	if (old)
		var_free(old);
	else
		old = &e->v[e->n++];
	*old = v;
	return true;
}

const struct env_var *env_get(const struct env *e, const char *name)
{
	const struct env_var *v = find(e, str_c(name));
	return v && v->value.n ? v : NULL;
}

struct str env_str(const struct env *e, const char *name)
{
	const struct env_var *v = env_get(e, name);
	return v ? v->value : STR_NONE;
}

static bool name_char(char c, bool first)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
	       (!first && c >= '0' && c <= '9') || (!first && (c == '.' || c == '-'));
}

static size_t name_length(struct str s)
{
	size_t n = 0;
	while (n < s.n && n < 128 && name_char(s.p[n], n == 0))
		n++;
	return n;
}

bool env_read_process(struct env *e, char *const *environ)
{
	for (size_t i = 0; environ && environ[i] && i < ENV_VARS_MAX; i++) {
		struct str rest = str_c(environ[i]);
		struct str name = str_split(&rest, '=');
		if (name.n == 0 || name_length(name) != name.n || str_absent(rest) ||
		        rest.n > ENV_VALUE_MAX)
			continue;
		if (!env_put(e, name, rest, 0))
			return false;
	}
	return true;
}

void env_read_json(struct env *e, const struct jval *object, struct config_report *r)
{
	void *it = NULL;
	struct str key;
	const struct jval *value;
	if (object && !jval_is_object(object))
		report_fatal(r, "env", e->file, 0, "must be an object of texts, not %s",
		        jval_type_name(object));
	while (jval_each(object, &it, &key, &value)) {
		char name[130] = "";
		memcpy(name, key.p, key.n < sizeof name - 1 ? key.n : sizeof name - 1);
		if (key.n == 0 || name_length(key) != key.n)
			report_fatal(r, name, e->file, 0, "is no name of a variable");
		else if (!jval_is_string(value) && !jval_is_null(value))
			report_fatal(r, name, e->file, 0, "must be a text, not %s",
			        jval_type_name(value));
		else if (!env_put(e, key, jval_str(value), 0))
			r->nomem = true;
	}
}

/* The .env file, read from one end to the other. */
struct reader {
	struct str text;
	size_t at;
	int line;
	struct env *env;
	struct config_report *report;
	struct buf value;
	bool failed; /* the present line is wrong: a fatal line was written */
};

static char peek(const struct reader *r, size_t ahead)
{
	return ahead < r->text.n - r->at ? r->text.p[r->at + ahead] : 0;
}

static bool at_end(const struct reader *r)
{
	return r->at >= r->text.n;
}

static bool at_newline(const struct reader *r)
{
	return at_end(r) || peek(r, 0) == '\n' ||
	       (peek(r, 0) == '\r' && (peek(r, 1) == '\n' || r->at + 1 == r->text.n));
}

static char take(struct reader *r)
{
	char c = r->text.p[r->at++];
	if (c == '\n')
		r->line++;
	return c;
}

static void skip_blanks(struct reader *r)
{
	while (!at_end(r) && (peek(r, 0) == ' ' || peek(r, 0) == '\t'))
		r->at++;
}

static void skip_line(struct reader *r)
{
	while (!at_end(r) && take(r) != '\n')
		;
}

static void fail(struct reader *r, int line, const char *name, const char *why)
{
	if (!r->failed)
		report_fatal(r->report, name, r->env->file, line, "%s", why);
	r->failed = true;
}

static struct str rest_of(const struct reader *r)
{
	return str_sub(r->text, r->at, r->text.n);
}

static void expand(struct reader *r, unsigned depth);

/* Behind "${NAME": the operator, and the word up to the closing brace. */
static void expand_operator(struct reader *r, struct str name, struct str value, unsigned depth)
{
	bool colon = peek(r, 0) == ':';
	char op = peek(r, colon ? 1 : 0);
	bool set = !str_absent(value) && (!colon || value.n);
	if (!colon && op == '}') {
		r->at++;
		buf_str(&r->value, value);
		return;
	}
	if (op != '-' && op != '+' && op != '?') {
		fail(r, r->line, "", "in ${NAME...} only :- - :+ + :? and ? may follow the name");
		return;
	}
	r->at += colon ? 2 : 1;
	size_t before = r->value.n;
	while (!r->failed && !at_newline(r) && peek(r, 0) != '}') {
		if (peek(r, 0) == '$')
			expand(r, depth + 1);
		else
			buf_putc(&r->value, take(r));
	}
	if (at_newline(r)) {
		fail(r, r->line, "", "${ is not closed in this line");
		return;
	}
	r->at++;
	bool word = op == '+' ? set : !set;
	if (op == '?' && !set) {
		char what[130] = "";
		memcpy(what, name.p, name.n < sizeof what - 1 ? name.n : sizeof what - 1);
		fail(r, r->line, what, "must be set above this line");
	}
	if (word && op != '?')
		return;
	r->value.n = before;
	if (op != '+' && set)
		buf_str(&r->value, value);
}

/* At a '$': appends what it stands for. */
static void expand(struct reader *r, unsigned depth)
{
	bool braced = peek(r, 1) == '{';
	if (depth > 8) {
		fail(r, r->line, "", "${} nested too deep");
		return;
	}
	size_t skip = braced ? 2 : 1;
	struct str rest = str_sub(rest_of(r), skip, r->text.n);
	size_t n = 0;
	while (n < rest.n && n < 128 && name_char(rest.p[n], n == 0) && rest.p[n] != '.' &&
	        rest.p[n] != '-')
		n++;
	if (n == 0) {
		if (braced)
			fail(r, r->line, "", "a name must follow ${");
		else
			buf_putc(&r->value, take(r));
		return;
	}
	struct str name = str_sub(rest, 0, n);
	struct env_var *v = find(r->env, name);
	r->at += skip + n;
	if (braced)
		expand_operator(r, name, v ? v->value : STR_NONE, depth);
	else if (v)
		buf_str(&r->value, v->value);
}

static void escape(struct reader *r)
{
	static const char from[] = "nrt\"\\$'";
	static const char to[] = "\n\r\t\"\\$'";
	const char *known = peek(r, 1) ? strchr(from, peek(r, 1)) : NULL;
	if (!known) {
		buf_putc(&r->value, take(r));
		return;
	}
	r->at += 2;
	buf_putc(&r->value, to[known - from]);
}

static void read_quoted(struct reader *r, char quote)
{
	int line = r->line;
	r->at++;
	while (!r->failed) {
		if (at_end(r)) {
			fail(r, line, "", quote == '"' ? "\" is not closed" : "' is not closed");
			return;
		}
		char c = peek(r, 0);
		if (c == quote)
			break;
		if (quote == '"' && c == '\\')
			escape(r);
		else if (quote == '"' && c == '$')
			expand(r, 0);
		else
			buf_putc(&r->value, take(r));
	}
	if (r->failed)
		return;
	r->at++;
	skip_blanks(r);
	if (!at_newline(r) && peek(r, 0) != '#')
		fail(r, r->line, "", "only a comment may follow the closing quote");
}

static void read_plain(struct reader *r)
{
	while (!r->failed && !at_newline(r)) {
		char c = peek(r, 0);
		bool blank_before = r->value.n == 0 || r->text.p[r->at - 1] == ' ' ||
		                    r->text.p[r->at - 1] == '\t';
		if (c == '#' && blank_before)
			break;
		if (c == '$')
			expand(r, 0);
		else
			buf_putc(&r->value, take(r));
	}
	while (r->value.n &&
	        (r->value.p[r->value.n - 1] == ' ' || r->value.p[r->value.n - 1] == '\t'))
		r->value.n--;
	if (r->value.n == 1 && r->value.p[0] == '~')
		r->value.n = 0;
}

static void store(struct reader *r, struct str name, int line)
{
	char z[130] = "";
	memcpy(z, name.p, name.n < sizeof z - 1 ? name.n : sizeof z - 1);
	struct str value = buf_view(&r->value);
	if (r->value.failed || value.n > ENV_VALUE_MAX)
		fail(r, line, z, "the value is too long");
	else if (memchr(value.p, 0, value.n) || !utf8_valid(value))
		fail(r, line, z, "the value is not text in UTF-8");
	if (r->failed)
		return;
	const struct env_var *old = find(r->env, name);
	if (old)
		report_warn(r->report, 0, z, "is given twice, in lines %d and %d: the last counts",
		        old->line, line);
	if (!env_put(r->env, name, value, line))
		fail(r, line, z, "too many variables, or too long");
}

static void read_line(struct reader *r)
{
	skip_blanks(r);
	if (at_newline(r) || peek(r, 0) == '#')
		return;
	if (str_starts(rest_of(r), STR("export ")) || str_starts(rest_of(r), STR("export\t"))) {
		r->at += 7;
		skip_blanks(r);
	}
	int line = r->line;
	struct str name = str_sub(rest_of(r), 0, name_length(rest_of(r)));
	r->at += name.n;
	skip_blanks(r);
	if (name.n == 0 || (peek(r, 0) != '=' && !at_newline(r))) {
		fail(r, line, "", "expected NAME=value");
		return;
	}
	if (at_newline(r)) {
		char z[130] = "";
		memcpy(z, name.p, name.n < sizeof z - 1 ? name.n : sizeof z - 1);
		report_warn(r->report, 0, z, "stands in line %d without a value: unset", line);
		return;
	}
	r->at++;
	skip_blanks(r);
	buf_reset(&r->value);
	char c = peek(r, 0);
	if (!at_newline(r) && (c == '"' || c == '\''))
		read_quoted(r, c);
	else
		read_plain(r);
	if (!r->failed)
		store(r, name, line);
}

void env_read_text(struct env *e, struct str text, struct config_report *report)
{
	struct reader r = {.text = text, .line = 1, .env = e, .report = report};
	unsigned bad = 0;
	if (text.n > ENV_FILE_MAX) {
		report_fatal(report, "", e->file, 0, "is larger than 1 MiB");
		return;
	}
	if (str_starts(text, STR("\xef\xbb\xbf")))
		r.at = 3;
	buf_init(&r.value, ENV_VALUE_MAX + 1);
	while (!at_end(&r) && bad < 20) {
		r.failed = false;
		read_line(&r);
		bad += r.failed;
		skip_line(&r);
	}
	buf_done(&r.value);
}
