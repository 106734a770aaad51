/* docker.c - docker-jitsi-meet's variables, one after the other. pure */
#include "config/docker.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"
#include "config/lua.h"
#include "config/report.h"

static bool is_secret_name(const char *name)
{
	static const char *const parts[] = {"SECRET", "PASSWORD", "secret", "password",
	        "CREDENTIALS", "BINDPW", "_DSN", "PRIVATE_KEY", "ACCESS_KEY", "AUTH_TOKEN"};
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		if (strstr(name, parts[i]))
			return true;
	}
	return false;
}

void docker_say(struct docker *d, const char *name, const char *key_text,
        enum docker_verdict verdict, unsigned warning, const char *fmt, ...)
{
	static const char *const verdicts[] = {"honoured", "changed", "ignored"};
	char why[400];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(why, sizeof why, fmt, ap);
	va_end(ap);
	const struct env_var *v = env_get(d->env, name);
	bool option = !v && (v = env_get(&d->options, name));
	struct str value = v ? str_sub(v->value, 0, 100) : STR("");
	if (is_secret_name(name))
		value = STR("(hidden)");
	report_add(d->report,
	        &(struct config_line){.severity = warning ? CONFIG_WARN : CONFIG_INFO,
	                .warning = warning,
	                .key = name,
	                .file = v && v->line && !option ? d->env->file : "",
	                .line = v && !option ? v->line : 0},
	        "%s=%.*s -> %s%s(%s)%s%s", name, STR_FMT(value), key_text ? key_text : "",
	        key_text ? " " : "", verdicts[verdict], *why ? ": " : "", why);
}

static void bad_bool(struct docker *d, const char *name, struct str text, int line)
{
	report_fatal(d->report, name, d->env->file, line,
	        "must be 1 t T true True TRUE or 0 f F false False FALSE, not \"%.*s\"",
	        STR_FMT(str_sub(text, 0, 40)));
}

int docker_bool(struct docker *d, const char *name)
{
	const struct env_var *v = env_get(d->env, name);
	if (!v)
		return -1;
	int b = value_bool(v->value);
	if (b < 0)
		bad_bool(d, name, v->value, v->line);
	return b;
}

/* A boolean of the raw lines: options first, those of GLOBAL_CONFIG last. */
static int option_bool(struct docker *d, const char *option)
{
	struct str text = env_str(&d->options, option);
	if (str_absent(text))
		text = env_str(&d->globals, option);
	if (str_absent(text))
		return -1;
	int b = value_bool(text);
	if (b < 0)
		bad_bool(d, option, text, 0);
	return b;
}

bool docker_overridden(const struct docker *d, enum config_key key)
{
	return d->set->layer[CONFIG_ENVIRONMENT][key].json || d->set->layer[CONFIG_FLAG][key].json;
}

static void against_file(struct docker *d, enum config_key key, const char *from)
{
	const struct config_value *file = &d->set->layer[CONFIG_FILE][key];
	const struct config_value *mine = &d->set->layer[CONFIG_DERIVED][key];
	if (!file->json || !mine->json || jval_equal(file->json, mine->json))
		return;
	report_add(d->report,
	        &(struct config_line){.severity = CONFIG_WARN,
	                .key = schema_row(key)->key,
	                .file = file->file,
	                .line = file->line},
	        "the environment (%s) wins over this line", from);
}

bool docker_put(struct docker *d, enum config_key key, const char *text, const char *from)
{
	struct set_source src = {CONFIG_DERIVED, from, "", 0};
	if (!set_put_text(d->set, key, str_c(text), &src, d->report))
		return false;
	against_file(d, key, from);
	return !docker_overridden(d, key);
}

/* ---- generic rows: a variable or an option that is one of our keys ---- */

static bool needs_jwt(enum config_key key)
{
	if (key == KEY_DOMAIN || key == KEY_PUBLIC_HOST)
		return false;
	return schema_row(key)->section == SECTION_TOKEN || key == KEY_ALLOWNER_ISSUERS;
}

static void say_key(struct docker *d, const char *name, enum config_key key, bool in_force)
{
	struct buf text;
	buf_init(&text, 300);
	buf_printf(&text, "%s=", schema_row(key)->key);
	const struct jval *j = d->set->layer[CONFIG_DERIVED][key].json;
	if (schema_row(key)->type == SCHEMA_SECRET)
		buf_puts(&text, "(hidden)");
	else if (jval_is_string(j))
		buf_str(&text, str_sub(jval_str(j), 0, 200));
	else if (j)
		jval_write(j, &text);
	char variable[64];
	schema_variable(schema_row(key), variable);
	docker_say(d, name, text.failed ? schema_row(key)->key : text.p,
	        in_force ? DOCKER_HONOURED : DOCKER_IGNORED, 0, "%s%s", in_force ? "" : variable,
	        in_force ? "" : " wins");
	buf_done(&text);
}

