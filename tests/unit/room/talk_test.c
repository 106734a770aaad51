/* talk_test.c - chat, subject, history, the room form, discovery, IQs between occupants, names,
 * ready rooms. io */
#include "support/meeting.h"

#include <stdio.h>

#define OCCUPANT(nick) "from='" ROOM "/" nick "'"
#define SUBMIT(fields)                                                                             \
	"<query xmlns='" NS_MUC_OWNER "'><x xmlns='" NS_DATA                                       \
	"' type='submit'><field var='FORM_TYPE'><value>" NS_MUC_ROOMCONFIG                         \
	"</value></field>" fields "</x></query>"
#define FIELD(var, value) "<field var='muc#roomconfig_" var "'><value>" value "</value></field>"

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

struct cast {
	struct client *mod, *guest, *stranger;
};

static struct cast seat_all(struct meeting *m)
{
	struct cast c;
	meeting_start(m);
	c.mod = meeting_client(m, meeting_claims("1", "Mo", "true"));
	c.guest = meeting_client(m, NULL);
	c.stranger = meeting_client(m, NULL);
	meeting_join(m, c.mod, "mod", NULL);
	meeting_join(m, c.guest, "guest", "Gus");
	meeting_forget(m);
	return c;
}

static void test_groupchat(void **state)
{
	struct meeting *m = *state;
	struct cast c = seat_all(m);
	meeting_send(m, c.guest,
	        "<message type='groupchat' id='m1' to='" ROOM "' from='" ROOM
	        "/mod'><body>1 &lt; 2 'q'</body>"
	        "<nick xmlns='" NS_NICK "'>Mo</nick><display-name xmlns='" NS_DISPLAY_NAME
	        "'>Mo</display-name>"
	        "<delay xmlns='" NS_DELAY "' stamp='x'/><y xmlns='" NS_DELAY_OLD
	        "' stamp='20200101T00:00:00'/><addresses "
	        "xmlns='http://jabber.org/protocol/address'>"
	        "<address type='ofrom' jid='" ROOM "/mod'/></addresses>"
	        "<subject>Fake</subject><x xmlns='" NS_MUC_USER "'><status code='104'/></x>"
	        "<reply to='m0' id='m0'/><json-message xmlns='" NS_JITMEET
	        "'>{\"type\":\"t\"}</json-message></message>");
	const char *want =
	        " from='" ROOM "/guest' type='groupchat' id='m1'><body>1 &lt; 2 'q'</body>"
	        "<reply xmlns='urn:xmpp:reply:0' to='m0' id='m0'/>"
	        "<json-message "
	        "xmlns='http://jitsi.org/jitmeet'>{\"type\":\"t\"}</json-message></message>";
	assert_seen(1, c.mod, want);
	assert_seen(1, c.guest, want);
	assert_int_equal(c.mod->in.n + c.guest->in.n, 2);
	/* an id is given when there is none */
	meeting_send(m, c.mod, "<message type='groupchat' to='" ROOM "'><body>x</body></message>");
	assert_seen(1, c.guest, OCCUPANT("mod"), " id='", "<body>x</body>");
	meeting_send(m, c.stranger,
	        "<message type='groupchat' id='s' to='" ROOM "'><body>spam</body></message>");
	assert_seen(1, c.stranger, "type='error'", "not-acceptable",
	        "You are not currently connected to this chat");
	assert_seen(0, c.guest, "spam");
	/* an error is never answered */
	meeting_forget(m);
	meeting_send(m, c.stranger, "<message type='error' to='" ROOM "'><body>x</body></message>");
	meeting_send(
	        m, c.guest, "<message type='error' to='" ROOM "/mod'><body>x</body></message>");
	assert_int_equal(c.stranger->in.n + c.guest->in.n + c.mod->in.n, 0);
}

