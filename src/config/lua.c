/* lua.c - `name = literal` out of raw Lua lines. pure */
#include "config/lua.h"

#include "base/jval.h"

#define ENTRIES_MAX 500
#define ITEMS_MAX 256

struct reader {
	struct str s;
	size_t at;
	struct buf text;
};

static char peek(const struct reader *r, size_t ahead)
{
	return ahead < r->s.n - r->at ? r->s.p[r->at + ahead] : 0;
}

static bool at_end(const struct reader *r)
{
	return r->at >= r->s.n;
}

static bool letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool at_break(const struct reader *r)
{
	char c = peek(r, 0);
	return at_end(r) || c == '\n' || c == '\r' || c == ',' || c == ';' ||
	       (c == '\\' && peek(r, 1) == 'n');
}

static bool at_comment(const struct reader *r)
{
	return peek(r, 0) == '-' && peek(r, 1) == '-';
}

static void skip_comment(struct reader *r)
{
	while (!at_end(r) && peek(r, 0) != '\n' && !(peek(r, 0) == '\\' && peek(r, 1) == 'n'))
		r->at++;
}

/* Blanks, and with `breaks` line ends and comments too. */
static void skip(struct reader *r, bool breaks)
{
	while (!at_end(r)) {
		char c = peek(r, 0);
		if (c == ' ' || c == '\t')
			r->at++;
		else if (breaks && at_comment(r))
			skip_comment(r);
		else if (breaks && c == '\\' && peek(r, 1) == 'n')
			r->at += 2;
		else if (breaks && (c == '\n' || c == '\r' || c == ',' || c == ';'))
			r->at++;
		else
			return;
	}
}

/* A quoted string, appended; false when it does not end or holds an escape other than \\ \" \' . */
static bool string(struct reader *r, struct buf *out)
{
	char quote = peek(r, 0);
	r->at++;
	while (!at_end(r) && peek(r, 0) != quote) {
		char c = peek(r, 0);
		if (c == '\n')
			return false;
		if (c == '\\') {
			r->at++;
			c = peek(r, 0);
			if (c != '\\' && c != '"' && c != '\'')
				return false;
		}
		buf_putc(out, c);
		r->at++;
	}
	if (at_end(r))
		return false;
	r->at++;
	return true;
}

static struct str word(struct reader *r)
{
	size_t from = r->at;
	while (letter(peek(r, 0)) || digit(peek(r, 0)))
		r->at++;
	return str_sub(r->s, from, r->at);
}

static bool list(struct reader *r)
{
	struct buf item;
	size_t n = 0;
	bool fine = true;
	buf_init(&item, 4096);
	buf_putc(&r->text, '[');
	r->at++;
	for (skip(r, true); fine && peek(r, 0) != '}'; skip(r, true)) {
		char c = peek(r, 0);
		buf_reset(&item);
		if (c == '"' || c == '\'')
			fine = string(r, &item);
		else if (digit(c))
			buf_str(&item, word(r));
		else
			fine = false;
		fine = fine && !item.failed && ++n <= ITEMS_MAX;
		if (n > 1)
			buf_putc(&r->text, ',');
		jval_quote(buf_view(&item), &r->text);
	}
	buf_putc(&r->text, ']');
	buf_done(&item);
	if (fine)
		r->at++;
	return fine;
}

static enum lua_kind literal(struct reader *r)
{
	char c = peek(r, 0);
	if (c == '"' || c == '\'')
		return string(r, &r->text) ? LUA_STRING : LUA_UNREADABLE;
	if (c == '{')
		return list(r) ? LUA_LIST : LUA_UNREADABLE;
	if (digit(c)) {
		buf_str(&r->text, word(r));
		return LUA_NUMBER;
	}
	struct str w = word(r);
	buf_str(&r->text, w);
	return str_eqc(w, "true") || str_eqc(w, "false") ? LUA_BOOL : LUA_UNREADABLE;
}

static void entry(struct reader *r, lua_entry_fn fn, void *arg)
{
	struct str name = STR_NONE;
	enum lua_kind kind = LUA_UNREADABLE;
	buf_reset(&r->text);
	if (letter(peek(r, 0)))
		name = word(r);
	skip(r, false);
	if (name.n && peek(r, 0) == '=' && peek(r, 1) != '=') {
		r->at++;
		skip(r, false);
		kind = literal(r);
		skip(r, false);
		/* `x = 1 + f()` is no literal */
		if (!at_break(r) && !at_comment(r))
			kind = LUA_UNREADABLE;
	}
	if (r->text.failed)
		kind = LUA_UNREADABLE;
	while (!at_break(r))
		r->at++;
	fn(arg, name, kind, kind == LUA_UNREADABLE ? STR_NONE : buf_view(&r->text));
}

void lua_read(struct str lines, lua_entry_fn fn, void *arg)
{
	struct reader r = {.s = lines};
	buf_init(&r.text, 64 * 1024);
	skip(&r, true);
	for (unsigned n = 0; !at_end(&r) && n < ENTRIES_MAX; n++) {
		entry(&r, fn, arg);
		skip(&r, true);
	}
	buf_done(&r.text);
}
