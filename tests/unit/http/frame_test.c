/* frame_test.c - WebSocket frames: messages, fragments, controls, and each way of being wrong. io
 */
#include "support/unit.h"

#include "http/frame.h"
#include "support/wire.h"

#define MAX 1000

struct heard {
	struct frame_reader reader;
	struct buf log;
};

static void on_message(void *arg, struct str text)
{
	struct heard *h = arg;
	buf_puts(&h->log, "m:");
	buf_str(&h->log, text);
	buf_putc(&h->log, ';');
}

static void on_control(void *arg, unsigned opcode, struct str payload)
{
	struct heard *h = arg;
	buf_printf(&h->log, "%u:%.*s;", opcode, STR_FMT(payload));
	if (opcode == FRAME_CLOSE)
		h->reader.stopped = true;
}

static void start(struct heard *h)
{
	frame_reader_init(&h->reader);
	h->reader.arg = h;
	h->reader.message = on_message;
	h->reader.control = on_control;
	h->reader.max_message = MAX;
	buf_init(&h->log, 0);
}

static void stop(struct heard *h)
{
	frame_reader_done(&h->reader);
	buf_done(&h->log);
}

static void expect(const struct buf *in, unsigned code, const char *log)
{
	/* once whole, once in single bytes */
	for (size_t piece = in->n; piece; piece = piece == 1 ? 0 : 1) {
		struct heard h;
		unsigned got = 0;
		start(&h);
		for (size_t at = 0; at < in->n && !got; at += piece)
			got = frame_reader_take(&h.reader, str_sub(buf_view(in), at, at + piece));
		assert_int_equal(got, code);
		assert_str(buf_view(&h.log), log);
		if (!code && !h.reader.in_message)
			assert_null(h.reader.frames); /* idle connections hold nothing */
		stop(&h);
	}
}

static void messages_come_through(void **state)
{
	(void)state;
	struct buf b;
	buf_init(&b, 0);
	wire_frame(&b, FRAME_TEXT, true, STR("<open/>"));
	wire_frame(&b, FRAME_PING, true, STR("hi"));
	wire_frame(&b, FRAME_TEXT, true, STR("\xd0\xb0"));
	wire_frame(&b, FRAME_TEXT, true, STR(""));
	expect(&b, 0, "m:<open/>;9:hi;m:\xd0\xb0;m:;");
	buf_done(&b);
}

static void fragments_make_one_message(void **state)
{
	(void)state;
	struct buf b;
	buf_init(&b, 0);
	wire_frame(&b, FRAME_TEXT, false, STR("<op"));
	wire_frame(&b, FRAME_PING, true, STR(""));
	wire_frame(&b, FRAME_CONTINUATION, false, STR(""));
	wire_frame(&b, FRAME_CONTINUATION, true, STR("en/>"));
	wire_frame(&b, FRAME_TEXT, true, STR("<a/>"));
	expect(&b, 0, "9:;m:<open/>;m:<a/>;");
	buf_done(&b);
}

static void nothing_is_read_behind_a_close(void **state)
{
	(void)state;
	struct buf b;
	buf_init(&b, 0);
	wire_frame(&b, FRAME_CLOSE, true, STR("\x03\xe8"));
	wire_frame(&b, FRAME_TEXT, true, STR("late"));
	struct heard h;
	start(&h);
	assert_int_equal(frame_reader_take(&h.reader, buf_view(&b)), 0);
	assert_str(buf_view(&h.log), "8:\x03\xe8;");
	stop(&h);
	buf_done(&b);
}

