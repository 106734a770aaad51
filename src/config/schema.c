/* schema.c - the table of keys, and questions about it. pure */
/* A table, read by column. */
/* clang-format off */
#include "config/schema.h"

#include <stddef.h>

#define AT(field) .offset = offsetof(struct config, field), .size = sizeof(((struct config *)NULL)->field)
#define TOKEN .section = SECTION_TOKEN
#define ROLE .section = SECTION_ROLE
#define NAME .section = SECTION_NAME
#define SERVER .section = SECTION_SERVER
#define PAGE .section = SECTION_PAGE
#define LIMIT(field_, fallback_, min_, max_, unit_)                                                        \
	.key = #field_, .type = SCHEMA_INT, .section = SECTION_LIMITS, AT(server.limits.field_),           \
	.fallback = fallback_, .min = min_, .max = max_, .unit = unit_
#define TIMEOUT(field_, fallback_, max_)                                                                   \
	.key = #field_, .type = SCHEMA_DURATION, .section = SECTION_LIMITS, AT(server.limits.field_),      \
	.fallback = fallback_, .min = 1, .max = max_, .unit = "s"
#define ENTRY_BYTES 4096
#define KIB 1024
#define MIB (1024 * 1024)

static const struct schema_row rows[KEY_COUNT] = {
	[KEY_PROFILE] = {"profile", SCHEMA_WORD, ROLE, .fallback = "strict", .words = {"strict", "jitsi"},
		.help = "A set of defaults. jitsi: as upstream does, that is lobby_bypass=never, "
			"name_mode=per-claim, "
			"claim_conflict=grant, guest_clash=allow, outcast_claim=member. Keys given by name "
			"win over it."},

	[KEY_AUTH] = {"auth", SCHEMA_WORD, TOKEN, AT(policy.auth), .fallback = "jwt",
		.words = {"jwt", "none"},
		.help = "jwt: people bring a token (or are guests, see allow_guests). none: everybody is a "
			"guest, and the first "
			"one in a room moderates it."},
	[KEY_APP_ID] = {"app_id", SCHEMA_STRING, TOKEN, AT(token.app_id), .max = 512,
		.docker = "JWT_APP_ID", .option = "app_id", .flags = SCHEMA_TRIMMED,
		.help = "The issuer (iss) whose tokens are accepted, unless accepted_issuers says "
			"otherwise."},
	[KEY_APP_SECRET] = {"app_secret", SCHEMA_SECRET, TOKEN, AT(token.keys.app_secret),
		.max = ENTRY_BYTES, .docker = "JWT_APP_SECRET", .option = "app_secret",
		.help = "The secret shared with whoever makes the tokens. At least 32 bytes, random. It is "
			"never shown or logged."},
	[KEY_APP_SECRET_FILE] = {"app_secret_file", SCHEMA_PATH, TOKEN, .max = ENTRY_BYTES,
		.help = "A file that holds the secret on its first line, in place of app_secret. A "
			"relative path starts at the "
			"folder of the configuration file."},
	[KEY_ACCEPTED_ISSUERS] = {"accepted_issuers", SCHEMA_LIST, TOKEN, AT(token.accepted_issuers),
		.flags = SCHEMA_TRIMMED | SCHEMA_COMPUTED, .fallback_text = "[app_id]", .max = 512,
		.docker = "JWT_ACCEPTED_ISSUERS", .option = "asap_accepted_issuers",
		.help = "Issuers (iss) whose tokens are accepted. A list replaces the default: name app_id "
			"in it too, if it "
			"shall count. \"*\" accepts every issuer."},
	[KEY_ACCEPTED_AUDIENCES] = {"accepted_audiences", SCHEMA_LIST, TOKEN, AT(token.accepted_audiences),
		.flags = SCHEMA_TRIMMED, .fallback = "[\"*\"]", .max = 512,
		.docker = "JWT_ACCEPTED_AUDIENCES", .option = "asap_accepted_audiences",
		.help = "Audiences (aud) of which a token must name one. \"*\": any, but the claim must be "
			"there."},
	[KEY_ALGS] = {"algs", SCHEMA_ALGS, TOKEN, .flags = SCHEMA_TRIMMED | SCHEMA_COMPUTED,
		.fallback_text = "[HS256] with a secret, else [RS256]", .docker = "JWT_SIGN_TYPE",
		.option = "signature_algorithm",
		.help = "Signature algorithms that are accepted: HS256 HS384 HS512 with a secret; RS, PS "
			"256 384 512, ES256, "
			"ES384 and EdDSA with public keys."},
	[KEY_KEY_SOURCE] = {"key_source", SCHEMA_WORD, TOKEN, AT(token.keys.source),
		.flags = SCHEMA_COMPUTED,
		.fallback_text = "secret; or as key_files, key_server or jwks imply",
		.words = {"secret", "file", "keyserver", "jwks"},
		.help = "Where the keys come from that verify tokens. keyserver and jwks are asked while the "
			"server runs; explain asks nobody (give it --keys)."},
	[KEY_KEY_FILES] = {"key_files", SCHEMA_KEY_FILES, TOKEN, .fallback = "[]",
		.help = "For key_source file: a list of {kid, path}, PEM public keys or certificates. kid "
			"may be left out when "
			"there is one file."},
	[KEY_KEY_SERVER] = {"key_server", SCHEMA_URL, TOKEN, AT(token.keys.key_server), .max = 2048,
		.docker = "JWT_ASAP_KEYSERVER", .option = "asap_key_server",
		.help = "URL of a key server that answers <url>/<SHA-256 of the kid>.pem. https, unless it "
			"is on this host or a private address."},
	[KEY_JWKS] = {"jwks", SCHEMA_STRING, TOKEN, AT(token.keys.jwks), .max = 2048,
		.docker = "JWT_JWKS_URL", .option = "cache_keys_url", .flags = SCHEMA_TRIMMED,
		.help = "URL or file of a key list: a JWKS, or an object of kid and PEM. A file is read "
			"again when it changes."},
	[KEY_ISSUERS] = {"issuers", SCHEMA_ISSUERS, TOKEN, .fallback = "[]",
		.help = "Where several issuers have keys of their own: a list of {iss, algs, key_source, "
			"app_secret, key_files, "
			"key_server, jwks}. A key serves only its issuer's tokens."},
	[KEY_KNOWN_KIDS] = {"known_kids", SCHEMA_LIST, TOKEN, AT(token.keys.known_kids),
		.flags = SCHEMA_VECTORS_ONLY, .max = 256,
		.help = "In test vectors: kids that the key source would return a key for."},
	[KEY_KEY_CA_FILE] = {"key_ca_file", SCHEMA_PATH, TOKEN, AT(server.keys.ca_file), .max = ENTRY_BYTES,
		.help = "PEM file of the authorities that vouch for the hosts of key_server and jwks, in "
			"place of the system's."},
	[KEY_KEY_PROXY] = {"key_proxy", SCHEMA_URL, TOKEN, AT(server.keys.proxy), .max = 2048,
		.help = "HTTP proxy through which keys are fetched. Without it none is used, whatever the "
			"environment says."},
	[KEY_KEY_PLAIN_HTTP] = {"key_plain_http", SCHEMA_BOOL, TOKEN, AT(server.keys.plain_http),
		.fallback = "false",
		.help = "Fetch keys without TLS from any host. Whoever is on the way can then make tokens: "
			"only for a network that is yours alone."},
	[KEY_REQUIRE_EXP] = {"require_exp", SCHEMA_BOOL, TOKEN, AT(token.require_exp), .fallback = "false",
		.help = "Refuse tokens that never expire. A fresh installation switches it on."},
	[KEY_LEEWAY] = {"leeway", SCHEMA_DURATION, TOKEN, AT(token.leeway), .fallback = "5", .max = 60,
		.unit = "s", .help = "How far the issuer's clock and ours may differ for exp and nbf."},
	[KEY_MAX_TOKEN_BYTES] = {"max_token_bytes", SCHEMA_INT, TOKEN, AT(token.max_token_bytes),
		.fallback = "8192", .min = 256, .max = 65536, .unit = "bytes",
		.help = "Longer tokens are refused unread."},
	[KEY_REQUIRE_ROOM] = {"require_room", SCHEMA_BOOL, TOKEN, AT(token.require_room),
		.fallback = "true", .option = "asap_require_room_claim",
		.help = "Refuse tokens without a room claim. false: without one, the token is good for "
			"every room."},
	[KEY_ROOM_WILDCARD] = {"room_wildcard", SCHEMA_BOOL, TOKEN, AT(policy.room_wildcard),
		.fallback = "true", .help = "Accept * (and patterns) for the room, and * for sub."},
	[KEY_DOMAIN_VERIFICATION] = {"domain_verification", SCHEMA_BOOL, TOKEN,
		AT(policy.domain_verification), .fallback = "false",
		.docker = "JWT_ENABLE_DOMAIN_VERIFICATION", .option = "enable_domain_verification",
		.help = "sub must be the tenant of the address, or without one domain or public_host. A "
			"fresh installation "
			"switches it on."},
	[KEY_DOMAIN] = {"domain", SCHEMA_DOMAIN, TOKEN, AT(policy.domain), .fallback = "meet.jitsi",
		.max = 253, .docker = "XMPP_DOMAIN",
		.help = "The XMPP domain: inside addresses only, it need not exist in DNS."},
	[KEY_PUBLIC_HOST] = {"public_host", SCHEMA_DOMAIN, TOKEN, AT(policy.public_host),
		.flags = SCHEMA_COMPUTED, .fallback_text = "the host of public_url", .max = 253,
		.help = "The host name that people see; accepted in sub beside domain."},

	[KEY_ROLE_MODE] = {"role_mode", SCHEMA_WORD, ROLE, AT(policy.role_mode), .flags = SCHEMA_COMPUTED,
		.fallback_text = "token; first-user with auth=none",
		.words = {"token", "first-user", "authenticated", "everyone", "none"},
		.help = "Who moderates when the token does not say. token: nobody. first-user: the first "
			"one in. authenticated: "
			"everybody with a token. everyone: guests too. none: nobody ever, whatever tokens "
			"say."},
	[KEY_CLAIM_PATHS] = {"claim_paths", SCHEMA_PATHS, ROLE, AT(policy.claim_paths),
		.flags = SCHEMA_TRIMMED, .fallback = "[\"context.user\"]", .max = 256,
		.help = "Where in the token `moderator` and `affiliation` are read. \"$\" is the top "
			"level; an empty list "
			"switches these claims off."},
	[KEY_CLAIM_COERCION] = {"claim_coercion", SCHEMA_WORD, ROLE, AT(policy.claim_coercion),
		.fallback = "strict", .words = {"strict", "lenient"},
		.help = "strict: only true and \"true\" make a moderator. lenient: also \"True\", 1, "
			"\"1\", \"admin\"."},
	[KEY_CLAIM_CONFLICT] = {"claim_conflict", SCHEMA_WORD, ROLE, AT(policy.claim_conflict),
		.fallback = "deny", .words = {"deny", "grant"},
		.help = "What wins when one claim says yes and another no."},
	[KEY_CLAIM_RULES] = {"claim_rules", SCHEMA_RULES, ROLE, .fallback = "[]",
		.help = "Other claims that decide: a list of {path, op: is|has, value, then: grant|deny}. "
			"At most 64."},
	[KEY_CLAIM_RULES_ELSE] = {"claim_rules_else", SCHEMA_WORD, ROLE, AT(policy.claim_rules_else),
		.fallback = "silent", .words = {"silent", "deny"},
		.help = "deny: when there are rules and none matched, that is a no."},
	[KEY_HONOUR_DENY] = {"honour_deny", SCHEMA_BOOL, ROLE, AT(policy.honour_deny), .fallback = "true",
		.help = "false: an explicit no in the token counts as if it said nothing."},
	[KEY_ALLOW_GUESTS] = {"allow_guests", SCHEMA_BOOL, ROLE, AT(policy.allow_guests),
		.flags = SCHEMA_COMPUTED, .fallback_text = "false; true with auth=none",
		.help = "Let people in without a token."},
	[KEY_ROOM_CREATE] = {"room_create", SCHEMA_WORD, ROLE, AT(policy.room_create),
		.flags = SCHEMA_COMPUTED, .fallback_text = "authenticated; anyone with auth=none",
		.words = {"authenticated", "moderators", "anyone"},
		.help = "Who may be the first in a room. The others wait."},
	[KEY_BEFORE_HOST] = {"before_host", SCHEMA_WORD, ROLE, AT(policy.before_host), .fallback = "refuse",
		.words = {"refuse", "lobby"},
		.help = "What somebody gets who may not open the room. lobby is not served yet: serve "
			"treats it as refuse."},
	[KEY_LOBBY_BYPASS] = {"lobby_bypass", SCHEMA_WORD, ROLE, AT(policy.lobby_bypass),
		.fallback = "unattended", .words = {"unattended", "moderators", "never"},
		.help = "Whether somebody whose token makes him moderator passes the lobby: when no "
			"moderator attends, always, or "
			"never."},
	[KEY_PASSWORD_BYPASS] = {"password_bypass", SCHEMA_WORD, ROLE, AT(policy.password_bypass),
		.fallback = "never", .words = {"never", "moderators"},
		.help = "Whether he passes the room's password."},
	[KEY_BYPASS_CLAIMS] = {"bypass_claims", SCHEMA_BOOL, ROLE, AT(policy.bypass_claims),
		.fallback = "false",
		.help = "Honour context.user.lobby_bypass and .security_bypass in tokens."},
	[KEY_RUNTIME_GRANT] = {"runtime_grant", SCHEMA_WORD, ROLE, AT(policy.runtime_grant),
		.flags = SCHEMA_COMPUTED, .fallback_text = "allow; never with disable_grant_moderator",
		.words = {"allow", "not-denied", "never"},
		.help = "Whether moderators may promote others. not-denied: not those whose token said "
			"no."},
	[KEY_ON_LAST_MODERATOR_LEFT] = {"on_last_moderator_left", SCHEMA_WORD, ROLE,
		AT(policy.on_last_moderator_left), .flags = SCHEMA_COMPUTED,
		.fallback_text = "keep; elect with role_mode=first-user", .words = {"keep", "elect", "end"},
		.help = "keep: the meeting goes on without one. elect: the one who is there longest. end: "
			"the meeting ends after "
			"end_after."},
	[KEY_END_AFTER] = {"end_after", SCHEMA_DURATION, ROLE, AT(policy.end_after), .fallback = "60",
		.min = 1, .max = 86400, .unit = "s",
		.help = "With on_last_moderator_left=end: how long a moderator has to return."},
	[KEY_ON_EXPIRY] = {"on_expiry", SCHEMA_WORD, ROLE, AT(policy.on_expiry), .fallback = "keep",
		.words = {"keep", "demote", "disconnect"},
		.help = "What happens when a token expires during the meeting."},
	[KEY_MAX_OCCUPANTS] = {"max_occupants", SCHEMA_INT, ROLE, AT(policy.max_occupants), .fallback = "0",
		.max = 100000, .docker = "MAX_PARTICIPANTS", .option = "muc_max_occupants",
		.help = "How many people a room takes. 0: as many as occupants_per_room."},
	[KEY_OUTCAST_CLAIM] = {"outcast_claim", SCHEMA_WORD, ROLE, AT(policy.outcast_claim),
		.fallback = "refuse", .words = {"refuse", "member"},
		.help = "What affiliation outcast in a token does."},
	[KEY_ALLOWNER_ISSUERS] = {"allowner_issuers", SCHEMA_LIST, ROLE, AT(policy.allowner_issuers),
		.flags = SCHEMA_TRIMMED, .fallback = "[]", .max = 512,
		.docker = "JWT_ACCEPTED_ALLOWNER_ISSUERS", .option = "allowner_issuers",
		.help = "In moderated rooms without a tenant only these issuers' claims grant; a "
			"grant of another counts as silence there."},
	[KEY_MODERATED_ROOMS] = {"moderated_rooms", SCHEMA_LIST, ROLE, AT(policy.moderated_rooms),
		.flags = SCHEMA_TRIMMED, .fallback = "[]", .max = 512,
		.option = "allowners_moderated_rooms",
		.help = "With role_mode=everyone: rooms where only people with a token moderate."},
	[KEY_MODERATED_TENANTS] = {"moderated_tenants", SCHEMA_LIST, ROLE, AT(policy.moderated_tenants),
		.flags = SCHEMA_TRIMMED, .fallback = "[]", .max = 512,
		.option = "allowners_moderated_subdomains",
		.help = "The same for all rooms of these tenants."},
	[KEY_LOBBY_AUTOSTART] = {"lobby_autostart", SCHEMA_BOOL, ROLE, AT(policy.lobby_autostart),
		.fallback = "false", .help = "Every room begins with its lobby on. Not served yet."},
	[KEY_LOBBY] = {"lobby", SCHEMA_BOOL, ROLE, AT(server.wants_lobby), .fallback = "false",
		.docker = "ENABLE_LOBBY",
		.help = "Let moderators switch a lobby on. Not served yet: serve leaves it off and says "
			"so."},

	[KEY_NAME_MODE] = {"name_mode", SCHEMA_WORD, NAME, AT(policy.name_mode), .fallback = "frozen",
		.words = {"frozen", "per-claim", "free"},
		.help = "frozen: a name in the token stays, nobody can change it. per-claim: only if the "
			"token asks for it. free: "
			"it is a suggestion."},
	[KEY_NAME_PATHS] = {"name_paths", SCHEMA_PATHS, NAME, AT(policy.name_paths),
		.flags = SCHEMA_TRIMMED, .fallback = "[\"context.user.name\"]", .max = 256,
		.help = "Where in the token the name is read; the first usable one counts."},
	[KEY_NAME_MAX] = {"name_max", SCHEMA_INT, NAME, AT(policy.name_max), .fallback = "50", .min = 1,
		.max = NAME_UNITS_MAX, .unit = "UTF-16 units", .help = "Longer names are cut."},
	[KEY_GUEST_CLASH] = {"guest_clash", SCHEMA_WORD, NAME, AT(policy.guest_clash), .fallback = "suffix",
		.words = {"suffix", "always", "allow"},
		.help = "suffix: whoever types a name that looks like a token's name gets clash_suffix "
			"behind it. always: every "
			"typed name gets it. allow: none."},
	[KEY_CLASH_SUFFIX] = {"clash_suffix", SCHEMA_STRING, NAME, AT(policy.clash_suffix),
		.fallback = " (guest)", .max = 120, .help = "The mark for a guest."},
	[KEY_CLASH_SUFFIX_USER] = {"clash_suffix_user", SCHEMA_STRING, NAME, AT(policy.clash_suffix_user),
		.fallback = " (self-named)", .max = 120, .help = "The mark for somebody with a token."},
	[KEY_IDENTITY_FIELDS] = {"identity_fields", SCHEMA_LIST, NAME, AT(policy.identity_fields),
		.max = 128, .flags = SCHEMA_TRIMMED,
		.fallback = "[\"id\",\"name\",\"avatar\",\"hidden-from-recorder\"]",
		.help = "Which members of context.user all participants may see. Add email deliberately."},

	[KEY_BIND] = {"bind", SCHEMA_ADDRESSES, SERVER, AT(server.bind), .flags = SCHEMA_TRIMMED,
		.fallback = "[\"127.0.0.1\",\"::1\"]", .max = 64,
		.help = "Addresses to listen on. The default is this machine only; \"0.0.0.0\" and \"::\" "
			"are all."},
	[KEY_HTTP_PORT] = {"http_port", SCHEMA_INT, SERVER, AT(server.http_port),
		.flags = SCHEMA_ALWAYS_READ, .fallback = "8000", .max = 65535, .docker = "HTTP_PORT",
		.help = "The port for HTTP and WebSocket. 0: any free one."},
	[KEY_HTTPS_PORT] = {"https_port", SCHEMA_INT, SERVER, AT(server.https_port),
		.flags = SCHEMA_ALWAYS_READ, .fallback = "0", .max = 65535, .docker = "HTTPS_PORT",
		.help = "The port for HTTPS and secure WebSocket, beside http_port. 0: none. Needs a certificate."},
	[KEY_TLS_CERTIFICATE] = {"tls_certificate", SCHEMA_FILES, SERVER, AT(server.tls_certificates),
		.flags = SCHEMA_TRIMMED, .fallback = "[]", .max = ENTRY_BYTES,
		.help = "Certificate files (PEM, with their chains). A client gets the one for the name it asks for, "
			"else the first. SIGHUP and `gavel reload` read them again."},
	[KEY_TLS_KEY] = {"tls_key", SCHEMA_FILES, SERVER, AT(server.tls_keys),
		.flags = SCHEMA_TRIMMED, .fallback = "[]", .max = ENTRY_BYTES,
		.help = "Their private keys (PEM, no password), in the same order. Empty: each stands in its certificate's file."},
	[KEY_TLS_SELF_SIGNED] = {"tls_self_signed", SCHEMA_BOOL, SERVER, AT(server.tls_self_signed),
		.flags = SCHEMA_COMPUTED,
		.fallback_text = "false; true with HTTPS_PORT of a docker .env and no tls_certificate",
		.help = "Without tls_certificate: a certificate made once in the state folder, for a trial on a local "
			"network. Browsers warn of it."},
	[KEY_XMPP_PORT] = {"xmpp_port", SCHEMA_INT, SERVER, AT(server.xmpp_port),
		.flags = SCHEMA_ALWAYS_READ, .fallback = "0", .max = 65535, .docker = "XMPP_PORT",
		.help = "The port for XMPP over TCP, 5222 by custom: clients that are no browsers, and services. 0: none. "
			"Without tls_certificate it uses a self-signed one, made in the state folder."},
	[KEY_XMPP_TLS_PORT] = {"xmpp_tls_port", SCHEMA_INT, SERVER, AT(server.xmpp_tls_port),
		.flags = SCHEMA_ALWAYS_READ, .fallback = "0", .max = 65535,
		.help = "The same with TLS from the first byte on (XEP-0368), 5223 by custom. 0: none."},
	[KEY_XMPP_REQUIRE_TLS] = {"xmpp_require_tls", SCHEMA_BOOL, SERVER, AT(server.xmpp_require_tls),
		.fallback = "true", .docker = "PROSODY_C2S_REQUIRE_ENCRYPTION",
		.help = "On xmpp_port nobody logs in before STARTTLS, from this machine neither. With false services may do so "
			"by SCRAM, which shows no password; PLAIN needs TLS in any case, by every door."},
	[KEY_HTTP_REDIRECT] = {"http_redirect", SCHEMA_BOOL, SERVER, AT(server.http_redirect),
		.fallback = "false", .docker = "ENABLE_HTTP_REDIRECT",
		.help = "Send who comes by HTTP to HTTPS, all but /about/health and what acme_folder serves."},
	[KEY_ACME_FOLDER] = {"acme_folder", SCHEMA_PATH, SERVER, AT(server.acme_folder), .max = ENTRY_BYTES,
		.help = "Serve /.well-known/acme-challenge/ from this folder, by HTTP too, for a program that fetches certificates "
			"(certbot --webroot uses FOLDER/.well-known/acme-challenge)."},
	[KEY_HSTS] = {"hsts", SCHEMA_BOOL, SERVER, AT(server.hsts), .fallback = "false",
		.docker = "ENABLE_HSTS",
		.help = "Tell browsers that come by HTTPS to use nothing else here for two years. They remember it."},
	[KEY_TRUSTED_PROXIES] = {"trusted_proxies", SCHEMA_NETWORKS, SERVER, AT(server.trusted_proxies),
		.flags = SCHEMA_TRIMMED, .fallback = "[\"127.0.0.0/8\",\"::1\"]", .max = 64,
		.docker = "PROSODY_TRUSTED_PROXIES",
		.help = "Who may say, by X-Forwarded-For, X-Real-IP and X-Forwarded-Proto, on whose behalf a request comes. "
			"Limits per address and logs then go by that. Empty: nobody."},
	[KEY_PUBLIC_URL] = {"public_url", SCHEMA_URL, SERVER, AT(server.public_url), .max = 2048,
		.docker = "PUBLIC_URL",
		.help = "How browsers reach this server, for links. Without it: localhost and the "
			"port, by https where there is https_port."},
	[KEY_STATE_DIRECTORY] = {"state_directory", SCHEMA_PATH, SERVER, AT(server.state_directory),
		.flags = SCHEMA_ALWAYS_READ | SCHEMA_COMPUTED, .max = ENTRY_BYTES,
		.docker = "STATE_DIRECTORY",
		.fallback_text = "$XDG_STATE_HOME/gavel, else ~/.local/state/gavel",
		.help = "Folder for the control socket and what a fresh installation writes. systemd sets "
			"STATE_DIRECTORY."},
	[KEY_WEB_FOLDER] = {"web_folder", SCHEMA_PATH, SERVER, AT(server.web_folder), .max = ENTRY_BYTES,
		.help = "Serve the page's files from this folder, for developing them. Without it: those "
			"built in."},
	[KEY_LOG_LEVEL] = {"log_level", SCHEMA_WORD, SERVER, AT(server.log_level), .fallback = "info",
		.words = {"error", "warn", "info", "debug"},
		.help = "The least important lines that are logged."},
	[KEY_WORKERS] = {"workers", SCHEMA_INT, SERVER, AT(server.workers), .fallback = "0", .max = 64,
		.unit = "threads",
		.help = "Threads that conferences are spread over. 0: one per core that the process may "
			"use."},
	[KEY_PLACEMENT] = {"placement", SCHEMA_WORD, SERVER, AT(server.placement), .fallback = "room",
		.words = {"room", "wrong"},
		.help = "On which worker a client lives: that of its room. wrong, for tests: on another "
			"one, which costs time and changes nothing else."},
	[KEY_GUEST_DOMAIN] = {"guest_domain", SCHEMA_DOMAIN, SERVER, AT(server.guest_domain), .max = 253,
		.docker = "XMPP_GUEST_DOMAIN",
		.help = "A second name for domain, which clients may use for guests."},
	[KEY_AUTH_DOMAIN] = {"auth_domain", SCHEMA_DOMAIN, SERVER, AT(server.auth_domain),
		.flags = SCHEMA_COMPUTED, .max = 253, .docker = "XMPP_AUTH_DOMAIN",
		.fallback_text = "auth.<domain>",
		.help = "Domain of the services' accounts, the focus among them."},
	[KEY_HIDDEN_DOMAIN] = {"hidden_domain", SCHEMA_DOMAIN, SERVER, AT(server.hidden_domain),
		.flags = SCHEMA_COMPUTED, .max = 253, .docker = "XMPP_HIDDEN_DOMAIN",
		.docker2 = "XMPP_RECORDER_DOMAIN", .fallback_text = "hidden.<domain>",
		.help = "Domain of recorders and transcribers: clients show nobody who comes from there."},
	[KEY_ACCOUNTS] = {"accounts", SCHEMA_ACCOUNTS, SERVER, .fallback = "[]",
		.help = "Services that log in with a password: a list of {jid, password or password_file, kind}. "
			"kind: focus, bridge, jibri, recorder, jigasi, transcriber or other; left out, by the name. "
			"A jid without a domain is on auth_domain, of a recorder or transcriber on hidden_domain. "
			"Nobody else can be a service."},
	[KEY_INTERNAL_MUC_DOMAIN] = {"internal_muc_domain", SCHEMA_DOMAIN, SERVER, AT(server.internal_muc_domain),
		.flags = SCHEMA_COMPUTED, .max = 253, .docker = "XMPP_INTERNAL_MUC_DOMAIN",
		.fallback_text = "internal-muc.<domain>",
		.help = "Domain of the rooms where services meet (jvbbrewery, jibribrewery). People see nothing of it."},
	[KEY_MUC_DOMAIN] = {"muc_domain", SCHEMA_DOMAIN, SERVER, AT(server.muc_domain),
		.flags = SCHEMA_COMPUTED, .max = 253, .docker = "XMPP_MUC_DOMAIN",
		.fallback_text = "muc.<domain>", .help = "Domain of the rooms."},
	[KEY_TENANTS] = {"tenants", SCHEMA_BOOL, SERVER, AT(server.tenants), .fallback = "true",
		.docker = "ENABLE_SUBDOMAINS",
		.help = "/tenant/room are rooms of the tenant's own: room@muc.<tenant>.<domain>. Without, or "
			"with a muc_domain that is not below domain, there are no tenants."},
	[KEY_RESOURCE_STRICT] = {"resource_strict", SCHEMA_BOOL, SERVER, AT(server.resource_strict),
		.fallback = "false", .docker = "PROSODY_MUC_RESOURCE_VALIDATE_ANONYMOUS_STRICT",
		.docker2 = "PROSODY_ENABLE_MUC_RESOURCE_VALIDATE_ANONYMOUS_STRICT",
		.option = "anonymous_strict",
		.help = "An occupant's address in the room must be the first 8 characters of his session's "
			"own."},
	[KEY_TOKEN_AUTH_URL] = {"token_auth_url", SCHEMA_URL, SERVER, AT(server.token_auth_url),
		.max = 2048, .docker = "TOKEN_AUTH_URL", .option = "tokenAuthUrl",
		.help = "A login page elsewhere that hands out tokens."},
	[KEY_FOCUS] = {"focus", SCHEMA_WORD, SERVER, AT(server.focus), .fallback = "internal",
		.words = {"internal", "external"},
		.help = "Who opens rooms and answers for them. external: Jicofo, or whoever logs in as an "
			"account of kind focus. It moderates nobody: roles are this server's in either case."},
	[KEY_WEB_ROOT] = {"web_root", SCHEMA_PATH, SERVER, AT(server.web_root), .max = ENTRY_BYTES,
		.help = "Serve an installed jitsi-meet from this folder (Debian: /usr/share/jitsi-meet) in "
			"place of the page that is built in."},
	[KEY_CONFIG_JS] = {"config_js", SCHEMA_PATH, SERVER, AT(server.config_js), .max = ENTRY_BYTES,
		.help = "With web_root: answer /config.js with this file (Debian: "
			"/etc/jitsi/meet/HOST-config.js), the rule for names appended. Without it: "
			"generated from these settings."},
	[KEY_HTTP_CONFERENCE_REQUEST] = {"http_conference_request", SCHEMA_BOOL, SERVER,
		AT(server.http_conference_request), .fallback = "false",
		.help = "config.js tells clients to ask for conferences by HTTP, before they connect "
			"(conferenceRequestUrl). They may in any case."},
	[KEY_BOSH] = {"bosh", SCHEMA_BOOL, SERVER, AT(server.bosh), .fallback = "true",
		.help = "Clients may come by BOSH (/http-bind), where WebSockets do not get through. config.js "
			"names both."},
	[KEY_SHARD] = {"shard", SCHEMA_STRING, SERVER, AT(server.shard), .flags = SCHEMA_TRIMMED,
		.max = 64, .docker = "DEPLOYMENTINFO_SHARD", .help = "The name of this server among several, told to clients "
			"(x-jitsi-shard): letters, digits, dots, dashes and underscores."},
	[KEY_REGION] = {"region", SCHEMA_STRING, SERVER, AT(server.region), .flags = SCHEMA_TRIMMED,
		.max = 64, .docker = "DEPLOYMENTINFO_REGION", .docker2 = "PROSODY_REGION_NAME",
		.help = "Where it stands, likewise (x-jitsi-region)."},
	[KEY_ICE_SERVERS] = {"ice_servers", SCHEMA_LIST, SERVER, .flags = SCHEMA_TRIMMED, .fallback = "[]",
		.max = 320,
		.help = "STUN and TURN servers that clients are told about (XEP-0215): stun:host:port, "
			"turn:host:port?transport=udp, turns:host:port?transport=tcp."},
	[KEY_TURN_SECRET] = {"turn_secret", SCHEMA_SECRET, SERVER, AT(server.extdisco.secret),
		.max = ENTRY_BYTES, .docker = "TURN_CREDENTIALS",
		.help = "The secret shared with the TURN servers (coturn: static-auth-secret). Each client "
			"gets a password of its own that runs out."},
	[KEY_TURN_USERNAME] = {"turn_username", SCHEMA_STRING, SERVER, AT(server.extdisco.username),
		.max = 100, .docker = "TURN_USERNAME",
		.help = "Without turn_secret: the TURN user of all clients. With it: a part of the users' "
			"names."},
	[KEY_TURN_PASSWORD] = {"turn_password", SCHEMA_SECRET, SERVER, AT(server.extdisco.password),
		.max = 512, .docker = "TURN_PASSWORD", .help = "His password."},
	[KEY_TURN_TTL] = {"turn_ttl", SCHEMA_DURATION, SERVER, AT(server.extdisco.ttl_s),
		.fallback = "86400", .min = 60, .max = 2592000, .unit = "s", .docker = "TURN_TTL",
		.help = "How long a password made with turn_secret is good."},
	[KEY_SERVICES_PUSH] = {"services_push", SCHEMA_BOOL, SERVER, AT(server.services_push),
		.fallback = "false",
		.help = "Tell clients what the server offers before they ask, with the bind (jiconop): "
			"saves Jitsi clients a round trip."},

	[KEY_PREJOIN] = {"prejoin", SCHEMA_BOOL, PAGE, AT(server.page.prejoin), .fallback = "true",
		.docker = "ENABLE_PREJOIN_PAGE",
		.help = "Show a page with name and devices before joining."},
	[KEY_HIDE_PREJOIN_NAME] = {"hide_prejoin_name", SCHEMA_BOOL, PAGE,
		AT(server.page.hide_prejoin_name), .fallback = "false",
		.docker = "HIDE_PREJOIN_DISPLAY_NAME", .help = "Without the name on that page."},
	[KEY_REQUIRE_DISPLAY_NAME] = {"require_display_name", SCHEMA_BOOL, PAGE,
		AT(server.page.require_display_name), .fallback = "false",
		.docker = "ENABLE_REQUIRE_DISPLAY_NAME",
		.help = "The page asks for a name before joining."},
	[KEY_DISABLE_PROFILE] = {"disable_profile", SCHEMA_BOOL, PAGE, AT(server.page.disable_profile),
		.fallback = "false", .docker = "DISABLE_PROFILE",
		.help = "The page offers no profile; guests cannot name themselves there."},
	[KEY_READ_ONLY_NAME] = {"read_only_name", SCHEMA_BOOL, PAGE, AT(server.page.read_only_name),
		.fallback = "false", .option = "readOnlyName",
		.help = "The page lets nobody edit his name, guests neither. Frozen names are locked for "
			"their owner in any case."},
	[KEY_DISABLE_GRANT_MODERATOR] = {"disable_grant_moderator", SCHEMA_BOOL, PAGE,
		AT(server.page.disable_grant_moderator), .fallback = "false",
		.docker = "DISABLE_GRANT_MODERATOR",
		.help = "Nobody is promoted by hand: hides the menu item, and the server refuses "
			"(runtime_grant=never)."},
	[KEY_DISABLE_KICKOUT] = {"disable_kickout", SCHEMA_BOOL, PAGE, AT(server.page.disable_kickout),
		.fallback = "false", .docker = "DISABLE_KICKOUT",
		.help = "The page hides kicking. The server still allows it to moderators."},
	[KEY_STUN_SERVERS] = {"stun_servers", SCHEMA_LIST, PAGE, AT(server.page.stun_servers),
		.flags = SCHEMA_TRIMMED, .fallback = "[]", .max = 300,
		.help = "STUN servers for calls between two, as stun:host:port. Empty: only addresses of "
			"the machines themselves."},

	[KEY_CONNECTIONS_PER_ADDRESS] = {LIMIT(connections_per_address, "4000", 1, 1000000, "connections"),
		.help = "Open at once, from one address. Loopback is exempt. A building behind one address "
			"needs thousands."},
	[KEY_CONNECTIONS_PER_SECOND] = {LIMIT(connections_per_second, "200", 1, 100000, "per second"),
		.help = "New ones from one address. Loopback is exempt."},
	[KEY_SESSIONS] = {LIMIT(sessions, "20000", 1, 1000000, "sessions"), .help = "Clients at once."},
	[KEY_ROOMS] = {LIMIT(rooms, "5000", 1, 1000000, "rooms"), .help = "Rooms at once."},
	[KEY_ROOMS_PER_ADDRESS] = {LIMIT(rooms_per_address, "1000", 1, 1000000, "rooms"),
		.help = "Rooms that one address has opened and that still exist. Loopback is exempt."},
	[KEY_ROOMS_PER_SESSION] = {LIMIT(rooms_per_session, "8", 1, 100, "rooms"),
		.help = "Rooms that one client is in; and again as many that it asked for and nobody has entered yet."},
	[KEY_OCCUPANTS_PER_ROOM] = {LIMIT(occupants_per_room, "1000", 1, 100000, "people"),
		.help = "The most that any room takes, whatever max_occupants says."},
	[KEY_JOINS_PER_SECOND] = {LIMIT(joins_per_second, "200", 1, 100000, "per second"),
		.help = "Joins of one room."},
	[KEY_PASSWORDS_PER_MINUTE] = {LIMIT(passwords_per_minute, "20", 1, 100000, "per minute"),
		.help = "Wrong room passwords from one address (one client, from loopback); more are not looked at."},
	[KEY_SERVICE_PASSWORDS_PER_MINUTE] = {LIMIT(service_passwords_per_minute, "20", 1, 100000, "per minute"),
		.help = "Wrong passwords of services from one address (ten times as many from loopback); more are not "
			"looked at."},
	[KEY_SERVICE_STANZA_BYTES] = {LIMIT(service_stanza_bytes, "10485760", 4 * KIB, 16 * MIB, "bytes"),
		.help = "One stanza of a service."},
	[KEY_SERVICE_STANZAS_PER_SECOND] = {LIMIT(service_stanzas_per_second, "20000", 1, 1000000, "per second"),
		.help = "From one service, over some seconds. Its bytes are not counted."},
	[KEY_BREWERIES] = {LIMIT(breweries, "100", 1, 100000, "rooms"),
		.help = "Rooms on internal_muc_domain, per worker."},
	[KEY_HTTP_HEAD_BYTES] = {LIMIT(http_head_bytes, "8192", 512, 65536, "bytes"),
		.help = "Request line and headers, without the query."},
	[KEY_HTTP_BODY_MEBIBYTES_TOTAL] = {LIMIT(http_body_mebibytes_total, "64", 1, 65536, "MiB"),
		.help = "Bodies of requests that are not all here yet, together; then those with more than "
			"16 KiB are refused."},
	[KEY_CONFERENCE_REQUESTS_PER_MINUTE] = {LIMIT(conference_requests_per_minute, "600", 1, 1000000,
		"per minute"), .help = "By HTTP, from one address. Loopback is exempt."},
	[KEY_LOGIN_STANZA_BYTES] = {LIMIT(login_stanza_bytes, "10000", 512, MIB, "bytes"),
		.help = "One message before login."},
	[KEY_LOGIN_STANZAS] = {LIMIT(login_stanzas, "20", 4, 1000, "messages"),
		.help = "All messages before login."},
	[KEY_STANZA_BYTES] = {LIMIT(stanza_bytes, "262144", 4 * KIB, 16 * MIB, "bytes"),
		.help = "One message after login."},
	[KEY_STANZA_DEPTH] = {LIMIT(stanza_depth, "24", 4, 200, "levels"),
		.help = "Elements inside elements."},
	[KEY_STANZA_ATTRIBUTES] = {LIMIT(stanza_attributes, "40", 8, 1000, "attributes"),
		.help = "Of one element."},
	[KEY_STANZA_ELEMENTS] = {LIMIT(stanza_elements, "4000", 16, 100000, "elements"),
		.help = "Of one message."},
	[KEY_STANZAS_PER_SECOND] = {LIMIT(stanzas_per_second, "100", 1, 100000, "per second"),
		.help = "From one client; a burst of five seconds' worth is fine, more closes it."},
	[KEY_BYTES_PER_SECOND] = {LIMIT(bytes_per_second, "131072", KIB, 1024 * MIB, "bytes per second"),
		.help = "From one client, likewise."},
	[KEY_QUEUED_BYTES] = {LIMIT(queued_bytes, "8388608", 64 * KIB, 1024 * MIB, "bytes"),
		.help = "Waiting for one client that reads too slowly; more closes it, the others go on."},
	[KEY_QUEUED_MEBIBYTES_TOTAL] = {LIMIT(queued_mebibytes_total, "1024", 1, 1048576, "MiB"),
		.help = "Waiting for all clients together; then those that let more than 256 KiB wait are closed."},
	[KEY_HANDSHAKE_TIMEOUT] = {TIMEOUT(handshake_timeout, "10", 600),
		.help = "From connecting to the end of the request."},
	[KEY_BODY_TIMEOUT] = {TIMEOUT(body_timeout, "20", 600),
		.help = "From there to the end of its body."},
	[KEY_LOGIN_TIMEOUT] = {TIMEOUT(login_timeout, "20", 600),
		.help = "From the WebSocket to the end of the login."},
	[KEY_IDLE_TIMEOUT] = {TIMEOUT(idle_timeout, "60", 3600),
		.help = "Between two requests on one connection."},
	[KEY_PING_INTERVAL] = {TIMEOUT(ping_interval, "30", 3600),
		.help = "Silence before the server asks whether a client lives."},
	[KEY_PING_TIMEOUT] = {TIMEOUT(ping_timeout, "30", 3600), .help = "How long it may take to answer."},
	[KEY_ROOM_READY_TIMEOUT] = {TIMEOUT(room_ready_timeout, "15", 600),
		.help = "How long a room that was asked for waits for its first human."},
	[KEY_RESUME_TIMEOUT] = {LIMIT(resume_timeout, "60", 0, 600, "s"),
		.help = "How long a client whose connection broke stays in its rooms, to come back by stream "
			"management. 0: it leaves at once."},
	[KEY_RESUME_SERVICE_TIMEOUT] = {LIMIT(resume_service_timeout, "15", 0, 600, "s"),
		.help = "The same for services."},
	[KEY_RESUME_QUEUE] = {LIMIT(resume_queue, "500", 1, 100000, "stanzas"),
		.help = "Kept for one client until it has acknowledged them, within queued_bytes."},
	[KEY_SHUTDOWN_TIMEOUT] = {TIMEOUT(shutdown_timeout, "5", 600),
		.help = "How long the end may take."},
	[KEY_LOG_LINES_PER_SECOND] = {LIMIT(log_lines_per_second, "50", 1, 100000, "lines per second"),
		.help = "From one cause; what is left out is counted."},
	[KEY_KEY_LOOKUPS_PER_SECOND] = {LIMIT(key_lookups_per_second, "10", 1, 1000, "requests per second"),
		.help = "Requests for unknown kids, per key server. Known keys are not held up by it."},
	[KEY_KEYS_REMEMBERED] = {LIMIT(keys_remembered, "1000", 256, 100000, "keys"),
		.help = "Kids remembered per key server: so many known ones, and so many unknown ones."},
	[KEY_KEYS_WAITING] = {LIMIT(keys_waiting, "1000", 1, 100000, "logins"),
		.help = "Logins that wait for a key, per issuer."},
	[KEY_KEY_TIMEOUT] = {TIMEOUT(key_timeout, "10", 60),
		.help = "How long a login waits for its key."},
};

