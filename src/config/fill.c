/* fill.c - from the set of values to the structs that the rooms read. pure */
#include <assert.h>

#include "config/set.h"

/* Lists land as pointer and count, whatever the struct is called. */
static_assert(sizeof(struct token_words) == sizeof(struct str_list) &&
                      offsetof(struct token_words, n) == offsetof(struct str_list, n),
        "one shape of lists");

static bool list_make(struct config_set *s, const struct jval *j, struct str_list *out)
{
	size_t n = jval_size(j);
	struct str *v = arena_alloc(&s->arena, (n ? n : 1) * sizeof *v);
	if (!v)
		return false;
	for (size_t i = 0; i < n; i++)
		v[i] = jval_str(jval_at(j, i));
	*out = (struct str_list){v, n};
	return true;
}

static int word_index(const struct schema_row *row, struct str word)
{
	for (int i = 0; i < 6 && row->words[i]; i++) {
		if (str_eqc(word, row->words[i]))
			return i;
	}
	return 0;
}

static void number_put(void *at, size_t size, uint64_t n)
{
	if (size == sizeof(uint16_t))
		*(uint16_t *)at = (uint16_t)n;
	else if (size == sizeof(uint32_t))
		*(uint32_t *)at = (uint32_t)n;
	else
		*(uint64_t *)at = n;
}

static bool land(struct config_set *s, const struct schema_row *row, const struct jval *j, void *at)
{
	switch (row->type) {
	case SCHEMA_BOOL:
		*(bool *)at = jval_true(j);
		return true;
	case SCHEMA_WORD:
		number_put(at, row->size, (uint64_t)word_index(row, jval_str(j)));
		return true;
	case SCHEMA_INT:
	case SCHEMA_DURATION:
		number_put(at, row->size, (uint64_t)jval_integer(j));
		return true;
	case SCHEMA_STRING:
	case SCHEMA_SECRET:
	case SCHEMA_URL:
	case SCHEMA_PATH:
	case SCHEMA_DOMAIN:
		*(struct str *)at = jval_str(j);
		return true;
	default:
		return list_make(s, j, at);
	}
}

static unsigned alg_bits(const struct jval *list)
{
	unsigned bits = 0;
	for (size_t i = 0; i < jval_size(list); i++) {
		enum token_alg alg = token_alg_parse(jval_str(jval_at(list, i)));
		if (alg < TOKEN_ALG_COUNT)
			bits |= TOKEN_ALG_BIT(alg);
	}
	return bits;
}

static bool key_files(struct config_set *s, const struct jval *list, enum config_origin origin,
        struct token_key_settings *out)
{
	size_t n = jval_size(list);
	struct token_key_file *files = arena_alloc(&s->arena, (n ? n : 1) * sizeof *files);
	if (!files)
		return false;
	for (size_t i = 0; i < n; i++) {
		files[i].kid = jval_str(jval_getc(jval_at(list, i), "kid"));
		files[i].path = set_path(s, jval_str(jval_getc(jval_at(list, i), "path")), origin);
		if (str_absent(files[i].path))
			return false;
	}
	out->key_files = files;
	out->n_key_files = n;
	return true;
}

static struct str key_list(struct config_set *s, struct str jwks, enum config_origin origin)
{
	if (str_absent(jwks) || value_url(jwks))
		return jwks;
	return set_path(s, jwks, origin);
}

static enum token_key_source issuer_source(const struct jval *j)
{
	const struct jval *word = jval_getc(j, "key_source");
	if (word)
		return (enum token_key_source)word_index(
		        schema_row(KEY_KEY_SOURCE), jval_str(word));
	if (jval_getc(j, "key_server"))
		return TOKEN_KEYS_KEYSERVER;
	if (jval_getc(j, "jwks"))
		return TOKEN_KEYS_JWKS;
	return jval_getc(j, "key_files") ? TOKEN_KEYS_FILE : TOKEN_KEYS_SECRET;
}

