/* external_test.c - a focus outside: it opens rooms, others wait for it, requests go to it and
 * answers come back, and what it writes about people changes nothing. io */
#include "support/meeting.h"

#include <stdio.h>

#include "base/jval.h"
#include "base/mem.h"

#define FOCUS_JID "focus@auth.meet.example/f"
#define CONFERENCE "<conference xmlns='" NS_FOCUS "' room='" ROOM "' machine-uid='u'/>"

static int setup(void **state)
{
	struct meeting *m = meeting_new();
	m->settings.focus_outside = true;
	*state = m;
	return 0;
}

static int teardown(void **state)
{
	meeting_free(*state);
	return 0;
}

static void ask(struct meeting *m, struct client *c)
{
	meeting_send(m, c, "<iq type='set' id='c1' to='focus.meet.example'>" CONFERENCE "</iq>");
}

static struct client *new_focus(struct meeting *m)
{
	return meeting_service(m, FOCUS_JID, SERVICE_FOCUS);
}

static void focus_join(struct meeting *m, struct client *f)
{
	meeting_send(m, f,
	        "<presence to='" ROOM "/focus'><x xmlns='" NS_MUC "'/>"
	        "<conference-properties xmlns='" NS_FOCUS "'><property key='bridge-count' "
	        "value='3'/></conference-properties></presence>");
}

/* The id of what the focus was asked last. */
static void asked_id(const struct client *f, char *out, size_t size)
{
	const char *s = seen_last(f, "<iq", "<conference xmlns=", NULL);
	assert_non_null(s);
	const char *at = strstr(s, " id='");
	assert_non_null(at);
	snprintf(out, size, "%.*s", (int)strcspn(at + 5, "'"), at + 5);
}

static void answer(struct meeting *m, struct client *f, const char *to, const char *ready)
{
	char id[64];
	asked_id(f, id, sizeof id);
	meeting_send(m, f,
	        "<iq type='result' id='%s' to='focus.meet.example/%s'><conference xmlns='" NS_FOCUS
	        "' room='" ROOM "' ready='%s' focusjid='focus@auth.meet.example'/></iq>",
	        id, to, ready);
}

/* Two people and the focus, in. The first is a moderator by token. */
struct scene {
	struct client *focus, *mod, *guest;
};

static struct scene begin(struct meeting *m)
{
	struct scene s;
	meeting_start(m);
	s.focus = new_focus(m);
	s.mod = meeting_client(m, meeting_claims("1", "Mo", "true"));
	s.guest = meeting_client(m, NULL);
	ask(m, s.mod);
	focus_join(m, s.focus);
	answer(m, s.focus, s.mod->jid, "true");
	meeting_join(m, s.mod, "aaaaaaaa", "Mo");
	meeting_join(m, s.guest, "bbbbbbbb", "Gu");
	return s;
}

static void test_request(void **state)
{
	struct meeting *m = *state;
	meeting_start(m);
	struct client *f = new_focus(m), *a = meeting_client(m, NULL);
	ask(m, a);
	assert_int_equal(a->in.n, 0);
	assert_seen(1, f, "<iq xmlns='jabber:client' type='set' id='gavel-0-",
	        "from='focus.meet.example/00000002-0000-4000-8000-000000000000@meet.example/r1'",
	        "to='" FOCUS_JID "'", "room='" ROOM "'", "machine-uid='u'");
	focus_join(m, f);
	assert_seen(1, f, "from='" ROOM "/focus'", "affiliation='owner' role='moderator'",
	        "<status code='110'/><status code='201'/>");
	answer(m, f, a->jid, "true");
	assert_int_equal(a->in.n, 1);
	assert_seen(1, a, "type='result' id='c1' from='focus.meet.example'", "ready='true'",
	        "focusjid='focus@auth.meet.example'");
	/* the same answer again finds nobody */
	answer(m, f, a->jid, "true");
	assert_int_equal(a->in.n, 1);
	meeting_join(m, a, "aaaaaaaa", "An");
	assert_int_equal(seen_index(a, "from='" ROOM "/focus'", "bridge-count", "value='3'",
	                         "jid='" FOCUS_JID "'", NULL),
	        1);
	assert_seen(1, a, "from='" ROOM "/aaaaaaaa'", "code='110'");
	assert_seen(1, f, "from='" ROOM "/aaaaaaaa'");
	assert_int_equal(room_size(room_find(m->rooms, STR(ROOM))), 1);
}

