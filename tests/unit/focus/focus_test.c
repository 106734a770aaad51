/* focus_test.c - conference requests, mute, Jingle to the focus, and addresses that are nobody's.
 * io */
#include "support/meeting.h"

#include <stdio.h>

#define FOCUS_IQ(type, payload)                                                                    \
	"<iq type='" type "' id='f1' to='focus.meet.example'>" payload "</iq>"
#define CONFERENCE(room)                                                                           \
	"<conference xmlns='" NS_FOCUS "' room='" room                                             \
	"' machine-uid='u' token='t' session-id='s'/>"

static int setup(void **state)
{
	*state = meeting_new();
	return 0;
}

static int teardown(void **state)
{
	meeting_free(*state);
	return 0;
}

static void test_conference(void **state)
{
	struct meeting *m = *state;
	meeting_start(m);
	struct client *a = meeting_client(m, NULL);
	meeting_send(m, a, FOCUS_IQ("set", CONFERENCE(ROOM)));
	assert_int_equal(a->in.n, 1);
	assert_string_equal(a->in.v[0],
	        "<iq xmlns='jabber:client' type='result' id='f1' from='focus.meet.example' "
	        "to='00000001-0000-4000-8000-000000000000@meet.example/r0'><conference "
	        "xmlns='http://jitsi.org/protocol/focus' "
	        "room='demo@conference.meet.example' ready='true' "
	        "focusjid='focus@auth.meet.example'>"
	        "<property name='authentication' value='true'/><property name='visitors-supported' "
	        "value='false'/>"
	        "</conference></iq>");
	assert_non_null(room_find(m->rooms, STR(ROOM)));
}

static void test_conference_refused(void **state)
{
	struct meeting *m = *state;
	m->policy.room_create = ROOM_CREATE_AUTHENTICATED;
	meeting_start(m);
	struct client *guest = meeting_client(m, NULL);
	struct client *other =
	        meeting_client(m, "{\"iss\":\"a\",\"sub\":\"s\",\"room\":\"other\"}");
	meeting_send(m, guest, FOCUS_IQ("set", CONFERENCE(ROOM)));
	assert_seen(1, guest, "type='error' id='f1'", "to='00000001",
	        "<error type='auth'><not-authorized xmlns=");
	/* a token for another room: ready, but nothing is created; the join tells why */
	meeting_send(m, other, FOCUS_IQ("set", CONFERENCE(ROOM)));
	assert_seen(1, other, "type='result'", "ready='true'");
	assert_null(room_find(m->rooms, STR(ROOM)));
	meeting_send(m, guest, FOCUS_IQ("set", "<conference xmlns='" NS_FOCUS "'/>"));
	assert_seen(1, guest, "bad-request");
	meeting_send(m, guest, FOCUS_IQ("set", CONFERENCE("x@elsewhere")));
	assert_seen(1, guest, "item-not-found");
	meeting_send(m, guest, FOCUS_IQ("set", CONFERENCE("conference.meet.example")));
	assert_seen(2, guest, "bad-request");
}

static void test_logins(void **state)
{
	struct meeting *m = *state;
	meeting_start(m);
	struct client *a = meeting_client(m, NULL);
	meeting_send(m, a, FOCUS_IQ("set", "<logout xmlns='" NS_FOCUS "' session-id='s'/>"));
	assert_seen(1, a, "not-acceptable",
	        "<session-invalid xmlns='http://jitsi.org/protocol/focus'/></error>");
	meeting_send(m, a,
	        FOCUS_IQ("get", "<login-url xmlns='" NS_FOCUS "' room='r' machine-uid='u'/>"));
	assert_seen(1, a, "service-unavailable");
	meeting_send(m, a, FOCUS_IQ("get", "<login-url xmlns='" NS_FOCUS "' machine-uid='u'/>"));
	assert_seen(2, a, "not-acceptable");
	meeting_send(m, a, FOCUS_IQ("get", "<other xmlns='o'/>"));
	assert_seen(2, a, "service-unavailable");
}

/* An outside login page: told, and the address for clients that ask. */
static void test_token_auth_url(void **state)
{
	struct meeting *m = *state;
	m->token_auth_url = STR("https://login.example/?room={room}");
	meeting_start(m);
	struct client *a = meeting_client(m, NULL);
	meeting_send(m, a, FOCUS_IQ("set", CONFERENCE(ROOM)));
	assert_seen(1, a, "<property name='externalAuth' value='true'/>");
	meeting_send(m, a,
	        FOCUS_IQ("get", "<login-url xmlns='" NS_FOCUS "' room='r' machine-uid='u'/>"));
	assert_seen(1, a,
	        "<login-url xmlns='http://jitsi.org/protocol/focus' "
	        "url='https%3A%2F%2Flogin.example%2F%3Froom%3D%7Broom%7D' room='r' "
	        "machine-uid='u'/>");
	meeting_send(m, a, FOCUS_IQ("get", "<login-url xmlns='" NS_FOCUS "' room='r'/>"));
	assert_seen(1, a, "bad-request");
	meeting_send(m, a, FOCUS_IQ("get", "<ping xmlns='" NS_PING "'/>"));
	assert_seen(1, a,
	        "<iq xmlns='jabber:client' type='result' id='f1' from='focus.meet.example'",
	        "/r0'/>");
}

