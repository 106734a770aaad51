/* doc.c - docs/config.md and docs/gavel.example.yaml, written from the schema. pure */
#include "config/docker.h"

static const char *const doc_head =
        "# Configuration\n"
        "\n"
        "This page is written from the table of keys: `tools/gen-config-doc`.\n"
        "\n"
        "Gavel reads one file (`gavel serve --config gavel.yaml`) and the environment. `gavel "
        "check` shows "
        "every setting, where it\n"
        "came from, and what stock Jitsi would have done; it starts nothing. Anything that cannot "
        "be meant "
        "- an unknown key, a\n"
        "wrong type, a word that does not exist, two keys that contradict each other - stops with "
        "exit "
        "code 2, the file, the line\n"
        "and the reason.\n"
        "\n"
        "The stronger source wins:\n"
        "\n"
        "1. a flag on the command line,\n"
        "2. the key itself as a variable in capitals (`ROLE_MODE=token`); lists with commas, rules "
        "as "
        "JSON,\n"
        "3. the variables of docker-jitsi-meet (below: *docker*). They count only when "
        "`ENABLE_AUTH` is "
        "set, or when they come\n"
        "   from `--env FILE`; ports and folders count in any case. `gavel check --env .env` shows "
        "what "
        "each of them does,\n"
        "4. the file,\n"
        "5. the default, which may come from `profile`.\n"
        "\n"
        "In variables, yes is `1 t T true True TRUE` and no is `0 f F false False FALSE`; any "
        "other "
        "spelling is refused. An empty\n"
        "variable is as good as none. `gavel serve` with neither a file nor `ENABLE_AUTH` does not "
        "start.\n"
        "\n"
        "The file is YAML: one `key: value` per line, lists as `[a, b]` or with `- ` lines. "
        "Anchors, "
        "aliases and tags are refused.\n"
        "`docs/gavel.example.yaml` holds every key with its default, commented out.\n"
        "\n"
        "With a .env of docker-jitsi-meet, two things differ from stock Jitsi on purpose, and "
        "`check` says "
        "so: holders of a token\n"
        "are no longer moderators just because they have one (`ROLE_MODE=authenticated` brings "
        "that back), "
        "and the name in a token\n"
        "stays as it is (`NAME_MODE=free`). Not served yet, and said at start: the lobby "
        "(`before_host: "
        "lobby`, `lobby`,\n"
        "`lobby_autostart` count as refuse and off), keys from a key server or key list (`serve` "
        "refuses "
        "them).\n";

static void cell(struct str s, struct buf *out)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '|')
			buf_putc(out, '\\');
		buf_putc(out, s.p[i]);
	}
}

static void doc_default(const struct schema_row *row, struct buf *out)
{
	if (row->fallback)
		buf_printf(out, "`%s`", row->fallback);
	else
		buf_puts(out, row->fallback_text ? row->fallback_text : "none");
}

static void doc_row(const struct schema_row *row, struct buf *out)
{
	buf_printf(out, "| `%s` | ", row->key);
	struct buf what;
	buf_init(&what, 512);
	schema_describe(row, &what);
	cell(buf_view(&what), out);
	buf_done(&what);
	buf_puts(out, " | ");
	doc_default(row, out);
	buf_puts(out, " | ");
	cell(str_c(row->help), out);
	if (row->docker)
		buf_printf(out, " *docker*: `%s`.", row->docker);
	buf_puts(out, " |\n");
}

