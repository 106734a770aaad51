/* schema.h - the one table of keys: type, bounds, default, names in the environment, meaning, where
 * it lands. pure
 *
 * Parser, environment, `check`, help and docs read it. A row's key in upper case is its own
 * variable; `docker` are the names that docker-jitsi-meet gives it, `option` those of Prosody's
 * configuration (roles.md 5). */
/* A table, read by column. */
/* clang-format off */
#pragma once
#include "config/config.h"

enum config_key {
	KEY_PROFILE,
	/* tokens */
	KEY_AUTH, KEY_APP_ID, KEY_APP_SECRET, KEY_APP_SECRET_FILE, KEY_ACCEPTED_ISSUERS,
	KEY_ACCEPTED_AUDIENCES,
	KEY_ALGS, KEY_KEY_SOURCE, KEY_KEY_FILES, KEY_KEY_SERVER, KEY_JWKS, KEY_ISSUERS, KEY_KNOWN_KIDS,
	KEY_KEY_CA_FILE, KEY_KEY_PROXY, KEY_KEY_PLAIN_HTTP,
	KEY_REQUIRE_EXP, KEY_LEEWAY, KEY_MAX_TOKEN_BYTES, KEY_REQUIRE_ROOM, KEY_ROOM_WILDCARD,
	KEY_DOMAIN_VERIFICATION, KEY_DOMAIN, KEY_PUBLIC_HOST,
	/* roles */
	KEY_ROLE_MODE, KEY_CLAIM_PATHS, KEY_CLAIM_COERCION, KEY_CLAIM_CONFLICT, KEY_CLAIM_RULES,
	KEY_CLAIM_RULES_ELSE,
	KEY_HONOUR_DENY, KEY_ALLOW_GUESTS, KEY_ROOM_CREATE, KEY_BEFORE_HOST, KEY_LOBBY_BYPASS,
	KEY_PASSWORD_BYPASS,
	KEY_BYPASS_CLAIMS, KEY_RUNTIME_GRANT, KEY_ON_LAST_MODERATOR_LEFT, KEY_END_AFTER, KEY_ON_EXPIRY,
	KEY_MAX_OCCUPANTS, KEY_OUTCAST_CLAIM, KEY_ALLOWNER_ISSUERS, KEY_MODERATED_ROOMS,
	KEY_MODERATED_TENANTS,
	KEY_LOBBY_AUTOSTART, KEY_LOBBY,
	/* names */
	KEY_NAME_MODE, KEY_NAME_PATHS, KEY_NAME_MAX, KEY_GUEST_CLASH, KEY_CLASH_SUFFIX,
	KEY_CLASH_SUFFIX_USER,
	KEY_IDENTITY_FIELDS,
	/* server */
	KEY_BIND, KEY_HTTP_PORT, KEY_HTTPS_PORT, KEY_TLS_CERTIFICATE, KEY_TLS_KEY, KEY_TLS_SELF_SIGNED,
	KEY_XMPP_PORT, KEY_XMPP_TLS_PORT, KEY_XMPP_REQUIRE_TLS,
	KEY_HTTP_REDIRECT, KEY_ACME_FOLDER, KEY_HSTS, KEY_TRUSTED_PROXIES, KEY_PUBLIC_URL,
	KEY_STATE_DIRECTORY, KEY_WEB_FOLDER, KEY_LOG_LEVEL, KEY_WORKERS,
	KEY_PLACEMENT, KEY_GUEST_DOMAIN,
	KEY_AUTH_DOMAIN, KEY_HIDDEN_DOMAIN, KEY_ACCOUNTS, KEY_INTERNAL_MUC_DOMAIN, KEY_MUC_DOMAIN,
	KEY_TENANTS, KEY_RESOURCE_STRICT, KEY_TOKEN_AUTH_URL, KEY_FOCUS,
	KEY_WEB_ROOT, KEY_CONFIG_JS, KEY_HTTP_CONFERENCE_REQUEST, KEY_BOSH, KEY_SHARD, KEY_REGION,
	KEY_ICE_SERVERS, KEY_TURN_SECRET, KEY_TURN_USERNAME, KEY_TURN_PASSWORD, KEY_TURN_TTL,
	KEY_SERVICES_PUSH,
	/* page */
	KEY_PREJOIN, KEY_HIDE_PREJOIN_NAME, KEY_REQUIRE_DISPLAY_NAME, KEY_DISABLE_PROFILE,
	KEY_READ_ONLY_NAME,
	KEY_DISABLE_GRANT_MODERATOR, KEY_DISABLE_KICKOUT, KEY_STUN_SERVERS,
	/* limits */
	KEY_CONNECTIONS_PER_ADDRESS, KEY_CONNECTIONS_PER_SECOND, KEY_SESSIONS, KEY_ROOMS,
	KEY_ROOMS_PER_ADDRESS,
	KEY_ROOMS_PER_SESSION, KEY_OCCUPANTS_PER_ROOM, KEY_JOINS_PER_SECOND, KEY_PASSWORDS_PER_MINUTE,
	KEY_SERVICE_PASSWORDS_PER_MINUTE, KEY_SERVICE_STANZA_BYTES, KEY_SERVICE_STANZAS_PER_SECOND,
	KEY_BREWERIES,
	KEY_HTTP_HEAD_BYTES, KEY_HTTP_BODY_MEBIBYTES_TOTAL, KEY_CONFERENCE_REQUESTS_PER_MINUTE,
	KEY_LOGIN_STANZA_BYTES, KEY_LOGIN_STANZAS, KEY_STANZA_BYTES, KEY_STANZA_DEPTH,
	KEY_STANZA_ATTRIBUTES,
	KEY_STANZA_ELEMENTS, KEY_STANZAS_PER_SECOND, KEY_BYTES_PER_SECOND, KEY_QUEUED_BYTES,
	KEY_QUEUED_MEBIBYTES_TOTAL,
	KEY_HANDSHAKE_TIMEOUT, KEY_BODY_TIMEOUT,
	KEY_LOGIN_TIMEOUT, KEY_IDLE_TIMEOUT, KEY_PING_INTERVAL, KEY_PING_TIMEOUT,
	KEY_ROOM_READY_TIMEOUT,
	KEY_RESUME_TIMEOUT, KEY_RESUME_SERVICE_TIMEOUT, KEY_RESUME_QUEUE,
	KEY_SHUTDOWN_TIMEOUT, KEY_LOG_LINES_PER_SECOND,
	KEY_KEY_LOOKUPS_PER_SECOND, KEY_KEYS_REMEMBERED, KEY_KEYS_WAITING, KEY_KEY_TIMEOUT,
	KEY_COUNT, KEY_NONE = KEY_COUNT
};

