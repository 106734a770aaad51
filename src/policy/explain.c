/* explain.c - the lines of an explanation, in the order of roles.md section 6. pure */
#include "policy/explain.h"

#include "policy/hint.h"

enum { VALUE_SHOWN_MAX = 120 };

/* A claim's value as JSON, cut; control and bidi characters were refused or are escaped by JSON. */
static void put_value(const struct jval *value, struct buf *out)
{
	struct buf text;
	buf_init(&text, 0);
	jval_write(value, &text);
	if (text.n <= VALUE_SHOWN_MAX) {
		buf_str(out, buf_view(&text));
	} else {
		size_t end = VALUE_SHOWN_MAX;
		while (end && ((unsigned char)text.p[end] & 0xc0) == 0x80)
			end--;
		buf_add(out, text.p, end);
		buf_puts(out, "...");
	}
	out->failed |= text.failed;
	buf_done(&text);
}

static void put_quoted(struct str s, struct buf *out)
{
	if (str_absent(s))
		buf_puts(out, "nothing");
	else
		jval_quote(s, out);
}

static void pad_to(struct buf *out, size_t line_start, size_t column)
{
	do
		buf_putc(out, ' ');
	while (!out->failed && out->n - line_start < column);
}

static void verdict_line(const struct explain_facts *f, struct buf *out)
{
	const struct verdict *v = f->verdict;
	if (v->accepted) {
		buf_printf(out, "ACCEPTED  %s / %s", affiliation_name(v->affiliation),
		        role_name(v->role));
		pad_to(out, 0, 53);
		buf_printf(out, "%s\n", reason_name(v->reason));
		return;
	}
	buf_printf(out, "REFUSED %s %s", stage_name(v->stage), reason_name(v->reason));
	if (v->text)
		buf_printf(out, " \"%s\"", v->text);
	else
		buf_printf(out, " %s", v->condition);
	if (v->element)
		buf_printf(out, " <%s/>%s", v->element,
		        v->waiting_for_host ? " <waiting-for-host/>" : "");
	buf_putc(out, '\n');
}

/* What the issuer or the operator could change. */
static const char *fix_of_value(const struct claim_fact *f)
{
	if (f->warnings & W_CLAIM_MISPLACED)
		return "W_CLAIM_MISPLACED: move it to context.user.moderator or set claim_paths";
	if (f->warnings & W_CLAIM_TYPE)
		return f->key ? "W_CLAIM_TYPE: neither string, number nor boolean; send JSON true "
		                "or false"
		              : "W_CLAIM_TYPE: not an object; make it one or leave it out";
	if (f->warnings & W_CLAIM_VALUE)
		return "W_CLAIM_VALUE: did the issuer mean true? send JSON true, or set "
		       "claim_coercion=lenient";
	return NULL;
}

static void claim_line(const struct claim_fact *f, struct buf *out)
{
	size_t start = out->n;
	const char *fix = fix_of_value(f);

	buf_printf(out, "%s%.*s", f->misplaced ? "ignored: " : "claim     ", STR_FMT(f->path));
	if (f->key)
		buf_printf(out, ".%s", f->key);
	if (f->value) {
		buf_puts(out, " = ");
		put_value(f->value, out);
	} else {
		buf_puts(out, f->key ? " absent" : " is no object");
	}
	if (f->misplaced) {
		buf_printf(out, "  %s\n", fix);
		return;
	}
	if (f->value)
		buf_printf(out, " (%s)", jval_type_name(f->value));
	pad_to(out, start, 53);
	buf_printf(out, "-> %s", claim_class_word(f->class));
	if (fix)
		buf_printf(out, ", %s", fix);
	buf_putc(out, '\n');
}

static void rule_line(
        const struct claim_rule *rule, const struct rule_fact *f, unsigned number, struct buf *out)
{
	static const char *const states[] = {
	        "not matched", "matched", "unreadable", "absent, silent"};
	buf_printf(out, "rule %u %.*s: ", number, STR_FMT(rule->text));
	if (f->value) {
		buf_puts(out, "found ");
		put_value(f->value, out);
		buf_printf(out, " (%s)", jval_type_name(f->value));
	} else {
		buf_puts(out, "found nothing");
	}
	buf_printf(out, " -> %s", states[f->state]);
	if (f->state == RULE_MATCHED || f->state == RULE_UNREADABLE)
		buf_printf(out, ": %s", claim_class_word(f->class));
	if (f->state == RULE_UNREADABLE)
		buf_puts(out, "  W_CLAIM_TYPE");
	buf_putc(out, '\n');
}

