/* bosh.c - BOSH: requests in their order, and answers when there is something to say. io
 *
 * What is to be sent waits in `out`. At the end of each turn, `settle`: it goes with the oldest
 * request that is held and whose connection still stands; a request more than may be held is
 * answered empty. The answers to the last few numbers are remembered, so that one that was lost on
 * its way is given again. */
#include "session/bosh.h"

#include "base/err.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/rand.h"
#include "net/tcp.h"
#include "session/bosh_window.h"
#include "session/internal.h"
#include "xmpp/ns.h"

#define EARLIER_MS 3000     /* before `wait`: proxies count to sixty as well */
#define LAST_WORDS_MS 10000 /* for the client to come for them */
#define ENVELOPE 1024       /* bytes of a body beside its stanzas */
#define SHARE (256u << 10)  /* bytes that wait in one stream whatever the others hold */
#define POLLS 10            /* in a row that ask for nothing, before it is too often */

/* One number of the window: held while `open`, then its answer. */
struct place {
	bool open;
	struct bosh_post *post; /* NULL, while open: its connection has gone */
	uint64_t until_ms;
	char *answer; /* owned; NULL: an empty body, or none yet */
	size_t n;
};

struct bosh_stream {
	struct transport t;
	struct sessions *all;
	uint32_t index;
	char secret[BOSH_SECRET_DIGITS + 1];
	bool secure, acks;
	bool opens;            /* the answer to the first request is not given yet */
	bool ended;            /* t has no session any more */
	bool said;             /* and the client was told */
	const char *condition; /* of the end; NULL: in good order */
	const char *ver;
	unsigned wait, hold;
	struct str from; /* a domain of the settings */
	char id[17];

	struct bosh_window window;
	struct place places[BOSH_REPLAYS];
	struct bosh_post *early; /* the number after window.next; NULL: none */
	struct buf out;
	char key[BOSH_KEY_DIGITS + 1]; /* "": none */

	uint64_t seen_ms;     /* its last request */
	uint32_t inactive_ms; /* how long it may be without one */
	struct limit polls;
	struct timer timer; /* of the oldest request that is held, or of inactivity */
	struct loop_task settle;
	struct tcp_server *seats;
	struct tcp_address *seat;
};

struct bosh {
	struct bosh_stream **streams; /* by index; NULL: free */
	uint32_t n, cap, used;
	uint64_t kept; /* bytes in all queues and answers */
	uint64_t requests, opened, replays, early, lost, inactive, polled, limit_streams;
};

static struct bosh_stream *stream_of(struct transport *t)
{
	return LIST_OWNER(t, struct bosh_stream, t);
}

static void settle_later(struct bosh_stream *st);

/* Answers */

void bosh_refusal(struct buf *b, const char *condition)
{
	bosh_answer_open(b, &(struct bosh_answer){.terminate = true, .condition = condition}, true);
}

static void answer_post(struct bosh_post *p, const struct buf *b)
{
	p->stream = NULL;
	mem_free(p->body);
	p->body = NULL;
	p->answer(p, b->failed ? STR_NONE : buf_view(b));
}

static void answer_empty(struct bosh_post *p, const struct bosh_answer *a)
{
	struct buf b;
	buf_init(&b, 0);
	bosh_answer_open(&b, a, true);
	answer_post(p, &b);
	buf_done(&b);
}

static void refuse(struct bosh_post *p, const char *condition)
{
	answer_empty(p, &(struct bosh_answer){.terminate = true, .condition = condition});
}

static void forget_answer(struct bosh_stream *st, struct place *pl)
{
	st->all->bosh->kept -= pl->n;
	mem_free(pl->answer);
	pl->answer = NULL;
	pl->n = 0;
}

static void fill_opening(const struct bosh_stream *st, struct bosh_answer *a, char *sid)
{
	bosh_sid_write(&(struct bosh_sid){.worker = st->all->settings.worker,
	                       .index = st->index,
	                       .secret = str_c(st->secret)},
	        sid);
	a->opens = true;
	a->sid = str_c(sid);
	a->from = st->from;
	a->id = str_c(st->id);
	a->ver = st->ver;
	a->wait = st->wait;
	a->hold = st->hold;
}

/* The answer to rid, with what waits in the stream or without. */
static void write_answer(struct bosh_stream *st, uint64_t rid, bool content, struct buf *b)
{
	char sid[BOSH_SID_DIGITS + 1];
	/* who still asks once it was told is told again */
	struct bosh_answer a = {
	        .terminate = st->ended && (content || st->said), .condition = st->condition};
	if (content && st->opens && !st->ended)
		fill_opening(st, &a, sid);
	if (st->acks && (a.opens || st->window.next - 1 != rid))
		a.ack = st->window.next - 1;
	bool empty = !content || st->out.n == 0;
	if (!empty)
		(void)buf_reserve(b, st->out.n + 256);
	bosh_answer_open(b, &a, empty);
	if (empty)
		return;
	buf_str(b, buf_view(&st->out));
	bosh_answer_close(b);
}

