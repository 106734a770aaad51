/* body_test.c - bodies by length and in chunks: whole, in pieces, too long, and two-faced. pure */
#include "support/unit.h"

#include "base/err.h"
#include "http/body.h"

#define CHUNKED "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
#define LENGTH "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: "

static const struct http_limits limits = {.max_head = 1000, .max_target = 500};

/* Feeds the text `step` bytes at a time; what is left behind the body goes to *rest. */
static int read_all(
        const char *text, size_t step, size_t max, struct buf *in, struct body_reader *r)
{
	struct http_head h;
	size_t seen = 0, n = strlen(text);
	assert_int_equal(http_parse(str_c(text), &limits, &seen, &h), 0);
	buf_init(in, 0);
	buf_add(in, text, h.bytes);
	int err = body_start(r, &h, max);
	if (err)
		return err;
	err = ERR_AGAIN;
	for (size_t at = h.bytes; at < n && err == ERR_AGAIN;) {
		size_t part = step < n - at ? step : n - at;
		buf_add(in, text + at, part);
		at += part;
		err = body_take(r, in);
		if (err == ERR_OK)
			buf_add(in, text + at, n - at);
	}
	return err;
}

static void bodies_are_read(void **state)
{
	(void)state;
	static const struct {
		const char *text, *body, *rest;
	} cases[] = {
	        {LENGTH "5\r\n\r\nhelloGET /", "hello", "GET /"},
	        {CHUNKED "5\r\nhello\r\n0\r\n\r\nGET /", "hello", "GET /"},
	        {CHUNKED "1\r\nh\r\n004\r\nello\r\n000\r\n\r\n", "hello", ""},
	        {CHUNKED "A;x=\"1\";y\r\n0123456789\r\n0;z\r\nX: 1\r\nY: 2\r\n\r\nrest",
	                "0123456789", "rest"},
	        {CHUNKED "2\r\n\r\n\r\n0\r\n\r\n", "\r\n", ""},
	        {CHUNKED "0\r\n\r\nGET / HTTP/1.1\r\n", "", "GET / HTTP/1.1\r\n"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		for (size_t step = 1; step < 200; step += step < 8 ? 1 : 31) {
			struct body_reader r;
			struct buf in;
			int err = read_all(cases[i].text, step, 100, &in, &r);
			if (err)
				fail_msg("%s by %zu: error %d", cases[i].text, step, err);
			assert_str(str_sub(buf_view(&in), r.head, r.end), cases[i].body);
			assert_str(str_sub(buf_view(&in), r.end, in.n), cases[i].rest);
			buf_done(&in);
		}
	}
}

static void wrong_bodies_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int status;
	} cases[] = {
	        {LENGTH "11\r\n\r\n0123456789a", 413},
	        {LENGTH "18446744073709551615\r\n\r\n0123456789a", 413},
	        {CHUNKED "B\r\n0123456789a\r\n0\r\n\r\n", 413},
	        {CHUNKED "5\r\nhello\r\n6\r\nhello!\r\n0\r\n\r\n", 413},
	        {CHUNKED "FFFFFFFFFFFFFFFFF\r\n", 413},
	        {CHUNKED "000000001\r\na\r\n", 413},
	        {CHUNKED "0x5\r\nhello\r\n0\r\n\r\n", 400},
	        {CHUNKED "+5\r\nhello\r\n0\r\n\r\n", 400},
	        {CHUNKED "-1\r\n", 400},
	        {CHUNKED "5 \r\nhello\r\n0\r\n\r\n", 400},
	        {CHUNKED " 5\r\nhello\r\n0\r\n\r\n", 400},
	        {CHUNKED "\r\n5\r\nhello\r\n", 400},
	        {CHUNKED "5\nhello\r\n0\r\n\r\n", 400},
	        {CHUNKED "5;a\nhello\r\n0\r\n\r\n", 400},
	        {CHUNKED "5;a\rb\r\nhello\r\n0\r\n\r\n", 400},
	        {CHUNKED "5\r\nhello0\r\n\r\n", 400},
	        {CHUNKED "5\r\nhelloX\r\n0\r\n\r\n", 400},
	        {CHUNKED "5\r\nhello\n0\r\n\r\n", 400},
	        {CHUNKED "0\r\n folded\r\n\r\n", 400},
	        {CHUNKED "0\r\nX: \x01\r\n\r\n", 400},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		for (size_t step = 1; step < 100; step += 13) {
			struct body_reader r;
			struct buf in;
			int err = read_all(cases[i].text, step, 10, &in, &r);
			if (err == ERR_OK || err == ERR_AGAIN || r.status != cases[i].status)
				fail_msg("%s by %zu: error %d, status %d", cases[i].text, step, err,
				        r.status);
			buf_done(&in);
		}
	}
}

static void lines_are_bounded(void **state)
{
	(void)state;
	struct buf text;
	for (int trailer = 0; trailer < 2; trailer++) {
		struct body_reader r;
		struct buf in;
		buf_init(&text, 0);
		buf_puts(&text, CHUNKED);
		buf_puts(&text, trailer ? "0\r\n" : "5;");
		for (int i = 0; i < 400; i++)
			buf_puts(&text, trailer ? "X: 123456\r\n" : "x");
		assert_int_equal(read_all(text.p, 7, 10, &in, &r), ERR_BADMSG);
		assert_int_equal(r.status, 400);
		assert_true(in.n < text.n);
		buf_done(&in);
		buf_done(&text);
	}
}

UNIT_MAIN(cmocka_unit_test(bodies_are_read), cmocka_unit_test(wrong_bodies_are_refused),
        cmocka_unit_test(lines_are_bounded))