static void test_private(void **state)
{
	struct meeting *m = *state;
	struct cast c = seat_all(m);
	meeting_send(m, c.guest,
	        "<message type='chat' id='p' to='" ROOM "/mod'><body>psst</body></message>");
	assert_seen(1, c.mod,
	        " from='" ROOM "/guest' type='chat' id='p'><body>psst</body><x xmlns='" NS_MUC_USER
	        "'/></message>");
	assert_int_equal(c.guest->in.n, 0);
	meeting_send(m, c.guest,
	        "<message type='chat' id='q' to='" ROOM "/nobody'><body>psst</body></message>");
	assert_seen(1, c.guest, "type='error'", "id='q'", "item-not-found");
	meeting_send(m, c.stranger,
	        "<message type='chat' id='q' to='" ROOM "/mod'><body>psst</body></message>");
	assert_seen(1, c.stranger, "type='error'", "not-acceptable");
	meeting_send(m, c.mod,
	        "<message id='i' to='" ROOM "'><x xmlns='" NS_MUC_USER
	        "'><invite to='a@b'/></x></message>");
	assert_seen(1, c.mod, "type='error'", "id='i'", "feature-not-implemented");
}

static void test_subject(void **state)
{
	struct meeting *m = *state;
	m->settings.subject_bytes = 20;
	struct cast c = seat_all(m);
	meeting_send(m, c.guest,
	        "<message type='groupchat' to='" ROOM "'><subject>Mine</subject></message>");
	assert_seen(1, c.guest, "<error type='auth'><forbidden",
	        "You are not allowed to change the subject");
	meeting_send(m, c.mod,
	        "<message type='groupchat' to='" ROOM
	        "'><subject>Much longer than allowed</subject></message>");
	assert_seen(1, c.mod, "not-acceptable");
	meeting_send(m, c.mod,
	        "<message type='groupchat' to='" ROOM "'><subject>Bud&amp;get</subject></message>");
	assert_seen(1, c.guest, OCCUPANT("mod"), "<subject>Bud&amp;get</subject>");
	meeting_join(m, c.stranger, "late", NULL);
	assert_seen(1, c.stranger, OCCUPANT("mod"), "type='groupchat'",
	        "<subject>Bud&amp;get</subject>");
	meeting_send(m, c.mod, "<message type='groupchat' to='" ROOM "'><subject/></message>");
	assert_seen(1, c.guest, "<subject></subject>");
}

static void test_history(void **state)
{
	struct meeting *m = *state;
	m->settings.history_messages = 3;
	struct cast c = seat_all(m);
	for (int i = 0; i < 5; i++)
		meeting_send(m, c.guest,
		        "<message type='groupchat' id='h%d' to='" ROOM
		        "'><body>line %d</body></message>",
		        i, i);
	meeting_send(m, c.guest,
	        "<message type='groupchat' to='" ROOM "'><json-message xmlns='" NS_JITMEET
	        "'>{}</json-message>"
	        "</message>");
	meeting_gone(m, c.guest);
	meeting_join(m, c.stranger, "late", NULL);
	assert_seen(0, c.stranger, "line 1");
	assert_seen(3, c.stranger, "<delay");
	assert_seen(1, c.stranger, OCCUPANT("guest"), "<body>line 4</body>",
	        "<display-name xmlns='http://jitsi.org/protocol/display-name' "
	        "source='guest'>Gus</display-name>"
	        "<delay xmlns='urn:xmpp:delay' stamp='2026-09-21T",
	        "Z' from='" ROOM "'/></message>");
	assert_true(seen_index(c.stranger, "code='110'", NULL) <
	            seen_index(c.stranger, "line 2", NULL));
	assert_true(
	        seen_index(c.stranger, "line 4", NULL) < seen_index(c.stranger, "<subject>", NULL));
	struct client *none = meeting_client(m, NULL);
	meeting_send(m, none,
	        "<presence to='" ROOM "/none'><x xmlns='" NS_MUC
	        "'><history maxstanzas='1'/></x></presence>");
	assert_seen(1, none, "<delay");
}

