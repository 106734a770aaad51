/* bosh.c - BOSH: requests in their order, and what they bring. io */
#include "session/bosh.h"

#include "base/hash.h"
#include "base/mem.h"
#include "base/rand.h"
#include "session/bosh_internal.h"

#define EARLIER_MS 3000 /* before `wait`: proxies count to sixty as well */
#define ENVELOPE 1024   /* bytes of a body beside its stanzas */
#define POLLS 10        /* in a row that ask for nothing, before it is too often */

/* The table */

static bool enlist(struct bosh *b, struct bosh_stream *st)
{
	uint32_t i = 0;
	if (b->used == b->cap) {
		uint32_t cap = b->cap ? b->cap * 2 : 16;
		struct bosh_stream **more =
		        mem_realloc(b->streams, cap * sizeof(struct bosh_stream *));
		if (!more)
			return false;
		memset(more + b->cap, 0, (cap - b->cap) * sizeof *more);
		b->streams = more;
		i = b->cap;
		b->cap = cap;
	} else if (b->n < b->cap) {
		i = b->n;
	} else {
		while (b->streams[i])
			i++;
	}
	if (i >= b->n)
		b->n = i + 1;
	st->index = i;
	b->streams[i] = st;
	b->used++;
	return true;
}

static struct bosh_stream *find(struct sessions *ss, struct str text)
{
	const struct bosh *b = ss->bosh;
	struct bosh_sid sid;
	if (!b || !bosh_sid_read(text, &sid) || sid.worker != ss->settings.worker ||
	        sid.index >= b->n || !b->streams[sid.index])
		return NULL;
	struct bosh_stream *st = b->streams[sid.index];
	return str_eq_secret(str_c(st->secret), sid.secret) ? st : NULL;
}

/* Upward */

/* Ends the session over what its client did to BOSH itself. */
static void fault(struct bosh_stream *st, const char *condition)
{
	struct session *s = st->t.session;
	if (!s)
		return;
	session_close(s, SESSION_PROTOCOL, NULL, STR_NONE);
	st->condition = condition;
}

/* XEP-0124 15: each request shows the preimage of what the one before it has shown. */
static bool is_key_right(struct bosh_stream *st, const struct bosh_body *b)
{
	uint8_t sha1[20];
	char hex[BOSH_KEY_DIGITS + 1];
	struct str next = str_absent(b->newkey) ? b->key : b->newkey;
	if (st->key[0]) {
		hash_sha1(str_absent(b->key) ? STR("") : b->key, sha1);
		hash_hex(sha1, sizeof sha1, hex);
		if (!str_eq_secret(str_c(hex), str_c(st->key)))
			return false;
	}
	if (next.n == 0)
		return true;
	if (next.n != BOSH_KEY_DIGITS)
		return false;
	for (size_t i = 0; i < next.n; i++)
		st->key[i] = ascii_lower(next.p[i]);
	return true;
}

/* Is another request of it held, or is it one that never lets any be? Then one that brings nothing
 * asks for nothing, either. */
static bool polls_too_often(struct bosh_stream *st)
{
	if (st->hold && bosh_count_open(st) < 2)
		return false;
	if (limit_take(&st->polls, 1, 1.0 / BOSH_POLLING, POLLS, loop_now_ms(st->all->loop)))
		return false;
	st->all->bosh->polled++;
	fault(st, "policy-violation");
	return true;
}

static void take_elements(struct bosh_stream *st, struct element *body, size_t bytes)
{
	struct element *next;
	for (struct element *e = body->first; e && st->t.session; e = next) {
		struct session *s = st->t.session;
		next = e->next;
		e->next = NULL;
		if (str_absent(e->name))
			continue;
		bosh_adopt(e);
		if (session_admit(s, bytes))
			session_element(s, e, STR_NONE);
		bytes = 0; /* the whole body counts with its first stanza */
	}
}

static void take_body(
        struct bosh_stream *st, struct element *e, const struct bosh_body *b, size_t bytes)
{
	bool first = st->window.next == st->window.first + 1;
	if (!st->t.session)
		return;
	if (!is_key_right(st, b)) {
		fault(st, "item-not-found");
		return;
	}
	if ((first || b->restart) && session_admit(st->t.session, bytes))
		session_opened(st->t.session, b->to);
	if (!first && !b->restart && !b->terminate && !b->pause && !element_first(e) &&
	        polls_too_often(st))
		return;
	take_elements(st, e, bytes);
	if (b->terminate && st->t.session)
		session_closed(st->t.session);
}

