/* load_test.c - from files and the environment to a start, or to a refusal with its reason. io */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "config/report.h"
#include "config/set.h"
#include "support/unit.h"

/* A variable as the process has it: not const. */
#define V(text) ((char[]){text})

#define SECRET "0123456789abcdef0123456789abcdef"
#define BASE "app_id: a\napp_secret: " SECRET "\n"

static char folder[64];
static char path[128];
static struct config c;
static struct config_report r;

static int make_folder(void **state)
{
	(void)state;
	size_t n = (size_t)snprintf(folder, sizeof folder, "/tmp/gavel-config-");
	memset(folder + n, 'X', 6); /* what mkdtemp replaces */
	folder[n + 6] = 0;
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	char command[128];
	snprintf(command, sizeof command, "rm -rf '%s'", folder);
	return system(command);
}

static const char *write_file(const char *name, const char *text)
{
	snprintf(path, sizeof path, "%s/%s", folder, name);
	FILE *f = fopen(path, "w");
	if (!f)
		fail_msg("cannot write %s", path);
	fputs(text, f);
	fclose(f);
	return path;
}

static int load(const char *text, char *const *environment, bool start)
{
	struct config_source src = {.environ = environment, .need_start = start};
	src.file = text ? write_file("gavel.yaml", text) : NULL;
	config_report_init(&r);
	return config_load(&c, &src, &r);
}

static void done(void)
{
	config_free(&c);
	config_report_free(&r);
}

static bool said(const char *part)
{
	bool found = false;
	for (size_t i = 0; i < r.n && !found; i++) {
		struct buf b;
		buf_init(&b, 0);
		config_line_write(&r.lines[i], &b);
		found = strstr(b.p ? b.p : "", part) != NULL;
		buf_done(&b);
	}
	return found;
}

static void must_say(const char *part)
{
	if (said(part))
		return;
	for (size_t i = 0; i < r.n; i++)
		print_message("# %s: %s\n", r.lines[i].key, r.lines[i].text);
	fail_msg("\"%s\" was not said", part);
}

static void refuses(const char *text, const char *part)
{
	if (load(text, NULL, false) != ERR_BADMSG)
		fail_msg("not refused: %s", text);
	must_say(part);
	done();
}

static void warns(const char *text, const char *part)
{
	if (load(text, NULL, false) != ERR_OK)
		fail_msg("refused: %s: %s", text, r.lines[0].text);
	must_say(part);
	done();
}

static char *const home[] = {V("HOME=/home/x"), NULL};

