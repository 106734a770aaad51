/* include.c - reads server-side includes. pure */
#include "http/include.h"

#include "base/err.h"

#define NAME_BYTES 1024

static size_t find(struct str s, size_t from, const char *word)
{
	size_t n = strlen(word);
	for (size_t i = from; i + n <= s.n; i++) {
		const char *hit = memchr(s.p + i, word[0], s.n - n - i + 1);
		if (!hit)
			return s.n;
		i = (size_t)(hit - s.p);
		if (memcmp(hit, word, n) == 0)
			return i;
	}
	return s.n;
}

/* Takes the next word of a directive. */
static struct str take_word(struct str *rest)
{
	*rest = str_trim(*rest);
	size_t n = 0;
	while (n < rest->n && ascii_lower(rest->p[n]) >= 'a' && ascii_lower(rest->p[n]) <= 'z')
		n++;
	struct str word = str_sub(*rest, 0, n);
	*rest = str_trim(str_sub(*rest, n, rest->n));
	return word;
}

/* Takes name="value". False: nothing more, or nothing that can be read. */
static bool take_param(struct str *rest, struct str *name, struct str *value)
{
	*name = take_word(rest);
	if (!name->n || rest->n < 3 || rest->p[0] != '=')
		return false;
	*rest = str_trim(str_sub(*rest, 1, rest->n));
	if (rest->n < 2 || (rest->p[0] != '"' && rest->p[0] != '\''))
		return false;
	struct str inner = str_sub(*rest, 1, rest->n);
	size_t end = str_find(inner, rest->p[0]);
	if (end == inner.n)
		return false;
	*value = str_sub(inner, 0, end);
	*rest = str_sub(inner, end + 1, inner.n);
	return true;
}

static int include_file(struct include *inc, struct str from, struct str name, struct buf *out)
{
	struct buf text;
	char path[NAME_BYTES] = "";
	if (inc->depth == INCLUDE_DEPTH_MAX || inc->files == INCLUDE_FILES_MAX)
		return ERR_LIMIT;
	inc->files++;
	buf_init(&text, INCLUDE_BYTES_MAX);
	int err = ERR_OK;
	if (!inc->file(inc->arg, from, name, &text, path, sizeof path)) {
		inc->missing++;
	} else if (text.failed) {
		err = ERR_LIMIT;
	} else {
		inc->depth++;
		err = include_expand(inc, str_c(path), buf_view(&text), out);
		inc->depth--;
	}
	buf_done(&text);
	return err;
}

/* Carries out one directive, the text between "<!--#" and "-->". *known: it is one of ours. */
static int carry_out(
        struct include *inc, struct str path, struct str text, struct buf *out, bool *known)
{
	struct str name, value, fallback = STR_NONE, var = STR_NONE, file = STR_NONE;
	struct str command = take_word(&text);
	while (take_param(&text, &name, &value)) {
		if (str_eqc(name, "virtual") || str_eqc(name, "file"))
			file = value;
		else if (str_eqc(name, "var"))
			var = value;
		else if (str_eqc(name, "default"))
			fallback = value;
	}
	*known = true;
	if (str_eqc(command, "include") && !str_absent(file))
		return include_file(inc, path, file, out);
	*known = str_eqc(command, "echo") && !str_absent(var);
	if (*known && !inc->value(inc->arg, var, out) && !str_absent(fallback))
		buf_str(out, fallback);
	return ERR_OK;
}

int include_expand(struct include *inc, struct str path, struct str text, struct buf *out)
{
	size_t at = 0;
	int err = ERR_OK;
	while (!err && at < text.n) {
		size_t begin = find(text, at, "<!--#");
		buf_str(out, str_sub(text, at, begin));
		size_t end = begin < text.n ? find(text, begin, "-->") : text.n;
		if (end == text.n) {
			buf_str(out, str_sub(text, begin, text.n));
			break;
		}
		bool known;
		err = carry_out(inc, path, str_sub(text, begin + 5, end), out, &known);
		at = end + 3;
		if (!err && !known)
			buf_str(out, str_sub(text, begin, at));
	}
	return !err && out->failed ? ERR_LIMIT : err;
}