static bool issuers(struct config_set *s, struct token_settings *t)
{
	const struct jval *list = set_json(s, KEY_ISSUERS);
	enum config_origin origin = set_origin(s, KEY_ISSUERS);
	size_t n = jval_size(list);
	struct token_issuer *out = arena_alloc(&s->arena, (n ? n : 1) * sizeof *out);
	if (!out)
		return false;
	for (size_t i = 0; i < n; i++) {
		const struct jval *j = jval_at(list, i);
		const struct jval *kids = jval_getc(j, "known_kids");
		struct str_list words = {0};
		out[i].iss = jval_str(jval_getc(j, "iss"));
		out[i].keys.source = issuer_source(j);
		out[i].keys.algs = alg_bits(jval_getc(j, "algs"));
		out[i].keys.app_secret = jval_str(jval_getc(j, "app_secret"));
		out[i].keys.key_server = jval_str(jval_getc(j, "key_server"));
		out[i].keys.jwks = key_list(s, jval_str(jval_getc(j, "jwks")), origin);
		if (!key_files(s, jval_getc(j, "key_files"), origin, &out[i].keys) ||
		        (kids && !list_make(s, kids, &words)))
			return false;
		out[i].keys.known_kids = (struct token_words){words.v, words.n};
	}
	t->issuers = out;
	t->n_issuers = n;
	return true;
}

static bool token_keys(struct config_set *s, struct token_settings *t)
{
	t->keys.algs = alg_bits(set_json(s, KEY_ALGS));
	t->keys.jwks = key_list(s, t->keys.jwks, set_origin(s, KEY_JWKS));
	if (s->secret)
		t->keys.app_secret = jval_str(s->secret);
	return key_files(s, set_json(s, KEY_KEY_FILES), set_origin(s, KEY_KEY_FILES), &t->keys) &&
	       issuers(s, t);
}

static bool rule_path(struct config_set *s, const struct jval *path, struct str_list *out)
{
	if (jval_is_array(path))
		return list_make(s, path, out);
	struct str *v = arena_alloc(&s->arena, CLAIM_STEPS_MAX * sizeof *v);
	size_t n = 0;
	for (struct str rest = jval_str(path); v && !str_absent(rest) && n < CLAIM_STEPS_MAX;)
		v[n++] = str_split(&rest, '.');
	*out = (struct str_list){v, n};
	return v != NULL;
}

static bool rule_values(struct config_set *s, const struct jval *value, struct claim_rule *out)
{
	size_t n = jval_is_array(value) ? jval_size(value) : 1;
	struct claim_constant *v = arena_alloc(&s->arena, n * sizeof *v);
	for (size_t i = 0; v && i < n; i++) {
		const struct jval *one = jval_is_array(value) ? jval_at(value, i) : value;
		v[i] = (struct claim_constant){jval_is_bool(one), jval_true(one), jval_str(one)};
	}
	out->values = v;
	out->n_values = n;
	return v != NULL;
}

static bool rule_text(struct config_set *s, const struct jval *rule, struct claim_rule *out)
{
	struct buf b;
	buf_init(&b, 64 * 1024);
	const struct jval *path = jval_getc(rule, "path");
	if (jval_is_string(path))
		buf_str(&b, jval_str(path));
	else
		jval_write(path, &b);
	buf_printf(&b, " %.*s ", STR_FMT(jval_str(jval_getc(rule, "op"))));
	jval_write(jval_getc(rule, "value"), &b);
	buf_printf(&b, " then %.*s", STR_FMT(jval_str(jval_getc(rule, "then"))));
	out->text = b.failed ? STR_NONE : arena_str(&s->arena, buf_view(&b));
	buf_done(&b);
	return !str_absent(out->text);
}