enum schema_type {
	SCHEMA_BOOL, SCHEMA_WORD, SCHEMA_INT,
	SCHEMA_DURATION,    /* seconds; also 90s, 5m, 1h */
	SCHEMA_STRING, SCHEMA_SECRET, SCHEMA_URL, SCHEMA_PATH, SCHEMA_DOMAIN,
	SCHEMA_LIST,        /* of strings */
	SCHEMA_ALGS,        /* of names of algorithms */
	SCHEMA_PATHS,       /* of claim paths */
	SCHEMA_ADDRESSES,   /* of numeric IP addresses */
	SCHEMA_NETWORKS,    /* of addresses with or without a prefix length */
	SCHEMA_FILES,       /* of paths */
	SCHEMA_RULES, SCHEMA_KEY_FILES, SCHEMA_ISSUERS, SCHEMA_ACCOUNTS,
};
/* Nothing of such a value is shown: the last two hold secrets among other things. */
static inline bool schema_is_secret(enum schema_type t)
{
	return t == SCHEMA_SECRET || t == SCHEMA_ISSUERS || t == SCHEMA_ACCOUNTS;
}

enum schema_section { SECTION_TOKEN, SECTION_ROLE, SECTION_NAME, SECTION_SERVER, SECTION_PAGE, SECTION_LIMITS,
	SECTION_COUNT };

enum {
	SCHEMA_VECTORS_ONLY = 1,    /* not in files and variables */
	SCHEMA_TRIMMED = 2,         /* list items and strings lose white space at both ends */
	SCHEMA_COMPUTED = 4,        /* the default depends on other keys: config/defaults */
	SCHEMA_ALWAYS_READ = 8,     /* ports and folders: the docker name counts in any case */
};

struct schema_row {
	const char *key;
	enum schema_type type;
	enum schema_section section;
	unsigned flags;
	const char *fallback;       /* default as it would stand in a variable; NULL: unset, or computed */
	const char *fallback_text;  /* for the docs, when computed */
	const char *words[6];       /* of SCHEMA_WORD, in the order of the enum it lands in */
	int64_t min, max;           /* numbers; bytes of strings */
	const char *unit;
	const char *docker, *docker2; /* docker-jitsi-meet's variables; NULL: none */
	const char *option;         /* Prosody's option; NULL: none */
	size_t offset, size;        /* in struct config; size 0: filled in by hand (config/fill) */
	const char *help;           /* one or two plain sentences */
};

const struct schema_row *schema_row(enum config_key key);
/* KEY_NONE when there is no such key. */
enum config_key schema_find(struct str key);
/* The key's own variable, in upper case, into out. */
void schema_variable(const struct schema_row *row, char out[64]);
/* The key (or NULL) whose name is nearest to this one, if it is near. */
const char *schema_nearest(struct str key);
const char *schema_section_name(enum schema_section s);
/* "true or false", "one of token, first-user, ...", "0 to 60 s": what a value may be. */
void schema_describe(const struct schema_row *row, struct buf *out);

/* Edits (insert, delete, replace, swap) between the two; at most 64 bytes of each count. */
unsigned schema_distance(struct str a, struct str b);
