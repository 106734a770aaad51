/* parse_test.c - request heads: what is read, what is refused and with which status, byte by byte
 * too. io
 */
#include "support/unit.h"

#include "base/err.h"
#include "http/parse.h"

static const struct http_limits limits = {.max_head = 300, .max_target = 100};

static int parse(const char *text, struct http_head *h)
{
	size_t seen = 0;
	return http_parse(str_c(text), &limits, &seen, h);
}

static void a_request_is_read(void **state)
{
	(void)state;
	struct http_head h;
	const char *text =
	        "GET /demo%20a?room=x&token=a.b HTTP/1.1\r\nHost: a\r\nX-Thing:\t some value \r\n"
	        "Connection: keep-alive, Upgrade\r\n\r\nGET";
	assert_int_equal(parse(text, &h), ERR_OK);
	assert_int_equal(h.method, HTTP_GET);
	assert_str(h.path, "/demo%20a");
	assert_str(h.query, "room=x&token=a.b");
	assert_str(http_field(&h, "x-thing"), "some value");
	assert_true(http_field_has(&h, "connection", "upgrade", false));
	assert_false(http_field_has(&h, "connection", "upgrade", true));
	assert_true(http_field_has(&h, "connection", "Upgrade", true));
	assert_true(str_absent(http_field(&h, "x-other")));
	assert_int_equal(h.n_fields, 3);
	assert_int_equal(h.bytes, strlen(text) - 3);
	assert_true(h.keep_alive);
	assert_false(h.has_body);
}

static void other_forms_are_read(void **state)
{
	(void)state;
	struct http_head h;
	assert_int_equal(parse("HEAD http://meet.example HTTP/1.1\r\nHost: a\r\n\r\n", &h), ERR_OK);
	assert_int_equal(h.method, HTTP_HEAD);
	assert_str(h.path, "/");
	assert_true(str_absent(h.query));
	assert_int_equal(
	        parse("GET https://meet.example/x?y HTTP/1.1\r\nHost: a\r\n\r\n", &h), ERR_OK);
	assert_str(h.path, "/x");
	assert_str(h.query, "y");
	assert_int_equal(parse("GET / HTTP/1.0\r\n\r\n", &h), ERR_OK);
	assert_false(h.keep_alive);
	assert_int_equal(parse("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", &h), ERR_OK);
	assert_true(h.keep_alive);
	assert_int_equal(
	        parse("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", &h), ERR_OK);
	assert_false(h.keep_alive);
	assert_int_equal(parse("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", &h), ERR_OK);
	assert_int_equal(h.method, HTTP_OTHER);
	assert_int_equal(
	        parse("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\n\r\n", &h), ERR_OK);
	assert_true(h.has_body);
	assert_int_equal(h.content_length, 12);
}

