/* tcp.c - one connection: the queue of what is to be written, reading, and the ways to end. io */
#include "net/tcp.h"

#include <assert.h>
#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "net/tcp_internal.h"

#define IOV_MAX_USED 256
#define READ_MOST 16384   /* bytes of one turn */
#define LATER_BELOW 65536 /* bytes queued: then it is sent at once */
#define PARTS_MAX 4       /* that are sent without memory */
#define COPY_BELOW 256    /* a smaller block is cheaper copied than referenced */
#define QUEUE_SHARE                                                                                \
	262144 /* bytes that a connection may have waiting when max_queued_total is reached */

static void want(struct tcp *t)
{
	int w = 0;
	if ((!t->paused || t->closing) && !t->eof && !t->again)
		w |= LOOP_READ;
	if (t->blocked)
		w |= LOOP_WRITE;
	loop_watch_set(t->watch, w);
}

static void release_block(struct tcp *t, struct block *b)
{
	if (--b->queued == 0)
		t->server->counters.queued -= b->n;
	block_unref(b);
}

static void drop_queue(struct tcp *t)
{
	for (size_t i = t->first; i < t->count; i++) {
		struct tcp_segment *s = &t->segments[i];
		if (s->block)
			release_block(t, s->block);
		else
			t->server->counters.queued -= s->n;
	}
	mem_free(t->segments);
	t->segments = NULL;
	t->first = t->count = t->cap = 0;
	buf_done(&t->copied);
	t->copied_from = 0;
	t->queued = 0;
}

static void free_later(void *arg)
{
	struct tcp *t = arg;
	mem_free(t);
}

/* The descriptor goes at once, the memory at the end of the turn: callers up the stack may still
 * hold t. */
void tcp_destroy(struct tcp *t)
{
	if (t->dead)
		return;
	t->dead = true;
	timer_stop(&t->stall);
	timer_stop(&t->linger);
	loop_undefer(&t->later);
	loop_job_remove(&t->job);
	loop_watch_free(t->watch);
	close(t->fd);
	drop_queue(t);
	tls_stream_free(t->tls);
	t->tls = NULL;
	buf_done(&t->rest);
	tcp_server_forget(t->server, t);
	t->freed.fn = free_later;
	t->freed.arg = t;
	loop_defer(t->loop, &t->freed);
}

bool tcp_release(struct tcp *t, struct tcp_parcel *out)
{
	if (t->dead || t->closing || t->queued || t->rest.n)
		return false;
	*out = (struct tcp_parcel){
	        .fd = t->fd, .loopback = t->loopback, .address = t->address, .tls = t->tls};
	t->tls = NULL;
	memcpy(out->peer, t->peer, sizeof out->peer);
	t->dead = t->closing = true;
	t->again = false;
	buf_done(&t->rest);
	t->job.turn.account = NULL;
	t->ev = (struct tcp_events){0};
	loop_undefer(&t->later);
	loop_job_remove(&t->job);
	loop_watch_free(t->watch); /* the descriptor is off this loop from here on */
	drop_queue(t);
	list_remove(&t->link);
	t->server->counters.open--;
	t->freed.fn = free_later;
	t->freed.arg = t;
	loop_defer(t->loop, &t->freed);
	return true;
}

static void end(struct tcp *t, enum tcp_end why)
{
	if (t->dead)
		return;
	bool tell = !t->closing && t->ev.ended;
	t->closing = true; /* whatever the owner still writes is dropped */
	if (tell)
		t->ev.ended(t->ev.arg, t, why);
	tcp_destroy(t);
}

static void on_linger(void *arg, uint64_t now_ms)
{
	(void)now_ms;
	tcp_destroy(arg);
}