static void mute(
        struct meeting *m, struct client *c, const char *kind, const char *nick, const char *value)
{
	meeting_forget(m);
	meeting_send(m, c,
	        "<iq type='set' id='m1' to='" ROOM "/focus'><mute xmlns='" NS_JITMEET
	        "/%s' jid='" ROOM "/%s'>%s</mute>"
	        "</iq>",
	        kind, nick, value);
}

static void test_mute(void **state)
{
	struct meeting *m = *state;
	meeting_start(m);
	struct client *mod = meeting_client(m, meeting_claims("1", "Mo", "true"));
	struct client *guest = meeting_client(m, NULL);
	meeting_join(m, mod, "mod", NULL);
	meeting_join(m, guest, "guest", NULL);
	static const char *const kinds[] = {"audio", "video", "desktop"};
	for (size_t i = 0; i < 3; i++) {
		char want[160];
		mute(m, mod, kinds[i], "guest", "true");
		assert_seen(1, mod,
		        "<iq xmlns='jabber:client' type='result' id='m1' from='" ROOM "/focus'");
		snprintf(want, sizeof want,
		        "<mute xmlns='http://jitsi.org/jitmeet/%s' actor='" ROOM
		        "/mod'>true</mute></iq>",
		        kinds[i]);
		assert_seen(1, guest, "type='set'", "from='" ROOM "/focus'", "to='00000002-", want);
	}
	mute(m, guest, "audio", "mod", "true"); /* only moderators mute others */
	assert_seen(1, guest, "type='error' id='m1'", "not-allowed");
	assert_int_equal(mod->in.n, 0);
	mute(m, mod, "audio", "guest", "false"); /* nobody unmutes others */
	assert_seen(1, mod, "not-allowed");
	mute(m, guest, "audio", "guest", "false");
	assert_seen(1, guest, "type='result'");
	assert_int_equal(guest->in.n, 1);
	mute(m, mod, "audio", "nobody", "true");
	assert_seen(1, mod, "item-not-found");
	mute(m, mod, "audio", "focus", "true");
	assert_seen(1, mod, "not-allowed");
	mute(m, mod, "audio", "guest", "yes");
	assert_seen(1, mod, "bad-request");
	meeting_forget(m);
	meeting_send(m, mod,
	        "<iq type='set' id='m2' to='" ROOM "/focus'><mute xmlns='" NS_MUTE_AUDIO
	        "'>true</mute></iq>");
	assert_seen(1, mod, "bad-request");
	/* strangers have no focus there */
	struct client *stranger = meeting_client(m, NULL);
	mute(m, stranger, "audio", "guest", "true");
	assert_seen(1, stranger, "type='error'", "not-acceptable");
}

static void test_focus_occupant(void **state)
{
	struct meeting *m = *state;
	meeting_start(m);
	struct client *a = meeting_client(m, NULL);
	meeting_join(m, a, "a", NULL);
	meeting_send(m, a,
	        "<iq type='set' id='1' to='" ROOM "/focus'><jingle xmlns='" NS_JINGLE
	        "' action='session-info' sid='x'/></iq>");
	assert_seen(1, a, "type='error' id='1' from='" ROOM "/focus'",
	        "<item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
	        "<unknown-session xmlns='urn:xmpp:jingle:errors:1'/></error>");
	meeting_send(m, a,
	        "<iq type='get' id='2' to='" ROOM "/focus'><query xmlns='" NS_DISCO_INFO
	        "'/></iq>");
	assert_seen(1, a, "type='result' id='2'", "<feature var='urn:xmpp:ping'/>");
	meeting_send(m, a,
	        "<iq type='set' id='3' to='" ROOM
	        "/focus'><dial xmlns='urn:xmpp:rayo:1' to='x'/></iq>");
	assert_seen(1, a, "type='error' id='3'", "service-unavailable");
	size_t before = a->in.n;
	meeting_send(m, a, "<iq type='result' id='4' to='" ROOM "/focus'/>");
	meeting_send(m, a, "<iq type='error' id='5' to='" ROOM "/focus'/>");
	assert_int_equal(a->in.n, before);
	meeting_send(m, a,
	        "<message type='chat' id='6' to='" ROOM "/focus'><body>hello</body></message>");
	assert_seen(1, a, "type='error' id='6'", "item-not-found");
}

static void test_addresses(void **state)
{
	struct meeting *m = *state;
	meeting_start(m);
	struct client *a = meeting_client(m, NULL);
	meeting_send(m, a,
	        "<iq type='get' id='1' to='lobby.meet.example'><ping xmlns='" NS_PING "'/></iq>");
	assert_seen(1, a, "type='error' id='1' from='lobby.meet.example'", "service-unavailable");
	meeting_send(
	        m, a, "<message id='2' to='someone@elsewhere.example'><body>x</body></message>");
	assert_seen(1, a, "type='error' id='2'", "remote-server-not-found");
	size_t before = a->in.n;
	meeting_send(m, a, "<presence to='someone@elsewhere.example'/>");
	meeting_send(m, a, "<iq type='result' id='3' to='elsewhere.example'/>");
	meeting_send(m, a, "<message type='error' to='elsewhere.example'/>");
	assert_int_equal(a->in.n, before);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
UNIT_MAIN(T(test_conference), T(test_conference_refused), T(test_logins), T(test_token_auth_url),
        T(test_mute), T(test_focus_occupant), T(test_addresses))
