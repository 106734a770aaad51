/* entry_test.c - joining a room: order, one presence each, refusals, limits, memory. io */
#include "support/meeting.h"

#include <stdio.h>

#define OCCUPANT(nick) "from='" ROOM "/" nick "'"

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

static void test_first_join(void **state)
{
	struct meeting *m = *state;
	meeting_start(m);
	struct client *a = meeting_client(m, meeting_claims("1", "Ann", "true"));
	meeting_join(m, a, "aaaaaaaa", "Typed");
	/* the focus first, then the joiner itself with role, codes and permissions, then the
	 * subject */
	assert_int_equal(
	        seen_index(a, OCCUPANT("focus"), "jid='focus@auth.meet.example/focus'", NULL), 0);
	assert_string_equal(a->in.v[1],
	        "<presence xmlns='jabber:client' "
	        "to='00000001-0000-4000-8000-000000000000@meet.example/r0' "
	        "from='demo@conference.meet.example/aaaaaaaa'><nick "
	        "xmlns='http://jabber.org/protocol/nick'>Ann</nick>"
	        "<identity><user><id>1</id><name>Ann</name></user><group/></"
	        "identity><email>1@example.org</"
	        "email>"
	        "<x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='owner' "
	        "role='moderator' "
	        "jid='00000001-0000-4000-8000-000000000000@meet.example/r0'/><status "
	        "code='100'/><status "
	        "code='110'/></x>"
	        "<permissions xmlns='http://jitsi.org/jitmeet'><p name='livestreaming' val='true'/>"
	        "<p name='recording' val='true'/><p name='transcription' val='true'/><p "
	        "name='outbound-call' val='true'/>"
	        "<p name='create-polls' val='true'/><p name='send-groupchat' val='true'/><p "
	        "name='flip' "
	        "val='true'/>"
	        "<p name='live-translation' val='true'/><p name='live-translation-subscribe' "
	        "val='true'/></permissions></presence>");
	assert_int_equal(seen_index(a, "<subject></subject>", NULL), 2);
	/* the name was overruled: a private notice */
	assert_seen(1, a, "system_chat_message", "Others see: Ann");
	assert_int_equal(a->in.n, 4);
}

static void test_second_join(void **state)
{
	struct meeting *m = *state;
	meeting_start(m);
	struct client *a = meeting_client(m, meeting_claims("1", "Ann", "true"));
	struct client *b = meeting_client(m, NULL);
	meeting_join(m, a, "aaaaaaaa", NULL);
	meeting_forget(m);
	meeting_join(m, b, "bbbbbbbb", "Bob");
	assert_int_equal(seen_index(b, OCCUPANT("focus"), NULL), 0);
	assert_int_equal(seen_index(b, OCCUPANT("aaaaaaaa"), "role='moderator'", NULL), 1);
	assert_int_equal(seen_index(b, OCCUPANT("bbbbbbbb"),
	                         "affiliation='none' role='participant'", "code='110'", NULL),
	        2);
	assert_null(seen_last(b, "<permissions", NULL));
	assert_seen(1, a, "<presence");
	assert_seen(
	        1, a, OCCUPANT("bbbbbbbb"), ">Bob</nick>", "affiliation='none' role='participant'");
	assert_seen(0, a, "code='110'");
}

/* In every mode, whoever joins: each client sees exactly one presence of the joiner, and it is the
 * final one. */
static void one_presence_each(struct meeting *m)
{
	enum { N = 50 };
	struct client *c[N];
	char nick[16], from[64];
	meeting_start(m);
	for (int i = 0; i < N; i++) {
		const char *moderator = i % 5 == 0 ? "true" : i % 5 == 1 ? "\"false\"" : NULL;
		char id[16], name[32];
		snprintf(id, sizeof id, "%d", i);
		snprintf(name, sizeof name, "Name %d", i);
		c[i] = meeting_client(m, i % 5 == 4 ? NULL : meeting_claims(id, name, moderator));
	}
	for (int i = 0; i < N; i++) {
		snprintf(nick, sizeof nick, "%08x", i);
		meeting_join(m, c[i], nick, i % 5 == 4 ? "Guest" : NULL);
	}
	for (int i = 0; i < N; i++) {
		const char *final = NULL;
		snprintf(from, sizeof from, "from='" ROOM "/%08x'", i);
		for (int j = 0; j < N; j++) {
			assert_seen(1, c[j], "<presence", from);
			assert_seen(0, c[j], "type='error'");
			const char *item =
			        strstr(seen_last(c[j], "<presence", from, NULL), "<item");
			char shown[64];
			snprintf(shown, sizeof shown, "%.44s", item);
			if (!final)
				final = strstr(seen_last(c[j], "<presence", from, NULL), "<item");
			assert_memory_equal(item, final, 30);
			assert_int_equal(strstr(item, "code='110'") != NULL, i == j);
		}
		assert_int_equal(c[i]->in.n >= N + 1, 1);
	}
}