/* Time to look whether the queue moved at all since the last look. */
static void on_stall(void *arg, uint64_t now_ms)
{
	struct tcp *t = arg;
	uint64_t due = t->moved_ms + t->server->limits.stall_ms;
	if (now_ms < due) {
		timer_start(loop_timers(t->loop), &t->stall, due, on_stall, t);
		return;
	}
	t->server->counters.stalled++;
	end(t, TCP_END_STALLED);
}

static size_t gather(struct tcp *t, struct iovec *iov)
{
	size_t n = 0, copied = t->copied_from;
	for (size_t i = t->first; i < t->count && n < IOV_MAX_USED; i++, n++) {
		const struct tcp_segment *s = &t->segments[i];
		char *base = s->block ? s->block->p : t->copied.p + copied;
		iov[n].iov_base = base + (s->block ? s->from : 0);
		iov[n].iov_len = s->n;
		if (!s->block)
			copied += s->n;
	}
	return n;
}

static void consume(struct tcp *t, size_t sent)
{
	t->queued -= sent;
	while (sent) {
		struct tcp_segment *s = &t->segments[t->first];
		uint32_t part = sent < s->n ? (uint32_t)sent : s->n;
		if (s->block) {
			s->from += part;
		} else {
			t->copied_from += part;
			t->server->counters.queued -= part;
		}
		s->n -= part;
		sent -= part;
		if (s->n)
			return;
		if (s->block)
			release_block(t, s->block);
		t->first++;
	}
}

static void on_drained(struct tcp *t)
{
	drop_queue(t);
	timer_stop(&t->stall);
	t->blocked = false;
	if (t->closing && !t->shut) {
		t->shut = true;
		if (t->tls)
			tls_stream_bye(t->tls);
		shutdown(t->fd, SHUT_WR);
		if (t->eof) {
			tcp_destroy(t);
			return;
		}
	}
	want(t);
	if (!t->closing && t->ev.drained)
		t->ev.drained(t->ev.arg, t);
}

static void flush_soon(struct tcp *t)
{
	t->flush_due = true;
	loop_job_add(t->loop, &t->job);
}

static ssize_t send_front(struct tcp *t)
{
	struct iovec iov[IOV_MAX_USED];
	size_t n = gather(t, iov);
	if (t->tls)
		return tls_stream_send(t->tls, iov, n, loop_buffer(t->loop));
	struct msghdr m = {.msg_iov = iov, .msg_iovlen = n};
	return sendmsg(t->fd, &m, MSG_NOSIGNAL);
}

static bool anything_to_send(const struct tcp *t)
{
	return t->queued || (t->tls && tls_stream_waits(t->tls));
}

static void flush(struct tcp *t)
{
	while (anything_to_send(t)) {
		ssize_t sent = send_front(t);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0 && errno == ENOTCONN && t->tls) { /* until the handshake is done */
			t->blocked = false;
			timer_stop(&t->stall);
			return;
		}
		if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
			if (!t->blocked) {
				t->blocked = true;
				t->moved_ms = loop_now_ms(t->loop);
				timer_start(loop_timers(t->loop), &t->stall,
				        t->moved_ms + t->server->limits.stall_ms, on_stall, t);
				want(t);
			}
			return;
		}
		if (sent < 0) {
			end(t, TCP_END_ERROR);
			return;
		}
		t->moved_ms = loop_now_ms(t->loop);
		consume(t, (size_t)sent);
		if (t->queued && loop_slice_over(t->loop)) {
			flush_soon(t);
			return;
		}
	}
	on_drained(t);
}

static void on_eof(struct tcp *t)
{
	t->eof = true;
	/* A peer that shuts its side and waits for the rest is not served further, but gets what is
	 * queued. */
	if (t->closing && t->queued) {
		want(t);
		return;
	}
	end(t, TCP_END_EOF);
}

