/* websocket.c - frames of a client: whole and in pieces they must be the same messages and the same
 * end. io
 *
 * The first byte says how large the pieces are. */
#include <stdlib.h>

#include "base/utf8.h"
#include "http/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct story {
	struct frame_reader reader;
	struct buf told;
	unsigned code;
};

static void on_message(void *arg, struct str text)
{
	struct story *s = arg;
	if (!utf8_valid(text) || text.n > s->reader.max_message)
		abort();
	buf_printf(&s->told, "message %zu:", text.n);
	buf_str(&s->told, text);
}

static void on_control(void *arg, unsigned opcode, struct str payload)
{
	struct story *s = arg;
	if (payload.n > FRAME_CONTROL_MAX)
		abort();
	buf_printf(&s->told, "control %u %zu:", opcode, payload.n);
	buf_str(&s->told, payload);
	if (opcode == FRAME_CLOSE)
		s->reader.stopped = true;
}

static void tell(struct story *s, struct str in, size_t piece)
{
	frame_reader_init(&s->reader);
	buf_init(&s->told, 0);
	s->reader.arg = s;
	s->reader.message = on_message;
	s->reader.control = on_control;
	s->reader.max_message = 2000;
	s->code = 0;
	while (in.n && !s->code && !s->reader.stopped) {
		s->code = frame_reader_take(&s->reader, str_sub(in, 0, piece));
		in = str_sub(in, piece, in.n);
	}
}

static void forget(struct story *s)
{
	frame_reader_done(&s->reader);
	buf_done(&s->told);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	struct str in = str_from((const char *)data + 1, size - 1);
	struct story whole, pieces;
	tell(&whole, in, in.n);
	tell(&pieces, in, 1u + data[0] % 32);
	if (whole.code != pieces.code || !str_eq(buf_view(&whole.told), buf_view(&pieces.told)))
		abort();
	forget(&whole);
	forget(&pieces);
	/* a frame, or what stands in Sec-WebSocket-Key */
	char accept[29];
	if (frame_accept_key(in, accept) && (strlen(accept) != 28 || in.n != 24))
		abort();
	unsigned char head[FRAME_HEAD_MAX];
	if (frame_head(FRAME_TEXT, size, head) > FRAME_HEAD_MAX)
		abort();
	return 0;
}
