/* judge.c - settings against each other: contradictions, what cannot start, what ought to be known.
 * pure */
#include <stdio.h>

#include "base/utf8.h"
#include "config/report.h"
#include "config/set.h"
#include "config/value.h"

struct judge {
	struct config_set *s;
	struct config_report *r;
	bool jwt;
};

static void fatal(struct judge *j, enum config_key key, const char *why)
{
	const struct config_value *v = set_value(j->s, key);
	report_fatal(j->r, schema_row(key)->key, v->file ? v->file : "", v->line, "%s", why);
}

static void warn(struct judge *j, enum config_key key, unsigned bit, const char *why)
{
	const struct config_value *v = set_value(j->s, key);
	report_add(j->r,
	        &(struct config_line){.severity = CONFIG_WARN,
	                .warning = bit,
	                .key = schema_row(key)->key,
	                .file = v->file ? v->file : "",
	                .line = v->line},
	        "%s", why);
}

static bool present(const struct judge *j, enum config_key key)
{
	const struct jval *v = set_json(j->s, key);
	return jval_is_string(v) ? jval_str(v).n > 0 : jval_size(v) > 0;
}

/* Both written by hand in the same place: nobody can tell which was meant. */
static bool same_place(const struct judge *j, enum config_key a, enum config_key b)
{
	return set_given(j->s, a) && set_origin(j->s, a) == set_origin(j->s, b);
}

static bool secret_there(const struct judge *j)
{
	return present(j, KEY_APP_SECRET) || present(j, KEY_APP_SECRET_FILE) || j->s->secret;
}

static void key_source(struct judge *j)
{
	static const struct {
		const char *word, *missing;
		enum config_key key;
	} sources[] = {
	        {"file", "is missing: key_source=file needs key files", KEY_KEY_FILES},
	        {"keyserver", "is missing: key_source=keyserver needs its URL", KEY_KEY_SERVER},
	        {"jwks", "is missing: key_source=jwks needs a URL or file", KEY_JWKS},
	};
	bool secret = set_word_is(j->s, KEY_KEY_SOURCE, "secret");
	if (present(j, KEY_KEY_SERVER) && present(j, KEY_JWKS)) {
		fatal(j, KEY_JWKS, "key_server and jwks are both set: name one source of keys");
		return;
	}
	for (size_t i = 0; i < 3; i++) {
		bool chosen = set_word_is(j->s, KEY_KEY_SOURCE, sources[i].word);
		if (chosen && !present(j, sources[i].key) && !j->s->vectors &&
		        !present(j, KEY_ISSUERS))
			fatal(j, sources[i].key, sources[i].missing);
		if (!chosen && present(j, sources[i].key) &&
		        (same_place(j, KEY_KEY_SOURCE, sources[i].key) ||
		                !set_given(j->s, KEY_KEY_SOURCE)) &&
		        set_origin(j->s, sources[i].key) != CONFIG_DERIVED)
			fatal(j, sources[i].key, "contradicts key_source: name one source of keys");
	}
	if (secret && !secret_there(j) && !j->s->vectors && !present(j, KEY_ISSUERS))
		fatal(j, KEY_APP_SECRET,
		        "is missing: without a key no token can be verified. Set app_secret "
		        "(JWT_APP_SECRET) or "
		        "app_secret_file, or name a source of public keys");
	if (!secret && secret_there(j) && !j->s->docker)
		warn(j, KEY_APP_SECRET, 0,
		        "is not used: with a source of public keys only those count");
	if (same_place(j, KEY_APP_SECRET, KEY_APP_SECRET_FILE))
		fatal(j, KEY_APP_SECRET_FILE, "contradicts app_secret: give one of the two");
}

