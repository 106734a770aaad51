/* token.c - `gavel token make` and `gavel token read`. io */
#include <getopt.h>
#include <stdio.h>
#include <time.h>

#include "base/base64.h"
#include "base/err.h"
#include "base/utf8.h"
#include "cli/cli.h"
#include "cli/token_order.h"
#include "token/jwt.h"

#define INPUT_MAX (64 * 1024) /* bytes of a token read from standard input */
#define KEYS_FILE_MAX (1024 * 1024)

static const char help[] =
        "gavel token make --room R [--name N] [--moderator|--participant] [--ttl 1h]\n"
        "                 [--id ID] [--email E] [--avatar URL] [--config FILE|--env FILE] "
        "[--json]\n"
        "  Makes a token with the configuration's app_secret and prints it.\n"
        "  --room '*' opens every room. Without --moderator or --participant the token is silent "
        "about\n"
        "  the role. --ttl takes 90s, 15m, 1h, 7d. Without --id a random one is made.\n"
        "\n"
        "gavel token read [TOKEN|-] [--config FILE|--env FILE [--keys FILE]] [--json]\n"
        "  Shows what stands in a token (or in a link with one; `-` or nothing: standard input).\n"
        "  Nothing is verified unless a configuration is given; then its verdict comes first.\n"
        "  --keys: PEM or JWKS that stands in for a key server or key list.\n"
        "\n"
        "Without --config and --env, make takes the environment, or gavel.yaml of the state "
        "folder.\n"
        "Neither needs the network. Exit: 0 fine, 1 refused or unreadable, 2 bad usage or "
        "configuration.\n";

static int make(int argc, char **argv)
{
	static char name[] = "gavel token make";
	struct token_order o;
	struct config c;
	struct buf token, payload;
	argv[0] = name;
	int result = token_order_parse(&o, argc, argv);
	if (o.help) {
		fputs(help, stdout);
		return CLI_OK;
	}
	if (!result && (o.guest || o.url)) {
		fprintf(stderr, "gavel token make: --guest and --url belong to gavel link\n");
		result = CLI_USAGE;
	}
	if (result)
		return result;
	buf_init(&token, 0);
	buf_init(&payload, 0);
	result = token_config_load(&c, o.config, o.env);
	if (!result)
		result = token_order_sign(&o, &c, &token, &payload);
	if (!result && o.json)
		printf("{\"token\":\"%s\",\"payload\":%s}\n", token.p, payload.p);
	else if (!result)
		printf("%s\n", token.p);
	config_free(&c);
	buf_done(&token);
	buf_done(&payload);
	return result;
}

struct reading {
	const char *token, *config, *env, *keys;
	bool json;
	struct str compact;
	struct jval *header, *payload; /* owned; NULL: unreadable */
	const char *fault;             /* why one is unreadable */
	char fault_text[200];

	/* with a configuration */
	bool judged;
	struct token_result verdict;
};

static bool read_all(const char *path, size_t max, struct buf *out)
{
	char chunk[4096];
	size_t n;
	FILE *f = path ? fopen(path, "rb") : stdin;
	if (!f)
		return false;
	buf_init(out, max);
	while ((n = fread(chunk, 1, sizeof chunk, f)) > 0)
		buf_add(out, chunk, n);
	bool ok = !ferror(f) && !out->failed;
	if (path)
		fclose(f);
	return ok;
}

/* A pasted link will do: what follows jwt= (or token=) is the token. */
static struct str token_in(struct str text)
{
	static const char *const marks[] = {"jwt=", "token="};
	text = str_trim(text);
	for (size_t i = 0; i < 2; i++) {
		const char *hit =
		        text.n ? memmem(text.p, text.n, marks[i], strlen(marks[i])) : NULL;
		if (hit) {
			struct str rest =
			        str_sub(text, (size_t)(hit - text.p) + strlen(marks[i]), text.n);
			return str_sub(rest, 0, str_find(rest, '&'));
		}
	}
	return text;
}

static struct jval *decode_part(struct reading *r, struct str part, const char *name)
{
	struct jval_error e;
	struct buf text;
	struct jval *j = NULL;
	buf_init(&text, 0);
	if (base64url_decode(part, &text)) {
		r->fault = "is no base64url without padding";
		e.text[0] = '\0';
	} else {
		j = jval_parse(buf_view(&text), TOKEN_JSON_DEPTH, &e);
		if (!j)
			r->fault = e.duplicate ? "repeats a member name" : "is no strict JSON";
		else if (!jval_is_object(j))
			r->fault = "is no JSON object";
	}
	if (r->fault && !r->fault_text[0])
		snprintf(r->fault_text, sizeof r->fault_text, "the %s %s", name, r->fault);
	buf_done(&text);
	return j;
}