/* PUBLIC_URL may come without a scheme: docker's templates cut https:// off if it is there.
 * STATE_DIRECTORY of systemd may be a list: the first folder counts. */
static struct str adapted(enum config_key key, struct str text, char *out, size_t size)
{
	if (key == KEY_STATE_DIRECTORY)
		return str_sub(text, 0, str_find(text, ':'));
	if (key != KEY_PUBLIC_URL || str_starts(text, STR("http://")) ||
	        str_starts(text, STR("https://")))
		return text;
	int n = snprintf(out, size, "https://%.*s", STR_FMT(text));
	return n > 0 && (size_t)n < size ? str_from(out, (size_t)n) : text;
}

static void apply(struct docker *d, enum config_key key, const char *name, const struct env_var *v,
        const char *file)
{
	char buffer[2100];
	const struct schema_row *row = schema_row(key);
	if (needs_jwt(key) && !d->jwt) {
		if (row->type == SCHEMA_BOOL && value_bool(v->value) < 0)
			bad_bool(d, name, v->value, v->line);
		docker_say(d, name, NULL, DOCKER_IGNORED, 0, "there is no authentication");
		return;
	}
	struct set_source src = {CONFIG_DERIVED, name, file, v->line};
	if (!set_put_text(
	            d->set, key, adapted(key, v->value, buffer, sizeof buffer), &src, d->report))
		return;
	against_file(d, key, name);
	say_key(d, name, key, !docker_overridden(d, key));
}

static void apply_row(struct docker *d, enum config_key key)
{
	const struct schema_row *row = schema_row(key);
	const char *const names[] = {row->docker, row->docker2};
	const struct env_var *v = row->option ? env_get(&d->globals, row->option) : NULL;
	if (v)
		apply(d, key, row->option, v, "");
	for (int i = 0; i < 2; i++) {
		if (names[i] && (v = env_get(d->env, names[i])))
			apply(d, key, names[i], v, d->env->file);
	}
	v = row->option ? env_get(&d->options, row->option) : NULL;
	if (!v)
		return;
	const struct env_var *variable = row->docker ? env_get(d->env, row->docker) : NULL;
	if (variable && !str_eq(variable->value, v->value))
		report_warn(d->report, W_ENV_CONFLICT, row->key,
		        "%s and a raw line %s differ: the raw line wins, as in Prosody",
		        row->docker, row->option);
	apply(d, key, row->option, v, "");
}

/* ---- raw Lua lines ---- */

static const char *const option_names[] = {"allow_empty_token", "wait_for_host_disable_auto_owners",
        "party_check_timeout", "role_timeout", "token_verification_require_token_for_moderation",
        "token_verification_allowlist", "muc_access_whitelist", "muc_lobby_whitelist",
        "muc_password_whitelist"};

static bool known_option(struct str name)
{
	for (int k = 0; k < KEY_COUNT; k++) {
		if (schema_row((enum config_key)k)->option &&
		        str_eqc(name, schema_row((enum config_key)k)->option))
			return true;
	}
	for (size_t i = 0; i < sizeof option_names / sizeof *option_names; i++) {
		if (str_eqc(name, option_names[i]))
			return true;
	}
	return false;
}

static void on_option(void *arg, struct str name, enum lua_kind kind, struct str text)
{
	struct docker *d = arg;
	bool global = strcmp(d->raw_from, "GLOBAL_CONFIG") == 0;
	struct str shown = str_sub(name, 0, 80);
	if (!known_option(name))
		report_warn(d->report, W_ENV_IGNORED, d->raw_from, "%s: %.*s -> (ignored): %s",
		        d->raw_from, STR_FMT(name.n ? shown : STR("a line")),
		        name.n ? "not an option that has a key here" : "not name = value");
	else if (kind == LUA_UNREADABLE)
		report_warn(d->report, W_ENV_IGNORED, d->raw_from,
		        "%s: %.*s -> (ignored): its value is no plain text, number, true, false or "
		        "list of "
		        "texts",
		        d->raw_from, STR_FMT(shown));
	else if (!env_put(global ? &d->globals : &d->options, name, text, 0))
		d->report->nomem = true;
}

