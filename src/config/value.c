/* value.c - one value against its row of the schema. pure */
#include "config/value.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/address.h"
#include "base/utf8.h"

#define LIST_MAX 256
#define VALUE_DEPTH 8

void value_fault_set(struct value_fault *f, int item, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(f->text, sizeof f->text, fmt, ap);
	va_end(ap);
	f->item = item;
}

int value_bool(struct str s)
{
	static const char *const words[] = {
	        "0", "f", "F", "false", "False", "FALSE", "1", "t", "T", "true", "True", "TRUE"};
	for (int i = 0; i < 12; i++) {
		if (str_eqc(s, words[i]))
			return i >= 6;
	}
	return -1;
}

static bool has_control(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
			return true;
	}
	return false;
}

bool value_domain(struct str s)
{
	if (s.n == 0 || s.n > 253 || s.p[0] == '.' || s.p[s.n - 1] == '.')
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = ascii_lower(s.p[i]);
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
		            c == '_'))
			return false;
		if (c == '.' && s.p[i - 1] == '.')
			return false;
	}
	return true;
}

static struct str after_scheme(struct str url)
{
	if (str_starts(url, STR("https://")))
		return str_sub(url, 8, url.n);
	if (str_starts(url, STR("http://")))
		return str_sub(url, 7, url.n);
	return STR_NONE;
}

struct str value_url_host(struct str url)
{
	struct str rest = after_scheme(url);
	if (str_absent(rest))
		return STR_NONE;
	size_t end = 0;
	while (end < rest.n && !strchr("/?#", rest.p[end]))
		end++;
	struct str host = str_sub(rest, 0, end);
	if (str_find(host, '@') < host.n) /* user and password do not belong into a URL */
		return STR_NONE;
	if (host.n && host.p[0] == '[') {
		size_t close = str_find(host, ']');
		return close < host.n ? str_sub(host, 1, close) : STR_NONE;
	}
	host = str_sub(host, 0, str_find(host, ':'));
	return host.n ? host : STR_NONE;
}

bool value_url(struct str s)
{
	struct str host = value_url_host(s);
	if (str_absent(host) || has_control(s) || str_find(s, ' ') < s.n)
		return false;
	return true;
}

bool value_url_private(struct str url)
{
	static const char *const near[] = {"127.0.0.0/8", "::1", "10.0.0.0/8", "172.16.0.0/12",
	        "192.168.0.0/16", "169.254.0.0/16", "fc00::/7", "fe80::/10"};
	struct address a;
	struct network n;
	struct str host = value_url_host(url);
	if (!str_starts(url, STR("http://")) || str_absent(host))
		return true;
	if (!address_parse(host, &a))
		return str_find(host, '.') == host.n || str_ends(host, STR(".localhost"));
	for (size_t i = 0; i < sizeof near / sizeof *near; i++) {
		if (network_parse(str_c(near[i]), &n) && network_has(&n, &a))
			return true;
	}
	return false;
}

static bool is_address(struct str s)
{
	struct address a;
	return address_parse(s, &a);
}

static bool is_network(struct str s)
{
	struct network n;
	return network_parse(s, &n);
}

static bool text_check(const struct schema_row *row, struct str s, int item, struct value_fault *f)
{
	bool secret = row->type == SCHEMA_SECRET;
	if (!utf8_valid(s) || (!secret && has_control(s)))
		value_fault_set(f, item, "must be plain text in UTF-8, without control characters");
	else if (s.n == 0 && row->type != SCHEMA_STRING)
		value_fault_set(f, item, "must not be empty");
	else if (row->max && s.n > (size_t)row->max)
		value_fault_set(f, item, "is too long: at most %lld bytes", (long long)row->max);
	else if (row->type == SCHEMA_URL && !value_url(s))
		value_fault_set(f, item,
		        "must be a URL that begins with https:// or http://, without user and "
		        "password");
	else if (row->type == SCHEMA_DOMAIN && !value_domain(s))
		value_fault_set(
		        f, item, "must be a domain name: letters, digits, dots and hyphens");
	else if (row->type == SCHEMA_ADDRESSES && !is_address(s))
		value_fault_set(
		        f, item, "\"%.*s\" is no numeric IP address", STR_FMT(str_sub(s, 0, 60)));
	else if (row->type == SCHEMA_NETWORKS && !is_network(s))
		value_fault_set(f, item,
		        "\"%.*s\" is no IP address, and no network as 10.0.0.0/8 is one",
		        STR_FMT(str_sub(s, 0, 60)));
	else
		return true;
	return false;
}

static struct jval *text_make(
        const struct schema_row *row, struct str s, int item, struct value_fault *f)
{
	if (row->flags & SCHEMA_TRIMMED)
		s = str_trim(s);
	if (!text_check(row, s, item, f))
		return NULL;
	if (row->type == SCHEMA_URL && s.n && s.p[s.n - 1] == '/')
		s.n--;
	if (row->type != SCHEMA_DOMAIN)
		return jval_new_str(s);
	char lower[256];
	for (size_t i = 0; i < s.n; i++)
		lower[i] = ascii_lower(s.p[i]);
	return jval_new_str(str_from(lower, s.n));
}

