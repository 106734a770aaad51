/* conference.c - conference requests by HTTP: from the front to the worker of the room and back. io
 */
#include "cli/conference.h"

#include <math.h>
#include <stdio.h>

#include "base/address.h"
#include "base/hash.h"
#include "base/jval.h"
#include "base/limit.h"
#include "base/log.h"
#include "base/mem.h"
#include "focus/focus.h"
#include "http/answer.h"
#include "net/worker.h"
#include "policy/decide.h"
#include "token/jwt.h"
#include "token/store.h"

#define BODY_MAX 16384
#define BODY_DEPTH 8
#define ROOM_MAX 3071  /* bytes of a JID */
#define ADDRESSES 4096 /* buckets; addresses that share one share its rate */
#define TYPE "application/json"

struct conference_door {
	struct parts_shared *shared;
	struct parts *const *parts;
	struct worker *front;
	struct http_server *http;
	/* the front's */
	struct limit rates[ADDRESSES];
	uint64_t requests, refused, limited;
	/* each its worker's */
	struct limit log_lines[WORKERS_MAX];
};

/* One request on its way. */
struct asked {
	struct message m;
	struct conference_door *door;
	struct http_ticket ticket;
	unsigned worker;
	struct directory_entry *held;
	struct key_waiter waiter;
	bool waited;
	char peer[ADDRESS_TEXT_MAX];
	bool loopback;
	enum reason token_reason; /* of its form */
	struct str room, token;   /* absent: none; in bytes */
	int status;
	struct buf answer;
	char bytes[];
};

/* Answers */

static void put_refusal(struct buf *b, const char *condition, struct str text)
{
	buf_puts(b, "{\"error\":");
	jval_quote(str_c(condition), b);
	if (text.n) {
		buf_puts(b, ",\"text\":");
		jval_quote(text, b);
	}
	buf_puts(b, "}\n");
}

/* What clients tell apart: 403 to wait and log in, anything else to give up. */
static int status_of(const struct stanza_error *e)
{
	if (strcmp(e->condition, "not-authorized") == 0)
		return 403;
	return strcmp(e->condition, "resource-constraint") == 0 ? 503 : 400;
}

static void put_ready(const struct focus *f, struct buf *b)
{
	struct focus_property properties[FOCUS_PROPERTIES];
	size_t n = focus_properties(f, properties);
	buf_puts(b, "{\"ready\":true,\"focusJid\":");
	jval_quote(focus_account(f), b);
	buf_puts(b, ",\"properties\":{");
	for (size_t i = 0; i < n; i++)
		buf_printf(b, "%s\"%s\":\"%s\"", i ? "," : "", properties[i].name,
		        properties[i].value);
	buf_puts(b, "}}\n");
}

static void say(struct conference_door *d, struct http_ticket t, int status, struct str body)
{
	struct http_answer a = {.status = status, .type = TYPE, .body = body};
	d->refused += status != 200;
	http_server_answer(d->http, t, &a);
}

static void refuse(struct conference_door *d, struct http_ticket t, int status,
        const char *condition, const char *text)
{
	struct buf b;
	buf_init(&b, 0);
	put_refusal(&b, condition, str_c(text));
	say(d, t, b.failed ? 503 : status, buf_view(&b));
	buf_done(&b);
}

/* On the front. */
static void on_answered(void *arg, struct message *m)
{
	struct asked *q = LIST_OWNER(m, struct asked, m);
	struct conference_door *d = q->door;
	(void)arg;
	if (q->held)
		directory_release(d->shared->directory, q->held);
	say(d, q->ticket, q->answer.failed ? 503 : q->status, buf_view(&q->answer));
	buf_done(&q->answer);
	mem_free(q);
}

static void answered(struct asked *q)
{
	q->m.run = on_answered;
	if (q->door->shared->n == 1)
		on_answered(NULL, &q->m);
	else
		worker_post(q->door->front, &q->m);
}

/* The worker */

static void log_refusal(struct asked *q, enum reason reason, const struct token_result *r)
{
	struct conference_door *d = q->door;
	const struct parts_shared *shared = d->shared;
	double rate = shared->config->server.limits.log_lines_per_second;
	uint64_t now = loop_now_ms(worker_loop(shared->workers[q->worker]));
	char hash[9];
	if (!limit_take(&d->log_lines[q->worker], 1, rate / shared->n, 2 * rate / shared->n, now))
		return;
	hash_hex(r->sha256, 4, hash);
	log_info("event=refuse stage=conference reason=%s text=%s token=%s peer=%s room=%s%s%s",
	        reason_name(reason), log_value(str_c(r->text)), q->token.n ? hash : "-", q->peer,
	        log_value(q->room), r->hint[0] ? " fix=" : "",
	        r->hint[0] ? log_value(str_c(r->hint)) : "");
}

