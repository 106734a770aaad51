/* stream_test.c - XML streams as their bytes come. io */
#include "support/held.h"
#include "support/unit.h"

#include "base/mem.h"
#include "xmpp/ns.h"
#include "xmpp/stream.h"

#define HEADER                                                                                     \
	"<?xml version='1.0'?><stream:stream xmlns='jabber:client' "                               \
	"xmlns:stream='http://etherx.jabber.org/streams' to='meet.example' version='1.0'>"

static const struct xml_limits *const before = &xml_limits_before_auth;
static const struct xml_limits *const after = &xml_limits_after_auth;

/* What is told, as text: "open(to) [element] close fault(condition)". */
static void tell(struct buf *log, enum stream_event e, const struct stream_item *item)
{
	if (e == STREAM_OPENED)
		buf_printf(log, "open(%.*s%s%s) ", STR_FMT(item->to), item->condition ? "!" : "",
		        item->condition ? item->condition : "");
	else if (e == STREAM_ELEMENT) {
		buf_putc(log, '[');
		xml_write(log, item->element, STR(NS_CLIENT));
		buf_printf(log, "]%zu ", item->bytes);
	} else if (e == STREAM_CLOSED)
		buf_puts(log, "close ");
	else if (e == STREAM_FAULT)
		buf_printf(log, "fault(%s) ", xml_fault_text(item->fault));
}

/* Reads in pieces: from 0 to `first`, then `step` bytes at a time. True: the stream goes on. */
static bool read_pieces(struct stream_parser *p, struct str text, size_t first, size_t step,
        const struct xml_limits *limits, struct buf *log)
{
	size_t at = 0;
	while (at < text.n) {
		size_t n = at == 0 && first ? first : step;
		struct str piece = str_sub(text, at, at + n);
		at += piece.n;
		struct stream_item item;
		enum stream_event e;
		while ((e = stream_parser_next(p, &piece, limits, &item)) != STREAM_MORE) {
			tell(log, e, &item);
			if (e == STREAM_CLOSED || e == STREAM_FAULT)
				return false;
		}
		assert_int_equal(piece.n, 0);
	}
	return true;
}

static void expect_with(const struct xml_limits *limits, struct str text, const char *want)
{
	/* whole, cut in two at every place, and byte by byte */
	for (size_t cut = 0; cut <= text.n + 1; cut++) {
		struct stream_parser *p = stream_parser_new();
		struct buf log;
		assert_non_null(p);
		buf_init(&log, 0);
		bool bytewise = cut == text.n + 1;
		read_pieces(p, text, bytewise ? 1 : cut, bytewise ? 1 : text.n, limits, &log);
		if (!str_eqc(buf_view(&log), want))
			fail_msg("%.*s cut at %zu: got %.*s, want %s", STR_FMT(text), cut,
			        STR_FMT(buf_view(&log)), want);
		buf_done(&log);
		stream_parser_free(p);
		if (text.n > 2000 && cut == 0)
			cut = text.n;
	}
}

static void expect(const char *text, const char *want)
{
	expect_with(after, str_c(text), want);
}

static void test_conversation(void **state)
{
	(void)state;
	expect(HEADER, "open(meet.example) ");
	expect(HEADER "<iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>",
	        "open(meet.example) [<iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>]56 ");
	expect(HEADER
	        "<presence/>\n \t\r\n<message><body>a &gt; b > c</body></message> </stream:stream>",
	        "open(meet.example) [<presence/>]11 [<message><body>a &gt; b &gt; "
	        "c</body></message>]44 close ");
	expect(HEADER "<a xmlns='n' v='x>y'>]]&gt;<b/></a><c xmlns='n'><![CDATA[<>>]]></c>",
	        "open(meet.example) [<a xmlns='n' v='x&gt;y'>]]&gt;<b/></a>]35 [<c "
	        "xmlns='n'>&lt;&gt;&gt;</c>]32 ");
	expect(HEADER "<message><body>\xd0\xbf\xe2\x82\xac\xf0\x9f\x98\x80</body></message>",
	        "open(meet.example) "
	        "[<message><body>\xd0\xbf\xe2\x82\xac\xf0\x9f\x98\x80</body></message>]41 ");
	/* prefixes of the header hold inside; white space may come before it */
	expect(" \n<s:stream version='1.0' xmlns='jabber:client' xmlns:x='n' "
	       "xmlns:s='http://etherx.jabber.org/streams'><x:a><b/></x:a></s:stream>",
	        "open() [<a xmlns='n'><b xmlns='jabber:client'/></a>]15 close ");
}

