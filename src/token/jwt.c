/* jwt.c - compact tokens: parts, header, key and signature, then the registered claims. pure */
#include "token/jwt.h"

#include <stdio.h>

#include "base/base64.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/utf8.h"
#include "token/claims.h"
#include "token/registered.h"

#define KID_MAX 256 /* bytes */

const char *token_step_name(enum token_step s)
{
	static const char *const names[TOKEN_STEP_COUNT] = {"none", "size", "format", "duplicates",
	        "crit", "typ", "alg", "kid", "key", "signature", "exp", "nbf", "iss", "aud", "room",
	        "sub"};
	return names[s];
}

void token_result_done(struct token_result *r)
{
	claims_unref(r->claims);
	jval_free(r->refused);
	r->claims = NULL;
	r->refused = NULL;
}

static bool out_of_memory(struct token_result *out)
{
	out->nomem = true;
	return token_refuse(out, E_RATE, "out of memory", "the server is out of memory");
}

struct check {
	const struct token_settings *settings;
	const struct sig_oracle *oracle;
	struct token_result *out;
	struct jval *header, *payload; /* owned until the end of the check */
	struct sig_case sig;
};

/* Both documents, so that bad syntax in one is found before repeated names in the other. */
static bool parse_documents(struct check *c, const struct token_parts *parts)
{
	struct jval_error he = {0}, pe = {0};
	c->header = jval_parse(parts->header, TOKEN_JSON_DEPTH, &he);
	c->payload = jval_parse(parts->payload, TOKEN_JSON_DEPTH, &pe);
	bool header_ok = c->header ? jval_is_object(c->header) : he.duplicate;
	bool payload_ok = c->payload ? jval_is_object(c->payload) : pe.duplicate;
	if (he.nomem || pe.nomem)
		return out_of_memory(c->out);
	if (!header_ok || !payload_ok)
		return token_refuse(c->out, E_TOKEN_FORMAT, NULL,
		        "the %s is no JSON object of depth %d at most",
		        header_ok ? "payload" : "header", TOKEN_JSON_DEPTH);
	static const char *const never[] = {"b64", "zip", "enc"};
	for (size_t i = 0; i < sizeof never / sizeof *never; i++) {
		if (jval_getc(c->header, never[i]))
			return token_refuse(c->out, E_TOKEN_FORMAT, NULL,
			        "header parameter %s is not supported", never[i]);
	}
	c->out->passed = TOKEN_STEP_FORMAT;
	if (!c->header || !c->payload)
		return token_refuse(c->out, E_DUP_CLAIM, NULL,
		        "a member name is repeated in the %s", c->header ? "payload" : "header");
	c->out->passed = TOKEN_STEP_DUPLICATES;
	return true;
}

static bool check_header(struct check *c)
{
	const struct jval *typ = jval_getc(c->header, "typ");
	if (jval_getc(c->header, "crit"))
		return token_refuse(c->out, E_CRIT, NULL,
		        "the header demands extensions (crit); none is supported");
	c->out->passed = TOKEN_STEP_CRIT;
	if (typ && !str_eq_ascii_nocase(jval_str(typ), STR("JWT")))
		return token_refuse(c->out, E_TYP, NULL, "typ must be JWT or left out");
	c->out->passed = TOKEN_STEP_TYP;
	return true;
}

static bool ask(const struct check *c, enum sig_ask what)
{
	return c->oracle->fn(c->oracle->arg, what, &c->sig);
}

static void choose_issuer(struct check *c)
{
	const struct token_settings *s = c->settings;
	if (s->n_issuers)
		c->sig.issuer = token_settings_issuer(s, jval_str(jval_getc(c->payload, "iss")));
	c->sig.keys = c->sig.issuer ? &c->sig.issuer->keys : &s->keys;
}

static bool check_alg(struct check *c)
{
	c->sig.alg = token_alg_parse(jval_str(jval_getc(c->header, "alg")));
	const char *name = token_alg_name(c->sig.alg);
	if (c->sig.alg == TOKEN_ALG_COUNT)
		return token_refuse(
		        c->out, E_ALG, NULL, "the header names no algorithm known here");
	if (!ask(c, SIG_ASK_ANY)) {
		c->out->passed = TOKEN_STEP_KID;
		return token_refuse(c->out, E_KEY, NULL,
		        "no keys for this issuer: add it to issuers, or set app_secret");
	}
	if (!(token_key_settings_algs(c->sig.keys) & TOKEN_ALG_BIT(c->sig.alg)))
		return token_refuse(c->out, E_ALG, NULL, "algs does not list %s", name);
	if (!ask(c, SIG_ASK_ALG))
		return token_refuse(c->out, E_ALG, NULL,
		        "algs lists %s, but with key_source=%s there is no key for it (%s)", name,
		        token_key_source_name(c->sig.keys->source),
		        token_family_name(token_alg_family(c->sig.alg)));
	c->out->passed = TOKEN_STEP_ALG;
	return true;
}

