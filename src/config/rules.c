/* rules.c - the shape of claim rules, key files and issuers. pure */
#include <stdio.h>

#include "config/value.h"

#define FILES_MAX 64
#define ISSUERS_MAX 64

/* Every member is one of `allowed` (separated by spaces); the first that is not is the fault. */
bool members_only(const struct jval *object, const char *allowed, int item, struct value_fault *f)
{
	void *it = NULL;
	struct str key;
	const struct jval *value;
	while (jval_each(object, &it, &key, &value)) {
		struct str rest = str_c(allowed);
		unsigned best = 4;
		bool known = false;
		f->nearest[0] = 0;
		while (!known && !str_absent(rest)) {
			struct str word = str_split(&rest, ' ');
			unsigned d = schema_distance(key, word);
			known = str_eq(key, word);
			if (d < best) {
				best = d;
				snprintf(f->nearest, sizeof f->nearest, "%.*s", STR_FMT(word));
			}
		}
		if (!known) {
			value_fault_set(f, item, "item %d: unknown member \"%.*s\"", item + 1,
			        STR_FMT(str_sub(key, 0, 60)));
			return false;
		}
	}
	f->nearest[0] = 0;
	return true;
}

bool objects_only(const struct jval *j, size_t most, struct value_fault *f)
{
	if (!jval_is_array(j)) {
		value_fault_set(f, -1, "must be a list, not %s", jval_type_name(j));
		return false;
	}
	if (jval_size(j) > most) {
		value_fault_set(f, -1, "has %zu items: at most %zu", jval_size(j), most);
		return false;
	}
	for (size_t i = 0; i < jval_size(j); i++) {
		if (!jval_is_object(jval_at(j, i))) {
			value_fault_set(f, (int)i,
			        "item %zu: must be an object with members, not %s", i + 1,
			        jval_type_name(jval_at(j, i)));
			return false;
		}
	}
	return true;
}

static bool rule_path(const struct jval *path, int item, struct value_fault *f)
{
	size_t steps = 0;
	bool fine = jval_is_array(path) || jval_is_string(path);
	if (jval_is_array(path)) {
		steps = jval_size(path);
		for (size_t i = 0; i < steps; i++)
			fine = fine && jval_str(jval_at(path, i)).n > 0;
	}
	struct str rest = jval_str(path);
	while (!str_absent(rest)) {
		fine = str_split(&rest, '.').n > 0 &&
		       fine; /* always split: rest must get shorter */
		steps++;
	}
	if (!fine || steps == 0)
		value_fault_set(f, item,
		        "rule %d: path must be names joined by dots, or a list of names", item + 1);
	else if (steps > CLAIM_STEPS_MAX)
		value_fault_set(f, item, "rule %d: path has %zu names, at most %d", item + 1, steps,
		        CLAIM_STEPS_MAX);
	else
		return true;
	return false;
}

static bool rule_value(const struct jval *value, bool is, int item, struct value_fault *f)
{
	size_t n = jval_is_array(value) ? jval_size(value) : 1;
	if (n == 0 || n > 1024) {
		value_fault_set(f, item, "rule %d: value must hold 1 to 1024 constants", item + 1);
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		const struct jval *v = jval_is_array(value) ? jval_at(value, i) : value;
		if (jval_str(v).n || (is && jval_is_bool(v)))
			continue;
		value_fault_set(f, item, "rule %d: value must be a text that is not empty%s",
		        item + 1, is ? ", or true or false" : " (op has)");
		return false;
	}
	return true;
}

static bool rule_check(const struct jval *rule, int item, struct value_fault *f)
{
	struct str op = jval_str(jval_getc(rule, "op"));
	struct str then = jval_str(jval_getc(rule, "then"));
	bool is = str_eqc(op, "is");
	if (!members_only(rule, "path op value then", item, f))
		return false;
	if (!is && !str_eqc(op, "has"))
		value_fault_set(f, item, "rule %d: op must be is or has", item + 1);
	else if (!str_eqc(then, "grant") && !str_eqc(then, "deny"))
		value_fault_set(f, item, "rule %d: then must be grant or deny", item + 1);
	else
		return rule_path(jval_getc(rule, "path"), item, f) &&
		       rule_value(jval_getc(rule, "value"), is, item, f);
	return false;
}

