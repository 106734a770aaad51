/* defaults.c - what a key is when nobody said: from the schema, the profile, or other keys. pure */
#include <stdio.h>

#include "config/set.h"

static bool put(struct config_set *s, enum config_origin origin, enum config_key key,
        const char *text, const char *from)
{
	struct value_fault f;
	struct jval *value = value_parse(schema_row(key), str_c(text), &f);
	return set_put(s, key, value, &(struct set_source){origin, from, "", 0});
}

static bool put_default(
        struct config_set *s, enum config_key key, const char *text, const char *from)
{
	return put(s, CONFIG_DEFAULT, key, text, from);
}

static bool from_schema(struct config_set *s)
{
	for (int k = 0; k < KEY_COUNT; k++) {
		const char *fallback = schema_row((enum config_key)k)->fallback;
		if (fallback && !put_default(s, (enum config_key)k, fallback, ""))
			return false;
	}
	return true;
}

static bool from_profile(struct config_set *s)
{
	static const struct {
		enum config_key key;
		const char *word;
	} jitsi[] = {{KEY_LOBBY_BYPASS, "never"}, {KEY_NAME_MODE, "per-claim"},
	        {KEY_CLAIM_CONFLICT, "grant"}, {KEY_GUEST_CLASH, "allow"},
	        {KEY_OUTCAST_CLAIM, "member"}};
	if (!set_word_is(s, KEY_PROFILE, "jitsi"))
		return true;
	for (size_t i = 0; i < sizeof jitsi / sizeof *jitsi; i++) {
		if (!put(s, CONFIG_PROFILE, jitsi[i].key, jitsi[i].word, "jitsi"))
			return false;
	}
	return true;
}

static bool role_defaults(struct config_set *s)
{
	bool open = set_word_is(s, KEY_AUTH, "none");
	const char *because = open ? "auth=none" : "";
	if (!put_default(s, KEY_ROLE_MODE, open ? "first-user" : "token", because) ||
	        !put_default(s, KEY_ALLOW_GUESTS, open ? "true" : "false", because) ||
	        !put_default(s, KEY_ROOM_CREATE, open ? "anyone" : "authenticated", because))
		return false;
	bool first = set_word_is(s, KEY_ROLE_MODE, "first-user");
	bool fixed = set_true(s, KEY_DISABLE_GRANT_MODERATOR);
	return put_default(s, KEY_ON_LAST_MODERATOR_LEFT, first ? "elect" : "keep",
	               first ? "role_mode=first-user" : "") &&
	       put_default(s, KEY_RUNTIME_GRANT, fixed ? "never" : "allow",
	               fixed ? "disable_grant_moderator" : "");
}

static bool key_defaults(struct config_set *s)
{
	const char *source = "secret", *from = "";
	if (!str_absent(set_str(s, KEY_KEY_SERVER))) {
		source = "keyserver";
		from = "key_server";
	} else if (!str_absent(set_str(s, KEY_JWKS))) {
		source = "jwks";
		from = "jwks";
	} else if (jval_size(set_json(s, KEY_KEY_FILES))) {
		source = "file";
		from = "key_files";
	}
	if (!put_default(s, KEY_KEY_SOURCE, source, from))
		return false;
	bool secret = set_word_is(s, KEY_KEY_SOURCE, "secret");
	if (!put_default(s, KEY_ALGS, secret ? "HS256" : "RS256", secret ? "" : "key_source"))
		return false;
	struct str app_id = set_str(s, KEY_APP_ID);
	struct jval *issuers = jval_new_array();
	if (issuers && app_id.n && !jval_append(issuers, jval_new_str(app_id))) {
		jval_free(issuers);
		return false;
	}
	return set_put(s, KEY_ACCEPTED_ISSUERS, issuers,
	        &(struct set_source){CONFIG_DEFAULT, app_id.n ? "app_id" : "", "", 0});
}

static bool name_defaults(struct config_set *s, const char *state_directory)
{
	char text[300];
	struct str domain = set_str(s, KEY_DOMAIN);
	struct str host = value_url_host(set_str(s, KEY_PUBLIC_URL));
	snprintf(text, sizeof text, "muc.%.*s", STR_FMT(str_sub(domain, 0, 249)));
	if (!put_default(s, KEY_MUC_DOMAIN, text, "domain"))
		return false;
	snprintf(text, sizeof text, "auth.%.*s", STR_FMT(str_sub(domain, 0, 248)));
	if (!put_default(s, KEY_AUTH_DOMAIN, text, "domain"))
		return false;
	snprintf(text, sizeof text, "hidden.%.*s", STR_FMT(str_sub(domain, 0, 246)));
	if (!put_default(s, KEY_HIDDEN_DOMAIN, text, "domain"))
		return false;
	snprintf(text, sizeof text, "internal-muc.%.*s", STR_FMT(str_sub(domain, 0, 240)));
	if (!put_default(s, KEY_INTERNAL_MUC_DOMAIN, text, "domain"))
		return false;
	if (value_domain(host)) {
		snprintf(text, sizeof text, "%.*s", STR_FMT(host));
		if (!put_default(s, KEY_PUBLIC_HOST, text, "public_url"))
			return false;
	}
	return !state_directory || !*state_directory ||
	       put_default(s, KEY_STATE_DIRECTORY, state_directory, "");
}

/* docker-jitsi-meet's web server makes itself a certificate when it has none. */
static bool tls_defaults(struct config_set *s)
{
	bool docker = set_origin(s, KEY_HTTPS_PORT) == CONFIG_DERIVED &&
	              jval_integer(set_json(s, KEY_HTTPS_PORT)) > 0 &&
	              jval_size(set_json(s, KEY_TLS_CERTIFICATE)) == 0;
	return put_default(
	        s, KEY_TLS_SELF_SIGNED, docker ? "true" : "false", docker ? "HTTPS_PORT" : "");
}

bool set_defaults(struct config_set *s, const char *state_directory)
{
	return from_schema(s) && from_profile(s) && role_defaults(s) && key_defaults(s) &&
	       name_defaults(s, state_directory) && tls_defaults(s);
}