static void on_key(void *arg, struct message *m);

/* Thread: the store's. */
static void on_told(struct key_waiter *waiter)
{
	struct asked *q = LIST_OWNER(waiter, struct asked, waiter);
	worker_post(q->door->shared->workers[q->worker], &q->m);
}

/* True: the key is asked for elsewhere; from here on q is on_key's. */
static bool check_token(struct asked *q, struct token_result *result)
{
	const struct parts_shared *shared = q->door->shared;
	struct token_store *store = token_keys_store(shared->keys);
	double now = loop_wall_s(worker_loop(shared->workers[q->worker]));
	for (int tries = 0; tries < 2; tries++) {
		char why[KEY_WHY] = "no answer came in time";
		struct key_waiter *w = q->waited ? NULL : &q->waiter;
		token_verify(&shared->config->token, shared->keys, q->token, (int64_t)floor(now),
		        result);
		if (!result->wanted)
			return false;
		q->waited = true; /* before: it may come at once */
		q->waiter = (struct key_waiter){.told = on_told};
		q->m.run = on_key;
		enum key_answer answer = token_store_lookup(store, &result->want, w, why);
		if (answer == KEY_WAIT && w)
			return true;
		if (answer != KEY_READY) {
			snprintf(result->hint, sizeof result->hint, "%.*s",
			        (int)sizeof result->hint - 1, why);
			return false;
		}
	}
	return false;
}

static void ask_focus(struct asked *q, struct claims *claims)
{
	struct parts *p = q->door->parts[q->worker];
	struct focus_answer a;
	struct arena arena;
	const struct room_client client = {.jid = STR_NONE,
	        .key = STR(""), /* no session yet: it counts for its address only */
	        .peer = str_c(q->peer),
	        .peer_loopback = q->loopback,
	        .claims = claims};
	arena_init(&arena, 0);
	parts_conference(p, &client, q->room, &arena, &a);
	q->status = a.ready ? 200 : status_of(&a.error);
	if (a.ready)
		put_ready(parts_focus(p), &q->answer);
	else
		put_refusal(&q->answer, a.error.condition, a.error.text);
	arena_done(&arena);
}

static void judge(struct asked *q)
{
	const struct config *config = q->door->shared->config;
	struct token_result result = {0};
	bool present = config->policy.auth == AUTH_JWT && (q->token.n || q->token_reason != R_NONE);
	bool verified = present && q->token_reason == R_NONE;
	struct connect_request c = {
	        .settings = &config->policy, .token = q->token_reason, .present = present};
	struct verdict v;
	if (verified && check_token(q, &result)) {
		token_result_done(&result);
		return;
	}
	if (verified) {
		c.token = result.reason;
		c.claims = result.claims;
	}
	policy_connect(&c, &v);
	if (v.accepted) {
		ask_focus(q, result.claims);
	} else {
		bool own = verified && result.reason != R_NONE && result.text[0];
		log_refusal(q, v.reason, &result);
		q->status = v.reason == E_RATE ? 503 : 403;
		put_refusal(&q->answer, "not-authorized", str_c(own ? result.text : v.text));
	}
	token_result_done(&result);
	answered(q);
}

static void on_key(void *arg, struct message *m)
{
	(void)arg;
	judge(LIST_OWNER(m, struct asked, m));
}

/* The front */

/* A household of IPv6 counts as one. */
static bool take_rate(struct conference_door *d, const struct http_request *r, uint64_t now_ms)
{
	double rate = d->shared->config->server.limits.conference_requests_per_minute;
	struct address a;
	if (r->peer_loopback || !address_parse(r->peer, &a))
		return true;
	struct str key = str_from((const char *)a.bytes, address_is_v4(&a) ? 16 : 8);
	return limit_take(&d->rates[hash_key(key) % ADDRESSES], 1, rate / 60, rate, now_ms);
}