#define MODE_TEST(test, mode)                                                                      \
	static void test(void **state)                                                             \
	{                                                                                          \
		struct meeting *m = *state;                                                        \
		m->policy.role_mode = mode;                                                        \
		if (mode == ROLE_MODE_FIRST_USER)                                                  \
			m->policy.on_last_moderator_left = ON_LAST_ELECT;                          \
		one_presence_each(m);                                                              \
	}
MODE_TEST(test_one_token, ROLE_MODE_TOKEN)
MODE_TEST(test_one_first_user, ROLE_MODE_FIRST_USER)
MODE_TEST(test_one_authenticated, ROLE_MODE_AUTHENTICATED)
MODE_TEST(test_one_everyone, ROLE_MODE_EVERYONE)
MODE_TEST(test_one_none, ROLE_MODE_NONE)

static void test_one_open(void **state)
{
	struct meeting *m = *state;
	m->policy.auth = AUTH_NONE;
	m->policy.role_mode = ROLE_MODE_FIRST_USER;
	m->policy.on_last_moderator_left = ON_LAST_ELECT;
	one_presence_each(m);
}

static void expect_refused(struct meeting *m, struct client *c, const char *nick, const char *type,
        const char *condition)
{
	char error[64];
	meeting_forget(m);
	meeting_join(m, c, nick, "N");
	snprintf(error, sizeof error, "<error type='%s'><%s xmlns=", type, condition);
	assert_seen(1, c, "<presence xmlns='jabber:client' type='error'", error, " to='");
	assert_seen(1, c, "<presence");
}

static void test_nicks(void **state)
{
	struct meeting *m = *state;
	meeting_start(m);
	struct client *a = meeting_client(m, NULL), *b = meeting_client(m, NULL);
	meeting_join(m, a, "aaaaaaaa", "A");
	expect_refused(m, b, "focus", "cancel", "conflict");
	expect_refused(m, b, "aaaaaaaa", "cancel", "conflict");
	expect_refused(m, b, "a-b", "cancel", "not-allowed");
	expect_refused(m, b, "_b", "cancel", "not-allowed");
	meeting_send(m, b, "<presence to='" ROOM "'><x xmlns='" NS_MUC "'/></presence>");
	assert_seen(1, b, "jid-malformed");
	/* a change of nick is refused, and nobody hears of it */
	expect_refused(m, a, "cccccccc", "cancel", "not-allowed");
	assert_seen(1, a, "Nick changes are not allowed");
	assert_seen(0, b, "cccccccc");
	/* presence without the muc element does not join */
	meeting_forget(m);
	meeting_send(m, b, "<presence to='" ROOM "/bbbbbbbb'/>");
	assert_seen(1, b, "type='error'", "not-acceptable");
}

static void test_strict_nick(void **state)
{
	struct meeting *m = *state;
	m->settings.resource_strict = true;
	meeting_start(m);
	struct client *a = meeting_client(m, NULL);
	expect_refused(m, a, "aaaaaaaa", "cancel", "not-allowed");
	meeting_join(m, a, "00000001", "A");
	assert_seen(1, a, "code='110'");
}

static void test_gates(void **state)
{
	struct meeting *m = *state;
	m->policy.room_create = ROOM_CREATE_AUTHENTICATED;
	meeting_start(m);
	struct client *guest = meeting_client(m, NULL);
	struct client *other =
	        meeting_client(m, "{\"iss\":\"app\",\"sub\":\"meet.example\",\"room\":\"other\"}");
	struct client *host = meeting_client(m, meeting_claims("1", "Ann", NULL));
	expect_refused(m, guest, "aaaaaaaa", "cancel", "not-allowed");
	assert_seen(1, guest,
	        "<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>Room creation is "
	        "restricted</text>");
	expect_refused(m, other, "aaaaaaaa", "cancel", "not-allowed");
	assert_seen(1, other, "<room-mismatch xmlns='http://jitsi.org/jitmeet'/>",
	        "Room does not match the room from token");
	meeting_join(m, host, "hhhhhhhh", NULL);
	meeting_forget(m);
	meeting_join(m, guest, "aaaaaaaa", "Guest");
	assert_seen(1, guest, "code='110'");
}

static void test_capacity(void **state)
{
	struct meeting *m = *state;
	m->policy.max_occupants = 2;
	meeting_start(m);
	char nick[16];
	for (int i = 0; i < 2; i++) {
		snprintf(nick, sizeof nick, "n%d", i);
		meeting_join(m, meeting_client(m, NULL), nick, NULL);
	}
	struct client *c = meeting_client(m, NULL);
	expect_refused(m, c, "n2", "wait", "service-unavailable");
	meeting_gone(m, &m->clients[0]);
	meeting_join(m, c, "n2", NULL);
	assert_seen(1, c, "code='110'");
}

