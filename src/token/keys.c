/* keys.c - loads keys and finds the one for a token. io (reads the key files) */
#include "token/keys.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/jval.h"
#include "base/mem.h"
#include "token/jwk.h"
#include "token/sig.h"

#define KEYS_MAX 1024          /* of one key list */
#define FILE_MAX (1024 * 1024) /* bytes; a PEM file has about one thousand */
#define SECRET_STRONG 32       /* bytes, RFC 7518 3.2 for HS256 */

struct token_key {
	const struct token_issuer *issuer; /* NULL: the server's own */
	enum token_family family;
	enum token_alg only; /* a JWK's `alg`; TOKEN_ALG_COUNT: every one of the family */
	char *kid;           /* owned; NULL: fits any kid */
	EVP_PKEY *pkey;      /* owned; NULL for a secret */
	char *secret;        /* owned, wiped; NULL for a public key */
	size_t secret_n;
};

struct token_keys {
	const struct token_settings *settings;
	struct token_key *items;
	size_t n, cap;
};

static void key_done(struct token_key *key)
{
	EVP_PKEY_free(key->pkey);
	mem_free(key->kid);
	if (key->secret)
		OPENSSL_cleanse(key->secret, key->secret_n);
	mem_free(key->secret);
}

void token_keys_free(struct token_keys *k)
{
	if (!k)
		return;
	for (size_t i = 0; i < k->n; i++)
		key_done(&k->items[i]);
	mem_free(k->items);
	mem_free(k);
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

/* "issuers[\"iss\"]." or "" in front of a setting's name. */
static const char *owner(const struct token_issuer *issuer, char out[96])
{
	out[0] = '\0';
	if (issuer)
		snprintf(out, 96, "issuers[\"%.*s\"].",
		        issuer->iss.n > 64 ? 64 : STR_FMT(issuer->iss));
	return out;
}

/* Takes over what *key owns, also on failure. */
static bool add(struct token_keys *k, struct token_key key, struct str kid, struct token_error *e)
{
	bool clash = false;
	for (size_t i = 0; i < k->n; i++) {
		const struct token_key *o = &k->items[i];
		clash = clash || (o->issuer == key.issuer && o->family == key.family &&
		                         (o->only == key.only || o->only == TOKEN_ALG_COUNT ||
		                                 key.only == TOKEN_ALG_COUNT) &&
		                         str_eq(str_c(o->kid), kid));
	}
	if (clash) {
		char who[96];
		key_done(&key);
		return fail(e, "%skeys: two keys of type %s with kid \"%.*s\"",
		        owner(key.issuer, who), token_family_name(key.family), STR_FMT(kid));
	}
	if (!str_absent(kid) && !(key.kid = mem_strndup(kid.p, kid.n))) {
		key_done(&key);
		return no_memory(e);
	}
	if (k->n == k->cap) {
		size_t cap = k->cap ? k->cap * 2 : 4;
		struct token_key *items = mem_realloc(k->items, cap * sizeof *items);
		if (!items) {
			key_done(&key);
			return no_memory(e);
		}
		k->items = items;
		k->cap = cap;
	}
	k->items[k->n++] = key;
	return true;
}

static bool add_secret(struct token_keys *k, const struct token_issuer *issuer, struct str secret,
        struct token_error *e)
{
	struct token_key key = {
	        .issuer = issuer, .family = TOKEN_FAMILY_HMAC, .only = TOKEN_ALG_COUNT};
	key.secret = mem_strndup(secret.p, secret.n);
	key.secret_n = secret.n;
	return key.secret ? add(k, key, STR_NONE, e) : no_memory(e);
}

static bool add_pem(struct token_keys *k, const struct token_issuer *issuer, struct str kid,
        struct str text, const char *where, struct token_error *e)
{
	struct token_key key = {.issuer = issuer, .only = TOKEN_ALG_COUNT};
	const char *why;
	key.pkey = jwk_from_pem(text, &key.family, &why);
	if (!key.pkey)
		return fail(e, "%s: %s", where, why);
	return add(k, key, kid, e);
}

/* {"keys":[...]}: keys that no algorithm here uses are passed over (RFC 7517 5), all of them
 * unusable is an error.
 */
static bool add_jwks(struct token_keys *k, const struct token_issuer *issuer,
        const struct jval *list, const char *where, struct token_error *e)
{
	size_t before = k->n;
	const char *why = "it is empty";
	if (jval_size(list) > KEYS_MAX)
		return fail(e, "%s: more than %d keys", where, KEYS_MAX);
	for (size_t i = 0; i < jval_size(list); i++) {
		const struct jval *jwk = jval_at(list, i), *kid = jval_getc(jwk, "kid");
		struct token_key key = {.issuer = issuer};
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
		if (key.pkey && !add(k, key, jval_str(kid), e))
			return false;
	}
	return k->n > before || fail(e, "%s: no usable key in the list (%s)", where, why);
}

/* {kid: PEM}: the other form of key list, Firebase's. */
static bool add_pem_map(struct token_keys *k, const struct token_issuer *issuer,
        const struct jval *map, const char *where, struct token_error *e)
{
	void *it = NULL;
	struct str kid;
	const struct jval *pem;
	if (jval_size(map) == 0 || jval_size(map) > KEYS_MAX)
		return fail(e, "%s: no keys, or more than %d", where, KEYS_MAX);
	while (jval_each(map, &it, &kid, &pem)) {
		if (!jval_is_string(pem) || kid.n == 0)
			return fail(e, "%s: neither a JWKS nor an object of kid and PEM", where);
		if (!add_pem(k, issuer, kid, jval_str(pem), where, e))
			return false;
	}
	return true;
}

static bool add_text(struct token_keys *k, const struct token_issuer *issuer, struct str text,
        const char *where, struct token_error *e)
{
	if (str_trim(text).n == 0)
		return fail(e, "%s: empty", where);
	if (str_trim(text).p[0] != '{')
		return add_pem(k, issuer, STR_NONE, text, where, e);
	struct jval_error je;
	struct jval *root = jval_parse(text, 16, &je);
	if (!root)
		return fail(e, "%s: bad JSON, line %d: %.100s", where, je.line, je.text);
	const struct jval *list = jval_getc(root, "keys");
	bool ok = jval_is_array(list) ? add_jwks(k, issuer, list, where, e)
	                              : add_pem_map(k, issuer, root, where, e);
	jval_free(root);
	return ok;
}

static bool read_file(const char *path, const char *where, struct buf *out, struct token_error *e)
{
	char chunk[4096];
	size_t n;
	FILE *f = fopen(path, "rb");
	if (!f)
		return fail(e, "%s: %s", where, strerror(errno));
	while ((n = fread(chunk, 1, sizeof chunk, f)) > 0)
		buf_add(out, chunk, n);
	int bad = ferror(f) ? errno : 0;
	fclose(f);
	if (bad)
		return fail(e, "%s: %s", where, strerror(bad));
	return !out->failed || fail(e, "%s: larger than %d bytes", where, FILE_MAX);
}

static bool load_file(struct token_keys *k, const struct token_issuer *issuer,
        const struct token_key_file *file, bool only, struct token_error *e)
{
	char who[96], where[256], path[4096];
	struct buf text;
	snprintf(where, sizeof where, "%skey_files: %.*s", owner(issuer, who),
	        file->path.n > 150 ? 150 : (int)file->path.n, file->path.p ? file->path.p : "");
	if (file->path.n == 0 || file->path.n >= sizeof path ||
	        memchr(file->path.p, 0, file->path.n))
		return fail(e, "%s: no usable path", where);
	if (file->kid.n == 0 && !only)
		return fail(e,
		        "%s: kid is missing (it may be left out only when there is one file)",
		        where);
	memcpy(path, file->path.p, file->path.n);
	path[file->path.n] = '\0';
	buf_init(&text, FILE_MAX);
	bool ok = read_file(path, where, &text, e) &&
	          add_pem(k, issuer, file->kid.n ? file->kid : STR_NONE, buf_view(&text), where, e);
	buf_done(&text);
	return ok;
}

static bool load_source(struct token_keys *k, const struct token_issuer *issuer,
        const struct token_key_settings *from, struct str given, struct token_error *e)
{
	char who[96];
	if (token_key_settings_remote(from))
		return str_absent(given) || add_text(k, issuer, given, "the given keys", e);
	if (from->source == TOKEN_KEYS_SECRET) {
		if (from->app_secret.n)
			return add_secret(k, issuer, from->app_secret, e);
		/* with issuers of its own a server needs no secret for the rest of the world */
		return (!issuer && k->settings->n_issuers) ||
		       fail(e,
		               "%sapp_secret is not set: give the secret, or key_source and its "
		               "keys",
		               owner(issuer, who));
	}
	if (from->n_key_files == 0)
		return fail(e, "%skey_files is empty, and key_source=file needs one",
		        owner(issuer, who));
	for (size_t i = 0; i < from->n_key_files; i++) {
		if (!load_file(k, issuer, &from->key_files[i], from->n_key_files == 1, e))
			return false;
	}
	return true;
}

struct token_keys *token_keys_load(
        const struct token_settings *s, struct str given, struct token_error *e)
{
	struct token_error ignored;
	if (!e)
		e = &ignored;
	e->text[0] = '\0';
	struct token_keys *k = mem_zalloc(sizeof *k);
	if (!k) {
		no_memory(e);
		return NULL;
	}
	k->settings = s;
	bool remote = token_key_settings_remote(&s->keys);
	for (size_t i = 0; i < s->n_issuers; i++)
		remote = remote || token_key_settings_remote(&s->issuers[i].keys);
	bool ok = str_absent(given) || remote ||
	          fail(e, "keys were given, but no key_source of the configuration is keyserver or "
	                  "jwks");
	ok = ok && load_source(k, NULL, &s->keys, given, e);
	for (size_t i = 0; i < s->n_issuers && ok; i++)
		ok = load_source(k, &s->issuers[i], &s->issuers[i].keys, given, e);
	if (ok)
		return k;
	token_keys_free(k);
	return NULL;
}

static const struct token_key_settings *settings_of(
        const struct token_keys *k, const struct token_issuer *issuer)
{
	return issuer ? &issuer->keys : &k->settings->keys;
}

bool token_keys_any(const struct token_keys *k, const struct token_issuer *issuer)
{
	bool any = token_key_settings_remote(settings_of(k, issuer));
	for (size_t i = 0; i < k->n && !any; i++)
		any = k->items[i].issuer == issuer;
	return any;
}

bool token_keys_has_family(
        const struct token_keys *k, const struct token_issuer *issuer, enum token_family family)
{
	/* what a remote source may still deliver is not known here */
	bool any = family != TOKEN_FAMILY_HMAC && family < TOKEN_FAMILY_COUNT &&
	           token_key_settings_remote(settings_of(k, issuer));
	for (size_t i = 0; i < k->n && !any; i++)
		any = k->items[i].issuer == issuer && k->items[i].family == family;
	return any;
}

unsigned token_keys_missing(const struct token_keys *k, const struct token_issuer *issuer)
{
	unsigned algs = token_key_settings_algs(settings_of(k, issuer));
	for (unsigned a = 0; a < TOKEN_ALG_COUNT; a++) {
		if (token_keys_has_family(k, issuer, token_alg_family((enum token_alg)a)))
			algs &= ~TOKEN_ALG_BIT(a);
	}
	return algs;
}

static const struct token_key *find(const struct token_keys *k, const struct token_issuer *issuer,
        enum token_alg alg, struct str kid)
{
	enum token_family family = token_alg_family(alg);
	for (size_t i = 0; i < k->n; i++) {
		const struct token_key *key = &k->items[i];
		if (key->issuer != issuer || key->family != family ||
		        (key->only != TOKEN_ALG_COUNT && key->only != alg))
			continue;
		if (!key->kid || family == TOKEN_FAMILY_HMAC || str_absent(kid) ||
		        str_eqc(kid, key->kid))
			return key;
	}
	return NULL;
}

bool token_keys_find(const struct token_keys *k, const struct token_issuer *issuer,
        enum token_alg alg, struct str kid)
{
	return find(k, issuer, alg, kid) != NULL;
}

enum token_key_answer token_keys_verify(const struct token_keys *k,
        const struct token_issuer *issuer, enum token_alg alg, struct str kid, struct str input,
        struct str signature)
{
	const struct token_key *key = find(k, issuer, alg, kid);
	if (!key)
		return TOKEN_KEY_NONE;
	bool good = key->secret ? sig_hmac_verify(alg, str_from(key->secret, key->secret_n), input,
	                                  signature)
	                        : sig_verify(alg, key->pkey, input, signature);
	return good ? TOKEN_KEY_GOOD : TOKEN_KEY_BAD_SIGNATURE;
}

bool token_keys_weak_secret(const struct token_keys *k)
{
	for (size_t i = 0; i < k->n; i++) {
		if (k->items[i].secret && k->items[i].secret_n < SECRET_STRONG)
			return true;
	}
	return false;
}

size_t token_keys_count(const struct token_keys *k)
{
	return k->n;
}
