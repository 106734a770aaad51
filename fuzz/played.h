/* played.h - fuzz: loops, workers and sockets played, in the place of net's, for fuzz/session.c
 * alone: time stands still unless it is moved. io */
#pragma once
#include <stdlib.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/list.h"
#include "net/mailbox.h"
#include "net/tcp.h"
#include "net/worker.h"

struct loop {
	struct list deferred;
	struct timer_wheel timers;
	uint64_t now_ms;
	unsigned slice, asked;
};
struct worker {
	struct message *first, **last;
	bool lags;
};
struct tcp {
	struct loop *loop;
	struct tcp_events ev;
	struct buf written, held; /* held: it comes with the next bytes */
	struct buf back;          /* to be handed on in another turn */
	bool again;
	bool owned, deaf, full; /* owned: somebody is told what comes */
	bool upgraded;
	struct counted *counted; /* the client's stream management; NULL: none */
};

/* session.c: one call of the server's wrote this to the connection */
static void wrote(struct tcp *t, struct str bytes);

uint64_t loop_now_ms(const struct loop *l)
{
	return l->now_ms;
}
double loop_wall_s(const struct loop *l)
{
	return 1800000000.0 + (double)l->now_ms / 1000;
}
struct timer_wheel *loop_timers(struct loop *l)
{
	return &l->timers;
}
void loop_defer(struct loop *l, struct loop_task *t)
{
	if (!list_linked(&t->link))
		list_append(&l->deferred, &t->link);
}
void loop_undefer(struct loop_task *t)
{
	list_remove(&t->link);
}
bool loop_slice_over(const struct loop *l)
{
	struct loop *m = (struct loop *)(uintptr_t)l;
	return l->slice && ++m->asked % l->slice == 0;
}
void worker_post(struct worker *w, struct message *m)
{
	m->next = NULL;
	*w->last = m;
	w->last = &m->next;
}

/* Keys from elsewhere and files of a web root are not fetched here: these are never called. */
struct worker *worker_new(void (*tick)(void *arg), void *arg)
{
	(void)tick;
	(void)arg;
	return NULL;
}
struct loop *worker_loop(const struct worker *w)
{
	(void)w;
	return NULL;
}
bool worker_start(struct worker *w)
{
	(void)w;
	return false;
}
void worker_join(struct worker *w)
{
	(void)w;
}
bool worker_drain(struct worker *w)
{
	(void)w;
	return false;
}
void worker_free(struct worker *w)
{
	(void)w;
}
struct mailbox *mailbox_new(struct loop *l, void (*before)(void *arg), void *arg)
{
	(void)l;
	(void)before;
	(void)arg;
	return NULL;
}
void mailbox_free(struct mailbox *m)
{
	(void)m;
}
void mailbox_post(struct mailbox *m, struct message *message)
{
	(void)m;
	(void)message;
}
bool mailbox_drain(struct mailbox *m)
{
	(void)m;
	return false;
}
void loop_stop(struct loop *l)
{
	(void)l;
}

void tcp_own(struct tcp *t, const struct tcp_events *ev)
{
	t->ev = *ev;
	t->owned = true;
}
struct loop *tcp_loop(const struct tcp *t)
{
	return t->loop;
}
struct str tcp_peer(const struct tcp *t)
{
	(void)t;
	return STR("192.0.2.1");
}
bool tcp_peer_loopback(const struct tcp *t)
{
	(void)t;
	return false;
}
size_t tcp_queued(const struct tcp *t)
{
	return t->full ? 1u << 20 : 0;
}
void tcp_read_pause(struct tcp *t, bool pause)
{
	t->deaf = pause;
}
int tcp_write_parts(
        struct tcp *t, const struct str *parts, size_t n, struct block *tail, bool may_exceed)
{
	if (!t->owned)
		return ERR_CLOSED;
	if (t->full && !may_exceed)
		return ERR_LIMIT;
	size_t before = t->written.n;
	for (size_t i = 0; i < n; i++)
		buf_str(&t->written, parts[i]);
	if (tail)
		buf_str(&t->written, block_view(tail));
	if (t->written.failed)
		abort();
	wrote(t, str_sub(buf_view(&t->written), before, t->written.n));
	return ERR_OK;
}
int tcp_write(struct tcp *t, struct str bytes)
{
	return tcp_write_parts(t, &bytes, 1, NULL, false);
}
bool tcp_put_back(struct tcp *t, struct str bytes)
{
	buf_str(&t->back, bytes);
	t->again = true;
	return !t->back.failed;
}
void tcp_known(struct tcp *t)
{
	(void)t;
}
bool tcp_is_tls(const struct tcp *t)
{
	(void)t;
	return false;
}
bool tcp_tls_established(const struct tcp *t)
{
	(void)t;
	return false;
}
bool tcp_forwarded_for(struct tcp *t, const char *peer)
{
	(void)t;
	(void)peer;
	return true;
}
void tcp_seat_give(struct tcp_server *s, struct tcp_address *seat)
{
	(void)s, (void)seat;
}
void tcp_close(struct tcp *t, uint32_t linger_ms)
{
	(void)linger_ms;
	t->owned = false;
}
