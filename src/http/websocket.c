/* websocket.c - frames to messages and back. io
 *
 * wslay splits and unmasks what comes in, through its frame interface: its event interface would queue and copy what we
 * send. Its state (4 KiB) lives only while a frame is under way, so an idle connection does not hold it. */
#include "http/websocket.h"

#include <wslay/wslay.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/limit.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "http/server.h"

#define CONTROL_MAX 125         /* RFC 6455 5.5 */
#define FRAGMENTS_MAX 64
#define CONTROLS_PER_SECOND 10  /* pings and pongs that a peer may send */
#define CONTROLS_BURST 30
#define CLOSE_LINGER_MS 2000

struct ws {
	struct tcp *tcp;
	struct ws_events ev;
	struct ws_limits limits;
	struct http_counters *counters;
	bool dead;              /* nothing is called any more; memory goes at the end of the turn */

	/* receiving */
	wslay_frame_context_ptr frames; /* NULL between frames */
	struct str feed;        /* what wslay may take now */
	uint64_t given, accounted;      /* bytes given to wslay, and explained by frames */
	bool in_frame;
	uint64_t frame_at;      /* payload bytes of this frame so far */
	bool in_message;
	unsigned fragments;
	struct buf message;
	unsigned char control[CONTROL_MAX];
	struct limit controls;

	/* life */
	uint64_t heard_ms;
	bool asked;             /* a ping is unanswered */
	struct timer timer;
	struct buf early;
	struct loop_task start, freed;
};

const char *ws_end_text(enum ws_end e)
{
	static const char *const texts[] = {"closed", "lost", "silent", "stalled", "protocol"};
	return texts[e];
}

