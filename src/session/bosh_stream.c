/* bosh_stream.c - one BOSH session's answers: what waits, who gets it, when, and what is
 * remembered. io
 *
 * What is to be sent waits in `out`. At the end of each turn, `bosh_settle`: it goes with the
 * oldest request that is held and whose connection still stands; a request more than may be held is
 * answered empty. The answers to the last few numbers are remembered, so that one that was lost on
 * its way is given again. */
#include "base/err.h"
#include "base/mem.h"
#include "session/bosh_internal.h"

#define LAST_WORDS_MS 10000 /* for the client to come for them */
#define SHARE (256u << 10)  /* bytes that wait in one stream whatever the others hold */

static struct bosh_stream *stream_of(struct transport *t)
{
	return LIST_OWNER(t, struct bosh_stream, t);
}

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

void bosh_answer_empty(struct bosh_post *p, const struct bosh_answer *a)
{
	struct buf b;
	buf_init(&b, 0);
	bosh_answer_open(&b, a, true);
	answer_post(p, &b);
	buf_done(&b);
}

void bosh_refuse(struct bosh_post *p, const char *condition)
{
	bosh_answer_empty(p, &(struct bosh_answer){.terminate = true, .condition = condition});
}

void bosh_forget_answer(struct bosh_stream *st, struct place *pl)
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
bool bosh_answer_place(struct bosh_stream *st, uint64_t rid, bool content)
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

void bosh_replay(struct bosh_stream *st, struct place *pl, struct bosh_post *p)
{
	st->all->bosh->replays++;
	if (!pl->answer) {
		bosh_answer_empty(p, &(struct bosh_answer){0});
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
void bosh_stream_free(struct bosh_stream *st)
{
	struct bosh *all = st->all->bosh;
	give_seat(st);
	timer_stop(&st->timer);
	loop_undefer(&st->settle);
	list_remove(&st->in_ended);
	for (unsigned i = 0; i < BOSH_REPLAYS; i++) {
		if (st->places[i].post)
			st->places[i].post->stream = NULL;
		bosh_forget_answer(st, &st->places[i]);
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
			bosh_stream_free(b->streams[i]);
	}
	mem_free(b->streams);
	mem_free(b);
	ss->bosh = NULL;
}

/* Time */

/* Once it has ended nothing makes it stay longer. */
void bosh_touch(struct bosh_stream *st)
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
		bosh_touch(st); /* inactivity begins with the answer */
		(void)bosh_answer_place(st, rid, false);
		set_timer(st);
		return;
	}
	if (st->t.session) {
		st->all->bosh->inactive++;
		session_lost(st->t.session, SESSION_LOST, NULL);
	}
	struct bosh_post *early = st->early;
	st->early = NULL;
	if (early) /* what it waits for has not come in all that time */
		bosh_refuse(early, "item-not-found");
	bosh_stream_free(st);
}

/* The end of a turn */

unsigned bosh_count_open(const struct bosh_stream *st)
{
	unsigned n = 0;
	for (unsigned i = 0; i < BOSH_REPLAYS; i++)
		n += st->places[i].open;
	return n;
}

/* Who gets what waits: the oldest that can, but the last words stand last. 0: nobody. */
uint64_t bosh_receiver(const struct bosh_stream *st)
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

void bosh_settle(struct bosh_stream *st)
{
	uint64_t to = bosh_receiver(st);
	unsigned open = bosh_count_open(st), may = st->ended ? 0 : st->hold;
	for (uint64_t rid = bosh_window_oldest(&st->window); rid < st->window.next; rid++) {
		if (!st->places[bosh_window_place(rid)].open || (rid != to && open <= may))
			continue;
		if (!bosh_answer_place(st, rid, rid == to) && st->t.session) {
			session_send_failed(st->t.session, ERR_NOMEM);
			return; /* the end settles again */
		}
		open--;
		bosh_touch(st);
	}
	if (st->ended && st->early) {
		struct bosh_post *p = st->early;
		st->early = NULL;
		bosh_refuse(p, st->condition);
	}
	set_timer(st);
}

static void on_settle(void *arg)
{
	bosh_settle(arg);
}

void bosh_settle_later(struct bosh_stream *st)
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
	bosh_settle_later(st);
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
	bosh_touch(st);
	st->ended = true;
	list_append(&st->all->bosh->ended, &st->in_ended);
	st->condition = str_absent(error) ? NULL : bosh_condition(error);
	if (!str_absent(error))
		(void)append(st, error, STR("")); /* without it the condition says as much */
	give_seat(st);
	bosh_settle_later(st);
}

static void set_max_message(struct transport *t, size_t bytes)
{
	(void)t, (void)bytes; /* each body is read within session_limits */
}

static bool is_secure(struct transport *t)
{
	return stream_of(t)->secure;
}

const struct transport_ops bosh_ops = {
        .kind = TRANSPORT_BOSH,
        .name = "bosh",
        .open = open_stream,
        .send = send_element,
        .end = end,
        .set_max_message = set_max_message,
        .secure = is_secure,
};
