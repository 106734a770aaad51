/* memory_test.c - each allocation fails once, in every kind of stanza: refused or fine, never half,
 * and the room lives. io */
#include "support/meeting.h"

#include <stdio.h>
#include <stdlib.h>

#define OCCUPANT(nick) "from='" ROOM "/" nick "'"
#define ATTEMPTS 160

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

/* Takes the last client away again. */
static void drop_last(struct meeting *m)
{
	struct client *c = &m->clients[--m->n_clients];
	meeting_gone(m, c);
	claims_unref(c->as.claims);
	for (size_t i = 0; i < c->in.n; i++)
		free(c->in.v[i]);
	free(c->in.v);
	*c = (struct client){0};
}

static bool is_inside(const struct meeting *m, const char *nick)
{
	const struct room *r = room_find(m->rooms, STR(ROOM));
	return r && room_occupant(r, str_c(nick));
}

static void expect_alive(struct meeting *m, struct client *c)
{
	meeting_forget(m);
	meeting_send(m, c, "<message type='groupchat' to='" ROOM "'><body>alive</body></message>");
	assert_seen(1, c, "<body>alive</body>");
}

static void test_join(void **state)
{
	struct meeting *m = *state;
	unsigned refused = 0, joined = 0;
	meeting_start(m);
	struct client *a = meeting_client(m, meeting_claims("1", "Ann", "true"));
	meeting_join(m, a, "aaaaaaaa", NULL);
	for (m->budget = 0; m->budget < ATTEMPTS; m->budget++) {
		struct client *b = meeting_client(m, meeting_claims("2", "Bob", NULL));
		meeting_forget(m);
		meeting_send(m, b,
		        "<presence to='" ROOM "/b'><x xmlns='" NS_MUC
		        "'/><nick>X</nick><email>e@f</email><a>b</a>"
		        "</presence>");
		if (is_inside(m, "b"))
			assert_seen(1, a, "<presence", OCCUPANT("b"), ">Bob</nick>", "member",
			        "participant");
		else
			assert_seen(0, a, "<presence");
		is_inside(m, "b") ? joined++ : refused++;
		drop_last(m);
	}
	m->budget = -1;
	assert_true(joined > 20);
	assert_true(refused > 20);
	expect_alive(m, a);
}

/* A newcomer whose name marks another's, and whose room is not there yet. */
static void test_first_join_and_clash(void **state)
{
	struct meeting *m = *state;
	meeting_start(m);
	for (m->budget = 0; m->budget < ATTEMPTS; m->budget++) {
		struct client *guest = meeting_client(m, NULL);
		meeting_join(m, guest, "guest", "Bob");
		long budget = m->budget;
		if (!is_inside(m, "guest")) {
			m->budget = -1;
			meeting_join(m, guest, "guest", "Bob");
			m->budget = budget;
		}
		struct client *b = meeting_client(m, meeting_claims("2", "Bob", NULL));
		meeting_join(m, b, "b", NULL);
		if (is_inside(m, "b"))
			assert_seen(1, guest, OCCUPANT("b"), ">Bob</nick>");
		m->budget = -1;
		expect_alive(m, guest);
		m->budget = budget;
		drop_last(m);
		drop_last(m);
		assert_null(room_find(m->rooms, STR(ROOM)));
	}
}

/* Sends the stanza as `who` to a room of two moderators and a guest, with each budget. */
static void each_budget(struct meeting *m, bool by_guest, const char *stanza)
{
	meeting_start(m);
	for (long n = 0; n < ATTEMPTS; n++) {
		struct client *mod = meeting_client(m, meeting_claims("1", "Mo", "true"));
		struct client *other = meeting_client(m, meeting_claims("2", "Max", "true"));
		struct client *guest = meeting_client(m, NULL);
		meeting_join(m, mod, "mod", NULL);
		meeting_join(m, other, "other", NULL);
		meeting_join(m, guest, "guest", "Gus");
		m->budget = n;
		meeting_send(m, by_guest ? guest : mod, "%s", stanza);
		m->budget = -1;
		/* who sees a role sees the one that is in force, if not at once */
		meeting_sleep(m, 400);
		const char *seen = seen_last(other, "<presence", OCCUPANT("guest"), NULL);
		struct room *r = room_find(m->rooms, STR(ROOM));
		if (r && room_occupant(r, STR("guest")))
			assert_int_equal(seen && strstr(seen, "role='moderator'"),
			        occupant_is_moderator(room_occupant(r, STR("guest"))));
		if (r && room_occupant(r, STR("other")))
			expect_alive(m, other);
		drop_last(m);
		drop_last(m);
		drop_last(m);
		assert_int_equal(room_service_counters(m->rooms)->occupants, 0);
		assert_int_equal(room_service_counters(m->rooms)->rooms, 0);
	}
}

