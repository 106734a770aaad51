/* rolemode.c - deriving role_mode from docker's variables, by the six rules of roles.md 5. pure */
#include <stdio.h>

#include "config/docker.h"
#include "config/report.h"

/* One line for each variable that the derivation looked at, and for each module that makes owners.
 */
static void inputs(
        struct docker *d, const char *mode, enum docker_verdict allow, enum docker_verdict stop)
{
	char key[64];
	snprintf(key, sizeof key, "role_mode=%s", mode);
	if (d->jicofo_auth >= 0)
		docker_say(d, "JICOFO_ENABLE_AUTH", key, d->jicofo_auth ? allow : stop, 0,
		        "used to derive role_mode");
	if (!str_absent(env_str(d->env, "ENABLE_AUTO_OWNER")))
		docker_say(d, "ENABLE_AUTO_OWNER", key, d->auto_owner ? allow : stop, 0,
		        "used to derive role_mode");
	if (!str_absent(env_str(d->env, "DISABLE_AUTO_OWNER")))
		docker_say(d, "DISABLE_AUTO_OWNER", key, d->auto_owner ? allow : stop, 0,
		        "used to derive role_mode");
	if (d->wait_disable >= 0) {
		bool used = d->modules & MODULE_WAIT_FOR_HOST;
		docker_say(d, "WAIT_FOR_HOST_DISABLE_AUTO_OWNERS", used ? key : NULL,
		        used ? (d->wait_disable ? stop : allow) : DOCKER_IGNORED, 0,
		        used ? "used to derive role_mode" : "muc_wait_for_host is not loaded");
	}
}

static void conflict(struct docker *d, const char *what)
{
	report_warn(d->report, W_ENV_CONFLICT, "role_mode",
	        "%s would have made moderators regardless of the token; the token modules say "
	        "otherwise: "
	        "role_mode=token, "
	        "the restrictive side wins",
	        what);
}

/* Rule 3: the token's modules are loaded. */
static void by_token_modules(struct docker *d)
{
	inputs(d, "token", DOCKER_IGNORED, DOCKER_HONOURED);
	report_info(d->report, 0, "XMPP_MUC_MODULES",
	        "XMPP_MUC_MODULES loads %s -> role_mode=token (honoured)",
	        d->modules & MODULE_TOKEN_AFFILIATION          ? "token_affiliation"
	        : d->modules & MODULE_TOKEN_AFFILIATION_LEGACY ? "token_affiliation_legacy"
	        : d->modules & MODULE_TOKEN_MODERATION         ? "token_moderation"
	                                                       : "token_owner_party");
	if (d->jicofo_auth == 1)
		conflict(d, "JICOFO_ENABLE_AUTH=1");
	else if (d->jicofo_auth < 0)
		report_info(d->report, 0, "JICOFO_ENABLE_AUTH",
		        "JICOFO_ENABLE_AUTH is not set: in stock Jitsi it follows "
		        "ENABLE_AUTH, and Jicofo would make every token holder moderator after "
		        "all; here "
		        "it does not");
	if (d->auto_owner == 1)
		conflict(d, "ENABLE_AUTO_OWNER=1");
	else if (d->auto_owner < 0)
		report_info(d->report, 0, "ENABLE_AUTO_OWNER",
		        "ENABLE_AUTO_OWNER is not set: in stock Jitsi it is on; here "
		        "nobody is promoted for being first");
	if (d->modules & MODULE_MUC_ALLOWNERS)
		conflict(d, "the module muc_allowners");
	if (d->wait_auto_owners)
		conflict(d, "the module muc_wait_for_host with auto owners");
	docker_put(d, KEY_ROLE_MODE, "token", "XMPP_MUC_MODULES");
}

/* Rule 5: only Jicofo's election of the first user is left. */
static void by_first_user(struct docker *d)
{
	const char *intent = d->modules & MODULE_FROZEN_NICK   ? "frozen_nick"
	                     : d->modules & MODULE_OTHER_TOKEN ? "a token_* module"
	                     : env_get(d->env, "CLAIM_PATHS")  ? "CLAIM_PATHS"
	                     : env_get(d->env, "CLAIM_RULES")  ? "CLAIM_RULES"
	                                                       : NULL;
	inputs(d, "first-user", DOCKER_HONOURED, DOCKER_HONOURED);
	if (d->auto_owner < 0)
		report_info(d->report, 0, "ENABLE_AUTO_OWNER",
		        "ENABLE_AUTO_OWNER is not set, which means on");
	if (intent)
		report_warn(d->report, W_ENV_CONFLICT, "role_mode",
		        "first user moderates; set ROLE_MODE=token if the token shall "
		        "decide (%s looks like it)",
		        intent);
	docker_put(d, KEY_ROLE_MODE, "first-user", "JICOFO_ENABLE_AUTH");
}

