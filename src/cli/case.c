/* case.c - events of the vectors, each put to its decision. pure */
#include "cli/case.h"

#include "base/limit.h"
#include "token/settings.h"

struct run {
	const struct case_input *in;
	struct case_result *out;
	const struct policy_settings *settings;
	const struct room_view *view;
};

static struct str text_of(const struct run *r, const char *key)
{
	return jval_str(jval_getc(r->in->event, key));
}

static const struct seat *seat_of(const struct run *r, const char *key)
{
	return scene_find(r->in->scene, text_of(r, key));
}

static void fail(struct run *r, const char *why)
{
	r->out->error = why;
}

/* For claims given without a token: whatever key would be needed is there. */
static bool agree(const void *arg, enum sig_ask ask, const struct sig_case *c)
{
	(void)arg;
	(void)ask;
	(void)c;
	return true;
}

static void verify_at(struct run *r, int64_t now)
{
	const struct token_settings *ts = &r->in->config->token;
	struct token_result *t = &r->out->token;

	token_result_done(t);
	if (r->in->token == CASE_COMPACT) {
		token_verify(ts, r->in->keys, r->in->compact, now, t);
	} else {
		struct sig_assumed assumed = {ts, r->in->signature_valid};
		struct sig_oracle oracle = sig_oracle_assumed(&assumed);
		if (r->in->any_key)
			oracle = (struct sig_oracle){agree, NULL};
		token_verify_parts(ts, &r->in->parts, &oracle, now, t);
	}
	r->out->token_read = true;
}

static bool has_token(const struct run *r)
{
	return r->in->token != CASE_NO_TOKEN && r->settings->auth == AUTH_JWT;
}

/* Somebody inside keeps his session when its token runs out: on_expiry decides later, from the
 * claims. */
static void verify_insider(struct run *r)
{
	verify_at(r, r->in->now);
	const struct token_result *t = &r->out->token;
	const struct jval *exp = t->refused ? jval_getc(t->refused, "exp") : NULL;
	double at = jval_number(exp);
	if (t->reason == E_EXP && at > 1 && at < 9e15)
		verify_at(r, (int64_t)at - 1);
}

/* Stage sasl. false: refused, the verdict says so. */
static bool login(struct run *r, bool insider)
{
	if (has_token(r)) {
		if (insider)
			verify_insider(r);
		else
			verify_at(r, r->in->now);
	}
	struct connect_request c = {
	        .settings = r->settings,
	        .present = has_token(r),
	        .token = r->out->token.reason,
	        .claims = r->out->token.claims,
	};
	policy_connect(&c, &r->out->verdict);
	if (!r->out->verdict.accepted && r->out->token.text[0] && r->out->token_read)
		r->out->verdict.text = r->out->token.text;
	return r->out->verdict.accepted;
}

static struct join_request join_request(const struct run *r, const struct seat *moving)
{
	return (struct join_request){
	        .settings = r->settings,
	        .room = r->view,
	        .now = r->in->now,
	        .claims = r->out->token.claims,
	        .session = STR("case"),
	        .nick = r->in->nick,
	        .password = r->in->password,
	        .admitted = r->in->admitted,
	        .requested = true,
	        .moving = moving,
	};
}

static void enter(struct run *r, const struct seat *moving)
{
	struct join_request join = join_request(r, moving);
	r->out->subject = moving;
	if (!moving && !r->view->breakout &&
	        policy_conference(&join, &r->out->verdict) == CONFERENCE_REFUSED)
		return;
	policy_join(&join, &r->out->verdict);
}

static void run_connect(struct run *r)
{
	login(r, false);
}

static void run_join(struct run *r)
{
	const struct seat *moving = seat_of(r, "who");
	if (login(r, moving != NULL))
		enter(r, moving);
}

/* Our own: a client that joins without a conference request. */
static void run_plain_join(struct run *r)
{
	struct join_request join = join_request(r, NULL);
	if (!login(r, false))
		return;
	join.claims = r->out->token.claims;
	join.requested = false;
	policy_join(&join, &r->out->verdict);
}

