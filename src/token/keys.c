/* keys.c - loads keys and finds the one for a token. io (reads the key files) */
#include "token/keys.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"
#include "token/sig.h"
#include "token/store.h"

#define FILE_MAX (1024 * 1024) /* bytes; a PEM file has about one thousand */
#define SECRET_STRONG 32       /* bytes, RFC 7518 3.2 for HS256 */

struct token_keys {
	const struct token_settings *settings;
	struct token_store *store; /* NULL: keys from elsewhere are those of the sets */
	size_t n;
	struct keyset *sets; /* the server's own, then one per issuer */
};

void token_keys_free(struct token_keys *k)
{
	if (!k)
		return;
	for (size_t i = 0; i < k->n; i++)
		keyset_done(&k->sets[i]);
	mem_free(k->sets);
	mem_free(k);
}

void token_keys_attach(struct token_keys *k, struct token_store *store)
{
	k->store = store;
}

struct token_store *token_keys_store(const struct token_keys *k)
{
	return k ? k->store : NULL;
}

static struct keyset *set_of(const struct token_keys *k, const struct token_issuer *issuer)
{
	return &k->sets[issuer ? 1 + (size_t)(issuer - k->settings->issuers) : 0];
}

static const struct token_key_settings *settings_of(
        const struct token_keys *k, const struct token_issuer *issuer)
{
	return issuer ? &issuer->keys : &k->settings->keys;
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

static bool read_text(struct str path, const char *where, struct buf *text, struct token_error *e)
{
	char name[4096];
	if (path.n == 0 || path.n >= sizeof name || memchr(path.p, 0, path.n))
		return fail(e, "%s: no usable path", where);
	memcpy(name, path.p, path.n);
	name[path.n] = '\0';
	return read_file(name, where, text, e);
}

static void where_is(
        const struct token_issuer *issuer, const char *setting, struct str path, char out[256])
{
	char who[96];
	snprintf(out, 256, "%s%s: %.*s", owner(issuer, who), setting,
	        path.n > 150 ? 150 : (int)path.n, path.p ? path.p : "");
}

static bool load_file(struct keyset *ks, const struct token_issuer *issuer,
        const struct token_key_file *file, bool only, struct token_error *e)
{
	char where[256];
	struct buf text;
	where_is(issuer, "key_files", file->path, where);
	if (file->kid.n == 0 && !only)
		return fail(e,
		        "%s: kid is missing (it may be left out only when there is one file)",
		        where);
	buf_init(&text, FILE_MAX);
	bool ok = read_text(file->path, where, &text, e) &&
	          keyset_add_pem(ks, file->kid.n ? file->kid : STR_NONE, buf_view(&text), where, e);
	buf_done(&text);
	return ok;
}

static bool is_file(struct str place)
{
	return place.n && !str_starts(place, STR("https://")) && !str_starts(place, STR("http://"));
}

/* Keys that stand in for those from elsewhere, or a list that is a file: its faults are told before
 * anything starts. */
static bool load_remote(struct keyset *ks, const struct token_issuer *issuer,
        const struct token_key_settings *from, struct str given, struct token_error *e)
{
	char where[256];
	struct buf text;
	if (!str_absent(given))
		return keyset_add_text(ks, given, "the given keys", e);
	if (from->source != TOKEN_KEYS_JWKS || !is_file(from->jwks))
		return true;
	where_is(issuer, "jwks", from->jwks, where);
	buf_init(&text, FILE_MAX);
	bool ok = read_text(from->jwks, where, &text, e) &&
	          keyset_add_text(ks, buf_view(&text), where, e);
	buf_done(&text);
	return ok;
}

static bool load_source(struct token_keys *k, const struct token_issuer *issuer,
        const struct token_key_settings *from, struct str given, struct token_error *e)
{
	char who[96];
	struct keyset *ks = set_of(k, issuer);
	if (token_key_settings_remote(from))
		return load_remote(ks, issuer, from, given, e);
	if (from->source == TOKEN_KEYS_SECRET) {
		if (from->app_secret.n)
			return keyset_add_secret(ks, from->app_secret, e);
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
		if (!load_file(ks, issuer, &from->key_files[i], from->n_key_files == 1, e))
			return false;
	}
	return true;
}

static struct token_keys *keys_new(const struct token_settings *s)
{
	struct token_keys *k = mem_zalloc(sizeof *k);
	if (!k)
		return NULL;
	k->settings = s;
	k->sets = mem_zalloc((1 + s->n_issuers) * sizeof *k->sets);
	if (!k->sets) {
		mem_free(k);
		return NULL;
	}
	k->n = 1 + s->n_issuers;
	return k;
}

struct token_keys *token_keys_load(
        const struct token_settings *s, struct str given, struct token_error *e)
{
	struct token_error ignored;
	if (!e)
		e = &ignored;
	e->text[0] = '\0';
	struct token_keys *k = keys_new(s);
	if (!k) {
		no_memory(e);
		return NULL;
	}
	bool ok = str_absent(given) || token_store_needed(s) ||
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

bool token_keys_any(const struct token_keys *k, const struct token_issuer *issuer)
{
	return token_key_settings_remote(settings_of(k, issuer)) || set_of(k, issuer)->n > 0;
}

bool token_keys_has_family(
        const struct token_keys *k, const struct token_issuer *issuer, enum token_family family)
{
	/* what a remote source may still deliver is not known here */
	bool remote = family != TOKEN_FAMILY_HMAC && family < TOKEN_FAMILY_COUNT &&
	              token_key_settings_remote(settings_of(k, issuer));
	return remote || keyset_has_family(set_of(k, issuer), family);
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

static bool elsewhere(const struct token_keys *k, const struct token_issuer *issuer)
{
	return k->store && token_key_settings_remote(settings_of(k, issuer));
}

bool token_keys_find(const struct token_keys *k, const struct token_issuer *issuer,
        enum token_alg alg, struct str kid)
{
	if (!elsewhere(k, issuer))
		return keyset_find(set_of(k, issuer), alg, kid) != NULL;
	return token_store_has(k->store, issuer, alg, kid);
}

bool token_keys_want(const struct token_keys *k, const struct token_issuer *issuer,
        enum token_alg alg, struct str kid, struct token_want *want)
{
	want->alg = TOKEN_ALG_COUNT;
	if (!elsewhere(k, issuer) || kid.n >= sizeof want->kid)
		return false;
	want->issuer = issuer;
	want->alg = alg;
	memcpy(want->kid, kid.p, kid.n);
	want->kid[kid.n] = '\0';
	return true;
}

static enum token_key_answer verify_elsewhere(const struct token_keys *k,
        const struct token_issuer *issuer, enum token_alg alg, struct str kid, struct str input,
        struct str signature)
{
	EVP_PKEY *key = token_store_key(k->store, issuer, alg, kid);
	if (!key)
		return TOKEN_KEY_NONE;
	bool good = sig_verify(alg, key, input, signature);
	token_store_give_back(k->store, key);
	return good ? TOKEN_KEY_GOOD : TOKEN_KEY_BAD_SIGNATURE;
}

enum token_key_answer token_keys_verify(const struct token_keys *k,
        const struct token_issuer *issuer, enum token_alg alg, struct str kid, struct str input,
        struct str signature)
{
	if (elsewhere(k, issuer))
		return verify_elsewhere(k, issuer, alg, kid, input, signature);
	const struct keyset_key *key = keyset_find(set_of(k, issuer), alg, kid);
	if (!key)
		return TOKEN_KEY_NONE;
	bool good = key->secret ? sig_hmac_verify(alg, str_from(key->secret, key->secret_n), input,
	                                  signature)
	                        : sig_verify(alg, key->pkey, input, signature);
	return good ? TOKEN_KEY_GOOD : TOKEN_KEY_BAD_SIGNATURE;
}

bool token_keys_weak_secret(const struct token_keys *k)
{
	bool weak = false;
	for (size_t i = 0; i < k->n; i++) {
		for (size_t j = 0; j < k->sets[i].n; j++) {
			const struct keyset_key *key = &k->sets[i].items[j];
			weak = weak || (key->secret && key->secret_n < SECRET_STRONG);
		}
	}
	return weak;
}

size_t token_keys_count(const struct token_keys *k)
{
	size_t n = 0;
	for (size_t i = 0; i < k->n; i++)
		n += k->sets[i].n;
	return n;
}
