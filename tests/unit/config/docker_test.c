/* docker_test.c - docker-jitsi-meet's variables: every row of roles.md 5, and the six rules of
 * role_mode. io */
#include <stdio.h>

#include "config/report.h"
#include "config/set.h"
#include "support/unit.h"

/* The variables of a usual jwt set-up, for vectors written as C strings. */
#define JWT                                                                                        \
	"\"ENABLE_AUTH\":\"1\",\"AUTH_TYPE\":\"jwt\",\"JWT_APP_ID\":\"a\","                        \
	"\"JWT_APP_SECRET\":\"0123456789abcdef0123456789abcdef\""

static struct config c;
static struct config_report r;

static int derive(const char *env, const char *file)
{
	struct jval *e = jval_parse(str_c(env), 8, NULL);
	struct jval *f = file ? jval_parse(str_c(file), 8, NULL) : NULL;
	if (!e || (file && !f))
		fail_msg("bad JSON: %s %s", env, file ? file : "");
	config_report_init(&r);
	int err = config_derive_env(&c, e, f, &r);
	jval_free(e);
	jval_free(f);
	return err;
}

static void done(void)
{
	config_free(&c);
	config_report_free(&r);
}

static bool said(const char *part)
{
	for (size_t i = 0; i < r.n; i++) {
		struct buf b;
		buf_init(&b, 0);
		config_line_write(&r.lines[i], &b);
		bool found = strstr(b.p ? b.p : "", part) != NULL;
		buf_done(&b);
		if (found)
			return true;
	}
	return false;
}

static void all_said(void)
{
	for (size_t i = 0; i < r.n; i++)
		print_message("# %s: %s\n", r.lines[i].key, r.lines[i].text);
}

/* effective: JSON of the keys that must come out. warnings: bits that must be there. */
static void gives_with(const char *env, const char *file, const char *effective, unsigned warnings)
{
	struct jval *want = jval_parse(str_c(effective), 8, NULL);
	if (derive(env, file)) {
		all_said();
		fail_msg("refused: %s", env);
	}
	struct jval *got = config_effective_json(&c);
	void *it = NULL;
	struct str key;
	const struct jval *value;
	assert_non_null(want);
	while (jval_each(want, &it, &key, &value)) {
		if (!jval_equal(value, jval_get(got, key))) {
			all_said();
			fail_msg("%s: %.*s differs", env, STR_FMT(key));
		}
	}
	if ((r.warnings & warnings) != warnings) {
		all_said();
		fail_msg("%s: warnings %x, want %x", env, r.warnings, warnings);
	}
	jval_free(want);
	jval_free(got);
}

static void gives(const char *env, const char *effective, unsigned warnings)
{
	gives_with(env, NULL, effective, warnings);
	done();
}

static void lacks(const char *env, unsigned warning)
{
	if (derive(env, NULL))
		fail_msg("refused: %s", env);
	if (r.warnings & warning) {
		all_said();
		fail_msg("%s: warnings %x have %x", env, r.warnings, warning);
	}
	done();
}

static void refuses(const char *env, const char *part)
{
	if (derive(env, NULL) == 0)
		fail_msg("taken: %s", env);
	if (!r.fatal || !said(part)) {
		all_said();
		fail_msg("%s: \"%s\" was not said", env, part);
	}
	done();
}

static void says(const char *env, const char *part)
{
	if (derive(env, NULL)) {
		all_said();
		fail_msg("refused: %s", env);
	}
	if (!said(part)) {
		all_said();
		fail_msg("%s: \"%s\" was not said", env, part);
	}
	done();
}

static void rule_1_role_mode_is_set(void **state)
{
	(void)state;
	gives("{" JWT ",\"ROLE_MODE\":\"authenticated\",\"JICOFO_ENABLE_AUTH\":\"0\"}",
	        "{\"role_mode\":\"authenticated\"}", W_ENV_IGNORED);
	gives("{\"ENABLE_AUTH\":\"0\",\"ROLE_MODE\":\"everyone\"}", "{\"role_mode\":\"everyone\"}",
	        0);
	says("{" JWT ",\"ROLE_MODE\":\"token\"}", "ROLE_MODE=token -> role_mode (honoured)");
	lacks("{" JWT ",\"ROLE_MODE\":\"token\",\"NAME_MODE\":\"free\"}", W_ENV_CHANGED);
	refuses("{" JWT ",\"ROLE_MODE\":\"tokens\"}", "did you mean token?");
}