static void wrong_heads_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int status;
	} cases[] = {
	        {"\r\n\r\n", 400},
	        {"GET /\r\n\r\n", 400},
	        {"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
	        {"GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400},
	        {"GET / HTTP/1.1\nHost: a\n\n", 400},
	        {"GET / HTTP/1.1\r\nHost: a\n\r\n", 400},
	        {"GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n", 400},
	        {"G(T / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
	        {"GET demo HTTP/1.1\r\nHost: a\r\n\r\n", 400},
	        {"GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", 400},
	        {"GET / http/1.1\r\nHost: a\r\n\r\n", 400},
	        {"GET / HTTP/1.1\r\n\r\n", 400},
	        {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
	        {"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400},
	        {"GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", 400},
	        {"GET / HTTP/1.1\r\nHost: a\r\nnonsense\r\n\r\n", 400},
	        {"GET / HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n", 400},
	        {"GET / HTTP/1.1\r\nHost: a\x01\r\n\r\n", 400},
	        {"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400},
	        {"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
	                400},
	        {"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n", 400},
	        {"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: "
	         "chunked\r\n\r\n",
	                400},
	        {"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: "
	         "1\r\n\r\n",
	                400},
	        {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 501},
	        {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501},
	        {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \"chunked\"\r\n\r\n", 501},
	        {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: "
	         "chunked\r\n\r\n",
	                400},
	        {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n", 400},
	        {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n chunked\r\n\r\n", 400},
	        {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
	        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n", 400},
	        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\n", 400},
	        {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505},
	        {"GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct http_head h;
		int err = parse(cases[i].text, &h);
		if (err != ERR_BADMSG || h.status != cases[i].status)
			fail_msg("%s: error %d, status %d, want %d", cases[i].text, err, h.status,
			        cases[i].status);
	}
	struct http_head h;
	size_t seen = 0;
	assert_int_equal(
	        http_parse(STR("GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n"), &limits, &seen, &h),
	        ERR_BADMSG);
}

static void sizes_are_bounded(void **state)
{
	(void)state;
	struct http_head h;
	struct buf b;
	buf_init(&b, 0);
	buf_puts(&b, "GET /?");
	for (int i = 0; i < 150; i++)
		buf_putc(&b, 'x');
	buf_puts(&b, " HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_int_equal(parse(b.p, &h), ERR_LIMIT);
	assert_int_equal(h.status, 414);
	buf_reset(&b);
	buf_puts(&b, "GET / HTTP/1.1\r\nHost: a\r\n");
	for (int i = 0; i < 30; i++)
		buf_puts(&b, "Name: 12345\r\n");
	buf_puts(&b, "\r\n");
	assert_int_equal(parse(b.p, &h), ERR_LIMIT);
	assert_int_equal(h.status, 431);
	buf_reset(&b);
	buf_puts(&b, "GET / HTTP/1.1\r\nHost: a\r\n");
	for (int i = 0; i < HTTP_MAX_HEADERS; i++)
		buf_puts(&b, "A:\r\n");
	buf_puts(&b, "\r\n");
	assert_int_equal(parse(b.p, &h), ERR_LIMIT);
	assert_int_equal(h.status, 431);
	/* more than both together, and still no end: refused before the end comes */
	buf_reset(&b);
	for (int i = 0; i < 500; i++)
		buf_putc(&b, 'x');
	assert_int_equal(parse(b.p, &h), ERR_LIMIT);
	assert_int_equal(h.status, 414);
	buf_done(&b);
}

static void it_may_come_byte_by_byte(void **state)
{
	(void)state;
	struct http_head h;
	size_t seen = 0;
	struct str text = STR("GET /x HTTP/1.1\r\nHost: a\r\nB: c\r\n\r\n");
	for (size_t n = 0; n < text.n; n++)
		assert_int_equal(http_parse(str_sub(text, 0, n), &limits, &seen, &h), ERR_AGAIN);
	assert_int_equal(http_parse(text, &limits, &seen, &h), ERR_OK);
	assert_int_equal(h.n_fields, 2);
}

static void expect_decoded(const char *in, bool plus, const char *want)
{
	struct buf b;
	buf_init(&b, 0);
	int err = http_percent_decode(str_c(in), plus, &b);
	assert_int_equal(err, want ? ERR_OK : ERR_BADMSG);
	if (want)
		assert_str(buf_view(&b), want);
	buf_done(&b);
}

static void escapes_are_decoded_strictly(void **state)
{
	(void)state;
	expect_decoded("a%20b+c", false, "a b+c");
	expect_decoded("a%20b+c", true, "a b c");
	expect_decoded("%D1%82", false, "\xd1\x82");
	expect_decoded("", false, "");
	expect_decoded("%", false, NULL);
	expect_decoded("%4", false, NULL);
	expect_decoded("%zz", false, NULL);
	expect_decoded("a%00", false, NULL);
}

static void expect_query(const char *query, int want, const char *value)
{
	struct buf b;
	buf_init(&b, 0);
	struct str q = query ? str_c(query) : STR_NONE;
	assert_int_equal(http_query_get(q, "token", &b), want);
	if (value)
		assert_str(buf_view(&b), value);
	buf_done(&b);
}

static void parameters_are_found(void **state)
{
	(void)state;
	expect_query(NULL, 0, "");
	expect_query("room=token&tokens=x&xtoken=y", 0, "");
	expect_query("room=x&token=a%2Eb&x", 1, "a.b");
	expect_query("token", 1, "");
	expect_query("token=", 1, "");
	expect_query("token=a&token=a", 1, "a");
	expect_query("token=a&token=b", 2, NULL);
	expect_query("token=a%", -1, NULL);
}

UNIT_MAIN(cmocka_unit_test(a_request_is_read), cmocka_unit_test(other_forms_are_read),
        cmocka_unit_test(wrong_heads_are_refused), cmocka_unit_test(sizes_are_bounded),
        cmocka_unit_test(it_may_come_byte_by_byte), cmocka_unit_test(escapes_are_decoded_strictly),
        cmocka_unit_test(parameters_are_found))