/* HS with public keys, anything else with a secret: no such token can ever be good. */
static void algorithms(struct judge *j)
{
	const struct jval *list = set_json(j->s, KEY_ALGS);
	bool secret = set_word_is(j->s, KEY_KEY_SOURCE, "secret");
	for (size_t i = 0; i < jval_size(list) && !present(j, KEY_ISSUERS); i++) {
		enum token_alg alg = token_alg_parse(jval_str(jval_at(list, i)));
		if ((token_alg_family(alg) == TOKEN_FAMILY_HMAC) == secret)
			continue;
		char text[200];
		snprintf(text, sizeof text, "%s has no key: %s", token_alg_name(alg),
		        secret ? "a secret serves HS256, HS384 and HS512"
		               : "public keys do not serve HS algorithms");
		if (set_origin(j->s, KEY_ALGS) == CONFIG_DERIVED)
			fatal(j, KEY_ALGS, text);
		else
			warn(j, KEY_ALGS, 0, text);
	}
}

static bool weak(struct str secret)
{
	return !str_absent(secret) && secret.n < 32;
}

static void secrets(struct judge *j)
{
	static const char *const text =
	        "is shorter than 32 bytes: it can be guessed by trying; make a longer random one";
	const struct jval *issuers = set_json(j->s, KEY_ISSUERS);
	struct str secret = jval_str(j->s->secret);
	if (str_absent(secret))
		secret = set_str(j->s, KEY_APP_SECRET);
	if (set_word_is(j->s, KEY_KEY_SOURCE, "secret") && weak(secret))
		warn(j, j->s->secret ? KEY_APP_SECRET_FILE : KEY_APP_SECRET, W_WEAK_SECRET, text);
	for (size_t i = 0; i < jval_size(issuers); i++) {
		if (weak(jval_str(jval_getc(jval_at(issuers, i), "app_secret"))))
			warn(j, KEY_ISSUERS, W_WEAK_SECRET,
			        "an app_secret in it is shorter than 32 bytes");
	}
}

static const char *issuer_source(const struct jval *issuer)
{
	struct str source = jval_str(jval_getc(issuer, "key_source"));
	if (!str_absent(source))
		return source.p;
	if (jval_getc(issuer, "key_server"))
		return "keyserver";
	if (jval_getc(issuer, "jwks"))
		return "jwks";
	return jval_getc(issuer, "key_files") ? "file" : "secret";
}

static void issuers(struct judge *j)
{
	static const char *const sources[] = {"secret", "file", "keyserver", "jwks"};
	static const char *const members[] = {"app_secret", "key_files", "key_server", "jwks"};
	const struct jval *list = set_json(j->s, KEY_ISSUERS);
	for (size_t i = 0; i < jval_size(list); i++) {
		const struct jval *issuer = jval_at(list, i);
		char text[120];
		for (size_t k = 0; k < 4; k++) {
			bool chosen = strcmp(issuer_source(issuer), sources[k]) == 0;
			snprintf(text, sizeof text, "item %zu: %s %s", i + 1, members[k],
			        chosen ? "is missing" : "contradicts its key_source");
			if (chosen && !jval_getc(issuer, members[k]) && !j->s->vectors)
				fatal(j, KEY_ISSUERS, text);
			else if (!chosen && k > 0 && jval_getc(issuer, members[k]))
				fatal(j, KEY_ISSUERS, text);
		}
	}
}

/* Who could change the answer of a key server makes tokens (roles.md 1.4). */
static void plain_http(struct judge *j)
{
	const struct jval *list = set_json(j->s, KEY_ISSUERS);
	static const char *const text =
	        "is not https: whoever is on the way could make tokens. Use https, or set "
	        "key_plain_http=true";
	bool allowed = set_true(j->s, KEY_KEY_PLAIN_HTTP);
	bool server = set_word_is(j->s, KEY_KEY_SOURCE, "keyserver");
	if (!allowed && server && !value_url_private(set_str(j->s, KEY_KEY_SERVER)))
		fatal(j, KEY_KEY_SERVER, text);
	if (!allowed && set_word_is(j->s, KEY_KEY_SOURCE, "jwks") &&
	        !value_url_private(set_str(j->s, KEY_JWKS)))
		fatal(j, KEY_JWKS, text);
	for (size_t i = 0; i < jval_size(list) && !allowed; i++) {
		const struct jval *issuer = jval_at(list, i);
		if (!value_url_private(jval_str(jval_getc(issuer, "key_server"))) ||
		        !value_url_private(jval_str(jval_getc(issuer, "jwks"))))
			fatal(j, KEY_ISSUERS, text);
	}
}