static void rule_2_without_authentication(void **state)
{
	(void)state;
	gives("{}",
	        "{\"auth\":\"none\",\"role_mode\":\"first-user\",\"allow_guests\":true,\"room_"
	        "create\":"
	        "\"anyone\"}",
	        0);
	gives("{\"ENABLE_AUTH\":\"\"}", "{\"auth\":\"none\"}", 0);
	gives("{\"ENABLE_AUTH\":\"False\"}",
	        "{\"auth\":\"none\",\"on_last_moderator_left\":\"elect\"}", 0);
	gives("{\"ENABLE_AUTO_OWNER\":\"0\"}",
	        "{\"role_mode\":\"none\",\"on_last_moderator_left\":\"keep\"}", 0);
	gives("{\"ENABLE_AUTO_OWNER\":\"0\",\"XMPP_MUC_MODULES\":\"muc_allowners\"}",
	        "{\"role_mode\":\"everyone\"}", 0);
	gives("{\"DISABLE_AUTO_OWNER\":\"true\"}", "{\"role_mode\":\"none\"}", 0);
	gives("{\"XMPP_MUC_MODULES\":\"token_affiliation\"}", "{\"role_mode\":\"first-user\"}",
	        W_ENV_IGNORED);
	gives("{\"XMPP_MUC_MODULES\":\"owner_restricted\"}",
	        "{\"role_mode\":\"first-user\",\"on_last_moderator_left\":\"end\",\"end_after\":"
	        "120}",
	        0);
	gives("{\"ENABLE_GUESTS\":\"0\",\"JWT_ALLOW_EMPTY\":\"0\",\"JWT_APP_ID\":\"x\",\"AUTH_"
	      "TYPE\":"
	      "\"ldap\"}",
	        "{\"auth\":\"none\",\"allow_guests\":true,\"app_id\":null}", 0);
}

static void rule_3_modules_of_the_token(void **state)
{
	(void)state;
	static const char *const modules[] = {"token_affiliation", "token_affiliation_legacy",
	        "token_moderation", "token_owner_party", " token_affiliation , muc_meeting_id"};
	for (size_t i = 0; i < sizeof modules / sizeof *modules; i++) {
		char env[400];
		snprintf(env, sizeof env, "{" JWT ",\"XMPP_MUC_MODULES\":\"%s\"}", modules[i]);
		gives(env, "{\"role_mode\":\"token\"}", 0);
		lacks(env, W_ENV_CONFLICT);
		says(env, "JICOFO_ENABLE_AUTH is not set");
	}
	gives("{" JWT ",\"XMPP_MUC_MODULES\":\"token_affiliation\",\"JICOFO_ENABLE_AUTH\":\"1\"}",
	        "{\"role_mode\":\"token\"}", W_ENV_CONFLICT);
	gives("{" JWT ",\"XMPP_MUC_MODULES\":\"token_affiliation\",\"ENABLE_AUTO_OWNER\":\"1\"}",
	        "{\"role_mode\":\"token\"}", W_ENV_CONFLICT);
	gives("{" JWT ",\"XMPP_MUC_MODULES\":\"token_affiliation,muc_allowners\"}",
	        "{\"role_mode\":\"token\"}", W_ENV_CONFLICT);
	gives("{" JWT ",\"XMPP_MUC_MODULES\":\"token_affiliation,muc_wait_for_host\"}",
	        "{\"role_mode\":\"token\"}", W_ENV_CONFLICT);
	lacks("{" JWT ",\"XMPP_MUC_MODULES\":\"token_affiliation,muc_wait_for_host\","
	      "\"WAIT_FOR_HOST_DISABLE_AUTO_OWNERS\":\"1\"}",
	        W_ENV_CONFLICT);
	lacks("{" JWT ",\"XMPP_MUC_MODULES\":\"token_affiliation,muc_wait_for_host\","
	      "\"XMPP_MUC_CONFIGURATION\":\"wait_for_host_disable_auto_owners = true\"}",
	        W_ENV_CONFLICT);
	gives("{" JWT ",\"XMPP_MODULES\":\"token_affiliation\"}", "{\"role_mode\":\"token\"}",
	        W_ENV_CHANGED | W_ENV_IGNORED);
}

