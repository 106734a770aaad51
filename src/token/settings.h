/* settings.h - what token verification is told: the keys of the configuration that concern it. pure
 *
 * A struct token_settings owns nothing: every string and list is borrowed from the configuration
 * that filled it and must outlive it. Immutable while in use; readable from any thread. Meaning of
 * each field: roles.md 1.4 and 1.5.
 */
#pragma once
#include <stdint.h>

#include "base/str.h"

/* RFC 7518 3.1 and RFC 8037. Each belongs to exactly one key family; `none` has no member here on
 * purpose. */
enum token_alg {
	TOKEN_HS256,
	TOKEN_HS384,
	TOKEN_HS512,
	TOKEN_RS256,
	TOKEN_RS384,
	TOKEN_RS512,
	TOKEN_PS256,
	TOKEN_PS384,
	TOKEN_PS512,
	TOKEN_ES256,
	TOKEN_ES384,
	TOKEN_EDDSA,
	TOKEN_ALG_COUNT /* also: no such algorithm */
};

enum token_family {
	TOKEN_FAMILY_HMAC,
	TOKEN_FAMILY_RSA,
	TOKEN_FAMILY_P256,
	TOKEN_FAMILY_P384,
	TOKEN_FAMILY_ED25519,
	TOKEN_FAMILY_COUNT /* also: no usable key */
};

#define TOKEN_ALG_BIT(alg) (1u << (alg))

enum token_alg token_alg_parse(
        struct str name); /* exact spelling; TOKEN_ALG_COUNT when unknown (or "none") */
const char *token_alg_name(enum token_alg alg); /* "HS256" */
enum token_family token_alg_family(enum token_alg alg);
const char *token_family_name(enum token_family f); /* "RSA" */

enum token_key_source { TOKEN_KEYS_SECRET, TOKEN_KEYS_FILE, TOKEN_KEYS_KEYSERVER, TOKEN_KEYS_JWKS };

const char *token_key_source_name(
        enum token_key_source s); /* the word of the configuration: "secret" */

struct token_words {
	const struct str *items; /* NULL: not given, the default applies; not NULL with n = 0: an
	                            empty list */
	size_t n;
};

bool token_words_have(const struct token_words *w, struct str word);

struct token_key_file {
	struct str kid;  /* absent: not given, allowed when it is the only file */
	struct str path; /* PEM: public key or certificate */
};

/* Where keys come from: once for the whole server and once per entry of `issuers`. */
struct token_key_settings {
	enum token_key_source source;
	unsigned algs;         /* TOKEN_ALG_BIT set; 0: the default of the source */
	struct str app_secret; /* used only with source secret */
	const struct token_key_file *key_files;
	size_t n_key_files;
	struct str key_server; /* URL */
	struct str jwks;       /* URL or path */
	struct token_words
	        known_kids; /* vectors only; of an issuer: not given = those of the server */
};

/* The allow-list in force: `algs`, or HS256 with a secret and RS256 with a key source. */
unsigned token_key_settings_algs(const struct token_key_settings *k);
/* Keys are fetched from elsewhere (key server, or a key list given as URL or file). */
bool token_key_settings_remote(const struct token_key_settings *k);

struct token_issuer {
	struct str iss;
	struct token_key_settings keys;
};

struct token_settings {
	struct str app_id;
	struct token_words accepted_issuers;   /* not given: [app_id] */
	struct token_words accepted_audiences; /* not given: ["*"] */
	struct token_key_settings keys;
	const struct token_issuer
	        *issuers; /* `iss` of these are accepted too; each key serves its issuer only */
	size_t n_issuers;
	bool require_exp;
	bool require_room;
	unsigned leeway; /* seconds, 0..60 */
	size_t max_token_bytes;
};

/* The defaults of roles.md 1.5: secret, no exp needed, room needed, leeway 5 s, 8192 bytes. */
void token_settings_init(struct token_settings *s);
/* The entry of `issuers` for this iss; NULL: none, the server's own keys count. */
const struct token_issuer *token_settings_issuer(const struct token_settings *s, struct str iss);
