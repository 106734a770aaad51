/* claim_rule.c - claim rules: same type, equal bytes, nothing else. pure
 *
 * What cannot be read never grants: an unusable type is silence for a grant rule and a no for a
 * deny rule. */
#include "policy/claim_rule.h"

/* *mistyped: something on the way is neither an object nor absent nor null; `[]` is no object here.
 */
static const struct jval *walk(
        const struct jval *payload, const struct str_list *path, bool *mistyped)
{
	const struct jval *at = payload;
	*mistyped = false;
	for (size_t i = 0; i < path->n; i++) {
		if (!at || jval_is_null(at))
			return NULL;
		if (!jval_is_object(at)) {
			*mistyped = true;
			return at;
		}
		at = jval_get(at, path->v[i]);
	}
	return at;
}

static bool has_text(const struct claim_rule *rule, struct str text)
{
	for (size_t i = 0; i < rule->n_values; i++) {
		if (!rule->values[i].is_bool && str_eq(rule->values[i].text, text))
			return true;
	}
	return false;
}

static bool has_bool(const struct claim_rule *rule, bool b)
{
	for (size_t i = 0; i < rule->n_values; i++) {
		if (rule->values[i].is_bool && rule->values[i].boolean == b)
			return true;
	}
	return false;
}

static enum rule_state state_if(bool matched)
{
	return matched ? RULE_MATCHED : RULE_NOT_MATCHED;
}

static enum rule_state match_is(const struct claim_rule *rule, const struct jval *value)
{
	if (jval_is_string(value))
		return state_if(has_text(rule, jval_str(value)));
	if (jval_is_bool(value))
		return state_if(has_bool(rule, jval_true(value)));
	return RULE_UNREADABLE;
}

/* One member that is no string makes the whole array unreadable. */
static enum rule_state match_has(const struct claim_rule *rule, const struct jval *value)
{
	bool matched = false;
	if (jval_is_string(value))
		return state_if(has_text(rule, jval_str(value)));
	if (!jval_is_array(value) || jval_size(value) > CLAIM_ARRAY_MAX)
		return RULE_UNREADABLE;
	for (size_t i = 0; i < jval_size(value); i++) {
		const struct jval *member = jval_at(value, i);
		if (!jval_is_string(member))
			return RULE_UNREADABLE;
		matched |= has_text(rule, jval_str(member));
	}
	return state_if(matched);
}

void claim_rule_read(
        const struct claim_rule *rule, const struct jval *payload, struct rule_fact *out)
{
	bool mistyped;
	const struct jval *value = walk(payload, &rule->path, &mistyped);

	*out = (struct rule_fact){.value = value, .class = CLAIM_SILENT};
	if (mistyped)
		out->state = RULE_UNREADABLE;
	else if (!value || jval_is_null(value))
		out->state = RULE_ABSENT;
	else
		out->state =
		        rule->op == CLAIM_OP_IS ? match_is(rule, value) : match_has(rule, value);

	if (out->state == RULE_MATCHED)
		out->class = rule->grant ? CLAIM_GRANT : CLAIM_DENY;
	else if (out->state == RULE_UNREADABLE && !rule->grant)
		out->class = CLAIM_DENY;
}
