/* claims.c - payload to struct claims. pure */
#include "token/claims.h"

#include "base/hash.h"
#include "base/mem.h"
#include "token/jwt.h"

/* `null` and the empty array (PHP's empty object) count as absent, roles.md 3.3. */
static bool absent(const struct jval *j)
{
	return !j || jval_is_null(j) || (jval_is_array(j) && jval_size(j) == 0);
}

static struct identity read_identity(const struct jval *payload)
{
	const struct jval *context = jval_getc(payload, "context");
	const struct jval *id = absent(context) ? jval_getc(payload, "user_id")
	                                        : jval_getc(jval_getc(context, "user"), "id");
	struct identity who = {.iss = jval_str(jval_getc(payload, "iss"))};
	identity_read(&who, id);
	return who;
}

struct claims *token_claims_new(struct jval *payload, const uint8_t sha256[32], unsigned warnings)
{
	struct claims *c = mem_zalloc(sizeof *c);
	if (!c) {
		jval_free(payload);
		return NULL;
	}
	const struct jval *exp = jval_getc(payload, "exp");
	c->refs = 1;
	c->payload = payload;
	c->iss = jval_str(jval_getc(payload, "iss"));
	c->sub = jval_str(jval_getc(payload, "sub"));
	c->room = jval_str(jval_getc(payload, "room"));
	c->has_exp = jval_is_number(exp);
	c->exp = jval_number(exp);
	c->identity = read_identity(payload);
	c->warnings = warnings;
	memcpy(c->token_sha256, sha256, sizeof c->token_sha256);
	return c;
}

struct claims *token_claims_parse(struct str payload_text)
{
	uint8_t sha256[32];
	struct jval *payload = jval_parse(payload_text, TOKEN_JSON_DEPTH, NULL);
	if (!jval_is_object(payload)) {
		jval_free(payload);
		return NULL;
	}
	hash_sha256(payload_text, sha256);
	return token_claims_new(payload, sha256, 0);
}
