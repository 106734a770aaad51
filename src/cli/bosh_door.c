/* bosh_door.c - POSTs of BOSH on their way between the front and the workers. io */
#include "cli/bosh_door.h"

#include <stdio.h>

#include "base/mem.h"
#include "http/answer.h"
#include "session/bosh.h"
#include "session/session.h"

#define ENVELOPE 4096 /* bytes of a body beside a stanza as long as may be */
#define TYPE "text/xml; charset=utf-8"

struct bosh_door {
	struct parts_shared *shared;
	struct parts *const *parts;
	struct worker *front;
	struct http_server *http;
	struct tcp_server *tcp;
	struct asked **waiting; /* by the slot of their tickets; NULL: none */
	size_t n_waiting;
	bool stopped;
	uint64_t crossed, refused_seats, no_memory;
};

/* One POST. It is on its way to a worker, held there, or on its way back. */
struct asked {
	struct bosh_post post;
	struct message m, gone; /* gone: goes after it when its connection has ended */
	struct bosh_door *door;
	struct http_ticket ticket;
	unsigned worker;
	bool opens; /* it names no session */
	bool left;  /* `gone` is under way, and frees it */
	struct buf answer;
	/* where it opens one */
	struct directory_entry *held;
	struct bosh_arrival arrival;
	char bytes[];
};

/* The front */

static void forget(struct bosh_door *d, const struct asked *q)
{
	if (q->ticket.slot < d->n_waiting && d->waiting[q->ticket.slot] == q)
		d->waiting[q->ticket.slot] = NULL;
}

static void say(struct bosh_door *d, struct http_ticket t, struct str body)
{
	if (str_absent(body))
		http_server_abandon(d->http, t);
	else
		http_server_answer(d->http, t,
		        &(struct http_answer){.status = 200, .type = TYPE, .body = body});
}

static void refuse(struct bosh_door *d, struct http_ticket t, const char *condition)
{
	struct buf b;
	buf_init(&b, 0);
	bosh_refusal(&b, condition);
	say(d, t, b.failed ? STR_NONE : buf_view(&b));
	buf_done(&b);
}

static void on_answered(void *arg, struct message *m)
{
	(void)arg;
	struct asked *q = LIST_OWNER(m, struct asked, m);
	struct bosh_door *d = q->door;
	bool left = q->left;
	if (!left)
		say(d, q->ticket, q->answer.failed ? STR_NONE : buf_view(&q->answer));
	forget(d, q);
	buf_done(&q->answer);
	if (!left)
		mem_free(q);
}

static void on_gone_back(void *arg, struct message *m)
{
	(void)arg;
	mem_free(LIST_OWNER(m, struct asked, gone));
}

/* A worker */

static void on_answer(struct bosh_post *p, struct str body)
{
	struct asked *q = LIST_OWNER(p, struct asked, post);
	struct bosh_door *d = q->door;
	if (d->shared->n == 1) {
		forget(d, q);
		say(d, q->ticket, body);
		mem_free(q);
		return;
	}
	if (str_absent(body))
		q->answer.failed = true;
	else
		buf_str(&q->answer, body);
	q->m.run = on_answered;
	worker_post(d->front, &q->m);
}

static void take(struct asked *q)
{
	struct bosh_door *d = q->door;
	struct directory_entry *held = q->held;
	unsigned worker = q->worker;
	bool opens = q->opens;
	bosh_take(parts_sessions(d->parts[worker]), &q->post, &q->arrival);
	/* q may be gone; its session is counted by itself now, and holds the room of its URL */
	if (opens && d->shared->directory)
		directory_placed(d->shared->directory, worker, held);
}

static void on_post(void *arg, struct message *m)
{
	(void)arg;
	take(LIST_OWNER(m, struct asked, m));
}

static void on_gone(void *arg, struct message *m)
{
	(void)arg;
	struct asked *q = LIST_OWNER(m, struct asked, gone);
	bosh_gone(&q->post);
	q->gone.run = on_gone_back;
	worker_post(q->door->front, &q->gone);
}

/* From the front to a worker */

