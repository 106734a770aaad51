/* case_json.c - a verdict in the form of a vector's `expect`. pure */
#include "cli/case.h"
#include "cli/vector_diff.h"

static struct jval *word(const char *z)
{
	return jval_new_str(str_c(z));
}

static struct jval *text_or_null(struct str s)
{
	return str_absent(s) ? jval_new_null() : jval_new_str(s);
}

static bool put_refusal(struct jval *o, const struct verdict *v)
{
	return jval_set(o, "accepted", jval_new_bool(false)) &&
	       jval_set(o, "stage", word(stage_name(v->stage))) &&
	       jval_set(o, "condition", v->condition ? word(v->condition) : jval_new_null()) &&
	       jval_set(o, "reason", word(reason_name(v->reason)));
}

static struct jval *reason_or_null(enum reason r)
{
	return r == R_NONE ? jval_new_null() : word(reason_name(r));
}

static bool put_standing(struct jval *o, enum affiliation affiliation, enum role role)
{
	return jval_set(o, "affiliation", word(affiliation_name(affiliation))) &&
	       jval_set(o, "role", word(role_name(role)));
}

static bool put_acceptance(struct jval *o, const struct case_result *r)
{
	const struct verdict *v = &r->verdict;
	if (!jval_set(o, "accepted", jval_new_bool(true)))
		return false;
	if (r->kind == CASE_CONNECT || (r->kind == CASE_OTHER && !r->subject))
		return true;
	if (!put_standing(o, v->affiliation, v->role) ||
	        !jval_set(o, "source", word(source_name(v->source))) ||
	        !jval_set(o, "reason", reason_or_null(v->reason)))
		return false;
	if (v->has_name)
		return jval_set(o, "name", text_or_null(name_str(&v->name))) &&
		       jval_set(o, "name_editable", jval_new_bool(v->name_editable));
	if (r->kind != CASE_RESUME || !r->subject)
		return true;
	return jval_set(o, "name", text_or_null(r->subject->name)) &&
	       jval_set(o, "name_editable", jval_new_bool(!r->subject->name_frozen));
}

static bool put_change(struct jval *list, const struct scene *scene, const struct change *c)
{
	struct jval *o = jval_new_object();
	bool ok = o && jval_set(o, "who", text_or_null(scene_who(scene, c->seat)));
	if (ok && c->is_name)
		ok = jval_set(o, "name", text_or_null(name_str(&c->name)));
	else if (ok)
		ok = put_standing(o, c->affiliation, c->role) &&
		     jval_set(o, "reason", reason_or_null(c->reason));
	if (!ok) {
		jval_free(o);
		return false;
	}
	return jval_append(list, o);
}

static bool put_changes(struct jval *o, const struct case_input *in, const struct case_result *r)
{
	struct change_cursor cursor = {.role_done = false};
	struct change change;
	struct jval *list = jval_new_array();
	bool ok = list != NULL;

	/* A rename of somebody frozen brings no new name into the meeting. */
	while (ok && r->kind != CASE_RENAME &&
	        verdict_change_next(&r->verdict, &in->config->policy, &in->scene->view, r->subject,
	                &cursor, &change))
		ok = put_change(list, in->scene, &change);
	if (!ok || cursor.nomem) {
		jval_free(list);
		return false;
	}
	return jval_set(o, "changes", list);
}

static bool has_elected(enum case_kind kind)
{
	return kind == CASE_LEAVE || kind == CASE_ITEM || kind == CASE_EXPIRE ||
	       kind == CASE_RESUME;
}

struct jval *case_json(const struct case_input *in, const struct case_result *r)
{
	const struct verdict *v = &r->verdict;
	struct jval *o = jval_new_object();
	if (!o)
		return NULL;
	bool ok = v->accepted ? put_acceptance(o, r) : put_refusal(o, v);
	if (ok && r->kind != CASE_CONNECT)
		ok = put_changes(o, in, r);
	if (ok && has_elected(r->kind))
		ok = jval_set(o, "elected", text_or_null(scene_who(in->scene, v->elected)));
	if (ok)
		ok = warnings_set(o, v->warnings | (r->token_read ? r->token.warnings : 0));
	if (!ok) {
		jval_free(o);
		return NULL;
	}
	return o;
}