static void test_message_size(void **state)
{
	struct meeting *m = *state;
	m->settings.message_bytes = 400;
	struct cast c = seat_all(m);
	char pad[401];
	memset(pad, 'p', 400);
	pad[400] = '\0';
	meeting_send(m, c.guest,
	        "<message type='groupchat' to='" ROOM "'><body>%s</body></message>", pad);
	meeting_send(
	        m, c.guest, "<iq type='get' id='r' to='" ROOM "/mod'><q xmlns='%s'/></iq>", "n");
	assert_seen(1, c.guest, "type='error'", "not-acceptable", "Message too large");
	assert_seen(1, c.mod, "<iq");
	assert_int_equal(room_service_counters(m->rooms)->limit_message, 1);
}

static void send_form(struct meeting *m, struct client *c, const char *form)
{
	meeting_forget(m);
	meeting_send(m, c, "<iq type='set' id='f' to='" ROOM "'>%s</iq>", form);
}

static void test_password(void **state)
{
	struct meeting *m = *state;
	struct cast c = seat_all(m);
	meeting_send(m, c.mod,
	        "<iq type='get' id='g' to='" ROOM "'><query xmlns='" NS_MUC_OWNER "'/></iq>");
	assert_seen(1, c.mod, "id='g'", "muc#roomconfig_roomsecret", "muc#roomconfig_membersonly",
	        "muc#roomconfig_whois", "muc#roominfo_meetingId");
	send_form(m, c.mod,
	        SUBMIT(FIELD("roomsecret", "s3cret") FIELD("passwordprotectedroom", "1")
	                        FIELD("whois", "anyone")));
	assert_seen(1, c.mod, "type='result' id='f'");
	assert_seen(1, c.guest, "<message", "type='groupchat'", " from='" ROOM "'",
	        "<status code='104'/>");
	meeting_join(m, c.stranger, "late", NULL);
	assert_seen(1, c.stranger, "<error type='auth'><not-authorized");
	meeting_send(m, c.stranger,
	        "<presence to='" ROOM "/late'><x xmlns='" NS_MUC
	        "'><password>wrong</password></x></presence>");
	assert_seen(2, c.stranger, "not-authorized");
	meeting_send(m, c.stranger,
	        "<presence to='" ROOM "/late'><x xmlns='" NS_MUC
	        "'><password>s3cret</password></x></presence>");
	assert_seen(1, c.stranger, "code='110'");
	meeting_send(m, c.stranger,
	        "<iq type='get' id='d' to='" ROOM "'><query xmlns='" NS_DISCO_INFO "'/></iq>");
	assert_seen(1, c.stranger, "id='d'", "muc_passwordprotected");
	send_form(m, c.mod, SUBMIT(FIELD("roomsecret", "")));
	assert_seen(1, c.guest, "code='104'");
	/* nothing changes: no notice */
	send_form(m, c.mod, SUBMIT(FIELD("whois", "anyone")));
	assert_seen(1, c.mod, "type='result'");
	assert_seen(0, c.guest, "code='104'");
}

static void guess(struct meeting *m, struct client *who, const char *password)
{
	meeting_send(m, who,
	        "<presence to='" ROOM "/late'><x xmlns='" NS_MUC
	        "'><password>%s</password></x></presence>",
	        password);
}

static void test_password_guesses(void **state)
{
	struct meeting *m = *state;
	m->settings.passwords_per_minute = 3;
	struct cast c = seat_all(m);
	send_form(m, c.mod,
	        SUBMIT(FIELD("roomsecret", "s3cret") FIELD("passwordprotectedroom", "1")));
	for (int i = 0; i < 5; i++)
		guess(m, c.stranger, "0000");
	assert_seen(3, c.stranger, "<error type='auth'><not-authorized");
	assert_seen(2, c.stranger, "resource-constraint");
	assert_int_equal(room_service_counters(m->rooms)->limit_passwords, 2);
	/* the right one is not looked at either, or it could be told apart */
	guess(m, c.stranger, "s3cret");
	assert_seen(0, c.stranger, "code='110'");
	meeting_sleep(m, 21000);
	guess(m, c.stranger, "s3cret");
	assert_seen(1, c.stranger, "code='110'");
	/* and right ones are free */
	for (int i = 0; i < 5; i++) {
		meeting_send(m, c.stranger, "<presence type='unavailable' to='" ROOM "/late'/>");
		guess(m, c.stranger, "s3cret");
	}
	assert_int_equal(room_service_counters(m->rooms)->limit_passwords, 3);
}