static void decode(struct reading *r)
{
	struct str rest = r->compact;
	struct str header = str_split(&rest, '.');
	struct str payload = str_absent(rest) ? STR_NONE : str_split(&rest, '.');
	if (str_absent(rest) || str_find(rest, '.') != rest.n) {
		r->fault = "parts";
		snprintf(r->fault_text, sizeof r->fault_text,
		        "a token has three parts, divided by two dots");
		return;
	}
	r->header = decode_part(r, header, "header");
	r->payload = decode_part(r, payload, "payload");
}

/* JSON for a terminal: whatever could steer it (C1 controls, DEL, direction marks) is escaped. */
static void put_json(const struct jval *j, struct buf *out)
{
	struct buf raw;
	size_t at = 0;
	buf_init(&raw, 0);
	jval_write(j, &raw);
	struct str s = buf_view(&raw);
	while (at < s.n) {
		int32_t cp = utf8_next(s, &at);
		bool steers = cp < 0x20 || (cp >= 0x7f && cp < 0xa0) ||
		              (cp >= 0x200b && cp <= 0x200f) || (cp >= 0x2028 && cp <= 0x202e) ||
		              (cp >= 0x2060 && cp <= 0x206f) || cp == 0xfeff;
		if (cp < 0)
			break;
		if (steers)
			buf_printf(out, "\\u%04x", (unsigned)cp);
		else
			utf8_put(out, cp);
	}
	buf_done(&raw);
}

static void put_members(const char *title, const struct jval *object, struct buf *out)
{
	void *it = NULL;
	struct str key;
	const struct jval *value;
	buf_printf(out, "%s\n", title);
	while (jval_each(object, &it, &key, &value)) {
		struct jval *name = jval_new_str(key);
		buf_puts(out, "  ");
		if (name)
			put_json(name, out);
		buf_puts(out, " = ");
		put_json(value, out);
		buf_putc(out, '\n');
		jval_free(name);
	}
}

static void put_time(const char *name, const struct jval *j, int64_t now, struct buf *out)
{
	char text[64];
	struct tm tm;
	if (!jval_is_number(j) || jval_number(j) < 0 ||
	        jval_number(j) > 253402300799.0) /* year 9999 */
		return;
	time_t t = (time_t)jval_number(j);
	double left = jval_number(j) - (double)now;
	if (!gmtime_r(&t, &tm) || !strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm))
		return;
	buf_printf(out, "%s      %s (%.0f s %s)\n", name, text, left < 0 ? -left : left,
	        left < 0 ? "ago" : "from now");
}

static void print_plain(const struct reading *r)
{
	struct buf out;
	int64_t now = (int64_t)time(NULL);
	const struct token_result *v = &r->verdict;
	buf_init(&out, 0);
	if (!r->judged)
		buf_puts(&out, "NOT VERIFIED: no configuration was given, anybody can write such a "
		               "token\n");
	else if (v->reason)
		buf_printf(&out, "REFUSED  %s \"%s\"\n         %s\n", reason_name(v->reason),
		        v->text, v->hint);
	else
		buf_printf(&out,
		        "VERIFIED %s%s%s: this configuration accepts the token (rooms are checked "
		        "at join)\n",
		        token_alg_name(v->alg), v->kid[0] ? ", kid " : "", v->kid);
	for (unsigned w = 0; w < WARNING_COUNT && r->judged; w++) {
		if (v->warnings & 1u << w)
			buf_printf(&out, "warning  %s\n", warning_name((enum warning_index)w));
	}
	if (r->judged && v->reason && v->passed < TOKEN_STEP_SIGNATURE)
		buf_puts(&out, "What follows is NOT VERIFIED: anybody can have written it.\n");
	if (r->fault)
		buf_printf(&out, "unreadable: %s\n", r->fault_text);
	if (r->header)
		put_members("header", r->header, &out);
	if (r->payload) {
		put_members("payload", r->payload, &out);
		put_time("exp", jval_getc(r->payload, "exp"), now, &out);
		put_time("nbf", jval_getc(r->payload, "nbf"), now, &out);
		put_time("iat", jval_getc(r->payload, "iat"), now, &out);
		if (jval_is_object(r->payload) && !jval_getc(r->payload, "exp"))
			buf_puts(&out, "exp      none: this token never expires\n");
	}
	printf("%.*s", STR_FMT(buf_view(&out)));
	buf_done(&out);
}

