/* stanza_test.c - JIDs, stanzas and their errors. io */
#include "support/unit.h"

#include "base/err.h"
#include "xmpp/disco.h"
#include "xmpp/error.h"
#include "xmpp/ns.h"

static struct arena arena;
static struct xml_parser *parser;

static void expect_jid(const char *text, const char *want)
{
	struct jid j;
	int err = jid_parse(str_c(text), &arena, &j);
	if (!want) {
		if (err == ERR_OK)
			fail_msg("%s was accepted", text);
		return;
	}
	assert_int_equal(err, ERR_OK);
	assert_str(j.full, want);
}

static void test_jid(void **state)
{
	(void)state;
	struct jid j;
	assert_int_equal(
	        jid_parse(STR("Room@Conference.Meet.Example/Nick/x@y"), &arena, &j), ERR_OK);
	assert_str(j.node, "room");
	assert_str(j.domain, "conference.meet.example");
	assert_str(j.resource, "Nick/x@y");
	assert_str(j.bare, "room@conference.meet.example");
	expect_jid("meet.example", "meet.example");
	expect_jid("meet.example.", "meet.example");
	expect_jid("meet.example..", NULL); /* one more would be taken off each time */
	expect_jid("meet.example/r", "meet.example/r");
	expect_jid("%D1%82@h", "%d1%82@h");
	expect_jid("\xd0\xa2@h", "\xd1\x82@h"); /* Cyrillic capital Te */
	expect_jid("\xef\xbc\xa1@h", "a@h");    /* full-width A */
	static const char *const bad[] = {"", "@", "@h", "a@", "h/", "a b@h", "a@h b", "a<@h",
	        "a@@h", "a@.h", "a@h..i", "\xff@h", "a\x01@h", "a@h/\x01", "a@h\x7f"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		expect_jid(bad[i], NULL);
	char text[JID_MAX + 2];
	memset(text, 'a', sizeof text);
	assert_int_equal(jid_parse(str_from(text, JID_PART_MAX), &arena, &j), ERR_OK);
	assert_int_equal(jid_parse(str_from(text, JID_PART_MAX + 1), &arena, &j), ERR_LIMIT);
	assert_int_equal(jid_parse(str_from(text, sizeof text), &arena, &j), ERR_LIMIT);
}

static void test_nick(void **state)
{
	(void)state;
	assert_true(jid_nick_ok(STR("3f2a9c1e")));
	assert_true(jid_nick_ok(STR("A_b")));
	static const char *const bad[] = {"", "_a", "a-b", "a b", "\xc3\xa9", "a/b",
	        "a0123456789012345678901234567890123456789012345678901234567890123"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(jid_nick_ok(str_c(bad[i])));
}

static int read_stanza(const char *text, struct stanza *st)
{
	struct element *e;
	assert_int_equal(
	        xml_parse(parser, str_c(text), &xml_limits_after_auth, &arena, &e), XML_FINE);
	return stanza_read(e, &arena, st);
}

static void test_read(void **state)
{
	(void)state;
	struct stanza st;
	assert_int_equal(
	        read_stanza("<iq type='get' id='1' to='H'><p xmlns='x'/></iq>", &st), ERR_OK);
	assert_int_equal(st.kind, STANZA_IQ);
	assert_int_equal(st.type, STANZA_GET);
	assert_str(st.to.full, "h");
	assert_true(element_is(st.payload, "p", "x"));
	assert_int_equal(read_stanza("<presence/>", &st), ERR_OK);
	assert_int_equal(st.type, STANZA_PLAIN);
	assert_false(st.has_to);
	assert_int_equal(read_stanza("<message type='headline'/>", &st), ERR_OK);
	assert_int_equal(st.type, STANZA_OTHER);
	assert_int_equal(read_stanza("<iq type='get'><p/></iq>", &st), ERR_BADMSG);
	assert_int_equal(read_stanza("<iq type='gets' id='1'><p/></iq>", &st), ERR_BADMSG);
	assert_int_equal(read_stanza("<iq type='get' id='1'/>", &st), ERR_BADMSG);
	assert_int_equal(read_stanza("<iq type='set' id='1'><p/><q/></iq>", &st), ERR_BADMSG);
	assert_int_equal(read_stanza("<iq type='result' id='1'/>", &st), ERR_OK);
	assert_int_equal(read_stanza("<presence to='a@@b'/>", &st), ERR_NOTFOUND);
	assert_int_equal(read_stanza("<query/>", &st), ERR_TYPE);
	assert_int_equal(
	        read_stanza("<iq xmlns='other' id='1' type='get'><p/></iq>", &st), ERR_TYPE);
}

static void test_error(void **state)
{
	(void)state;
	struct stanza st;
	struct buf b;
	buf_init(&b, 0);
	assert_int_equal(
	        read_stanza("<presence id='7' to='r@c/n'><x xmlns='" NS_MUC "'/></presence>", &st),
	        ERR_OK);
	struct stanza_error e = stanza_error_make("cancel", "not-allowed", "No & no");
	e.extra = STR("<room-mismatch xmlns='http://jitsi.org/jitmeet'/>");
	stanza_error_reply(&b, &st, STR("r@c/n"), STR("me@d/r"), &e);
	assert_str(buf_view(&b),
	        "<presence xmlns='jabber:client' type='error' id='7' from='r@c/n' to='me@d/r'>"
	        "<error type='cancel'><not-allowed xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
	        "<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>No &amp; no</text>"
	        "<room-mismatch xmlns='http://jitsi.org/jitmeet'/></error><x "
	        "xmlns='http://jabber.org/protocol/muc'/></presence>");
	buf_reset(&b);
	/* never in answer to an error or a result */
	static const char *const silent[] = {"<iq type='result' id='1'/>",
	        "<iq type='error' id='1'/>", "<message type='error'/>", "<presence type='error'/>",
	        "<presence type='unavailable'/>"};
	for (size_t i = 0; i < sizeof silent / sizeof *silent; i++) {
		assert_int_equal(read_stanza(silent[i], &st), ERR_OK);
		stanza_error_reply(&b, &st, STR("a"), STR("b"), &e);
		assert_int_equal(b.n, 0);
	}
	buf_done(&b);
}

static void test_disco(void **state)
{
	(void)state;
	struct buf b;
	buf_init(&b, 0);
	const struct disco_identity i = {"conference", "text", STR("a'b")};
	const char *const features[] = {"f1", "f2"};
	disco_info_write(&b, &i, 1, features, 2, STR("<x/>"));
	assert_str(buf_view(&b),
	        "<query xmlns='http://jabber.org/protocol/disco#info'>"
	        "<identity category='conference' type='text' name='a&apos;b'/><feature "
	        "var='f1'/><feature var='f2'/><x/></query>");
	buf_done(&b);
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
	        cmocka_unit_test(test_jid),
	        cmocka_unit_test(test_nick),
	        cmocka_unit_test(test_read),
	        cmocka_unit_test(test_error),
	        cmocka_unit_test(test_disco),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown);
}