static bool public_keys(const struct judge *j)
{
	const struct jval *list = set_json(j->s, KEY_ISSUERS);
	for (size_t i = 0; i < jval_size(list); i++) {
		if (strcmp(issuer_source(jval_at(list, i)), "secret") != 0)
			return true;
	}
	return !set_word_is(j->s, KEY_KEY_SOURCE, "secret");
}

static void claim_rules(struct judge *j)
{
	const struct jval *rules = set_json(j->s, KEY_CLAIM_RULES);
	bool grants = false;
	for (size_t i = 0; i < jval_size(rules); i++)
		grants = grants || str_eqc(jval_str(jval_getc(jval_at(rules, i), "then")), "grant");
	if (grants && public_keys(j) && set_list_has(j->s, KEY_ACCEPTED_AUDIENCES, "*"))
		fatal(j, KEY_CLAIM_RULES,
		        "a grant rule with public keys needs accepted_audiences: with \"*\" every "
		        "application of that "
		        "issuer could make moderators");
	if (jval_size(rules) == 0 && set_word_is(j->s, KEY_CLAIM_RULES_ELSE, "deny"))
		warn(j, KEY_CLAIM_RULES_ELSE, 0, "does nothing: there are no claim_rules");
}

static void token_section(struct judge *j)
{
	bool nobody = !present(j, KEY_ACCEPTED_ISSUERS) && !present(j, KEY_ISSUERS);
	key_source(j);
	algorithms(j);
	secrets(j);
	issuers(j);
	plain_http(j);
	if (!j->s->vectors && j->s->docker && !present(j, KEY_APP_ID) && !present(j, KEY_ISSUERS))
		fatal(j, KEY_APP_ID, "is missing: set JWT_APP_ID");
	else if (!j->s->vectors && nobody)
		fatal(j, KEY_APP_ID,
		        "is missing: without it, or accepted_issuers, no token can be accepted");
	if (set_list_has(j->s, KEY_ACCEPTED_ISSUERS, "*"))
		warn(j, KEY_ACCEPTED_ISSUERS, 0,
		        "\"*\" accepts tokens of every issuer who knows a key");
	if (!set_true(j->s, KEY_REQUIRE_ROOM) && !set_true(j->s, KEY_ROOM_WILDCARD))
		warn(j, KEY_REQUIRE_ROOM, 0,
		        "does nothing: a token without a room counts as *, which "
		        "room_wildcard=false "
		        "refuses");
}

static void role_section(struct judge *j)
{
	bool guests = set_true(j->s, KEY_ALLOW_GUESTS);
	if (!j->jwt && !guests)
		fatal(j, KEY_ALLOW_GUESTS, "contradicts auth=none: nobody could connect");
	if (set_word_is(j->s, KEY_ROOM_CREATE, "moderators") &&
	        set_word_is(j->s, KEY_ROLE_MODE, "none"))
		fatal(j, KEY_ROOM_CREATE, "contradicts role_mode=none: nobody could open a room");
	if (!j->jwt && set_word_is(j->s, KEY_ROOM_CREATE, "authenticated"))
		warn(j, KEY_ROOM_CREATE, 0,
		        "with auth=none nobody is authenticated: nobody can open a room");
	if (!j->jwt && (set_word_is(j->s, KEY_ROLE_MODE, "token") ||
	                       set_word_is(j->s, KEY_ROLE_MODE, "authenticated")))
		warn(j, KEY_ROLE_MODE, 0,
		        "with auth=none there are no tokens: nobody will moderate");
	if (j->jwt && guests && set_word_is(j->s, KEY_ROLE_MODE, "everyone"))
		warn(j, KEY_ROLE_MODE, W_DENY_EVADABLE,
		        "somebody whose token says no can come back without it and moderate: "
		        "allow_guests=false closes that");
	if (set_true(j->s, KEY_DISABLE_GRANT_MODERATOR) &&
	        same_place(j, KEY_DISABLE_GRANT_MODERATOR, KEY_RUNTIME_GRANT) &&
	        !set_word_is(j->s, KEY_RUNTIME_GRANT, "never"))
		fatal(j, KEY_RUNTIME_GRANT,
		        "contradicts disable_grant_moderator: the server would refuse what this "
		        "allows");
	claim_rules(j);
}