static void claims_lines(const struct explain_facts *f, struct buf *out)
{
	const struct claim_reading *r = &f->verdict->trace.claims;
	if (!f->verdict->trace.has_claims)
		return;
	for (unsigned i = 0; i < r->n_facts; i++) {
		if (!r->facts[i].misplaced)
			claim_line(&r->facts[i], out);
	}
	for (unsigned i = 0; i < r->n_rules; i++)
		rule_line(&f->settings->claim_rules[i], &r->rules[i], i + 1, out);
	if (r->rules_else)
		buf_puts(out, "rules     none matched -> claim_rules_else=deny -> no\n");
	for (unsigned i = 0; i < r->n_facts; i++) {
		if (r->facts[i].misplaced)
			claim_line(&r->facts[i], out);
	}
	if (r->conflict)
		buf_printf(out, "conflict  -> claim_conflict=%s -> %s%s\n",
		        f->settings->claim_conflict == CLAIM_CONFLICT_GRANT ? "grant" : "deny",
		        claim_class_word(r->result),
		        r->result == CLAIM_GRANT ? " W_CLAIM_CONFLICT" : " R_TOKEN_CONFLICT");
	if (r->denied_by_misplaced)
		buf_puts(out, "          a no in the wrong place is still a no\n");
	if (r->deny_ignored)
		buf_puts(out, "          honour_deny=false: the no counts as silence\n");
	if (r->grant_filtered)
		buf_puts(out,
		        "          allowner_issuers: a yes of this issuer counts as silence in "
		        "this room\n");
}

static const char *rule_text(const struct verdict *v)
{
	switch (v->trace.rule) {
	case 1:
		return "a service identity: outside this policy";
	case 3:
		return v->reason == R_RESUMED ? "the stream was resumed: nothing changes"
		                              : "the stream was resumed";
	case 4:
		return "this session is in the meeting already: it keeps the role it has";
	case 5:
		return "role_mode=none: nobody becomes moderator at join";
	case 6:
		return "the token says no. No other source can promote this user at join.";
	case 7:
		return "the token says yes";
	default:
		return NULL;
	}
}

static void decided_lines(const struct explain_facts *f, struct buf *out)
{
	const struct verdict *v = f->verdict;
	const char *mode = role_mode_word(f->settings->role_mode);
	const char *text = rule_text(v);

	if (!v->trace.rule)
		return;
	buf_printf(out, "decided   rule %u: ", v->trace.rule);
	if (text)
		buf_puts(out, text);
	else
		buf_printf(out, "%s; role_mode=%s gives %s (%s)",
		        f->claims ? "the token is silent" : "no token", mode,
		        affiliation_name(v->affiliation), reason_name(v->reason));
	if (v->trace.moderated_room)
		buf_puts(out, "; a moderated room: authenticated applies here");
	buf_putc(out, '\n');
	if (v->trace.rule == 6 || v->trace.rule == 7)
		buf_printf(out, "          (had it been silent: role_mode=%s -> %s)\n", mode,
		        affiliation_name(v->trace.silent_affiliation));
}

static const char *pass_text(enum pass p)
{
	static const char *const texts[] = {NULL, "password known", "admitted", "moderator",
	        "bypass claim", "first: nobody inside could admit", NULL};
	return texts[p];
}

static void gates_line(const struct verdict *v, struct buf *out)
{
	bool first = true;
	if (!v->trace.gates_passed)
		return;
	buf_puts(out, "gates     ");
	for (unsigned g = 0; g < GATE_COUNT; g++) {
		if (!(v->trace.gates_passed & 1u << g))
			continue;
		buf_printf(out, "%s%s", first ? "" : ", ", gate_name((enum gate)g));
		first = false;
		enum pass p = g == GATE_LOBBY ? v->trace.lobby : PASS_NOT_CLOSED;
		if (g == GATE_PASSWORD)
			p = v->trace.password;
		if (pass_text(p))
			buf_printf(out, " (%s)", pass_text(p));
	}
	buf_puts(out, " passed");
	if (v->trace.refused_by != GATE_COUNT)
		buf_printf(out, "; refused at: %s", gate_name(v->trace.refused_by));
	buf_putc(out, '\n');
}

