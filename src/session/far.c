/* far.c - stanzas to rooms on other workers, and what those send back. io */
#include "session/far.h"

#include "base/log.h"
#include "base/mem.h"
#include "session/far_internal.h"
#include "token/claims.h"

#define BATCH_BYTES 262144 /* a larger one is sent before the turn is over */
#define WRITTEN_KEPT 65536
#define SPARE_BYTES 4096
#define SERVICE_QUEUES 16  /* times as much as a person's may wait for a service, or from it */
#define QUEUE_SHARE 262144 /* what a session may have on its way when queued_total is reached */

struct crossing {
	struct message m;
	struct tie *tie;
	struct directory_entry *hold; /* or NULL */
	uint32_t n;
	char text[];
};

enum record_kind { RECORD_TAIL, RECORD_SEND, RECORD_CLOSE };

/* In a batch, followed by `n` bytes: a tail that sends behind it share; a head; a condition, NUL,
 * and text. */
struct record {
	enum record_kind kind;
	uint32_t index, generation; /* of the session */
	uint32_t n, cost;
	bool with_tail, without_text;
};

struct batch {
	struct message m;
	struct far *from, *to;
	uint64_t cost;
	struct buf records;
};

static void on_flush(void *arg)
{
	far_flush(arg);
}

struct far *far_new(struct sessions *own, const struct far_settings *settings, unsigned n_workers)
{
	struct far *f = mem_zalloc(sizeof *f + n_workers * sizeof *f->links);
	if (!f)
		return NULL;
	f->settings = *settings;
	f->own = own;
	f->loop = own->loop;
	f->worker = own->settings.worker;
	f->n = n_workers;
	map_init(&f->ties);
	f->flush.fn = on_flush;
	f->flush.arg = f;
	own->far = f;
	return f;
}

void far_free(struct far *f)
{
	if (!f)
		return;
	loop_undefer(&f->flush);
	for (unsigned i = 0; i < f->n; i++) {
		if (f->links[i].spare)
			buf_done(&f->links[i].spare->records);
		mem_free(f->links[i].spare);
	}
	map_done(&f->ties);
	mem_free(f);
}

/* Ties */

static struct str handle_key(const struct session_handle *h)
{
	return str_from((const char *)h, sizeof *h);
}

static void tie_free(struct tie *t)
{
	claims_unref(t->claims);
	mem_free(t->alarm);
	mem_free(t);
}

/* Last of its session: on the room's worker. */
static void on_gone(void *arg, struct message *m)
{
	(void)arg;
	struct tie *t = LIST_OWNER(m, struct tie, gone);
	struct far *f = t->to;
	if (t->known) {
		map_remove(&f->ties, handle_key(&t->handle));
		f->settings.gone(f->settings.arg, t->handle);
	}
	tie_free(t);
}

static void on_alarm(void *arg, struct message *m)
{
	(void)arg;
	struct alarm *a = LIST_OWNER(m, struct alarm, m);
	struct session *s = session_find(a->to->own, a->handle);
	if (s && a->slow) {
		s->all->counters.limit_queued_bytes++;
		session_close(s, SESSION_SLOW, "policy-violation",
		        STR("Too much is waiting for this client"));
	} else if (s) {
		s->all->counters.no_memory++;
		session_close(s, SESSION_ENDED, "resource-constraint", STR_NONE);
	}
	mem_free(a);
}

/* Something of it got lost, or would: it must not stay in its rooms with a wrong picture of them.
 */
static void break_tie(struct far *f, struct tie *t, bool slow)
{
	if (slow)
		f->counters.limit_under_way++;
	else
		f->counters.no_memory++;
	if (t->broken)
		return;
	t->broken = true;
	struct alarm *a = t->alarm;
	t->alarm = NULL;
	a->slow = slow;
	worker_post(f->settings.workers[t->handle.worker], &a->m);
}

bool far_copy_claims(const struct claims *c, struct claims **copy)
{
	struct jval *payload = c ? jval_copy(c->payload) : NULL;
	*copy = payload ? token_claims_new(payload, c->token_sha256, c->warnings) : NULL;
	return !c || *copy;
}

static struct tie *tie_new(struct far *f, const struct session *s, unsigned worker)
{
	struct str jid = session_jid(s);
	struct tie *t = mem_zalloc(sizeof *t + jid.n + 1);
	if (!t)
		return NULL;
	t->gone.run = on_gone;
	t->to = f->settings.fars[worker];
	t->handle = s->handle;
	t->peer_loopback = s->peer_loopback;
	t->service = session_service(s);
	memcpy(t->region, s->region, sizeof t->region);
	memcpy(t->peer, s->peer, sizeof t->peer);
	memcpy(t->key, s->key, sizeof t->key);
	memcpy(t->jid, jid.p, jid.n);
	t->jid_n = jid.n;
	t->alarm = mem_zalloc(sizeof *t->alarm);
	if (!t->alarm || !far_copy_claims(s->claims, &t->claims)) {
		tie_free(t);
		return NULL;
	}
	t->alarm->m.run = on_alarm;
	t->alarm->to = f;
	t->alarm->handle = s->handle;
	return t;
}

