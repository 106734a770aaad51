/* docker.h - docker-jitsi-meet's variables and what becomes of them: roles.md 5. pure
 *
 *   variables, raw Lua lines --generic rows of the schema, modules, special cases--> CONFIG_DERIVED
 * layer, report lines
 *
 * Every variable that concerns authentication, roles, guests, lobby or names, and is set, gets one
 * line of the report: NAME=value -> key=value (honoured|changed|ignored). */
#pragma once
#include "config/envfile.h"
#include "config/set.h"

enum docker_module {
	MODULE_TOKEN_AFFILIATION = 1 << 0,
	MODULE_TOKEN_AFFILIATION_LEGACY = 1 << 1,
	MODULE_TOKEN_MODERATION = 1 << 2,
	MODULE_TOKEN_OWNER_PARTY = 1 << 3,
	MODULE_MUC_ALLOWNERS = 1 << 4,
	MODULE_WAIT_FOR_HOST = 1 << 5,
	MODULE_FROZEN_NICK = 1 << 6,
	MODULE_OWNER_RESTRICTED = 1 << 7,
	MODULE_NO_WILDCARD = 1 << 8,
	MODULE_BYPASS = 1 << 9,
	MODULE_LOBBY_AUTOSTART = 1 << 10,
	MODULE_PERMISSIONS = 1 << 11,
	MODULE_SERVICES_PUSH = 1 << 13,
	MODULE_OTHER_TOKEN = 1 << 12, /* some other token_* module: shows intent (rule 5) */
};
#define MODULES_TOKEN_ROLE                                                                         \
	(MODULE_TOKEN_AFFILIATION | MODULE_TOKEN_AFFILIATION_LEGACY | MODULE_TOKEN_MODERATION |    \
	        MODULE_TOKEN_OWNER_PARTY)

enum docker_verdict { DOCKER_HONOURED, DOCKER_CHANGED, DOCKER_IGNORED };

struct docker {
	struct config_set *set;
	struct config_report *report;
	const struct env *env; /* borrowed */
	struct env options;    /* Prosody options out of raw lines; owned */
	struct env globals;    /* the same from GLOBAL_CONFIG, which give way to variables; owned */

	bool jwt; /* auth=jwt in the end */
	/* 1, 0, -1 unset */
	int enable_auth, jicofo_auth, auto_owner, wait_disable, guests, allow_empty;
	unsigned modules;      /* enum docker_module */
	bool wait_auto_owners; /* muc_wait_for_host makes owners */
	const char *raw_from;  /* while raw lines are read: their variable */
};

/* Everything. options of the set other than CONFIG_DERIVED must be there already. */
void docker_derive(struct config_set *s, const struct env *env, struct config_report *r);
/* When docker's names do not count: ports and folders, and a line for what is set in vain. */
void docker_stray(struct config_set *s, const struct env *env, struct config_report *r);

/* A line for each name in a .env file that nearly is one of those known here. */
void docker_spelling(const struct env *env, struct config_report *r);

/* Rows of docs/config.md: variables that are no key, and modules. */
void docker_write_doc(struct buf *out);
void docker_write_module_doc(struct buf *out);

/* Parts. */
/* Reads a boolean; a wrong spelling is fatal. 1, 0, -1. */
int docker_bool(struct docker *d, const char *name);
/* The line of a variable. key_text: "auth=jwt" or NULL; secret values are not shown. */
void docker_say(struct docker *d, const char *name, const char *key_text,
        enum docker_verdict verdict, unsigned warning, const char *fmt, ...)
        __attribute__((format(printf, 6, 7)));
/* Puts a derived value, unless a variable of our own or a flag says otherwise. true: it is in
 * force. */
bool docker_put(struct docker *d, enum config_key key, const char *text, const char *from);
bool docker_overridden(const struct docker *d, enum config_key key);
void docker_specials(struct docker *d); /* others.c: what is none of our keys */
void docker_foreign(struct docker *d);  /* foreign.c: what belongs to what is not here */
bool docker_is_foreign(struct str name);
void docker_write_foreign_doc(struct buf *out);
bool docker_is_special(const char *name);
void docker_modules(struct docker *d); /* modules.c */
void docker_ice(struct docker *d);     /* ice.c: STUN_*, TURN_*, TURNS_* */
void docker_role(struct docker *d);    /* rolemode.c */
void docker_stock(struct docker *d);
void docker_accounts(struct docker *d); /* accounts.c: the services' users and passwords */
bool docker_is_account(const char *name);
void docker_services(struct docker *d); /* services.c: admins and allow-lists hold services only */
