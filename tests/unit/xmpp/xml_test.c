/* xml_test.c - the bounded XML parser and the writer. io */
#include "support/held.h"
#include "support/unit.h"

#include "base/mem.h"
#include "xmpp/ns.h"
#include "xmpp/xml.h"

static struct xml_parser *parser;
static struct arena arena;

static enum xml_fault parse(const char *text, struct element **root)
{
	arena_reset(&arena);
	return xml_parse(parser, str_c(text), &xml_limits_after_auth, &arena, root);
}

static void expect_fault(const char *text, enum xml_fault want)
{
	struct element *root;
	enum xml_fault got = parse(text, &root);
	if (got != want)
		fail_msg("%s: got %s, want %s", text, xml_fault_text(got), xml_fault_text(want));
	if (want)
		assert_null(root);
}

static void expect_written(const char *text, const char *want)
{
	struct element *root;
	struct buf b;
	assert_int_equal(parse(text, &root), XML_FINE);
	buf_init(&b, 0);
	xml_write(&b, root, STR(""));
	assert_str(buf_view(&b), want);
	buf_done(&b);
}

static void test_tree(void **state)
{
	(void)state;
	struct element *e;
	assert_int_equal(parse("<?xml version='1.0'?> <iq xmlns='jabber:client' type='get' id='1'>"
	                       "<q xmlns='n' a='&lt;&#65;'>x<b/>y</q></iq>\n",
	                         &e),
	        XML_FINE);
	assert_true(element_is(e, "iq", NS_CLIENT));
	assert_str(element_attr(e, "id"), "1");
	assert_true(str_absent(element_attr(e, "to")));
	const struct element *q = element_child(e, "q", "n");
	assert_non_null(q);
	assert_str(element_attr(q, "a"), "<A");
	assert_str(element_text(q, &arena), "xy");
	assert_true(element_is(element_first(q), "b", "n"));
	assert_null(element_next(element_first(q)));
	assert_null(element_child(e, "q", "other"));
	assert_str(element_child_text(e, "q", &arena), "xy");
	assert_true(str_absent(element_child_text(e, "r", &arena)));
}

static void test_faults(void **state)
{
	(void)state;
	expect_fault("", XML_NOT_WELL_FORMED);
	expect_fault("   ", XML_NOT_WELL_FORMED);
	expect_fault("hello", XML_NOT_WELL_FORMED);
	expect_fault("<a>", XML_NOT_WELL_FORMED);
	expect_fault("<a></b>", XML_NOT_WELL_FORMED);
	expect_fault("<a/><b/>", XML_NOT_WELL_FORMED);
	expect_fault("<a b='1' b='2'/>", XML_NOT_WELL_FORMED);
	expect_fault("<a b=1/>", XML_NOT_WELL_FORMED);
	expect_fault("<a><xml:b/></a>", XML_RESTRICTED);
	expect_fault("<a><b><parsererror xmlns='http://www.w3.org/1999/xhtml'/></b></a>",
	        XML_RESTRICTED);
	expect_fault("<a xml:lang='en'/>", XML_FINE);
	expect_fault("<p:a/>", XML_NOT_WELL_FORMED);
	expect_fault("<p:a:b xmlns:p='n'/>", XML_NOT_WELL_FORMED);
	expect_fault("<a>\xff</a>", XML_NOT_WELL_FORMED);
	expect_fault("<a>\xed\xa0\x80</a>", XML_NOT_WELL_FORMED);
	expect_fault("<a>&#0;</a>", XML_NOT_WELL_FORMED);
	expect_fault("<a>&#x1;</a>", XML_NOT_WELL_FORMED);
	expect_fault("<!DOCTYPE a><a/>", XML_RESTRICTED);
	expect_fault("<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", XML_RESTRICTED);
	expect_fault("<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>", XML_RESTRICTED);
	expect_fault("<a>&x;</a>", XML_RESTRICTED);
	expect_fault("<a><!-- c --></a>", XML_RESTRICTED);
	expect_fault("<a><?php x?></a>", XML_RESTRICTED);
	expect_fault("<a/><!-- c -->", XML_RESTRICTED);
	expect_fault("<a/>", XML_FINE);
	/* UTF-16 */
	struct element *root;
	assert_int_equal(xml_parse(parser, str_from("<\0a\0/\0>\0", 8), &xml_limits_after_auth,
	                         &arena, &root),
	        XML_NOT_WELL_FORMED);
}

static void test_limits(void **state)
{
	(void)state;
	const struct xml_limits small = {.bytes = 64, .depth = 3, .attributes = 3, .elements = 5};
	struct element *e;
	static const struct {
		const char *text;
		enum xml_fault want;
	} cases[] = {
	        {"<a><b><c/></b></a>", XML_FINE},
	        {"<a><b><c><d/></c></b></a>", XML_TOO_DEEP},
	        {"<a b='1' c='1' d='1'/>", XML_FINE},
	        {"<a b='1' c='1' d='1' e='1'/>", XML_TOO_MANY_ATTRIBUTES},
	        {"<a xmlns='x' xmlns:y='y' y:b='1' d='1'/>", XML_TOO_MANY_ATTRIBUTES},
	        {"<a><b/><b/><b/><b/></a>", XML_FINE},
	        {"<a><b/><b/><b/><b/><b/></a>", XML_TOO_MANY_ELEMENTS},
	        {"<a>0123456789012345678901234567890123456789012345678901234567890</a>",
	                XML_TOO_LARGE},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		arena_reset(&arena);
		enum xml_fault got = xml_parse(parser, str_c(cases[i].text), &small, &arena, &e);
		if (got != cases[i].want)
			fail_msg("%s: %s", cases[i].text, xml_fault_text(got));
	}
	/* a namespace is copied into every element below it: its length is bounded by itself */
	char text[1024];
	memset(text, 'n', sizeof text);
	memcpy(text, "<a xmlns='", 10);
	memcpy(text + 500, "'/>", 4);
	expect_fault(text, XML_TOO_LARGE);
}

