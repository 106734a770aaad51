/* vector_diff.c - comparing verdicts. pure */
#include "cli/vector_diff.h"

#include "policy/reason.h"

bool warnings_set(struct jval *object, unsigned warnings)
{
	struct jval *list = jval_new_array();
	bool ok = list != NULL;
	for (unsigned i = 0; ok && i < WARNING_COUNT; i++) {
		if (warnings & 1u << i)
			ok = jval_append(
			        list, jval_new_str(str_c(warning_name((enum warning_index)i))));
	}
	if (!ok) {
		jval_free(list);
		return false;
	}
	return jval_set(object, "warnings", list);
}

static void put(const struct jval *j, struct buf *out)
{
	if (j)
		jval_write(j, out);
	else
		buf_puts(out, "nothing");
}

static bool differ(struct str key, const struct jval *want, const struct jval *got, struct buf *out)
{
	buf_printf(out, "  %.*s: expected ", STR_FMT(key));
	put(want, out);
	buf_puts(out, ", got ");
	put(got, out);
	buf_putc(out, '\n');
	return false;
}

static bool contains(const struct jval *list, const struct jval *value)
{
	for (size_t i = 0; i < jval_size(list); i++) {
		if (jval_equal(jval_at(list, i), value))
			return true;
	}
	return false;
}

static bool diff_warnings(const struct jval *want, const struct jval *got, struct buf *out)
{
	bool same = true;
	for (size_t i = 0; i < jval_size(want); i++) {
		if (!contains(got, jval_at(want, i)))
			same = differ(STR("warnings"), jval_at(want, i), got, out);
	}
	return same;
}

static bool diff_effective(const struct jval *want, const struct jval *got, struct buf *out)
{
	const struct jval *value;
	struct str key;
	void *it = NULL;
	bool same = true;
	while (jval_is_object(want) && jval_each(want, &it, &key, &value)) {
		if (!jval_equal(value, jval_get(got, key)))
			same = differ(key, value, jval_get(got, key), out);
	}
	return same;
}

/* A change of name and a change of role of one occupant are two entries. */
static const struct jval *find_change(const struct jval *list, const struct jval *like)
{
	bool is_name = jval_getc(like, "name") != NULL;
	for (size_t i = 0; i < jval_size(list); i++) {
		const struct jval *at = jval_at(list, i);
		bool same_kind = (jval_getc(at, "name") != NULL) == is_name;
		if (same_kind && jval_equal(jval_getc(at, "who"), jval_getc(like, "who")))
			return at;
	}
	return NULL;
}

static bool same_members(const struct jval *want, const struct jval *got)
{
	const struct jval *value;
	struct str key;
	void *it = NULL;
	while (jval_each(want, &it, &key, &value)) {
		if (!jval_equal(value, jval_get(got, key)))
			return false;
	}
	return true;
}

static bool diff_changes(const struct jval *want, const struct jval *got, struct buf *out)
{
	bool same = jval_size(want) == jval_size(got);
	for (size_t i = 0; i < jval_size(want) && same; i++) {
		const struct jval *entry = jval_at(want, i), *found = find_change(got, entry);
		same = found && same_members(entry, found);
	}
	return same || differ(STR("changes"), want, got, out);
}

bool vector_diff(const struct jval *expect, const struct jval *verdict, struct buf *out)
{
	const struct jval *want;
	struct str key;
	void *it = NULL;
	bool same = true;

	while (jval_is_object(expect) && jval_each(expect, &it, &key, &want)) {
		const struct jval *got = jval_get(verdict, key);
		if (str_eqc(key, "warnings"))
			same &= diff_warnings(want, got, out);
		else if (str_eqc(key, "effective"))
			same &= diff_effective(want, got, out);
		else if (str_eqc(key, "changes"))
			same &= diff_changes(want, got, out);
		else if (!jval_equal(want, got))
			same &= differ(key, want, got, out);
	}
	return same;
}
