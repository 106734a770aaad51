/* name.c - names cleaned (4.3), and the one place that decides what others see (4.1, 4.4). pure */
#include "policy/name.h"

#include "base/err.h"
#include "base/utf8.h"
#include "policy/capability.h"
#include "policy/reason.h"

/* A name from the network is bounded here before any Unicode work, far above what cleaning could
 * keep: its length, and its runs of marks, because composing sorts each run in a time that grows
 * with the square of it (Unicode's Stream-Safe Text Format has the same 30). Whole code points
 * only. */
enum { NAME_RAW_MAX = 16 * 1024, NAME_RAW_MARKS_MAX = 30, NAME_MARKS_MAX = 4 };

static bool between(int32_t cp, int32_t from, int32_t to)
{
	return cp >= from && cp <= to;
}

static bool becomes_space(int32_t cp)
{
	return cp == '\t' || cp == '\n' || cp == '\r' || cp == 0x2028 || cp == 0x2029 ||
	       utf8_is_space(cp);
}

/* Controls, bidi controls, invisible, blank and format characters, tags, non-characters. 200C and
 * 200D stay. */
static bool is_removed(int32_t cp)
{
	static const struct {
		int32_t from, to;
	} ranges[] = {
	        {0x00, 0x1f},
	        {0x7f, 0x9f},
	        {0xad, 0xad},
	        {0x61c, 0x61c},
	        {0x115f, 0x1160},
	        {0x180e, 0x180e},
	        {0x200b, 0x200b},
	        {0x200e, 0x200f},
	        {0x202a, 0x202e},
	        {0x2060, 0x2064},
	        {0x2066, 0x206f},
	        {0x2800, 0x2800},
	        {0x3164, 0x3164},
	        {0xfdd0, 0xfdef},
	        {0xfeff, 0xfeff},
	        {0xffa0, 0xffa0},
	        {0xfff9, 0xfffb},
	        {0xe0000, 0xe007f},
	};
	if ((cp & 0xfffe) == 0xfffe)
		return true;
	for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
		if (between(cp, ranges[i].from, ranges[i].to))
			return true;
	}
	return false;
}

/* Removes, turns every run of white space into one space, trims, bounds runs of marks. */
static void strip(struct str s, struct buf *out)
{
	size_t pos = 0;
	unsigned marks = 0;
	bool space = false;
	while (pos < s.n) {
		int32_t cp = utf8_next(s, &pos);
		if (becomes_space(cp)) {
			space = out->n > 0;
			marks = 0;
			continue;
		}
		if (is_removed(cp))
			continue;
		if (!utf8_is_mark(cp)) {
			if (cp != 0x200c && cp != 0x200d) /* joiners must not start a new run */
				marks = 0;
		} else if (++marks > NAME_MARKS_MAX) {
			continue;
		}
		if (space)
			buf_putc(out, ' ');
		space = false;
		utf8_put(out, cp);
	}
}

/* Longest prefix of at most `units` UTF-16 units, without trailing spaces. */
static struct str cut(struct str s, unsigned units)
{
	size_t pos = 0, end = 0;
	unsigned used = 0;
	while (pos < s.n) {
		int32_t cp = utf8_next(s, &pos);
		used += cp > 0xffff ? 2 : 1;
		if (cp < 0 || used > units)
			break;
		end = pos;
	}
	while (end && s.p[end - 1] == ' ')
		end--;
	return str_sub(s, 0, end);
}

static bool has_graphic(struct str s)
{
	size_t pos = 0;
	while (pos < s.n) {
		if (utf8_is_graphic(utf8_next(s, &pos)))
			return true;
	}
	return false;
}

static void set_name(struct name *out, struct str text)
{
	out->present = true;
	out->n = (uint16_t)text.n;
	memcpy(out->text, text.p, text.n);
}

/* raw without what a run of marks holds beyond the bound. */
static void bound_marks(struct str raw, struct buf *out)
{
	size_t pos = 0, kept = 0;
	unsigned marks = 0;
	while (pos < raw.n) {
		size_t from = pos;
		marks = utf8_is_mark(utf8_next(raw, &pos)) ? marks + 1 : 0;
		if (marks <= NAME_RAW_MARKS_MAX)
			continue;
		buf_str(out, str_sub(raw, kept, from));
		kept = pos;
	}
	buf_str(out, str_sub(raw, kept, raw.n));
}

static int name_clean_into(
        struct str raw, unsigned max_units, struct name *out, struct buf *a, struct buf *b)
{
	bound_marks(raw, b);
	if (b->failed)
		return ERR_NOMEM;
	int err = utf8_nfc(buf_view(b), a);
	if (err)
		return err;
	buf_reset(b);
	strip(buf_view(a), b);
	if (b->failed)
		return ERR_NOMEM;
	buf_reset(a);
	err = utf8_nfc(buf_view(b), a);
	if (err)
		return err;
	struct str text = cut(buf_view(a), max_units < NAME_UNITS_MAX ? max_units : NAME_UNITS_MAX);
	if (!has_graphic(text))
		return ERR_BADMSG;
	set_name(out, text);
	return 0;
}

int name_clean(struct str raw, unsigned max_units, struct name *out, bool *changed)
{
	struct buf a, b;
	out->present = false;
	out->n = 0;
	if (!utf8_valid(raw))
		return ERR_BADMSG;
	struct str bounded = cut(raw, NAME_RAW_MAX);
	buf_init(&a, 0);
	buf_init(&b, 0);
	int err = name_clean_into(bounded, max_units, out, &a, &b);
	buf_done(&a);
	buf_done(&b);
	if (!err && changed)
		*changed = !str_eq(name_str(out), raw);
	return err;
}

