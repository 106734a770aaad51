/* keys.c - loading the verification keys for a command, with words for what is wrong. io */
#include "cli/keys.h"

bool keys_load(const struct config *c, struct token_keys **keys, struct token_error *e)
{
	*keys = NULL;
	if (c->policy.auth != AUTH_JWT)
		return true;
	*keys = token_keys_load(&c->token, STR_NONE, e);
	return *keys != NULL;
}

static void note_missing(const struct token_keys *keys, const struct token_issuer *issuer,
        const char *whose, struct buf *out)
{
	unsigned missing = token_keys_missing(keys, issuer);
	for (unsigned alg = 0; alg < TOKEN_ALG_COUNT; alg++) {
		if (missing & TOKEN_ALG_BIT(alg))
			buf_printf(out,
			        "algs: %s is listed%s, but there is no key for it: such tokens are "
			        "refused (E_ALG)\n",
			        token_alg_name((enum token_alg)alg), whose);
	}
}

void keys_notes(const struct config *c, const struct token_keys *keys, struct buf *out)
{
	if (!keys)
		return;
	if (c->token.n_issuers == 0 || token_keys_any(keys, NULL))
		note_missing(keys, NULL, "", out);
	for (size_t i = 0; i < c->token.n_issuers; i++)
		note_missing(keys, &c->token.issuers[i], " for an entry of issuers", out);
}
