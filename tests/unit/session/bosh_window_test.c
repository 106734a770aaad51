/* bosh_window_test.c - BOSH without a session: which number may be served, names of sessions,
 * bodies read and written. pure */
#include "support/unit.h"

#include <stdio.h>

#include "session/bosh_window.h"
#include "session/bosh_wire.h"
#include "xmpp/ns.h"

static struct bosh_window at(uint64_t first, unsigned served)
{
	struct bosh_window w;
	bosh_window_open(&w, first);
	while (served--)
		bosh_window_move(&w);
	return w;
}

static void numbers_of_a_window(void **state)
{
	(void)state;
	static const struct {
		uint64_t first;
		unsigned served;
		uint64_t rid;
		enum bosh_turn turn;
	} cases[] = {
	        /* the first one */
	        {10, 0, 10, BOSH_NOW},
	        {10, 0, 9, BOSH_LOST},
	        {10, 0, 11, BOSH_EARLY},
	        /* in the middle of it */
	        {10, 1, 10, BOSH_AGAIN},
	        {10, 1, 11, BOSH_NOW},
	        {10, 1, 12, BOSH_EARLY},
	        {10, 1, 13, BOSH_LOST},
	        {10, 5, 12, BOSH_AGAIN},
	        {10, 5, 14, BOSH_AGAIN},
	        {10, 5, 11, BOSH_LOST},
	        {10, 5, 9, BOSH_LOST},
	        {10, 5, 15, BOSH_NOW},
	        {10, 5, 16, BOSH_EARLY},
	        {10, 5, 17, BOSH_LOST},
	        {10, 3, 10, BOSH_AGAIN},
	        {10, 4, 10, BOSH_LOST},
	        /* what is no number */
	        {10, 5, 0, BOSH_LOST},
	        {10, 5, UINT64_MAX, BOSH_LOST},
	        {1, 0, 0, BOSH_LOST},
	        {1, 1, 1, BOSH_AGAIN},
	        {1, 1, 2, BOSH_NOW},
	        /* the last ones there are */
	        {BOSH_RID_MAX, 0, BOSH_RID_MAX, BOSH_NOW},
	        {BOSH_RID_MAX, 0, BOSH_RID_MAX + 1, BOSH_LOST},
	        {BOSH_RID_MAX, 1, BOSH_RID_MAX, BOSH_AGAIN},
	        {BOSH_RID_MAX, 1, BOSH_RID_MAX + 1, BOSH_LOST},
	        {BOSH_RID_MAX, 1, BOSH_RID_MAX + 2, BOSH_LOST},
	        {BOSH_RID_MAX - 1, 0, BOSH_RID_MAX, BOSH_EARLY},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct bosh_window w = at(cases[i].first, cases[i].served);
		if (bosh_window_judge(&w, cases[i].rid) != cases[i].turn)
			fail_msg("case %zu: %d", i, (int)bosh_window_judge(&w, cases[i].rid));
	}
}

static void remembered_numbers_have_places_of_their_own(void **state)
{
	(void)state;
	for (unsigned served = 1; served < 9; served++) {
		struct bosh_window w = at(7, served);
		unsigned seen = 0, n = 0;
		for (uint64_t r = bosh_window_oldest(&w); r < w.next; r++, n++) {
			assert_true(bosh_window_place(r) < BOSH_REPLAYS);
			assert_int_equal(bosh_window_judge(&w, r), BOSH_AGAIN);
			assert_false(seen & 1u << bosh_window_place(r));
			seen |= 1u << bosh_window_place(r);
		}
		assert_int_equal(n, served < BOSH_REPLAYS ? served : BOSH_REPLAYS);
	}
}