static bool kid_well_formed(struct str kid)
{
	size_t at = 0;
	if (kid.n == 0 || kid.n > KID_MAX)
		return false;
	while (at < kid.n) {
		int32_t cp = utf8_next(kid, &at);
		if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0))
			return false;
	}
	return true;
}

/* A secret is alone, and so is a single key file: they need no kid. The file's own kid, when it has
 * one, must then fit a kid that is given. */
static bool check_kid(struct check *c)
{
	const struct token_key_settings *k = c->sig.keys;
	const struct jval *kid = jval_getc(c->header, "kid");
	bool single = k->source == TOKEN_KEYS_FILE && k->n_key_files == 1;
	bool ignored = k->source == TOKEN_KEYS_SECRET || (single && k->key_files[0].kid.n == 0);
	if (!ignored && (kid || !single)) {
		if (!kid_well_formed(jval_str(kid)))
			return token_refuse(c->out, E_KID, NULL,
			        "with key_source=%s the header needs a kid, %s",
			        token_key_source_name(k->source),
			        "a string of 1 to 256 bytes without control characters");
		c->sig.kid = jval_str(kid);
	}
	c->out->passed = TOKEN_STEP_KID;
	return true;
}

static bool check_signature(struct check *c, bool present)
{
	const struct token_key_settings *k = c->sig.keys;
	if (!ask(c, SIG_ASK_KEY))
		return token_refuse(c->out, E_KEY, NULL,
		        "key_source=%s has no %s key for the kid of this token",
		        token_key_source_name(k->source),
		        token_family_name(token_alg_family(c->sig.alg)));
	c->out->passed = TOKEN_STEP_KEY;
	if (!present || !ask(c, SIG_ASK_SIGNATURE))
		return token_refuse(c->out, E_SIG, NULL,
		        present ? "the token was signed with another key than %s%s"
		                : "the token is not signed",
		        c->sig.issuer ? "that of its issuers entry, " : "",
		        k->source == TOKEN_KEYS_SECRET ? "app_secret" : "the one of its kid");
	c->out->passed = TOKEN_STEP_SIGNATURE;
	return true;
}

static void note_signer(struct check *c)
{
	struct str kid = c->sig.kid;
	c->out->alg = c->sig.alg;
	c->out->issuer = c->sig.issuer;
	if (kid.n && kid.n < sizeof c->out->kid)
		memcpy(c->out->kid, kid.p, kid.n);
}

static bool run(struct check *c, const struct token_parts *parts, int64_t now)
{
	struct token_result *out = c->out;
	if (parts->bytes > c->settings->max_token_bytes)
		return token_refuse(out, E_TOKEN_TOO_LARGE, NULL,
		        "the token has %zu bytes, max_token_bytes=%zu", parts->bytes,
		        c->settings->max_token_bytes);
	out->passed = TOKEN_STEP_SIZE;
	if (!parse_documents(c, parts) || !check_header(c))
		return false;
	choose_issuer(c);
	if (!check_alg(c) || !check_kid(c) || !check_signature(c, parts->signature_present))
		return false;
	note_signer(c);
	if (registered_check(c->settings, c->payload, now, out)) {
		out->claims = token_claims_new(c->payload, out->sha256, out->warnings);
		c->payload = NULL; /* the claims', or freed */
		return out->claims || out_of_memory(out);
	}
	out->refused = c->payload;
	c->payload = NULL;
	return false;
}

static void result_init(struct token_result *out)
{
	*out = (struct token_result){.alg = TOKEN_ALG_COUNT, .want.alg = TOKEN_ALG_COUNT};
}

static void hash_parts(const struct token_parts *parts, uint8_t out[32])
{
	struct buf b;
	if (!str_absent(parts->hashed)) {
		hash_sha256(parts->hashed, out);
		return;
	}
	buf_init(&b, 0);
	buf_str(&b, parts->header);
	buf_putc(&b, '.');
	buf_str(&b, parts->payload);
	hash_sha256(buf_view(&b), out);
	buf_done(&b);
}

void token_verify_parts(const struct token_settings *s, const struct token_parts *parts,
        const struct sig_oracle *oracle, int64_t now, struct token_result *out)
{
	struct check c = {.settings = s, .oracle = oracle, .out = out, .sig = {.kid = STR_NONE}};
	result_init(out);
	hash_parts(parts, out->sha256);
	run(&c, parts, now);
	jval_free(c.header);
	jval_free(c.payload);
}

/* A token from the network: what the real oracle needs. */
struct compact {
	const struct token_keys *keys;
	struct token_result *out;
	struct str input;     /* header.payload as it was sent */
	struct str signature; /* decoded */
};