/* Answers the number that is held. False: no memory, nothing has changed. */
static bool answer_place(struct bosh_stream *st, uint64_t rid, bool content)
{
	struct bosh *all = st->all->bosh;
	struct place *pl = &st->places[bosh_window_place(rid)];
	struct bosh_post *p = pl->post;
	struct buf b;
	buf_init(&b, 0);
	write_answer(st, rid, content, &b);
	if (b.failed && content && !st->ended) {
		buf_done(&b);
		return false;
	}
	pl->open = false;
	pl->post = NULL;
	if (content) {
		all->kept -= st->out.n;
		st->said = st->ended;
		st->opens = false;
		buf_done(&st->out);
		buf_init(&st->out, 0);
	}
	if (p)
		answer_post(p, &b);
	if (content && !b.failed) {
		pl->n = b.n;
		pl->answer = buf_steal(&b);
		all->kept += pl->n;
	}
	buf_done(&b);
	return true;
}

static void replay(struct bosh_stream *st, struct place *pl, struct bosh_post *p)
{
	st->all->bosh->replays++;
	if (!pl->answer) {
		answer_empty(p, &(struct bosh_answer){0});
		return;
	}
	p->stream = NULL;
	mem_free(p->body);
	p->body = NULL;
	p->answer(p, str_from(pl->answer, pl->n));
}

/* Life */

static void give_seat(struct bosh_stream *st)
{
	if (st->seats)
		tcp_seat_give(st->seats, st->seat);
	st->seats = NULL;
}

/* Nothing of it may be up the stack. */
static void free_stream(struct bosh_stream *st)
{
	struct bosh *all = st->all->bosh;
	give_seat(st);
	timer_stop(&st->timer);
	loop_undefer(&st->settle);
	for (unsigned i = 0; i < BOSH_REPLAYS; i++) {
		if (st->places[i].post)
			st->places[i].post->stream = NULL;
		forget_answer(st, &st->places[i]);
	}
	if (st->early)
		st->early->stream = NULL;
	all->kept -= st->out.n;
	buf_done(&st->out);
	if (all->streams[st->index] == st) {
		all->streams[st->index] = NULL;
		all->used--;
	}
	mem_free(st);
}

void bosh_free(struct sessions *ss)
{
	struct bosh *b = ss->bosh;
	if (!b)
		return;
	for (uint32_t i = 0; i < b->n; i++) {
		if (b->streams[i])
			free_stream(b->streams[i]);
	}
	mem_free(b->streams);
	mem_free(b);
	ss->bosh = NULL;
}

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

/* Time */

/* Once it has ended nothing makes it stay longer. */
static void touch(struct bosh_stream *st)
{
	if (!st->ended)
		st->seen_ms = loop_now_ms(st->all->loop);
}

static void on_timer(void *arg, uint64_t now_ms);

/* The oldest number that is held, with its connection. 0: none. */
static uint64_t oldest_live(const struct bosh_stream *st)
{
	for (uint64_t rid = bosh_window_oldest(&st->window); rid < st->window.next; rid++) {
		const struct place *pl = &st->places[bosh_window_place(rid)];
		if (pl->open && pl->post)
			return rid;
	}
	return 0;
}

static void set_timer(struct bosh_stream *st)
{
	uint64_t rid = oldest_live(st);
	uint64_t at = st->seen_ms + (st->ended ? LAST_WORDS_MS : st->inactive_ms);
	if (rid)
		at = st->places[bosh_window_place(rid)].until_ms;
	timer_start(loop_timers(st->all->loop), &st->timer, at, on_timer, st);
}

static void on_timer(void *arg, uint64_t now_ms)
{
	(void)now_ms;
	struct bosh_stream *st = arg;
	uint64_t rid = oldest_live(st);
	if (rid) {
		touch(st); /* inactivity begins with the answer */
		(void)answer_place(st, rid, false);
		set_timer(st);
		return;
	}
	if (st->t.session) {
		st->all->bosh->inactive++;
		session_lost(st->t.session, SESSION_LOST, NULL);
	}
	free_stream(st);
}

/* The end of a turn */

static unsigned count_open(const struct bosh_stream *st)
{
	unsigned n = 0;
	for (unsigned i = 0; i < BOSH_REPLAYS; i++)
		n += st->places[i].open;
	return n;
}

/* Who gets what waits: the oldest that can, but the last words stand last. 0: nobody. */
static uint64_t receiver(const struct bosh_stream *st)
{
	uint64_t rid = oldest_live(st);
	if (!rid || (st->ended && st->said) || (!st->ended && !st->opens && st->out.n == 0))
		return 0;
	for (uint64_t later = rid + 1; st->ended && later < st->window.next; later++) {
		const struct place *pl = &st->places[bosh_window_place(later)];
		if (pl->open && pl->post)
			rid = later;
	}
	return rid;
}

