/* token_order.c - arguments and payload of `token make` and `link`. io */
#include "cli/token_order.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/rand.h"
#include "base/utf8.h"
#include "cli/cli.h"
#include "token/jwt.h"
#include "token/sign.h"

#define TTL_DEFAULT 3600             /* s */
#define TTL_MAX (10LL * 365 * 86400) /* s */
#define VALUE_MAX 1024               /* bytes of one argument that goes into a token */

bool token_ttl_parse(const char *text, int64_t *out)
{
	struct str s = str_c(text);
	uint64_t n, unit;
	if (s.n < 2 || !str_u64(str_sub(s, 0, s.n - 1), &n))
		return false;
	switch (s.p[s.n - 1]) {
	case 's':
		unit = 1;
		break;
	case 'm':
		unit = 60;
		break;
	case 'h':
		unit = 3600;
		break;
	case 'd':
		unit = 86400;
		break;
	default:
		return false;
	}
	if (n == 0 || n > (uint64_t)TTL_MAX / unit)
		return false;
	*out = (int64_t)(n * unit);
	return true;
}

static int usage(const char *command, const char *what, const char *value)
{
	fprintf(stderr, "%s: %s%s%s (--help tells more)\n", command, what, value ? ": " : "",
	        value ? value : "");
	return CLI_USAGE;
}

/* Text that may stand in a token: UTF-8, no control characters, not empty, bounded. */
static bool is_text(const char *z)
{
	struct str s = str_c(z);
	size_t at = 0;
	if (s.n == 0 || s.n > VALUE_MAX || !utf8_valid(s))
		return false;
	while (at < s.n) {
		int32_t cp = utf8_next(s, &at);
		if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0))
			return false;
	}
	return true;
}

static int check(const struct token_order *o, const char *command)
{
	const struct {
		const char *option, *value;
	} texts[] = {{"--room", o->room}, {"--name", o->name}, {"--id", o->id},
	        {"--email", o->email}, {"--avatar", o->avatar}};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		if (texts[i].value && !is_text(texts[i].value))
			return usage(command,
			        "1 to 1024 bytes of UTF-8 without control characters are needed "
			        "for",
			        texts[i].option);
	}
	if (o->avatar && strncmp(o->avatar, "https://", 8) != 0 &&
	        strncmp(o->avatar, "http://", 7) != 0)
		return usage(command, "--avatar needs an http or https URL", NULL);
	if (o->moderator && o->participant)
		return usage(command, "--moderator and --participant exclude each other", NULL);
	if (!o->room)
		return usage(command, "--room is missing", NULL);
	return CLI_OK;
}

int token_order_parse(struct token_order *o, int argc, char **argv)
{
	enum {
		ROOM = 1,
		NAME,
		MODERATOR,
		PARTICIPANT,
		TTL,
		ID,
		EMAIL,
		AVATAR,
		CONFIG,
		ENV,
		URL,
		GUEST,
		JSON,
		HELP
	};
	static const struct option options[] = {{"room", 1, NULL, ROOM}, {"name", 1, NULL, NAME},
	        {"moderator", 0, NULL, MODERATOR}, {"participant", 0, NULL, PARTICIPANT},
	        {"ttl", 1, NULL, TTL}, {"id", 1, NULL, ID}, {"email", 1, NULL, EMAIL},
	        {"avatar", 1, NULL, AVATAR}, {"config", 1, NULL, CONFIG}, {"env", 1, NULL, ENV},
	        {"url", 1, NULL, URL}, {"guest", 0, NULL, GUEST}, {"json", 0, NULL, JSON},
	        {"help", 0, NULL, HELP}, {0}};
	int c;
	*o = (struct token_order){.ttl = TTL_DEFAULT};
	optind = 0; /* GNU: start anew, argv may be part of another one */
	while ((c = getopt_long(argc, argv, "+h", options, NULL)) != -1) {
		switch (c) {
		case ROOM:
			o->room = optarg;
			break;
		case NAME:
			o->name = optarg;
			break;
		case MODERATOR:
			o->moderator = true;
			break;
		case PARTICIPANT:
			o->participant = true;
			break;
		case TTL:
			if (!token_ttl_parse(optarg, &o->ttl))
				return usage(argv[0],
				        "--ttl takes 90s, 15m, 1h or 7d, at most ten years; it got",
				        optarg);
			break;
		case ID:
			o->id = optarg;
			break;
		case EMAIL:
			o->email = optarg;
			break;
		case AVATAR:
			o->avatar = optarg;
			break;
		case CONFIG:
			o->config = optarg;
			break;
		case ENV:
			o->env = optarg;
			break;
		case URL:
			o->url = optarg;
			break;
		case GUEST:
			o->guest = true;
			break;
		case JSON:
			o->json = true;
			break;
		case HELP:
		case 'h':
			o->help = true;
			return CLI_OK;
		default:
			return CLI_USAGE; /* getopt has told */
		}
	}
	if (optind < argc)
		return usage(argv[0], "unexpected argument", argv[optind]);
	return check(o, argv[0]);
}

static void print_fatal(const struct config_report *r)
{
	for (size_t i = 0; i < r->n; i++) {
		struct buf line;
		if (r->lines[i].severity != CONFIG_FATAL)
			continue;
		buf_init(&line, 0);
		config_line_write(&r->lines[i], &line);
		fprintf(stderr, "%.*s\n", STR_FMT(buf_view(&line)));
		buf_done(&line);
	}
}

