/* stock.h - what stock Jitsi would have done with the same join: the sources of roles.md section 2,
 * in order. pure */
#pragma once
#include "base/buf.h"
#include "policy/claims.h"
#include "policy/view.h"

/* How the stock server would be set up; filled by the configuration from the docker variables (or,
 * without any, from what our own keys correspond to). */
struct stock_setup {
	bool known;       /* false: no docker variables were given, this is the usual jwt set-up */
	bool auth;        /* ENABLE_AUTH */
	bool jicofo_auth; /* JICOFO_ENABLE_AUTH, by default = auth: source 10 */
	bool auto_owner;  /* ENABLE_AUTO_OWNER, by default true: source 11 */
	bool allow_empty_token; /* JWT_ALLOW_EMPTY */
	bool guest_domain;      /* ENABLE_GUESTS */
	bool domain_verification;
	bool muc_allowners;             /* source 3 */
	bool muc_wait_for_host;         /* source 4 */
	bool wait_for_host_auto_owners; /* not WAIT_FOR_HOST_DISABLE_AUTO_OWNERS */
	bool bypass_modules;    /* token_lobby_bypass, token_security_ondemand ...: source 5 */
	bool token_affiliation; /* source 6 */
	bool token_affiliation_legacy; /* source 7 */
	bool token_moderation;         /* source 8 */
	bool token_owner_party;
	bool frozen_nick;
	bool lobby;                   /* ENABLE_LOBBY: source 9 */
	bool disable_grant_moderator; /* source 12 */
	bool permissions_module;      /* jitsi_permissions: source 13 */
};

enum { STOCK_STEPS_MAX = 16 };
struct stock_step {
	unsigned source;  /* number in section 2 */
	bool acts;        /* false: installed, or relevant, but does nothing here */
	bool owner;       /* after it: owner, else not */
	const char *text; /* one line of English */
};
struct stock_story {
	struct stock_step steps[STOCK_STEPS_MAX];
	size_t n;
	bool refused;        /* the stock server would not have let him in */
	bool owner_at_first; /* in the first presence */
	bool owner_at_last;  /* after the last source had its say */
};

struct stock_join {
	const struct stock_setup *setup;
	const struct claims *claims;  /* NULL: guest */
	const struct room_view *room; /* who is there */
};
void stock_story(const struct stock_join *j, struct stock_story *out);