static void rule_4_everyone(void **state)
{
	(void)state;
	gives("{" JWT ",\"XMPP_MUC_MODULES\":\"muc_allowners\"}", "{\"role_mode\":\"everyone\"}",
	        0);
	lacks("{" JWT ",\"XMPP_MUC_MODULES\":\"muc_allowners\"}", W_DENY_EVADABLE);
	gives("{" JWT ",\"XMPP_MUC_MODULES\":\"muc_allowners\",\"ENABLE_GUESTS\":\"t\"}",
	        "{\"role_mode\":\"everyone\"}", W_DENY_EVADABLE);
	gives("{" JWT ",\"XMPP_MUC_MODULES\":\"muc_allowners\",\"XMPP_MUC_CONFIGURATION\":"
	      "\"allowners_moderated_rooms = { \\\"a\\\", \\\"b\\\" }; "
	      "allowners_moderated_subdomains = "
	      "{'t'}\"}",
	        "{\"moderated_rooms\":[\"a\",\"b\"],\"moderated_tenants\":[\"t\"]}", 0);
}

static void rule_5_only_the_first_user_is_left(void **state)
{
	(void)state;
	gives("{" JWT ",\"JICOFO_ENABLE_AUTH\":\"0\"}",
	        "{\"role_mode\":\"first-user\",\"on_last_moderator_left\":\"elect\"}", 0);
	lacks("{" JWT ",\"JICOFO_ENABLE_AUTH\":\"0\",\"NAME_MODE\":\"free\"}",
	        W_ENV_CONFLICT | W_ENV_CHANGED);
	gives("{" JWT ",\"JICOFO_ENABLE_AUTH\":\"0\",\"ENABLE_AUTO_OWNER\":\"1\",\"XMPP_MODULES\":"
	      "\"frozen_nick\"}",
	        "{\"role_mode\":\"first-user\"}", W_ENV_CONFLICT);
	gives("{" JWT ",\"JICOFO_ENABLE_AUTH\":\"0\",\"XMPP_MUC_MODULES\":\"token_lobby_bypass\"}",
	        "{\"role_mode\":\"first-user\"}", W_ENV_CONFLICT);
	gives("{" JWT ",\"JICOFO_ENABLE_AUTH\":\"0\",\"CLAIM_PATHS\":\"$\"}",
	        "{\"role_mode\":\"first-user\",\"claim_paths\":[\"$\"]}", W_ENV_CONFLICT);
	lacks("{" JWT ",\"JICOFO_ENABLE_AUTH\":\"0\",\"XMPP_MUC_MODULES\":\"token_verification\"}",
	        W_ENV_CONFLICT);
	gives("{" JWT ",\"JICOFO_ENABLE_AUTH\":\"0\",\"XMPP_MUC_MODULES\":\"muc_wait_for_host\"}",
	        "{\"role_mode\":\"token\"}", W_ENV_CHANGED);
	gives("{" JWT ",\"JICOFO_ENABLE_AUTH\":\"0\",\"XMPP_MUC_MODULES\":\"muc_wait_for_host\","
	      "\"WAIT_FOR_HOST_DISABLE_AUTO_OWNERS\":\"1\"}",
	        "{\"role_mode\":\"first-user\"}", 0);
}

static void rule_6_the_usual_set_up(void **state)
{
	(void)state;
	gives("{" JWT "}",
	        "{\"role_mode\":\"token\",\"name_mode\":\"frozen\",\"allow_guests\":false}",
	        W_ENV_CHANGED);
	says("{" JWT "}", "set ROLE_MODE=authenticated to keep that");
	says("{" JWT ",\"JICOFO_ENABLE_AUTH\":\"0\",\"ENABLE_AUTO_OWNER\":\"0\"}",
	        "set ROLE_MODE=none to keep that");
	says("{" JWT ",\"JICOFO_ENABLE_AUTH\":\"1\",\"ENABLE_AUTO_OWNER\":\"0\"}",
	        "set ROLE_MODE=authenticated to keep that");
	says("{" JWT
	     ",\"JICOFO_ENABLE_AUTH\":\"0\",\"ENABLE_AUTO_OWNER\":\"0\",\"XMPP_MUC_MODULES\":\"muc_"
	     "wait_for_host\"}",
	        "set ROLE_MODE=authenticated to keep that");
}

