/* accounts.c - accounts of services: their shape, docker-jitsi-meet's variables for them, and the
 * structs that others read. pure */
#include <stdio.h>

#include "base/utf8.h"
#include "config/docker.h"
#include "config/report.h"
#include "xmpp/jid.h"

#define ACCOUNTS_MAX 64
#define PASSWORD_MAX 1024

/* Names that Jitsi's services use, and where they live when the configuration does not say. */
static const struct usual {
	const char *node;
	enum service service;
	bool hidden;                 /* on hidden_domain: who is there is not shown in meetings */
	const char *password, *user; /* docker-jitsi-meet's variables; user NULL: none */
} usual[] = {
        {"focus", SERVICE_FOCUS, false, "JICOFO_AUTH_PASSWORD", "JICOFO_AUTH_USER"},
        {"jvb", SERVICE_BRIDGE, false, "JVB_AUTH_PASSWORD", "JVB_AUTH_USER"},
        {"jibri", SERVICE_JIBRI, false, "JIBRI_XMPP_PASSWORD", "JIBRI_XMPP_USER"},
        {"recorder", SERVICE_RECORDER, true, "JIBRI_RECORDER_PASSWORD", "JIBRI_RECORDER_USER"},
        {"jigasi", SERVICE_JIGASI, false, "JIGASI_XMPP_PASSWORD", "JIGASI_XMPP_USER"},
        {"transcriber", SERVICE_TRANSCRIBER, true, "JIGASI_TRANSCRIBER_PASSWORD",
                "JIGASI_TRANSCRIBER_USER"},
};
enum { USUAL = sizeof usual / sizeof *usual };

static struct str node_of(struct str jid)
{
	return str_sub(jid, 0, str_find(jid, '@'));
}

static struct str domain_of(struct str jid)
{
	size_t at = str_find(jid, '@');
	return at < jid.n ? str_sub(jid, at + 1, jid.n) : STR_NONE;
}

static enum service kind_of(const struct jval *account)
{
	enum service service;
	if (service_parse(jval_str(jval_getc(account, "kind")), &service))
		return service;
	struct str node = node_of(jval_str(jval_getc(account, "jid")));
	for (size_t i = 0; i < USUAL; i++) {
		if (str_eq_ascii_nocase(node, str_c(usual[i].node)))
			return usual[i].service;
	}
	return SERVICE_OTHER;
}

/* Its domain: as written, else by its kind. */
static struct str home_of(const struct config_set *s, const struct jval *account)
{
	struct str domain = domain_of(jval_str(jval_getc(account, "jid")));
	enum service kind = kind_of(account);
	bool hidden = kind == SERVICE_RECORDER || kind == SERVICE_TRANSCRIBER;
	if (!str_absent(domain))
		return domain;
	return set_str(s, hidden ? KEY_HIDDEN_DOMAIN : KEY_AUTH_DOMAIN);
}

static bool is_jid(struct str s)
{
	struct arena a;
	struct jid jid;
	char text[1100];
	int n = snprintf(text, sizeof text, "%.*s%s", STR_FMT(str_sub(s, 0, 1023)),
	        str_find(s, '@') < s.n ? "" : "@x");
	arena_init(&a, 0);
	bool fine = n > 0 && jid_parse(str_from(text, (size_t)n), &a, &jid) == 0 &&
	            !str_absent(jid.node) && str_absent(jid.resource);
	arena_done(&a);
	return fine;
}

static bool account_check(const struct jval *list, size_t i, struct value_fault *f)
{
	const struct jval *j = jval_at(list, i);
	const struct jval *password = jval_getc(j, "password");
	const struct jval *file = jval_getc(j, "password_file");
	const struct jval *kind = jval_getc(j, "kind");
	struct str jid = jval_str(jval_getc(j, "jid"));
	enum service service;
	int item = (int)i;
	if (!members_only(j, "jid password password_file kind", item, f))
		return false;
	if (!is_jid(jid))
		value_fault_set(f, item,
		        "item %zu: jid must be an account as focus@auth.meet.jitsi, or focus "
		        "alone",
		        i + 1);
	else if (kind && !service_parse(jval_str(kind), &service))
		value_fault_set(f, item,
		        "item %zu: kind must be focus, bridge, jibri, recorder, jigasi, "
		        "transcriber or other",
		        i + 1);
	else if (!password == !file)
		value_fault_set(f, item, "item %zu: give password or password_file", i + 1);
	else if (password && (!jval_str(password).n || jval_str(password).n > PASSWORD_MAX))
		value_fault_set(f, item, "item %zu: password must be a text of 1 to %d bytes",
		        i + 1, PASSWORD_MAX);
	else if (file && !jval_str(file).n)
		value_fault_set(f, item, "item %zu: password_file must be a path", i + 1);
	else
		return true;
	return false;
}