static void raw_lines(struct docker *d)
{
	static const char *const names[] = {
	        "GLOBAL_CONFIG", "XMPP_CONFIGURATION", "XMPP_MUC_CONFIGURATION"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		d->raw_from = names[i];
		lua_read(env_str(d->env, names[i]), on_option, d);
	}
}

/* ---- authentication and guests ---- */

static void auth_type(struct docker *d)
{
	const char *name = env_get(d->env, "PROSODY_AUTH_TYPE") ? "PROSODY_AUTH_TYPE" : "AUTH_TYPE";
	const struct env_var *v = env_get(d->env, name);
	if (!v)
		report_fatal(d->report, "AUTH_TYPE", d->env->file, 0,
		        "is not set, which means internal passwords in "
		        "docker-jitsi-meet; only jwt is served: set AUTH_TYPE=jwt, or "
		        "ENABLE_AUTH=0");
	else if (!str_eqc(v->value, "jwt"))
		report_fatal(d->report, name, d->env->file, v->line,
		        "%.*s is not served: only jwt is. Falling back to open access "
		        "would be silent: set %s=jwt, or ENABLE_AUTH=0",
		        STR_FMT(str_sub(v->value, 0, 40)), name);
	else
		docker_say(d, name, "auth=jwt", DOCKER_HONOURED, 0, "%s", "");
}

static void auth(struct docker *d)
{
	bool own = docker_overridden(d, KEY_AUTH);
	d->enable_auth = docker_bool(d, "ENABLE_AUTH");
	bool on = d->enable_auth == 1;
	docker_put(d, KEY_AUTH, on ? "jwt" : "none", "ENABLE_AUTH");
	d->jwt = set_word_is(d->set, KEY_AUTH, "jwt");
	if (d->enable_auth >= 0)
		docker_say(d, "ENABLE_AUTH", on ? "auth=jwt" : "auth=none",
		        own ? DOCKER_IGNORED : DOCKER_HONOURED, 0, "%s", own ? "AUTH wins" : "");
	else if (!own)
		report_info(d->report, 0, "ENABLE_AUTH",
		        "ENABLE_AUTH is not set -> auth=none (honoured): docker-jitsi-meet's "
		        "default is no authentication");
	if (on && !own && env_get(d->env, "PROSODY_AUTH_TYPE") && env_get(d->env, "AUTH_TYPE"))
		docker_say(d, "AUTH_TYPE", NULL, DOCKER_IGNORED, 0, "PROSODY_AUTH_TYPE wins");
	if (on && !own) {
		auth_type(d);
		return;
	}
	static const char *const types[] = {"PROSODY_AUTH_TYPE", "AUTH_TYPE"};
	for (size_t i = 0; i < 2; i++) {
		if (env_get(d->env, types[i]))
			docker_say(d, types[i], NULL, DOCKER_IGNORED, 0, "%s",
			        own ? "AUTH wins" : "there is no authentication");
	}
}

static void guests(struct docker *d)
{
	int option = option_bool(d, "allow_empty_token");
	d->guests = docker_bool(d, "ENABLE_GUESTS");
	d->allow_empty = docker_bool(d, "JWT_ALLOW_EMPTY");
	const char *empty = "JWT_ALLOW_EMPTY";
	if (option >= 0) {
		d->allow_empty = option;
		empty = "allow_empty_token";
	}
	if (!d->jwt) {
		if (d->guests >= 0)
			docker_say(d, "ENABLE_GUESTS", NULL, DOCKER_IGNORED, 0,
			        "there is no authentication: everybody is a guest");
		if (d->allow_empty >= 0)
			docker_say(d, empty, NULL, DOCKER_IGNORED, 0, "there is no authentication");
		return;
	}
	bool allowed = d->guests == 1 || d->allow_empty == 1;
	if (d->guests < 0 && d->allow_empty < 0)
		return;
	bool in_force = docker_put(d, KEY_ALLOW_GUESTS, allowed ? "true" : "false",
	        d->guests == 1        ? "ENABLE_GUESTS"
	        : d->allow_empty == 1 ? empty
	        : d->guests == 0      ? "ENABLE_GUESTS"
	                              : empty);
	const char *text = allowed ? "allow_guests=true" : "allow_guests=false";
	if (d->guests == 1)
		docker_put(d, KEY_BEFORE_HOST, "refuse", "ENABLE_GUESTS");
	if (d->guests >= 0)
		docker_say(d, "ENABLE_GUESTS",
		        d->guests == 1 ? "allow_guests=true before_host=refuse" : text,
		        in_force ? DOCKER_HONOURED : DOCKER_IGNORED, 0, "%s",
		        in_force ? "" : "ALLOW_GUESTS wins");
	if (d->allow_empty == 1)
		docker_say(d, empty, text, in_force ? DOCKER_CHANGED : DOCKER_IGNORED,
		        W_ENV_CHANGED,
		        "people without a token are guests and do not count as authenticated");
	else if (d->allow_empty == 0)
		docker_say(
		        d, empty, text, in_force ? DOCKER_HONOURED : DOCKER_IGNORED, 0, "%s", "");
}