static void test_no_focus(void **state)
{
	struct meeting *m = *state;
	meeting_start(m);
	struct client *a = meeting_client(m, NULL);
	ask(m, a);
	assert_seen(1, a, "type='result' id='c1'", "ready='false'", "room='" ROOM "'");
	/* one that does not answer */
	struct client *f = new_focus(m);
	meeting_forget(m);
	ask(m, a);
	assert_int_equal(f->in.n, 1);
	meeting_sleep(m, 21000);
	assert_seen(1, a, "type='result' id='c1'", "ready='false'");
	/* one that has gone again */
	meeting_gone(m, f);
	meeting_forget(m);
	ask(m, a);
	assert_seen(1, a, "ready='false'");
	meeting_send(m, a,
	        "<iq type='get' id='l' to='focus.meet.example'><login-url xmlns='" NS_FOCUS
	        "' room='r' machine-uid='u'/></iq>");
	assert_seen(1, a, "type='error' id='l'", "service-unavailable");
}

static void test_policy_first(void **state)
{
	struct meeting *m = *state;
	m->policy.room_create = ROOM_CREATE_AUTHENTICATED;
	meeting_start(m);
	struct client *f = new_focus(m), *guest = meeting_client(m, NULL);
	struct client *other =
	        meeting_client(m, "{\"iss\":\"a\",\"sub\":\"s\",\"room\":\"other\"}");
	ask(m, guest);
	assert_seen(1, guest, "type='error'", "not-authorized");
	ask(m, other); /* its join will be refused: the focus opens nothing */
	assert_seen(1, other, "ready='true'");
	assert_int_equal(f->in.n, 0);
	/* whoever opens the room, who may not be first is not */
	focus_join(m, f);
	meeting_join(m, guest, "bbbbbbbb", NULL);
	assert_seen(1, guest, "type='error'", "not-allowed", "Room creation is restricted");
}

static void test_people_open_nothing(void **state)
{
	struct meeting *m = *state;
	meeting_start(m);
	struct client *f = new_focus(m), *a = meeting_client(m, NULL);
	struct client *jibri = meeting_service(m, "rec@hidden.meet.example/r", SERVICE_RECORDER);
	meeting_join(m, a, "aaaaaaaa", NULL);
	assert_seen(1, a, "type='error'", "not-allowed", "Room creation is restricted");
	meeting_join(m, jibri, "cccccccc", NULL);
	assert_seen(1, jibri, "type='error'", "not-allowed");
	meeting_join(m, f, "other", NULL); /* the focus has one nick */
	assert_seen(1, f, "type='error'");
	assert_null(room_find(m->rooms, STR(ROOM)));
	/* a person who calls himself so */
	focus_join(m, f);
	meeting_join(m, a, "focus", NULL);
	assert_seen(1, a, "type='error'", "conflict");
	meeting_send(m, a,
	        "<presence to='__jicofo-health-check-1@conference.meet.example/a'>"
	        "<x xmlns='" NS_MUC "'/></presence>");
	assert_seen(1, a, "type='error'", "service-unavailable");
	meeting_send(m, f,
	        "<presence to='__jicofo-health-check-1@conference.meet.example/focus'>"
	        "<x xmlns='" NS_MUC "'/></presence>");
	assert_seen(1, f, "from='__jicofo-health-check-1@", "code='110'");
}

static void test_parking(void **state)
{
	struct meeting *m = *state;
	meeting_start(m);
	struct client *f = new_focus(m), *a = meeting_client(m, NULL), *b = meeting_client(m, NULL),
	              *c = meeting_client(m, NULL), *d = meeting_client(m, NULL);
	ask(m, a);
	meeting_join(m, a, "aaaaaaaa", "An &amp; Co");
	meeting_join(m, b, "bbbbbbbb", NULL);
	meeting_join(m, c, "cccccccc", NULL);
	meeting_join(m, d, "dddddddd", NULL);
	meeting_join(m, b, "bbbbbbbb", "Be");
	assert_int_equal(a->in.n + b->in.n + c->in.n, 0);
	meeting_gone(m, c);
	meeting_send(m, d, "<presence type='unavailable' to='" ROOM "/dddddddd'/>");
	focus_join(m, f);
	assert_int_equal(room_size(room_find(m->rooms, STR(ROOM))), 2);
	assert_int_equal(seen_index(a, "from='" ROOM "/focus'", NULL), 0);
	assert_int_equal(seen_index(b, "from='" ROOM "/focus'", NULL), 0);
	assert_seen(1, b, "from='" ROOM "/aaaaaaaa'", ">An &amp; Co</nick>");
	assert_seen(1, b, "from='" ROOM "/bbbbbbbb'", ">Be</nick>", "code='110'");
	assert_int_equal(d->in.n, 0);
	assert_seen(1, f, "/bbbbbbbb'");
}