/* One long namespace, many short uses of its prefix: what is written out would be many times the
 * message. */
static void test_prefixes_do_not_multiply(void **state)
{
	(void)state;
	struct buf b;
	struct element *root;
	for (int kind = 0; kind < 4; kind++) {
		bool attributes = kind & 1, many = kind & 2;
		buf_init(&b, 0);
		buf_printf(&b, "<message xmlns='jabber:client' xmlns:a='u:%0200d'>", 1);
		for (int i = 0; i < (many ? 400 : 10); i++)
			buf_puts(&b, attributes ? "<z a:b=''/>" : "<a:z/>");
		buf_puts(&b, "</message>");
		assert_false(b.failed);
		assert_int_equal(parse(b.p, &root), many ? XML_TOO_LARGE : XML_FINE);
		buf_done(&b);
	}
	/* who writes his namespaces out himself may have as many as fit */
	buf_init(&b, 0);
	buf_puts(&b, "<message xmlns='jabber:client'>");
	for (int i = 0; i < 400; i++)
		buf_printf(&b, "<z xmlns='u:%0200d'/>", i);
	buf_puts(&b, "</message>");
	assert_int_equal(parse(b.p, &root), XML_FINE);
	buf_done(&b);
}

static void test_written(void **state)
{
	(void)state;
	expect_written("<a xmlns='x'><b>1</b></a>", "<a xmlns='x'><b>1</b></a>");
	/* prefixes become literal xmlns, what a sender wrote literally stays literal */
	expect_written("<p:a xmlns:p='x'><p:b/><c xmlns='y' xmlns:q='z'><q:d/></c></p:a>",
	        "<a xmlns='x'><b/><c xmlns='y'><d xmlns='z'/></c></a>");
	expect_written("<a xmlns='x'><b xmlns='x'/></a>", "<a xmlns='x'><b xmlns='x'/></a>");
	expect_written("<a xmlns='x'><b xmlns=''/></a>", "<a xmlns='x'><b xmlns=''/></a>");
	expect_written("<a p:q='1' xml:lang='en' xmlns:p='y'/>",
	        "<a xmlns:a0='y' a0:q='1' xml:lang='en'/>");
	expect_written("<a b='&apos;&quot;&lt;&#10;&#9;&#13;&amp;'>&amp;&lt;&gt;&#13;</a>",
	        "<a b='&apos;&quot;&lt;&#10;&#9;&#13;&amp;'>&amp;&lt;&gt;&#13;</a>");
	expect_written("<a><![CDATA[<b>&]]></a>", "<a>&lt;b&gt;&amp;</a>");
	/* a stanza without a namespace is read as jabber:client, with all of its own that has none
	 */
	expect_written("<presence><nick/><x xmlns='y'/></presence>",
	        "<presence xmlns='jabber:client'><nick/><x xmlns='y'/></presence>");
	expect_written("<other><nick/></other>", "<other><nick/></other>");
}

/* A message full of names leaves nothing behind that those after it would have to clear away. */
static void test_names_are_forgotten(void **state)
{
	(void)state;
	struct buf b;
	struct element *root;
	expect_fault("<iq xmlns='jabber:client'/>", XML_FINE);
	arena_reset(&arena);
	size_t held = bytes_held();
	buf_init(&b, 0);
	buf_puts(&b, "<message xmlns='jabber:client'>");
	for (unsigned i = 0; i < 8000; i++)
		buf_printf(&b, "<a%x b%x=''/>", i, i);
	buf_puts(&b, "</message>");
	assert_int_equal(parse(b.p, &root), XML_FINE);
	buf_done(&b);
	arena_done(&arena);
	arena_init(&arena, 0);
	expect_fault("<iq xmlns='jabber:client'/>", XML_FINE);
	assert_true(bytes_held() < held + 65536);
}

/* Whatever fails to be allocated, the answer is "no memory", and the parser works afterwards. */
static void test_no_memory(void **state)
{
	(void)state;
	const char *text = "<a xmlns='x' b='c'>text<d xmlns='y' e='f'>more</d></a>";
	long n = 0;
	for (;; n++) {
		struct element *e;
		struct xml_parser *p = xml_parser_new();
		struct arena a;
		arena_init(&a, 0);
		assert_non_null(p);
		mem_budget_set(n);
		enum xml_fault got = xml_parse(p, str_c(text), &xml_limits_after_auth, &a, &e);
		mem_budget_set(-1);
		if (got != XML_FINE) {
			assert_int_equal(got, XML_NO_MEMORY);
			arena_reset(&a);
			assert_int_equal(xml_parse(p, str_c(text), &xml_limits_after_auth, &a, &e),
			        XML_FINE);
		}
		arena_done(&a);
		xml_parser_free(p);
		if (got == XML_FINE)
			break;
		assert_true(n < 1000);
	}
	assert_true(n > 3);
}

static int setup(void **state)
{
	(void)state;
	arena_init(&arena, 0);
	parser = xml_parser_new();
	return parser ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	xml_parser_free(parser);
	arena_done(&arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_tree),
	        cmocka_unit_test(test_faults),
	        cmocka_unit_test(test_limits),
	        cmocka_unit_test(test_prefixes_do_not_multiply),
	        cmocka_unit_test(test_written),
	        cmocka_unit_test(test_names_are_forgotten),
	        cmocka_unit_test(test_no_memory),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown);
}