static void a_file_fills_the_settings(void **state)
{
	(void)state;
	assert_int_equal(load(BASE "role_mode: first-user\nallow_guests: true\nleeway: "
	                           "10\nrequire_room: false\n"
	                           "accepted_audiences: [jitsi, x]\nclaim_paths: [context.user, "
	                           "$]\nname_mode: "
	                           "per-claim\nmax_occupants: 12\n"
	                           "bind: [127.0.0.1]\nhttp_port: 0\nlog_level: debug\npublic_url: "
	                           "https://Meet.Example.com:8443/\n"
	                           "sessions: 17\nping_interval: 2m\nstun_servers: "
	                           "[\"stun:s:3478\"]\nalgs: [HS256, "
	                           "HS512]\n"
	                           "claim_rules:\n  - {path: realm.roles, op: has, value: [a, b], "
	                           "then: grant}\n"
	                           "  - {path: [\"x.y\"], op: is, value: true, then: deny}\n",
	                         home, true),
	        ERR_OK);
	assert_int_equal(c.policy.role_mode, ROLE_MODE_FIRST_USER);
	assert_int_equal(c.policy.on_last_moderator_left, ON_LAST_ELECT);
	assert_true(c.policy.allow_guests);
	assert_int_equal(c.policy.leeway, 10);
	assert_int_equal(c.token.leeway, 10);
	assert_false(c.policy.require_room);
	assert_false(c.token.require_room);
	assert_int_equal(c.token.accepted_audiences.n, 2);
	assert_str(c.token.accepted_audiences.items[1], "x");
	assert_str(c.token.accepted_issuers.items[0], "a");
	assert_str(c.token.keys.app_secret, SECRET);
	assert_int_equal(
	        c.token.keys.algs, TOKEN_ALG_BIT(TOKEN_HS256) | TOKEN_ALG_BIT(TOKEN_HS512));
	assert_str(c.policy.claim_paths.v[1], "$");
	assert_int_equal(c.policy.name_mode, NAME_MODE_PER_CLAIM);
	assert_int_equal(c.policy.max_occupants, 12);
	assert_str(c.policy.public_host, "meet.example.com");
	assert_int_equal(c.server.bind.n, 1);
	assert_int_equal(c.server.http_port, 0);
	assert_int_equal(c.server.log_level, LOG_DEBUG);
	assert_str(c.server.domain, "meet.jitsi");
	assert_str(c.server.muc_domain, "muc.meet.jitsi");
	assert_str(c.server.focus_domain, "focus.meet.jitsi");
	assert_str(c.server.focus_jid, "focus@auth.meet.jitsi");
	assert_str(c.server.state_directory, "/home/x/.local/state/gavel");
	assert_str(c.server.page.stun_servers.v[0], "stun:s:3478");
	assert_true(c.server.page.prejoin);
	assert_int_equal(c.server.limits.sessions, 17);
	assert_int_equal(c.server.limits.ping_interval, 120);
	assert_int_equal(c.policy.n_claim_rules, 2);
	assert_int_equal(c.policy.claim_rules[0].path.n, 2);
	assert_str(c.policy.claim_rules[0].path.v[1], "roles");
	assert_int_equal(c.policy.claim_rules[0].op, CLAIM_OP_HAS);
	assert_true(c.policy.claim_rules[0].grant);
	assert_str(c.policy.claim_rules[0].values[1].text, "b");
	assert_str(c.policy.claim_rules[0].text, "realm.roles has [\"a\",\"b\"] then grant");
	assert_str(c.policy.claim_rules[1].path.v[0], "x.y");
	assert_true(c.policy.claim_rules[1].values[0].is_bool);
	assert_false(c.stock.known);
	assert_true(c.stock.jicofo_auth);
	done();
}

static void nothing_at_all_refuses_and_shows_both_ways(void **state)
{
	(void)state;
	assert_int_equal(load(NULL, home, true), ERR_BADMSG);
	must_say("neither a file nor ENABLE_AUTH");
	must_say("gavel serve --config gavel.yaml");
	must_say("ENABLE_AUTH=1 AUTH_TYPE=jwt");
	done();
	char *const open[] = {V("ENABLE_AUTH=0"), V("HOME=/home/x"), NULL};
	assert_int_equal(load(NULL, open, true), ERR_OK);
	assert_int_equal(c.policy.auth, AUTH_NONE);
	assert_true(c.stock.known);
	done();
}

static void contradictions_are_refused(void **state)
{
	(void)state;
	refuses("auth: none\nallow_guests: false\n",
	        "gavel.yaml:2: allow_guests: contradicts auth=none");
	refuses(BASE "role_mode: none\nroom_create: moderators\n",
	        "gavel.yaml:4: room_create: contradicts role_mode=none");
	refuses("app_id: a\n", "app_secret: is missing");
	refuses("app_secret: " SECRET "\n", "app_id: is missing");
	refuses("app_id: a\nkey_source: file\n", "key_files: is missing");
	refuses("app_id: a\nkey_source: keyserver\n", "key_server: is missing");
	refuses("app_id: a\nkey_source: jwks\n", "jwks: is missing");
	refuses("app_id: a\nkey_server: https://k\njwks: https://j\n",
	        "key_server and jwks are both set");
	refuses(BASE "key_source: secret\nkey_server: https://k\n",
	        "gavel.yaml:4: key_server: contradicts key_source");
	refuses("app_id: a\nkey_server: https://k\nkey_files: [{path: x}]\n",
	        "key_files: contradicts key_source");
	refuses(BASE "app_secret_file: x\n", "app_secret_file: contradicts app_secret");
	refuses(BASE "disable_grant_moderator: true\nruntime_grant: allow\n",
	        "contradicts disable_grant_moderator");
	refuses(BASE "stanza_bytes: 4096\n", "login_stanza_bytes: is more than stanza_bytes");
	refuses("app_id: a\nkey_server: https://k\nclaim_rules: [{path: g, op: has, value: x, "
	        "then: "
	        "grant}]\n",
	        "claim_rules: a grant rule with public keys needs accepted_audiences");
	refuses("issuers: [{iss: a}]\n", "issuers: item 1: app_secret is missing");
	refuses("issuers: [{iss: a, key_source: secret, app_secret: s, jwks: j}]\n",
	        "jwks contradicts its key_source");
	refuses("issuers: [{iss: a, jwks: j}]\nclaim_rules: [{path: g, op: has, value: x, then: "
	        "grant}]\n",
	        "claim_rules");
	assert_int_equal(load("app_id: a\nkey_server: https://k\naccepted_audiences: [j]\n"
	                      "claim_rules: [{path: g, op: has, value: x, then: grant}]\n",
	                         NULL, false),
	        ERR_OK);
	done();
}