const struct schema_row *schema_row(enum config_key key)
{
	return &rows[key];
}

enum config_key schema_find(struct str key)
{
	for (int i = 0; i < KEY_COUNT; i++) {
		if (str_eqc(key, rows[i].key))
			return (enum config_key)i;
	}
	return KEY_NONE;
}

void schema_variable(const struct schema_row *row, char out[64])
{
	size_t i = 0;
	for (; row->key[i] && i < 63; i++) {
		char c = row->key[i];
		out[i] = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
	}
	out[i] = 0;
}

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
	unsigned m = a < b ? a : b;
	return m < c ? m : c;
}

unsigned schema_distance(struct str a, struct str b)
{
	enum { MOST = 64 };
	unsigned row[3][MOST + 1];
	a = str_sub(a, 0, MOST);
	b = str_sub(b, 0, MOST);
	for (unsigned j = 0; j <= b.n; j++)
		row[0][j] = j;
	unsigned *before = row[2], *last = row[0], *now = row[1];
	for (unsigned i = 1; i <= a.n; i++) {
		now[0] = i;
		for (unsigned j = 1; j <= b.n; j++) {
			unsigned same = ascii_lower(a.p[i - 1]) == ascii_lower(b.p[j - 1]) ? 0 : 1;
			now[j] = min3(last[j] + 1, now[j - 1] + 1, last[j - 1] + same);
			if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1] &&
				before[j - 2] + 1 < now[j])
				now[j] = before[j - 2] + 1;
		}
		unsigned *spare = before;
		before = last;
		last = now;
		now = spare;
	}
	return last[b.n];
}

