/* pattern.c - "pattern NUL text": Lua patterns, canonical room names, cleaned names and skeletons.
 * io */
#include <stdlib.h>

#include "base/err.h"
#include "base/utf8.h"
#include "policy/match.h"
#include "policy/name.h"
#include "policy/pattern.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

/* A pattern without any magic is matched by itself and nothing else. */
static void try_pattern(struct str pattern, struct str text)
{
	enum pattern_result r = pattern_match_whole(pattern, text);
	bool plain = pattern.n <= PATTERN_BYTES_MAX;
	for (size_t i = 0; i < pattern.n && plain; i++)
		plain = !memchr("^$*+?.([%-)", pattern.p[i], 11);
	if (plain)
		require((r == PATTERN_YES) ==
		        (pattern.n == text.n && memcmp(pattern.p, text.p, text.n) == 0));
	if (pattern.n > PATTERN_BYTES_MAX)
		require(r == PATTERN_INVALID);
	pattern_has_lazy_dash(pattern);
}

/* Only what encodeURIComponent leaves, and decoding gives the same name again. */
static void try_room(struct str name)
{
	struct buf canonical, decoded, again;
	bool yes;
	buf_init(&canonical, 0);
	buf_init(&decoded, 0);
	buf_init(&again, 0);
	int err = room_canonical(name, &canonical);
	require(err == ERR_OK ? utf8_valid(name) : !utf8_valid(name));
	for (size_t i = 0; !err && i < canonical.n; i++) {
		char c = canonical.p[i];
		require(c > ' ' && c < 0x7f && !(c >= 'A' && c <= 'Z') &&
		        !strchr("/?#[]@:\"<>&\\", c));
	}
	if (!err) {
		require(room_decode(buf_view(&canonical), &decoded) == ERR_OK);
		require(utf8_valid(buf_view(&decoded)));
		require(room_canonical(buf_view(&decoded), &again) == ERR_OK);
	}
	require(room_is_canonical(name, &yes) == ERR_OK);
	require(!yes || (!err && str_eq(buf_view(&canonical), name)));
	buf_done(&canonical);
	buf_done(&decoded);
	buf_done(&again);
}

/* Clean names are clean already, short enough, and still names with a mark on them. */
static void try_name(struct str raw, unsigned units)
{
	struct name name, again, marked;
	struct name_skeleton skeleton;
	bool changed = true;
	if (name_clean(raw, units, &name, NULL) != ERR_OK)
		return;
	struct str text = name_str(&name);
	require(utf8_valid(text) && text.n && utf8_units16(text) <= units);
	require(name_clean(text, units, &again, &changed) == ERR_OK && !changed);
	for (size_t pos = 0; pos < text.n;) {
		int32_t cp = utf8_next(text, &pos);
		require(cp >= ' ' && cp != 0x7f && cp != 0x202e && cp != 0x200b && cp != 0xfeff);
	}
	require(name_skeleton(text, &skeleton) == ERR_OK && skeleton.n <= sizeof skeleton.text);
	require(name_mark(text, STR(" (guest)"), units, &marked) == ERR_OK);
	require(utf8_valid(name_str(&marked)) && utf8_units16(name_str(&marked)) <= units);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = str_from((const char *)data, size), rest = text;
	struct str pattern = str_split(&rest, '\0'), tenant, node;
	if (str_absent(rest))
		rest = STR("");
	try_pattern(pattern, rest);
	try_room(rest);
	try_room(pattern);
	try_name(text, size ? 1 + data[0] % NAME_UNITS_MAX : 50);
	room_split_tenant(text, &tenant, &node);
	require(node.n + tenant.n <= text.n);
	return 0;
}