bool accounts_check(const struct jval *j, struct value_fault *f)
{
	if (!objects_only(j, ACCOUNTS_MAX, f))
		return false;
	for (size_t i = 0; i < jval_size(j); i++) {
		if (!account_check(j, i, f))
			return false;
	}
	return true;
}

/* docker-jitsi-meet's variables: a service has an account when it has a password. */
static void put_account(struct docker *d, const struct usual *u, struct jval *list)
{
	const struct env_var *password = env_get(d->env, u->password);
	const struct env_var *user = u->user ? env_get(d->env, u->user) : NULL;
	if (user)
		docker_say(d, u->user, password ? "accounts" : NULL,
		        password ? DOCKER_HONOURED : DOCKER_IGNORED, 0, "%s%s",
		        password ? "" : "there is no account without ",
		        password ? "" : u->password);
	if (!password)
		return;
	struct str name = user && user->value.n ? user->value : str_c(u->node);
	struct jval *account = jval_new_object();
	if (!account || !jval_set(account, "jid", jval_new_str(name)) ||
	        !jval_set(account, "kind", jval_new_str(str_c(service_name(u->service)))) ||
	        !jval_set(account, "password", jval_new_str(password->value))) {
		jval_free(account);
		d->report->nomem = true;
		return;
	}
	if (!jval_append(list, account))
		d->report->nomem = true;
	bool wins = docker_overridden(d, KEY_ACCOUNTS);
	docker_say(d, u->password, "accounts", wins ? DOCKER_IGNORED : DOCKER_HONOURED, 0,
	        wins ? "ACCOUNTS wins over %s" : "%s may log in on the domain of services",
	        wins ? u->password : service_name(u->service));
}

void docker_accounts(struct docker *d)
{
	struct jval *list = jval_new_array();
	if (!list) {
		d->report->nomem = true;
		return;
	}
	for (size_t i = 0; i < USUAL; i++)
		put_account(d, &usual[i], list);
	struct set_source src = {CONFIG_DERIVED, "*_PASSWORD", "", 0};
	if (jval_size(list))
		set_put_json(d->set, KEY_ACCOUNTS, list, &src, d->report);
	jval_free(list);
}

bool docker_is_account(const char *name)
{
	for (size_t i = 0; i < USUAL; i++) {
		if (strcmp(name, usual[i].password) == 0 ||
		        (usual[i].user && strcmp(name, usual[i].user) == 0))
			return true;
	}
	return false;
}

/* Against each other. A domain of people must not become one of services: everybody there would
 * have to know a password, or be exempt from the rule of roles. */
static bool is_of_people(const struct config_set *s, struct str domain)
{
	static const enum config_key keys[] = {KEY_DOMAIN, KEY_GUEST_DOMAIN, KEY_MUC_DOMAIN};
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		struct str other = set_str(s, keys[i]);
		if (!str_absent(other) && str_eq_ascii_nocase(domain, other))
			return true;
	}
	return false;
}

static void fault(struct config_set *s, struct config_report *r, enum config_key key, size_t item,
        const char *why)
{
	const struct config_value *v = set_value(s, key);
	char at[32] = "";
	if (item)
		snprintf(at, sizeof at, "item %zu: ", item);
	report_fatal(r, schema_row(key)->key, v->file ? v->file : "", v->line, "%s%s", at, why);
}

static bool is_twice(const struct config_set *s, const struct jval *list, size_t i)
{
	const struct jval *one = jval_at(list, i);
	struct str node = node_of(jval_str(jval_getc(one, "jid")));
	for (size_t k = 0; k < i; k++) {
		const struct jval *other = jval_at(list, k);
		if (str_eq_ascii_nocase(node, node_of(jval_str(jval_getc(other, "jid")))) &&
		        str_eq_ascii_nocase(home_of(s, one), home_of(s, other)))
			return true;
	}
	return false;
}