const char *schema_nearest(struct str key)
{
	const char *best = NULL;
	unsigned best_distance = key.n < 6 ? 3 : 4;
	for (int i = 0; i < KEY_COUNT; i++) {
		if (rows[i].flags & SCHEMA_VECTORS_ONLY)
			continue;
		unsigned d = schema_distance(key, str_c(rows[i].key));
		if (d < best_distance) {
			best_distance = d;
			best = rows[i].key;
		}
	}
	return best;
}

const char *schema_section_name(enum schema_section s)
{
	static const char *const names[SECTION_COUNT] = {
		"Tokens", "Roles and rooms", "Names", "Server", "Page", "Limits"};
	return names[s];
}

static void describe_number(const struct schema_row *row, struct buf *out)
{
	buf_printf(out, "%lld to %lld", (long long)row->min, (long long)row->max);
	if (row->unit)
		buf_printf(out, " %s", row->unit);
	if (row->type == SCHEMA_DURATION)
		buf_puts(out, " (or as 90s, 5m, 1h)");
}

void schema_describe(const struct schema_row *row, struct buf *out)
{
	static const char *const texts[] = {
		[SCHEMA_BOOL] = "true or false",
		[SCHEMA_STRING] = "a text",
		[SCHEMA_SECRET] = "a secret text",
		[SCHEMA_URL] = "a URL, http or https",
		[SCHEMA_PATH] = "a path",
		[SCHEMA_DOMAIN] = "a domain name",
		[SCHEMA_LIST] = "a list of texts",
		[SCHEMA_ALGS] = "a list of algorithms",
		[SCHEMA_PATHS] = "a list of claim paths",
		[SCHEMA_ADDRESSES] = "a list of IP addresses",
		[SCHEMA_NETWORKS] = "a list of IP addresses and networks",
		[SCHEMA_FILES] = "a list of files",
		[SCHEMA_RULES] = "a list of rules",
		[SCHEMA_KEY_FILES] = "a list of key files",
		[SCHEMA_ISSUERS] = "a list of issuers",
		[SCHEMA_ACCOUNTS] = "a list of accounts",
	};
	if (row->type == SCHEMA_WORD) {
		for (size_t i = 0; i < 6 && row->words[i]; i++)
			buf_printf(out, "%s%s", i ? ", " : "one of ", row->words[i]);
	} else if (row->type == SCHEMA_INT || row->type == SCHEMA_DURATION) {
		describe_number(row, out);
	} else {
		buf_puts(out, texts[row->type]);
	}
}