static void test_limits(void **state)
{
	struct meeting *m = *state;
	m->settings.occupants_per_room = 3;
	m->settings.rooms_per_session = 2;
	m->settings.rooms = 3;
	m->settings.rooms_per_address = 2;
	meeting_start(m);
	const struct room_counters *n = room_service_counters(m->rooms);
	char nick[16];
	for (int i = 0; i < 3; i++) {
		snprintf(nick, sizeof nick, "n%d", i);
		meeting_join(m, meeting_client(m, NULL), nick, NULL);
	}
	struct client *c = meeting_client(m, NULL);
	expect_refused(m, c, "n3", "wait", "service-unavailable");
	assert_int_equal(n->limit_occupants, 1);
	const char *join =
	        "<presence to='r%d@conference.meet.example/n'><x xmlns='" NS_MUC "'/></presence>";
	meeting_send(m, c, join, 1);
	meeting_forget(m);
	meeting_send(m, c, join, 2);
	assert_seen(1, c, "resource-constraint");
	assert_int_equal(n->limit_rooms_per_address, 1);
	c->as.peer_loopback = true;
	meeting_send(m, c, join, 3);
	meeting_send(m, c, join, 4);
	assert_int_equal(n->limit_rooms_per_session, 1);
	meeting_forget(m);
	struct client *d = meeting_client(m, NULL);
	d->as.peer_loopback = true;
	meeting_send(m, d, join, 5);
	assert_seen(1, d, "resource-constraint");
	assert_int_equal(n->limit_rooms, 1);
	/* those inside go on */
	meeting_send(m, &m->clients[0],
	        "<message type='groupchat' to='" ROOM "'><body>hi</body></message>");
	assert_seen(1, &m->clients[1], "<body>hi</body>");
}

static void test_join_rate(void **state)
{
	struct meeting *m = *state;
	m->settings.joins_per_second = 2;
	meeting_start(m);
	char nick[16];
	for (int i = 0; i < 8; i++) {
		snprintf(nick, sizeof nick, "n%d", i);
		meeting_join(m, meeting_client(m, NULL), nick, NULL);
	}
	/* the first opens the room, a burst of four follows */
	assert_int_equal(room_service_counters(m->rooms)->joins, 5);
	assert_int_equal(room_service_counters(m->rooms)->limit_joins, 3);
	assert_seen(1, &m->clients[7], "resource-constraint", "Rate limit exceeded");
	meeting_sleep(m, 1000);
	/* whom the room refuses anyway uses nothing of it up */
	struct client *stranger =
	        meeting_client(m, "{\"iss\":\"app\",\"sub\":\"s\",\"room\":\"other\"}");
	for (int i = 0; i < 8; i++)
		meeting_join(m, stranger, "stranger", NULL);
	assert_seen(8, stranger, "room-mismatch");
	meeting_join(m, &m->clients[7], "n7", NULL);
	assert_seen(1, &m->clients[7], "code='110'");
}

static void test_presence_size(void **state)
{
	struct meeting *m = *state;
	m->settings.presence_bytes = 200;
	meeting_start(m);
	struct client *a = meeting_client(m, NULL), *b = meeting_client(m, NULL);
	char pad[301];
	memset(pad, 'p', 300);
	pad[300] = '\0';
	meeting_send(
	        m, a, "<presence to='" ROOM "/a'><x xmlns='" NS_MUC "'/><s>%s</s></presence>", pad);
	assert_seen(1, a, "type='error'", "resource-constraint");
	meeting_join(m, a, "a", NULL);
	meeting_join(m, b, "b", NULL);
	meeting_forget(m);
	meeting_send(m, a, "<presence to='" ROOM "/a'><s>%s</s></presence>", pad);
	assert_int_equal(
	        a->in.n + b->in.n, 0); /* ignored: an error would look like a failed join */
	meeting_send(m, a, "<presence to='" ROOM "/a'><s>small</s></presence>");
	assert_seen(1, b, "<s>small</s>");
	assert_int_equal(room_service_counters(m->rooms)->limit_presence, 2);
}