static void names_freeze_and_it_is_said(void **state)
{
	(void)state;
	says("{" JWT "}", "set NAME_MODE=free to keep typed names");
	gives("{" JWT ",\"NAME_MODE\":\"free\"}", "{\"name_mode\":\"free\"}", 0);
	gives("{" JWT ",\"PROFILE\":\"jitsi\"}",
	        "{\"name_mode\":\"per-claim\",\"lobby_bypass\":\"never\","
	        "\"claim_conflict\":\"grant\",\"guest_clash\":\"allow\",\"outcast_claim\":"
	        "\"member\"}",
	        0);
	gives("{" JWT ",\"PROFILE\":\"jitsi\",\"XMPP_MODULES\":\"frozen_nick\"}",
	        "{\"name_mode\":\"frozen\"}", 0);
	gives("{" JWT ",\"PROFILE\":\"jitsi\",\"CLAIM_CONFLICT\":\"deny\"}",
	        "{\"claim_conflict\":\"deny\"}", 0);
}

static void other_authentication_refuses_to_start(void **state)
{
	(void)state;
	static const char *const types[] = {
	        "internal", "ldap", "matrix", "hybrid_matrix_token", "JWT", "token"};
	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		char env[300];
		snprintf(env, sizeof env,
		        "{\"ENABLE_AUTH\":\"1\",\"AUTH_TYPE\":\"%s\",\"JWT_APP_ID\":\"a\"}",
		        types[i]);
		refuses(env, "only jwt is");
		snprintf(env, sizeof env, "{" JWT ",\"PROSODY_AUTH_TYPE\":\"%s\"}", types[i]);
		refuses(env, "only jwt is");
	}
	refuses("{\"ENABLE_AUTH\":\"1\",\"JWT_APP_ID\":\"a\",\"JWT_APP_SECRET\":\"x\"}",
	        "AUTH_TYPE");
	refuses("{" JWT ",\"JWT_AUTH_TYPE\":\"mytoken\"}", "JWT_AUTH_TYPE");
	refuses("{" JWT ",\"JWT_TOKEN_AUTH_MODULE\":\"mine\"}", "JWT_TOKEN_AUTH_MODULE");
	refuses("{" JWT ",\"PROSODY_GUEST_AUTH_TYPE\":\"internal\"}", "guests are anonymous");
	gives("{" JWT
	      ",\"JWT_AUTH_TYPE\":\"token\",\"JWT_TOKEN_AUTH_MODULE\":\"token_verification\","
	      "\"PROSODY_GUEST_AUTH_TYPE\":\"jitsi-anonymous\"}",
	        "{\"auth\":\"jwt\"}", 0);
	gives("{" JWT ",\"PROSODY_AUTH_TYPE\":\"jwt\"}", "{\"auth\":\"jwt\"}", 0);
	gives("{\"AUTH\":\"jwt\",\"APP_ID\":\"a\",\"APP_SECRET\":"
	      "\"0123456789abcdef0123456789abcdef\"}",
	        "{\"auth\":\"jwt\"}", 0);
}