static void test_headers(void **state)
{
	(void)state;
	expect("<stream xmlns='jabber:client' version='1.0'>", "open(!invalid-namespace) ");
	expect("<iq xmlns='jabber:client'/>", "open(!invalid-namespace) ");
	expect("<s:stream version='1.0' xmlns:s='http://etherx.jabber.org/streams'>",
	        "open(!invalid-namespace) ");
	expect("<s:stream version='1.0' xmlns='jabber:server' "
	       "xmlns:s='http://etherx.jabber.org/streams'>",
	        "open(!invalid-namespace) ");
	expect("<s:stream to='a' xmlns='jabber:client' "
	       "xmlns:s='http://etherx.jabber.org/streams'>",
	        "open(a!unsupported-version) ");
	expect("<s:stream to='a' version='0.9' xmlns='jabber:client' "
	       "xmlns:s='http://etherx.jabber.org/streams'>",
	        "open(a!unsupported-version) ");
	expect("<s:stream to='a' version='1.0' xmlns='jabber:client' "
	       "xmlns:s='http://etherx.jabber.org/streams'/>",
	        "open(a) ");
	expect("hello<", "fault(not well-formed) ");
	expect("GET / HTTP/1.1\r\nHost: x\r\n\r\n<", "fault(not well-formed) ");
	expect("</stream:stream>", "fault(not well-formed) ");
}

static void test_restricted(void **state)
{
	(void)state;
	expect("<!DOCTYPE a><a>", "fault(restricted XML) ");
	expect("<?xml version='1.0'?><?php?>", "fault(restricted XML) ");
	expect(HEADER "<!-- c -->", "open(meet.example) fault(restricted XML) ");
	expect(HEADER "<a><?p i?></a>", "open(meet.example) fault(restricted XML) ");
	expect(HEADER "<a>&other;</a>", "open(meet.example) fault(restricted XML) ");
	expect(HEADER "<xml:a/>", "open(meet.example) fault(restricted XML) ");
	expect(HEADER "<a>\xff</a>", "open(meet.example) fault(not well-formed) ");
	expect(HEADER "<a><b></a>", "open(meet.example) fault(not well-formed) ");
	expect(HEADER "<u:a/>", "open(meet.example) fault(not well-formed) ");
	expect(HEADER "text<", "open(meet.example) fault(not well-formed) ");
	expect(HEADER "<presence/>&lt;<",
	        "open(meet.example) [<presence/>]11 fault(not well-formed) ");
	expect(HEADER "<?xml version='1.0'?>", "open(meet.example) fault(not well-formed) ");
	/* UTF-16, with and without its mark */
	expect_with(after, str_from("<\0?\0x\0m\0l\0", 10), "fault(not well-formed) ");
	expect_with(after, str_from("\xff\xfe<\0a\0", 6), "fault(not well-formed) ");
	expect_with(after, str_from("\xfe\xff\0<\0a", 6), "fault(not well-formed) ");
	expect_with(after, str_from(HEADER "<a>\0</a>", sizeof HEADER + 7),
	        "open(meet.example) fault(not well-formed) ");
}

static void put_many(struct buf *b, const char *what, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		buf_puts(b, what);
}

