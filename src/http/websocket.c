/* websocket.c - one WebSocket on its connection: messages, pings, and how it closes. io */
#include "http/websocket.h"

#include "base/err.h"
#include "base/limit.h"
#include "base/mem.h"
#include "http/frame.h"
#include "http/server.h"

#define CONTROLS_PER_SECOND 10 /* pings and pongs that a peer may send */
#define CONTROLS_BURST 30
#define CLOSE_LINGER_MS 2000

struct ws {
	struct tcp *tcp;
	struct ws_events ev;
	struct ws_limits limits;
	struct http_counters *counters;
	bool dead; /* nothing is called any more; memory goes at the end of the turn */

	struct frame_reader reader;
	struct limit controls;

	/* life */
	uint64_t heard_ms;
	bool asked; /* a ping is unanswered */
	struct timer timer;
	struct loop_task freed;
};

const char *ws_end_text(enum ws_end e)
{
	static const char *const texts[] = {
	        "closed", "away", "lost", "silent", "stalled", "protocol", "not-text", "too-large"};
	return texts[e];
}

static void send_control(struct ws *w, unsigned opcode, struct str payload)
{
	unsigned char head[FRAME_HEAD_MAX];
	struct str parts[] = {
	        str_from((const char *)head, frame_head(opcode, payload.n, head)), payload};
	(void)tcp_write_parts(w->tcp, parts, 2, NULL,
	        true); /* out of memory: the peer will miss it, nothing else */
}

static void send_close(struct ws *w, unsigned code)
{
	char payload[2] = {(char)(code >> 8), (char)code};
	send_control(w, FRAME_CLOSE, str_from(payload, code ? 2 : 0));
}

static void free_later(void *arg)
{
	struct ws *w = arg;
	frame_reader_done(&w->reader);
	mem_free(w);
}

static void release(struct ws *w)
{
	w->dead = true;
	w->reader.stopped = true;
	timer_stop(&w->timer);
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
	struct http_counters *n = w->counters;
	enum ws_end why = WS_END_PROTOCOL;
	if (code == WS_TOO_BIG) {
		n->ws_too_large++;
		why = WS_END_TOO_LARGE;
	} else if (code == WS_UNSUPPORTED || code == WS_BAD_DATA) {
		n->ws_not_text++;
		why = WS_END_NOT_TEXT;
	} else if (code == WS_POLICY) {
		n->ws_too_many++;
	} else {
		n->ws_protocol_error++;
	}
	fail(w, code, why);
}

static void on_control(void *arg, unsigned opcode, struct str payload)
{
	struct ws *w = arg;
	uint64_t now = loop_now_ms(tcp_loop(w->tcp));
	unsigned code = opcode == FRAME_CLOSE ? frame_close_code(payload) : 0;
	if (opcode == FRAME_CLOSE)
		fail(w, code, code == WS_GOING_AWAY ? WS_END_AWAY : WS_END_CLOSED);
	else if (!limit_take(&w->controls, 1, CONTROLS_PER_SECOND, CONTROLS_BURST, now))
		fail_protocol(w, WS_POLICY);
	else if (opcode == FRAME_PING)
		send_control(w, FRAME_PONG, payload);
}

static void on_message(void *arg, struct str text)
{
	struct ws *w = arg;
	if (w->ev.message)
		w->ev.message(w->ev.arg, w, text);
	w->reader.pauses = loop_slice_over(tcp_loop(w->tcp));
}

static void take(struct ws *w, struct str bytes)
{
	w->heard_ms = loop_now_ms(tcp_loop(w->tcp));
	w->asked = false;
	unsigned code = frame_reader_take(&w->reader, bytes);
	if (code)
		fail_protocol(w, code);
	else if (!w->dead && w->reader.pauses && !tcp_put_back(w->tcp, w->reader.rest))
		fail(w, WS_TRY_LATER, WS_END_LOST);
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

/* Asks a silent peer for a sign of life; the timer looks only as often as it must. */
static void on_timer(void *arg, uint64_t now_ms)
{
	struct ws *w = arg;
	struct timer_wheel *wheel = loop_timers(tcp_loop(w->tcp));
	uint64_t ping_at = w->heard_ms + w->limits.ping_idle_ms;
	if (w->asked) {
		w->counters->ws_silent++;
		tcp_close(w->tcp, 0);
		end(w, WS_END_SILENT);
	} else if (now_ms < ping_at) {
		timer_start(wheel, &w->timer, ping_at, on_timer, w);
	} else {
		w->asked = true;
		send_control(w, FRAME_PING, STR_NONE);
		timer_start(wheel, &w->timer, now_ms + w->limits.ping_timeout_ms, on_timer, w);
	}
}

struct ws *ws_new(struct tcp *t, const struct ws_limits *limits, struct str early,
        struct http_counters *counters)
{
	struct ws *w = mem_zalloc(sizeof *w);
	if (!w) {
		tcp_close(t, 0);
		return NULL;
	}
	w->tcp = t;
	w->limits = *limits;
	w->counters = counters;
	frame_reader_init(&w->reader);
	w->reader.arg = w;
	w->reader.message = on_message;
	w->reader.control = on_control;
	w->reader.max_message = limits->max_message;
	if (early.n && !tcp_put_back(t, early)) {
		mem_free(w);
		tcp_close(t, 0);
		return NULL;
	}
	struct loop *l = tcp_loop(t);
	tcp_own(t, &(struct tcp_events){.arg = w, .data = on_data, .ended = on_tcp_ended});
	w->heard_ms = loop_now_ms(l);
	timer_start(loop_timers(l), &w->timer, w->heard_ms + limits->ping_idle_ms, on_timer, w);
	return w;
}

void ws_own(struct ws *w, const struct ws_events *ev)
{
	w->ev = *ev;
}

void ws_known(struct ws *w)
{
	tcp_known(w->tcp);
}

void ws_set_max_message(struct ws *w, uint32_t bytes)
{
	w->reader.max_message = bytes;
}

static int send_text(
        struct ws *w, struct str head, struct str more, struct block *tail, bool may_exceed)
{
	if (w->dead)
		return ERR_CLOSED;
	unsigned char frame[FRAME_HEAD_MAX];
	size_t n = frame_head(FRAME_TEXT, head.n + more.n + (tail ? tail->n : 0), frame);
	struct str parts[] = {str_from((const char *)frame, n), head, more};
	return tcp_write_parts(w->tcp, parts, 3, tail, may_exceed);
}

int ws_send(struct ws *w, struct str head, struct block *tail)
{
	return send_text(w, head, STR_NONE, tail, false);
}
int ws_send_copy(struct ws *w, struct str head, struct str tail)
{
	return send_text(w, head, tail, NULL, false);
}
int ws_send_last(struct ws *w, struct str text)
{
	return send_text(w, text, STR_NONE, NULL, true);
}

void ws_close(struct ws *w, unsigned code, uint32_t linger_ms)
{
	if (w->dead)
		return;
	send_close(w, code);
	tcp_close(w->tcp, linger_ms);
	release(w);
}