static bool path_check(struct str path, int item, struct value_fault *f)
{
	unsigned steps = 0;
	if (str_eqc(path, "$"))
		return true;
	while (!str_absent(path)) {
		if (str_split(&path, '.').n == 0) {
			value_fault_set(f, item, "a claim path is names joined by dots, or \"$\"");
			return false;
		}
		if (++steps > CLAIM_STEPS_MAX) {
			value_fault_set(
			        f, item, "a claim path has at most %d names", CLAIM_STEPS_MAX);
			return false;
		}
	}
	return true;
}

static bool alg_check(struct str s, int item, struct value_fault *f)
{
	if (token_alg_parse(s) != TOKEN_ALG_COUNT)
		return true;
	if (str_eq_ascii_nocase(s, STR("none"))) {
		value_fault_set(f, item, "\"none\" is never accepted: tokens must be signed");
		return false;
	}
	value_fault_set(f, item, "unknown algorithm \"%.*s\"", STR_FMT(str_sub(s, 0, 60)));
	unsigned best = 3;
	for (int i = 0; i < TOKEN_ALG_COUNT; i++) {
		unsigned d = schema_distance(s, str_c(token_alg_name((enum token_alg)i)));
		if (d < best) {
			best = d;
			snprintf(f->nearest, sizeof f->nearest, "%s",
			        token_alg_name((enum token_alg)i));
		}
	}
	return false;
}

static struct jval *item_make(
        const struct schema_row *row, const struct jval *j, int item, struct value_fault *f)
{
	if (!jval_is_string(j)) {
		value_fault_set(f, item, "every item must be a text, not %s", jval_type_name(j));
		return NULL;
	}
	struct str s = jval_str(j);
	if (row->flags & SCHEMA_TRIMMED)
		s = str_trim(s);
	if (row->type == SCHEMA_ALGS && !alg_check(s, item, f))
		return NULL;
	if (row->type == SCHEMA_PATHS && !path_check(s, item, f))
		return NULL;
	return text_make(row, s, item, f);
}

static struct jval *list_make(
        const struct schema_row *row, const struct jval *j, struct value_fault *f)
{
	if (row->type == SCHEMA_FILES && jval_is_string(j)) { /* one is a list of one */
		struct jval *one = jval_new_array(), *item = item_make(row, j, -1, f);
		if (one && item && jval_append(one, item))
			return one;
		jval_free(one);
		return NULL;
	}
	if (!jval_is_array(j)) {
		value_fault_set(
		        f, -1, "must be a list, not %s: write [\"a\", \"b\"]", jval_type_name(j));
		return NULL;
	}
	size_t most = row->type == SCHEMA_PATHS ? CLAIM_PATHS_MAX : LIST_MAX;
	if (jval_size(j) > most) {
		value_fault_set(f, -1, "has %zu items: at most %zu", jval_size(j), most);
		return NULL;
	}
	if (row->type == SCHEMA_ALGS && jval_size(j) == 0) {
		value_fault_set(f, -1, "must name at least one algorithm");
		return NULL;
	}
	struct jval *list = jval_new_array();
	for (size_t i = 0; list && i < jval_size(j); i++) {
		struct jval *item = item_make(row, jval_at(j, i), (int)i, f);
		if (!item || !jval_append(list, item)) {
			jval_free(list);
			list = NULL;
		}
	}
	return list;
}

static struct jval *word_make(const struct schema_row *row, struct str s, struct value_fault *f)
{
	unsigned best = 4;
	for (size_t i = 0; i < 6 && row->words[i]; i++) {
		if (str_eqc(s, row->words[i]))
			return jval_new_str(s);
		unsigned d = schema_distance(s, str_c(row->words[i]));
		if (d < best && d < s.n) {
			best = d;
			snprintf(f->nearest, sizeof f->nearest, "%s", row->words[i]);
		}
	}
	struct buf what;
	buf_init(&what, 256);
	schema_describe(row, &what);
	value_fault_set(f, -1, "unknown word \"%.*s\": must be %.*s", STR_FMT(str_sub(s, 0, 60)),
	        STR_FMT(buf_view(&what)));
	buf_done(&what);
	return NULL;
}

static struct jval *number_make(const struct schema_row *row, int64_t n, struct value_fault *f)
{
	if (n >= row->min && n <= row->max)
		return jval_new_int(n);
	value_fault_set(f, -1, "%lld is out of range: %lld to %lld%s%s", (long long)n,
	        (long long)row->min, (long long)row->max, row->unit ? " " : "",
	        row->unit ? row->unit : "");
	return NULL;
}

