/* explain_live.c - `gavel explain --live`: asks the running server why somebody has the role he
 * has. io */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/jval.h"
#include "cli/cli.h"
#include "cli/live.h"

static const char help[] =
        "gavel explain --live ROOM[/OCCUPANT] [--config FILE|--env FILE|--state FOLDER] [--json]\n"
        "gavel explain --live [--rooms] [...]\n"
        "\n"
        "Asks the running server, through the control socket in its state folder, for the decision "
        "record "
        "of everybody in\n"
        "the room, or of one occupant (nick or JID), also of those who have left a while ago: the "
        "decision "
        "at the door, and\n"
        "every later change of role with the time, who did it, and why.\n"
        "\n"
        "  --rooms         which rooms there are\n"
        "  --counters      what each limit has refused, and what goes on (also without any of "
        "these)\n"
        "  --config FILE   the server's configuration (it names the state folder)\n"
        "  --env FILE      the docker .env the server was started with\n"
        "  --state FOLDER  the state folder itself\n"
        "  --json          the server's answer as it is\n"
        "\n"
        "Exit codes: 0 found, 1 no such room or occupant, or no server there, 2 bad arguments or "
        "configuration.\n";

struct live {
	const char *target, *config, *env, *state;
	bool json, rooms, counters, help;
};

static bool bad(const char *what, const char *word)
{
	fprintf(stderr, "gavel explain --live: %s%s%s (--help tells more)\n", what,
	        word ? ": " : "", word ? word : "");
	return false;
}

static bool take_value(const char **out, int argc, char **argv, int *i)
{
	if (*i + 1 >= argc)
		return bad("needs a value", argv[*i]);
	*out = argv[++*i];
	return true;
}

static bool parse(struct live *o, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		const char *a = argv[i];
		bool fine = true;
		if (strcmp(a, "--live") == 0)
			continue;
		if (strcmp(a, "--help") == 0 || strcmp(a, "-h") == 0)
			o->help = true;
		else if (strcmp(a, "--json") == 0)
			o->json = true;
		else if (strcmp(a, "--rooms") == 0)
			o->rooms = true;
		else if (strcmp(a, "--counters") == 0)
			o->counters = true;
		else if (strcmp(a, "--config") == 0)
			fine = take_value(&o->config, argc, argv, &i);
		else if (strcmp(a, "--env") == 0)
			fine = take_value(&o->env, argc, argv, &i);
		else if (strcmp(a, "--state") == 0)
			fine = take_value(&o->state, argc, argv, &i);
		else if (strcmp(a, "--room") == 0)
			fine = take_value(&o->target, argc, argv, &i);
		else if (a[0] == '-' || o->target)
			return bad("no such argument", a);
		else
			o->target = a;
		if (!fine)
			return false;
	}
	if ((o->target != NULL) + o->rooms + o->counters > 1)
		return bad("one of ROOM, --rooms and --counters", NULL);
	o->counters = o->counters || (!o->target && !o->rooms);
	return true;
}

static void write_question(const struct live *o, struct buf *out)
{
	if (o->rooms || o->counters) {
		buf_printf(out, "{\"ask\":\"%s\"}", o->rooms ? "rooms" : "counters");
		return;
	}
	struct str target = str_c(o->target);
	size_t slash = str_find(target, '/');
	buf_puts(out, "{\"ask\":\"record\",\"room\":");
	jval_quote(str_sub(target, 0, slash), out);
	if (slash + 1 < target.n) {
		buf_puts(out, ",\"occupant\":");
		jval_quote(str_sub(target, slash + 1, target.n), out);
	}
	buf_puts(out, "}");
}

static const char *text(const struct jval *j, const char *key)
{
	struct str s = jval_str(jval_getc(j, key));
	return s.n ? s.p : "-";
}

static const char *clock_text(const struct jval *at)
{
	static char out[32];
	time_t t = (time_t)jval_number(at);
	struct tm tm;
	if (!gmtime_r(&t, &tm) || !strftime(out, sizeof out, "%Y-%m-%d %H:%M:%SZ", &tm))
		return "?";
	return out;
}

/* Names are strangers' words: no control character reaches the terminal. */
static void print_value(struct str s)
{
	struct buf b;
	buf_init(&b, 0);
	jval_quote(s, &b);
	printf("%.*s", STR_FMT(buf_view(&b)));
	buf_done(&b);
}

