/* gates.c - one gate, one function: roles.md 3.5 in its order. pure */
#include "policy/gates.h"

#include "base/err.h"
#include "policy/capability.h"

static bool pass(struct gates *g, enum gate gate)
{
	g->v->trace.gates_passed |= 1u << gate;
	return true;
}

static bool refuse(struct gates *g, enum gate gate, enum reason reason)
{
	verdict_refuse(g->v, reason);
	g->v->trace.refused_by = gate;
	return false;
}

static bool no_memory(struct gates *g)
{
	verdict_nomem(g->v);
	return false;
}

bool gates_token_expired(const struct join_request *r)
{
	return r->claims && r->claims->has_exp &&
	       (double)r->now >= r->claims->exp + r->settings->leeway;
}

/* The gate that a refusal of the match stands for. */
static enum gate gate_of_match(enum reason refusal)
{
	switch (refusal) {
	case E_WILDCARD:
		return GATE_WILDCARD;
	case E_TENANT_MISMATCH:
		return GATE_TENANT;
	default:
		return GATE_ROOM;
	}
}

static bool gate_token_room(struct gates *g)
{
	struct match *m = &g->match;
	match_token(g->r->settings, g->r->claims, g->r->room, m);
	g->v->warnings |= m->warnings;
	g->v->features_ignored = m->warnings & W_TENANT_MISMATCH;
	g->v->trace.tenant_suspect = m->warnings != 0;
	g->v->trace.covered_by_wildcard = m->wildcard;
	g->v->trace.covered_by_regex = m->regex;
	if (m->nomem)
		return no_memory(g);
	if (m->refusal == R_NONE)
		return true;
	enum gate gate = gate_of_match(m->refusal);
	for (unsigned passed = GATE_WILDCARD; passed < gate; passed++)
		pass(g, (enum gate)passed);
	refuse(g, gate, m->refusal);
	if (m->text)
		g->v->text = m->text;
	g->v->element = m->element;
	return false;
}

bool gate_room(struct gates *g)
{
	bool canonical;
	g->match = (struct match){.refusal = R_NONE};
	if (room_is_canonical(g->r->room->node, &canonical) == ERR_NOMEM)
		return no_memory(g);
	if (!canonical)
		return refuse(g, GATE_NODE, E_ROOM_NAME);
	pass(g, GATE_NODE);
	if (g->r->claims && !gate_token_room(g))
		return false;
	pass(g, GATE_WILDCARD);
	pass(g, GATE_ROOM);
	return pass(g, GATE_TENANT);
}

bool gate_person(struct gates *g)
{
	const struct join_request *r = g->r;
	struct claim_reading *reading = &g->v->trace.claims;
	struct ban_key key = {.identity = NULL, .session = r->session};

	if (r->claims) {
		claim_read(r->settings, r->claims, r->room, reading);
		g->v->trace.has_claims = true;
		g->v->warnings |= reading->warnings | r->claims->warnings;
		g->v->denied = reading->result == CLAIM_DENY;
		g->v->visitor = reading->visitor;
		g->v->own_features = capability_features(r->claims, g->v->features_ignored);
		key.identity = &r->claims->identity;
		key.token_sha256 = r->claims->token_sha256;
		if (reading->result == CLAIM_OUTCAST)
			return refuse(g, GATE_OUTCAST, E_OUTCAST);
	}
	pass(g, GATE_OUTCAST);
	if (r->room->lookups->banned(r->room->room, &key))
		return refuse(g, GATE_BAN, E_OUTCAST);
	return pass(g, GATE_BAN);
}

bool gates_role(struct gates *g, const struct seat *self)
{
	const struct join_request *r = g->r;
	struct claim_reading *reading = r->claims ? &g->v->trace.claims : NULL;
	struct token_name token_name;
	struct role_outcome silent;

	if (name_of_token(r->settings, r->claims, g->v->features_ignored, &token_name))
		return no_memory(g);
	struct role_request request = {
	        .settings = r->settings,
	        .room = r->room,
	        .claims = r->claims,
	        .reading = reading,
	        .self = self,
	        .token_name = name_str(&token_name.name),
	};
	role_decide(&request, &g->role);
	role_by_mode(&request, &silent);

	struct verdict *v = g->v;
	verdict_set(v, g->role.affiliation, g->role.role, g->role.source);
	v->reason = g->role.reason;
	v->trace.rule = g->role.rule;
	v->trace.eligible = g->role.eligible;
	v->trace.silent_reason = silent.reason;
	v->trace.silent_affiliation = silent.affiliation;
	v->trace.moderated_room = role_mode_here(r->settings, r->room) != r->settings->role_mode;
	v->warnings |= g->role.warnings;
	return true;
}

bool gates_name(struct gates *g, const struct seat *self, bool keep_seat_name)
{
	const struct join_request *r = g->r;
	struct verdict *v = g->v;
	struct name_request request = {
	        .settings = r->settings,
	        .room = r->room,
	        .claims = r->claims,
	        .guest = !r->claims,
	        .features_ignored = v->features_ignored,
	        .typed = r->nick,
	        .self = self,
	        .keep_seat_name = keep_seat_name,
	};
	if (name_decide(&request, &g->name))
		return no_memory(g);
	v->has_name = true;
	v->name = g->name.name;
	v->name_frozen = g->name.frozen;
	v->name_marked = g->name.marked;
	v->name_editable = !g->name.frozen;
	v->warnings |= g->name.warnings;
	v->trace.token_name_raw = g->name.token.raw;
	v->trace.token_name_path = g->name.token.path;
	v->trace.typed_differs = r->nick.n && !str_eq(r->nick, name_str(&v->name));
	v->name_overruled = v->trace.typed_differs && (v->name_frozen || v->name_marked);
	return true;
}