static void test_form_refusals(void **state)
{
	struct meeting *m = *state;
	struct cast c = seat_all(m);
	send_form(m, c.guest, SUBMIT(FIELD("roomsecret", "x")));
	assert_seen(1, c.guest, "type='error'", "<error type='auth'><forbidden");
	send_form(m, c.stranger, SUBMIT(FIELD("roomsecret", "x")));
	assert_seen(1, c.stranger, "forbidden");
	send_form(m, c.mod, SUBMIT(FIELD("membersonly", "true")));
	assert_seen(1, c.mod, "feature-not-implemented");
	send_form(m, c.mod, SUBMIT(FIELD("roomowners", "a@b")));
	assert_seen(1, c.mod, "forbidden");
	send_form(m, c.mod, SUBMIT(FIELD("membersonly", "maybe")));
	assert_seen(1, c.mod, "bad-request");
	send_form(m, c.mod, "<query xmlns='" NS_MUC_OWNER "'><thing/></query>");
	assert_seen(1, c.mod, "bad-request");
	send_form(m, c.mod,
	        "<query xmlns='" NS_MUC_OWNER "'><x xmlns='" NS_DATA "' type='cancel'/></query>");
	assert_seen(1, c.mod, "type='result'");
}

static void test_destroy(void **state)
{
	struct meeting *m = *state;
	struct cast c = seat_all(m);
	send_form(m, c.guest, "<query xmlns='" NS_MUC_OWNER "'><destroy/></query>");
	assert_seen(1, c.guest, "forbidden");
	send_form(m, c.mod,
	        "<query xmlns='" NS_MUC_OWNER
	        "'><destroy jid='evil@elsewhere'><reason>Done</reason></destroy></query>");
	assert_seen(1, c.mod, "type='result'");
	assert_seen(1, c.guest, "type='unavailable'", OCCUPANT("guest"),
	        "<item affiliation='none' role='none'/>"
	        "<destroy><reason>Done</reason></destroy>");
	assert_null(room_find(m->rooms, STR(ROOM)));
}

static void test_disco(void **state)
{
	struct meeting *m = *state;
	struct cast c = seat_all(m);
	const char *ask = "<iq type='get' id='d' to='%s'><query xmlns='" NS_DISCO_INFO "'/></iq>";
	meeting_send(m, c.guest, ask, ROOM);
	assert_seen(1, c.guest, "type='result' id='d'",
	        "<identity category='conference' type='text' name='demo'/>", "muc_unsecured",
	        "muc_open", "<field var='muc#roominfo_meetingId'><value>",
	        "<field var='muc#roominfo_created_timestamp'><value>1790000001000</value>");
	assert_seen(0, c.guest, "isbreakout");
	meeting_send(m, c.stranger, ask, ROOM);
	assert_seen(1, c.stranger, "type='error'", "<error type='auth'><forbidden");
	meeting_send(m, c.stranger, ask, "conference.meet.example");
	assert_seen(1, c.stranger, "type='result'", "category='conference'");
	meeting_send(m, c.stranger, ask, "nosuch@conference.meet.example");
	assert_seen(1, c.stranger, "type='error'", "item-not-found");
	meeting_send(
	        m, c.guest, "<iq type='get' id='v' to='" ROOM "'><vCard xmlns='vcard-temp'/></iq>");
	assert_seen(1, c.guest, "type='error' id='v'", "service-unavailable");
}