static void settle(struct bosh_stream *st)
{
	uint64_t to = receiver(st);
	unsigned open = count_open(st), may = st->ended ? 0 : st->hold;
	for (uint64_t rid = bosh_window_oldest(&st->window); rid < st->window.next; rid++) {
		if (!st->places[bosh_window_place(rid)].open || (rid != to && open <= may))
			continue;
		if (!answer_place(st, rid, rid == to) && st->t.session) {
			session_send_failed(st->t.session, ERR_NOMEM);
			return; /* the end settles again */
		}
		open--;
		touch(st);
	}
	if (st->ended && st->early) {
		struct bosh_post *p = st->early;
		st->early = NULL;
		refuse(p, st->condition);
	}
	set_timer(st);
}

static void on_settle(void *arg)
{
	settle(arg);
}

static void settle_later(struct bosh_stream *st)
{
	st->settle.fn = on_settle;
	st->settle.arg = st;
	loop_defer(st->all->loop, &st->settle);
}

/* Downward */

static int open_stream(struct transport *t, struct str from, struct str id)
{
	struct bosh_stream *st = stream_of(t);
	st->from = from;
	size_t n = id.n < sizeof st->id ? id.n : sizeof st->id - 1;
	memcpy(st->id, id.p, n);
	st->id[n] = '\0';
	return ERR_OK;
}

/* All of it, or nothing. */
static int append(struct bosh_stream *st, struct str head, struct str tail)
{
	if (!buf_reserve(&st->out, head.n + tail.n + 1)) {
		st->out.failed = false;
		return ERR_NOMEM;
	}
	buf_str(&st->out, head);
	buf_str(&st->out, tail);
	st->all->bosh->kept += head.n + tail.n;
	settle_later(st);
	return ERR_OK;
}

static int send_element(struct transport *t, struct str head, struct block *tail)
{
	struct bosh_stream *st = stream_of(t);
	const struct session_settings *set = &st->all->settings;
	struct str rest = tail ? block_view(tail) : STR("");
	size_t after = st->out.n + head.n + rest.n;
	if (after > set->bosh_queued ||
	        (after > SHARE && st->all->bosh->kept + head.n + rest.n > set->bosh_queued_total))
		return ERR_LIMIT;
	return append(st, head, rest);
}

static void end(struct transport *t, enum session_end why, struct str error)
{
	struct bosh_stream *st = stream_of(t);
	(void)why;
	touch(st);
	st->ended = true;
	st->condition = str_absent(error) ? NULL : bosh_condition(error);
	if (!str_absent(error))
		(void)append(st, error, STR("")); /* without it the condition says as much */
	give_seat(st);
	settle_later(st);
}

static void set_max_message(struct transport *t, size_t bytes)
{
	(void)t, (void)bytes; /* each body is read within session_limits */
}

static bool is_secure(struct transport *t)
{
	return stream_of(t)->secure;
}

static const struct transport_ops ops = {
        .kind = TRANSPORT_BOSH,
        .name = "bosh",
        .open = open_stream,
        .send = send_element,
        .end = end,
        .set_max_message = set_max_message,
        .secure = is_secure,
};

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
	if (st->hold && count_open(st) < 2)
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
		settle(st);
	if (pl->open)
		(void)answer_place(st, b->rid - BOSH_REPLAYS, false);
	forget_answer(st, pl);
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
			if (st->places[bosh_window_place(rid)].open && rid != receiver(st))
				(void)answer_place(st, rid, false);
		}
	}
	settle_later(st);
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
		replay(st, pl, p);
		return;
	}
	if (pl->post)
		answer_empty(pl->post, &(struct bosh_answer){.error = true});
	pl->post = p;
	p->stream = st;
	mem_free(p->body);
	p->body = NULL;
	settle_later(st);
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
			answer_empty(st->early, &(struct bosh_answer){.error = true});
		st->early = p;
		p->stream = st;
		return;
	case BOSH_LOST:
		all->lost++;
		fault(st, "item-not-found");
		refuse(p, "item-not-found");
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
	refuse(p, "bad-request");
}

static void take_known(struct bosh_stream *st, struct bosh_post *p)
{
	uint64_t next = st->window.next;
	touch(st);
	read_post(st, p);
	/* the one that waited for this one; not more, since it is the last of the window */
	struct bosh_post *early = st->early;
	if (early && st->window.next != next && st->t.session) {
		st->early = NULL;
		early->stream = NULL;
		read_post(st, early);
	}
	settle_later(st);
}

/* A session begins */

static struct bosh *table_of(struct sessions *ss)
{
	if (!ss->bosh)
		ss->bosh = mem_zalloc(sizeof *ss->bosh);
	return ss->bosh;
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
	st->t.ops = &ops;
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
	/* those that have ended stay for their last words */
	if (all->used >= 2 * (uint64_t)ss->settings.sessions) {
		all->limit_streams++;
		return "internal-server-error";
	}
	struct bosh_stream *st = new_stream(ss, &b, a);
	if (!st)
		return "internal-server-error";
	if (!session_arrive(ss, &st->t, &a->client)) {
		free_stream(st);
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
	refuse(p, condition);
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
		refuse(p, "item-not-found");
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
	touch(st);
	settle_later(st);
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