static bool sig_oracle_real(const void *arg, enum sig_ask what, const struct sig_case *c)
{
	const struct compact *t = arg;
	switch (what) {
	case SIG_ASK_ANY:
		return token_keys_any(t->keys, c->issuer);
	case SIG_ASK_ALG:
		return token_keys_has_family(t->keys, c->issuer, token_alg_family(c->alg));
	case SIG_ASK_KEY:
		if (token_keys_find(t->keys, c->issuer, c->alg, c->kid))
			return true;
		t->out->wanted = token_keys_want(t->keys, c->issuer, c->alg, c->kid, &t->out->want);
		return false;
	default:
		break;
	}
	return token_keys_verify(t->keys, c->issuer, c->alg, c->kid, t->input, t->signature) ==
	       TOKEN_KEY_GOOD;
}

static bool decode_part(struct str part, struct buf *into, struct token_result *out)
{
	int err = base64url_decode(part, into);
	if (err == ERR_NOMEM)
		return out_of_memory(out);
	return !err || token_refuse(out, E_TOKEN_FORMAT, NULL,
	                       "a part of the token is no base64url without padding");
}

void token_verify(const struct token_settings *s, const struct token_keys *k, struct str compact,
        int64_t now, struct token_result *out)
{
	struct buf header, payload, signature;
	struct str rest = compact, part[3];
	result_init(out);
	hash_sha256(compact, out->sha256);
	if (compact.n > s->max_token_bytes) {
		token_refuse(out, E_TOKEN_TOO_LARGE, NULL,
		        "the token has %zu bytes, max_token_bytes=%zu", compact.n,
		        s->max_token_bytes);
		return;
	}
	out->passed = TOKEN_STEP_SIZE;
	for (int i = 0; i < 3; i++)
		part[i] = str_absent(rest) ? STR_NONE : str_split(&rest, '.');
	if (str_absent(part[2]) || !str_absent(rest)) {
		token_refuse(
		        out, E_TOKEN_FORMAT, NULL, "a token has three parts, divided by two dots");
		return;
	}
	buf_init(&header, 0);
	buf_init(&payload, 0);
	buf_init(&signature, 0);
	if (decode_part(part[0], &header, out) && decode_part(part[1], &payload, out) &&
	        decode_part(part[2], &signature, out)) {
		struct compact t = {k, out, str_sub(compact, 0, part[0].n + 1 + part[1].n),
		        buf_view(&signature)};
		struct sig_oracle oracle = {sig_oracle_real, &t};
		struct token_parts parts = {
		        buf_view(&header), buf_view(&payload), compact.n, part[2].n > 0, compact};
		token_verify_parts(s, &parts, &oracle, now, out);
	}
	buf_done(&header);
	buf_done(&payload);
	buf_done(&signature);
}

static bool known_kid(const struct token_settings *s, const struct sig_case *c)
{
	const struct token_words *known =
	        c->keys->known_kids.items ? &c->keys->known_kids : &s->keys.known_kids;
	for (size_t i = 0; i < c->keys->n_key_files && c->keys->source == TOKEN_KEYS_FILE; i++) {
		if (c->keys->n_key_files == 1 &&
		        (str_absent(c->kid) || c->keys->key_files[i].kid.n == 0))
			return true;
		if (str_eq(c->keys->key_files[i].kid, c->kid))
			return true;
	}
	return token_words_have(known, c->kid);
}

static bool sig_oracle_assume(const void *arg, enum sig_ask what, const struct sig_case *c)
{
	const struct sig_assumed *a = arg;
	bool hmac = token_alg_family(c->alg) == TOKEN_FAMILY_HMAC;
	bool secret = c->keys->source == TOKEN_KEYS_SECRET;
	switch (what) {
	case SIG_ASK_ANY:
		return true;
	case SIG_ASK_ALG:
		return hmac == secret;
	case SIG_ASK_KEY:
		return secret || known_kid(a->settings, c);
	default:
		return a->valid;
	}
}

struct sig_oracle sig_oracle_assumed(const struct sig_assumed *a)
{
	return (struct sig_oracle){sig_oracle_assume, a};
}

/* The token of "Bearer token"; absent when there is none. false for anything else. */
static bool bearer(struct str header, struct str *token)
{
	struct str scheme = str_sub(header, 0, 6);
	*token = STR_NONE;
	if (header.n == 0)
		return true;
	if (!str_eq_ascii_nocase(scheme, STR("Bearer")))
		return false;
	if (header.n <= 7)
		return header.n == 6 || header.p[6] == ' ';
	*token = str_sub(header, 7, header.n);
	return header.p[6] == ' ' && header.p[7] != ' ';
}

enum reason token_from_request(struct str query, struct str authorization, struct str *token)
{
	struct str from_header;
	*token = STR_NONE;
	if (!bearer(authorization, &from_header))
		return E_TOKEN_FORMAT;
	if (query.n && from_header.n && !str_eq(query, from_header))
		return E_TOKEN_FORMAT;
	if (query.n)
		*token = query;
	else if (from_header.n)
		*token = from_header;
	return R_NONE;
}