static void test_focus_never_comes(void **state)
{
	struct meeting *m = *state;
	meeting_start(m);
	(void)new_focus(m);
	struct client *a = meeting_client(m, NULL);
	ask(m, a);
	meeting_join(m, a, "aaaaaaaa", NULL);
	meeting_sleep(m, m->settings.ready_ms + 200);
	assert_seen(1, a, "<presence", "type='error'", "Room creation is restricted");
	assert_null(room_find(m->rooms, STR(ROOM)));
}

static void test_many_wait(void **state)
{
	struct meeting *m = *state;
	meeting_start(m);
	m->settings.joins_per_second = 1000000;
	struct client *f = new_focus(m), *first = meeting_client(m, NULL);
	ask(m, first);
	for (int i = 0; i < 150; i++) {
		char nick[16];
		snprintf(nick, sizeof nick, "%08x", 0x100 + i);
		meeting_join(m, meeting_client(m, NULL), nick, NULL);
	}
	/* memory that ends while they are let in costs some of them their place, nobody else */
	m->budget = 6000;
	focus_join(m, f);
	m->budget = -1;
	unsigned in = room_size(room_find(m->rooms, STR(ROOM))), closed = 0, refused = 0;
	for (unsigned i = 0; i < m->n_clients; i++) {
		closed += m->clients[i].closed;
		refused += seen_count(&m->clients[i], "type='error'", NULL) > 0;
	}
	assert_true(in + closed + refused >= 150);
}

static void promote(struct meeting *m, struct client *f, const char *item)
{
	meeting_send(m, f,
	        "<iq type='set' id='p1' to='" ROOM "'><query xmlns='" NS_MUC_ADMIN
	        "'>%s</query></iq>",
	        item);
}

static struct jval *record(struct meeting *m, const char *who)
{
	struct jval *j = room_record_json(room_find(m->rooms, STR(ROOM)), str_c(who));
	assert_non_null(j);
	return j;
}

static void test_promotes_nobody(void **state)
{
	struct meeting *m = *state;
	struct scene s = begin(m);
	const char *items[] = {"<item affiliation='owner' jid='%s'/>",
	        "<item affiliation='admin' jid='%s'/>", "<item role='moderator' nick='bbbbbbbb'/>",
	        "<item affiliation='owner' nick='bbbbbbbb'/>",
	        "<item affiliation='member' nick='bbbbbbbb'/>",
	        "<item affiliation='outcast' nick='bbbbbbbb'/>",
	        "<item affiliation='none' nick='aaaaaaaa'/>",
	        "<item role='participant' nick='aaaaaaaa'/>"};
	meeting_forget(m);
	for (size_t i = 0; i < sizeof items / sizeof *items; i++) {
		char item[200];
		/* the first two name him by his real JID */
		snprintf(item, sizeof item,
		        i == 0   ? "<item affiliation='owner' jid='%s'/>"
		        : i == 1 ? "<item affiliation='admin' jid='%s'/>"
		                 : "%.0s",
		        s.guest->jid);
		promote(m, s.focus, i < 2 ? item : items[i]);
	}
	meeting_send(m, s.focus,
	        "<iq type='set' id='p1' to='" ROOM "'><query xmlns='" NS_MUC_OWNER
	        "'><x xmlns='jabber:x:data' type='submit'><field "
	        "var='FORM_TYPE'><value>" NS_MUC_ROOMCONFIG
	        "</value></field><field var='muc#roomconfig_roomowners'><value>%s</value></field>"
	        "<field var='muc#roomconfig_roomadmins'><value>%s</value></field></x></query></iq>",
	        s.guest->jid, s.guest->jid);
	meeting_send(m, s.focus,
	        "<iq type='set' id='p1' to='" ROOM "'><query xmlns='" NS_MUC_OWNER
	        "'><item affiliation='owner' nick='bbbbbbbb'/></query></iq>");
	assert_seen(10, s.focus, "type='result' id='p1'");
	assert_seen(0, s.focus, "type='error'");
	assert_int_equal(s.guest->in.n, 0);
	assert_int_equal(s.mod->in.n, 0);
	struct room *r = room_find(m->rooms, STR(ROOM));
	assert_int_equal(room_size(r), 2);
	assert_int_equal(room_moderators(r), 1);
	assert_true(occupant_is_moderator(room_occupant(r, STR("aaaaaaaa"))));
	assert_false(occupant_is_moderator(room_occupant(r, STR("bbbbbbbb"))));
	struct jval *j = record(m, "bbbbbbbb");
	const struct jval *events = jval_getc(jval_at(jval_getc(j, "records"), 0), "events");
	assert_int_equal(jval_size(events), 9);
	for (size_t i = 0; i < jval_size(events); i++) {
		const struct jval *e = jval_at(events, i);
		assert_true(str_eqc(jval_str(jval_getc(e, "reason")), "R_SERVICE"));
		assert_true(str_eqc(jval_str(jval_getc(e, "by")), "focus"));
		assert_true(str_eqc(jval_str(jval_getc(e, "role")), "participant"));
	}
	assert_true(str_eqc(jval_str(jval_getc(jval_at(events, 0), "event")), "set owner"));
	jval_free(j);
}

