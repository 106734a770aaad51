/* modules.c - the modules that a docker .env loads, and what we do in their place. pure */
#include <stdio.h>

#include "config/docker.h"
#include "config/report.h"

/* These act without tokens too. */
#define MODULES_WITHOUT_AUTH                                                                       \
	(MODULE_MUC_ALLOWNERS | MODULE_OWNER_RESTRICTED | MODULE_LOBBY_AUTOSTART |                 \
	        MODULE_SERVICES_PUSH)

enum effect {
	BUILT_IN,     /* we do it anyway */
	FLAGGED,      /* sets its bit; the line is written by whoever reads it */
	REFUSED_TYPE, /* belongs to another authentication type */
	LATER,        /* not served yet */
	NOTHING,      /* ignored, with the reason */
};

struct module {
	const char *name;
	enum effect effect;
	unsigned bit;
	bool muc_only; /* makes moderators: counts only where stock Jitsi would load it */
	const char *text;
};

static const struct module modules[] = {
        {"token_affiliation", FLAGGED, MODULE_TOKEN_AFFILIATION, true, "role_mode=token"},
        {"token_affiliation_legacy", FLAGGED, MODULE_TOKEN_AFFILIATION_LEGACY, true,
                "role_mode=token"},
        {"token_moderation", FLAGGED, MODULE_TOKEN_MODERATION, true,
                "role_mode=token claim_paths=context.user,$"},
        {"token_owner_party", FLAGGED, MODULE_TOKEN_OWNER_PARTY, true,
                "room_create=moderators on_last_moderator_left=end"},
        {"muc_allowners", FLAGGED, MODULE_MUC_ALLOWNERS, true, "role_mode=everyone"},
        {"muc_wait_for_host", FLAGGED, MODULE_WAIT_FOR_HOST, false, "before_host=lobby"},
        {"frozen_nick", FLAGGED, MODULE_FROZEN_NICK, false, "name_mode=frozen"},
        {"owner_restricted", FLAGGED, MODULE_OWNER_RESTRICTED, false, "on_last_moderator_left=end"},
        {"token_no_wildcard", FLAGGED, MODULE_NO_WILDCARD, false, "room_wildcard=false"},
        {"token_lobby_bypass", FLAGGED, MODULE_BYPASS, false, "bypass_claims=true"},
        {"token_security_ondemand", FLAGGED, MODULE_BYPASS, false, "bypass_claims=true"},
        {"token_lobby_ondemand", FLAGGED, MODULE_BYPASS, false, "bypass_claims=true"},
        {"lobby_autostart", FLAGGED, MODULE_LOBBY_AUTOSTART, false, "lobby_autostart=true"},
        {"token_lobby_autostart", FLAGGED, MODULE_LOBBY_AUTOSTART, false, "lobby_autostart=true"},
        {"lobby_autostart_on_owner", FLAGGED, MODULE_LOBBY_AUTOSTART, false,
                "lobby_autostart=true"},
        {"lobby_deactivate", FLAGGED, MODULE_LOBBY_AUTOSTART, false, "lobby_autostart=true"},
        {"token_lobby_bypass_for_initiator", FLAGGED, MODULE_LOBBY_AUTOSTART, false,
                "lobby_autostart=true"},
        {"jiconop", FLAGGED, MODULE_SERVICES_PUSH, false, "services_push=true"},
        {"jitsi_permissions", BUILT_IN, MODULE_PERMISSIONS, false, NULL},
        {"token_verification", BUILT_IN, 0, false, NULL},
        {"persistent_lobby", BUILT_IN, 0, false, "with the lobby, which is not served yet"},
        {"presence_identity", BUILT_IN, 0, false,
                "only the members that identity_fields names are shown"},
        {"muc_resource_validate", BUILT_IN, 0, false, NULL},
        {"muc_max_occupants", BUILT_IN, 0, false, NULL},
        {"muc_meeting_id", BUILT_IN, 0, false, NULL},
        {"muc_domain_mapper", BUILT_IN, 0, false, NULL},
        {"muc_password_whitelist", BUILT_IN, 0, false, NULL},
        {"muc_hide_all", BUILT_IN, 0, false, NULL},
        {"ping", BUILT_IN, 0, false, NULL},
        {"websocket", BUILT_IN, 0, false, NULL},
        {"per_room_max_occupants", LATER, 0, false, NULL},
        {"time_restricted", LATER, 0, false, NULL},
        {"per_room_time_restricted", LATER, 0, false, NULL},
        {"event_sync", LATER, 0, false, NULL},
        {"event_sync_component", LATER, 0, false, NULL},
        {"access_token", NOTHING, 0, false, "its default signing key is public knowledge"},
        {"secure_domain_lobby_bypass", REFUSED_TYPE, 0, false, "it belongs to internal passwords"},
        {"auth_hybrid_matrix_token", REFUSED_TYPE, 0, false, "it belongs to Matrix logins"},
};

