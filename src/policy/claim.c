/* claim.c - the built-in claims of roles.md 3.3, and how all answers combine. pure */
#include "policy/claim.h"

#include "policy/claim_rule.h"
#include "policy/role.h"

static bool is_word(struct str s, const char *const *words)
{
	for (; *words; words++) {
		if (str_eqc(s, *words))
			return true;
	}
	return false;
}

static bool is_word_nocase(struct str s, const char *const *words)
{
	for (; *words; words++) {
		if (str_eq_ascii_nocase(s, str_c(*words)))
			return true;
	}
	return false;
}

static enum claim_class deny_with(unsigned *warnings, unsigned w)
{
	*warnings |= w;
	return CLAIM_DENY;
}

/* A value that only a lenient reading takes for a yes. */
static enum claim_class if_lenient(enum claim_coercion c, unsigned *warnings)
{
	return c == CLAIM_COERCION_LENIENT ? CLAIM_GRANT : deny_with(warnings, W_CLAIM_VALUE);
}

static enum claim_class moderator_text(struct str s, enum claim_coercion c, unsigned *warnings)
{
	if (str_eqc(s, "true"))
		return CLAIM_GRANT;
	if (str_eq_ascii_nocase(s, STR("true")) || str_eqc(s, "1"))
		return if_lenient(c, warnings);
	if (str_eq_ascii_nocase(s, STR("false")) || str_eqc(s, "0"))
		return CLAIM_DENY;
	if (s.n == 0 && c == CLAIM_COERCION_LENIENT)
		return CLAIM_DENY;
	return deny_with(warnings, W_CLAIM_VALUE);
}

enum claim_class claim_class_moderator(
        const struct jval *value, enum claim_coercion c, unsigned *warnings)
{
	switch (jval_type(value)) {
	case JVAL_ABSENT:
	case JVAL_NULL:
		return CLAIM_SILENT;
	case JVAL_TRUE:
		return CLAIM_GRANT;
	case JVAL_FALSE:
		return CLAIM_DENY;
	case JVAL_INTEGER:
	case JVAL_REAL:
		if (jval_number(value) == 1)
			return if_lenient(c, warnings);
		return jval_number(value) == 0 ? CLAIM_DENY : deny_with(warnings, W_CLAIM_VALUE);
	case JVAL_STRING:
		return moderator_text(jval_str(value), c, warnings);
	case JVAL_OBJECT:
	case JVAL_ARRAY:
		break;
	}
	return deny_with(warnings, W_CLAIM_TYPE);
}

enum claim_class claim_class_affiliation(
        const struct jval *value, enum claim_coercion c, unsigned *warnings)
{
	static const char *const grants[] = {"owner", "moderator", "teacher", NULL};
	static const char *const denials[] = {
	        "member", "participant", "student", "guest", "visitor", "none", NULL};

	if (!value || jval_is_null(value))
		return CLAIM_SILENT;
	if (!jval_is_string(value))
		return deny_with(warnings, W_CLAIM_TYPE);
	struct str s = jval_str(value);
	if (is_word(s, grants))
		return CLAIM_GRANT;
	if (is_word_nocase(s, grants) || str_eqc(s, "admin"))
		return if_lenient(c, warnings);
	if (is_word_nocase(s, denials))
		return CLAIM_DENY;
	if (str_eq_ascii_nocase(s, STR("outcast")))
		return CLAIM_OUTCAST;
	return deny_with(warnings, W_CLAIM_VALUE);
}

/* Follows dotted names from the payload; "$" is the payload itself. NULL with *mistyped = false:
 * absent, null, or PHP's empty object `[]` somewhere on the way. */
static const struct jval *find_object(const struct jval *payload, struct str path, bool *mistyped)
{
	const struct jval *at = payload;
	struct str rest = path;

	*mistyped = false;
	if (str_eqc(path, "$"))
		return payload;
	while (!str_absent(rest)) {
		at = jval_get(at, str_split(&rest, '.'));
		if (!at || jval_is_null(at) || (jval_is_array(at) && jval_size(at) == 0))
			return NULL;
		if (!jval_is_object(at)) {
			*mistyped = true;
			return NULL;
		}
	}
	return at;
}