/* Digits, a sign, and for durations a unit; anything else is a fault. */
static struct jval *number_parse(const struct schema_row *row, struct str s, struct value_fault *f)
{
	uint64_t n, factor = 1;
	bool negative = s.n > 1 && s.p[0] == '-';
	struct str digits = negative ? str_sub(s, 1, s.n) : s;
	if (row->type == SCHEMA_DURATION && digits.n > 1) {
		const char *at = strchr("smhd", digits.p[digits.n - 1]);
		static const unsigned seconds[] = {1, 60, 3600, 86400};
		if (at && *at) {
			factor = seconds[at - "smhd"];
			digits.n--;
		}
	}
	if (!str_u64(digits, &n)) {
		value_fault_set(f, -1, "must be a whole number%s, not \"%.*s\"",
		        row->type == SCHEMA_DURATION ? " of seconds (or as 90s, 5m, 1h)" : "",
		        STR_FMT(str_sub(s, 0, 40)));
		return NULL;
	}
	if (n > INT64_MAX / 100000)
		n = INT64_MAX / 100000;
	int64_t value = (int64_t)(n * factor);
	return number_make(row, negative ? -value : value, f);
}

static struct jval *wrong_type(
        const struct schema_row *row, const struct jval *j, struct value_fault *f)
{
	struct buf what;
	buf_init(&what, 256);
	schema_describe(row, &what);
	value_fault_set(f, -1, "must be %.*s, not %s", STR_FMT(buf_view(&what)), jval_type_name(j));
	buf_done(&what);
	return NULL;
}

static struct jval *scalar_check(
        const struct schema_row *row, const struct jval *j, struct value_fault *f)
{
	switch (row->type) {
	case SCHEMA_BOOL:
		return jval_is_bool(j) ? jval_new_bool(jval_true(j)) : wrong_type(row, j, f);
	case SCHEMA_WORD:
		return jval_is_string(j) ? word_make(row, jval_str(j), f) : wrong_type(row, j, f);
	case SCHEMA_INT:
		return jval_type(j) == JVAL_INTEGER ? number_make(row, jval_integer(j), f)
		                                    : wrong_type(row, j, f);
	case SCHEMA_DURATION:
		if (jval_is_string(j))
			return number_parse(row, jval_str(j), f);
		return jval_type(j) == JVAL_INTEGER ? number_make(row, jval_integer(j), f)
		                                    : wrong_type(row, j, f);
	default:
		return jval_is_string(j) ? text_make(row, jval_str(j), -1, f)
		                         : wrong_type(row, j, f);
	}
}

static struct jval *structured_check(
        const struct schema_row *row, const struct jval *j, struct value_fault *f)
{
	bool fine = row->type == SCHEMA_RULES       ? rules_check(j, f)
	            : row->type == SCHEMA_KEY_FILES ? key_files_check(j, f)
	            : row->type == SCHEMA_ACCOUNTS  ? accounts_check(j, f)
	                                            : issuers_check(j, f);
	return fine ? jval_copy(j) : NULL;
}

struct jval *value_check(const struct schema_row *row, const struct jval *j, struct value_fault *f)
{
	*f = (struct value_fault){.item = -1};
	struct jval *out;
	if (row->type >= SCHEMA_RULES)
		out = structured_check(row, j, f);
	else if (row->type >= SCHEMA_LIST)
		out = list_make(row, j, f);
	else
		out = scalar_check(row, j, f);
	if (!out && !*f->text) {
		f->nomem = true;
		value_fault_set(f, -1, "out of memory");
	}
	return out;
}

static struct jval *list_split(struct str text)
{
	struct jval *list = jval_new_array();
	while (list && !str_absent(text)) {
		struct str item = str_trim(str_split(&text, ','));
		if (item.n && !jval_append(list, jval_new_str(item))) {
			jval_free(list);
			list = NULL;
		}
	}
	return list;
}

static struct jval *json_parse(const struct schema_row *row, struct str text, struct value_fault *f)
{
	struct jval_error e;
	struct jval *j = jval_parse(text, VALUE_DEPTH, &e);
	if (!j) {
		value_fault_set(f, -1, "is no valid JSON: %s",
		        schema_is_secret(row->type) ? "syntax error" : e.text);
		return NULL;
	}
	struct jval *out = value_check(row, j, f);
	jval_free(j);
	return out;
}

struct jval *value_parse(const struct schema_row *row, struct str text, struct value_fault *f)
{
	*f = (struct value_fault){.item = -1};
	bool list = row->type >= SCHEMA_LIST;
	struct str trimmed = str_trim(text);
	if (row->type >= SCHEMA_RULES || (list && trimmed.n && trimmed.p[0] == '['))
		return json_parse(row, trimmed, f);
	struct jval *j, *out = NULL;
	if (list) {
		j = list_split(text);
	} else if (row->type == SCHEMA_BOOL) {
		int b = value_bool(text);
		if (b < 0) {
			value_fault_set(f, -1,
			        "must be 1 t T true True TRUE or 0 f F false False FALSE, not "
			        "\"%.*s\"",
			        STR_FMT(str_sub(text, 0, 40)));
			return NULL;
		}
		j = jval_new_bool(b);
	} else if (row->type == SCHEMA_INT) {
		out = number_parse(row, trimmed, f);
		f->nomem = !out && !*f->text;
		return out;
	} else {
		j = jval_new_str(
		        row->type == SCHEMA_SECRET || row->type == SCHEMA_STRING ? text : trimmed);
	}
	if (j)
		out = value_check(row, j, f);
	else
		f->nomem = true;
	jval_free(j);
	return out;
}