bool rules_check(const struct jval *j, struct value_fault *f)
{
	if (!objects_only(j, CLAIM_RULES_MAX, f))
		return false;
	for (size_t i = 0; i < jval_size(j); i++) {
		if (!rule_check(jval_at(j, i), (int)i, f))
			return false;
	}
	return true;
}

static bool kid_taken(const struct jval *files, size_t before, struct str kid)
{
	for (size_t i = 0; i < before; i++) {
		if (str_eq(jval_str(jval_getc(jval_at(files, i), "kid")), kid))
			return true;
	}
	return false;
}

bool key_files_check(const struct jval *j, struct value_fault *f)
{
	if (!objects_only(j, FILES_MAX, f))
		return false;
	for (size_t i = 0; i < jval_size(j); i++) {
		const struct jval *kid = jval_getc(jval_at(j, i), "kid");
		int item = (int)i;
		if (!members_only(jval_at(j, i), "kid path", item, f))
			return false;
		if (jval_str(jval_getc(jval_at(j, i), "path")).n == 0)
			value_fault_set(f, item, "item %zu: path is missing", i + 1);
		else if (!kid && jval_size(j) > 1)
			value_fault_set(f, item,
			        "item %zu: kid is missing, it may be left out only with one file",
			        i + 1);
		else if (kid && (jval_str(kid).n == 0 || jval_str(kid).n > 256))
			value_fault_set(
			        f, item, "item %zu: kid must be a text of 1 to 256 bytes", i + 1);
		else if (kid && kid_taken(j, i, jval_str(kid)))
			value_fault_set(f, item, "item %zu: this kid is there twice", i + 1);
		else
			continue;
		return false;
	}
	return true;
}

/* One member of an issuer, by the row of the key with the same name. */
static bool issuer_member(
        const struct jval *issuer, enum config_key key, int item, struct value_fault *f)
{
	const struct schema_row *row = schema_row(key);
	const struct jval *value = jval_getc(issuer, row->key);
	struct value_fault inner;
	if (!value)
		return true;
	struct jval *checked = value_check(row, value, &inner);
	if (checked) {
		jval_free(checked);
		return true;
	}
	value_fault_set(f, item, "item %d: %s %.200s", item + 1, row->key, inner.text);
	snprintf(f->nearest, sizeof f->nearest, "%s", inner.nearest);
	return false;
}

static bool issuer_check(const struct jval *list, size_t i, struct value_fault *f)
{
	static const enum config_key keys[] = {KEY_ALGS, KEY_KEY_SOURCE, KEY_APP_SECRET,
	        KEY_KEY_FILES, KEY_KEY_SERVER, KEY_JWKS, KEY_KNOWN_KIDS};
	const struct jval *issuer = jval_at(list, i);
	struct str iss = jval_str(jval_getc(issuer, "iss"));
	int item = (int)i;
	if (!members_only(issuer,
	            "iss algs key_source app_secret key_files key_server jwks known_kids", item, f))
		return false;
	if (iss.n == 0) {
		value_fault_set(f, item, "item %zu: iss is missing", i + 1);
		return false;
	}
	if (str_eqc(iss, "*")) {
		value_fault_set(f, item, "item %zu: iss must name one issuer, not \"*\"", i + 1);
		return false;
	}
	for (size_t k = 0; k < i; k++) {
		if (str_eq(jval_str(jval_getc(jval_at(list, k), "iss")), iss)) {
			value_fault_set(f, item, "item %zu: this iss is there twice", i + 1);
			return false;
		}
	}
	for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
		if (!issuer_member(issuer, keys[k], item, f))
			return false;
	}
	return true;
}

bool issuers_check(const struct jval *j, struct value_fault *f)
{
	if (!objects_only(j, ISSUERS_MAX, f))
		return false;
	for (size_t i = 0; i < jval_size(j); i++) {
		if (!issuer_check(j, i, f))
			return false;
	}
	return true;
}