static void test_kicks(void **state)
{
	struct meeting *m = *state;
	struct scene s = begin(m);
	promote(m, s.focus, "<item role='none' nick='bbbbbbbb'><reason>out</reason></item>");
	assert_seen(1, s.focus, "type='result' id='p1'");
	assert_seen(1, s.guest, "type='unavailable'", "code='307'", "code='110'");
	/* nobody kicks the focus, and its presence is its own */
	promote(m, s.mod, "<item role='none' nick='focus'/>");
	assert_seen(1, s.mod, "type='error' id='p1'", "not-allowed");
	meeting_forget(m);
	meeting_send(m, s.focus,
	        "<presence to='" ROOM "/focus'><bridgeNotAvailable xmlns='" NS_FOCUS
	        "'/></presence>");
	assert_seen(1, s.mod, "from='" ROOM "/focus'", "bridgeNotAvailable", "role='moderator'");
}

static void test_mute(void **state)
{
	struct meeting *m = *state;
	struct scene s = begin(m);
#define MUTE(nick)                                                                                 \
	"<iq type='set' id='m1' to='" ROOM "/focus'><mute xmlns='" NS_MUTE_AUDIO "' jid='" ROOM    \
	"/" nick "'>true</mute></iq>"
	meeting_forget(m);
	meeting_send(m, s.guest, MUTE("aaaaaaaa"));
	assert_seen(1, s.guest, "type='error' id='m1' from='" ROOM "/focus'", "not-allowed");
	assert_int_equal(s.focus->in.n, 0);
	meeting_send(m, s.mod, MUTE("bbbbbbbb"));
	assert_seen(1, s.focus, "type='set' id='m1' to='" FOCUS_JID "' from='" ROOM "/aaaaaaaa'",
	        "<mute xmlns='" NS_MUTE_AUDIO "'", ">true</mute>");
	meeting_send(m, s.focus, "<iq type='result' id='m1' to='" ROOM "/aaaaaaaa'/>");
	meeting_send(m, s.focus,
	        "<iq type='set' id='m2' to='" ROOM "/bbbbbbbb'><mute xmlns='" NS_MUTE_AUDIO
	        "' actor='" ROOM "/aaaaaaaa'>true</mute></iq>");
	assert_seen(1, s.mod, "type='result' id='m1'", "from='" ROOM "/focus'");
	assert_seen(1, s.guest, "type='set' id='m2'", "from='" ROOM "/focus'", ">true</mute>");
	/* recording, streaming and dialling out want a feature, or a moderator */
	static const char *const wanted[] = {"<jibri xmlns='" NS_JIBRI
	                                     "' action='start' recording_mode='file'/>",
	        "<jibri xmlns='" NS_JIBRI "' action='start' recording_mode='stream'/>",
	        "<dial xmlns='" NS_RAYO "' to='+1'/>",
	        "<dial xmlns='" NS_RAYO "' to='jitsi_meet_transcribe'/>"};
	for (size_t i = 0; i < 4; i++) {
		meeting_send(m, s.guest, "<iq type='set' id='r%zu' to='" ROOM "/focus'>%s</iq>", i,
		        wanted[i]);
		meeting_send(m, s.mod, "<iq type='set' id='s%zu' to='" ROOM "/focus'>%s</iq>", i,
		        wanted[i]);
	}
	assert_seen(4, s.guest, "type='error' id='r", "forbidden");
	assert_seen(4, s.focus, "type='set' id='s");
	assert_seen(0, s.focus, "type='set' id='r");
	/* disco and Jingle, both ways */
	meeting_send(m, s.focus,
	        "<iq type='get' id='d' to='" ROOM "/bbbbbbbb'><query xmlns='" NS_DISCO_INFO
	        "'/></iq>");
	meeting_send(m, s.guest,
	        "<iq type='result' id='d' to='" ROOM "/focus'><query xmlns='" NS_DISCO_INFO
	        "'/></iq>");
	assert_seen(1, s.guest, "type='get' id='d'", "from='" ROOM "/focus'");
	assert_seen(1, s.focus, "type='result' id='d'", "from='" ROOM "/bbbbbbbb'");
	meeting_send(m, s.guest,
	        "<iq type='set' id='j' to='" ROOM "/focus'><jingle xmlns='" NS_JINGLE
	        "' action='session-info' sid='x'/></iq>");
	assert_seen(1, s.focus, "type='set' id='j'", "<jingle", "from='" ROOM "/bbbbbbbb'");
}