static void wrong_frames_have_their_code(void **state)
{
	(void)state;
	char large[MAX + 1];
	memset(large, 'x', sizeof large);
	const struct {
		unsigned opcode;
		bool fin;
		struct str payload;
		unsigned code;
	} cases[] = {
	        {FRAME_BINARY, true, STR("x"), WS_UNSUPPORTED},
	        {FRAME_CONTINUATION, true, STR("x"), WS_PROTOCOL},
	        {3, true, STR("x"), WS_PROTOCOL},
	        {11, true, STR("x"), WS_PROTOCOL},
	        {FRAME_PING, false, STR("x"), WS_PROTOCOL},
	        {FRAME_PING, true, str_from(large, 126), WS_PROTOCOL},
	        {FRAME_CLOSE, true, STR("x"), WS_PROTOCOL},
	        {FRAME_CLOSE, true, STR("\x03\xed"), WS_PROTOCOL},
	        {FRAME_CLOSE, true, STR("\x03\xe8\xff"), WS_PROTOCOL},
	        {FRAME_TEXT, true, STR("\xff"), WS_BAD_DATA},
	        {FRAME_TEXT, true, STR("\xed\xa0\x80"), WS_BAD_DATA},
	        {FRAME_TEXT, true, str_from(large, MAX + 1), WS_TOO_BIG},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buf b;
		buf_init(&b, 0);
		wire_frame(&b, cases[i].opcode, cases[i].fin, cases[i].payload);
		expect(&b, cases[i].code, "");
		buf_done(&b);
	}
}

static void expect_raw(struct str bytes, unsigned code)
{
	struct buf b;
	buf_init(&b, 0);
	buf_str(&b, bytes);
	expect(&b, code, "");
	buf_done(&b);
}

static void heads_alone_are_judged(void **state)
{
	(void)state;
	expect_raw(STR("\x81\x01x"), WS_PROTOCOL); /* not masked */
	expect_raw(STR("\xc1\x81"), WS_PROTOCOL);  /* a reserved bit */
	expect_raw(STR("\x81\xff\x40\0\0\0\0\0\0\0"),
	        WS_TOO_BIG); /* 2^62 bytes, of which none has come */
	expect_raw(STR("\x81\xfe\x10\0"), WS_TOO_BIG);
}

static void fragments_are_bounded(void **state)
{
	(void)state;
	struct buf b;
	char half[MAX / 2 + 1];
	memset(half, 'x', sizeof half);
	buf_init(&b, 0);
	wire_frame(&b, FRAME_TEXT, false, str_from(half, sizeof half));
	wire_frame(&b, FRAME_CONTINUATION, true, str_from(half, sizeof half));
	expect(&b, WS_TOO_BIG, "");
	buf_reset(&b);
	wire_frame(&b, FRAME_TEXT, false, STR("x"));
	wire_frame(&b, FRAME_TEXT, true, STR("x"));
	expect(&b, WS_PROTOCOL, "");
	buf_reset(&b);
	wire_frame(&b, FRAME_TEXT, false, STR(""));
	for (int i = 0; i < 100; i++)
		wire_frame(&b, FRAME_CONTINUATION, false, STR(""));
	expect(&b, WS_POLICY, "");
	buf_done(&b);
}

static void heads_are_written(void **state)
{
	(void)state;
	unsigned char h[FRAME_HEAD_MAX];
	assert_int_equal(frame_head(FRAME_TEXT, 5, h), 2);
	assert_memory_equal(h, "\x81\x05", 2);
	assert_int_equal(frame_head(FRAME_TEXT, 125, h), 2);
	assert_int_equal(frame_head(FRAME_PONG, 126, h), 4);
	assert_memory_equal(h, "\x8a\x7e\x00\x7e", 4);
	assert_int_equal(frame_head(FRAME_TEXT, 65535, h), 4);
	assert_int_equal(frame_head(FRAME_TEXT, 65536, h), 10);
	assert_memory_equal(h, "\x81\x7f\0\0\0\0\0\x01\0\0", 10);
}

static void the_key_of_the_rfc_is_answered(void **state)
{
	(void)state;
	char out[29];
	assert_true(frame_accept_key(STR("dGhlIHNhbXBsZSBub25jZQ=="), out));
	assert_string_equal(out, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
	assert_false(frame_accept_key(STR("dGhlIHNhbXBsZSBub25jZQ"), out));
	assert_false(frame_accept_key(STR("dGhlIHNhbXBsZSBub25j!Q=="), out));
	assert_false(frame_accept_key(STR_NONE, out));
}

UNIT_MAIN(cmocka_unit_test(messages_come_through), cmocka_unit_test(fragments_make_one_message),
        cmocka_unit_test(nothing_is_read_behind_a_close),
        cmocka_unit_test(wrong_frames_have_their_code), cmocka_unit_test(heads_alone_are_judged),
        cmocka_unit_test(fragments_are_bounded), cmocka_unit_test(heads_are_written),
        cmocka_unit_test(the_key_of_the_rfc_is_answered))
