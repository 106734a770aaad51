/* explain.c - gavel explain: one decision, told in full (roles.md section 6). io */
#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "cli/case.h"
#include "cli/cli.h"
#include "cli/explain_options.h"
#include "cli/explain_token.h"
#include "cli/file.h"
#include "cli/vectors.h"
#include "policy/explain.h"
#include "policy/match.h"

enum {
	TOKEN_FILE_MAX = 1024 * 1024,
	KEYS_FILE_MAX = 1024 * 1024,
	ROOM_FILE_MAX = 16 * 1024 * 1024
};

struct explain {
	const struct explain_options *o;
	struct config config;
	struct config_report report;
	struct token_keys *keys;
	struct buf keys_text, token, header, claims, node;
	struct jval *room; /* owned */
	struct scene scene;
	struct case_input in;
};

static int bad(const char *what)
{
	fprintf(stderr, "gavel explain: %s\n", what);
	return CLI_USAGE;
}

/* The file or .env given, else the environment where it has ENABLE_AUTH, else gavel.yaml of the
 * state folder. */
static int load_config(struct explain *x)
{
	static const char name[] = "/gavel.yaml";
	struct config_source source = {
	        .file = x->o->config, .env_file = x->o->env, .environ = environ};
	char path[4096];
	struct str enabled = STR_NONE;

	for (char **e = environ; *e; e++) {
		if (strncmp(*e, "ENABLE_AUTH=", 12) == 0)
			enabled = str_c(*e + 12);
	}
	if (!source.file && !source.env_file && !enabled.n &&
	        config_state_directory(environ, path, sizeof path - sizeof name) == ERR_OK) {
		memcpy(path + strlen(path), name, sizeof name);
		if (access(path, R_OK) == 0)
			source.file = path;
	}
	int err = config_load(&x->config, &source, &x->report);
	for (size_t i = 0; i < x->report.n; i++) {
		struct buf line;
		buf_init(&line, 0);
		if (x->report.lines[i].severity == CONFIG_FATAL) {
			config_line_write(&x->report.lines[i], &line);
			fprintf(stderr, "gavel explain: %.*s\n", STR_FMT(buf_view(&line)));
		}
		buf_done(&line);
	}
	if (err == ERR_NOMEM)
		return bad("out of memory");
	return err ? CLI_USAGE : CLI_OK;
}

static int load_keys(struct explain *x)
{
	struct token_error e;
	struct str given = STR_NONE;
	if (x->o->keys) {
		if (!file_read(x->o->keys, KEYS_FILE_MAX, &x->keys_text))
			return CLI_USAGE;
		given = buf_view(&x->keys_text);
	}
	x->keys = token_keys_load(&x->config.token, given, &e);
	return x->keys ? CLI_OK : bad(e.text);
}

static int read_token(struct explain *x)
{
	if (strcmp(x->o->token, "-") == 0) {
		if (!file_read("-", TOKEN_FILE_MAX, &x->token))
			return CLI_USAGE;
	} else {
		buf_puts(&x->token, x->o->token);
	}
	x->in.compact = str_trim(buf_view(&x->token));
	x->in.token = x->in.compact.n ? CASE_COMPACT : CASE_NO_TOKEN;
	return x->token.failed ? bad("out of memory") : load_keys(x);
}

/* A header that the settings would take: the claims are what is asked about. */
static void make_header(struct explain *x, const struct jval *payload)
{
	const struct token_settings *ts = &x->config.token;
	const struct token_issuer *issuer =
	        token_settings_issuer(ts, jval_str(jval_getc(payload, "iss")));
	unsigned algs = token_key_settings_algs(issuer ? &issuer->keys : &ts->keys);
	enum token_alg alg = TOKEN_HS256;

	for (unsigned i = 0; i < TOKEN_ALG_COUNT; i++) {
		if (algs & TOKEN_ALG_BIT(i)) {
			alg = (enum token_alg)i;
			break;
		}
	}
	buf_printf(&x->header, "{\"alg\":\"%s\",\"kid\":\"claims\",\"typ\":\"JWT\"}",
	        token_alg_name(alg));
}

static int read_claims(struct explain *x)
{
	struct jval_error e;
	if (x->o->claims[0] == '@') {
		if (!file_read(x->o->claims + 1, TOKEN_FILE_MAX, &x->claims))
			return CLI_USAGE;
	} else {
		buf_puts(&x->claims, x->o->claims);
	}
	struct jval *payload = jval_parse(buf_view(&x->claims), 16, &e);
	if (!jval_is_object(payload)) {
		fprintf(stderr, "gavel explain: --claims is no JSON object%s%s\n",
		        payload ? "" : ": ", payload ? "" : e.text);
		jval_free(payload);
		return CLI_USAGE;
	}
	make_header(x, payload);
	jval_free(payload);
	x->in.token = CASE_PARTS;
	x->in.parts = (struct token_parts){
	        .header = buf_view(&x->header),
	        .payload = buf_view(&x->claims),
	        .signature_present = true,
	};
	x->in.signature_valid = x->in.any_key = true;
	return x->header.failed ? bad("out of memory") : CLI_OK;
}

/* On the wire a node has only these; anything else is a name, and travels as the client would write
 * it. */
static bool is_wire_form(struct str room)
{
	for (size_t i = 0; i < room.n; i++) {
		char c = room.p[i];
		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && !strchr("-_.!~*'()%", c))
			return false;
	}
	return true;
}

static bool put_text(struct jval *o, const char *key, struct str value)
{
	return jval_set(o, key, jval_new_str(value));
}