static bool may_create(const struct gates *g)
{
	switch (g->r->settings->room_create) {
	case ROOM_CREATE_AUTHENTICATED:
		return g->r->claims != NULL;
	case ROOM_CREATE_MODERATORS:
		return g->role.role == ROLE_MODERATOR;
	case ROOM_CREATE_ANYONE:
		break;
	}
	return true;
}

/* Who may not open the room waits: in the client's own dialog, in the lobby, or (without a
 * conference request) refused as restricted. */
bool gate_creation(struct gates *g)
{
	const struct join_request *r = g->r;
	if (r->room->exists || may_create(g))
		return pass(g, GATE_CREATE);
	refuse(g, GATE_CREATE, E_WAIT_HOST);
	if (r->settings->before_host == BEFORE_HOST_LOBBY) {
		g->v->stage = STAGE_JOIN;
		g->v->condition = "registration-required";
		g->v->text = NULL;
		g->v->element = "lobbyroom";
		g->v->waiting_for_host = true;
	} else if (!r->requested) {
		g->v->stage = STAGE_JOIN;
		g->v->type = "cancel";
		g->v->condition = "not-allowed";
		g->v->text = "Room creation is restricted";
	}
	return false;
}

bool gate_capacity(struct gates *g)
{
	unsigned max = g->r->settings->max_occupants;
	if (max && g->r->room->present >= max)
		return refuse(g, GATE_CAPACITY, E_FULL);
	return pass(g, GATE_CAPACITY);
}

static bool knows_password(const struct join_request *r)
{
	return r->room->password.n && !str_absent(r->password) &&
	       str_eq_secret(r->password, r->room->password);
}

static bool is_token_moderator(const struct gates *g)
{
	return g->role.role == ROLE_MODERATOR && g->role.source == SOURCE_TOKEN;
}

/* context.user.<key> === true, where bypass_claims are honoured */
static bool bypass_claim(const struct join_request *r, const char *key)
{
	if (!r->settings->bypass_claims || !r->claims)
		return false;
	const struct jval *user = jval_getc(jval_getc(r->claims->payload, "context"), "user");
	return jval_true(jval_getc(user, key));
}

static bool lobby_bypassed(const struct gates *g)
{
	switch (g->r->settings->lobby_bypass) {
	case LOBBY_BYPASS_UNATTENDED:
		return g->r->room->moderators_attending == 0;
	case LOBBY_BYPASS_MODERATORS:
		return true;
	case LOBBY_BYPASS_NEVER:
		break;
	}
	return false;
}

static enum pass lobby_pass(const struct gates *g)
{
	const struct join_request *r = g->r;
	if (!r->room->lobby)
		return PASS_NOT_CLOSED;
	if (knows_password(r))
		return PASS_PASSWORD;
	if (r->admitted)
		return PASS_ADMITTED;
	if (g->v->trace.tenant_suspect)
		return PASS_REFUSED; /* the token decides the role but opens nothing */
	if (is_token_moderator(g) && lobby_bypassed(g))
		return PASS_MODERATOR;
	if (bypass_claim(r, "lobby_bypass") || bypass_claim(r, "security_bypass"))
		return PASS_CLAIM;
	return g->role.reason == R_FIRST ? PASS_FIRST : PASS_REFUSED;
}

bool gate_lobby(struct gates *g)
{
	g->v->trace.lobby = lobby_pass(g);
	if (g->v->trace.lobby != PASS_REFUSED)
		return pass(g, GATE_LOBBY);
	if (!g->v->name.present) {
		refuse(g, GATE_LOBBY, E_LOBBY_NAME);
		g->v->element = "displayname-required";
	} else {
		refuse(g, GATE_LOBBY, E_LOBBY);
		g->v->element = "lobbyroom";
	}
	return false;
}

static enum pass password_pass(const struct gates *g)
{
	const struct join_request *r = g->r;
	if (!r->room->password.n)
		return PASS_NOT_CLOSED;
	if (knows_password(r))
		return PASS_PASSWORD;
	if (r->admitted)
		return PASS_ADMITTED;
	if (g->v->trace.tenant_suspect)
		return PASS_REFUSED;
	if (bypass_claim(r, "security_bypass"))
		return PASS_CLAIM;
	if (r->settings->password_bypass == PASSWORD_BYPASS_MODERATORS && is_token_moderator(g))
		return PASS_MODERATOR;
	return PASS_REFUSED;
}

bool gate_password(struct gates *g)
{
	g->v->trace.password = password_pass(g);
	if (g->v->trace.password == PASS_REFUSED)
		return refuse(g, GATE_PASSWORD, E_PASSWORD);
	/* A guest who knows the password, or was let in, is a member. */
	if ((knows_password(g->r) || g->r->admitted) && g->v->affiliation == AFFILIATION_NONE)
		g->v->affiliation = AFFILIATION_MEMBER;
	return pass(g, GATE_PASSWORD);
}