static bool remember(struct bosh_door *d, struct asked *q)
{
	size_t slot = q->ticket.slot;
	if (slot >= d->n_waiting) {
		size_t n = d->n_waiting ? d->n_waiting : 64;
		while (n <= slot)
			n *= 2;
		struct asked **more = mem_realloc(d->waiting, n * sizeof(struct asked *));
		if (!more)
			return false;
		memset(more + d->n_waiting, 0, (n - d->n_waiting) * sizeof *more);
		d->waiting = more;
		d->n_waiting = n;
	}
	d->waiting[slot] = q;
	return true;
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

static struct asked *new_asked(
        struct bosh_door *d, const struct http_request *r, struct str body, struct http_ticket t)
{
	struct str query = STR_NONE, authorization = STR_NONE, peer = STR_NONE, region = STR_NONE;
	bool opens = str_absent(bosh_find_sid(body));
	size_t n = 0;
	if (opens) {
		query = r->head->query;
		authorization = http_field(r->head, "authorization");
		peer = r->peer;
		region = r->region;
	}
	struct asked *q = mem_alloc(sizeof *q + query.n + authorization.n + peer.n + region.n);
	if (!q)
		return NULL;
	*q = (struct asked){.m.run = on_post, .gone.run = on_gone, .door = d, .ticket = t};
	buf_init(&q->answer, 0);
	q->post.body = mem_strndup(body.n ? body.p : "", body.n);
	q->post.n = body.n;
	q->post.answer = on_answer;
	q->opens = opens;
	q->arrival.secure = r->secure;
	q->arrival.client = (struct session_arrival){.peer = keep(q, &n, peer),
	        .peer_loopback = r->peer_loopback,
	        .query = keep(q, &n, query),
	        .authorization = keep(q, &n, authorization),
	        .authorizations = http_field_count(r->head, "authorization"),
	        .region = keep(q, &n, region)};
	if (q->post.body && remember(d, q))
		return q;
	mem_free(q->post.body);
	mem_free(q);
	return NULL;
}

/* The worker that has the room which the URL names. */
static void place(struct asked *q)
{
	struct parts_shared *shared = q->door->shared;
	struct buf room;
	if (!shared->directory)
		return;
	buf_init(&room, 0);
	const struct muc_host muc = parts_muc_host(shared->config);
	session_room_of_query(q->arrival.client.query, &muc, &room);
	q->worker = directory_place(
	        shared->directory, room.failed ? STR_NONE : buf_view(&room), &q->held);
	buf_done(&room);
}

/* False: it names a session that there cannot be. */
static bool find_worker(struct asked *q)
{
	struct bosh_sid sid;
	if (!bosh_sid_read(bosh_find_sid(str_from(q->post.body, q->post.n)), &sid) ||
	        sid.worker >= q->door->shared->n)
		return false;
	q->worker = sid.worker;
	return true;
}

static bool take_seat(struct bosh_door *d, struct asked *q, const struct http_request *r)
{
	char peer[TCP_PEER_MAX];
	snprintf(peer, sizeof peer, "%.*s", STR_FMT(r->peer));
	if (!tcp_seat_take(d->tcp, peer, &q->arrival.seat)) {
		d->refused_seats++;
		return false;
	}
	q->arrival.seats = d->tcp;
	return true;
}

static void drop(struct asked *q, const char *condition)
{
	struct bosh_door *d = q->door;
	forget(d, q);
	refuse(d, q->ticket, condition);
	mem_free(q->post.body);
	mem_free(q);
}

static void on_request(
        void *arg, const struct http_request *r, struct str body, struct http_ticket t)
{
	struct bosh_door *d = arg;
	struct asked *q = new_asked(d, r, body, t);
	if (!q) {
		d->no_memory++;
		refuse(d, t, "internal-server-error");
		return;
	}
	if (!q->opens && !find_worker(q)) {
		drop(q, "item-not-found");
		return;
	}
	if (q->opens && !take_seat(d, q, r)) {
		drop(q, "policy-violation");
		return;
	}
	if (q->opens)
		place(q);
	d->crossed += d->shared->n > 1;
	if (d->shared->n == 1)
		take(q);
	else
		worker_post(d->shared->workers[q->worker], &q->m);
}

static void on_connection_gone(void *arg, struct http_ticket t)
{
	struct bosh_door *d = arg;
	struct asked *q = t.slot < d->n_waiting ? d->waiting[t.slot] : NULL;
	if (!q || q->ticket.generation != t.generation)
		return;
	d->waiting[t.slot] = NULL;
	if (d->shared->n == 1)
		bosh_gone(&q->post);
	if (d->shared->n == 1 || d->stopped) {
		mem_free(q);
		return;
	}
	q->left = true;
	worker_post(d->shared->workers[q->worker], &q->gone);
}

struct bosh_door *bosh_door_new(
        struct parts_shared *shared, struct parts *const *parts, struct worker *front)
{
	struct bosh_door *d = mem_zalloc(sizeof *d);
	if (!d)
		return NULL;
	d->shared = shared;
	d->parts = parts;
	d->front = front;
	return d;
}

void bosh_door_stop(struct bosh_door *d)
{
	if (d)
		d->stopped = true;
}

void bosh_door_free(struct bosh_door *d)
{
	if (!d)
		return;
	mem_free(d->waiting);
	mem_free(d);
}

struct http_route bosh_door_route(struct bosh_door *d)
{
	return (struct http_route){.path = BOSH_PATH,
	        .methods = "POST",
	        .max_body = d->shared->config->server.limits.stanza_bytes + ENVELOPE,
	        .take = on_request,
	        .gone = on_connection_gone,
	        .arg = d};
}

void bosh_door_own(struct bosh_door *d, struct http_server *http, struct tcp_server *tcp)
{
	d->http = http;
	d->tcp = tcp;
}

size_t bosh_door_list_counters(const struct bosh_door *d, struct counter *out, size_t max)
{
	if (!d)
		return 0;
	const struct counter all[] = {
	        {"bosh_crossed", d->crossed},
	        {"limit_bosh_seats", d->refused_seats},
	        {"bosh_no_memory", d->no_memory},
	};
	return counter_list(all, sizeof all / sizeof *all, out, max);
}