static const struct module *find(struct str name)
{
	for (size_t i = 0; i < sizeof modules / sizeof *modules; i++) {
		if (str_eqc(name, modules[i].name))
			return &modules[i];
	}
	return NULL;
}

static const char *nearest(struct str name)
{
	const char *best = NULL;
	unsigned least = 3;
	for (size_t i = 0; i < sizeof modules / sizeof *modules; i++) {
		unsigned d = schema_distance(name, str_c(modules[i].name));
		if (d < least) {
			least = d;
			best = modules[i].name;
		}
	}
	return best;
}

static void unknown(struct docker *d, const char *list, struct str name)
{
	const char *near = nearest(name);
	if (str_starts(name, STR("matrix_"))) {
		report_warn(d->report, W_ENV_IGNORED, list,
		        "%s: module %.*s -> (ignored): it belongs to Matrix logins", list,
		        STR_FMT(str_sub(name, 0, 80)));
		return;
	}
	if (str_starts(name, STR("token_")))
		d->modules |= MODULE_OTHER_TOKEN;
	report_warn(d->report, W_ENV_IGNORED, list,
	        "%s: module %.*s -> (ignored): not known here%s%s%s", list,
	        STR_FMT(str_sub(name, 0, 80)), near ? " (did you mean " : "", near ? near : "",
	        near ? "?)" : "");
}

static void loaded(struct docker *d, const char *list, struct str name)
{
	const struct module *m = find(name);
	bool muc = strcmp(list, "XMPP_MUC_MODULES") == 0;
	if (!m) {
		unknown(d, list, name);
		return;
	}
	if (str_starts(name, STR("token_")) && m->effect == FLAGGED)
		d->modules |= MODULE_OTHER_TOKEN;
	if (m->muc_only && !muc) {
		report_warn(d->report, W_ENV_IGNORED, list,
		        "%s: module %s -> (ignored): it works in XMPP_MUC_MODULES only, in stock "
		        "Jitsi too",
		        list, m->name);
		return;
	}
	d->modules |= m->bit;
	switch (m->effect) {
	case BUILT_IN:
		report_info(d->report, 0, list, "%s: module %s -> built in (honoured)%s%s", list,
		        m->name, m->text ? ": " : "", m->text ? m->text : "");
		break;
	case LATER:
		report_warn(d->report, W_ENV_IGNORED, list,
		        "%s: module %s -> (ignored): not served yet", list, m->name);
		break;
	case NOTHING:
	case REFUSED_TYPE:
		report_warn(d->report, W_ENV_IGNORED, list, "%s: module %s -> (ignored): %s", list,
		        m->name, m->text);
		break;
	case FLAGGED:
		if (!d->jwt && !(m->bit & MODULES_WITHOUT_AUTH))
			report_warn(d->report, W_ENV_IGNORED, list,
			        "%s: module %s -> (ignored): there is no authentication", list,
			        m->name);
		break;
	}
}