static void what_ought_to_be_known_is_said(void **state)
{
	(void)state;
	warns("app_id: a\napp_secret: short\n", "W_WEAK_SECRET");
	warns(BASE "role_mode: everyone\nallow_guests: true\n", "W_DENY_EVADABLE");
	warns(BASE "accepted_issuers: [\"*\"]\n", "accepts tokens of every issuer");
	warns(BASE "algs: [HS256, RS256]\n", "RS256 has no key");
	warns(BASE "require_room: false\nroom_wildcard: false\n", "require_room: does nothing");
	warns(BASE "max_occupants: 5000\n", "more than occupants_per_room");
	warns(BASE "claim_rules_else: deny\n", "there are no claim_rules");
	warns(BASE "name_max: 8\n", "clash_suffix: leaves no room");
	warns("auth: none\nrole_mode: token\n", "nobody will moderate");
	warns("auth: none\nroom_create: authenticated\n", "nobody can open a room");
	warns("app_id: a\napp_secret: " SECRET "\nkey_server: https://k\n",
	        "app_secret: is not used");
}

static void keys_travel_in_the_clear_only_where_nobody_else_is(void **state)
{
	(void)state;
	static const struct {
		const char *url;
		bool fine;
	} urls[] = {{"https://k.example", true}, {"http://k.example", false},
	        {"http://127.0.0.1:8080", true}, {"http://[::1]/x", true},
	        {"http://10.1.2.3", true}, {"http://172.31.0.1", true},
	        {"http://172.32.0.1", false}, {"http://192.168.1.1/", true},
	        {"http://[fd00::1]", true}, {"http://[2001:db8::1]", false},
	        {"http://8.8.8.8", false}, {"http://localhost:1", true},
	        {"http://a.localhost", true}, {"http://keyserver:8080", true},
	        {"http://127.0.0.1.example.com", false}, {"http://localhost.example.com", false}};
	for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
		static const char *const forms[] = {"app_id: a\nkey_server: \"%s\"\n%s",
		        "app_id: a\njwks: \"%s\"\n%s",
		        "issuers: [{iss: a, key_server: \"%s\"}]\n%s",
		        "issuers: [{iss: a, jwks: \"%s\"}]\n%s"};
		for (size_t f = 0; f < 4; f++) {
			char text[256];
			snprintf(text, sizeof text, forms[f], urls[i].url, "");
			assert_int_equal(
			        load(text, home, true), urls[i].fine ? ERR_OK : ERR_BADMSG);
			if (!urls[i].fine)
				must_say("is not https");
			done();
			snprintf(
			        text, sizeof text, forms[f], urls[i].url, "key_plain_http: true\n");
			assert_int_equal(load(text, home, true), ERR_OK);
			done();
		}
	}
}

static void serve_refuses_what_it_cannot_do_and_says_what_it_leaves_out(void **state)
{
	(void)state;
	assert_int_equal(
	        load(BASE "before_host: lobby\nlobby: true\nlobby_autostart: true\n", home, true),
	        ERR_OK);
	must_say("counts as refuse");
	must_say("lobby: the lobby is not served yet: off");
	assert_int_equal(c.policy.before_host, BEFORE_HOST_REFUSE);
	assert_false(c.policy.lobby_autostart);
	done();
	assert_int_equal(load(BASE "before_host: lobby\n", home, false), ERR_OK);
	assert_int_equal(c.policy.before_host, BEFORE_HOST_LOBBY);
	done();
	assert_int_equal(load(BASE, (char *const[]){NULL}, true), ERR_BADMSG);
	must_say("state_directory: is not known");
	done();
	char *const reservation[] = {
	        V("ENABLE_AUTH=0"), V("PROSODY_RESERVATION_ENABLED=1"), V("HOME=/home/x"), NULL};
	assert_int_equal(load(NULL, reservation, true), ERR_BADMSG);
	must_say("PROSODY_RESERVATION_ENABLED");
	done();
}