static void print_decision(const struct jval *d)
{
	printf("  %s  join     %s / %s  %s  source %s", clock_text(jval_getc(d, "at")),
	        text(d, "affiliation"), text(d, "role"), text(d, "reason"), text(d, "source"));
	if (jval_getc(d, "rule"))
		printf("  rule %lld", (long long)jval_integer(jval_getc(d, "rule")));
	printf("\n");
	const struct jval *claims = jval_getc(d, "claims"), *warnings = jval_getc(d, "warnings");
	for (size_t i = 0; i < jval_size(claims); i++) {
		const struct jval *c = jval_at(claims, i);
		printf("    claim  %s.%s = ", text(c, "path"), text(c, "key"));
		print_value(jval_str(jval_getc(c, "value")));
		printf(" -> %s%s\n", text(c, "says"),
		        jval_true(jval_getc(c, "misplaced")) ? " (misplaced, never grants)" : "");
	}
	if (jval_is_string(jval_getc(d, "silent_reason")) &&
	        jval_str(jval_getc(d, "silent_reason")).n)
		printf("    had the token been silent: %s\n", text(d, "silent_reason"));
	printf("    name   ");
	if (jval_is_string(jval_getc(d, "name")))
		print_value(jval_str(jval_getc(d, "name")));
	else
		printf("none");
	printf(jval_true(jval_getc(d, "name_editable")) ? " (free)\n" : " (frozen)\n");
	for (size_t i = 0; i < jval_size(warnings); i++)
		printf("    warns  %.*s\n", STR_FMT(jval_str(jval_at(warnings, i))));
}

static void print_event(const struct jval *e)
{
	struct str by = jval_str(jval_getc(e, "by"));
	/* what a service wrote about a role */
	bool vain = strcmp(text(e, "reason"), "R_SERVICE") == 0;
	printf("  %s  %-8s %s / %s  %s  source %s  by %.*s%s\n", clock_text(jval_getc(e, "at")),
	        text(e, "event"), text(e, "affiliation"), text(e, "role"), text(e, "reason"),
	        text(e, "source"), STR_FMT(by.n ? by : STR("the rules")),
	        vain ? ", which changed nothing" : "");
}

static void print_record(const struct jval *rec)
{
	const struct jval *now = jval_getc(rec, "now"), *events = jval_getc(rec, "events");
	printf("\noccupant %s  %s\n", text(rec, "occupant"), text(rec, "jid"));
	if (now)
		printf("  now                   %s / %s  source %s\n", text(now, "affiliation"),
		        text(now, "role"), text(now, "source"));
	else
		printf("  has left\n");
	print_decision(jval_getc(rec, "decision"));
	for (size_t i = 0; i < jval_size(events); i++)
		print_event(jval_at(events, i));
}

static void print_result(const struct live *o, const struct jval *result)
{
	const struct jval *value;
	struct str key;
	void *it = NULL;
	if (o->counters) {
		while (jval_each(result, &it, &key, &value))
			printf("%-32.*s %lld\n", STR_FMT(key), (long long)jval_integer(value));
		return;
	}
	if (o->rooms) {
		for (size_t i = 0; i < jval_size(result); i++) {
			const struct jval *r = jval_at(result, i);
			printf("%s  occupants %lld  moderators %lld\n", text(r, "room"),
			        (long long)jval_integer(jval_getc(r, "occupants")),
			        (long long)jval_integer(jval_getc(r, "moderators")));
		}
		return;
	}
	printf("room %s  meeting %s  opened %s  occupants %lld  moderators %lld\n",
	        text(result, "room"), text(result, "meeting"),
	        clock_text(jval_getc(result, "opened")),
	        (long long)jval_integer(jval_getc(result, "occupants")),
	        (long long)jval_integer(jval_getc(result, "moderators")));
	const struct jval *records = jval_getc(result, "records");
	for (size_t i = 0; i < jval_size(records); i++)
		print_record(jval_at(records, i));
}

static int show(const struct live *o, struct str answer)
{
	struct jval *j = jval_parse(answer, 32, NULL);
	bool ok = jval_true(jval_getc(j, "ok"));
	if (o->json)
		printf("%.*s", STR_FMT(answer));
	else if (ok)
		print_result(o, jval_getc(j, "result"));
	else
		fprintf(stderr, "gavel explain --live: %s\n",
		        j ? text(j, "error") : "the answer is no JSON");
	jval_free(j);
	return ok ? CLI_OK : CLI_FAIL;
}

int cli_explain_live(int argc, char **argv)
{
	struct live o = {.target = NULL};
	if (!parse(&o, argc, argv))
		return CLI_USAGE;
	if (o.help) {
		fputs(help, stdout);
		return CLI_OK;
	}
	const struct live_place place = {
	        .command = "explain --live", .config = o.config, .env = o.env, .state = o.state};
	struct buf question, answer;
	buf_init(&question, ASK_BYTES_MAX);
	buf_init(&answer, 0);
	write_question(&o, &question);
	int code = live_ask(&place, &question, &answer);
	if (!code)
		code = show(&o, buf_view(&answer));
	buf_done(&question);
	buf_done(&answer);
	return code;
}