static void end_meeting(struct docker *d)
{
	bool party = d->modules & MODULE_TOKEN_OWNER_PARTY;
	const char *name = party ? "token_owner_party" : "owner_restricted";
	const char *option = party ? "party_check_timeout" : "role_timeout";
	struct str wait = env_str(&d->options, option);
	char seconds[32];
	if (str_absent(wait))
		wait = env_str(&d->globals, option);
	snprintf(seconds, sizeof seconds, "%.*s",
	        STR_FMT(str_absent(wait) ? (party ? STR("60") : STR("120")) : wait));
	docker_put(d, KEY_ON_LAST_MODERATOR_LEFT, "end", name);
	docker_put(d, KEY_END_AFTER, seconds, name);
}

static void honour(struct docker *d, unsigned bit, enum config_key key, const char *value)
{
	for (size_t i = 0; i < sizeof modules / sizeof *modules; i++) {
		const struct module *m = &modules[i];
		if (m->bit != bit || !(d->modules & bit))
			continue;
		bool in_force = key == KEY_NONE || docker_put(d, key, value, m->name);
		report_info(d->report, 0, m->name, "module %s -> %s (%s)", m->name, m->text,
		        in_force ? "honoured" : "ignored");
		return;
	}
}

void docker_write_module_doc(struct buf *out)
{
	static const char *const verdicts[] = {
	        [BUILT_IN] = "built in",
	        [FLAGGED] = "",
	        [REFUSED_TYPE] = "ignored",
	        [LATER] = "ignored: not served yet",
	        [NOTHING] = "ignored",
	};
	for (size_t i = 0; i < sizeof modules / sizeof *modules; i++) {
		const struct module *m = &modules[i];
		bool both = m->text && *verdicts[m->effect];
		buf_printf(out, "| `%s` | %s%s%s%s |\n", m->name, verdicts[m->effect],
		        both ? ": " : "", m->text ? m->text : "",
		        m->muc_only ? " (in `XMPP_MUC_MODULES` only)" : "");
	}
}

void docker_modules(struct docker *d)
{
	static const char *const lists[] = {"XMPP_MODULES", "XMPP_MUC_MODULES",
	        "XMPP_LOBBY_MUC_MODULES", "XMPP_BREAKOUT_MUC_MODULES", "GLOBAL_MODULES"};
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
		struct str rest = env_str(d->env, lists[i]);
		for (unsigned n = 0; !str_absent(rest) && n < 200; n++) {
			struct str name = str_trim(str_split(&rest, ','));
			if (name.n)
				loaded(d, lists[i], name);
		}
	}
	if (!d->jwt)
		d->modules &= MODULES_WITHOUT_AUTH;
	honour(d, MODULE_TOKEN_MODERATION, KEY_CLAIM_PATHS, "[\"context.user\",\"$\"]");
	honour(d, MODULE_WAIT_FOR_HOST, KEY_BEFORE_HOST, "lobby");
	honour(d, MODULE_FROZEN_NICK, KEY_NAME_MODE, "frozen");
	honour(d, MODULE_NO_WILDCARD, KEY_ROOM_WILDCARD, "false");
	honour(d, MODULE_BYPASS, KEY_BYPASS_CLAIMS, "true");
	honour(d, MODULE_LOBBY_AUTOSTART, KEY_LOBBY_AUTOSTART, "true");
	honour(d, MODULE_SERVICES_PUSH, KEY_SERVICES_PUSH, "true");
	honour(d, MODULE_TOKEN_OWNER_PARTY, KEY_ROOM_CREATE, "moderators");
	honour(d, MODULE_OWNER_RESTRICTED, KEY_NONE, NULL);
	if (d->modules & (MODULE_TOKEN_OWNER_PARTY | MODULE_OWNER_RESTRICTED))
		end_meeting(d);
}