static const char *const doc_docker =
        "\n## A .env of docker-jitsi-meet\n"
        "\n"
        "`role_mode` is derived; the first rule that fits decides:\n"
        "\n"
        "1. `ROLE_MODE` is set: that.\n"
        "2. No authentication: `everyone` with the module `muc_allowners`, `none` with "
        "`ENABLE_AUTO_OWNER=0`, else "
        "`first-user`.\n"
        "3. `token_affiliation`, `token_affiliation_legacy`, `token_moderation` or "
        "`token_owner_party` in\n"
        "   `XMPP_MUC_MODULES`: `token`. What is set and would have overridden it is a "
        "`W_ENV_CONFLICT`; "
        "the restrictive side\n"
        "   wins.\n"
        "4. `muc_allowners`: `everyone`.\n"
        "5. `JICOFO_ENABLE_AUTH=0`, `ENABLE_AUTO_OWNER` not off, and `muc_wait_for_host` making no "
        "owners: "
        "`first-user`.\n"
        "6. Else `token`, and `W_ENV_CHANGED`, because stock Jitsi would make every holder of a "
        "token a "
        "moderator (or, with both\n"
        "   switched off, nobody).\n"
        "\n"
        "Refused, because starting would open what the .env closes or accept what nobody checked: "
        "an "
        "`AUTH_TYPE` other than\n"
        "`jwt`, a `JWT_AUTH_TYPE` or `JWT_TOKEN_AUTH_MODULE` that is not the usual one, a "
        "`PROSODY_GUEST_AUTH_TYPE` that is not\n"
        "anonymous, jwt without a key or without `JWT_APP_ID`, `JWT_SIGN_TYPE` of the wrong kind "
        "for the "
        "key, a domain of people\n"
        "in an allow-list or in `PROSODY_ADMINS`.\n"
        "\n"
        "`XMPP_CONFIGURATION`, `XMPP_MUC_CONFIGURATION` and `GLOBAL_CONFIG` are read for `name = "
        "literal`; "
        "nothing in them is\n"
        "run. Options of Prosody that are keys here count, the others are named in a warning.\n"
        "\n"
        "Variables that are no key of their own:\n"
        "\n"
        "| variable | what becomes of it |\n|---|---|\n";

static void doc_options(struct buf *out)
{
	buf_puts(out, "\nOptions of Prosody in raw lines:\n\n| option | key |\n|---|---|\n");
	for (int k = 0; k < KEY_COUNT; k++) {
		const struct schema_row *row = schema_row((enum config_key)k);
		if (row->option)
			buf_printf(out, "| `%s` | `%s` |\n", row->option, row->key);
	}
}

void config_write_doc(struct buf *out)
{
	buf_puts(out, doc_head);
	for (int section = 0; section < SECTION_COUNT; section++) {
		buf_printf(out, "\n## %s\n\n| key | value | default | |\n|---|---|---|---|\n",
		        schema_section_name((enum schema_section)section));
		for (int k = 0; k < KEY_COUNT; k++) {
			const struct schema_row *row = schema_row((enum config_key)k);
			if (row->section == (enum schema_section)section &&
			        !(row->flags & SCHEMA_VECTORS_ONLY))
				doc_row(row, out);
		}
	}
	buf_puts(out, doc_docker);
	docker_write_doc(out);
	docker_write_foreign_doc(out);
	buf_puts(out,
	        "\nModules in the module lists; others are named in a warning:\n\n| module | what "
	        "becomes of it |\n"
	        "|---|---|\n");
	docker_write_module_doc(out);
	doc_options(out);
}

/* Help as comment lines of at most 100 columns. */
static void comment(const char *text, struct buf *out)
{
	struct str rest = str_c(text);
	size_t column = 0;
	while (!str_absent(rest)) {
		struct str word = str_split(&rest, ' ');
		if (column == 0 || column + 1 + word.n > 98) {
			buf_puts(out, column ? "\n# " : "# ");
			column = 2;
		} else {
			buf_putc(out, ' ');
			column++;
		}
		buf_str(out, word);
		column += word.n;
	}
	buf_putc(out, '\n');
}

static bool needs_quotes(const struct schema_row *row)
{
	return row->type == SCHEMA_STRING;
}

