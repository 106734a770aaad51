/* stock.c - the sources of roles.md section 2 played through for one join, in the order in which
 * they fire. pure */
#include "policy/stock.h"

struct play {
	const struct stock_join *j;
	struct stock_story *story;
	bool grant; /* the deployed set of granting values, read as token_affiliation does */
	bool authenticated; /* in Jicofo's eyes: the JID is of the login domain */
	bool owner;
};

static void tell(struct play *p, unsigned source, bool acts, const char *text)
{
	struct stock_story *s = p->story;
	if (s->n < STOCK_STEPS_MAX)
		s->steps[s->n++] = (struct stock_step){source, acts, p->owner, text};
}

/* The deployed reading: exact words, moderator or affiliation, only in context.user. */
static bool deployed_grant(const struct claims *claims)
{
	const struct jval *user = jval_getc(jval_getc(claims->payload, "context"), "user");
	const struct jval *moderator = jval_getc(user, "moderator");
	struct str affiliation = jval_str(jval_getc(user, "affiliation"));
	return jval_true(moderator) || str_eqc(jval_str(moderator), "true") ||
	       str_eqc(affiliation, "owner") || str_eqc(affiliation, "moderator") ||
	       str_eqc(affiliation, "teacher");
}

static void conference_request(struct play *p)
{
	const struct stock_setup *s = p->j->setup;
	if (!s->jicofo_auth)
		tell(p, 1, false, "Jicofo lets anybody open the room");
	else if (p->authenticated)
		tell(p, 1, true,
		        p->j->claims ? "Jicofo: authenticated, may open the room"
		                     : "Jicofo: a guest on the login domain counts as "
		                       "authenticated and may open the room");
	else
		tell(p, 1, !p->j->room->exists,
		        p->j->room->exists ? "Jicofo: not authenticated, the room is there"
		                           : "Jicofo: not authenticated, waits for a host");
	tell(p, 2, false, "the MUC's creator and first owner is Jicofo, nobody else");
}

static void before_presence(struct play *p)
{
	const struct stock_setup *s = p->j->setup;
	tell(p, 5, s->bypass_modules && p->j->claims,
	        s->bypass_modules ? "bypass modules: a token's bypass claims make a member"
	                          : "bypass modules not installed");
	if (!s->token_affiliation) {
		tell(p, 6, false, "token_affiliation not installed");
	} else if (!p->j->claims) {
		tell(p, 6, false, "token_affiliation: no token, nothing");
	} else {
		p->owner = p->grant;
		tell(p, 6, true,
		        p->grant ? "token_affiliation: OWNER before the first presence"
		                 : "token_affiliation: member before the first presence");
	}
	if (!s->lobby)
		tell(p, 9, false, "lobby not installed");
	else
		tell(p, 9, p->j->room->lobby,
		        p->j->room->lobby ? "lobby: knocks, moderator or not" : "lobby: not on");
}

static void after_presence(struct play *p)
{
	const struct stock_setup *s = p->j->setup;
	p->owner |= s->muc_allowners;
	tell(p, 3, s->muc_allowners,
	        s->muc_allowners ? "muc_allowners: OWNER, whatever the token says"
	                         : "muc_allowners not installed");
	bool by_host = s->muc_wait_for_host && s->wait_for_host_auto_owners && p->j->claims;
	p->owner |= by_host;
	if (!s->muc_wait_for_host)
		tell(p, 4, false, "muc_wait_for_host not installed");
	else
		tell(p, 4, by_host,
		        by_host ? "muc_wait_for_host: OWNER for any token"
		                : "muc_wait_for_host: makes no owner here");
	if (!s->token_affiliation_legacy) {
		tell(p, 7, false, "token_affiliation_legacy not installed");
	} else if (!p->j->claims) {
		tell(p, 7, false, "token_affiliation_legacy: no token, nothing");
	} else {
		p->owner = p->grant || s->muc_allowners; /* which refuses every revoke */
		tell(p, 7, true,
		        p->owner ? "token_affiliation_legacy: OWNER after the first presence, "
		                   "repeated"
		                 : "token_affiliation_legacy: member after the first presence, "
		                   "repeated for some seconds");
	}
	tell(p, 8, s->token_moderation,
	        s->token_moderation ? "token_moderation: blocks what others write, and undoes "
	                              "grants at later presences"
	                            : "token_moderation not installed");
}

static void jicofo(struct play *p)
{
	const struct stock_setup *s = p->j->setup;
	bool blocked = s->token_moderation && p->j->claims;
	bool by_auth = s->jicofo_auth && p->authenticated && !blocked;
	bool by_election = !s->jicofo_auth && s->auto_owner && !p->owner &&
	                   p->j->room->moderators == 0 && !blocked;

	p->owner |= by_auth;
	if (!s->jicofo_auth)
		tell(p, 10, false, "Jicofo auth is off");
	else
		tell(p, 10, by_auth,
		        by_auth   ? "Jicofo auth would make this user OWNER after ~1 round trip"
		        : blocked ? "Jicofo auth: its write is blocked by token_moderation"
		                  : "Jicofo auth: not authenticated, nothing");
	p->owner |= by_election;
	if (s->jicofo_auth)
		tell(p, 11, false, "auto owner is not consulted while Jicofo auth is on");
	else if (!s->auto_owner)
		tell(p, 11, false, "auto owner is off");
	else
		tell(p, 11, by_election,
		        by_election
		                ? "auto owner: nobody is owner, this user becomes OWNER, whatever "
		                  "the token says"
		                : "auto owner: somebody is owner already, nothing until he leaves");
}

static void afterwards(struct play *p)
{
	const struct stock_setup *s = p->j->setup;
	tell(p, 12, false,
	        s->disable_grant_moderator ? "moderators: the menu entry is hidden, the server "
	                                     "would still accept a grant"
	                                   : "moderators may promote by hand");
	tell(p, 13, p->owner && s->permissions_module,
	        s->permissions_module ? "jitsi_permissions: pushes <permissions/>"
	                              : "jitsi_permissions not installed");
	tell(p, 14, false, "a kick takes the affiliation back to none; coming back is allowed");
	tell(p, 15, false, "breakout rooms read the main room's affiliation by bare JID");
	tell(p, 16, false, "client options never decided a role");
}

void stock_story(const struct stock_join *j, struct stock_story *out)
{
	const struct stock_setup *s = j->setup;
	struct play p = {.j = j, .story = out};

	*out = (struct stock_story){.n = 0};
	p.grant = j->claims && deployed_grant(j->claims);
	p.authenticated = j->claims || !s->auth || (s->allow_empty_token && !s->guest_domain);
	out->refused = s->auth && !j->claims && !s->allow_empty_token && !s->guest_domain;
	if (out->refused)
		return;
	conference_request(&p);
	before_presence(&p);
	out->owner_at_first = p.owner;
	after_presence(&p);
	jicofo(&p);
	out->owner_at_last = p.owner;
	afterwards(&p);
}
