/* settings.c - algorithms, key families and defaults of verification. pure */
#include "token/settings.h"

static const struct {
	const char *name;
	enum token_family family;
} algs[TOKEN_ALG_COUNT] = {
        [TOKEN_HS256] = {"HS256", TOKEN_FAMILY_HMAC},
        [TOKEN_HS384] = {"HS384", TOKEN_FAMILY_HMAC},
        [TOKEN_HS512] = {"HS512", TOKEN_FAMILY_HMAC},
        [TOKEN_RS256] = {"RS256", TOKEN_FAMILY_RSA},
        [TOKEN_RS384] = {"RS384", TOKEN_FAMILY_RSA},
        [TOKEN_RS512] = {"RS512", TOKEN_FAMILY_RSA},
        [TOKEN_PS256] = {"PS256", TOKEN_FAMILY_RSA},
        [TOKEN_PS384] = {"PS384", TOKEN_FAMILY_RSA},
        [TOKEN_PS512] = {"PS512", TOKEN_FAMILY_RSA},
        [TOKEN_ES256] = {"ES256", TOKEN_FAMILY_P256},
        [TOKEN_ES384] = {"ES384", TOKEN_FAMILY_P384},
        [TOKEN_EDDSA] = {"EdDSA", TOKEN_FAMILY_ED25519},
};

enum token_alg token_alg_parse(struct str name)
{
	unsigned a = 0;
	while (a < TOKEN_ALG_COUNT && !str_eqc(name, algs[a].name))
		a++;
	return (enum token_alg)a;
}

const char *token_alg_name(enum token_alg alg)
{
	return alg < TOKEN_ALG_COUNT ? algs[alg].name : "";
}

enum token_family token_alg_family(enum token_alg alg)
{
	return alg < TOKEN_ALG_COUNT ? algs[alg].family : TOKEN_FAMILY_COUNT;
}

const char *token_family_name(enum token_family f)
{
	static const char *const names[] = {
	        "HMAC secret", "RSA", "P-256", "P-384", "Ed25519", "none"};
	return names[f];
}

const char *token_key_source_name(enum token_key_source s)
{
	static const char *const names[] = {"secret", "file", "keyserver", "jwks"};
	return names[s];
}

bool token_words_have(const struct token_words *w, struct str word)
{
	for (size_t i = 0; i < w->n; i++) {
		if (str_eq(w->items[i], word))
			return true;
	}
	return false;
}

unsigned token_key_settings_algs(const struct token_key_settings *k)
{
	if (k->algs)
		return k->algs;
	return k->source == TOKEN_KEYS_SECRET ? TOKEN_ALG_BIT(TOKEN_HS256)
	                                      : TOKEN_ALG_BIT(TOKEN_RS256);
}

bool token_key_settings_remote(const struct token_key_settings *k)
{
	return k->source == TOKEN_KEYS_KEYSERVER || k->source == TOKEN_KEYS_JWKS;
}

void token_settings_init(struct token_settings *s)
{
	*s = (struct token_settings){.require_room = true, .leeway = 5, .max_token_bytes = 8192};
}

const struct token_issuer *token_settings_issuer(const struct token_settings *s, struct str iss)
{
	for (size_t i = 0; i < s->n_issuers && !str_absent(iss); i++) {
		if (str_eq(s->issuers[i].iss, iss))
			return &s->issuers[i];
	}
	return NULL;
}