static void name_section(struct judge *j)
{
	static const enum config_key suffixes[] = {KEY_CLASH_SUFFIX, KEY_CLASH_SUFFIX_USER};
	int64_t most = jval_integer(set_json(j->s, KEY_NAME_MAX));
	for (size_t i = 0; i < 2; i++) {
		struct str suffix = set_str(j->s, suffixes[i]);
		if ((int64_t)utf8_units16(suffix) >= most)
			warn(j, suffixes[i], 0,
			        "leaves no room for the name: it should be shorter than name_max");
	}
}

/* Each its own. */
static void port_section(struct judge *j)
{
	static const enum config_key keys[] = {
	        KEY_HTTP_PORT, KEY_HTTPS_PORT, KEY_XMPP_PORT, KEY_XMPP_TLS_PORT};
	for (size_t i = 1; i < sizeof keys / sizeof *keys; i++) {
		int64_t port = jval_integer(set_json(j->s, keys[i]));
		for (size_t k = 0; port && k < i; k++) {
			if (port != jval_integer(set_json(j->s, keys[k])))
				continue;
			char text[64];
			snprintf(text, sizeof text, "must be another one than %s",
			        schema_row(keys[k])->key);
			fatal(j, keys[i], text);
		}
	}
}

static void tls_section(struct judge *j)
{
	size_t certificates = jval_size(set_json(j->s, KEY_TLS_CERTIFICATE));
	size_t keys = jval_size(set_json(j->s, KEY_TLS_KEY));
	int64_t port = jval_integer(set_json(j->s, KEY_HTTPS_PORT));
	bool self_signed = set_true(j->s, KEY_TLS_SELF_SIGNED);
	if (port && !certificates && !self_signed)
		fatal(j, KEY_HTTPS_PORT,
		        "needs a certificate: set tls_certificate and tls_key, or tls_self_signed: "
		        "true for a trial");
	if (keys && keys != certificates)
		fatal(j, KEY_TLS_KEY, "must name one key for each tls_certificate");
	if (certificates > TLS_CERTIFICATES_MAX)
		fatal(j, KEY_TLS_CERTIFICATE, "names more than 64 files");
	if (certificates && self_signed)
		fatal(j, KEY_TLS_SELF_SIGNED, "contradicts tls_certificate: give one of the two");
	bool nowhere = !port && !str_starts(set_str(j->s, KEY_PUBLIC_URL), STR("https://"));
	if (!set_true(j->s, KEY_HTTP_REDIRECT) || !nowhere)
		return;
	static const char *const why = "has no HTTPS to send to: set https_port, or a public_url "
	                               "that begins with https://";
	if (set_origin(j->s, KEY_HTTP_REDIRECT) == CONFIG_DERIVED)
		warn(j, KEY_HTTP_REDIRECT, 0, why);
	else
		fatal(j, KEY_HTTP_REDIRECT, why);
}

/* It becomes a header line and an attribute. */
static void name_of_place(struct judge *j, enum config_key key)
{
	struct str v = set_str(j->s, key);
	for (size_t i = 0; i < v.n; i++) {
		char low = ascii_lower(v.p[i]);
		if (!(low >= 'a' && low <= 'z') && !(low >= '0' && low <= '9') &&
		        !(low && strchr("._-", low))) {
			fatal(j, key,
			        "may hold letters, digits, dots, dashes and underscores only");
			return;
		}
	}
}

static void web_section(struct judge *j)
{
	if (present(j, KEY_CONFIG_JS) && !present(j, KEY_WEB_ROOT))
		warn(j, KEY_CONFIG_JS, 0, "is not used: it belongs to web_root");
	if (present(j, KEY_WEB_FOLDER) && present(j, KEY_WEB_ROOT))
		fatal(j, KEY_WEB_FOLDER, "contradicts web_root: give one of the two");
	name_of_place(j, KEY_SHARD);
	name_of_place(j, KEY_REGION);
}