/* The next number: p is held, and what it brings is done. */
static void serve(
        struct bosh_stream *st, struct bosh_post *p, struct element *e, const struct bosh_body *b)
{
	uint64_t now = loop_now_ms(st->all->loop);
	struct place *pl = &st->places[bosh_window_place(b->rid)];
	size_t bytes = p->n;
	if (pl->open) /* more came in this turn than a client may have open */
		bosh_settle(st);
	if (pl->open)
		(void)bosh_answer_place(st, b->rid - BOSH_REPLAYS, false);
	bosh_forget_answer(st, pl);
	uint64_t wait = st->wait * UINT64_C(1000);
	if (wait > 4 * EARLIER_MS)
		wait -= EARLIER_MS;
	*pl = (struct place){.open = true, .post = p, .until_ms = now + wait};
	p->stream = st;
	mem_free(p->body);
	p->body = NULL;
	bosh_window_move(&st->window);
	st->inactive_ms = (b->pause ? b->pause : BOSH_INACTIVITY) * 1000;
	take_body(st, e, b, bytes);
	if (b->pause) { /* XEP-0124 10: everything is answered now */
		for (uint64_t rid = bosh_window_oldest(&st->window); rid < st->window.next; rid++) {
			if (st->places[bosh_window_place(rid)].open && rid != bosh_receiver(st))
				(void)bosh_answer_place(st, rid, false);
		}
	}
	bosh_settle_later(st);
}

/* Again: the answer is given again, or this post waits for it instead. */
static void serve_again(struct bosh_stream *st, struct bosh_post *p, uint64_t rid)
{
	struct place *pl = &st->places[bosh_window_place(rid)];
	if (st->t.session &&
	        !limit_take(&st->polls, 1, 1.0 / BOSH_POLLING, POLLS, loop_now_ms(st->all->loop))) {
		st->all->bosh->polled++;
		fault(st, "policy-violation");
	}
	if (!pl->open) {
		bosh_replay(st, pl, p);
		return;
	}
	if (pl->post)
		bosh_answer_empty(pl->post, &(struct bosh_answer){.error = true});
	pl->post = p;
	p->stream = st;
	mem_free(p->body);
	p->body = NULL;
	bosh_settle_later(st);
}

static struct xml_limits body_limits(const struct sessions *ss, const struct session *s)
{
	struct xml_limits l = s ? *session_limits(s) : ss->settings.before_login;
	l.bytes += ENVELOPE;
	l.depth++;
	l.elements++;
	if (l.attributes < 24) /* of the body that opens a session */
		l.attributes = 24;
	return l;
}

static void take_numbered(
        struct bosh_stream *st, struct bosh_post *p, struct element *e, const struct bosh_body *b)
{
	struct bosh *all = st->all->bosh;
	switch (bosh_window_judge(&st->window, b->rid)) {
	case BOSH_NOW:
		serve(st, p, e, b);
		return;
	case BOSH_AGAIN:
		serve_again(st, p, b->rid);
		return;
	case BOSH_EARLY:
		all->early++;
		if (st->early)
			bosh_answer_empty(st->early, &(struct bosh_answer){.error = true});
		st->early = p;
		p->stream = st;
		return;
	case BOSH_LOST:
		all->lost++;
		fault(st, "item-not-found");
		bosh_refuse(p, "item-not-found");
		return;
	}
}

/* Reads p's body, and serves it. What cannot be read has no number, so it is answered here. */
static void read_post(struct bosh_stream *st, struct bosh_post *p)
{
	struct sessions *ss = st->all;
	struct session *s = st->t.session;
	struct xml_limits limits = body_limits(ss, s);
	struct element *e = NULL;
	struct bosh_body b;
	enum xml_fault f = xml_parse(ss->parser, str_from(p->body, p->n), &limits, &ss->arena, &e);
	if (f != XML_FINE && s)
		session_fault(s, f);
	else if (f == XML_FINE && bosh_body_read(e, &b) && b.rid &&
	         find(ss, str_absent(b.sid) ? STR("") : b.sid) == st) {
		take_numbered(st, p, e, &b);
		arena_reset(&ss->arena);
		return;
	} else {
		fault(st, "bad-request");
	}
	arena_reset(&ss->arena);
	bosh_refuse(p, "bad-request");
}

static void take_known(struct bosh_stream *st, struct bosh_post *p)
{
	uint64_t next = st->window.next;
	bosh_touch(st);
	read_post(st, p);
	/* the one that waited for this one; not more, since it is the last of the window */
	struct bosh_post *early = st->early;
	if (early && st->window.next != next && st->t.session) {
		st->early = NULL;
		early->stream = NULL;
		read_post(st, early);
	}
	bosh_settle_later(st);
}

/* A session begins */

static struct bosh *table_of(struct sessions *ss)
{
	if (!ss->bosh) {
		ss->bosh = mem_zalloc(sizeof *ss->bosh);
		if (ss->bosh)
			list_init(&ss->bosh->ended);
	}
	return ss->bosh;
}