static struct tie *tie_of(struct far *f, struct session *s, unsigned worker)
{
	if (!s->ties)
		s->ties = mem_zalloc(f->n * sizeof *s->ties);
	if (s->ties && !s->ties[worker])
		s->ties[worker] = tie_new(f, s, worker);
	return s->ties ? s->ties[worker] : NULL;
}

void far_session_ended(struct session *s)
{
	const struct far *f = s->all->far;
	for (unsigned i = 0; s->ties && i < f->n; i++) {
		if (s->ties[i])
			worker_post(f->settings.workers[i], &s->ties[i]->gone);
	}
	mem_free(s->ties);
	s->ties = NULL;
}

/* Session to room */

/* It was within the limits as it came; written anew it may be longer: escapes, and namespaces where
 * there were prefixes. */
static struct xml_limits crossing_limits(const struct xml_limits *l)
{
	return (struct xml_limits){.bytes = 8 * l->bytes + 65536,
	        .depth = l->depth,
	        .attributes = 2 * l->attributes + 2,
	        .elements = l->elements};
}

struct far_client far_client_of(const struct tie *t)
{
	return (struct far_client){.handle = t->handle,
	        .jid = str_from(t->jid, t->jid_n),
	        .key = str_c(t->key),
	        .peer = str_c(t->peer),
	        .peer_loopback = t->peer_loopback,
	        .claims = t->claims,
	        .service = t->service,
	        .region = t->region[0] ? str_c(t->region) : STR_NONE};
}

static bool handle_crossing(struct far *f, struct tie *t, struct str text)
{
	struct sessions *ss = f->own;
	struct element *root;
	struct stanza st;
	const struct far_client client = far_client_of(t);
	if (text.n == 0) { /* far_introduce */
		if (f->settings.service)
			f->settings.service(f->settings.arg, &client);
		return true;
	}
	/* it was whole and well-formed over there: here only memory can be short */
	const struct xml_limits limits =
	        crossing_limits(t->service ? &ss->settings.of_service : &ss->settings.after_login);
	if (xml_parse(ss->parser, text, &limits, &ss->arena, &root) != XML_FINE ||
	        stanza_read(root, &ss->arena, &st) != 0 ||
	        !stream_stamp_from(&ss->arena, root, client.jid))
		return false;
	f->settings.stanza(f->settings.arg, &client, &st);
	return true;
}

static void on_crossing(void *arg, struct message *m)
{
	(void)arg;
	struct crossing *c = LIST_OWNER(m, struct crossing, m);
	struct tie *t = c->tie;
	struct far *f = t->to;
	f->counters.crossings++;
	if (!t->known && !t->broken)
		t->known = map_put(&f->ties, handle_key(&t->handle), t);
	if (!t->broken) {
		if (!t->known || !handle_crossing(f, t, str_from(c->text, c->n)))
			break_tie(f, t, false);
		arena_reset(&f->own->arena);
	}
	atomic_fetch_sub_explicit(&t->waiting, c->n, memory_order_relaxed);
	directory_release(f->own->settings.directory, c->hold);
	mem_free(c);
}

static bool cross(struct far *f, struct session *s, unsigned worker, struct str text,
        struct directory_entry *hold)
{
	struct tie *t = tie_of(f, s, worker);
	struct crossing *c = t ? mem_alloc(sizeof *c + text.n) : NULL;
	if (!c)
		return false;
	c->m.run = on_crossing;
	c->tie = t;
	c->hold = hold;
	c->n = (uint32_t)text.n;
	if (text.n)
		memcpy(c->text, text.p, text.n);
	atomic_fetch_add_explicit(&t->waiting, c->n, memory_order_relaxed);
	worker_post(f->settings.workers[worker], &c->m);
	return true;
}

/* The stanza's bytes, for others to parse: as they came, or written anew. False: no memory. */
static bool find_text(struct sessions *ss, const struct stanza *st)
{
	if (!str_absent(ss->text))
		return true;
	if (ss->written.cap > WRITTEN_KEPT)
		buf_done(&ss->written), buf_init(&ss->written, 0);
	buf_reset(&ss->written);
	xml_write(&ss->written, st->element, STR(""));
	ss->text = buf_view(&ss->written);
	return !ss->written.failed;
}

/* What may be on its way to a session, or from it. */
static uint64_t bound_of(const struct far *f, const struct tie *t)
{
	return (uint64_t)f->settings.queued * (t->service ? SERVICE_QUEUES : 1);
}

