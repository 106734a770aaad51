/* keyset.c - keys from text, and the one for a token. pure */
#include "token/keyset.h"

#include <openssl/crypto.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/jval.h"
#include "base/mem.h"
#include "token/jwk.h"

#define KEYS_MAX 1024 /* of one key list */
#define LIST_DEPTH 16

static void key_done(struct keyset_key *key)
{
	EVP_PKEY_free(key->pkey);
	mem_free(key->kid);
	if (key->secret)
		OPENSSL_cleanse(key->secret, key->secret_n);
	mem_free(key->secret);
}

void keyset_done(struct keyset *ks)
{
	for (size_t i = 0; i < ks->n; i++)
		key_done(&ks->items[i]);
	mem_free(ks->items);
	*ks = (struct keyset){0};
}

__attribute__((format(printf, 2, 3))) static bool fail(struct token_error *e, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	vsnprintf(e->text, sizeof e->text, fmt, args);
	va_end(args);
	return false;
}

static bool no_memory(struct token_error *e)
{
	return fail(e, "out of memory while loading keys");
}

static bool grow(struct keyset *ks)
{
	if (ks->n < ks->cap)
		return true;
	size_t cap = ks->cap ? ks->cap * 2 : 1;
	struct keyset_key *items = mem_realloc(ks->items, cap * sizeof *items);
	if (!items)
		return false;
	ks->items = items;
	ks->cap = cap;
	return true;
}

/* The key that this one could be mistaken for. */
static const struct keyset_key *rival(
        const struct keyset *ks, const struct keyset_key *key, struct str kid)
{
	for (size_t i = 0; i < ks->n; i++) {
		const struct keyset_key *o = &ks->items[i];
		bool algs_meet = o->only == key->only || o->only == TOKEN_ALG_COUNT ||
		                 key->only == TOKEN_ALG_COUNT;
		if (o->family == key->family && algs_meet && str_eq(str_c(o->kid), kid))
			return o;
	}
	return NULL;
}

/* Takes over what key owns, also on failure. */
static bool add(struct keyset *ks, struct keyset_key key, struct str kid, const char *where,
        struct token_error *e)
{
	const struct keyset_key *o = rival(ks, &key, kid);
	bool same = o && o->pkey && key.pkey && o->only == key.only &&
	            EVP_PKEY_eq(o->pkey, key.pkey) == 1;
	bool named = str_absent(kid) || (key.kid = mem_strndup(kid.p, kid.n));
	if (!o && named && grow(ks)) {
		ks->items[ks->n++] = key;
		return true;
	}
	key_done(&key);
	if (same)
		return true;
	return o ? fail(e, "%s: two keys of type %s with kid \"%.*s\"", where,
	                   token_family_name(key.family), kid.n > 80 ? 80 : (int)kid.n,
	                   kid.p ? kid.p : "")
	         : no_memory(e);
}

bool keyset_add_secret(struct keyset *ks, struct str secret, struct token_error *e)
{
	struct keyset_key key = {.family = TOKEN_FAMILY_HMAC, .only = TOKEN_ALG_COUNT};
	key.secret = mem_strndup(secret.p, secret.n);
	key.secret_n = secret.n;
	return key.secret ? add(ks, key, STR_NONE, "app_secret", e) : no_memory(e);
}

bool keyset_add_pem(struct keyset *ks, struct str kid, struct str text, const char *where,
        struct token_error *e)
{
	struct keyset_key key = {.only = TOKEN_ALG_COUNT};
	const char *why;
	key.pkey = jwk_from_pem(text, &key.family, &why);
	if (!key.pkey)
		return fail(e, "%s: %s", where, why);
	return add(ks, key, kid, where, e);
}

static bool add_jwks(
        struct keyset *ks, const struct jval *list, const char *where, struct token_error *e)
{
	size_t before = ks->n;
	const char *why = "it is empty";
	if (jval_size(list) > KEYS_MAX)
		return fail(e, "%s: more than %d keys", where, KEYS_MAX);
	for (size_t i = 0; i < jval_size(list); i++) {
		const struct jval *jwk = jval_at(list, i), *kid = jval_getc(jwk, "kid");
		struct keyset_key key = {0};
		if (kid && jval_str(kid).n == 0) {
			why = "a kid is no string";
			continue;
		}
		/* without kid nobody can choose it, unless it is alone */
		if (!kid && jval_size(list) > 1) {
			why = "kid is missing";
			continue;
		}
		key.pkey = jwk_from_json(jwk, &key.family, &key.only, &why);
		if (key.pkey && !add(ks, key, jval_str(kid), where, e))
			return false;
	}
	return ks->n > before || fail(e, "%s: no usable key in the list (%s)", where, why);
}

/* {kid: PEM}: the other form of key list, Firebase's. */
static bool add_pem_map(
        struct keyset *ks, const struct jval *map, const char *where, struct token_error *e)
{
	void *it = NULL;
	struct str kid;
	const struct jval *pem;
	if (jval_size(map) == 0 || jval_size(map) > KEYS_MAX)
		return fail(e, "%s: no keys, or more than %d", where, KEYS_MAX);
	while (jval_each(map, &it, &kid, &pem)) {
		if (!jval_is_string(pem) || kid.n == 0)
			return fail(e, "%s: neither a JWKS nor an object of kid and PEM", where);
		if (!keyset_add_pem(ks, kid, jval_str(pem), where, e))
			return false;
	}
	return true;
}

bool keyset_add_text(struct keyset *ks, struct str text, const char *where, struct token_error *e)
{
	if (str_trim(text).n == 0)
		return fail(e, "%s: empty", where);
	if (str_trim(text).p[0] != '{')
		return keyset_add_pem(ks, STR_NONE, text, where, e);
	struct jval_error je;
	struct jval *root = jval_parse(text, LIST_DEPTH, &je);
	if (!root)
		return je.nomem ? no_memory(e)
		                : fail(e, "%s: bad JSON, line %d: %.100s", where, je.line, je.text);
	const struct jval *list = jval_getc(root, "keys");
	bool ok = jval_is_array(list) ? add_jwks(ks, list, where, e)
	                              : add_pem_map(ks, root, where, e);
	jval_free(root);
	return ok;
}

const struct keyset_key *keyset_find(const struct keyset *ks, enum token_alg alg, struct str kid)
{
	enum token_family family = token_alg_family(alg);
	for (size_t i = 0; i < ks->n; i++) {
		const struct keyset_key *key = &ks->items[i];
		if (key->family != family || (key->only != TOKEN_ALG_COUNT && key->only != alg))
			continue;
		if (!key->kid || family == TOKEN_FAMILY_HMAC || str_absent(kid) ||
		        str_eqc(kid, key->kid))
			return key;
	}
	return NULL;
}

bool keyset_has_family(const struct keyset *ks, enum token_family family)
{
	bool any = false;
	for (size_t i = 0; i < ks->n && !any; i++)
		any = ks->items[i].family == family;
	return any;
}