static void jwt_modules(struct docker *d)
{
	static const char *const names[][2] = {
	        {"JWT_AUTH_TYPE", "token"}, {"JWT_TOKEN_AUTH_MODULE", "token_verification"}};
	for (size_t i = 0; i < 2; i++) {
		const struct env_var *v = env_get(d->env, names[i][0]);
		if (!v || str_eqc(v->value, names[i][1]))
			continue;
		if (d->jwt)
			report_fatal(d->report, names[i][0], d->env->file, v->line,
			        "%.*s is not known: what it would accept is not "
			        "either; only %s is served",
			        STR_FMT(str_sub(v->value, 0, 60)), names[i][1]);
		else
			docker_say(d, names[i][0], NULL, DOCKER_IGNORED, 0,
			        "there is no authentication");
	}
	const struct env_var *guest = env_get(d->env, "PROSODY_GUEST_AUTH_TYPE");
	if (guest &&
	        (str_eqc(guest->value, "anonymous") || str_eqc(guest->value, "jitsi-anonymous")))
		docker_say(d, "PROSODY_GUEST_AUTH_TYPE", NULL, DOCKER_IGNORED, 0,
		        "guests are anonymous in any case");
	else if (guest)
		report_fatal(d->report, "PROSODY_GUEST_AUTH_TYPE", d->env->file, guest->line,
		        "%.*s is not served: guests are "
		        "anonymous",
		        STR_FMT(str_sub(guest->value, 0, 40)));
	int moderation = option_bool(d, "token_verification_require_token_for_moderation");
	if (moderation >= 0 && d->jwt)
		docker_say(d, "token_verification_require_token_for_moderation", NULL,
		        moderation ? DOCKER_HONOURED : DOCKER_CHANGED,
		        moderation ? 0 : W_ENV_CHANGED, "always on with auth=jwt");
}

/* Names freeze even without frozen_nick. */
static void names(struct docker *d)
{
	bool jitsi = set_word_is(d->set, KEY_PROFILE, "jitsi");
	bool said = docker_overridden(d, KEY_NAME_MODE) ||
	            d->set->layer[CONFIG_FILE][KEY_NAME_MODE].json;
	if (d->jwt && !said && !jitsi && !(d->modules & MODULE_FROZEN_NICK))
		report_warn(d->report, W_ENV_CHANGED, "name_mode",
		        "name_mode=frozen: names in tokens stay as they are, even without "
		        "frozen_nick; set NAME_MODE=free to keep typed names");
	if (env_get(d->env, "DISABLE_PROFILE") &&
	        value_bool(env_str(d->env, "DISABLE_PROFILE")) == 1)
		report_info(d->report, 0, "DISABLE_PROFILE",
		        "the page then lets guests not name themselves either");
	if (value_bool(env_str(d->env, "DISABLE_KICKOUT")) == 1)
		report_info(d->report, 0, "DISABLE_KICKOUT",
		        "hides it in the page only: the server still lets moderators kick");
	if (value_bool(env_str(d->env, "DISABLE_GRANT_MODERATOR")) == 1 &&
	        docker_put(d, KEY_RUNTIME_GRANT, "never", "DISABLE_GRANT_MODERATOR"))
		report_info(d->report, 0, "DISABLE_GRANT_MODERATOR",
		        "DISABLE_GRANT_MODERATOR=1 -> runtime_grant=never (honoured): "
		        "the server refuses too");
}