struct reader {
	const struct policy_settings *settings;
	const struct jval *payload;
	struct claim_reading *out;
	bool grant, deny, outcast; /* heard from paths and rules */
	bool misplaced_deny;
};

static struct claim_fact *add_fact(
        struct reader *r, struct str path, const char *key, const struct jval *value)
{
	struct claim_reading *out = r->out;
	if (out->n_facts == CLAIM_FACTS_MAX)
		return NULL;
	struct claim_fact *f = &out->facts[out->n_facts++];
	*f = (struct claim_fact){.path = path, .key = key, .value = value};
	return f;
}

static void hear(struct reader *r, enum claim_class c, unsigned warnings)
{
	r->grant |= c == CLAIM_GRANT;
	r->deny |= c == CLAIM_DENY;
	r->outcast |= c == CLAIM_OUTCAST;
	r->out->warnings |= warnings;
}

/* outcast_claim=member: an outcast is a denial like any other. */
static enum claim_class class_of(
        const struct reader *r, const char *key, const struct jval *value, unsigned *warnings)
{
	enum claim_coercion coercion = r->settings->claim_coercion;
	if (strcmp(key, "moderator") == 0)
		return claim_class_moderator(value, coercion, warnings);
	enum claim_class c = claim_class_affiliation(value, coercion, warnings);
	return c == CLAIM_OUTCAST && r->settings->outcast_claim == OUTCAST_CLAIM_MEMBER ? CLAIM_DENY
	                                                                                : c;
}

static const char *const role_keys[] = {"moderator", "affiliation"};

static void hear_mistyped(struct reader *r, struct str path)
{
	struct claim_fact *f = add_fact(r, path, NULL, NULL);
	if (f) {
		f->class = CLAIM_DENY;
		f->warnings = W_CLAIM_TYPE;
	}
	hear(r, CLAIM_DENY, W_CLAIM_TYPE);
}

static void read_path(struct reader *r, struct str path)
{
	bool mistyped;
	const struct jval *object = find_object(r->payload, path, &mistyped);
	if (mistyped) {
		hear_mistyped(r, path);
		return;
	}
	for (size_t i = 0; i < 2; i++) {
		const struct jval *value = jval_getc(object, role_keys[i]);
		unsigned warnings = 0;
		enum claim_class c = class_of(r, role_keys[i], value, &warnings);
		struct claim_fact *f = add_fact(r, path, role_keys[i], value);
		if (f) {
			f->class = c;
			f->warnings = warnings;
		}
		hear(r, c, warnings);
	}
}

static bool is_configured(const struct policy_settings *s, struct str path)
{
	for (size_t i = 0; i < s->claim_paths.n; i++) {
		if (str_eq(s->claim_paths.v[i], path))
			return true;
	}
	return false;
}

/* `context` and `context.user` are Jitsi's: mistyped, they are a no even where claim_paths looks
 * elsewhere. */
static void check_containers(struct reader *r)
{
	static const struct str places[] = {{"context", 7}, {"context.user", 12}};
	bool configured_user = is_configured(r->settings, places[1]);
	for (size_t i = 0; i < 2; i++) {
		bool mistyped;
		find_object(r->payload, places[i], &mistyped);
		if (!mistyped)
			continue;
		if (!is_configured(r->settings, places[i]) && !configured_user)
			hear_mistyped(r, places[i]);
		return;
	}
}

static void read_visitor(struct reader *r)
{
	bool mistyped;
	const struct jval *user = find_object(r->payload, STR("context.user"), &mistyped);
	const struct jval *role = jval_getc(user, "role");
	if (!str_eqc(jval_str(role), "visitor"))
		return;
	struct claim_fact *f = add_fact(r, STR("context.user"), "role", role);
	if (f)
		f->class = CLAIM_DENY;
	r->out->visitor = true;
	hear(r, CLAIM_DENY, 0);
}

