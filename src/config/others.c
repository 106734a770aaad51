/* others.c - docker-jitsi-meet's variables that are none of our keys: why each does nothing here.
 * pure */
#include "config/docker.h"
#include "config/report.h"

enum special_kind {
	SPECIAL_BOOL, /* nothing to do here: the spelling is checked, the line says why */
	SPECIAL_TEXT,
	SPECIAL_BOOL_BUILT_IN, /* always on */
	SPECIAL_LATER,         /* a boolean; not served yet */
	SPECIAL_ROLE,          /* a boolean that the derivation reads; it writes the lines */
};

static const struct special {
	const char *name;
	enum special_kind kind;
	unsigned warning;
	const char *text;
} specials[] = {
        {"ENABLE_AUTH", SPECIAL_ROLE, 0, "decides auth; AUTH_TYPE must then be jwt"},
        {"JICOFO_ENABLE_AUTH", SPECIAL_ROLE, 0, "helps to derive role_mode"},
        {"ENABLE_AUTO_OWNER", SPECIAL_ROLE, 0, "helps to derive role_mode"},
        {"DISABLE_AUTO_OWNER", SPECIAL_ROLE, 0, "the older opposite of ENABLE_AUTO_OWNER"},
        {"WAIT_FOR_HOST_DISABLE_AUTO_OWNERS", SPECIAL_ROLE, 0,
                "helps to derive role_mode when muc_wait_for_host is loaded"},
        {"ENABLE_GUESTS", SPECIAL_ROLE, 0, "allow_guests=true, before_host=refuse"},
        {"JWT_ALLOW_EMPTY", SPECIAL_ROLE, 0,
                "allow_guests=true; such people are guests and do not count as authenticated"},
        {"JICOFO_AUTH_TYPE", SPECIAL_TEXT, W_ENV_IGNORED, "there is no Jicofo, role_mode decides"},
        {"JICOFO_AUTH_LIFETIME", SPECIAL_TEXT, W_ENV_IGNORED, "there are no Jicofo login sessions"},
        {"ENABLE_AUTO_LOGIN", SPECIAL_BOOL, W_ENV_IGNORED, "there are no Jicofo login sessions"},
        {"ENABLE_MODERATOR_CHECKS", SPECIAL_LATER, 0,
                "recording and dial-out, which it guards, are not served yet"},
        {"ENABLE_AUTH_DOMAIN", SPECIAL_BOOL_BUILT_IN, 0,
                "auth_domain names the domain of the services"},
        {"ENABLE_BREAKOUT_ROOMS", SPECIAL_LATER, W_ENV_IGNORED, "not served yet"},
        {"ENABLE_AV_MODERATION", SPECIAL_LATER, W_ENV_IGNORED, "not served yet"},
        {"ENABLE_END_CONFERENCE", SPECIAL_LATER, W_ENV_IGNORED, "not served yet"},
        {"ENABLE_VISITORS", SPECIAL_LATER, W_ENV_IGNORED, "visitors are not served"},
        {"ENABLE_JAAS_COMPONENTS", SPECIAL_BOOL, W_ENV_IGNORED,
                "hosted components have no counterpart"},
        {"PROSODY_ENABLE_MUC_RESOURCE_VALIDATE", SPECIAL_BOOL_BUILT_IN, 0, "always on"},
        {"DISABLE_HTTPS", SPECIAL_ROLE, 0, "1: https_port=0"},
        {"ENABLE_LETSENCRYPT", SPECIAL_LATER, W_ENV_IGNORED,
                "certificates are not fetched here: let certbot or acme.sh do it (acme_folder), "
                "and "
                "name its files with TLS_CERTIFICATE and TLS_KEY"},
        {"PROSODY_RESERVATION_ENABLED", SPECIAL_LATER, W_ENV_IGNORED,
                "rooms are not approved by an outside service yet, and serve refuses to start with "
                "1"},
};

static void special(struct docker *d, const struct special *s)
{
	const struct env_var *v = env_get(d->env, s->name);
	if (!v || s->kind == SPECIAL_ROLE)
		return;
	int on = s->kind == SPECIAL_TEXT ? -1 : docker_bool(d, s->name);
	if (s->kind == SPECIAL_BOOL_BUILT_IN && on == 0)
		docker_say(d, s->name, NULL, DOCKER_CHANGED, W_ENV_CHANGED, "%s", s->text);
	else if (s->kind == SPECIAL_BOOL_BUILT_IN)
		docker_say(d, s->name, NULL, DOCKER_HONOURED, 0, "%s", s->text);
	else if (s->kind == SPECIAL_LATER && (on == 0 || !s->warning))
		docker_say(d, s->name, NULL, DOCKER_HONOURED, 0, "%s", s->text);
	else
		docker_say(d, s->name, NULL, DOCKER_IGNORED, s->warning, "%s", s->text);
}