static void test_form(void **state)
{
	struct meeting *m = *state;
	struct scene s = begin(m);
	meeting_send(m, s.focus,
	        "<iq type='get' id='g' to='" ROOM "'><query xmlns='" NS_MUC_OWNER "'/></iq>");
	assert_seen(1, s.focus, "type='result' id='g'", "muc#roomconfig_whois",
	        "muc#roominfo_meetingId", "type='form'");
	meeting_send(m, s.focus,
	        "<iq type='set' id='s' to='" ROOM "'><query xmlns='" NS_MUC_OWNER
	        "'><x xmlns='jabber:x:data' type='submit'><field "
	        "var='FORM_TYPE'><value>" NS_MUC_ROOMCONFIG
	        "</value></field><field var='muc#roomconfig_whois'><value>anyone</value></field>"
	        "</x></query></iq>");
	assert_seen(1, s.focus, "type='result' id='s'");
	/* also of a room that it is not in (any more) */
	meeting_send(m, s.focus, "<presence type='unavailable' to='" ROOM "/focus'/>");
	meeting_forget(m);
	meeting_send(m, s.focus,
	        "<iq type='get' id='g' to='" ROOM "'><query xmlns='" NS_MUC_ADMIN
	        "'><item affiliation='owner'/></query></iq>");
	assert_seen(1, s.focus, "type='result' id='g'", "nick='aaaaaaaa'");
	promote(m, s.focus, "<item affiliation='owner' nick='bbbbbbbb'/>");
	assert_seen(1, s.focus, "type='result' id='p1'");
	assert_int_equal(room_moderators(room_find(m->rooms, STR(ROOM))), 1);
	meeting_send(m, s.focus,
	        "<iq type='set' id='e' to='" ROOM "'><query xmlns='" NS_MUC_OWNER
	        "'><destroy><reason>over</reason></destroy></query></iq>");
	assert_seen(1, s.guest, "type='unavailable'", "<destroy><reason>over</reason>");
	assert_null(room_find(m->rooms, STR(ROOM)));
}