/* A grant in the wrong place never counts; a no there does, when everything else is silent. */
static void read_misplaced(struct reader *r)
{
	static const struct str places[] = {
	        {"$", 1}, {"context", 7}, {"context.user", 12}, {"context.features", 16}};
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		bool mistyped;
		if (is_configured(r->settings, places[i]))
			continue;
		const struct jval *object = find_object(r->payload, places[i], &mistyped);
		for (size_t k = 0; k < 2; k++) {
			const struct jval *value = jval_getc(object, role_keys[k]);
			unsigned warnings = 0;
			enum claim_class c = class_of(r, role_keys[k], value, &warnings);
			if (c == CLAIM_SILENT)
				continue;
			struct claim_fact *f = add_fact(r, places[i], role_keys[k], value);
			if (f) {
				f->class = c;
				f->warnings = W_CLAIM_MISPLACED;
				f->misplaced = true;
			}
			r->misplaced_deny |= c == CLAIM_DENY || c == CLAIM_OUTCAST;
			r->out->warnings |= W_CLAIM_MISPLACED;
		}
	}
}

static void read_rules(struct reader *r)
{
	const struct policy_settings *s = r->settings;
	struct claim_reading *out = r->out;
	bool matched = false;

	for (size_t i = 0; i < s->n_claim_rules && i < CLAIM_RULES_MAX; i++) {
		struct rule_fact *f = &out->rules[out->n_rules++];
		claim_rule_read(&s->claim_rules[i], r->payload, f);
		matched |= f->state == RULE_MATCHED;
		hear(r, f->class, f->state == RULE_UNREADABLE ? W_CLAIM_TYPE : 0);
	}
	if (out->n_rules && !matched && s->claim_rules_else == CLAIM_RULES_ELSE_DENY) {
		out->rules_else = true;
		hear(r, CLAIM_DENY, 0);
	}
}

/* outcast > deny > grant > silent; a grant and a denial together are a conflict. */
static void combine(struct reader *r)
{
	struct claim_reading *out = r->out;
	bool silent = !r->grant && !r->deny && !r->outcast;

	out->conflict = r->grant && r->deny;
	if (r->outcast) {
		out->result = CLAIM_OUTCAST;
	} else if (out->conflict && r->settings->claim_conflict == CLAIM_CONFLICT_GRANT) {
		out->result = CLAIM_GRANT;
		out->warnings |= W_CLAIM_CONFLICT;
	} else if (r->deny) {
		out->result = CLAIM_DENY;
	} else if (r->grant) {
		out->result = CLAIM_GRANT;
	} else if (silent && r->misplaced_deny) {
		out->result = CLAIM_DENY;
		out->denied_by_misplaced = true;
	}
}

/* allowner_issuers: in a moderated room without a tenant only their tokens may grant (section 5).
 */
static bool issuer_may_grant(
        const struct policy_settings *s, const struct claims *claims, const struct room_view *room)
{
	const struct str_list *list = &s->allowner_issuers;
	if (!list->n || !room || room->tenant.n || !role_moderated_room(s, room))
		return true;
	for (size_t i = 0; i < list->n; i++) {
		if (str_eq(list->v[i], claims->iss) || str_eqc(list->v[i], "*"))
			return true;
	}
	return false;
}

static void take_effect(const struct policy_settings *s, const struct claims *claims,
        const struct room_view *room, struct claim_reading *out)
{
	out->effective = out->result;
	if (out->result == CLAIM_DENY && !s->honour_deny) {
		out->effective = CLAIM_SILENT;
		out->deny_ignored = true;
	} else if (out->result == CLAIM_GRANT && !issuer_may_grant(s, claims, room)) {
		out->effective = CLAIM_SILENT;
		out->grant_filtered = true;
	}
}

void claim_read(const struct policy_settings *s, const struct claims *claims,
        const struct room_view *room, struct claim_reading *out)
{
	struct reader r = {.settings = s, .payload = claims->payload, .out = out};

	/* Member by member: the tables behind the counts need no clearing. */
	out->n_facts = out->n_rules = 0;
	out->rules_else = out->conflict = out->denied_by_misplaced = out->deny_ignored = false;
	out->grant_filtered = out->visitor = false;
	out->result = CLAIM_SILENT;
	out->warnings = 0;
	if (s->claim_paths.n) {
		for (size_t i = 0; i < s->claim_paths.n && i < CLAIM_PATHS_MAX; i++)
			read_path(&r, s->claim_paths.v[i]);
		check_containers(&r);
		read_visitor(&r);
		read_misplaced(&r);
	}
	read_rules(&r);
	combine(&r);
	take_effect(s, claims, room, out);
}