static void stray_variables_open_nothing(void **state)
{
	(void)state;
	char *const stray[] = {V("HTTP_PORT=9000"), V("STATE_DIRECTORY=/var/lib/gavel:/other"),
	        V("ENABLE_GUESTS=1"), V("AUTH_TYPE=internal"), V("JWT_ALLOW_EMPTY=1"),
	        V("PUBLIC_URL=https://x"), NULL};
	assert_int_equal(load(BASE, stray, true), ERR_OK);
	assert_int_equal(c.server.http_port, 9000);
	assert_str(c.server.state_directory, "/var/lib/gavel");
	assert_false(c.policy.allow_guests);
	assert_int_equal(c.policy.auth, AUTH_JWT);
	assert_true(str_absent(c.server.public_url));
	must_say("ENABLE_GUESTS=1 -> (ignored): docker-jitsi-meet's names count only when "
	         "ENABLE_AUTH is "
	         "set");
	must_say("PUBLIC_URL=https://x -> (ignored)");
	done();
	char *const own[] = {V("ROLE_MODE=everyone"), V("LEEWAY=3"), NULL};
	assert_int_equal(load(BASE "role_mode: token\n", own, false), ERR_OK);
	assert_int_equal(c.policy.role_mode, ROLE_MODE_EVERYONE);
	assert_int_equal(c.token.leeway, 3);
	done();
}

static void flags_win(void **state)
{
	(void)state;
	char *const own[] = {V("ROLE_MODE=everyone"), NULL};
	static const char *const set[] = {"role_mode=none", "http_port=1234", NULL};
	static const char *const bad[] = {"role_mod=none", NULL};
	struct config_source src = {
	        .environ = own, .overrides = set, .file = write_file("gavel.yaml", BASE)};
	config_report_init(&r);
	assert_int_equal(config_load(&c, &src, &r), ERR_OK);
	assert_int_equal(c.policy.role_mode, ROLE_MODE_NONE);
	assert_int_equal(c.server.http_port, 1234);
	done();
	src.overrides = bad;
	config_report_init(&r);
	assert_int_equal(config_load(&c, &src, &r), ERR_BADMSG);
	must_say("did you mean role_mode?");
	done();
}

static void the_secret_may_stand_in_a_file_of_its_own(void **state)
{
	(void)state;
	write_file("secret", SECRET SECRET "\r\nrest\n");
	chmod(path, 0600);
	assert_int_equal(load("app_id: a\napp_secret_file: secret\n", home, true), ERR_OK);
	assert_str(c.token.keys.app_secret, SECRET SECRET);
	assert_false(said("may be read by others"));
	done();
	char *const own[] = {V("APP_SECRET=" SECRET), NULL};
	assert_int_equal(load("app_id: a\napp_secret_file: secret\n", own, false), ERR_OK);
	assert_str(c.token.keys.app_secret, SECRET);
	done();
	snprintf(path, sizeof path, "%s/secret", folder);
	chmod(path, 0644);
	warns("app_id: a\napp_secret_file: secret\n", "may be read by others: chmod 600");
	write_file("secret", "\n");
	refuses("app_id: a\napp_secret_file: secret\n", "is empty");
	write_file("secret", "\xff\xfe\n");
	refuses("app_id: a\napp_secret_file: secret\n", "no text in UTF-8");
	write_file("secret", "short\n");
	warns("app_id: a\napp_secret_file: secret\n", "W_WEAK_SECRET");
	refuses("app_id: a\napp_secret_file: nowhere\n", "cannot be read: No such file");
	refuses("app_id: a\napp_secret_file: .\n", "cannot be read: Is a directory");
}

static void paths_start_at_the_file(void **state)
{
	(void)state;
	char want[128];
	assert_int_equal(load("app_id: a\nkey_files: [{path: k.pem}]\nweb_folder: "
	                      "/abs\nstate_directory: st\n",
	                         home, false),
	        ERR_OK);
	snprintf(want, sizeof want, "%s/k.pem", folder);
	assert_str(c.token.keys.key_files[0].path, want);
	assert_int_equal(c.token.keys.source, TOKEN_KEYS_FILE);
	assert_int_equal(c.token.keys.algs, TOKEN_ALG_BIT(TOKEN_RS256));
	assert_str(c.server.web_folder, "/abs");
	snprintf(want, sizeof want, "%s/st", folder);
	assert_str(c.server.state_directory, want);
	done();
}