static void example_row(const struct schema_row *row, struct buf *out)
{
	static const char *const samples[KEY_COUNT] = {
	        [KEY_APP_ID] = "my_app",
	        [KEY_APP_SECRET] = "at-least-32-random-bytes-go-here",
	        [KEY_APP_SECRET_FILE] = "app_secret",
	        [KEY_ACCEPTED_ISSUERS] = "[my_app]",
	        [KEY_ALGS] = "[HS256]",
	        [KEY_KEY_SOURCE] = "secret",
	        [KEY_KEY_SERVER] = "https://keys.example.com",
	        [KEY_JWKS] = "https://login.example.com/jwks.json",
	        [KEY_KEY_CA_FILE] = "/etc/ssl/certs/keys-ca.pem",
	        [KEY_KEY_PROXY] = "http://proxy.example.com:3128",
	        [KEY_PUBLIC_HOST] = "meet.example.com",
	        [KEY_ROLE_MODE] = "token",
	        [KEY_ALLOW_GUESTS] = "false",
	        [KEY_ROOM_CREATE] = "authenticated",
	        [KEY_RUNTIME_GRANT] = "allow",
	        [KEY_ON_LAST_MODERATOR_LEFT] = "keep",
	        [KEY_TLS_SELF_SIGNED] = "false",
	        [KEY_ACME_FOLDER] = "/var/www/acme",
	        [KEY_PUBLIC_URL] = "https://meet.example.com",
	        [KEY_STATE_DIRECTORY] = "/var/lib/gavel",
	        [KEY_WEB_FOLDER] = "build/web",
	        [KEY_WEB_ROOT] = "/usr/share/jitsi-meet",
	        [KEY_CONFIG_JS] = "/etc/jitsi/meet/meet.example.com-config.js",
	        [KEY_SHARD] = "shard1",
	        [KEY_TURN_SECRET] = "the-secret-of-the-turn-server",
	        [KEY_TURN_USERNAME] = "user",
	        [KEY_TURN_PASSWORD] = "password",
	        [KEY_REGION] = "eu-central",
	        [KEY_GUEST_DOMAIN] = "guest.meet.jitsi",
	        [KEY_AUTH_DOMAIN] = "auth.meet.jitsi",
	        [KEY_HIDDEN_DOMAIN] = "hidden.meet.jitsi",
	        [KEY_INTERNAL_MUC_DOMAIN] = "internal-muc.meet.jitsi",
	        [KEY_MUC_DOMAIN] = "muc.meet.jitsi",
	        [KEY_TOKEN_AUTH_URL] = "https://login.example.com/?room={room}",
	};
	enum config_key key = schema_find(str_c(row->key));
	const char *value = row->fallback ? row->fallback : samples[key];
	buf_putc(out, '\n');
	comment(row->help, out);
	buf_puts(out, "# ");
	struct buf what;
	buf_init(&what, 512);
	schema_describe(row, &what);
	buf_printf(out, "%.*s; default: %s\n", STR_FMT(buf_view(&what)),
	        row->fallback        ? row->fallback
	        : row->fallback_text ? row->fallback_text
	                             : "none");
	buf_done(&what);
	buf_printf(out, "#%s: ", row->key);
	if (needs_quotes(row))
		jval_quote(str_c(value ? value : ""), out);
	else
		buf_puts(out, value ? value : "\"\"");
	buf_putc(out, '\n');
}

void config_write_example(struct buf *out)
{
	buf_puts(out,
	        "# Gavel's configuration, every key with its default. Take the # off the lines you "
	        "change; a key that you\n"
	        "# leave out has its default. `gavel check --config this-file` tells what it comes "
	        "to. docs/config.md\n"
	        "# explains where else settings may come from.\n"
	        "\n"
	        "auth: jwt\n"
	        "app_id: my_app\n"
	        "app_secret_file: app_secret     # make one: openssl rand -base64 48 > app_secret; "
	        "chmod 600 app_secret\n"
	        "require_exp: true\n"
	        "domain_verification: true\n");
	for (int section = 0; section < SECTION_COUNT; section++) {
		buf_printf(out, "\n# ---- %s ----\n",
		        schema_section_name((enum schema_section)section));
		for (int k = 0; k < KEY_COUNT; k++) {
			const struct schema_row *row = schema_row((enum config_key)k);
			if (row->section == (enum schema_section)section &&
			        !(row->flags & SCHEMA_VECTORS_ONLY))
				example_row(row, out);
		}
	}
}