static void take_tls(struct tcp *t, struct str ciphered)
{
	bool before = t->tls->established;
	size_t n;
	enum tls_fed fed = tls_stream_feed(
	        t->tls, ciphered, loop_buffer(t->loop), LOOP_BUFFER - TLS_CIPHERED, &n);
	if (t->tls->established && !before) {
		t->server->tls_handshakes++;
		t->server->tls_resumed += t->tls->resumed;
	}
	if (fed == TLS_BROKEN && !t->tls->sys_errno)
		tcp_server_tls_fault(t->server, t);
	if (anything_to_send(t) && !t->blocked)
		flush_soon(t);
	if (n && !t->closing && t->ev.data)
		t->ev.data(t->ev.arg, t, str_from(loop_buffer(t->loop), n));
	if (t->dead)
		return;
	if (fed == TLS_OVER)
		on_eof(t);
	else if (fed == TLS_BROKEN)
		end(t, TCP_END_ERROR);
}

static void hand_on_again(struct tcp *t)
{
	struct buf bytes = t->rest; /* more may be put back meanwhile */
	buf_init(&t->rest, 0);
	t->again = false;
	if (!t->closing && t->ev.data)
		t->ev.data(t->ev.arg, t, buf_view(&bytes));
	buf_done(&bytes);
}

/* Ciphered bytes lie in the back part of the loop's buffer, so that what they carry has room. */
static void on_readable(struct tcp *t)
{
	size_t size = t->tls ? TLS_CIPHERED : READ_MOST;
	char *p = loop_buffer(t->loop) + LOOP_BUFFER - size;
	ssize_t n;
	t->readable = false;
	do
		n = recv(t->fd, p, size, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0) {
		if (errno != EAGAIN && errno != EWOULDBLOCK)
			end(t, TCP_END_ERROR);
		return;
	}
	if (n == 0) {
		on_eof(t);
		return;
	}
	if (t->tls)
		take_tls(t, str_from(p, (size_t)n));
	else if (!t->closing && t->ev.data)
		t->ev.data(t->ev.arg, t, str_from(p, (size_t)n));
}

/* Whether there is something to read or to hand on now. */
static bool input_waits(const struct tcp *t)
{
	return (t->again && !t->paused) || (t->readable && (!t->paused || t->closing));
}

static void on_turn(void *arg)
{
	struct tcp *t = arg;
	if (t->flush_due) {
		t->flush_due = false;
		loop_undefer(&t->later);
		flush(t);
	}
	if (!t->dead && input_waits(t) && !loop_job_waits(&t->job)) {
		if (t->again)
			hand_on_again(t);
		else
			on_readable(t);
	}
	if (t->dead)
		return;
	if (input_waits(t))
		loop_job_add(t->loop, &t->job);
	else
		t->readable = false; /* whoever pauses is told again */
	want(t);
}

static void on_ready(void *arg, int ready)
{
	struct tcp *t = arg;
	if (ready & LOOP_WRITE && t->blocked)
		t->flush_due = true;
	if (ready & LOOP_READ)
		t->readable = true;
	if (loop_job_waits(&t->job))
		loop_watch_set(t->watch, 0); /* it was said before: that is enough until its turn */
	else
		loop_job_add(t->loop, &t->job);
}

static void on_later(void *arg)
{
	flush_soon(arg);
}

bool tcp_start(struct tcp *t)
{
	t->later.fn = on_later;
	t->later.arg = t;
	t->job.fn = on_turn;
	t->job.arg = t;
	t->job.turn.account = t->address ? &t->address->account : NULL;
	buf_init(&t->copied, 0);
	buf_init(&t->rest, 0);
	t->watch = loop_watch_new(t->loop, t->fd, on_ready, t);
	if (!t->watch)
		return false;
	want(t);
	if (t->tls && tls_stream_waits(t->tls))
		flush_soon(t);
	return true;
}

int tcp_start_tls(struct tcp *t, struct tls_context *c, const struct tls_door *door)
{
	if (t->closing)
		return ERR_CLOSED;
	if (t->tls)
		return ERR_EXISTS;
	if (!tls_context_ready(c))
		return ERR_NOTFOUND;
	t->tls = tls_stream_new(c, door, t->fd);
	if (!t->tls)
		return ERR_NOMEM;
	t->tls->clear = t->queued;
	return ERR_OK;
}