/* Our own: a service account, which logs in with a password and not with a token. */
static void run_service_join(struct run *r)
{
	struct join_request join = join_request(r, NULL);
	join.service = SERVICE_FOCUS;
	policy_join(&join, &r->out->verdict);
}

/* The holder of the token is inside but not listed: his seat is what a join in an open room gives.
 */
static const struct seat *holder_seat(struct run *r)
{
	struct policy_settings open = *r->settings;
	struct room_view inside = *r->view;
	struct join_request join = join_request(r, NULL);
	struct case_result *out = r->out;

	if (!login(r, false))
		return NULL;
	open.max_occupants = 0;
	inside.exists = true;
	inside.lobby = false;
	inside.password = STR_NONE;
	join.settings = &open;
	join.room = &inside;
	join.claims = out->token.claims;
	policy_join(&join, &out->verdict);
	if (!out->verdict.accepted)
		return NULL;
	out->holder = (struct seat){.claims = out->token.claims, .guest = !out->token.claims};
	if (out->token.claims)
		out->holder.identity = out->token.claims->identity;
	seat_apply(&out->holder, &out->verdict);
	out->holder_name = out->verdict.name;
	out->holder.name = name_str(&out->holder_name);
	return &out->holder;
}

static void run_rename(struct run *r)
{
	const struct seat *seat = seat_of(r, "who");
	r->out->subject = seat;
	if (!seat)
		seat = holder_seat(r);
	if (!seat)
		return;
	unsigned warnings = r->out->verdict.warnings; /* of the holder's token */
	policy_rename(r->settings, r->view, seat, text_of(r, "to"), &r->out->verdict);
	r->out->verdict.warnings |= warnings;
}

static bool is_same_token(const struct run *r, const struct seat *seat)
{
	const struct jval *same = jval_getc(r->in->event, "same_token");
	if (!same || jval_is_null(same) || jval_true(same))
		return true;
	return !has_token(r) && seat->guest; /* (b): none then, none now */
}

static void run_resume(struct run *r)
{
	const struct seat *seat = seat_of(r, "who");
	bool same = seat && is_same_token(r, seat);

	if (!same && !login(r, false))
		return;
	if (!seat) {
		enter(r, NULL);
		return;
	}
	struct resume_request resume = {
	        .settings = r->settings,
	        .room = r->view,
	        .now = r->in->now,
	        .seat = seat,
	        .same_token = same,
	        .expired = jval_true(jval_getc(r->in->event, "expired")),
	        .claims = same ? NULL : r->out->token.claims,
	        .session = STR("case"),
	        .nick = r->in->nick,
	};
	r->out->subject = seat;
	if (policy_resume(&resume, &r->out->verdict) == RESUME_IGNORED)
		enter(r,
		        NULL); /* a new session, evaluated from zero; the old seat is still there */
}

static void put_item(struct run *r, struct item_request *item)
{
	item->settings = r->settings;
	item->room = r->view;
	item->actor = seat_of(r, "by");
	item->target = seat_of(r, "target");
	r->out->subject = item->target;
	policy_item(item, &r->out->verdict);
}

static void run_grant(struct run *r)
{
	put_item(r,
	        &(struct item_request){.has_affiliation = true, .affiliation = AFFILIATION_OWNER});
}

static void run_revoke(struct run *r)
{
	put_item(r, &(struct item_request){.has_role = true, .role = ROLE_PARTICIPANT});
}

static void run_kick(struct run *r)
{
	put_item(r, &(struct item_request){.has_role = true, .role = ROLE_NONE});
}

static void run_ban(struct run *r)
{
	put_item(r, &(struct item_request){
	                    .has_affiliation = true, .affiliation = AFFILIATION_OUTCAST});
}