static bool claim_rules(struct config_set *s, struct policy_settings *p)
{
	const struct jval *list = set_json(s, KEY_CLAIM_RULES);
	size_t n = jval_size(list);
	struct claim_rule *rules = arena_alloc(&s->arena, (n ? n : 1) * sizeof *rules);
	if (!rules)
		return false;
	for (size_t i = 0; i < n; i++) {
		const struct jval *j = jval_at(list, i);
		rules[i].op =
		        str_eqc(jval_str(jval_getc(j, "op")), "is") ? CLAIM_OP_IS : CLAIM_OP_HAS;
		rules[i].grant = str_eqc(jval_str(jval_getc(j, "then")), "grant");
		if (!rule_path(s, jval_getc(j, "path"), &rules[i].path) ||
		        !rule_values(s, jval_getc(j, "value"), &rules[i]) ||
		        !rule_text(s, j, &rules[i]))
			return false;
	}
	p->claim_rules = rules;
	p->n_claim_rules = n;
	return true;
}

static bool files(struct config_set *s, enum config_key key, struct str_list *list)
{
	const struct jval *j = set_json(s, key);
	struct str *v = arena_alloc(&s->arena, (jval_size(j) + 1) * sizeof *v);
	for (size_t i = 0; v && i < jval_size(j); i++) {
		v[i] = set_path(s, jval_str(jval_at(j, i)), set_origin(s, key));
		if (str_absent(v[i]))
			return false;
	}
	*list = (struct str_list){v, jval_size(j)};
	return v != NULL;
}

static bool server_names(struct config_set *s, struct config *c)
{
	struct server_settings *v = &c->server;
	v->domain = c->policy.domain;
	v->focus_domain = str_c(arena_printf(&s->arena, "focus.%.*s", STR_FMT(v->domain)));
	v->focus_jid = str_c(arena_printf(&s->arena, "focus@%.*s", STR_FMT(v->auth_domain)));
	v->web_folder = set_path(s, v->web_folder, set_origin(s, KEY_WEB_FOLDER));
	v->web_root = set_path(s, v->web_root, set_origin(s, KEY_WEB_ROOT));
	v->config_js = set_path(s, v->config_js, set_origin(s, KEY_CONFIG_JS));
	v->keys.ca_file = set_path(s, v->keys.ca_file, set_origin(s, KEY_KEY_CA_FILE));
	v->state_directory = set_path(s, v->state_directory, set_origin(s, KEY_STATE_DIRECTORY));
	v->acme_folder = set_path(s, v->acme_folder, set_origin(s, KEY_ACME_FOLDER));
	return v->focus_domain.p && v->focus_jid.p &&
	       files(s, KEY_TLS_CERTIFICATE, &v->tls_certificates) &&
	       files(s, KEY_TLS_KEY, &v->tls_keys);
}

static bool ice_servers(struct config_set *s, struct extdisco *out)
{
	const struct jval *list = set_json(s, KEY_ICE_SERVERS);
	size_t n = jval_size(list);
	struct extdisco_service *services = arena_alloc(&s->arena, (n ? n : 1) * sizeof *services);
	if (!services)
		return false;
	out->services = services;
	out->n = 0;
	for (size_t i = 0; i < n; i++)
		out->n += !extdisco_parse(jval_str(jval_at(list, i)), &services[out->n]);
	return true;
}

bool set_fill(struct config_set *s, struct config *c)
{
	policy_settings_init(&c->policy);
	token_settings_init(&c->token);
	c->server = (struct server_settings){0};
	c->stock = s->stock;
	for (int k = 0; k < KEY_COUNT; k++) {
		const struct schema_row *row = schema_row((enum config_key)k);
		const struct jval *j = set_json(s, (enum config_key)k);
		if (j && row->size && !land(s, row, j, (char *)c + row->offset))
			return false;
	}
	/* absent when nobody names it: the policy's own default is a name */
	c->policy.require_room = c->token.require_room;
	c->policy.leeway = c->token.leeway;
	return token_keys(s, &c->token) && claim_rules(s, &c->policy) &&
	       ice_servers(s, &c->server.extdisco) && accounts_fill(s, &c->server) &&
	       server_names(s, c);
}