static void expect_many(const struct xml_limits *limits, const char *head, const char *what,
        unsigned n, const char *tail, const char *want)
{
	struct buf b;
	buf_init(&b, 0);
	buf_puts(&b, head);
	put_many(&b, what, n);
	buf_puts(&b, tail);
	expect_with(limits, buf_view(&b), want);
	buf_done(&b);
}

static void test_limits(void **state)
{
	(void)state;
	expect_many(before, HEADER "<a>", "<b>", 6, "", "open(meet.example) fault(too deep) ");
	expect_many(before, HEADER "<a>", "<b/>", 40, "",
	        "open(meet.example) fault(too many elements) ");
	expect_many(before, HEADER "<a>", "xxxxxxxxxx", 500, "",
	        "open(meet.example) fault(too large) ");
	expect_many(before, HEADER "<a b='", "xxxxxxxxxx", 500, "",
	        "open(meet.example) fault(too large) ");
	expect_many(before, "<a b='", "xxxxxxxxxx", 500, "", "fault(too large) ");
	expect_many(before, "<", "xxxxxxxxxx", 500, "", "fault(too large) ");
	expect(HEADER "<a a1='' a2='' a3=''/>", "open(meet.example) [<a a1='' a2='' a3=''/>]22 ");
	struct xml_limits few = {.bytes = 4096, .depth = 4, .attributes = 4, .elements = 8};
	expect_with(&few, STR(HEADER "<a a1='' a2='' a3='' xmlns:x='n' xmlns='m'/>"),
	        "open(meet.example) fault(too many attributes) ");
	expect_with(&few,
	        STR("<s:stream a='' b='' version='1.0' xmlns='jabber:client' "
	            "xmlns:s='http://etherx.jabber.org/streams'>"),
	        "fault(too many attributes) ");
}

/* Each element has the limits for itself, and white space counts for nothing. */
static void test_long_streams(void **state)
{
	(void)state;
	static const size_t steps[] = {1, 7, 1400, 65536};
	struct buf text;
	buf_init(&text, 0);
	buf_puts(&text, HEADER);
	put_many(&text, "<a><b/><c/></a> \n", 1000);
	put_many(&text, " ", 100000);
	put_many(&text, "<d/>", 1000);
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
		struct stream_parser *p = stream_parser_new();
		struct buf log;
		buf_init(&log, 0);
		assert_true(read_pieces(p, buf_view(&text), 0, steps[i], before, &log));
		size_t n = 0;
		for (size_t at = 0; at < log.n; at++)
			n += log.p[at] == '[';
		assert_int_equal(n, 2000);
		buf_done(&log);
		stream_parser_free(p);
	}
	buf_done(&text);
}

/* Whoever calls each element by a name of its own makes nothing grow; what the header declared
 * counts to the end. */
static void test_new_names(void **state)
{
	(void)state;
	struct stream_parser *p = stream_parser_new();
	struct buf log, text;
	buf_init(&log, 0);
	buf_init(&text, 0);
	assert_true(read_pieces(p,
	        STR("<?xml version='1.0'?><s:stream xmlns='jabber:client' to='meet.example' "
	            "version='1.0' xmlns:s='http://etherx.jabber.org/streams' xmlns:p='urn:p'>"),
	        0, 7, before, &log));
	size_t held = bytes_held();
	for (unsigned i = 0; i < 4000; i++) {
		buf_reset(&text);
		buf_puts(&text, "<message>");
		for (unsigned k = 0; k < 50; k++)
			buf_printf(&text, "<a%u_%u b%u_%u=''/>", i, k, i, k);
		buf_puts(&text, "<p:c/></message>");
		buf_reset(&log);
		assert_true(read_pieces(p, buf_view(&text), 0, 1400, after, &log));
		assert_non_null(strstr(log.p, "<c xmlns='urn:p'/></message>"));
	}
	assert_true(bytes_held() < held + (2u << 20));
	buf_reset(&log);
	assert_false(read_pieces(p, STR("<presence/></s:stream>"), 0, 5, after, &log));
	assert_str(buf_view(&log), "[<presence/>]11 close ");
	buf_done(&text);
	buf_done(&log);
	stream_parser_free(p);
}