static void names_of_sessions(void **state)
{
	(void)state;
	char text[BOSH_SID_DIGITS + 1];
	struct bosh_sid sid;
	const char *secret = "00112233445566778899aabbccddeeff";
	bosh_sid_write(&(struct bosh_sid){63, 0xfedcba98, str_c(secret)}, text);
	assert_string_equal(text, "3ffedcba9800112233445566778899aabbccddeeff");
	assert_true(bosh_sid_read(str_c(text), &sid));
	assert_int_equal(sid.worker, 63);
	assert_int_equal(sid.index, 0xfedcba98);
	assert_str(sid.secret, "00112233445566778899aabbccddeeff");
	static const char *const bad[] = {"", "3f", "3ffedcba9800112233445566778899aabbccddeef",
	        "3ffedcba9800112233445566778899aabbccddeefff",
	        "3Ffedcba9800112233445566778899aabbccddeeff",
	        "-1fedcba9800112233445566778899aabbccddeeff"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(bosh_sid_read(str_c(bad[i]), &sid));
	text[4] = '\0';
	assert_false(bosh_sid_read(str_from(text, BOSH_SID_DIGITS), &sid));
}

static void a_sid_is_found_before_the_body_is_parsed(void **state)
{
	(void)state;
	static const struct {
		const char *body, *sid; /* NULL: none */
	} cases[] = {
	        {"<body rid='1' sid='abc'/>", "abc"},
	        {"<body sid=\"abc\" rid='1'>", "abc"},
	        {" \n<?xml version='1.0'?>\r\n<body\n\tsid = 'abc' >", "abc"},
	        {"<body sid=''/>", ""},
	        {"<b:body xmlns:b='x' xsid='n' sid='y'/>", "y"},
	        {"<body to=\"sid='no'\" sid='y'/>", "y"},
	        {"<body rid='1'><a sid='x'/></body>", NULL},
	        {"<body rid='1'/>", NULL},
	        {"<body sid='abc", NULL},
	        {"<body sid=abc>", NULL},
	        {"<body sid", NULL},
	        {"<body sid>", NULL},
	        {"<body sid=", NULL},
	        {"<", NULL},
	        {"", NULL},
	        {"<?xml", NULL},
	        {"<body a=b sid='x'>", NULL},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct str sid = bosh_find_sid(str_c(cases[i].body));
		if (cases[i].sid ? !str_eqc(sid, cases[i].sid) : !str_absent(sid))
			fail_msg("%s: %.*s", cases[i].body, STR_FMT(sid));
	}
	assert_true(str_absent(bosh_find_sid(STR_NONE)));
}

struct reading {
	struct xml_parser *parser;
	struct arena arena;
	struct element *root;
};

static bool read_body(struct reading *r, const char *text, struct bosh_body *out)
{
	r->parser = r->parser ? r->parser : xml_parser_new();
	arena_init(&r->arena, 0);
	enum xml_fault f =
	        xml_parse(r->parser, str_c(text), &xml_limits_after_auth, &r->arena, &r->root);
	assert_int_equal(f, XML_FINE);
	return bosh_body_read(r->root, out);
}

static void done(struct reading *r)
{
	arena_done(&r->arena);
}

#define BODY "<body xmlns='" NS_BOSH "' "

static void bodies_are_read(void **state)
{
	(void)state;
	struct reading r = {0};
	struct bosh_body b;
	assert_true(read_body(&r,
	        BODY "rid='573741820' to='meet.example' wait='45' hold='1' ver='1.6' "
	             "xmlns:xmpp='" NS_XBOSH "' xmpp:version='1.0' ack='1' newkey='k' key='l'/>",
	        &b));
	assert_int_equal(b.rid, 573741820);
	assert_str(b.to, "meet.example");
	assert_int_equal(b.wait, 45);
	assert_int_equal(b.hold, 1);
	assert_string_equal(b.ver, "1.6");
	assert_true(b.acks && !b.restart && !b.terminate && str_absent(b.sid));
	assert_str(b.key, "l");
	assert_str(b.newkey, "k");
	done(&r);
	assert_true(read_body(&r,
	        BODY "rid='2' sid='s' type='terminate' pause='500' "
	             "xmlns:x='" NS_XBOSH "' x:restart='true'> \n <a/> </body>",
	        &b));
	assert_true(b.terminate && b.restart && !b.acks);
	assert_int_equal(b.pause, BOSH_PAUSE_MAX);
	assert_str(b.sid, "s");
	done(&r);
	static const struct {
		const char *attributes;
		uint64_t rid;
		unsigned wait, hold;
		const char *ver;
	} cases[] = {
	        {"", 0, 60, 1, "1.6"},
	        {"rid='-1' wait='-1' hold='-1' ver='-1'", 0, 60, 1, "1.6"},
	        {"rid='0' wait='0' hold='1' ver='1.5'", 0, 0, 0, "1.5"},
	        {"rid='1' wait='999999' hold='9' ver='1.11'", 1, 60, 1, "1.6"},
	        {"rid='9007199254740991' hold='0'", BOSH_RID_MAX, 60, 0, "1.6"},
	        {"rid='9007199254740992'", 0, 60, 1, "1.6"},
	        {"rid='99999999999999999999'", 0, 60, 1, "1.6"},
	        {"rid='1e3'", 0, 60, 1, "1.6"},
	        {"rid=' 1'", 0, 60, 1, "1.6"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[256];
		snprintf(text, sizeof text, BODY "%s/>", cases[i].attributes);
		assert_true(read_body(&r, text, &b));
		assert_int_equal(b.rid, cases[i].rid);
		assert_int_equal(b.wait, cases[i].wait);
		assert_int_equal(b.hold, cases[i].hold);
		assert_string_equal(b.ver, cases[i].ver);
		done(&r);
	}
	assert_false(read_body(&r, "<body rid='1'/>", &b));
	done(&r);
	assert_false(read_body(&r, BODY "rid='1'>text</body>", &b));
	done(&r);
	assert_false(read_body(&r, BODY "rid='1'><a/>text<b/></body>", &b));
	done(&r);
	assert_false(read_body(&r, "<bod xmlns='" NS_BOSH "' rid='1'/>", &b));
	done(&r);
	xml_parser_free(r.parser);
}

static void stanzas_without_a_namespace_are_adopted(void **state)
{
	(void)state;
	struct reading r = {0};
	struct bosh_body b;
	struct buf out;
	assert_true(read_body(&r,
	        BODY "rid='1'><message><body>x</body><y xmlns='z'><body/></y></message></body>",
	        &b));
	bosh_adopt(r.root->first);
	buf_init(&out, 0);
	xml_write(&out, r.root->first, STR(NS_CLIENT));
	assert_str(buf_view(&out), "<message><body>x</body><y xmlns='z'><body/></y></message>");
	buf_done(&out);
	done(&r);
	xml_parser_free(r.parser);
}

static void answers_are_written(void **state)
{
	(void)state;
	struct buf b;
	buf_init(&b, 0);
	bosh_answer_open(&b, &(struct bosh_answer){0}, true);
	assert_str(buf_view(&b), "<body xmlns='" NS_BOSH "'/>");
	buf_reset(&b);
	bosh_answer_open(
	        &b, &(struct bosh_answer){.terminate = true, .condition = "item-not-found"}, true);
	assert_str(buf_view(&b),
	        "<body xmlns='" NS_BOSH "' type='terminate' condition='item-not-found'/>");
	buf_reset(&b);
	bosh_answer_open(&b, &(struct bosh_answer){.error = true, .ack = 7}, false);
	bosh_answer_close(&b);
	assert_str(buf_view(&b), "<body xmlns='" NS_BOSH "' ack='7' type='error'></body>");
	buf_reset(&b);
	bosh_answer_open(&b,
	        &(struct bosh_answer){.opens = true,
	                .sid = STR("s"),
	                .from = STR("a&b"),
	                .id = STR("i"),
	                .ver = "1.6",
	                .wait = 60,
	                .hold = 1},
	        false);
	assert_str(buf_view(&b),
	        "<body xmlns='" NS_BOSH "' wait='60' requests='2' hold='1' inactivity='60'"
	        " polling='5' maxpause='120' ver='1.6' sid='s' from='a&amp;b' authid='i'"
	        " xmlns:xmpp='" NS_XBOSH "' xmpp:version='1.0' xmpp:restartlogic='true'"
	        " xmlns:stream='" NS_STREAMS "'>");
	buf_done(&b);
#define ERROR(c) "<stream:error xmlns:stream='x'><" c " xmlns='y'/></stream:error>"
	assert_string_equal(bosh_condition(STR(ERROR("host-unknown"))), "host-unknown");
	assert_string_equal(bosh_condition(STR(ERROR("system-shutdown"))), "system-shutdown");
	assert_string_equal(bosh_condition(STR(ERROR("conflict"))), "remote-stream-error");
	assert_string_equal(bosh_condition(STR("")), "remote-stream-error");
	assert_string_equal(bosh_condition(STR("<stream:error>")), "remote-stream-error");
}

UNIT_MAIN(cmocka_unit_test(numbers_of_a_window),
        cmocka_unit_test(remembered_numbers_have_places_of_their_own),
        cmocka_unit_test(names_of_sessions),
        cmocka_unit_test(a_sid_is_found_before_the_body_is_parsed),
        cmocka_unit_test(bodies_are_read),
        cmocka_unit_test(stanzas_without_a_namespace_are_adopted),
        cmocka_unit_test(answers_are_written))