void docker_write_doc(struct buf *out)
{
	static const char *const verdicts[] = {
	        [SPECIAL_BOOL] = "ignored: ",
	        [SPECIAL_TEXT] = "ignored: ",
	        [SPECIAL_BOOL_BUILT_IN] = "",
	        [SPECIAL_LATER] = "ignored: ",
	        [SPECIAL_ROLE] = "",
	};
	for (size_t i = 0; i < sizeof specials / sizeof *specials; i++) {
		bool harmless = specials[i].kind == SPECIAL_LATER && !specials[i].warning;
		buf_printf(out, "| `%s` | %s%s |\n", specials[i].name,
		        harmless ? "" : verdicts[specials[i].kind], specials[i].text);
	}
}

void docker_specials(struct docker *d)
{
	for (size_t i = 0; i < sizeof specials / sizeof *specials; i++)
		special(d, &specials[i]);
}

static const char *const others[] = {"AUTH_TYPE", "PROSODY_AUTH_TYPE", "XMPP_MODULES",
        "XMPP_MUC_MODULES", "XMPP_LOBBY_MUC_MODULES", "XMPP_BREAKOUT_MUC_MODULES", "GLOBAL_MODULES",
        "GLOBAL_CONFIG", "XMPP_CONFIGURATION", "XMPP_MUC_CONFIGURATION", "JWT_AUTH_TYPE",
        "JWT_TOKEN_AUTH_MODULE", "PROSODY_GUEST_AUTH_TYPE", "PROSODY_ADMINS", "P2P_STUN_SERVERS",
        "STUN_HOST", "STUN_PORT", "TURN_HOST", "TURN_PORT", "TURN_TRANSPORT", "TURNS_HOST",
        "TURNS_PORT"};

bool docker_is_special(const char *name)
{
	for (size_t i = 0; i < sizeof specials / sizeof *specials; i++) {
		if (strcmp(specials[i].name, name) == 0)
			return true;
	}
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		if (strcmp(others[i], name) == 0)
			return true;
	}
	return docker_is_account(name);
}

static void nearer(const char *candidate, struct str name, unsigned *least, const char **best)
{
	size_t n = strlen(candidate);
	if (n > name.n + *least || name.n > n + *least) /* cannot be near: spares the work */
		return;
	unsigned d = schema_distance(name, str_c(candidate));
	if (d < *least) {
		*least = d;
		*best = candidate;
	}
}

static void spelling(const struct env_var *v, const struct env *env, struct config_report *r)
{
	const char *best = NULL;
	unsigned least = 3;
	char variable[64], kept[64] = "";
	for (int k = 0; k < KEY_COUNT; k++) {
		const struct schema_row *row = schema_row((enum config_key)k);
		unsigned before = least;
		schema_variable(row, variable);
		nearer(variable, v->name, &least, &best);
		if (least < before)
			best = memcpy(kept, variable, sizeof kept);
		if (row->docker)
			nearer(row->docker, v->name, &least, &best);
		if (row->docker2)
			nearer(row->docker2, v->name, &least, &best);
	}
	for (size_t i = 0; i < sizeof specials / sizeof *specials; i++)
		nearer(specials[i].name, v->name, &least, &best);
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		nearer(others[i], v->name, &least, &best);
	if (!best && docker_is_special(v->name.p))
		return;
	if (!best)
		report_add(r,
		        &(struct config_line){.severity = CONFIG_INFO,
		                .key = v->name.p,
		                .file = env->file,
		                .line = v->line},
		        "means nothing here");
	else if (least > 0)
		report_add(r,
		        &(struct config_line){.severity = CONFIG_WARN,
		                .key = v->name.p,
		                .file = env->file,
		                .line = v->line},
		        "is no name known here (did you mean %s?)", best);
}

void docker_spelling(const struct env *env, struct config_report *r)
{
	for (size_t i = 0; i < env->n; i++) {
		const struct env_var *v = &env->v[i];
		if (v->name.n >= 8 && v->value.n && !docker_is_foreign(v->name))
			spelling(v, env, r);
	}
}
