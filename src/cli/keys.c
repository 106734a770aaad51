/* keys.c - loading the verification keys for a command, with words for what is wrong. io */
#include "cli/keys.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/cli.h"

bool keys_load(const struct config *c, struct token_keys **keys, struct token_error *e)
{
	*keys = NULL;
	if (c->policy.auth != AUTH_JWT)
		return true;
	struct str ca = c->server.keys.ca_file;
	if (ca.n && access(ca.p, R_OK) != 0) {
		snprintf(e->text, sizeof e->text, "key_ca_file: %.200s: %s", ca.p, strerror(errno));
		return false;
	}
	*keys = token_keys_load(&c->token, STR_NONE, e);
	return *keys != NULL;
}

bool keys_open_store(const struct config *c, struct token_keys *keys, struct token_store **store)
{
	const struct limits *l = &c->server.limits;
	const struct token_store_settings set = {
	        .bounds = {.per_second = l->key_lookups_per_second,
	                .documents = l->keys_remembered,
	                .waiters = l->keys_waiting,
	                .wait_ms = l->key_timeout * 1000},
	        .ca_file = c->server.keys.ca_file,
	        .proxy = c->server.keys.proxy,
	        .agent = "Gavel/" GAVEL_VERSION,
	        .log_lines_per_second = l->log_lines_per_second,
	};
	*store = NULL;
	if (!keys || !token_store_needed(&c->token))
		return true;
	*store = token_store_new(&c->token, &set);
	if (*store)
		token_keys_attach(keys, *store);
	return *store != NULL;
}

static void note_source(
        const struct token_key_settings *from, const struct token_issuer *issuer, struct buf *out)
{
	if (!token_key_settings_remote(from))
		return;
	if (issuer) {
		buf_puts(out, "issuer ");
		jval_quote(issuer->iss, out);
		buf_puts(out, ": ");
	}
	if (from->source == TOKEN_KEYS_KEYSERVER)
		buf_printf(out,
		        "%.*s%s<SHA-256 of the kid>.pem is fetched when a token names a kid\n",
		        STR_FMT(from->key_server), str_ends(from->key_server, STR("/")) ? "" : "/");
	else if (str_starts(from->jwks, STR("http")))
		buf_printf(out,
		        "%.*s is fetched at the start, before it is out of date, and for unknown "
		        "kids\n",
		        STR_FMT(from->jwks));
	else
		buf_printf(out, "%.*s is read at the start and when it changes\n",
		        STR_FMT(from->jwks));
}

void keys_sources(const struct config *c, struct buf *out)
{
	if (c->policy.auth != AUTH_JWT)
		return;
	note_source(&c->token.keys, NULL, out);
	for (size_t i = 0; i < c->token.n_issuers; i++)
		note_source(&c->token.issuers[i].keys, &c->token.issuers[i], out);
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
