/* pattern.c - "pattern NUL text": Lua patterns, rooms of tokens, canonical room names, addresses,
 * cleaned names and skeletons. io */
#include <stdlib.h>

#include "base/err.h"
#include "base/utf8.h"
#include "policy/claims.h"
#include "policy/match.h"
#include "policy/name.h"
#include "policy/pattern.h"
#include "xmpp/jid.h"

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

/* A token for the rooms of a pattern, and one for the room of that name. */
static void try_token(struct str room, struct str address)
{
	struct policy_settings s;
	struct room_view view = {.present = 0};
	struct match m;
	struct buf decoded;
	if (!utf8_valid(address)) /* of no address of the wire */
		return;
	policy_settings_init(&s);
	s.domain = STR("d");
	s.room_wildcard = address.n % 4 != 0;
	s.domain_verification = address.n % 2 != 0;
	room_split_tenant(address, &view.tenant, &view.node);
	require(view.node.n + view.tenant.n <= address.n);
	for (int regex = 0; regex < 2; regex++) {
		struct claims c = {.room = room, .sub = room.n % 3 ? STR("D") : STR("*")};
		struct str text = regex ? STR("{\"context\":{\"tenant\":\"a.b\",\"room\":"
		                              "{\"regex\":true}}}")
		                        : STR("{\"context\":{\"tenant\":null}}");
		c.payload = jval_parse(text, 8, NULL);
		require(c.payload != NULL);
		match_token(&s, &c, &view, &m);
		require(!m.nomem);
		if (m.refusal == R_NONE && m.regex) {
			buf_init(&decoded, 0);
			require(room_decode(view.node, &decoded) == ERR_OK);
			require(pattern_match_whole(room, buf_view(&decoded)) == PATTERN_YES);
			buf_done(&decoded);
		}
		require(!s.room_wildcard || m.refusal != E_WILDCARD);
		jval_free(c.payload);
	}
}

/* What was normalised stays as it is, and its parts are the whole. */
static void try_jid(struct str text)
{
	struct arena a;
	struct jid jid, again;
	arena_init(&a, 0);
	if (jid_parse(text, &a, &jid) == ERR_OK) {
		require(jid_parse(jid.full, &a, &again) == ERR_OK);
		require(str_eq(jid.full, again.full) && utf8_valid(jid.full));
		require(jid.domain.n && jid.domain.n <= JID_PART_MAX);
		require(str_absent(jid.node) || (jid.node.n && jid.node.n <= JID_PART_MAX));
		require(str_absent(jid.resource) || jid_resource_ok(jid.resource));
		require(jid.full.n == jid.domain.n + (jid.node.n ? jid.node.n + 1 : 0) +
		                              (jid.resource.n ? jid.resource.n + 1 : 0));
	}
	require(!jid_nick_ok(text) || (text.n <= 64 && jid_resource_ok(text)));
	arena_done(&a);
}

/* The name of a token is that name cleaned, and frozen. */
static void try_token_name(struct str raw)
{
	struct policy_settings s;
	struct token_name out;
	struct name clean;
	struct claims c = {.payload = jval_new_object()};
	struct jval *context = jval_new_object(), *user = jval_new_object();
	policy_settings_init(&s);
	require(c.payload && context && user);
	struct jval *value = jval_new_str(raw);
	if (value)
		require(jval_set(user, "name", value));
	require(jval_set(context, "user", user) && jval_set(c.payload, "context", context));
	require(name_of_token(&s, &c, false, &out) == ERR_OK);
	bool usable = value && name_clean(raw, s.name_max, &clean, NULL) == ERR_OK;
	require(out.name.present == usable && out.frozen == usable);
	require(!usable || str_eq(name_str(&out.name), name_str(&clean)));
	jval_free(c.payload);
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
	struct str pattern = str_split(&rest, '\0');
	if (str_absent(rest))
		rest = STR("");
	try_pattern(pattern, rest);
	try_token(pattern, rest);
	try_room(rest);
	try_room(pattern);
	try_jid(rest);
	try_jid(pattern);
	try_name(text, size ? 1 + data[0] % NAME_UNITS_MAX : 50);
	try_token_name(pattern);
	return 0;
}
