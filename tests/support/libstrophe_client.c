/* libstrophe_client.c - clients made of libstrophe, driven by lines of JSON: {c: client, n: request,
 * do: what, ...} on standard input; answers {c, n, refused?} and what arrived {c, presence | message}
 * on standard output. The same lines as those of slixmpp_client.py. io */
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strophe.h>
#include <unistd.h>

#define CLIENTS 32
#define LINE 262144
#define STANZAS "urn:ietf:params:xml:ns:xmpp-stanzas"
#define MUC "http://jabber.org/protocol/muc"
#define NICK "http://jabber.org/protocol/nick"

struct client {
	int number;
	xmpp_conn_t *conn;
	int connecting; /* the request that waits for the session; 0: none */
	char *focus;
};

/* A request whose answer is awaited. next: what follows when it was granted. */
struct asked {
	struct client *client;
	int n;
	json_t *next;
};

static xmpp_ctx_t *context;
static struct client clients[CLIENTS];
static unsigned serial;

static void tell(json_t *line)
{
	json_dumpf(line, stdout, JSON_COMPACT);
	putchar('\n');
	fflush(stdout);
	json_decref(line);
}

static void answer(const struct client *c, int n, const char *result)
{
	tell(json_pack("{si si ss?}", "c", c->number, "n", n, "result", result));
}

static void refuse(const struct client *c, int n, const char *stage, const char *condition, const char *text)
{
	tell(json_pack("{si si s{ss ss? ss?}}", "c", c->number, "n", n, "refused", "stage", stage, "condition", condition,
		"text", text));
}