static void name_lines(const struct explain_facts *f, struct buf *out)
{
	const struct verdict *v = f->verdict;
	struct str name = name_str(&v->name);

	if (!v->accepted || !v->has_name)
		return;
	buf_puts(out, "name      others see ");
	put_quoted(name, out);
	buf_puts(out, "; own page shows ");
	put_quoted(v->name_frozen || str_absent(f->typed) ? name : f->typed, out);
	if (v->name_frozen)
		buf_puts(out, "; editing: off (frozen)\n");
	else
		buf_printf(out, "; editing: on (free%s); readOnlyName not set for this page\n",
		        v->name_marked ? ", marked" : "");
	if (!v->name_frozen || !v->trace.typed_differs)
		return;
	buf_puts(out, "rename ");
	put_quoted(name, out);
	buf_puts(out, " -> ");
	put_quoted(f->typed, out);
	buf_puts(out, ": refused silently; others see ");
	put_quoted(name, out);
	buf_puts(out, "; self-presence ");
	put_quoted(name, out);
	buf_puts(out, "; stock web page: field is read-only; if bypassed, own page shows ");
	put_quoted(f->typed, out);
	buf_puts(out, " until reload and a private notice is sent\n");
}

static void lasts_line(const struct explain_facts *f, struct buf *out)
{
	const struct verdict *v = f->verdict;
	const struct policy_settings *s = f->settings;

	if (!v->accepted || v->reason == R_SERVICE)
		return;
	buf_puts(out, "lasts     until leave");
	if (v->role == ROLE_MODERATOR) {
		buf_printf(
		        out, "; others may revoke: %s", v->source == SOURCE_TOKEN ? "no" : "yes");
		if (v->source == SOURCE_TOKEN)
			buf_printf(out, "; passes an active lobby: %s (lobby_bypass=%s)",
			        v->trace.tenant_suspect || s->lobby_bypass == LOBBY_BYPASS_NEVER
			                ? "no"
			        : s->lobby_bypass == LOBBY_BYPASS_MODERATORS
			                ? "yes"
			                : "while no moderator attends",
			        lobby_bypass_word(s->lobby_bypass));
	} else if (s->runtime_grant == RUNTIME_GRANT_ALLOW ||
	           (s->runtime_grant == RUNTIME_GRANT_NOT_DENIED && !v->denied)) {
		buf_printf(out, "; a moderator may still promote by hand (runtime_grant=%s)",
		        runtime_grant_word(s->runtime_grant));
	} else {
		buf_printf(out, "; nobody can promote by hand (runtime_grant=%s)",
		        runtime_grant_word(s->runtime_grant));
	}
	if (f->claims && f->claims->has_exp)
		buf_printf(out, "; when the token expires: on_expiry=%s",
		        on_expiry_word(s->on_expiry));
	buf_putc(out, '\n');
}

static void jitsi_lines(const struct explain_facts *f, struct buf *out)
{
	struct stock_join join = {f->stock, f->claims, f->room};
	struct stock_story story;

	if (!f->stock)
		return;
	stock_story(&join, &story);
	if (story.refused) {
		buf_puts(out, "jitsi     stock Jitsi would not let this user in: token required\n");
		return;
	}
	for (size_t i = 0; i < story.n; i++)
		buf_printf(out, "jitsi     #%u %s\n", story.steps[i].source, story.steps[i].text);
	buf_printf(out, "jitsi     first presence: %s; in the end: %s\n",
	        story.owner_at_first ? "owner" : "no owner",
	        story.owner_at_last ? "OWNER" : "no owner");
}

void explain_write(const struct explain_facts *f, struct buf *out)
{
	verdict_line(f, out);
	if (!str_absent(f->token_lines))
		buf_str(out, f->token_lines);
	claims_lines(f, out);
	decided_lines(f, out);
	gates_line(f->verdict, out);
	name_lines(f, out);
	lasts_line(f, out);
	explain_hints(f, out);
	if (!str_absent(f->setting_lines))
		buf_str(out, f->setting_lines);
	jitsi_lines(f, out);
}