int token_config_load(struct config *c, const char *file, const char *env)
{
	char path[4096];
	struct config_report r;
	struct config_source source = {.file = file, .env_file = env, .environ = environ};
	if (!file && !env && !getenv("ENABLE_AUTH") &&
	        config_state_directory(environ, path, sizeof path - 12) == ERR_OK) {
		memcpy(path + strlen(path), "/gavel.yaml", 12);
		if (access(path, R_OK) == 0)
			source.file = path;
	}
	config_report_init(&r);
	int err = config_load(c, &source, &r);
	print_fatal(&r);
	if (err == ERR_NOMEM)
		fprintf(stderr, "gavel: out of memory\n");
	config_report_free(&r);
	return err ? CLI_USAGE : CLI_OK;
}

struct token_keys *token_config_keys(const struct config *c, struct str given)
{
	struct token_error e;
	struct token_keys *k = token_keys_load(&c->token, given, &e);
	if (!k)
		fprintf(stderr, "gavel: %s\n", e.text);
	return k;
}

static struct str first_but_star(const struct token_words *w)
{
	for (size_t i = 0; i < w->n; i++) {
		if (!str_eqc(w->items[i], "*"))
			return w->items[i];
	}
	return STR_NONE;
}

static void member(struct buf *out, const char *name, struct str value)
{
	if (str_absent(value))
		return;
	buf_printf(out, "\"%s\":", name);
	jval_quote(value, out);
	buf_putc(out, ',');
}

static void write_payload(
        const struct token_order *o, const struct config *c, int64_t now, struct buf *out)
{
	const struct token_settings *t = &c->token;
	char uuid[37];
	bool listed = t->app_id.n && (!t->accepted_issuers.items ||
	                                     token_words_have(&t->accepted_issuers, t->app_id) ||
	                                     token_words_have(&t->accepted_issuers, STR("*")));
	struct str iss = listed ? t->app_id : first_but_star(&t->accepted_issuers);
	struct str aud = first_but_star(&t->accepted_audiences);
	if (str_absent(iss))
		iss = STR("gavel");
	if (!o->id && !rand_uuid(uuid))
		out->failed = true;
	buf_putc(out, '{');
	member(out, "iss", iss);
	member(out, "aud", str_absent(aud) ? iss : aud);
	member(out, "sub", c->policy.domain);
	member(out, "room", str_c(o->room));
	buf_printf(out, "\"iat\":%lld,\"exp\":%lld,\"context\":{\"user\":{", (long long)now,
	        (long long)(now + o->ttl));
	member(out, "name", str_c(o->name));
	member(out, "email", str_c(o->email));
	member(out, "avatar", str_c(o->avatar));
	if (o->moderator || o->participant)
		buf_printf(out, "\"moderator\":%s,", o->moderator ? "true" : "false");
	buf_puts(out, "\"id\":");
	jval_quote(str_c(o->id ? o->id : uuid), out);
	buf_puts(out, "}}}");
}

/* The first HMAC algorithm that is allowed; TOKEN_ALG_COUNT: this configuration has no secret to
 * sign with. */
static enum token_alg signing_alg(const struct token_settings *t)
{
	unsigned a = 0, allowed = token_key_settings_algs(&t->keys);
	if (t->keys.source != TOKEN_KEYS_SECRET || t->keys.app_secret.n == 0)
		return TOKEN_ALG_COUNT;
	while (a < TOKEN_ALG_COUNT &&
	        (!(allowed & TOKEN_ALG_BIT(a)) ||
	                token_alg_family((enum token_alg)a) != TOKEN_FAMILY_HMAC))
		a++;
	return (enum token_alg)a;
}

/* The server's own verdict on what was just made. */
static int check_made(const struct config *c, struct str token, int64_t now)
{
	struct token_result r;
	struct token_keys *k = token_config_keys(c, STR_NONE);
	if (!k)
		return CLI_USAGE;
	token_verify(&c->token, k, token, now, &r);
	token_keys_free(k);
	if (r.reason)
		fprintf(stderr, "gavel: this configuration would refuse the token: %s \"%s\"; %s\n",
		        reason_name(r.reason), r.text, r.hint);
	int result = r.reason ? CLI_FAIL : CLI_OK;
	token_result_done(&r);
	return result;
}

int token_order_sign(
        const struct token_order *o, const struct config *c, struct buf *token, struct buf *payload)
{
	int64_t now = (int64_t)time(NULL);
	enum token_alg alg = signing_alg(&c->token);
	if (c->policy.auth == AUTH_NONE) {
		fprintf(stderr, "gavel: auth=none: the server reads no tokens; everybody is a "
		                "guest (set auth=jwt)\n");
		return CLI_USAGE;
	}
	if (alg == TOKEN_ALG_COUNT) {
		fprintf(stderr,
		        "gavel: no secret to sign with: key_source=%s%s; tokens are made where the "
		        "%s is\n",
		        token_key_source_name(c->token.keys.source),
		        c->token.keys.source == TOKEN_KEYS_SECRET
		                ? " and app_secret is not set, or algs lists no HS*"
		                : "",
		        c->token.keys.source == TOKEN_KEYS_SECRET ? "secret" : "private key");
		return CLI_USAGE;
	}
	write_payload(o, c, now, payload);
	if (payload->failed ||
	        token_sign(alg, c->token.keys.app_secret, buf_view(payload), token)) {
		fprintf(stderr, "gavel: out of memory\n");
		return CLI_FAIL;
	}
	return check_made(c, buf_view(token), now);
}