static const char *word(json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static int number(json_t *o, const char *key)
{
	return (int)json_integer_value(json_object_get(o, key));
}

static xmpp_stanza_t *element(const char *name, const char *ns, const char *text)
{
	xmpp_stanza_t *e = xmpp_stanza_new(context);
	xmpp_stanza_set_name(e, name);
	if (ns) xmpp_stanza_set_ns(e, ns);
	if (text) {
		xmpp_stanza_t *t = xmpp_stanza_new(context);
		xmpp_stanza_set_text(t, text);
		xmpp_stanza_add_child_ex(e, t, 0);
	}
	return e;
}

static void add(xmpp_stanza_t *parent, xmpp_stanza_t *child)
{
	xmpp_stanza_add_child_ex(parent, child, 0);
}

static void send_off(struct client *c, xmpp_stanza_t *e)
{
	xmpp_send(c->conn, e);
	xmpp_stanza_release(e);
}

/* Condition and text of an error, each NULL where there is none; *text is freed with xmpp_free. */
static const char *error_of(xmpp_stanza_t *e, char **text)
{
	const char *condition = NULL;
	xmpp_stanza_t *error = xmpp_stanza_get_child_by_name(e, "error");
	*text = NULL;
	for (xmpp_stanza_t *x = error ? xmpp_stanza_get_children(error) : NULL; x; x = xmpp_stanza_get_next(x)) {
		const char *ns = xmpp_stanza_get_ns(x);
		if (!ns || strcmp(ns, STANZAS)) continue;
		if (!strcmp(xmpp_stanza_get_name(x), "text")) *text = xmpp_stanza_get_text(x);
		else condition = xmpp_stanza_get_name(x);
	}
	return condition;
}

static int on_presence(xmpp_conn_t *conn, xmpp_stanza_t *e, void *data)
{
	const struct client *c = data;
	char *text;
	(void)conn;
	const char *condition = error_of(e, &text);
	xmpp_stanza_t *x = xmpp_stanza_get_child_by_name_and_ns(e, "x", MUC "#user");
	xmpp_stanza_t *item = x ? xmpp_stanza_get_child_by_name(x, "item") : NULL;
	xmpp_stanza_t *actor = item ? xmpp_stanza_get_child_by_name(item, "actor") : NULL;
	xmpp_stanza_t *nick = xmpp_stanza_get_child_by_name_and_ns(e, "nick", NICK);
	char *name = nick ? xmpp_stanza_get_text(nick) : NULL;
	const char *type = xmpp_stanza_get_type(e);
	json_t *codes = json_array();
	for (xmpp_stanza_t *s = x ? xmpp_stanza_get_children(x) : NULL; s; s = xmpp_stanza_get_next(s))
		if (xmpp_stanza_get_name(s) && !strcmp(xmpp_stanza_get_name(s), "status"))
			json_array_append_new(codes, json_string(xmpp_stanza_get_attribute(s, "code")));
	tell(json_pack("{si s{ss? ss ss? ss? ss? so ss? ss? ss? ss?}}", "c", c->number, "presence", "from",
		xmpp_stanza_get_from(e), "type", type ? type : "available", "affiliation",
		item ? xmpp_stanza_get_attribute(item, "affiliation") : NULL, "role",
		item ? xmpp_stanza_get_attribute(item, "role") : NULL, "jid",
		item ? xmpp_stanza_get_attribute(item, "jid") : NULL, "codes", codes, "actor",
		actor ? xmpp_stanza_get_attribute(actor, "nick") : NULL, "name", name, "condition", condition, "text", text));
	if (name) xmpp_free(context, name);
	if (text) xmpp_free(context, text);
	return 1;
}

static int on_message(xmpp_conn_t *conn, xmpp_stanza_t *e, void *data)
{
	const struct client *c = data;
	xmpp_stanza_t *body = xmpp_stanza_get_child_by_name(e, "body");
	char *text = body ? xmpp_stanza_get_text(body) : NULL;
	(void)conn;
	tell(json_pack("{si s{ss? ss? ss?}}", "c", c->number, "message", "from", xmpp_stanza_get_from(e), "type",
		xmpp_stanza_get_type(e), "body", text));
	if (text) xmpp_free(context, text);
	return 1;
}

static void present(struct client *c, json_t *ask, bool joins)
{
	char to[3072];
	snprintf(to, sizeof to, "%s/%s", word(ask, "room"), word(ask, "nick"));
	xmpp_stanza_t *p = xmpp_presence_new(context);
	xmpp_stanza_set_to(p, to);
	if (joins) add(p, element("x", MUC, NULL));
	if (word(ask, "name")) add(p, element("nick", NICK, word(ask, "name")));
	send_off(c, p);
}

static int on_answer(xmpp_conn_t *conn, xmpp_stanza_t *e, void *data)
{
	struct asked *a = data;
	const char *type = xmpp_stanza_get_type(e);
	(void)conn;
	if (type && !strcmp(type, "error")) {
		char *text;
		const char *condition = error_of(e, &text);
		refuse(a->client, a->n, "iq", condition, text);
		if (text) xmpp_free(context, text);
	} else {
		if (a->next) present(a->client, a->next, true);
		answer(a->client, a->n, NULL);
	}
	json_decref(a->next);
	free(a);
	return 0;
}

/* Sends a request around the child, and answers n with what comes. */
static void request(struct client *c, int n, const char *to, xmpp_stanza_t *child, json_t *next)
{
	char id[32];
	struct asked *a = malloc(sizeof *a);
	if (!a) exit(1);
	*a = (struct asked){ c, n, json_incref(next) };
	snprintf(id, sizeof id, "s%u", ++serial);
	xmpp_stanza_t *iq = xmpp_iq_new(context, "set", id);
	xmpp_stanza_set_to(iq, to);
	add(iq, child);
	xmpp_id_handler_add(c->conn, on_answer, id, a);
	send_off(c, iq);
}

static void administer(struct client *c, int n, json_t *ask, const char *keys[][2])
{
	xmpp_stanza_t *query = element("query", MUC "#admin", NULL);
	xmpp_stanza_t *item = element("item", NULL, NULL);
	for (; (*keys)[0]; keys++) xmpp_stanza_set_attribute(item, (*keys)[0], (*keys)[1]);
	if (word(ask, "reason")) add(item, element("reason", NULL, word(ask, "reason")));
	add(query, item);
	request(c, n, word(ask, "room"), query, NULL);
}

static void on_connection(
	xmpp_conn_t *conn, xmpp_conn_event_t event, int error, xmpp_stream_error_t *stream_error, void *data)
{
	struct client *c = data;
	(void)error;
	int n = c->connecting;
	if (event == XMPP_CONN_CONNECT) {
		xmpp_handler_add(conn, on_presence, NULL, "presence", NULL, c);
		xmpp_handler_add(conn, on_message, NULL, "message", NULL, c);
		c->connecting = 0;
		answer(c, n, xmpp_conn_get_bound_jid(conn));
	} else if (n) { /* the library keeps to itself why a login was refused */
		c->connecting = 0;
		refuse(c, n, "stream", NULL, stream_error ? stream_error->text : NULL);
	}
}

static void connect_client(struct client *c, json_t *ask)
{
	long flags = XMPP_CONN_FLAG_TRUST_TLS;
	flags |= json_is_true(json_object_get(ask, "direct")) ? XMPP_CONN_FLAG_LEGACY_SSL : XMPP_CONN_FLAG_MANDATORY_TLS;
	c->number = number(ask, "c");
	c->connecting = number(ask, "n");
	c->focus = strdup(word(ask, "focus"));
	c->conn = xmpp_conn_new(context);
	xmpp_conn_set_flags(c->conn, flags);
	xmpp_conn_set_jid(c->conn, word(ask, "jid"));
	if (word(ask, "password")) xmpp_conn_set_pass(c->conn, word(ask, "password"));
	if (xmpp_connect_client(c->conn, word(ask, "host"), (unsigned short)number(ask, "port"), on_connection, c))
		refuse(c, c->connecting, "driver", "connect", NULL);
}

static void take(const char *line)
{
	json_t *ask = json_loads(line, 0, NULL);
	int at = number(ask, "c"), n = number(ask, "n");
	const char *what = word(ask, "do");
	if (!what || at < 0 || at >= CLIENTS) exit(2);
	struct client *c = &clients[at];
	if (!strcmp(what, "connect")) {
		connect_client(c, ask);
	} else if (!strcmp(what, "join")) {
		xmpp_stanza_t *e = element("conference", "http://jitsi.org/protocol/focus", NULL);
		xmpp_stanza_set_attribute(e, "room", word(ask, "room"));
		xmpp_stanza_set_attribute(e, "machine-uid", "m");
		request(c, n, c->focus, e, ask);
	} else if (!strcmp(what, "affiliation")) {
		administer(c, n, ask, (const char *[][2]){ { "affiliation", word(ask, "affiliation") },
			{ "jid", word(ask, "jid") }, { NULL, NULL } });
	} else if (!strcmp(what, "kick")) {
		administer(c, n, ask, (const char *[][2]){ { "role", "none" }, { "nick", word(ask, "nick") }, { NULL, NULL } });
	} else {
		if (!strcmp(what, "rename")) present(c, ask, false);
		else if (!strcmp(what, "leave")) xmpp_disconnect(c->conn);
		else if (!strcmp(what, "say")) {
			xmpp_stanza_t *m = xmpp_message_new(context, "groupchat", word(ask, "room"), NULL);
			xmpp_message_set_body(m, word(ask, "body"));
			send_off(c, m);
		} else exit(2);
		answer(c, n, NULL);
	}
	json_decref(ask);
}

/* What has come on standard input, line by line; false at its end. */
static bool read_lines(void)
{
	static char pending[LINE];
	static size_t held;
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };
	if (poll(&p, 1, 0) <= 0) return true;
	ssize_t n = read(STDIN_FILENO, pending + held, sizeof pending - 1 - held);
	if (n <= 0) return false;
	held += (size_t)n;
	pending[held] = 0;
	char *from = pending;
	for (char *end; (end = strchr(from, '\n')); from = end + 1) {
		*end = 0;
		take(from);
	}
	held -= (size_t)(from - pending);
	memmove(pending, from, held + 1);
	return held < sizeof pending - 1;
}

int main(int argc, char **argv)
{
	bool loud = argc > 1 && !strcmp(argv[1], "--log");
	xmpp_initialize();
	context = xmpp_ctx_new(NULL, loud ? xmpp_get_default_logger(XMPP_LEVEL_DEBUG) : NULL);
	tell(json_pack("{ss}", "ready", "libstrophe"));
	while (read_lines()) xmpp_run_once(context, 5);
	return 0;
}