int name_mark(struct str base, struct str suffix, unsigned max_units, struct name *out)
{
	unsigned suffix_units = (unsigned)utf8_units16(suffix);
	unsigned limit = max_units < NAME_UNITS_MAX ? max_units : NAME_UNITS_MAX;
	struct str head = cut(base, limit > suffix_units ? limit - suffix_units : 0);
	struct str tail = cut(suffix, limit);

	if (!utf8_valid(base) || !utf8_valid(suffix))
		return ERR_BADMSG;
	out->present = true;
	out->n = (uint16_t)(head.n + tail.n);
	memmove(out->text, head.p, head.n); /* base may be out's own text */
	memcpy(out->text + head.n, tail.p, tail.n);
	return 0;
}

/* Follows dotted names; NULL where something is missing. */
static const struct jval *find_value(const struct jval *payload, struct str path)
{
	const struct jval *at = payload;
	struct str rest = path;
	while (at && !str_absent(rest))
		at = jval_get(at, str_split(&rest, '.'));
	return at;
}

static bool name_readonly(const struct claims *claims, bool features_ignored)
{
	const struct jval *flag =
	        jval_getc(capability_features(claims, features_ignored), "name-readonly");
	return jval_true(flag) || str_eqc(jval_str(flag), "true");
}

static bool freezes(const struct policy_settings *s, const struct claims *claims,
        bool features_ignored, bool usable)
{
	switch (s->name_mode) {
	case NAME_MODE_FROZEN:
		return usable;
	case NAME_MODE_PER_CLAIM:
		return name_readonly(claims,
		        features_ignored); /* no usable name: none at all, and not editable */
	case NAME_MODE_FREE:
		break;
	}
	return false;
}

int name_of_token(const struct policy_settings *s, const struct claims *claims,
        bool features_ignored, struct token_name *out)
{
	bool given = false;

	out->name.present = false;
	out->name.n = 0;
	out->raw = out->path = STR_NONE;
	out->frozen = false;
	out->warnings = 0;
	if (!claims)
		return 0;
	for (size_t i = 0; i < s->name_paths.n && !out->name.present; i++) {
		const struct jval *value = find_value(claims->payload, s->name_paths.v[i]);
		bool changed = false;
		if (!value || jval_is_null(value))
			continue;
		given = true;
		if (!jval_is_string(value))
			continue;
		int err = name_clean(jval_str(value), s->name_max, &out->name, &changed);
		if (err == ERR_NOMEM)
			return err;
		if (!out->name.present)
			continue;
		out->raw = jval_str(value);
		out->path = s->name_paths.v[i];
		out->warnings |= changed ? W_NAME_CHANGED : 0;
	}
	if (given && !out->name.present)
		out->warnings |= W_NAME_UNUSABLE;
	out->frozen = freezes(s, claims, features_ignored, out->name.present);
	return 0;
}

/* The name before any mark, for somebody who may choose: typed now, typed before, the token's,
 * none. */
static int free_name(const struct name_request *r, struct name_outcome *out)
{
	const struct policy_settings *s = r->settings;

	if (!str_absent(r->typed) &&
	        name_clean(r->typed, s->name_max, &out->name, NULL) == ERR_NOMEM)
		return ERR_NOMEM;
	if (!out->name.present && r->keep_seat_name && r->self && !r->self->name_frozen &&
	        r->self->name.n) {
		struct str kept = r->self->name;
		struct str suffix = r->self->guest ? s->clash_suffix : s->clash_suffix_user;
		if (r->self->name_marked && suffix.n < kept.n && str_ends(kept, suffix))
			kept = str_sub(kept, 0, kept.n - suffix.n);
		if (name_clean(kept, s->name_max, &out->name, NULL) == ERR_NOMEM)
			return ERR_NOMEM;
	}
	if (!out->name.present)
		out->name = out->token.name;
	return 0;
}

/* Must this free name carry a suffix (4.4). */
static int must_mark(const struct name_request *r, struct name_outcome *out, bool *mark)
{
	const struct policy_settings *s = r->settings;
	struct name_skeleton skeleton;

	*mark = false;
	if (s->guest_clash == GUEST_CLASH_ALLOW || !out->name.present)
		return 0;
	if (out->token.name.present && str_eq(name_str(&out->name), name_str(&out->token.name)))
		return 0; /* the name of his own token */
	if (name_skeleton(name_str(&out->name), &skeleton) == ERR_NOMEM)
		return ERR_NOMEM;
	bool clash = skeleton.n && r->room->lookups->frozen_name(r->room->room, &skeleton, r->self);
	if (clash)
		out->warnings |= W_NAME_CLASH;
	*mark = clash || s->guest_clash == GUEST_CLASH_ALWAYS;
	return 0;
}

int name_decide(const struct name_request *r, struct name_outcome *out)
{
	const struct policy_settings *s = r->settings;
	bool mark;

	out->name.present = out->frozen = out->marked = false;
	out->name.n = 0;
	int err = name_of_token(s, r->claims, r->features_ignored, &out->token);
	out->warnings = out->token.warnings;
	if (err)
		return err;
	if (out->token.frozen) {
		out->name = out->token.name;
		out->frozen = true;
		return 0;
	}
	err = free_name(r, out);
	if (!err)
		err = must_mark(r, out, &mark);
	if (err || !mark)
		return err;
	out->marked = true;
	return name_mark(name_str(&out->name), r->guest ? s->clash_suffix : s->clash_suffix_user,
	        s->name_max, &out->name);
}