static bool is_full(const struct far *f, const struct session *s, unsigned worker)
{
	const struct tie *t = s->ties ? s->ties[worker] : NULL;
	return t && atomic_load_explicit(&t->waiting, memory_order_relaxed) + s->all->text.n >
	                    bound_of(f, t);
}

static void send_over(struct far *f, struct session *s, const struct stanza *st, unsigned worker,
        struct directory_entry *hold)
{
	bool written = find_text(s->all, st);
	if (written && is_full(f, s, worker)) {
		f->counters.limit_under_way++;
		session_close(s, SESSION_RATE, "policy-violation", STR("Too much is waiting"));
	} else if (written && cross(f, s, worker, s->all->text, hold)) {
		return;
	} else {
		f->counters.no_memory++;
		/* a stanza of which nobody hears would leave both sides with a wrong picture */
		session_close(s, SESSION_ENDED, "resource-constraint", STR_NONE);
	}
	directory_release(s->all->settings.directory, hold);
}

bool far_stanza(
        struct far *f, struct session *s, const struct stanza *st, struct str room, bool opens)
{
	unsigned worker;
	struct directory_entry *hold;
	if (!route_find(s, room, opens, &worker, &hold)) {
		stream_refuse(s, st, "wait", "resource-constraint", NULL);
		return true;
	}
	if (worker == f->worker)
		return false;
	send_over(f, s, st, worker, hold);
	return true;
}

bool far_stanza_to(struct far *f, struct session *s, const struct stanza *st, unsigned worker)
{
	if (worker == f->worker || worker >= f->n)
		return false;
	send_over(f, s, st, worker, NULL);
	return true;
}

bool far_introduce(struct far *f, struct session *s)
{
	for (unsigned i = 0; i < f->n; i++) {
		if (i != f->worker && !cross(f, s, i, STR(""), NULL))
			return false;
	}
	return true;
}

/* Room to session */

/* tail: whoever shares it; NULL: there was no memory for one, and everybody gets a copy of text. */
static void deliver(struct far *f, struct session *s, const struct record *r, const char *p,
        struct block *tail, struct str text, unsigned from)
{
	f->counters.deliveries++;
	if (s->ties && s->ties[from])
		atomic_fetch_sub_explicit(&s->ties[from]->under_way, r->cost, memory_order_relaxed);
	if (r->kind == RECORD_CLOSE) {
		size_t n = strlen(p);
		struct str why = r->without_text ? STR_NONE : str_from(p + n + 1, r->n - n - 1);
		session_close(s, SESSION_ENDED, p, why);
	} else if (r->with_tail && !tail) {
		session_deliver_copy(s, str_from(p, r->n), text);
	} else {
		session_deliver(s, str_from(p, r->n), r->with_tail ? tail : NULL);
	}
}

static void on_batch(void *arg, struct message *m)
{
	(void)arg;
	struct batch *b = LIST_OWNER(m, struct batch, m);
	struct far *f = b->to;
	struct block *tail = NULL;
	struct str text = STR_NONE;
	struct record r;
	for (size_t at = 0; at < b->records.n; at += r.n) {
		memcpy(&r, b->records.p + at, sizeof r);
		at += sizeof r;
		const char *p = b->records.p + at;
		if (r.kind == RECORD_TAIL) {
			block_unref(tail);
			text = str_from(p, r.n);
			tail = block_new(text);
			continue;
		}
		const struct session_handle h = {f->worker, r.index, r.generation};
		struct session *s = session_find(f->own, h);
		if (s)
			deliver(f, s, &r, p, tail, text, b->from->worker);
	}
	block_unref(tail);
	f->counters.batches++;
	atomic_fetch_sub_explicit(
	        &b->from->links[f->worker].under_way, b->cost, memory_order_relaxed);
	buf_done(&b->records);
	mem_free(b);
}

static void post_batch(struct far *f, unsigned worker)
{
	struct link *l = &f->links[worker];
	if (!l->batch)
		return;
	worker_post(f->settings.workers[worker], &l->batch->m);
	l->batch = NULL;
	block_unref(l->tail);
	l->tail = NULL;
}

void far_flush(struct far *f)
{
	loop_undefer(&f->flush);
	for (unsigned i = 0; i < f->n; i++)
		post_batch(f, i);
}

static struct batch *batch_new(size_t bytes)
{
	struct batch *b = mem_zalloc(sizeof *b);
	if (!b)
		return NULL;
	b->m.run = on_batch;
	buf_init(&b->records, 0);
	if (buf_reserve(&b->records, bytes))
		return b;
	mem_free(b);
	return NULL;
}

static bool has_room(struct batch *b, size_t bytes)
{
	if (b && buf_reserve(&b->records, bytes))
		return true;
	if (b)
		b->records.failed = false; /* what it held before is whole */
	return false;
}