static void run_item(struct run *r)
{
	struct item_request item = {.has_affiliation = false};
	struct str affiliation = text_of(r, "affiliation"), role = text_of(r, "role");

	item.has_affiliation = !str_absent(affiliation);
	item.has_role = !str_absent(role);
	if ((!item.has_affiliation && !item.has_role) ||
	        (item.has_affiliation && !affiliation_parse(affiliation, &item.affiliation)) ||
	        (item.has_role && !role_parse(role, &item.role))) {
		fail(r, "event: an item needs an affiliation or a role of XEP-0045");
		return;
	}
	put_item(r, &item);
}

static void run_leave(struct run *r)
{
	r->out->subject = seat_of(r, "who");
	if (r->out->subject)
		policy_leave(r->settings, r->view, r->out->subject,
		        jval_true(jval_getc(r->in->event, "switch_room")), &r->out->verdict);
	else
		fail(r, "event: `who` is no occupant");
}

static void run_expire(struct run *r)
{
	r->out->subject = seat_of(r, "who");
	if (r->out->subject)
		policy_expire(r->settings, r->view, r->out->subject, &r->out->verdict);
	else
		fail(r, "event: `who` is no occupant");
}

/* Our own: the room's form. */
static void run_configure(struct run *r)
{
	r->out->subject = seat_of(r, "by");
	policy_config_change(r->settings, r->out->subject,
	        jval_true(jval_getc(r->in->event, "names_people")), &r->out->verdict);
}

/* Our own: the resource that a join or a change of nick asks for. */
static void run_resource(struct run *r)
{
	const struct jval *taken = jval_getc(r->in->event, "taken");
	struct resource_request q = {
	        .resource = text_of(r, "resource"),
	        .current = text_of(r, "current"),
	        .session = text_of(r, "session"),
	        .strict = jval_true(jval_getc(r->in->event, "strict")),
	        .taken = jval_true(taken),
	};
	policy_resource(&q, &r->out->verdict);
}

/* Our own: so many requests at once against a bound of so many. */
static void run_flood(struct run *r)
{
	struct limit bucket = {.tokens = 0};
	int64_t requests = jval_integer(jval_getc(r->in->event, "requests"));
	int64_t allowed = jval_integer(jval_getc(r->in->event, "allowed"));
	bool in_time = true;

	for (int64_t i = 0; i < requests && i < 100000 && in_time; i++)
		in_time = limit_take(&bucket, 1, 1, (double)allowed, 1000);
	if (in_time) {
		r->out->verdict.accepted = true;
		r->out->verdict.reason = R_NONE;
	} else {
		policy_refuse(E_RATE, STAGE_JOIN, &r->out->verdict);
	}
}

static const struct {
	const char *type;
	enum case_kind kind;
	void (*run)(struct run *r);
} events[] = {
        {"connect", CASE_CONNECT, run_connect},
        {"join", CASE_JOIN, run_join},
        {"plain-join", CASE_JOIN, run_plain_join},
        {"service-join", CASE_JOIN, run_service_join},
        {"rename", CASE_RENAME, run_rename},
        {"resume", CASE_RESUME, run_resume},
        {"grant", CASE_ITEM, run_grant},
        {"revoke", CASE_ITEM, run_revoke},
        {"kick", CASE_ITEM, run_kick},
        {"ban", CASE_ITEM, run_ban},
        {"item", CASE_ITEM, run_item},
        {"leave", CASE_LEAVE, run_leave},
        {"expire", CASE_EXPIRE, run_expire},
        {"configure", CASE_OTHER, run_configure},
        {"resource", CASE_OTHER, run_resource},
        {"flood", CASE_OTHER, run_flood},
};

void case_run(const struct case_input *in, struct case_result *out)
{
	struct run r = {in, out, &in->config->policy, &in->scene->view};
	struct str type = jval_str(jval_getc(in->event, "type"));

	*out = (struct case_result){.kind = CASE_JOIN};
	verdict_begin(&out->verdict);
	if (str_absent(type))
		type = STR("join");
	for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
		if (!str_eqc(type, events[i].type))
			continue;
		out->kind = events[i].kind;
		events[i].run(&r);
		return;
	}
	fail(&r, "event: unknown type");
}

void case_done(struct case_result *out)
{
	if (out->token_read)
		token_result_done(&out->token);
	out->token_read = false;
}