static void limit_section(struct judge *j)
{
	int64_t wanted = jval_integer(set_json(j->s, KEY_MAX_OCCUPANTS));
	if (wanted > jval_integer(set_json(j->s, KEY_OCCUPANTS_PER_ROOM)))
		warn(j, KEY_MAX_OCCUPANTS, 0,
		        "is more than occupants_per_room, which is the bound");
	if (jval_integer(set_json(j->s, KEY_LOGIN_STANZA_BYTES)) >
	        jval_integer(set_json(j->s, KEY_STANZA_BYTES)))
		fatal(j, KEY_LOGIN_STANZA_BYTES,
		        "is more than stanza_bytes: strangers may not send more than clients");
}

/* With one that browsers cannot read they refuse the whole list, and no call begins. */
static void stun_section(struct judge *j)
{
	const struct jval *list = set_json(j->s, KEY_STUN_SERVERS);
	for (size_t i = 0; i < jval_size(list); i++) {
		struct extdisco_service one;
		char text[80];
		snprintf(text, sizeof text, "item %zu: must be stun:host:port", i + 1);
		if (extdisco_parse(jval_str(jval_at(list, i)), &one) || !str_eqc(one.type, "stun"))
			fatal(j, KEY_STUN_SERVERS, text);
	}
}

static void ice_section(struct judge *j)
{
	const struct jval *list = set_json(j->s, KEY_ICE_SERVERS);
	struct extdisco_service one;
	bool turn = false;
	for (size_t i = 0; i < jval_size(list); i++) {
		char text[120];
		int err = extdisco_parse(jval_str(jval_at(list, i)), &one);
		snprintf(text, sizeof text,
		        "item %zu: must be stun:host:port, turn:host:port?transport=udp (or tcp) "
		        "or turns:host:port",
		        i + 1);
		if (err)
			fatal(j, KEY_ICE_SERVERS, text);
		turn = turn || (!err && !str_eqc(one.type, "stun"));
	}
	bool made = present(j, KEY_TURN_SECRET), fixed = present(j, KEY_TURN_PASSWORD);
	if (turn && !made && !(fixed && present(j, KEY_TURN_USERNAME)))
		warn(j, KEY_ICE_SERVERS, 0,
		        "names a TURN server without credentials for it: set turn_secret, or "
		        "turn_username and turn_password");
	if (made && fixed)
		warn(j, KEY_TURN_PASSWORD, 0, "does nothing: turn_secret makes passwords");
	if (!turn && (made || fixed))
		warn(j, made ? KEY_TURN_SECRET : KEY_TURN_PASSWORD, 0,
		        "does nothing: ice_servers names no TURN server");
}

static void start(struct judge *j)
{
	if (set_word_is(j->s, KEY_BEFORE_HOST, "lobby"))
		warn(j, KEY_BEFORE_HOST, 0,
		        "the lobby is not served yet: counts as refuse, people wait for the host "
		        "outside");
	if (set_true(j->s, KEY_LOBBY))
		warn(j, KEY_LOBBY, 0, "the lobby is not served yet: off");
	if (set_true(j->s, KEY_LOBBY_AUTOSTART))
		warn(j, KEY_LOBBY_AUTOSTART, 0,
		        "the lobby is not served yet: off, everybody gets in who may join");
	if (!present(j, KEY_STATE_DIRECTORY))
		fatal(j, KEY_STATE_DIRECTORY,
		        "is not known: set STATE_DIRECTORY, XDG_STATE_HOME or HOME");
	if (!present(j, KEY_BIND))
		fatal(j, KEY_BIND, "names no address to listen on");
}

void set_judge(struct config_set *s, bool need_start, struct config_report *r)
{
	struct judge j = {.s = s, .r = r, .jwt = set_word_is(s, KEY_AUTH, "jwt")};
	if (j.jwt)
		token_section(&j);
	role_section(&j);
	name_section(&j);
	accounts_judge(s, r);
	port_section(&j);
	tls_section(&j);
	limit_section(&j);
	web_section(&j);
	stun_section(&j);
	ice_section(&j);
	if (need_start)
		start(&j);
}