/* To the worker that has the room, or will: its entry stands until the answer is on its way. */
static void place(struct asked *q)
{
	struct parts_shared *shared = q->door->shared;
	struct buf room;
	if (!shared->directory)
		return;
	buf_init(&room, 0);
	if (focus_request_room(parts_focus(q->door->parts[0]), q->room, &room) && !room.failed)
		q->held = directory_claim(shared->directory, buf_view(&room), DIRECTORY_ANY);
	if (q->held)
		q->worker = q->held->worker;
	buf_done(&room);
}

static struct str keep(struct asked *q, size_t *n, struct str s)
{
	if (str_absent(s))
		return s;
	char *p = q->bytes + *n;
	memcpy(p, s.p, s.n);
	*n += s.n;
	return str_from(p, s.n);
}

static struct asked *new_asked(struct conference_door *d, const struct http_request *r,
        struct str room, struct str token, struct http_ticket t)
{
	struct asked *q = mem_alloc(sizeof *q + room.n + token.n);
	size_t n = 0;
	if (!q)
		return NULL;
	*q = (struct asked){.m.run = on_key, .door = d, .ticket = t, .loopback = r->peer_loopback};
	snprintf(q->peer, sizeof q->peer, "%.*s", STR_FMT(r->peer));
	buf_init(&q->answer, 0);
	q->room = keep(q, &n, room);
	q->token = keep(q, &n, token);
	return q;
}

static void ask(struct conference_door *d, const struct http_request *r, struct str room,
        struct http_ticket t)
{
	struct buf query;
	struct str token = STR_NONE;
	enum reason reason = E_TOKEN_FORMAT;
	buf_init(&query, 2 * d->shared->config->token.max_token_bytes);
	int n = http_query_get(r->head->query, "token", &query);
	if ((n == 0 || n == 1) && http_field_count(r->head, "authorization") < 2)
		reason = token_from_request(n ? buf_view(&query) : STR_NONE,
		        http_field(r->head, "authorization"), &token);
	struct asked *q = query.failed ? NULL : new_asked(d, r, room, token, t);
	if (q) {
		q->token_reason = reason;
		place(q);
		if (d->shared->n == 1)
			judge(q);
		else
			worker_post(d->shared->workers[q->worker], &q->m);
	} else {
		refuse(d, t, 503, "resource-constraint", NULL);
	}
	buf_done(&query);
}

static void on_request(
        void *arg, const struct http_request *r, struct str body, struct http_ticket t)
{
	struct conference_door *d = arg;
	d->requests++;
	if (!take_rate(d, r, loop_now_ms(worker_loop(d->front)))) {
		d->limited++;
		refuse(d, t, 429, "policy-violation", "Too many conference requests");
		return;
	}
	if (d->shared->config->server.focus == FOCUS_EXTERNAL) {
		/* it would have to be asked, and knows people by their JIDs */
		refuse(d, t, 503, "service-unavailable", "Conferences are asked for by XMPP here");
		return;
	}
	struct jval *root = jval_parse(str_absent(body) ? STR("") : body, BODY_DEPTH, NULL);
	struct str room = jval_str(jval_getc(root, "room"));
	if (!jval_is_object(root) || room.n == 0 || room.n > ROOM_MAX)
		refuse(d, t, 400, "bad-request", "A JSON object with a room is needed");
	else
		ask(d, r, room, t);
	jval_free(root);
}

struct conference_door *conference_door_new(
        struct parts_shared *shared, struct parts *const *parts, struct worker *front)
{
	struct conference_door *d = mem_zalloc(sizeof *d);
	if (!d)
		return NULL;
	d->shared = shared;
	d->parts = parts;
	d->front = front;
	return d;
}

void conference_door_free(struct conference_door *d)
{
	mem_free(d);
}

struct http_route conference_door_route(struct conference_door *d)
{
	return (struct http_route){.path = CONFERENCE_PATH,
	        .methods = "POST",
	        .max_body = BODY_MAX,
	        .take = on_request,
	        .arg = d};
}

void conference_door_own(struct conference_door *d, struct http_server *http)
{
	d->http = http;
}

size_t conference_door_list_counters(
        const struct conference_door *d, struct counter *out, size_t max)
{
	const struct counter all[] = {
	        {"conference_requests_http", d->requests},
	        {"conference_requests_refused", d->refused},
	        {"limit_conference_requests", d->limited},
	};
	return counter_list(all, sizeof all / sizeof *all, out, max);
}