/* Long tags byte by byte, or full of '>', are refused before they cost much. */
static void test_effort(void **state)
{
	(void)state;
	const char *const fill[] = {"x", ">"};
	for (size_t i = 0; i < 2; i++) {
		struct stream_parser *p = stream_parser_new();
		struct buf log, text;
		buf_init(&log, 0);
		buf_init(&text, 0);
		buf_puts(&text, HEADER "<a b='");
		put_many(&text, fill[i], 200000);
		assert_false(read_pieces(p, buf_view(&text), 0, i ? 65536 : 1, after, &log));
		assert_str(buf_view(&log), "open(meet.example) fault(too large) ");
		buf_done(&log);
		/* in the pieces of a network it passes */
		stream_parser_restart(p);
		buf_init(&log, 0);
		if (i == 0)
			assert_true(read_pieces(p, buf_view(&text), 0, 1400, after, &log));
		buf_done(&log);
		buf_done(&text);
		stream_parser_free(p);
	}
}

static void test_restart(void **state)
{
	(void)state;
	struct stream_parser *p = stream_parser_new();
	struct buf log;
	struct stream_item item;
	struct str bytes = STR(HEADER "<auth xmlns='sasl'/>" HEADER "<iq/>");
	buf_init(&log, 0);
	assert_int_equal(stream_parser_next(p, &bytes, before, &item), STREAM_OPENED);
	assert_int_equal(stream_parser_next(p, &bytes, before, &item), STREAM_ELEMENT);
	assert_true(element_is(item.element, "auth", "sasl"));
	stream_parser_restart(p);
	assert_int_equal(stream_parser_next(p, &bytes, after, &item), STREAM_OPENED);
	assert_str(item.to, "meet.example");
	assert_int_equal(stream_parser_next(p, &bytes, after, &item), STREAM_ELEMENT);
	assert_true(element_is(item.element, "iq", NS_CLIENT));
	assert_int_equal(stream_parser_next(p, &bytes, after, &item), STREAM_MORE);
	/* a second header where none is expected is an element like any other */
	bytes = STR(HEADER);
	assert_int_equal(stream_parser_next(p, &bytes, after, &item), STREAM_FAULT);
	assert_int_equal(stream_parser_next(p, &bytes, after, &item), STREAM_FAULT);
	buf_done(&log);
	stream_parser_free(p);
}

static void test_no_memory(void **state)
{
	(void)state;
	long n = 0;
	for (;; n++) {
		struct stream_parser *p = stream_parser_new();
		struct str bytes = STR(HEADER "<a xmlns='x' b='c'>text<d/></a>");
		struct stream_item item = {.fault = XML_FINE};
		assert_non_null(p);
		mem_budget_set(n);
		enum stream_event e = STREAM_MORE;
		for (int i = 0; i < 2 && e != STREAM_FAULT; i++)
			e = stream_parser_next(p, &bytes, after, &item);
		mem_budget_set(-1);
		if (e == STREAM_FAULT) {
			assert_int_equal(item.fault, XML_NO_MEMORY);
			stream_parser_restart(p);
			bytes = STR(HEADER);
			assert_int_equal(
			        stream_parser_next(p, &bytes, after, &item), STREAM_OPENED);
		}
		stream_parser_free(p);
		if (e == STREAM_ELEMENT)
			break;
		assert_true(n < 1000);
	}
	assert_true(n > 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_conversation),
	        cmocka_unit_test(test_headers),
	        cmocka_unit_test(test_restricted),
	        cmocka_unit_test(test_limits),
	        cmocka_unit_test(test_long_streams),
	        cmocka_unit_test(test_new_names),
	        cmocka_unit_test(test_effort),
	        cmocka_unit_test(test_restart),
	        cmocka_unit_test(test_no_memory),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