/* Those that have ended stay for their last words, but keep nobody out. False: all are live. */
static bool make_room(struct sessions *ss)
{
	struct bosh *all = ss->bosh;
	if (all->used < 2 * (uint64_t)ss->settings.sessions)
		return true;
	all->limit_streams++;
	if (list_empty(&all->ended))
		return false;
	struct bosh_stream *st = LIST_OWNER(all->ended.next, struct bosh_stream, in_ended);
	bosh_settle(st); /* whoever waits for it is answered */
	bosh_stream_free(st);
	return true;
}

static struct bosh_stream *new_stream(
        struct sessions *ss, const struct bosh_body *b, const struct bosh_arrival *a)
{
	struct bosh *all = ss->bosh;
	struct bosh_stream *st = mem_zalloc(sizeof *st);
	if (!st || !rand_hex(st->secret, BOSH_SECRET_DIGITS) || !enlist(all, st)) {
		mem_free(st);
		ss->counters.no_memory++;
		return NULL;
	}
	st->t.ops = &bosh_ops;
	st->all = ss;
	st->secure = a->secure;
	st->acks = b->acks;
	st->opens = true;
	st->ver = b->ver;
	st->wait = b->wait;
	st->hold = b->hold;
	st->from = ss->settings.domain;
	st->seen_ms = loop_now_ms(ss->loop);
	st->inactive_ms = BOSH_INACTIVITY * 1000;
	buf_init(&st->out, 0);
	bosh_window_open(&st->window, b->rid);
	return st;
}

/* NULL: served. */
static const char *open_session(
        struct sessions *ss, struct bosh_post *p, struct element *e, const struct bosh_arrival *a)
{
	struct bosh *all = table_of(ss);
	struct bosh_body b;
	if (!bosh_body_read(e, &b) || !b.rid || b.terminate || b.restart)
		return "bad-request";
	if (!str_absent(b.sid))
		return "item-not-found";
	if (!all)
		return "internal-server-error";
	if (!make_room(ss))
		return "internal-server-error";
	struct bosh_stream *st = new_stream(ss, &b, a);
	if (!st)
		return "internal-server-error";
	if (!session_arrive(ss, &st->t, &a->client)) {
		bosh_stream_free(st);
		return ss->draining ? "system-shutdown" : "internal-server-error";
	}
	all->opened++;
	st->seats = a->seats;
	st->seat = a->seat;
	serve(st, p, e, &b);
	return NULL;
}

static void take_new(struct sessions *ss, struct bosh_post *p, const struct bosh_arrival *a)
{
	struct xml_limits limits = body_limits(ss, NULL);
	struct element *e = NULL;
	const char *condition = "bad-request";
	if (xml_parse(ss->parser, str_from(p->body, p->n), &limits, &ss->arena, &e) == XML_FINE)
		condition = open_session(ss, p, e, a);
	arena_reset(&ss->arena);
	if (!condition)
		return;
	if (a->seats)
		tcp_seat_give(a->seats, a->seat);
	bosh_refuse(p, condition);
}

void bosh_take(struct sessions *ss, struct bosh_post *p, const struct bosh_arrival *a)
{
	struct str sid = bosh_find_sid(str_from(p->body, p->n));
	if (ss->bosh)
		ss->bosh->requests++;
	if (str_absent(sid)) {
		take_new(ss, p, a);
		return;
	}
	if (a->seats) /* it was taken for a new one */
		tcp_seat_give(a->seats, a->seat);
	struct bosh_stream *st = find(ss, sid);
	if (st)
		take_known(st, p);
	else
		bosh_refuse(p, "item-not-found");
}

void bosh_gone(struct bosh_post *p)
{
	struct bosh_stream *st = p->stream;
	mem_free(p->body);
	p->body = NULL;
	p->stream = NULL;
	if (!st)
		return;
	if (st->early == p)
		st->early = NULL;
	for (unsigned i = 0; i < BOSH_REPLAYS; i++) {
		if (st->places[i].post == p)
			st->places[i].post = NULL;
	}
	bosh_touch(st);
	bosh_settle_later(st);
}

size_t bosh_list_counters(const struct sessions *ss, struct counter *out, size_t max)
{
	static const struct bosh none;
	const struct bosh *b = ss->bosh ? ss->bosh : &none;
	const struct counter all[] = {
	        {"bosh_streams", b->used},
	        {"bosh_kept_bytes", b->kept},
	        {"bosh_opened", b->opened},
	        {"bosh_requests", b->requests},
	        {"bosh_replays", b->replays},
	        {"bosh_early", b->early},
	        {"bosh_lost", b->lost},
	        {"bosh_inactive", b->inactive},
	        {"limit_bosh_polls", b->polled},
	        {"limit_bosh_streams", b->limit_streams},
	};
	return counter_list(all, sizeof all / sizeof *all, out, max);
}