/* A focus outside has to be able to log in, under the name that clients are told. */
static void judge_focus(struct config_set *s, struct config_report *r)
{
	const struct jval *list = set_json(s, KEY_ACCOUNTS);
	bool found = false;
	if (!set_word_is(s, KEY_FOCUS, "external"))
		return;
	for (size_t i = 0; i < jval_size(list); i++) {
		const struct jval *j = jval_at(list, i);
		found = found ||
		        (kind_of(j) == SERVICE_FOCUS &&
		                str_eqc(node_of(jval_str(jval_getc(j, "jid"))), "focus") &&
		                str_eq_ascii_nocase(home_of(s, j), set_str(s, KEY_AUTH_DOMAIN)));
	}
	if (!found)
		fault(s, r, KEY_FOCUS, 0,
		        "external needs an account focus of kind focus on auth_domain "
		        "(JICOFO_AUTH_PASSWORD, or accounts)");
	if (set_true(s, KEY_HTTP_CONFERENCE_REQUEST))
		fault(s, r, KEY_HTTP_CONFERENCE_REQUEST, 0,
		        "is served by a focus inside only: with focus=external clients ask by "
		        "XMPP");
}

void accounts_judge(struct config_set *s, struct config_report *r)
{
	static const enum config_key domains[] = {
	        KEY_AUTH_DOMAIN, KEY_HIDDEN_DOMAIN, KEY_INTERNAL_MUC_DOMAIN};
	const struct jval *list = set_json(s, KEY_ACCOUNTS);
	struct str auth = set_str(s, KEY_AUTH_DOMAIN), hidden = set_str(s, KEY_HIDDEN_DOMAIN);
	for (size_t i = 0; i < 3; i++) {
		bool counts = set_given(s, domains[i]) || jval_size(list);
		if (counts && is_of_people(s, set_str(s, domains[i])))
			fault(s, r, domains[i], 0,
			        "is a domain of people or of their rooms: services need one of "
			        "their own");
	}
	for (size_t i = 0; i < jval_size(list); i++) {
		struct str home = home_of(s, jval_at(list, i));
		if (!str_eq_ascii_nocase(home, auth) && !str_eq_ascii_nocase(home, hidden))
			fault(s, r, KEY_ACCOUNTS, i + 1, "must be on auth_domain or hidden_domain");
		else if (is_twice(s, list, i))
			fault(s, r, KEY_ACCOUNTS, i + 1, "this account is there twice");
	}
	judge_focus(s, r);
}

static bool fill_one(struct config_set *s, const struct jval *j, struct account_settings *out)
{
	struct jid jid;
	struct str home = home_of(s, j);
	char *text = arena_printf(&s->arena, "%.*s@%.*s",
	        STR_FMT(node_of(jval_str(jval_getc(j, "jid")))), STR_FMT(home));
	if (!text || jid_parse(str_c(text), &s->arena, &jid) != 0)
		return false;
	*out = (struct account_settings){.node = jid.node,
	        .domain = jid.domain,
	        .password = jval_str(jval_getc(j, "password")),
	        .service = kind_of(j)};
	return true;
}

bool accounts_fill(struct config_set *s, struct server_settings *out)
{
	const struct jval *list = set_json(s, KEY_ACCOUNTS);
	size_t n = jval_size(list);
	struct account_settings *v = arena_alloc(&s->arena, (n ? n : 1) * sizeof *v);
	for (size_t i = 0; v && i < n; i++) {
		if (!fill_one(s, jval_at(list, i), &v[i]))
			return false;
	}
	out->accounts = v;
	out->n_accounts = n;
	return v != NULL;
}

void config_forget_passwords(const struct config *c)
{
	for (int layer = 0; c->set && layer < CONFIG_ORIGINS; layer++) {
		const struct jval *list = c->set->layer[layer][KEY_ACCOUNTS].json;
		for (size_t i = 0; i < jval_size(list); i++) {
			struct str p = jval_str(jval_getc(jval_at(list, i), "password"));
			if (p.n)
				explicit_bzero((char *)(uintptr_t)p.p, p.n);
		}
	}
}