static void keys_of_tokens(void **state)
{
	(void)state;
	refuses("{\"ENABLE_AUTH\":\"1\",\"AUTH_TYPE\":\"jwt\",\"JWT_APP_ID\":\"a\"}", "app_secret");
	refuses("{\"ENABLE_AUTH\":\"1\",\"AUTH_TYPE\":\"jwt\",\"JWT_APP_SECRET\":\"a\"}",
	        "JWT_APP_ID");
	gives("{\"ENABLE_AUTH\":\"1\",\"AUTH_TYPE\":\"jwt\",\"JWT_APP_ID\":\"a\",\"JWT_APP_"
	      "SECRET\":"
	      "\"short\"}",
	        "{}", W_WEAK_SECRET);
	lacks("{" JWT "}", W_WEAK_SECRET);
	gives("{" JWT ",\"JWT_ASAP_KEYSERVER\":\"https://keys.example.com/\"}",
	        "{\"key_source\":\"keyserver\","
	        "\"key_server\":\"https://keys.example.com\",\"algs\":[\"RS256\"]}",
	        W_ENV_CONFLICT);
	gives("{" JWT ",\"JWT_JWKS_URL\":\"https://x/jwks\"}", "{\"key_source\":\"jwks\"}",
	        W_ENV_CONFLICT);
	gives("{" JWT ",\"XMPP_CONFIGURATION\":\"cache_keys_url = 'https://x/jwks'\"}",
	        "{\"key_source\":\"jwks\",\"jwks\":\"https://x/jwks\"}", W_ENV_CONFLICT);
	refuses("{" JWT
	        ",\"JWT_ASAP_KEYSERVER\":\"https://k\",\"JWT_JWKS_URL\":\"https://x/jwks\"}",
	        "one source of keys");
	refuses("{" JWT ",\"JWT_SIGN_TYPE\":\"RS256\"}", "RS256 has no key");
	refuses("{" JWT ",\"JWT_SIGN_TYPE\":\"HS512\",\"JWT_ASAP_KEYSERVER\":\"https://k\"}",
	        "HS512 has no key");
	refuses("{" JWT ",\"JWT_SIGN_TYPE\":\"none\"}", "never accepted");
	gives("{" JWT ",\"JWT_SIGN_TYPE\":\"HS512\"}", "{\"algs\":[\"HS512\"]}", 0);
	gives("{" JWT ",\"JWT_ACCEPTED_ISSUERS\":\"x, y\",\"JWT_ACCEPTED_AUDIENCES\":\"z\"}",
	        "{\"accepted_issuers\":[\"x\",\"y\"],\"accepted_audiences\":[\"z\"]}", 0);
	gives("{" JWT "}",
	        "{\"accepted_issuers\":[\"a\"],\"accepted_audiences\":[\"*\"],\"require_exp\":"
	        "false}",
	        0);
	gives("{" JWT ",\"JWT_ENABLE_DOMAIN_VERIFICATION\":\"true\"}",
	        "{\"domain_verification\":true}", 0);
	gives("{" JWT ",\"REQUIRE_ROOM\":\"0\"}", "{\"require_room\":false}", 0);
	gives("{" JWT ",\"XMPP_CONFIGURATION\":\"asap_require_room_claim = false\"}",
	        "{\"require_room\":false}", 0);
	gives("{" JWT ",\"JWT_ACCEPTED_ALLOWNER_ISSUERS\":\"x\"}", "{\"allowner_issuers\":[\"x\"]}",
	        0);
}

static void guests(void **state)
{
	(void)state;
	gives("{" JWT ",\"ENABLE_GUESTS\":\"1\"}",
	        "{\"allow_guests\":true,\"before_host\":\"refuse\"}", 0);
	gives("{" JWT ",\"JWT_ALLOW_EMPTY\":\"1\",\"ROLE_MODE\":\"token\",\"NAME_MODE\":\"free\"}",
	        "{\"allow_guests\":true}", W_ENV_CHANGED);
	gives("{" JWT ",\"XMPP_CONFIGURATION\":\"allow_empty_token = true\"}",
	        "{\"allow_guests\":true}", W_ENV_CHANGED);
	gives("{" JWT ",\"ENABLE_GUESTS\":\"1\",\"ALLOW_GUESTS\":\"0\"}",
	        "{\"allow_guests\":false}", 0);
	gives("{" JWT ",\"ENABLE_GUESTS\":\"1\",\"XMPP_MUC_MODULES\":\"muc_wait_for_host\"}",
	        "{\"allow_guests\":true,\"before_host\":\"lobby\"}", 0);
	gives("{" JWT ",\"ENABLE_GUESTS\":\"1\",\"XMPP_GUEST_DOMAIN\":\"guest.meet.jitsi\"}",
	        "{\"guest_domain\":\"guest.meet.jitsi\"}", 0);
}