/* Rule 6: the usual jwt set-up, and the one deliberate break. */
static void by_break(struct docker *d)
{
	bool nobody = d->jicofo_auth == 0 && d->auto_owner == 0 && !d->wait_auto_owners;
	inputs(d, "token", DOCKER_CHANGED, DOCKER_CHANGED);
	if (nobody)
		report_warn(d->report, W_ENV_CHANGED, "role_mode",
		        "role_mode=token: stock Jitsi would have no moderators; a token "
		        "can now make one; set ROLE_MODE=none to keep that");
	else
		report_warn(d->report, W_ENV_CHANGED, "role_mode",
		        "role_mode=token: stock Jitsi would make every token holder "
		        "moderator; set ROLE_MODE=authenticated to keep that");
	docker_put(d, KEY_ROLE_MODE, "token", "ENABLE_AUTH");
}

/* Rule 2. */
static void without_auth(struct docker *d)
{
	bool all = d->modules & MODULE_MUC_ALLOWNERS;
	const char *mode = all ? "everyone" : d->auto_owner == 0 ? "none" : "first-user";
	if (d->jicofo_auth >= 0)
		docker_say(d, "JICOFO_ENABLE_AUTH", NULL, DOCKER_IGNORED, W_ENV_IGNORED,
		        "there is no authentication");
	d->jicofo_auth = -1;
	inputs(d, mode, all ? DOCKER_IGNORED : DOCKER_HONOURED,
	        all ? DOCKER_IGNORED : DOCKER_HONOURED);
	if (all)
		report_info(d->report, 0, "XMPP_MUC_MODULES",
		        "XMPP_MUC_MODULES loads muc_allowners -> role_mode=everyone "
		        "(honoured)");
	docker_put(d, KEY_ROLE_MODE, mode,
	        all                  ? "XMPP_MUC_MODULES"
	        : d->auto_owner == 0 ? "ENABLE_AUTO_OWNER"
	                             : "ENABLE_AUTH");
}

/* Rule 1. */
static void in_vain(struct docker *d)
{
	static const char *const names[] = {"JICOFO_ENABLE_AUTH", "ENABLE_AUTO_OWNER",
	        "DISABLE_AUTO_OWNER", "WAIT_FOR_HOST_DISABLE_AUTO_OWNERS"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (env_get(d->env, names[i]))
			docker_say(d, names[i], NULL, DOCKER_IGNORED, W_ENV_IGNORED,
			        "ROLE_MODE decides");
	}
}

void docker_role(struct docker *d)
{
	if (docker_overridden(d, KEY_ROLE_MODE)) {
		in_vain(d);
	} else if (!d->jwt) {
		without_auth(d);
	} else if (d->modules & MODULES_TOKEN_ROLE) {
		by_token_modules(d);
	} else if (d->modules & MODULE_MUC_ALLOWNERS) {
		inputs(d, "everyone", DOCKER_IGNORED, DOCKER_IGNORED);
		report_info(d->report, 0, "XMPP_MUC_MODULES",
		        "XMPP_MUC_MODULES loads muc_allowners -> role_mode=everyone "
		        "(honoured)");
		docker_put(d, KEY_ROLE_MODE, "everyone", "XMPP_MUC_MODULES");
	} else if (d->jicofo_auth == 0 && d->auto_owner != 0 && !d->wait_auto_owners) {
		by_first_user(d);
	} else {
		by_break(d);
	}
}

void docker_stock(struct docker *d)
{
	bool auth = d->enable_auth == 1;
	unsigned m = d->modules;
	struct str verification = env_str(d->env, "JWT_ENABLE_DOMAIN_VERIFICATION");
	struct str lobby = env_str(d->env, "ENABLE_LOBBY");
	d->set->stock = (struct stock_setup){
	        .known = true,
	        .auth = auth,
	        .jicofo_auth = d->jicofo_auth < 0 ? auth : d->jicofo_auth == 1,
	        .auto_owner = d->auto_owner != 0,
	        .allow_empty_token = d->allow_empty == 1,
	        .guest_domain = d->guests == 1,
	        .domain_verification = value_bool(verification) == 1,
	        .muc_allowners = m & MODULE_MUC_ALLOWNERS,
	        .muc_wait_for_host = m & MODULE_WAIT_FOR_HOST,
	        .wait_for_host_auto_owners = d->wait_disable != 1,
	        .bypass_modules = m & MODULE_BYPASS,
	        .token_affiliation = m & MODULE_TOKEN_AFFILIATION,
	        .token_affiliation_legacy = m & MODULE_TOKEN_AFFILIATION_LEGACY,
	        .token_moderation = m & MODULE_TOKEN_MODERATION,
	        .token_owner_party = m & MODULE_TOKEN_OWNER_PARTY,
	        .frozen_nick = m & MODULE_FROZEN_NICK,
	        .lobby = str_absent(lobby) || value_bool(lobby) == 1,
	        .disable_grant_moderator =
	                value_bool(env_str(d->env, "DISABLE_GRANT_MODERATOR")) == 1,
	        .permissions_module = true,
	};
}
