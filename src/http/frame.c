/* frame.c - WebSocket frames, read by wslay and judged here. pure */
#include "http/frame.h"

#include <wslay/wslay.h>

#include "base/hash.h"
#include "base/utf8.h"

#define FRAGMENTS_MAX 64

bool frame_accept_key(struct str key, char out[29])
{
	static const char b64[] =
	        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
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

size_t frame_head(unsigned opcode, uint64_t n, unsigned char out[FRAME_HEAD_MAX])
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

unsigned frame_close_code(struct str payload)
{
	return payload.n < 2
	               ? 0
	               : (unsigned)(unsigned char)payload.p[0] << 8 | (unsigned char)payload.p[1];
}

/* RFC 6455 7.4: 1004 to 1006 and 1015 stand for what no frame says. */
static bool is_close_ok(struct str payload)
{
	unsigned code = frame_close_code(payload);
	if (payload.n == 0)
		return true;
	if (code < 1000 || (code >= 1004 && code <= 1006) || (code > 1014 && code < 3000) ||
	        code > 4999)
		return false;
	return utf8_valid(str_sub(payload, 2, payload.n));
}

void frame_reader_init(struct frame_reader *r)
{
	*r = (struct frame_reader){0};
	buf_init(&r->text, 0);
}

void frame_reader_done(struct frame_reader *r)
{
	if (r->frames)
		wslay_frame_context_free(r->frames);
	r->frames = NULL;
	buf_done(&r->text);
}

static void remember(struct frame_reader *r, struct str bytes)
{
	size_t size = sizeof r->last;
	size_t fresh = bytes.n < size ? bytes.n : size;
	memmove(r->last, r->last + fresh, size - fresh);
	memcpy(r->last + size - fresh, str_sub(bytes, bytes.n - fresh, bytes.n).p, fresh);
}

static ssize_t on_want(uint8_t *out, size_t n, int flags, void *arg)
{
	(void)flags;
	struct frame_reader *r = arg;
	if (n > r->feed.n)
		n = r->feed.n;
	if (n == 0)
		return -1; /* wslay takes it as "nothing now" */
	memcpy(out, r->feed.p, n);
	remember(r, str_sub(r->feed, 0, n));
	r->feed = str_sub(r->feed, n, r->feed.n);
	r->given += n;
	return (ssize_t)n;
}

static bool is_control(const struct wslay_frame_iocb *f)
{
	return f->opcode & 8;
}

/* The code to close with, or 0. */
static unsigned check_frame(const struct frame_reader *r, const struct wslay_frame_iocb *f)
{
	if (!f->mask || f->rsv)
		return WS_PROTOCOL;
	switch (f->opcode) {
	case FRAME_CLOSE:
		return f->payload_length == 1 ? WS_PROTOCOL : 0;
	case FRAME_PING:
	case FRAME_PONG:
		return 0;
	case FRAME_BINARY:
		return WS_UNSUPPORTED;
	case FRAME_TEXT:
		if (r->in_message)
			return WS_PROTOCOL;
		break;
	case FRAME_CONTINUATION:
		if (!r->in_message)
			return WS_PROTOCOL;
		break;
	default:
		return WS_PROTOCOL;
	}
	if (f->payload_length > r->max_message || r->text.n + f->payload_length > r->max_message)
		return WS_TOO_BIG;
	return r->fragments >= FRAGMENTS_MAX ? WS_POLICY : 0;
}

/* wslay tells nothing of a frame before its payload begins. Whoever announces too much and then
 * waits is judged by the head alone. */
static unsigned check_head(const struct frame_reader *r)
{
	uint64_t n = r->given - r->accounted;
	if (r->in_frame || n < 2 || n > sizeof r->last)
		return 0;
	const unsigned char *head = r->last + sizeof r->last - n;
	unsigned small = head[1] & 127;
	size_t width = small == 126 ? 2 : small == 127 ? 8 : 0;
	if (n < 2 + width)
		return 0;
	struct wslay_frame_iocb f = {.fin = head[0] >> 7,
	        .rsv = head[0] >> 4 & 7,
	        .opcode = head[0] & 15,
	        .mask = head[1] >> 7,
	        .payload_length = width ? 0 : small};
	for (size_t i = 0; i < width; i++)
		f.payload_length = f.payload_length << 8 | head[2 + i];
	return check_frame(r, &f);
}

static void account(struct frame_reader *r, const struct wslay_frame_iocb *f)
{
	if (!r->in_frame) {
		unsigned char head[FRAME_HEAD_MAX];
		r->accounted +=
		        frame_head(f->opcode, f->payload_length, head) + 4; /* and the mask */
	}
	r->accounted += f->data_length;
}

static unsigned keep(struct frame_reader *r, const struct wslay_frame_iocb *f)
{
	if (!is_control(f)) {
		buf_add(&r->text, f->data, f->data_length);
		return r->text.failed ? WS_TOO_BIG : 0;
	}
	if (f->data_length > FRAME_CONTROL_MAX - r->frame_at)
		return WS_PROTOCOL;
	if (f->data_length)
		memcpy(r->control_payload + r->frame_at, f->data, f->data_length);
	return 0;
}

static unsigned finish_message(struct frame_reader *r)
{
	r->in_message = false;
	r->fragments = 0;
	struct str text = buf_view(&r->text);
	if (!utf8_valid(text))
		return WS_BAD_DATA;
	r->message(r->arg, text);
	buf_done(&r->text);
	return 0;
}

/* Part of a frame, or all of it. */
static unsigned on_part(struct frame_reader *r, const struct wslay_frame_iocb *f)
{
	account(r, f);
	unsigned code = 0;
	if (!r->in_frame) {
		code = check_frame(r, f);
		if (code)
			return code;
		r->in_frame = true;
		r->frame_at = 0;
		if (!is_control(f)) {
			r->in_message = true;
			r->fragments++;
		}
	}
	code = keep(r, f);
	if (code)
		return code;
	r->frame_at += f->data_length;
	if (r->frame_at < f->payload_length)
		return 0;
	r->in_frame = false;
	struct str payload = str_from((const char *)r->control_payload, (size_t)f->payload_length);
	if (f->opcode == FRAME_CLOSE && !is_close_ok(payload))
		return WS_PROTOCOL;
	if (is_control(f))
		r->control(r->arg, f->opcode, payload);
	else if (f->fin)
		code = finish_message(r);
	return code;
}

unsigned frame_reader_take(struct frame_reader *r, struct str bytes)
{
	static const struct wslay_frame_callbacks callbacks = {.recv_callback = on_want};
	r->feed = bytes;
	r->pauses = false;
	if (!r->frames && wslay_frame_context_init(&r->frames, &callbacks, r) != 0)
		return WS_TRY_LATER;
	unsigned code = 0;
	while (!r->stopped && !r->pauses && !code) {
		struct wslay_frame_iocb f = {0};
		ssize_t n = wslay_frame_recv(r->frames, &f);
		if (n == WSLAY_ERR_WANT_READ) {
			code = check_head(r);
			break;
		}
		code = n < 0 ? (unsigned)WS_PROTOCOL : on_part(r, &f);
	}
	r->rest = r->feed;
	r->feed = STR_NONE;
	if (!r->in_frame && r->given == r->accounted) {
		wslay_frame_context_free(r->frames);
		r->frames = NULL;
		r->given = r->accounted = 0;
	}
	return r->stopped ? 0 : code;
}