static void print_json(const struct reading *r)
{
	struct buf out;
	const struct token_result *v = &r->verdict;
	buf_init(&out, 0);
	bool verified = r->judged && v->passed >= TOKEN_STEP_SIGNATURE;
	buf_printf(&out, "{\"verified\":%s,\"accepted\":%s", verified ? "true" : "false",
	        !r->judged  ? "null"
	        : v->reason ? "false"
	                    : "true");
	if (r->judged && v->reason) {
		buf_printf(&out, ",\"reason\":\"%s\",\"text\":", reason_name(v->reason));
		jval_quote(str_c(v->text), &out);
		buf_puts(&out, ",\"hint\":");
		jval_quote(str_c(v->hint), &out);
	}
	const char *comma = "";
	buf_puts(&out, ",\"warnings\":[");
	for (unsigned w = 0; w < WARNING_COUNT && r->judged; w++) {
		if (v->warnings & 1u << w) {
			buf_printf(&out, "%s\"%s\"", comma, warning_name((enum warning_index)w));
			comma = ",";
		}
	}
	buf_putc(&out, ']');
	if (r->fault) {
		buf_puts(&out, ",\"unreadable\":");
		jval_quote(str_c(r->fault_text), &out);
	}
	if (r->header) {
		buf_puts(&out, ",\"header\":");
		put_json(r->header, &out);
	}
	if (r->payload) {
		buf_puts(&out, ",\"payload\":");
		put_json(r->payload, &out);
	}
	printf("%.*s}\n", STR_FMT(buf_view(&out)));
	buf_done(&out);
}

/* The configuration's verdict; CLI_OK even when that is a refusal. */
static int judge(struct reading *r)
{
	struct config c;
	struct buf given;
	int result = token_config_load(&c, r->config, r->env);
	buf_init(&given, 0);
	if (!result && r->keys && !read_all(r->keys, KEYS_FILE_MAX, &given)) {
		fprintf(stderr, "gavel token read: --keys %s cannot be read\n", r->keys);
		result = CLI_USAGE;
	}
	struct token_keys *k =
	        result ? NULL : token_config_keys(&c, r->keys ? buf_view(&given) : STR_NONE);
	if (k) {
		token_verify(&c.token, k, r->compact, (int64_t)time(NULL), &r->verdict);
		r->verdict.issuer = NULL; /* it goes with the configuration */
		r->judged = true;
	} else {
		result = CLI_USAGE;
	}
	token_keys_free(k);
	buf_done(&given);
	config_free(&c);
	return result;
}

static int read_options(struct reading *r, int argc, char **argv, bool *want_help)
{
	enum { CONFIG = 1, ENV, KEYS, JSON, HELP };
	static const struct option options[] = {{"config", 1, NULL, CONFIG}, {"env", 1, NULL, ENV},
	        {"keys", 1, NULL, KEYS}, {"json", 0, NULL, JSON}, {"help", 0, NULL, HELP}, {0}};
	int c;
	optind = 0;
	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (c) {
		case CONFIG:
			r->config = optarg;
			break;
		case ENV:
			r->env = optarg;
			break;
		case KEYS:
			r->keys = optarg;
			break;
		case JSON:
			r->json = true;
			break;
		case HELP:
		case 'h':
			*want_help = true;
			return CLI_OK;
		default:
			return CLI_USAGE;
		}
	}
	if (argc - optind > 1 || (r->keys && !r->config && !r->env)) {
		fprintf(stderr, "gavel token read: %s\n",
		        r->keys ? "--keys needs --config or --env" : "one token only");
		return CLI_USAGE;
	}
	if (optind < argc && strcmp(argv[optind], "-") != 0)
		r->token = argv[optind];
	return CLI_OK;
}

static int read_token(int argc, char **argv)
{
	static char name[] = "gavel token read";
	struct reading r = {0};
	struct buf input;
	bool want_help = false;
	argv[0] = name;
	int result = read_options(&r, argc, argv, &want_help);
	if (result || want_help) {
		if (want_help)
			fputs(help, stdout);
		return result;
	}
	buf_init(&input, 0);
	if (!r.token && !read_all(NULL, INPUT_MAX, &input)) {
		fprintf(stderr,
		        "gavel token read: standard input cannot be read, or holds more than %d "
		        "bytes\n",
		        INPUT_MAX);
		result = CLI_USAGE;
	}
	r.compact = token_in(r.token ? str_c(r.token) : buf_view(&input));
	if (!result && (r.config || r.env))
		result = judge(&r);
	if (!result) {
		decode(&r);
		r.json ? print_json(&r) : print_plain(&r);
		if (r.fault || (r.judged && r.verdict.reason))
			result = CLI_FAIL;
	}
	token_result_done(&r.verdict);
	jval_free(r.header);
	jval_free(r.payload);
	buf_done(&input);
	return result;
}

int cli_token(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	if (strcmp(what, "make") == 0)
		return make(argc - 1, argv + 1);
	if (strcmp(what, "read") == 0)
		return read_token(argc - 1, argv + 1);
	if (strcmp(what, "--help") == 0 || strcmp(what, "-h") == 0) {
		fputs(help, stdout);
		return CLI_OK;
	}
	fprintf(stderr, "gavel token: make or read? (--help tells more)\n");
	return CLI_USAGE;
}