static void modules_become_keys(void **state)
{
	(void)state;
	gives("{" JWT ",\"XMPP_MUC_MODULES\":\"token_moderation\"}",
	        "{\"claim_paths\":[\"context.user\",\"$\"]}", 0);
	gives("{" JWT ",\"XMPP_MUC_MODULES\":\"token_owner_party\"}",
	        "{\"room_create\":\"moderators\",\"on_last_moderator_left\":\"end\",\"end_after\":"
	        "60}",
	        0);
	gives("{" JWT
	      ",\"XMPP_MUC_MODULES\":\"token_owner_party\",\"XMPP_MUC_CONFIGURATION\":\"party_"
	      "check_timeout = 30\"}",
	        "{\"end_after\":30}", 0);
	gives("{" JWT ",\"XMPP_MUC_MODULES\":\"owner_restricted\",\"XMPP_MUC_CONFIGURATION\":"
	      "\"role_timeout = 5\"}",
	        "{\"on_last_moderator_left\":\"end\",\"end_after\":5}", 0);
	gives("{" JWT ",\"XMPP_MUC_MODULES\":\"token_no_wildcard\"}", "{\"room_wildcard\":false}",
	        0);
	gives("{" JWT ",\"XMPP_MUC_MODULES\":\"token_lobby_bypass\"}", "{\"bypass_claims\":true}",
	        0);
	gives("{" JWT ",\"XMPP_MUC_MODULES\":\"token_security_ondemand\"}",
	        "{\"bypass_claims\":true}", 0);
	gives("{" JWT ",\"XMPP_MUC_MODULES\":\"token_lobby_ondemand\"}", "{\"bypass_claims\":true}",
	        0);
	gives("{" JWT ",\"XMPP_MUC_MODULES\":\"lobby_autostart\"}", "{\"lobby_autostart\":true}",
	        0);
	gives("{" JWT ",\"XMPP_MUC_MODULES\":\"lobby_deactivate\"}", "{\"lobby_autostart\":true}",
	        0);
	gives("{" JWT ",\"XMPP_MUC_MODULES\":\"persistent_lobby,access_token,my_own\"}", "{}",
	        W_ENV_IGNORED);
	says("{" JWT ",\"XMPP_MUC_MODULES\":\"token_afiliation\"}",
	        "did you mean token_affiliation?");
	says("{" JWT ",\"XMPP_MUC_MODULES\":\"my_own\"}", "module my_own");
}

static void other_rows(void **state)
{
	(void)state;
	gives("{" JWT ",\"MAX_PARTICIPANTS\":\"20\"}", "{\"max_occupants\":20}", 0);
	gives("{" JWT ",\"XMPP_MUC_CONFIGURATION\":\"muc_max_occupants = 7\"}",
	        "{\"max_occupants\":7}", 0);
	gives("{" JWT ",\"DISABLE_GRANT_MODERATOR\":\"1\"}",
	        "{\"disable_grant_moderator\":true,\"runtime_grant\":\"never\"}", 0);
	gives("{" JWT ",\"DISABLE_GRANT_MODERATOR\":\"0\"}", "{\"runtime_grant\":\"allow\"}", 0);
	gives("{" JWT
	      ",\"DISABLE_KICKOUT\":\"1\",\"DISABLE_PROFILE\":\"1\",\"ENABLE_PREJOIN_PAGE\":\"0\"}",
	        "{\"disable_kickout\":true,\"disable_profile\":true,\"prejoin\":false}", 0);
	gives("{" JWT
	      ",\"TOKEN_AUTH_URL\":\"https://login/{room}\",\"PUBLIC_URL\":\"meet.example.com\"}",
	        "{\"token_auth_url\":\"https://login/{room}\",\"public_url\":\"https://"
	        "meet.example.com\",\"public_host\":\"meet.example.com\"}",
	        0);
	gives("{" JWT ",\"XMPP_DOMAIN\":\"my.org\"}",
	        "{\"domain\":\"my.org\",\"muc_domain\":\"muc.my.org\",\"auth_domain\":\"auth.my."
	        "org\"}",
	        0);
	gives("{" JWT ",\"XMPP_MUC_DOMAIN\":\"rooms.my.org\"}", "{\"muc_domain\":\"rooms.my.org\"}",
	        0);
	gives("{" JWT ",\"ENABLE_VISITORS\":\"1\"}", "{}", W_ENV_IGNORED);
	gives("{" JWT ",\"ENABLE_JAAS_COMPONENTS\":\"1\"}", "{}", W_ENV_IGNORED);
	gives("{" JWT ",\"JICOFO_AUTH_TYPE\":\"internal\"}", "{}", W_ENV_IGNORED);
	gives("{" JWT ",\"JICOFO_AUTH_LIFETIME\":\"24 hours\"}", "{}", W_ENV_IGNORED);
	gives("{" JWT ",\"MATRIX_UVS_URL\":\"x\",\"LDAP_URL\":\"y\"}", "{}", W_ENV_IGNORED);
	gives("{" JWT ",\"VISITORS_MAX_PARTICIPANTS\":\"5\"}", "{}", W_ENV_IGNORED);
	gives("{" JWT ",\"ENABLE_LOBBY\":\"1\"}", "{\"lobby\":true}", 0);
	gives("{" JWT ",\"XMPP_CONFIGURATION\":\"my_option = 5\"}", "{}", W_ENV_IGNORED);
	gives("{" JWT ",\"XMPP_CONFIGURATION\":\"app_id = os.getenv('X')\"}", "{\"app_id\":\"a\"}",
	        W_ENV_IGNORED);
	gives("{" JWT ",\"XMPP_CONFIGURATION\":\"app_id = 'b'\"}", "{\"app_id\":\"b\"}",
	        W_ENV_CONFLICT);
	gives("{" JWT ",\"GLOBAL_CONFIG\":\"app_id = 'b'\\\\nallow_empty_token = true\"}",
	        "{\"app_id\":\"a\",\"allow_guests\":true}", 0);
	gives("{" JWT ",\"XMPP_CONFIGURATION\":\"token_verification_require_token_for_moderation = "
	      "false\"}",
	        "{}", W_ENV_CHANGED);
}