/* JWT_SIGN_TYPE with the wrong kind of key, a secret beside public keys. */
static void keys(struct docker *d)
{
	bool secret = !str_absent(env_str(d->env, "JWT_APP_SECRET")) ||
	              env_get(&d->options, "app_secret");
	bool server = !str_absent(env_str(d->env, "JWT_ASAP_KEYSERVER")) ||
	              env_get(&d->options, "asap_key_server");
	bool list = !str_absent(env_str(d->env, "JWT_JWKS_URL")) ||
	            env_get(&d->options, "cache_keys_url") ||
	            env_get(&d->globals, "cache_keys_url");
	if (d->jwt && (server || list || secret))
		docker_put(d, KEY_KEY_SOURCE,
		        server ? "keyserver"
		        : list ? "jwks"
		               : "secret",
		        server ? "JWT_ASAP_KEYSERVER"
		        : list ? "JWT_JWKS_URL"
		               : "JWT_APP_SECRET");
	if (d->jwt && secret && (server || list))
		report_warn(d->report, W_ENV_CONFLICT, "JWT_APP_SECRET",
		        "JWT_APP_SECRET=(hidden) -> (ignored): %s is set too, and "
		        "public keys win",
		        server ? "JWT_ASAP_KEYSERVER" : "JWT_JWKS_URL");
}

static void https(struct docker *d)
{
	int off = docker_bool(d, "DISABLE_HTTPS");
	if (off < 0)
		return;
	bool in_force = off == 0 || docker_put(d, KEY_HTTPS_PORT, "0", "DISABLE_HTTPS");
	docker_say(d, "DISABLE_HTTPS", off ? "https_port=0" : NULL,
	        in_force ? DOCKER_HONOURED : DOCKER_IGNORED, 0, "%s",
	        in_force ? "" : "HTTPS_PORT of this configuration wins");
}

static void auto_owner(struct docker *d)
{
	int old = docker_bool(d, "DISABLE_AUTO_OWNER");
	d->jicofo_auth = docker_bool(d, "JICOFO_ENABLE_AUTH");
	d->auto_owner = docker_bool(d, "ENABLE_AUTO_OWNER");
	if (old >= 0 && d->auto_owner >= 0 && old == d->auto_owner)
		report_warn(d->report, W_ENV_CONFLICT, "ENABLE_AUTO_OWNER",
		        "ENABLE_AUTO_OWNER and DISABLE_AUTO_OWNER contradict each "
		        "other: the restrictive side wins");
	if (old >= 0)
		d->auto_owner = old == 1 ? 0 : d->auto_owner < 0 ? 1 : d->auto_owner;
	d->wait_disable = docker_bool(d, "WAIT_FOR_HOST_DISABLE_AUTO_OWNERS");
	int option = option_bool(d, "wait_for_host_disable_auto_owners");
	if (option >= 0)
		d->wait_disable = option;
}

void docker_derive(struct config_set *s, const struct env *env, struct config_report *r)
{
	struct docker d = {.set = s, .report = r, .env = env};
	s->docker = true;
	env_init(&d.options, "");
	env_init(&d.globals, "");
	raw_lines(&d);
	auth(&d);
	guests(&d);
	auto_owner(&d);
	for (int k = 0; k < KEY_COUNT; k++)
		apply_row(&d, (enum config_key)k);
	https(&d);
	keys(&d);
	jwt_modules(&d);
	docker_specials(&d);
	docker_modules(&d);
	d.wait_auto_owners = d.jwt && d.modules & MODULE_WAIT_FOR_HOST && d.wait_disable != 1;
	docker_stock(&d);
	docker_role(&d);
	names(&d);
	docker_services(&d);
	docker_accounts(&d);
	docker_ice(&d);
	docker_foreign(&d);
	env_done(&d.options);
	env_done(&d.globals);
}

void docker_stray(struct config_set *s, const struct env *env, struct config_report *r)
{
	struct docker d = {.set = s, .report = r, .env = env};
	static const char *const why =
	        "docker-jitsi-meet's names count only when ENABLE_AUTH is set";
	for (int k = 0; k < KEY_COUNT; k++) {
		const struct schema_row *row = schema_row((enum config_key)k);
		const struct env_var *v = row->docker ? env_get(env, row->docker) : NULL;
		if (v && row->flags & SCHEMA_ALWAYS_READ)
			apply(&d, (enum config_key)k, row->docker, v, env->file);
		else if (v)
			docker_say(&d, row->docker, NULL, DOCKER_IGNORED, W_ENV_IGNORED, "%s", why);
	}
	for (size_t i = 0; i < env->n; i++) {
		if (env->v[i].value.n && docker_is_special(env->v[i].name.p))
			docker_say(&d, env->v[i].name.p, NULL, DOCKER_IGNORED, W_ENV_IGNORED, "%s",
			        why);
	}
}