static void test_relay(void **state)
{
	struct meeting *m = *state;
	struct cast c = seat_all(m);
	meeting_send(m, c.guest,
	        "<iq type='set' id='j1' to='" ROOM "/mod' from='evil@x'><jingle xmlns='" NS_JINGLE
	        "' sid='s'>"
	        "<content name='0'/></jingle></iq>");
	assert_seen(1, c.mod,
	        "<iq xmlns='jabber:client' type='set' id='j1' "
	        "to='00000001-0000-4000-8000-000000000000@meet.example/r0' "
	        "from='" ROOM "/guest'><jingle xmlns='urn:xmpp:jingle:1' sid='s'><content "
	        "name='0'/></jingle></iq>");
	meeting_send(m, c.mod, "<iq type='result' id='j1' to='" ROOM "/guest'/>");
	assert_seen(1, c.guest, "type='result' id='j1'", OCCUPANT("mod"));
	meeting_send(m, c.mod,
	        "<iq type='error' id='j2' to='" ROOM
	        "/guest'><error type='cancel'><x xmlns='y'/></error></iq>");
	assert_seen(1, c.guest, "type='error' id='j2'", OCCUPANT("mod"),
	        "<error type='cancel'><x xmlns='y'/></error>");
	meeting_send(m, c.guest,
	        "<iq type='set' id='j3' to='" ROOM "/nobody'><jingle xmlns='" NS_JINGLE "'/></iq>");
	assert_seen(1, c.guest, "type='error' id='j3'", "item-not-found");
	meeting_send(m, c.stranger,
	        "<iq type='set' id='j4' to='" ROOM "/mod'><jingle xmlns='" NS_JINGLE "'/></iq>");
	assert_seen(1, c.stranger, "type='error' id='j4'", "not-acceptable");
	/* results for who has gone are dropped */
	meeting_forget(m);
	meeting_send(m, c.mod, "<iq type='result' id='j5' to='" ROOM "/nobody'/>");
	meeting_send(m, c.stranger, "<iq type='result' id='j6' to='" ROOM "/mod'/>");
	assert_int_equal(c.mod->in.n + c.stranger->in.n, 0);
	meeting_send(m, c.mod,
	        "<iq type='get' id='p1' to='" ROOM "/mod'><ping xmlns='" NS_PING "'/></iq>");
	assert_seen(1, c.mod, "type='result' id='p1' from='" ROOM "/mod'");
}

static void rename_to(struct meeting *m, struct client *c, const char *nick, const char *name)
{
	meeting_send(m, c,
	        "<presence to='" ROOM "/%s'><nick xmlns='" NS_NICK
	        "'>%s</nick><email>x@y</email></presence>",
	        nick, name);
}

static void test_names(void **state)
{
	struct meeting *m = *state;
	struct cast c = seat_all(m);
	/* a frozen name stays, also in the self-presence; the sender is told once per 30 s */
	rename_to(m, c.mod, "mod", "New");
	assert_seen(1, c.guest, OCCUPANT("mod"), ">Mo</nick>", "<email>1@example.org</email>");
	assert_seen(1, c.mod, OCCUPANT("mod"), ">Mo</nick>", "code='110'");
	assert_seen(1, c.mod, "system_chat_message", "Others see: Mo");
	rename_to(m, c.mod, "mod", "Newer");
	assert_seen(1, c.mod, "system_chat_message");
	meeting_sleep(m, 31000);
	rename_to(m, c.mod, "mod", "Newest");
	assert_seen(2, c.mod, "system_chat_message");
	assert_seen(0, c.guest, "New");
	/* a guest chooses, but not a name that looks like a token's */
	rename_to(m, c.guest, "guest", "Anna");
	assert_seen(1, c.mod, OCCUPANT("guest"), ">Anna</nick>");
	rename_to(m, c.guest, "guest", "M0");
	assert_seen(1, c.mod, OCCUPANT("guest"), ">M0 (guest)</nick>");
	assert_seen(1, c.guest, "system_chat_message", "M0 (guest)");
	rename_to(m, c.guest, "guest", "Zoe");
	assert_seen(1, c.mod, OCCUPANT("guest"), ">Zoe</nick>");
}

/* The person with the token comes second: the other is renamed, by one extra presence, and keeps
 * everything else. */
