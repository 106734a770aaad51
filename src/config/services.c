/* services.c - admins and allow-lists of a docker .env: services may stand there, human domains may
 * not. pure */
#include <stdio.h>

#include "config/docker.h"
#include "config/report.h"

static bool is_human(const struct docker *d, struct str entry)
{
	struct str domain = set_str(d->set, KEY_DOMAIN);
	struct str guest = set_str(d->set, KEY_GUEST_DOMAIN);
	char usual[260];
	if (str_absent(domain))
		domain = str_c(schema_row(KEY_DOMAIN)->fallback);
	snprintf(usual, sizeof usual, "guest.%.*s", STR_FMT(str_sub(domain, 0, 253)));
	size_t at = str_find(entry, '@');
	struct str host = at < entry.n ? str_sub(entry, at + 1, entry.n) : entry;
	host = str_sub(host, 0, str_find(host, '/'));
	return str_eqc(entry, "*") || str_eq_ascii_nocase(host, domain) ||
	       str_eq_ascii_nocase(host, str_c(usual)) ||
	       (!str_absent(guest) && str_eq_ascii_nocase(host, guest));
}

static bool refuse(struct docker *d, const char *name, struct str entry, int line)
{
	if (!is_human(d, entry))
		return false;
	report_fatal(d->report, name, line ? d->env->file : "", line,
	        "\"%.*s\" is a domain of people, who would all be exempt: "
	        "only services may stand here",
	        STR_FMT(str_sub(entry, 0, 100)));
	return true;
}

/* said: it is a key, and has its line. */
static void variable(struct docker *d, const char *name, bool said)
{
	const struct env_var *v = env_get(d->env, name);
	bool refused = false;
	if (!v)
		return;
	for (struct str rest = v->value; !str_absent(rest);) {
		struct str entry = str_trim(str_split(&rest, ','));
		refused = (entry.n && refuse(d, name, entry, v->line)) || refused;
	}
	if (!refused && !said)
		docker_say(d, name, NULL, DOCKER_HONOURED, 0, "for service identities only");
}

static void option(struct docker *d, const char *name)
{
	struct str text = env_str(&d->options, name);
	bool refused = false;
	if (str_absent(text))
		text = env_str(&d->globals, name);
	if (str_absent(text))
		return;
	struct jval *list = jval_parse(text, 2, NULL);
	if (!list) {
		refused = refuse(d, name, text, 0);
	}
	for (size_t i = 0; i < jval_size(list); i++)
		refused = refuse(d, name, jval_str(jval_at(list, i)), 0) || refused;
	if (!refused)
		report_info(
		        d->report, 0, name, "%s -> (honoured): for service identities only", name);
	jval_free(list);
}

void docker_services(struct docker *d)
{
	static const char *const variables[] = {
	        "PROSODY_ADMINS", "XMPP_HIDDEN_DOMAIN", "XMPP_RECORDER_DOMAIN"};
	static const char *const options[] = {"token_verification_allowlist",
	        "muc_access_whitelist", "muc_lobby_whitelist", "muc_password_whitelist"};
	for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
		variable(d, variables[i], i > 0);
	for (size_t i = 0; i < sizeof options / sizeof *options; i++)
		option(d, options[i]);
}