static void people_are_not_exempt(void **state)
{
	(void)state;
	refuses("{" JWT ",\"PROSODY_ADMINS\":\"root@meet.jitsi\"}", "domain of people");
	refuses("{" JWT ",\"XMPP_HIDDEN_DOMAIN\":\"meet.jitsi\"}", "domain of people");
	refuses("{" JWT ",\"XMPP_MUC_CONFIGURATION\":\"muc_lobby_whitelist = {'meet.jitsi'}\"}",
	        "domain of people");
	refuses("{" JWT ",\"XMPP_DOMAIN\":\"my.org\",\"GLOBAL_CONFIG\":\"muc_access_whitelist = "
	        "{'x.my.org', 'MY.org'}\"}",
	        "domain of people");
	refuses("{" JWT
	        ",\"XMPP_GUEST_DOMAIN\":\"visitors.org\",\"PROSODY_ADMINS\":\"a@visitors.org\"}",
	        "domain of people");
	gives("{" JWT ",\"PROSODY_ADMINS\":\"focus@auth.meet.jitsi\",\"XMPP_HIDDEN_DOMAIN\":"
	      "\"hidden.meet.jitsi\","
	      "\"XMPP_MUC_CONFIGURATION\":\"muc_lobby_whitelist = {'recorder.meet.jitsi'}\"}",
	        "{}", 0);
}