/* `room` of a vector: a list of occupants is one that says nothing else. */
static struct jval *room_object(struct jval *given)
{
	if (!given)
		return jval_new_object();
	if (jval_is_object(given))
		return given;
	struct jval *o = jval_new_object();
	if (!o) {
		jval_free(given);
		return NULL;
	}
	if (jval_set(o, "occupants", given))
		return o;
	jval_free(o);
	return NULL;
}

static int build_room(struct explain *x)
{
	struct jval_error e;
	struct jval *given = NULL;
	struct str room = str_c(x->o->room);
	const char *error;

	if (x->o->occupants) {
		given = file_read_json(x->o->occupants, ROOM_FILE_MAX, 16, &e);
		if (!given)
			return CLI_USAGE;
		if (!jval_is_object(given) && !jval_is_array(given)) {
			jval_free(given);
			return bad("--occupants: a list, or an object with `occupants`, is needed");
		}
	}
	x->room = room_object(given);
	if (!x->room)
		return bad("out of memory");
	if (is_wire_form(room))
		buf_str(&x->node, room);
	else if (room_canonical(room, &x->node))
		return bad("--room: no valid UTF-8");
	if (x->node.failed || !put_text(x->room, "node", buf_view(&x->node)) ||
	        !put_text(x->room, "tenant", str_c(x->o->tenant ? x->o->tenant : "")))
		return bad("--room or --tenant: no valid UTF-8, or out of memory");
	if (!scene_build(&x->scene, x->room, &x->config.policy, &error)) {
		fprintf(stderr, "gavel explain: --occupants: %s\n", error);
		return CLI_USAGE;
	}
	return CLI_OK;
}

/* What became of each variable of the .env. */
static void derivation_lines(const struct explain *x, struct buf *out)
{
	for (size_t i = 0; i < x->report.n && x->o->env; i++) {
		buf_puts(out, "setting   ");
		config_line_write(&x->report.lines[i], out);
		buf_putc(out, '\n');
	}
}

static void write_text(const struct explain *x, const struct case_result *r, struct buf *out)
{
	struct buf token, settings;
	buf_init(&token, 0);
	buf_init(&settings, 0);
	derivation_lines(x, &settings);
	explain_token_lines(&x->in, r, x->o->claims != NULL, &token);
	struct explain_facts facts = {
	        .settings = &x->config.policy,
	        .room = &x->scene.view,
	        .claims = r->token.claims,
	        .verdict = &r->verdict,
	        .typed = x->in.nick,
	        .token_lines = buf_view(&token),
	        .refusal_hint = r->token_read && r->verdict.stage == STAGE_SASL
	                                ? str_c(r->token.hint)
	                                : STR_NONE,
	        .setting_lines = buf_view(&settings),
	        .stock = x->o->compare_jitsi ? &x->config.stock : NULL,
	};
	explain_write(&facts, out);
	out->failed |= token.failed || settings.failed;
	buf_done(&token);
	buf_done(&settings);
}

static void write_json(const struct explain *x, const struct case_result *r, struct buf *out)
{
	struct jval *json = case_json(&x->in, r);
	if (json)
		jval_write(json, out);
	else
		out->failed = true;
	buf_putc(out, '\n');
	jval_free(json);
}

static int decide(struct explain *x)
{
	struct case_result r;
	struct buf out;

	buf_init(&out, 0);
	case_run(&x->in, &r);
	r.verdict.warnings |= x->report.warnings & W_DENY_EVADABLE;
	if (x->o->json)
		write_json(x, &r, &out);
	else
		write_text(x, &r, &out);
	int code = r.verdict.accepted ? CLI_OK : CLI_FAIL;
	case_done(&r);
	if (out.failed || r.verdict.nomem) {
		buf_done(&out);
		return bad("out of memory");
	}
	if (fwrite(out.p, 1, out.n, stdout) != out.n || fflush(stdout) != 0) {
		fprintf(stderr, "gavel explain: cannot write: %s\n", strerror(errno));
		code = CLI_USAGE;
	}
	buf_done(&out);
	return code;
}

static int explain(struct explain *x)
{
	const struct explain_options *o = x->o;
	int code = load_config(x);
	if (code == CLI_OK && o->token)
		code = read_token(x);
	if (code == CLI_OK && o->claims)
		code = read_claims(x);
	if (code == CLI_OK)
		code = build_room(x);
	if (code != CLI_OK)
		return code;
	x->in.config = &x->config;
	x->in.now = o->now ? o->now : (int64_t)time(NULL);
	x->in.keys = x->keys;
	x->in.scene = &x->scene;
	x->in.nick = str_c(o->nick);
	x->in.password = str_c(o->password);
	x->in.admitted = o->admitted;
	return decide(x);
}

static int explain_one(const struct explain_options *o)
{
	struct explain x = {.o = o};

	config_report_init(&x.report);
	buf_init(&x.keys_text, 0);
	buf_init(&x.token, 0);
	buf_init(&x.header, 0);
	buf_init(&x.claims, 0);
	buf_init(&x.node, 0);
	int code = explain(&x);
	scene_done(&x.scene);
	jval_free(x.room);
	token_keys_free(x.keys);
	buf_done(&x.keys_text);
	buf_done(&x.token);
	buf_done(&x.header);
	buf_done(&x.claims);
	buf_done(&x.node);
	config_free(&x.config);
	config_report_free(&x.report);
	return code;
}

int cli_explain(int argc, char **argv)
{
	struct explain_options o;
	if (!explain_options_parse(&o, argc, argv))
		return CLI_USAGE;
	if (o.live)
		return cli_explain_live(argc, argv);
	if (o.help) {
		fputs(explain_help, stdout);
		return CLI_OK;
	}
	return o.vectors ? vectors_run(o.vectors, o.check) : explain_one(&o);
}