static void test_clash(void **state)
{
	struct meeting *m = *state;
	meeting_start(m);
	struct client *guest = meeting_client(m, NULL), *other = meeting_client(m, NULL);
	meeting_send(m, guest,
	        "<presence to='" ROOM "/guest'><x xmlns='" NS_MUC "'/><nick xmlns='" NS_NICK
	        "'>ANN</nick>"
	        "<email>7@example.org</email><stats-id>z</stats-id></presence>");
	meeting_join(m, other, "other", "Other");
	assert_seen(1, other, OCCUPANT("guest"), "<email>7@example.org</email>");
	meeting_forget(m);
	struct client *ann = meeting_client(m, meeting_claims("7", "Ann", NULL));
	meeting_join(m, ann, "ann", NULL);
	assert_seen(1, other, OCCUPANT("guest"), ">ANN (guest)</nick>", "<stats-id>z</stats-id>");
	assert_seen(0, other, OCCUPANT("guest"),
	        "7@example.org"); /* a borrowed e-mail is a borrowed picture */
	assert_seen(2, other, "<presence");
	assert_seen(1, guest, OCCUPANT("guest"), ">ANN (guest)</nick>", "code='110'");
	assert_seen(1, ann, OCCUPANT("guest"), ">ANN (guest)</nick>");
	assert_seen(4, ann, "<presence"); /* focus, two others, itself */
	assert_seen(1, ann, OCCUPANT("ann"), ">Ann</nick>", "code='110'");
}

/* Asking for rooms costs nothing, so one client cannot hold many that nobody enters; from loopback
 * neither. */
static void test_waiting_rooms(void **state)
{
	struct meeting *m = *state;
	m->settings.rooms_per_session = 3;
	meeting_start(m);
	struct client *a = meeting_client(m, NULL), *b = meeting_client(m, NULL);
	a->as.peer_loopback = b->as.peer_loopback = true;
	static const char ask[] =
	        "<iq type='set' id='c%d' to='focus.meet.example'><conference xmlns='" NS_FOCUS
	        "' room='r%d@conference.meet.example'/></iq>";
	for (int i = 0; i < 5; i++)
		meeting_send(m, a, ask, i, i);
	assert_seen(3, a, "ready='true'");
	assert_seen(2, a, "type='error'", "resource-constraint");
	assert_int_equal(room_service_counters(m->rooms)->limit_rooms_per_session, 2);
	meeting_send(m, b, ask, 9, 9); /* others may */
	assert_seen(1, b, "ready='true'");
	meeting_send(m, b,
	        "<presence to='r0@conference.meet.example/b'><x xmlns='" NS_MUC "'/></presence>");
	meeting_send(m, a, ask, 6, 6); /* one of the three was entered */
	assert_seen(4, a, "ready='true'");
	meeting_sleep(m, m->settings.ready_ms + 200); /* and the others are over */
	assert_int_equal(room_service_counters(m->rooms)->rooms, 1);
	for (int i = 10; i < 14; i++)
		meeting_send(m, a, ask, i, i);
	assert_seen(7, a, "ready='true'");
}

static void test_ready_room(void **state)
{
	struct meeting *m = *state;
	meeting_start(m);
	struct client *a = meeting_client(m, NULL);
	assert_int_equal(room_service_request(m->rooms, &a->as, STR(ROOM)), R_NONE);
	assert_non_null(room_find(m->rooms, STR(ROOM)));
	meeting_sleep(m, 16000);
	assert_null(room_find(m->rooms, STR(ROOM)));
	assert_int_equal(room_service_request(m->rooms, &a->as, STR(ROOM)), R_NONE);
	meeting_sleep(m, 5000);
	meeting_join(m, a, "a", NULL);
	meeting_sleep(m, 60000);
	assert_non_null(room_find(m->rooms, STR(ROOM)));
	meeting_send(m, a, "<presence type='unavailable' to='" ROOM "/a'/>");
	assert_seen(1, a, "type='unavailable'", "code='110'");
	assert_null(room_find(m->rooms, STR(ROOM)));
	assert_int_equal(room_service_counters(m->rooms)->rooms, 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
UNIT_MAIN(T(test_groupchat), T(test_private), T(test_subject), T(test_history),
        T(test_message_size), T(test_password), T(test_password_guesses), T(test_form_refusals),
        T(test_destroy), T(test_disco), T(test_relay), T(test_names), T(test_clash),
        T(test_waiting_rooms), T(test_ready_room))
