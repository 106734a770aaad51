/* load.c - from files and the environment to struct config. io */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "config/docker.h"
#include "config/report.h"
#include "config/yaml.h"

#define SECRET_FILE_MAX 4096

static bool read_all(int fd, struct buf *out)
{
	char chunk[8192];
	for (;;) {
		ssize_t n = read(fd, chunk, sizeof chunk);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		if (n == 0)
			return true;
		buf_add(out, chunk, (size_t)n);
		if (out->failed) {
			errno = EFBIG;
			return false;
		}
	}
}

/* The whole file, at most max bytes; a fatal line when that fails. */
static bool read_file(const char *path, size_t max, struct buf *out, struct config_report *r)
{
	buf_init(out, max);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	bool fine = fd >= 0 && fstat(fd, &st) == 0;
	if (fine && S_ISDIR(st.st_mode)) {
		errno = EISDIR;
		fine = false;
	}
	fine = fine && read_all(fd, out);
	if (!fine)
		report_fatal(r, "", path, 0, "cannot be read: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
	return fine;
}

static void read_config_file(struct config_set *s, const char *path, struct config_report *r)
{
	struct buf text;
	const char *slash = strrchr(path, '/');
	struct str folder = slash == path ? STR("/")
	                    : slash       ? str_from(path, (size_t)(slash - path))
	                                  : STR(".");
	s->folder = arena_str(&s->arena, folder).p;
	if (!s->folder)
		r->nomem = true;
	if (read_file(path, YAML_FILE_MAX + 1, &text, r))
		yaml_read(buf_view(&text), path, s, r);
	buf_done(&text);
}

/* A secret that stands on the first line of a file. NULL: a fatal line says why. */
static struct jval *read_secret(struct config_set *s, enum config_key key, struct str name,
        const char *member, struct config_report *r)
{
	const struct config_value *v = set_value(s, key);
	struct buf text;
	struct stat st;
	struct str path = set_path(s, name, set_origin(s, key));
	if (str_absent(path)) {
		r->nomem = true;
		return NULL;
	}
	if (!read_file(path.p, SECRET_FILE_MAX, &text, r)) {
		buf_done(&text);
		return NULL;
	}
	struct str secret = buf_view(&text);
	secret = str_sub(secret, 0, str_find(secret, '\n'));
	if (secret.n && secret.p[secret.n - 1] == '\r')
		secret.n--;
	struct jval *out = secret.n ? jval_new_str(secret) : NULL;
	if (secret.n == 0)
		report_fatal(r, member, v->file, v->line, "%s is empty", path.p);
	else if (!out)
		report_fatal(r, member, v->file, v->line, "%s holds no text in UTF-8", path.p);
	if (stat(path.p, &st) == 0 && st.st_mode & 077)
		report_warn(r, 0, member, "%s may be read by others: chmod 600 %s", path.p, path.p);
	if (text.p)
		explicit_bzero(text.p, text.n);
	buf_done(&text);
	return out;
}

/* app_secret_file counts unless a stronger source gave the secret itself. */
static void read_secret_files(struct config_set *s, struct config_report *r)
{
	const struct config_value *v = set_value(s, KEY_APP_SECRET_FILE);
	enum config_origin origin = set_origin(s, KEY_APP_SECRET_FILE);
	if (v->json && !(set_given(s, KEY_APP_SECRET) && set_origin(s, KEY_APP_SECRET) >= origin))
		s->secret = read_secret(
		        s, KEY_APP_SECRET_FILE, jval_str(v->json), "app_secret_file", r);
	const struct jval *accounts = set_json(s, KEY_ACCOUNTS);
	for (size_t i = 0; i < jval_size(accounts); i++) {
		struct jval *account = (struct jval *)(uintptr_t)jval_at(accounts, i);
		struct str file = jval_str(jval_getc(account, "password_file"));
		if (str_absent(file))
			continue;
		struct jval *password = read_secret(s, KEY_ACCOUNTS, file, "password_file", r);
		if (password && !jval_set(account, "password", password))
			r->nomem = true;
	}
}

/* Our own keys as variables. Where docker-jitsi-meet has the same name, config/docker reads it. */
static void own_variables(struct config_set *s, const struct env *env, struct config_report *r)
{
	for (int k = 0; k < KEY_COUNT; k++) {
		const struct schema_row *row = schema_row((enum config_key)k);
		char name[64];
		schema_variable(row, name);
		const struct env_var *v = env_get(env, name);
		if (!v || row->flags & SCHEMA_VECTORS_ONLY ||
		        (row->docker && strcmp(row->docker, name) == 0))
			continue;
		struct set_source src = {CONFIG_ENVIRONMENT, name, env->file, v->line};
		if (!set_put_text(s, (enum config_key)k, v->value, &src, r))
			continue;
		bool hidden = schema_is_secret(row->type);
		report_add(r,
		        &(struct config_line){.severity = CONFIG_INFO,
		                .key = name,
		                .file = v->line ? env->file : "",
		                .line = v->line},
		        "%s=%.*s -> %s (honoured)", name,
		        STR_FMT(hidden ? STR("(hidden)") : str_sub(v->value, 0, 100)), row->key);
	}
}

static void flags(struct config_set *s, const char *const *overrides, struct config_report *r)
{
	for (size_t i = 0; overrides && overrides[i]; i++) {
		struct str rest = str_c(overrides[i]);
		struct str name = str_split(&rest, '=');
		enum config_key key = schema_find(name);
		const char *nearest = schema_nearest(name);
		if (key != KEY_NONE && !str_absent(rest))
			set_put_text(s, key, rest,
			        &(struct set_source){CONFIG_FLAG, schema_row(key)->key, "", 0}, r);
		else
			report_fatal(r, overrides[i], "", 0, "unknown key%s%s%s",
			        nearest ? " (did you mean " : "", nearest ? nearest : "",
			        nearest ? "?)" : "");
	}
}

static struct stock_setup usual_stock(const struct config_set *s)
{
	bool auth = set_word_is(s, KEY_AUTH, "jwt");
	return (struct stock_setup){
	        .auth = auth,
	        .jicofo_auth = auth,
	        .auto_owner = true,
	        .guest_domain = auth && set_true(s, KEY_ALLOW_GUESTS),
	        .domain_verification = set_true(s, KEY_DOMAIN_VERIFICATION),
	        .wait_for_host_auto_owners = true,
	        .lobby = true,
	        .disable_grant_moderator = set_true(s, KEY_DISABLE_GRANT_MODERATOR),
	        .permissions_module = true,
	};
}

/* All layers are there: defaults, judgement, structs. */
static int finish(
        struct config *c, const char *state_directory, bool need_start, struct config_report *r)
{
	struct config_set *s = c->set;
	if (r->nomem || !set_defaults(s, state_directory))
		return ERR_NOMEM;
	if (!r->fatal)
		set_judge(s, need_start, r);
	if (r->fatal)
		return r->nomem ? ERR_NOMEM : ERR_BADMSG;
	if (!s->docker)
		s->stock = usual_stock(s);
	if (r->nomem || !set_fill(s, c))
		return ERR_NOMEM;
	if (need_start) {
		c->policy.before_host = BEFORE_HOST_REFUSE;
		c->policy.lobby_autostart = false;
	}
	return ERR_OK;
}

static bool begin(struct config *c)
{
	*c = (struct config){0};
	policy_settings_init(&c->policy);
	token_settings_init(&c->token);
	c->set = set_new();
	return c->set != NULL;
}

void config_free(struct config *c)
{
	set_free(c->set);
	*c = (struct config){0};
}

static void no_configuration(struct config_report *r)
{
	static const char *const ways[] = {
	        "no configuration: neither a file nor ENABLE_AUTH. An open server is not started "
	        "by accident. Either",
	        "  a file:         gavel serve --config gavel.yaml   (docs/gavel.example.yaml is "
	        "one, with comments)",
	        "  or variables:   ENABLE_AUTH=1 AUTH_TYPE=jwt JWT_APP_ID=my_app "
	        "JWT_APP_SECRET=... gavel serve",
	        "  or open to all: ENABLE_AUTH=0 gavel serve",
	        "  or the .env of docker-jitsi-meet as it is: gavel serve --env .env",
	};
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
		report_fatal(r, "", "", 0, "%s", ways[i]);
}

static void read_environment(struct config_set *s, const struct config_source *src, struct env *env,
        struct config_report *r)
{
	struct buf text;
	env_init(env, src->env_file);
	if (src->env_file) {
		if (read_file(src->env_file, ENV_FILE_MAX + 1, &text, r))
			env_read_text(env, buf_view(&text), r);
		buf_done(&text);
		docker_spelling(env, r);
	} else if (!env_read_process(env, src->environ)) {
		r->nomem = true;
	}
	own_variables(s, env, r);
	flags(s, src->overrides, r);
	if (src->env_file || env_get(env, "ENABLE_AUTH"))
		docker_derive(s, env, r);
	else
		docker_stray(s, env, r);
}

int config_load(struct config *c, const struct config_source *src, struct config_report *r)
{
	struct env env;
	char state[1024] = "";
	if (!begin(c))
		return ERR_NOMEM;
	if (config_state_directory(src->environ, state, sizeof state) != ERR_OK)
		state[0] = 0;
	if (src->file)
		read_config_file(c->set, src->file, r);
	read_environment(c->set, src, &env, r);
	if (!src->file && !src->env_file && !env_get(&env, "ENABLE_AUTH"))
		no_configuration(r);
	else if (src->need_start && c->set->docker &&
	         value_bool(env_str(&env, "PROSODY_RESERVATION_ENABLED")) == 1)
		report_fatal(r, "PROSODY_RESERVATION_ENABLED", src->env_file, 0,
		        "rooms are not approved by an outside service yet: "
		        "starting without would open them to everybody; set it to 0");
	env_done(&env);
	read_secret_files(c->set, r);
	return finish(c, state, src->need_start, r);
}

/* Flat keys of a vector; null is "not given". */
static void apply_object(struct config_set *s, const struct jval *object, struct config_report *r)
{
	void *it = NULL;
	struct str name;
	const struct jval *value;
	if (object && !jval_is_null(object) && !jval_is_object(object))
		report_fatal(
		        r, "config", "", 0, "must be an object, not %s", jval_type_name(object));
	while (jval_each(object, &it, &name, &value)) {
		enum config_key key = schema_find(name);
		char z[64] = "";
		memcpy(z, name.p, name.n < sizeof z - 1 ? name.n : sizeof z - 1);
		const char *nearest = schema_nearest(name);
		if (key == KEY_NONE)
			report_fatal(r, z, "", 0, "unknown key%s%s%s",
			        nearest ? " (did you mean " : "", nearest ? nearest : "",
			        nearest ? "?)" : "");
		else if (!jval_is_null(value))
			set_put_json(s, key, value,
			        &(struct set_source){CONFIG_FILE, schema_row(key)->key, "", 0}, r);
	}
}

int config_apply_json(struct config *c, const struct jval *object, struct config_report *r)
{
	if (!begin(c))
		return ERR_NOMEM;
	c->set->vectors = true;
	apply_object(c->set, object, r);
	return finish(c, "", false, r);
}

int config_derive_env(struct config *c, const struct jval *pairs, const struct jval *file,
        struct config_report *r)
{
	struct env env;
	if (!begin(c))
		return ERR_NOMEM;
	env_init(&env, "");
	apply_object(c->set, file, r);
	env_read_json(&env, pairs, r);
	own_variables(c->set, &env, r);
	docker_derive(c->set, &env, r);
	env_done(&env);
	read_secret_files(c->set, r);
	return finish(c, "", false, r);
}