/* A batch with room for so much. One that cannot grow goes, and a new one begins, if need be the
 * spare one. NULL: no memory. */
static struct batch *open_batch(struct far *f, unsigned worker, size_t bytes)
{
	struct link *l = &f->links[worker];
	if (l->batch && l->batch->records.n >= BATCH_BYTES)
		post_batch(f, worker);
	if (has_room(l->batch, bytes))
		return l->batch;
	post_batch(f, worker);
	l->batch = batch_new(bytes);
	if (!l->batch && has_room(l->spare, bytes)) {
		l->batch = l->spare;
		l->spare = NULL;
	}
	if (!l->batch)
		return NULL;
	l->batch->from = f;
	l->batch->to = f->settings.fars[worker];
	if (!l->spare)
		l->spare = batch_new(SPARE_BYTES); /* as soon as there is memory again */
	loop_defer(f->loop, &f->flush);
	return l->batch;
}

static void put_record(struct batch *b, const struct record *r, struct str bytes)
{
	buf_add(&b->records, r, sizeof *r);
	buf_add(&b->records, bytes.p, bytes.n);
}

static bool put_send(struct far *f, struct tie *t, struct str head, struct block *tail, size_t cost)
{
	struct link *l = &f->links[t->handle.worker];
	size_t bytes = 2 * sizeof(struct record) + head.n + (tail ? tail->n : 0);
	struct batch *b = open_batch(f, t->handle.worker, bytes);
	if (!b)
		return false;
	if (tail && tail != l->tail) {
		put_record(
		        b, &(struct record){.kind = RECORD_TAIL, .n = tail->n}, block_view(tail));
		block_unref(l->tail);
		l->tail = block_ref(tail);
	}
	put_record(b,
	        &(struct record){.kind = RECORD_SEND,
	                .index = t->handle.index,
	                .generation = t->handle.generation,
	                .n = (uint32_t)head.n,
	                .cost = (uint32_t)cost,
	                .with_tail = tail != NULL},
	        head);
	b->cost += cost;
	return true;
}

static struct tie *known_tie(const struct far *f, struct session_handle to)
{
	struct tie *t = map_get(&f->ties, handle_key(&to));
	return t && !t->broken ? t : NULL;
}

static void outbox_send(void *arg, struct session_handle to, struct str head, struct block *tail)
{
	struct far *f = arg;
	if (to.worker == f->worker) {
		struct session *s = session_find(f->own, to);
		if (s)
			session_deliver(s, head, tail);
		return;
	}
	struct tie *t = known_tie(f, to);
	if (!t)
		return;
	size_t cost = head.n + (tail ? tail->n : 0);
	struct link *l = &f->links[to.worker];
	uint64_t waits = atomic_load_explicit(&t->under_way, memory_order_relaxed);
	uint64_t all = atomic_load_explicit(&l->under_way, memory_order_relaxed);
	if (waits + cost > bound_of(f, t) ||
	        (all + cost > f->settings.queued_total && waits > QUEUE_SHARE)) {
		break_tie(f, t, true);
	} else if (!put_send(f, t, head, tail, cost)) {
		break_tie(f, t, false);
	} else {
		atomic_fetch_add_explicit(&t->under_way, (unsigned)cost, memory_order_relaxed);
		atomic_fetch_add_explicit(&l->under_way, cost, memory_order_relaxed);
	}
}

static void outbox_close(
        void *arg, struct session_handle to, const char *condition, struct str text)
{
	struct far *f = arg;
	if (to.worker == f->worker) {
		struct session *s = session_find(f->own, to);
		if (s)
			session_close(s, SESSION_ENDED, condition, text);
		return;
	}
	struct tie *t = known_tie(f, to);
	if (!t)
		return;
	struct record r = {.kind = RECORD_CLOSE,
	        .index = to.index,
	        .generation = to.generation,
	        .n = (uint32_t)(strlen(condition) + 1 + text.n),
	        .without_text = str_absent(text)};
	struct batch *b = open_batch(f, to.worker, sizeof r + r.n);
	if (!b) {
		break_tie(f, t, false);
		return;
	}
	put_record(b, &r, str_from(condition, strlen(condition) + 1));
	if (text.n)
		buf_str(&b->records, text);
}

void far_outbox(struct far *f, struct outbox *out)
{
	*out = (struct outbox){.arg = f, .send = outbox_send, .close = outbox_close};
}

size_t far_list_counters(const struct far *f, struct counter *out, size_t max)
{
	const struct far_counters *c = &f->counters;
	const struct counter all[] = {
	        {"worker_crossings", c->crossings},
	        {"worker_batches", c->batches},
	        {"worker_deliveries", c->deliveries},
	        {"limit_under_way", c->limit_under_way},
	        {"worker_no_memory", c->no_memory},
	};
	return counter_list(all, sizeof all / sizeof *all, out, max);
}