static void test_crash(void **state)
{
	struct meeting *m = *state;
	struct scene s = begin(m);
	meeting_forget(m);
	meeting_gone(m, s.focus);
	assert_seen(1, s.guest, "from='" ROOM "/focus'", "type='unavailable'");
	assert_int_equal(room_size(room_find(m->rooms, STR(ROOM))), 2);
	/* while it is away people come and go */
	struct client *late = meeting_client(m, NULL);
	meeting_join(m, late, "cccccccc", NULL);
	assert_seen(1, late, "code='110'");
	struct client *next = meeting_service(m, "focus@auth.meet.example/2", SERVICE_FOCUS);
	focus_join(m, next);
	assert_seen(1, s.guest, "from='" ROOM "/focus'", "jid='focus@auth.meet.example/2'");
	assert_seen(0, next, "code='201'");
	/* a second one before the first is known to be dead takes its place */
	struct client *third = meeting_service(m, "focus@auth.meet.example/3", SERVICE_FOCUS);
	meeting_forget(m);
	focus_join(m, third);
	assert_seen(1, next, "type='unavailable'", "code='110'");
	assert_seen(0, s.guest, "type='unavailable'");
	assert_seen(1, s.guest, "from='" ROOM "/focus'", "jid='focus@auth.meet.example/3'");
	meeting_gone(m, next);
	assert_seen(0, s.guest, "type='unavailable'");
	ask(m, late);
	assert_seen(1, third, "<conference xmlns=");
}

static void test_end(void **state)
{
	struct meeting *m = *state;
	struct scene s = begin(m);
	meeting_send(m, s.mod,
	        "<iq type='set' id='w' to='" ROOM "'><query xmlns='" NS_MUC_OWNER
	        "'><x xmlns='jabber:x:data' type='submit'><field "
	        "var='FORM_TYPE'><value>" NS_MUC_ROOMCONFIG
	        "</value></field><field var='muc#roomconfig_roomsecret'><value>pw</value></field>"
	        "</x></query></iq>");
	char before[37];
	snprintf(before, sizeof before, "%.36s", room_meeting_id(room_find(m->rooms, STR(ROOM))).p);
	meeting_gone(m, s.guest);
	meeting_gone(m, s.mod);
	/* the focus is in still: another meeting, of which nothing is known */
	struct client *a = meeting_client(m, NULL);
	meeting_join(m, a, "aaaaaaaa", NULL);
	assert_seen(1, a, "code='110'", "role='participant'");
	assert_string_not_equal(before, room_meeting_id(room_find(m->rooms, STR(ROOM))).p);
	meeting_gone(m, a);
	meeting_forget(m);
	meeting_send(m, s.focus, "<presence type='unavailable' to='" ROOM "/focus'/>");
	assert_seen(1, s.focus, "type='unavailable'", "from='" ROOM "/focus'", "code='110'");
	assert_null(room_find(m->rooms, STR(ROOM)));
	/* it leaves once more, and is told again */
	meeting_send(m, s.focus, "<presence type='unavailable' to='" ROOM "/focus'/>");
	assert_seen(2, s.focus, "type='unavailable'", "from='" ROOM "/focus'", "code='110'");
}

/* A request while the focus is still in the meeting that is over. */
static void test_end_and_again(void **state)
{
	struct meeting *m = *state;
	struct scene s = begin(m);
	meeting_gone(m, s.guest);
	meeting_gone(m, s.mod);
	struct client *a = meeting_client(m, NULL);
	ask(m, a);
	meeting_send(m, s.focus, "<presence type='unavailable' to='" ROOM "/focus'/>");
	meeting_join(m, a, "aaaaaaaa", NULL);
	assert_int_equal(a->in.n, 0);
	focus_join(m, s.focus);
	assert_seen(1, a, "code='110'");
	assert_int_equal(seen_index(a, "from='" ROOM "/focus'", NULL), 0);
}

/* Every allocation may fail: the focus is refused or in, and nobody is left half in a room. */
static void test_memory(void **state)
{
	struct meeting *m = *state;
	meeting_start(m);
	for (long budget = 0; budget < 120; budget++) {
		struct client *f = new_focus(m), *a = meeting_client(m, NULL);
		m->budget = budget;
		ask(m, a);
		meeting_join(m, a, "aaaaaaaa", NULL);
		focus_join(m, f);
		m->budget = -1;
		meeting_gone(m, a);
		meeting_gone(m, f);
		meeting_sleep(m, m->settings.ready_ms + 200);
		assert_null(room_find(m->rooms, STR(ROOM)));
		meeting_forget(m);
	}
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
UNIT_MAIN(T(test_request), T(test_no_focus), T(test_policy_first), T(test_people_open_nothing),
        T(test_parking), T(test_focus_never_comes), T(test_many_wait), T(test_promotes_nobody),
        T(test_kicks), T(test_mute), T(test_form), T(test_crash), T(test_end),
        T(test_end_and_again), T(test_memory))