static void a_file_that_is_not_there_is_named(void **state)
{
	(void)state;
	struct config_source src = {.file = "/nowhere/gavel.yaml"};
	config_report_init(&r);
	assert_int_equal(config_load(&c, &src, &r), ERR_BADMSG);
	must_say("/nowhere/gavel.yaml: cannot be read: No such file or directory");
	done();
	src = (struct config_source){.env_file = "/nowhere/.env"};
	config_report_init(&r);
	assert_int_equal(config_load(&c, &src, &r), ERR_BADMSG);
	must_say("/nowhere/.env: cannot be read");
	done();
}

static void a_fresh_installation_starts(void **state)
{
	(void)state;
	char at[128], made[256], again[256], secret[300];
	struct stat st;
	snprintf(at, sizeof at, "%s/a/b", folder);
	assert_int_equal(config_write_fresh(at, made, sizeof made), ERR_OK);
	assert_int_equal(stat(at, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(stat(made, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	snprintf(secret, sizeof secret, "%s/app_secret", at);
	assert_int_equal(stat(secret, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);

	struct config_source src = {.file = made, .environ = home, .need_start = true};
	config_report_init(&r);
	assert_int_equal(config_load(&c, &src, &r), ERR_OK);
	assert_true(c.token.require_exp);
	assert_true(c.policy.domain_verification);
	assert_int_equal(c.policy.role_mode, ROLE_MODE_TOKEN);
	assert_int_equal(c.token.keys.app_secret.n, 43);
	assert_int_equal(r.warnings, 0);
	char first[64];
	snprintf(first, sizeof first, "%.*s", STR_FMT(c.token.keys.app_secret));
	done();

	/* the second start finds the same; another folder gets another secret */
	assert_int_equal(config_write_fresh(at, again, sizeof again), ERR_OK);
	config_report_init(&r);
	assert_int_equal(config_load(&c, &src, &r), ERR_OK);
	assert_str(c.token.keys.app_secret, first);
	done();
	snprintf(at, sizeof at, "%s/c", folder);
	assert_int_equal(config_write_fresh(at, made, sizeof made), ERR_OK);
	config_report_init(&r);
	assert_int_equal(config_load(&c, &src, &r), ERR_OK);
	assert_false(str_eqc(c.token.keys.app_secret, first));
	done();
	assert_int_equal(config_write_fresh("/proc/gavel", made, sizeof made), ERR_IO);
	assert_int_equal(config_write_fresh("x", made, 5), ERR_LIMIT);
}

/* The two .env files of the thread that this project comes from. */
static void env_lines(const char *file, unsigned warnings, const char *const *lines)
{
	struct config_source src = {.env_file = file, .environ = home};
	struct buf b;
	config_report_init(&r);
	if (config_load(&c, &src, &r))
		fail_msg("%s: refused: %s", file, r.lines[0].text);
	buf_init(&b, 0);
	config_print(&c, &r, &b);
	for (; *lines; lines++) {
		if (!strstr(b.p, *lines))
			fail_msg("%s: \"%s\" is missing in\n%s", file, *lines, b.p);
	}
	if ((r.warnings & warnings) != warnings)
		fail_msg("%s: warnings %x", file, r.warnings);
	assert_null(strstr(b.p, SECRET));
	assert_int_equal(c.policy.role_mode, ROLE_MODE_TOKEN);
	assert_int_equal(c.policy.name_mode, NAME_MODE_FROZEN);
	buf_done(&b);
	done();
}

static void the_thread_as_docker_does_it(void **state)
{
	(void)state;
	env_lines("tests/vectors/env/jwt-as-docker-does.env", W_ENV_CHANGED,
	        (const char *const[]){"role_mode=token: stock Jitsi would make every token holder "
	                              "moderator; set ROLE_MODE=authenticated to keep that",
	                "set NAME_MODE=free to keep typed names",
	                ".env:3: ENABLE_AUTH=1 -> auth=jwt (honoured)",
	                "JWT_APP_SECRET=(hidden) -> app_secret=(hidden) (honoured)",
	                "  role_mode               token                             derived from "
	                "ENABLE_AUTH",
	                "  public_host             meet.example.com                  default, from "
	                "public_url",
	                "#6  token_affiliation            not loaded",
	                "#10 Jicofo's authentication    * makes everybody with a token owner",
	                "In the end: everybody with a token moderates, whatever the token says",
	                "Here:       the token decides", NULL});
}

static void the_thread_with_half_of_the_advice(void **state)
{
	(void)state;
	env_lines("tests/vectors/env/advice-half-followed.env", W_ENV_CONFLICT | W_ENV_CHANGED,
	        (const char *const[]){
	                "ENABLE_AUTO_OWNER=1 would have made moderators regardless of the token",
	                "JICOFO_ENABLE_AUTH is not set: in stock Jitsi it follows ENABLE_AUTH",
	                "ENABLE_GUESTS=1 -> allow_guests=true before_host=refuse (honoured)",
	                "XMPP_MUC_MODULES loads token_affiliation -> role_mode=token (honoured)",
	                "  role_mode               token                             derived from "
	                "XMPP_MUC_MODULES",
	                "#6  token_affiliation          * decides before the first presence",
	                "#10 Jicofo's authentication    * makes everybody with a token owner one "
	                "round "
	                "trip after joining, and so undoes",
	                "#11 Jicofo's auto owner          on, but not consulted: 10 is on", NULL});
}

static void misspelt_names_in_an_env_file_are_said(void **state)
{
	(void)state;
	struct config_source src = {.environ = home};
	src.env_file = write_file(
	        ".env", "ENABLE_AUTH=0\nENABLE_GUEST=1\nHTTPS_PORT=443\nMY_OWN_VARIABLE=1\n");
	config_report_init(&r);
	assert_int_equal(config_load(&c, &src, &r), ERR_OK);
	must_say(".env:2: ENABLE_GUEST: is no name known here (did you mean ENABLE_GUESTS?)");
	assert_false(said("MY_OWN_VARIABLE: is no"));
	assert_false(said("HTTPS_PORT: is no"));
	done();
}

static void memory_running_out_refuses_and_leaks_nothing(void **state)
{
	(void)state;
	char *const own[] = {V("ENABLE_AUTH=1"), V("AUTH_TYPE=jwt"), V("JWT_APP_ID=a"),
	        V("JWT_APP_SECRET=" SECRET), V("HOME=/x"), V("XMPP_MUC_MODULES=token_affiliation"),
	        V("LEEWAY=4"), NULL};
	struct config_source src = {.environ = own, .need_start = true};
	src.file = write_file(
	        "gavel.yaml", "claim_rules: [{path: a, op: is, value: x, then: deny}]\n");
	int refused = 0, err = ERR_NOMEM;
	for (long n = 0; n < 900 && !(n > 400 && err == ERR_OK); n += n < 100 ? 1 : 7) {
		config_report_init(&r);
		mem_budget_set(n);
		err = config_load(&c, &src, &r);
		mem_budget_set(-1);
		refused += err != ERR_OK;
		assert_true(err == ERR_OK || err == ERR_NOMEM || err == ERR_BADMSG);
		if (err == ERR_OK)
			assert_int_equal(c.policy.n_claim_rules, 1);
		done();
	}
	assert_true(refused > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_file_fills_the_settings),
	        cmocka_unit_test(nothing_at_all_refuses_and_shows_both_ways),
	        cmocka_unit_test(contradictions_are_refused),
	        cmocka_unit_test(what_ought_to_be_known_is_said),
	        cmocka_unit_test(keys_travel_in_the_clear_only_where_nobody_else_is),
	        cmocka_unit_test(serve_refuses_what_it_cannot_do_and_says_what_it_leaves_out),
	        cmocka_unit_test(stray_variables_open_nothing),
	        cmocka_unit_test(flags_win),
	        cmocka_unit_test(the_secret_may_stand_in_a_file_of_its_own),
	        cmocka_unit_test(paths_start_at_the_file),
	        cmocka_unit_test(a_file_that_is_not_there_is_named),
	        cmocka_unit_test(a_fresh_installation_starts),
	        cmocka_unit_test(the_thread_as_docker_does_it),
	        cmocka_unit_test(the_thread_with_half_of_the_advice),
	        cmocka_unit_test(misspelt_names_in_an_env_file_are_said),
	        cmocka_unit_test(memory_running_out_refuses_and_leaks_nothing),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