bool tcp_is_tls(const struct tcp *t)
{
	return t->tls != NULL;
}
bool tcp_tls_established(const struct tcp *t)
{
	return t->tls && t->tls->established;
}
struct str tcp_tls_name(const struct tcp *t)
{
	return str_c(t->tls ? SSL_get_servername(t->tls->ssl, TLSEXT_NAMETYPE_host_name) : NULL);
}

void tcp_own(struct tcp *t, const struct tcp_events *ev)
{
	t->ev = *ev;
}
struct loop *tcp_loop(const struct tcp *t)
{
	return t->loop;
}
struct str tcp_peer(const struct tcp *t)
{
	return str_c(t->peer);
}
bool tcp_peer_loopback(const struct tcp *t)
{
	return t->loopback;
}
size_t tcp_queued(const struct tcp *t)
{
	return t->queued;
}

/* What was sent makes room first: a queue that never quite empties must not grow for ever. */
static bool room_for_segments(struct tcp *t, size_t more)
{
	if (t->copied_from > 65536 && t->copied_from > t->copied.n / 2) {
		buf_consume(&t->copied, t->copied_from);
		t->copied_from = 0;
	}
	if (t->first > t->cap / 2) {
		memmove(t->segments, t->segments + t->first,
		        (t->count - t->first) * sizeof *t->segments);
		t->count -= t->first;
		t->first = 0;
	}
	if (t->count + more <= t->cap)
		return true;
	size_t cap = t->cap ? t->cap * 2 : 8;
	struct tcp_segment *s = mem_realloc(t->segments, cap * sizeof *s);
	if (!s)
		return false;
	t->segments = s;
	t->cap = cap;
	return true;
}

/* Both succeed: the room was made before. */
static void push_copy(struct tcp *t, struct str bytes)
{
	if (!bytes.n)
		return;
	buf_str(&t->copied, bytes);
	t->queued += bytes.n;
	t->server->counters.queued += bytes.n;
	if (t->count > t->first && !t->segments[t->count - 1].block) {
		t->segments[t->count - 1].n += (uint32_t)bytes.n;
		return;
	}
	t->segments[t->count++] = (struct tcp_segment){.n = (uint32_t)bytes.n};
}

static void push_block(struct tcp *t, struct block *b)
{
	if (!b->n)
		return;
	t->queued += b->n;
	if (b->queued++ == 0)
		t->server->counters.queued += b->n;
	t->segments[t->count++] = (struct tcp_segment){.block = block_ref(b), .n = b->n};
}

/* Everything queued goes to the kernel now, or as much as it takes. false: some is left. */
static bool send_queue(struct tcp *t)
{
	struct iovec iov[IOV_MAX_USED];
	while (t->queued) {
		struct msghdr m = {.msg_iov = iov, .msg_iovlen = gather(t, iov)};
		ssize_t sent = sendmsg(t->fd, &m, MSG_NOSIGNAL);
		if (sent <= 0)
			return false; /* `flush` finds out why */
		consume(t, (size_t)sent);
	}
	return true;
}

/* There is no memory to queue it, but what the kernel takes at once needs none: whoever reads what
 * he is sent loses nothing. */