static void every_boolean_is_spelled_right_or_refused(void **state)
{
	(void)state;
	static const char *const names[] = {"ENABLE_AUTH", "JICOFO_ENABLE_AUTH",
	        "ENABLE_AUTO_OWNER", "DISABLE_AUTO_OWNER", "ENABLE_AUTO_LOGIN",
	        "ENABLE_MODERATOR_CHECKS", "WAIT_FOR_HOST_DISABLE_AUTO_OWNERS", "ENABLE_GUESTS",
	        "JWT_ALLOW_EMPTY", "JWT_ENABLE_DOMAIN_VERIFICATION", "ENABLE_AUTH_DOMAIN",
	        "ENABLE_SUBDOMAINS", "ENABLE_LOBBY", "ENABLE_BREAKOUT_ROOMS",
	        "ENABLE_AV_MODERATION", "ENABLE_END_CONFERENCE", "PROSODY_RESERVATION_ENABLED",
	        "ENABLE_PREJOIN_PAGE", "HIDE_PREJOIN_DISPLAY_NAME", "ENABLE_REQUIRE_DISPLAY_NAME",
	        "DISABLE_PROFILE", "DISABLE_GRANT_MODERATOR", "DISABLE_KICKOUT", "ENABLE_VISITORS",
	        "ENABLE_JAAS_COMPONENTS", "PROSODY_ENABLE_MUC_RESOURCE_VALIDATE", "REQUIRE_EXP",
	        "ALLOW_GUESTS"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		char env[300];
		bool auth = strcmp(names[i], "ENABLE_AUTH") == 0;
		snprintf(env, sizeof env, "{%s%s\"%s\":\"yes\"}", auth ? "" : JWT, auth ? "" : ",",
		        names[i]);
		refuses(env, names[i]);
		snprintf(env, sizeof env, "{%s%s\"%s\":\"\"}", auth ? "" : JWT, auth ? "" : ",",
		        names[i]);
		gives(env, "{}", 0);
	}
	refuses("{\"ENABLE_AUTH\":\"0\",\"JWT_ENABLE_DOMAIN_VERIFICATION\":\"on\"}",
	        "JWT_ENABLE_DOMAIN_VERIFICATION");
}

static void the_order_of_sources(void **state)
{
	(void)state;
	gives_with("{" JWT "}", "{\"role_mode\":\"everyone\",\"app_id\":\"file\",\"leeway\":9}",
	        "{\"role_mode\":\"token\",\"app_id\":\"a\",\"leeway\":9}", 0);
	assert_true(said("the environment (JWT_APP_ID) wins over this line"));
	done();
	gives_with("{" JWT ",\"LEEWAY\":\"7\",\"APP_ID\":\"own\"}", "{\"leeway\":9}",
	        "{\"leeway\":7,\"app_id\":\"own\"}", 0);
	assert_true(said("JWT_APP_ID=a -> app_id=a (ignored): APP_ID wins"));
	done();
	gives_with("{" JWT "}", "{\"name_mode\":\"free\"}", "{\"name_mode\":\"free\"}", 0);
	done();
}

static void secrets_are_never_shown(void **state)
{
	(void)state;
	static const char *const env =
	        "{\"ENABLE_AUTH\":\"1\",\"AUTH_TYPE\":\"jwt\",\"JWT_APP_ID\":\"a\",\"JWT_APP_"
	        "SECRET\":"
	        "\"hush\","
	        "\"APP_SECRET\":\"hush\",\"ISSUERS\":\"[{\\\"iss\\\":\\\"i\\\",\\\"app_secret\\\":"
	        "\\\"hush\\\"}]\","
	        "\"XMPP_CONFIGURATION\":\"app_secret = "
	        "'hush'\",\"TURN_SECRET\":\"hush\",\"JIBRI_XMPP_PASSWORD\":\"hush\"}";
	struct buf b;
	assert_int_equal(derive(env, NULL), 0);
	assert_str(c.token.keys.app_secret, "hush");
	assert_str(c.token.issuers[0].keys.app_secret, "hush");
	buf_init(&b, 0);
	config_print(&c, &r, &b);
	struct jval *j = config_print_json(&c, &r);
	jval_write(j, &b);
	assert_false(b.failed);
	assert_null(strstr(b.p, "hush"));
	jval_free(j);
	buf_done(&b);
	done();
}

UNIT_MAIN(cmocka_unit_test(rule_1_role_mode_is_set),
        cmocka_unit_test(rule_2_without_authentication),
        cmocka_unit_test(rule_3_modules_of_the_token), cmocka_unit_test(rule_4_everyone),
        cmocka_unit_test(rule_5_only_the_first_user_is_left),
        cmocka_unit_test(rule_6_the_usual_set_up), cmocka_unit_test(names_freeze_and_it_is_said),
        cmocka_unit_test(other_authentication_refuses_to_start), cmocka_unit_test(keys_of_tokens),
        cmocka_unit_test(guests), cmocka_unit_test(modules_become_keys),
        cmocka_unit_test(other_rows), cmocka_unit_test(people_are_not_exempt),
        cmocka_unit_test(every_boolean_is_spelled_right_or_refused),
        cmocka_unit_test(the_order_of_sources), cmocka_unit_test(secrets_are_never_shown))