bool ws_accept_key(struct str key, char out[29])
{
	static const char b64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	if (key.n != 24 || key.p[22] != '=' || key.p[23] != '=')
		return false;
	for (size_t i = 0; i < 22; i++) {
		if (!key.p[i] || !strchr(b64, key.p[i]))
			return false;
	}
	char text[24 + 36];
	memcpy(text, key.p, 24);
	memcpy(text + 24, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11", 36); /* RFC 6455 1.3 */
	unsigned char sum[21] = {0};
	hash_sha1(str_from(text, sizeof text), sum);
	for (size_t i = 0, o = 0; i < 21; i += 3) {
		unsigned v = (unsigned)sum[i] << 16 | (unsigned)sum[i + 1] << 8 | sum[i + 2];
		for (int shift = 18; shift >= 0; shift -= 6)
			out[o++] = b64[v >> shift & 63];
	}
	out[27] = '=';
	out[28] = '\0';
	return true;
}

size_t ws_frame_head(unsigned opcode, uint64_t n, unsigned char out[10])
{
	out[0] = (unsigned char)(0x80 | opcode);
	if (n < 126) {
		out[1] = (unsigned char)n;
		return 2;
	}
	size_t width = n < 65536 ? 2 : 8;
	out[1] = width == 2 ? 126 : 127;
	for (size_t i = 0; i < width; i++)
		out[2 + i] = (unsigned char)(n >> (8 * (width - 1 - i)));
	return 2 + width;
}

static void send_control(struct ws *w, unsigned opcode, struct str payload)
{
	unsigned char head[10];
	struct str parts[] = {str_from((const char *)head, ws_frame_head(opcode, payload.n, head)), payload};
	(void)tcp_write_parts(w->tcp, parts, 2, NULL, true); /* out of memory: the peer will miss it, nothing else */
}

static void send_close(struct ws *w, unsigned code)
{
	char payload[2] = {(char)(code >> 8), (char)code};
	send_control(w, WSLAY_CONNECTION_CLOSE, str_from(payload, code ? 2 : 0));
}

static void free_later(void *arg)
{
	struct ws *w = arg;
	if (w->frames)
		wslay_frame_context_free(w->frames);
	buf_done(&w->message);
	buf_done(&w->early);
	mem_free(w);
}

static void release(struct ws *w)
{
	w->dead = true;
	timer_stop(&w->timer);
	loop_undefer(&w->start);
	w->freed.fn = free_later;
	w->freed.arg = w;
	loop_defer(tcp_loop(w->tcp), &w->freed);
}

static void end(struct ws *w, enum ws_end why)
{
	if (w->dead)
		return;
	release(w);
	if (w->ev.ended)
		w->ev.ended(w->ev.arg, w, why);
}

/* We end it: the peer is told the code. */
static void fail(struct ws *w, unsigned code, enum ws_end why)
{
	if (w->dead)
		return;
	send_close(w, code);
	tcp_close(w->tcp, CLOSE_LINGER_MS);
	end(w, why);
}

static void fail_protocol(struct ws *w, unsigned code)
{
	if (w->counters) {
		if (code == WS_TOO_BIG)
			w->counters->ws_too_large++;
		else if (code == WS_UNSUPPORTED || code == WS_BAD_DATA)
			w->counters->ws_not_text++;
		else if (code == WS_POLICY)
			w->counters->ws_too_many++;
		else
			w->counters->ws_protocol_error++;
	}
	fail(w, code, WS_END_PROTOCOL);
}

static ssize_t on_wslay_recv(uint8_t *out, size_t n, int flags, void *arg)
{
	(void)flags;
	struct ws *w = arg;
	if (n > w->feed.n)
		n = w->feed.n;
	if (n == 0)
		return -1; /* taken as "nothing now" */
	memcpy(out, w->feed.p, n);
	w->feed = str_sub(w->feed, n, w->feed.n);
	w->given += n;
	return (ssize_t)n;
}

static bool is_control(const struct wslay_frame_iocb *f) { return f->opcode & 8; }

/* The code to close with, or 0. */
static unsigned check_frame(struct ws *w, const struct wslay_frame_iocb *f)
{
	if (!f->mask || f->rsv)
		return WS_PROTOCOL;
	switch (f->opcode) {
	case WSLAY_CONNECTION_CLOSE:
		return f->payload_length == 1 ? WS_PROTOCOL : 0;
	case WSLAY_PING:
	case WSLAY_PONG: {
		uint64_t now = loop_now_ms(tcp_loop(w->tcp));
		return limit_take(&w->controls, 1, CONTROLS_PER_SECOND, CONTROLS_BURST, now) ? 0 : WS_POLICY;
	}
	case WSLAY_BINARY_FRAME:
		return WS_UNSUPPORTED;
	case WSLAY_TEXT_FRAME:
		if (w->in_message)
			return WS_PROTOCOL;
		break;
	case WSLAY_CONTINUATION_FRAME:
		if (!w->in_message)
			return WS_PROTOCOL;
		break;
	default:
		return WS_PROTOCOL;
	}
	if (f->payload_length > w->limits.max_message || w->message.n + f->payload_length > w->limits.max_message)
		return WS_TOO_BIG;
	return ++w->fragments > FRAGMENTS_MAX ? WS_POLICY : 0;
}

static void on_control(struct ws *w, const struct wslay_frame_iocb *f)
{
	struct str payload = str_from((const char *)w->control, (size_t)f->payload_length);
	if (f->opcode == WSLAY_PING) {
		send_control(w, WSLAY_PONG, payload);
	} else if (f->opcode == WSLAY_CONNECTION_CLOSE) {
		unsigned code = payload.n >= 2 ? (unsigned)w->control[0] << 8 | w->control[1] : 0;
		/* codes that must not be on the wire are answered as what they are, a mistake */
		if (code && (code < 1000 || (code >= 1004 && code <= 1006) || (code > 1014 && code < 3000) || code > 4999))
			code = WS_PROTOCOL;
		fail(w, code, WS_END_CLOSED);
	}
}

static void on_message(struct ws *w)
{
	struct str text = buf_view(&w->message);
	w->in_message = false;
	w->fragments = 0;
	if (!utf8_valid(text)) {
		fail_protocol(w, WS_BAD_DATA);
		return;
	}
	if (w->ev.message)
		w->ev.message(w->ev.arg, w, text);
	if (!w->dead) {
		buf_done(&w->message);
		buf_init(&w->message, 0);
	}
}

static void account(struct ws *w, const struct wslay_frame_iocb *f)
{
	if (!w->in_frame) {
		unsigned char head[10];
		w->accounted += ws_frame_head(f->opcode, f->payload_length, head) + 4; /* and the mask */
	}
	w->accounted += f->data_length;
}

/* Part of a frame, or all of it. */
static void on_part(struct ws *w, const struct wslay_frame_iocb *f)
{
	account(w, f);
	if (!w->in_frame) {
		unsigned code = check_frame(w, f);
		if (code) {
			fail_protocol(w, code);
			return;
		}
		w->in_frame = true;
		w->frame_at = 0;
		if (!is_control(f))
			w->in_message = true;
	}
	struct str bytes = str_from((const char *)f->data, f->data_length);
	if (is_control(f)) {
		if (bytes.n > CONTROL_MAX - w->frame_at) {
			fail_protocol(w, WS_PROTOCOL);
			return;
		}
		if (bytes.n)
			memcpy(w->control + w->frame_at, bytes.p, bytes.n);
	} else {
		buf_str(&w->message, bytes);
		if (w->message.failed) {
			fail_protocol(w, WS_TOO_BIG);
			return;
		}
	}
	w->frame_at += bytes.n;
	if (w->frame_at < f->payload_length)
		return;
	w->in_frame = false;
	if (is_control(f))
		on_control(w, f);
	else if (f->fin)
		on_message(w);
}

static bool want_frames(struct ws *w)
{
	static const struct wslay_frame_callbacks callbacks = {.recv_callback = on_wslay_recv};
	return w->frames || wslay_frame_context_init(&w->frames, &callbacks, w) == 0;
}

static void take(struct ws *w, struct str bytes)
{
	w->heard_ms = loop_now_ms(tcp_loop(w->tcp));
	w->asked = false;
	w->feed = bytes;
	if (!want_frames(w)) {
		fail_protocol(w, WS_TOO_BIG);
		return;
	}
	while (!w->dead) {
		struct wslay_frame_iocb f = {0};
		ssize_t n = wslay_frame_recv(w->frames, &f);
		if (n == WSLAY_ERR_WANT_READ)
			break;
		if (n < 0) {
			fail_protocol(w, WS_PROTOCOL);
			return;
		}
		on_part(w, &f);
	}
	w->feed = STR_NONE;
	if (!w->dead && !w->in_frame && w->given == w->accounted) {
		wslay_frame_context_free(w->frames);
		w->frames = NULL;
		w->given = w->accounted = 0;
	}
}

static void on_data(void *arg, struct tcp *t, struct str bytes)
{
	(void)t;
	take(arg, bytes);
}

static void on_tcp_ended(void *arg, struct tcp *t, enum tcp_end why)
{
	(void)t;
	end(arg, why == TCP_END_STALLED ? WS_END_STALLED : WS_END_LOST);
}

static void start(void *arg)
{
	struct ws *w = arg;
	take(w, buf_view(&w->early));
}

/* Asks a silent peer for a sign of life; the timer looks only as often as it must. */
static void on_timer(void *arg, uint64_t now_ms)
{
	struct ws *w = arg;
	struct timer_wheel *wheel = loop_timers(tcp_loop(w->tcp));
	uint64_t ping_at = w->heard_ms + w->limits.ping_idle_ms;
	if (w->asked) {
		if (w->counters)
			w->counters->ws_silent++;
		tcp_close(w->tcp, 0);
		end(w, WS_END_SILENT);
	} else if (now_ms < ping_at) {
		timer_start(wheel, &w->timer, ping_at, on_timer, w);
	} else {
		w->asked = true;
		send_control(w, WSLAY_PING, STR_NONE);
		timer_start(wheel, &w->timer, now_ms + w->limits.ping_timeout_ms, on_timer, w);
	}
}

struct ws *ws_new(struct tcp *t, const struct ws_limits *limits, struct str early, struct http_counters *counters)
{
	struct ws *w = mem_zalloc(sizeof *w);
	if (!w) {
		tcp_close(t, 0);
		return NULL;
	}
	w->tcp = t;
	w->limits = *limits;
	w->counters = counters;
	buf_init(&w->message, 0);
	buf_init(&w->early, 0);
	buf_str(&w->early, early);
	if (w->early.failed) {
		mem_free(w);
		tcp_close(t, 0);
		return NULL;
	}
	struct loop *l = tcp_loop(t);
	tcp_own(t, &(struct tcp_events){.arg = w, .data = on_data, .ended = on_tcp_ended});
	w->heard_ms = loop_now_ms(l);
	timer_start(loop_timers(l), &w->timer, w->heard_ms + limits->ping_idle_ms, on_timer, w);
	if (early.n) {
		w->start.fn = start;
		w->start.arg = w;
		loop_defer(l, &w->start);
	}
	return w;
}

void ws_own(struct ws *w, const struct ws_events *ev) { w->ev = *ev; }

void ws_set_max_message(struct ws *w, uint32_t bytes) { w->limits.max_message = bytes; }

static int send_text(struct ws *w, struct str head, struct block *tail, bool may_exceed)
{
	if (w->dead)
		return ERR_CLOSED;
	unsigned char frame[10];
	size_t n = ws_frame_head(WSLAY_TEXT_FRAME, head.n + (tail ? tail->n : 0), frame);
	struct str parts[] = {str_from((const char *)frame, n), head};
	return tcp_write_parts(w->tcp, parts, 2, tail, may_exceed);
}

int ws_send(struct ws *w, struct str head, struct block *tail) { return send_text(w, head, tail, false); }
int ws_send_last(struct ws *w, struct str text) { return send_text(w, text, NULL, true); }
size_t ws_queued(const struct ws *w) { return w->dead ? 0 : tcp_queued(w->tcp); }
struct tcp *ws_tcp(struct ws *w) { return w->tcp; }

void ws_close(struct ws *w, unsigned code, uint32_t linger_ms)
{
	if (w->dead)
		return;
	send_close(w, code);
	tcp_close(w->tcp, linger_ms);
	release(w);
}