static int send_without_memory(
        struct tcp *t, const struct str *parts, size_t n, struct block *tail, size_t total)
{
	struct iovec iov[PARTS_MAX + 1];
	if (t->tls || t->blocked || n > PARTS_MAX || !send_queue(t))
		return ERR_NOMEM;
	for (size_t i = 0; i < n; i++)
		iov[i] = (struct iovec){
		        .iov_base = (void *)(uintptr_t)parts[i].p, .iov_len = parts[i].n};
	if (tail)
		iov[n++] = (struct iovec){.iov_base = tail->p, .iov_len = tail->n};
	struct msghdr m = {.msg_iov = iov, .msg_iovlen = n};
	ssize_t sent = sendmsg(t->fd, &m, MSG_NOSIGNAL);
	flush_soon(t); /* the owner waits for `drained` */
	t->moved_ms = loop_now_ms(t->loop);
	if (sent >= 0 && (size_t)sent == total)
		return ERR_OK;
	if (sent > 0)
		shutdown(t->fd, SHUT_RDWR); /* half of it: nothing may follow */
	return ERR_NOMEM;
}

int tcp_write_parts(
        struct tcp *t, const struct str *parts, size_t n, struct block *tail, bool may_exceed)
{
	if (t->closing)
		return ERR_CLOSED;
	bool copy_tail = tail && tail->n < COPY_BELOW;
	size_t copied = copy_tail ? tail->n : 0, total = tail ? tail->n : 0;
	for (size_t i = 0; i < n; i++) {
		copied += parts[i].n;
		total += parts[i].n;
	}
	if (t->queued + total > t->server->limits.max_queued && !may_exceed) {
		t->server->counters.queue_full++;
		return ERR_LIMIT;
	}
	/* A thousand readers that stall together: whoever drains keeps being served. */
	size_t fresh = total - (tail && !copy_tail && tail->queued ? tail->n : 0);
	if (t->server->counters.queued + fresh > t->server->limits.max_queued_total &&
	        t->queued > QUEUE_SHARE && !may_exceed) {
		t->server->counters.queues_full++;
		return ERR_LIMIT;
	}
	if (!room_for_segments(t, 2) || !buf_reserve(&t->copied, copied)) {
		t->copied.failed = false; /* what was queued before is whole */
		return send_without_memory(t, parts, n, tail, total);
	}
	for (size_t i = 0; i < n; i++)
		push_copy(t, parts[i]);
	if (copy_tail)
		push_copy(t, block_view(tail));
	else if (tail)
		push_block(t, tail);
	if (t->blocked)
		return ERR_OK;
	/* What is told to many may wait a moment for more of its kind, once something was just
	 * sent. */
	if (tail && loop_now_ms(t->loop) - t->moved_ms <= LOOP_LATER_MS && t->queued < LATER_BELOW)
		loop_later(t->loop, &t->later);
	else
		flush_soon(t);
	return ERR_OK;
}

int tcp_write(struct tcp *t, struct str bytes)
{
	return tcp_write_parts(t, &bytes, 1, NULL, false);
}
int tcp_write_block(struct tcp *t, struct block *b)
{
	return tcp_write_parts(t, NULL, 0, b, false);
}

void tcp_read_pause(struct tcp *t, bool pause)
{
	t->paused = pause;
	if (t->again && !pause)
		loop_job_add(t->loop, &t->job);
	if (!t->closing)
		want(t);
}

bool tcp_put_back(struct tcp *t, struct str bytes)
{
	if (t->closing)
		return true; /* nobody wants it any more */
	assert((!t->again || !bytes.n) && "what was put back is handed on first");
	buf_str(&t->rest, bytes);
	if (t->rest.failed)
		return false;
	t->again = true;
	loop_job_add(t->loop, &t->job);
	return true;
}

void tcp_known(struct tcp *t)
{
	loop_job_known(t->loop, &t->job);
}

void tcp_close(struct tcp *t, uint32_t linger_ms)
{
	if (t->closing)
		return; /* inside `ended`: it goes anyway */
	t->closing = true;
	t->ev = (struct tcp_events){0};
	if (linger_ms == 0) {
		tcp_destroy(t);
		return;
	}
	timer_start(
	        loop_timers(t->loop), &t->linger, loop_now_ms(t->loop) + linger_ms, on_linger, t);
	if (!t->blocked)
		flush_soon(t); /* also when the queue is empty: it shuts our side down */
	want(t);
}