/* What a client may not say about itself; and everything else is relayed as it was. */
static void test_filter(void **state)
{
	struct meeting *m = *state;
	meeting_start(m);
	struct client *a = meeting_client(m, NULL), *b = meeting_client(m, NULL);
	meeting_join(m, b, "b", NULL);
	meeting_send(m, a,
	        "<presence to='" ROOM "/a'><x xmlns='" NS_MUC
	        "'/><identity><user><id>1</id></user></identity>"
	        "<x xmlns='" NS_MUC_USER "'><item affiliation='owner' role='moderator'/></x>"
	        "<k><x xmlns='" NS_MUC_USER
	        "'><item role='moderator'/></x></k><permissions xmlns='" NS_JITMEET "'/>"
	        "<ignore xmlns='http://jitsi.org/jitmeet/'/><bridgeNotAvailable xmlns='" NS_FOCUS
	        "'/>"
	        "<stats-id>Zola</stats-id><q:z xmlns:q='odd' "
	        "q:a='1'><q:y/></q:z><avatar-url>https://e.org/a</avatar-url></presence>");
	const char *got = seen_last(b, OCCUPANT("a"), NULL);
	assert_non_null(got);
	assert_non_null(
	        strstr(got, "<avatar-url>https://e.org/a</avatar-url><stats-id>Zola</stats-id>"
	                    "<z xmlns='odd' xmlns:a0='odd' a0:a='1'><y/></z><x "
	                    "xmlns='http://jabber.org/protocol/muc#user'>"
	                    "<item affiliation='none' role='participant'"));
	static const char *const never[] = {
	        "<identity", "owner", "moderator", "permissions", "ignore", "bridge", "<k>"};
	for (size_t i = 0; i < sizeof never / sizeof *never; i++)
		assert_null(strstr(got, never[i]));
}

/* The join again, by who is inside: everything is told again, to him alone. */
static void test_rejoin(void **state)
{
	struct meeting *m = *state;
	meeting_start(m);
	struct client *a = meeting_client(m, meeting_claims("1", "Ann", "true"));
	struct client *b = meeting_client(m, NULL);
	meeting_join(m, a, "a", NULL);
	meeting_join(m, b, "b", "Bob");
	meeting_forget(m);
	meeting_join(m, b, "b", "Bob");
	assert_seen(1, b, OCCUPANT("focus"));
	assert_seen(1, b, OCCUPANT("a"));
	assert_seen(1, b, OCCUPANT("b"), "code='100'", "code='110'");
	assert_seen(1, a, "<presence");
	assert_int_equal(room_service_counters(m->rooms)->joins, 2);
	assert_int_equal(room_service_counters(m->rooms)->occupants, 2);
	/* each costs as much as a join, so they are few; the presence itself goes on */
	for (int i = 0; i < 20; i++)
		meeting_join(m, b, "b", "Bob");
	assert_seen(5, b, OCCUPANT("a"));
	assert_seen(5, b, "code='100'");
	assert_seen(21, a, OCCUPANT("b"));
	assert_int_equal(room_service_counters(m->rooms)->limit_joins, 16);
	meeting_sleep(m, 2000);
	meeting_join(m, b, "b", "Bob");
	assert_seen(6, b, OCCUPANT("a"));
}

static void test_identity(void **state)
{
	struct meeting *m = *state;
	meeting_start(m);
	struct client *a = meeting_client(m,
	        "{\"iss\":\"app\",\"sub\":\"s\",\"room\":\"*\",\"exp\":1790000100,\"context\":"
	        "{\"group\":\"g<1>\",\"user\":{\"id\":\"7\",\"name\":\"A&B\",\"avatar\":\"https://"
	        "e.org/"
	        "a.png\",\"secret\":\"x\"}}}");
	meeting_send(m, a,
	        "<presence to='" ROOM "/a'><x xmlns='" NS_MUC
	        "'/><avatar-url>https://other.org/b.png</avatar-url>"
	        "<email>someone@else.org</email></presence>");
	const char *got = seen_last(a, "code='110'", NULL);
	assert_non_null(strstr(got,
	        ">A&amp;B</nick><identity><user><id>7</id><name>A&amp;B</name>"
	        "<avatar>https://e.org/a.png</avatar></user><group>g&lt;1&gt;</group></identity>"
	        "<avatar-url>https://e.org/a.png</avatar-url><x "));
	assert_null(strstr(got, "secret"));
}

/* However many are refused, the log stays readable. */
static void test_log_limit(void **state)
{
	struct meeting *m = *state;
	m->settings.log_lines_per_second = 2;
	meeting_start(m);
	struct client *a = meeting_client(m, "{\"iss\":\"app\",\"sub\":\"s\",\"room\":\"other\"}");
	for (int i = 0; i < 10; i++)
		meeting_join(m, a, "a", NULL);
	assert_seen(10, a, "type='error'");
	assert_int_equal(room_service_counters(m->rooms)->refusals, 10);
	assert_int_equal(room_service_counters(m->rooms)->log_suppressed, 6);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
UNIT_MAIN(T(test_first_join), T(test_second_join), T(test_one_token), T(test_one_first_user),
        T(test_one_authenticated), T(test_one_everyone), T(test_one_none), T(test_one_open),
        T(test_nicks), T(test_strict_nick), T(test_gates), T(test_capacity), T(test_limits),
        T(test_join_rate), T(test_presence_size), T(test_filter), T(test_rejoin), T(test_identity),
        T(test_log_limit))