#define ADMIN(item)                                                                                \
	"<iq type='set' id='i' to='" ROOM "'><query xmlns='" NS_MUC_ADMIN "'>" item "</query></"   \
	"iq>"
#define OWNER(what)                                                                                \
	"<iq type='set' id='o' to='" ROOM "'><query xmlns='" NS_MUC_OWNER "'>" what "</query></"   \
	"iq>"

#define BUDGET_TEST(name, by_guest, stanza)                                                        \
	static void name(void **state)                                                             \
	{                                                                                          \
		each_budget(*state, by_guest, stanza);                                             \
	}
BUDGET_TEST(test_kick, false, ADMIN("<item nick='guest' role='none'><reason>r</reason></item>"))
BUDGET_TEST(test_ban, false, ADMIN("<item nick='guest' affiliation='outcast'/>"))
BUDGET_TEST(test_step_down, false, ADMIN("<item nick='mod' affiliation='none'/>"))
BUDGET_TEST(test_chat, true, "<message type='groupchat' to='" ROOM "'><body>x</body></message>")
BUDGET_TEST(test_private, true, "<message type='chat' to='" ROOM "/mod'><body>x</body></message>")
BUDGET_TEST(test_subject, false,
        "<message type='groupchat' to='" ROOM "'><subject>x</subject></message>")
BUDGET_TEST(test_rename, true,
        "<presence to='" ROOM "/guest'><nick>Mo</nick><email>1@example.org</email><s/></presence>")
BUDGET_TEST(test_leave, false,
        "<presence type='unavailable' to='" ROOM "/mod'><status>bye</status></presence>")
BUDGET_TEST(test_password, false,
        OWNER("<x xmlns='" NS_DATA "' type='submit'><field var='muc#roomconfig_roomsecret'>"
              "<value>pw</value></field></x>"))
BUDGET_TEST(test_destroy, false, OWNER("<destroy><reason>r</reason></destroy>"))
BUDGET_TEST(test_form, false,
        "<iq type='get' id='g' to='" ROOM "'><query xmlns='" NS_MUC_OWNER "'/></iq>")
BUDGET_TEST(test_disco, true,
        "<iq type='get' id='g' to='" ROOM "'><query xmlns='" NS_DISCO_INFO "'/></iq>")
BUDGET_TEST(test_relay, true,
        "<iq type='set' id='g' to='" ROOM "/mod'><jingle xmlns='" NS_JINGLE "'/></iq>")
BUDGET_TEST(test_mute, false,
        "<iq type='set' id='g' to='" ROOM "/focus'><mute xmlns='" NS_MUTE_AUDIO "' jid='" ROOM
        "/guest'>"
        "true</mute></iq>")
BUDGET_TEST(test_request, true,
        "<iq type='set' id='g' to='focus.meet.example'><conference xmlns='" NS_FOCUS "' room='" ROOM
        "'/></iq>")

/* A grant is announced or it has not happened. */
static void test_grant(void **state)
{
	each_budget(*state, false, ADMIN("<item nick='guest' affiliation='owner'/>"));
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
UNIT_MAIN(T(test_join), T(test_first_join_and_clash), T(test_kick), T(test_ban), T(test_step_down),
        T(test_chat), T(test_private), T(test_subject), T(test_rename), T(test_leave),
        T(test_password), T(test_destroy), T(test_form), T(test_disco), T(test_relay), T(test_mute),
        T(test_request), T(test_grant))
