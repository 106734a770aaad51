/* moderation_test.c - kick, ban, grant, revoke, several items, election and the end of a meeting.
 * io */
#include "support/meeting.h"

#include <stdio.h>

#define OCCUPANT(nick) "from='" ROOM "/" nick "'"
#define QUERY "<query xmlns='" NS_MUC_ADMIN "'>"

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

static void admin(struct meeting *m, struct client *c, const char *items)
{
	meeting_forget(m);
	meeting_send(m, c, "<iq type='set' id='i1' to='" ROOM "'>" QUERY "%s</query></iq>", items);
}

static void expect_error(const struct client *c, const char *type, const char *condition)
{
	char error[96];
	snprintf(error, sizeof error, "<error type='%s'><%s xmlns=", type, condition);
	assert_seen(1, c, "<iq xmlns='jabber:client' type='error' id='i1'", error);
	assert_seen(0, c, "<presence");
}

static void expect_done(const struct client *c)
{
	assert_seen(1, c, "<iq xmlns='jabber:client' type='result' id='i1' from='" ROOM "'");
}

struct cast {
	struct client *mod, *mod2, *member, *guest;
};

/* Two moderators by token, a member, a guest. */
static struct cast seat_all(struct meeting *m)
{
	struct cast c;
	meeting_start(m);
	c.mod = meeting_client(m, meeting_claims("1", "Mo", "true"));
	c.mod2 = meeting_client(m, meeting_claims("2", "Max", "true"));
	c.member = meeting_client(m, meeting_claims("3", "Mia", NULL));
	c.guest = meeting_client(m, NULL);
	meeting_join(m, c.mod, "mod", NULL);
	meeting_join(m, c.mod2, "mod2", NULL);
	meeting_join(m, c.member, "member", NULL);
	meeting_join(m, c.guest, "guest", "Gus");
	meeting_forget(m);
	return c;
}

static void test_kick(void **state)
{
	struct meeting *m = *state;
	struct cast c = seat_all(m);
	admin(m, c.mod, "<item nick='guest' role='none'><reason>Noise &amp; more</reason></item>");
	expect_done(c.mod);
	const char *gone =
	        "<item affiliation='none' role='none' "
	        "jid='00000004-0000-4000-8000-000000000000@meet.example/r3'>"
	        "<actor nick='mod'/><reason>Noise &amp; more</reason></item><status code='307'/>";
	assert_seen(1, c.mod, "type='unavailable' " OCCUPANT("guest"), gone);
	assert_seen(1, c.member, "type='unavailable' " OCCUPANT("guest"), gone);
	assert_seen(0, c.member, "code='110'");
	assert_seen(
	        1, c.guest, "type='unavailable' " OCCUPANT("guest"), gone, "<status code='110'/>");
	/* the good-bye of a kicked client is nobody's business, and it may come back */
	meeting_forget(m);
	meeting_send(m, c.guest, "<presence type='unavailable' to='" ROOM "/guest'/>");
	assert_int_equal(c.guest->in.n + c.mod->in.n, 0);
	meeting_join(m, c.guest, "guest", NULL);
	assert_seen(1, c.guest, "code='110'");
}

static void test_ban(void **state)
{
	struct meeting *m = *state;
	struct cast c = seat_all(m);
	admin(m, c.mod,
	        "<item jid='00000003-0000-4000-8000-000000000000@meet.example' "
	        "affiliation='outcast'/>");
	expect_done(c.mod);
	assert_seen(1, c.member, "affiliation='outcast' role='none'", "code='301'", "code='110'");
	/* by identity: another session with the same person's token is not let in; another person
	 * is */
	struct client *again = meeting_client(m, meeting_claims("3", "Other", NULL));
	struct client *other = meeting_client(m, meeting_claims("4", "Olga", NULL));
	meeting_join(m, again, "again", NULL);
	assert_seen(1, again, "type='error'", "<error type='auth'><forbidden");
	meeting_join(m, other, "other", NULL);
	assert_seen(1, other, "code='110'");
	admin(m, c.mod, "<item nick='guest' affiliation='outcast'/>");
	meeting_join(m, c.guest, "guest", NULL);
	assert_seen(1, c.guest, "type='error'", "forbidden");
}

/* Without an identity the token is what is banned, whoever brings it; without a token the session.
 */
static void test_ban_by_token(void **state)
{
	struct meeting *m = *state;
	struct cast c = seat_all(m);
	const char *claims = "{\"iss\":\"app\",\"sub\":\"s\",\"room\":\"*\",\"nonce\":%d}";
	char one[100], two[100];
	snprintf(one, sizeof one, claims, 1);
	snprintf(two, sizeof two, claims, 2);
	struct client *a = meeting_client(m, one), *b = meeting_client(m, one),
	              *d = meeting_client(m, two);
	memset(d->as.claims->token_sha256, 2, 32);
	meeting_join(m, a, "a", NULL);
	admin(m, c.mod, "<item nick='a' affiliation='outcast'/>");
	expect_done(c.mod);
	meeting_join(m, b, "b", NULL);
	assert_seen(1, b, "type='error'", "forbidden");
	meeting_join(m, d, "d", NULL);
	assert_seen(1, d, "code='110'");
}

static void test_same_identity(void **state)
{
	struct meeting *m = *state;
	m->policy.role_mode = ROLE_MODE_FIRST_USER;
	meeting_start(m);
	struct client *first = meeting_client(m, meeting_claims("1", "A", NULL));
	struct client *other = meeting_client(m, meeting_claims("2", "B", NULL));
	struct client *tab = meeting_client(m, meeting_claims("1", "A", NULL));
	meeting_join(m, first, "first", NULL);
	meeting_join(m, other, "other", NULL);
	meeting_join(m, tab, "tab", NULL);
	assert_seen(1, other, OCCUPANT("other"), "role='participant'");
	assert_seen(1, tab, OCCUPANT("tab"), "role='moderator'");
}

static void test_grant_and_revoke(void **state)
{
	struct meeting *m = *state;
	struct cast c = seat_all(m);
	/* by full JID, as clients of 2021 do */
	admin(m, c.mod,
	        "<item jid='00000004-0000-4000-8000-000000000000@meet.example/r3' "
	        "affiliation='owner'/>");
	expect_done(c.mod);
	assert_seen(1, c.member, OCCUPANT("guest"), "affiliation='owner' role='moderator'");
	assert_seen(1, c.guest, OCCUPANT("guest"), "affiliation='owner' role='moderator'",
	        "code='110'", "<permissions");
	/* again: success, and nothing changes */
	admin(m, c.mod, "<item nick='guest' affiliation='owner'/>");
	expect_done(c.mod);
	assert_seen(0, c.guest, "<presence");
	/* a granted moderator may not touch one by token; one by token may revoke him */
	admin(m, c.guest, "<item nick='mod' affiliation='none'/>");
	expect_error(c.guest, "cancel", "not-allowed");
	admin(m, c.guest, "<item nick='mod' role='none'/>");
	expect_error(c.guest, "cancel", "not-allowed");
	admin(m, c.mod2, "<item nick='guest' affiliation='none'/>");
	expect_done(c.mod2);
	assert_seen(1, c.guest, "affiliation='none' role='participant'", "code='110'");
	assert_seen(0, c.guest, "<permissions");
	/* nobody revokes a token's moderator but himself */
	admin(m, c.mod, "<item nick='mod2' affiliation='member'/>");
	expect_error(c.mod, "cancel", "not-allowed");
	admin(m, c.mod2, "<item nick='mod2' affiliation='none'/>");
	expect_done(c.mod2);
	assert_seen(1, c.mod, OCCUPANT("mod2"), "affiliation='member' role='participant'");
}

static void test_lent_features(void **state)
{
	struct meeting *m = *state;
	meeting_start(m);
	struct client *mod = meeting_client(m,
	        "{\"iss\":\"app\",\"sub\":\"s\",\"room\":\"*\",\"context\":{\"user\":"
	        "{\"id\":\"1\",\"moderator\":true},\"features\":{\"recording\":true,"
	        "\"livestreaming\":false}}}");
	struct client *guest = meeting_client(m, NULL);
	meeting_join(m, mod, "mod", NULL);
	assert_seen(0, mod, "<permissions"); /* the client reads its own token */
	meeting_join(m, guest, "guest", NULL);
	admin(m, mod, "<item nick='guest' affiliation='owner'/>");
	assert_seen(1, guest,
	        "<permissions xmlns='http://jitsi.org/jitmeet'><p name='recording' "
	        "val='true'/></permissions>");
	/* the lender's token outlives its session */
	meeting_gone(m, mod);
	claims_unref(mod->as.claims);
	mod->as.claims = NULL;
	meeting_send(m, guest, "<presence to='" ROOM "/guest'><x xmlns='" NS_MUC "'/></presence>");
	assert_seen(2, guest, "name='recording' val='true'");
}

static void test_refusals(void **state)
{
	struct meeting *m = *state;
	struct cast c = seat_all(m);
	struct client *stranger = meeting_client(m, NULL);
	admin(m, c.member, "<item nick='guest' role='none'/>");
	expect_error(c.member, "auth", "forbidden");
	admin(m, stranger, "<item nick='guest' role='none'/>");
	expect_error(stranger, "auth", "forbidden");
	admin(m, c.mod, "<item nick='nobody' role='none'/>");
	expect_error(c.mod, "modify", "item-not-found");
	admin(m, c.mod, "<item jid='not@@a@jid' role='none'/>");
	expect_error(c.mod, "modify", "item-not-found");
	admin(m, c.mod, "<item nick='focus' role='none'/>");
	expect_error(c.mod, "cancel", "not-allowed");
	admin(m, c.mod, "<item jid='focus@auth.meet.example/x' affiliation='none'/>");
	expect_error(c.mod, "cancel", "not-allowed");
	admin(m, c.mod, "<item nick='guest' affiliation='admin'/>");
	expect_error(c.mod, "auth", "forbidden");
	static const char *const bad[] = {"", "<item nick='guest'/>",
	        "<item nick='guest' role='king'/>", "<item nick='guest' affiliation='king'/>",
	        "<thing/>"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		admin(m, c.mod, bad[i]);
		expect_error(c.mod, "modify", "bad-request");
	}
	assert_int_equal(room_service_counters(m->rooms)->kicks, 0);
}

static void test_grant_off(void **state)
{
	struct meeting *m = *state;
	m->policy.runtime_grant = RUNTIME_GRANT_NEVER;
	struct cast c = seat_all(m);
	admin(m, c.mod, "<item nick='guest' affiliation='owner'/>");
	expect_error(c.mod, "cancel", "not-allowed");
	assert_seen(1, c.mod, "Granting moderator is disabled");
}

/* All or nothing; and the actor's own item does not take the ground from under the others. */
static void test_several(void **state)
{
	struct meeting *m = *state;
	struct cast c = seat_all(m);
	admin(m, c.mod,
	        "<item nick='guest' affiliation='owner'/><item nick='mod2' affiliation='none'/>");
	expect_error(c.mod, "cancel", "not-allowed");
	assert_seen(0, c.guest, "<presence");
	admin(m, c.mod,
	        "<item nick='mod' affiliation='none'/><item nick='guest' affiliation='owner'/>"
	        "<item nick='member' role='none'/>");
	expect_done(c.mod);
	assert_seen(1, c.mod2, OCCUPANT("mod"), "role='participant'");
	assert_seen(1, c.mod2, OCCUPANT("guest"), "role='moderator'");
	assert_seen(1, c.mod2, OCCUPANT("member"), "code='307'");
	/* the same person twice: the second finds nobody */
	admin(m, c.guest, "<item nick='mod' role='none'/><item nick='mod' role='none'/>");
	expect_done(c.guest);
	assert_seen(1, c.guest, OCCUPANT("mod"), "type='unavailable'");
	/* each may be told to everybody, so there are not too many */
	struct buf many;
	buf_init(&many, 0);
	for (int i = 0; i < 65; i++)
		buf_puts(&many, "<item nick='guest' affiliation='owner'/>");
	meeting_forget(m);
	admin(m, c.guest, many.p);
	expect_error(c.guest, "modify", "not-acceptable");
	buf_done(&many);
}

static void test_list(void **state)
{
	struct meeting *m = *state;
	struct cast c = seat_all(m);
	meeting_send(m, c.mod,
	        "<iq type='get' id='g' to='" ROOM "'>" QUERY
	        "<item affiliation='member'/></query></iq>");
	assert_seen(1, c.mod, "id='g'",
	        "<item affiliation='member' role='participant' "
	        "jid='00000003-0000-4000-8000-000000000000@meet.example' nick='member'/></query>");
	meeting_send(m, c.guest,
	        "<iq type='get' id='g' to='" ROOM "'>" QUERY
	        "<item affiliation='member'/></query></iq>");
	assert_seen(1, c.guest, "id='g'", "forbidden");
}

static void test_election(void **state)
{
	struct meeting *m = *state;
	m->policy.role_mode = ROLE_MODE_FIRST_USER;
	m->policy.on_last_moderator_left = ON_LAST_ELECT;
	meeting_start(m);
	struct client *first = meeting_client(m, meeting_claims("1", "A", NULL));
	struct client *denied = meeting_client(m, meeting_claims("2", "B", "\"false\""));
	struct client *guest = meeting_client(m, NULL);
	struct client *next = meeting_client(m, meeting_claims("3", "C", NULL));
	meeting_join(m, first, "first", NULL);
	meeting_join(m, denied, "denied", NULL);
	meeting_join(m, guest, "guest", NULL);
	meeting_join(m, next, "next", NULL);
	assert_seen(1, first, "code='110'", "role='moderator'");
	assert_seen(1, next, "code='110'", "role='participant'");
	meeting_forget(m);
	meeting_gone(m, first);
	assert_seen(0, first, "<presence");
	assert_int_equal(seen_index(guest, "type='unavailable'", OCCUPANT("first"), NULL), 0);
	assert_int_equal(
	        seen_index(guest, OCCUPANT("next"), "affiliation='owner' role='moderator'", NULL),
	        1);
	assert_seen(2, guest, "<presence");
	assert_seen(1, next, OCCUPANT("next"), "role='moderator'", "code='110'", "<permissions");
	/* nobody qualifies: the room goes on without */
	meeting_forget(m);
	meeting_send(m, next,
	        "<presence type='unavailable' to='" ROOM "/next'><status>bye</status></presence>");
	assert_seen(1, next, "type='unavailable'", "<status>bye</status>", "code='110'");
	assert_seen(1, guest, "<presence");
	assert_seen(0, denied, "role='moderator'");
}

static void test_end(void **state)
{
	struct meeting *m = *state;
	m->policy.on_last_moderator_left = ON_LAST_END;
	m->policy.end_after = 60;
	meeting_start(m);
	struct client *mod = meeting_client(m, meeting_claims("1", "A", "true"));
	struct client *guest = meeting_client(m, NULL);
	meeting_join(m, mod, "mod", NULL);
	meeting_join(m, guest, "guest", NULL);
	meeting_gone(m, mod);
	meeting_sleep(m, 59000);
	assert_seen(0, guest, "<destroy");
	meeting_join(m, mod, "mod", NULL); /* returns in time */
	meeting_sleep(m, 5000);
	assert_seen(0, guest, "<destroy");
	meeting_gone(m, mod);
	meeting_sleep(m, 61000);
	assert_seen(1, guest, "type='unavailable'",
	        "<destroy><reason>The meeting has been terminated</reason></destroy>");
	assert_null(room_find(m->rooms, STR(ROOM)));
}

static void test_expiry_demote(void **state)
{
	struct meeting *m = *state;
	m->policy.on_expiry = ON_EXPIRY_DEMOTE;
	m->policy.leeway = 5;
	meeting_start(m);
	struct client *mod =
	        meeting_client(m, "{\"iss\":\"a\",\"sub\":\"s\",\"room\":\"*\",\"exp\":1790000010,"
	                          "\"context\":{\"user\":{\"id\":\"1\",\"moderator\":true}}}");
	struct client *guest = meeting_client(m, NULL);
	meeting_join(m, mod, "mod", NULL);
	meeting_join(m, guest, "guest", NULL);
	meeting_sleep(m, 13000);
	assert_seen(1, guest, OCCUPANT("mod"));
	meeting_sleep(m, 3000);
	assert_seen(1, guest, OCCUPANT("mod"), "affiliation='member' role='participant'");
	assert_seen(2, guest, OCCUPANT("mod"));
	assert_false(mod->closed);
}

static void test_expiry_disconnect(void **state)
{
	struct meeting *m = *state;
	m->policy.on_expiry = ON_EXPIRY_DISCONNECT;
	meeting_start(m);
	struct client *mod =
	        meeting_client(m, "{\"iss\":\"a\",\"sub\":\"s\",\"room\":\"*\",\"exp\":1790000010,"
	                          "\"context\":{\"user\":{\"id\":\"1\",\"moderator\":true}}}");
	meeting_join(m, mod, "mod", NULL);
	meeting_sleep(m, 20000);
	assert_seen(1, mod, "system_chat_message", "expired");
	assert_false(mod->closed);
	meeting_sleep(m, 30000);
	assert_true(mod->closed);
	assert_string_equal(mod->close_condition, "not-authorized");
}

static void test_expiry_keep(void **state)
{
	struct meeting *m = *state;
	meeting_start(m);
	struct client *mod =
	        meeting_client(m, "{\"iss\":\"a\",\"sub\":\"s\",\"room\":\"*\",\"exp\":1790000010,"
	                          "\"context\":{\"user\":{\"id\":\"1\",\"moderator\":true}}}");
	meeting_join(m, mod, "mod", NULL);
	size_t before = mod->in.n;
	meeting_sleep(m, 60000);
	assert_int_equal(mod->in.n, before);
	assert_int_equal(room_service_counters(m->rooms)->expired, 1);
	assert_true(
	        occupant_is_moderator(room_occupant(room_find(m->rooms, STR(ROOM)), STR("mod"))));
}

static void test_record(void **state)
{
	struct meeting *m = *state;
	struct cast c = seat_all(m);
	admin(m, c.mod, "<item nick='guest' affiliation='owner'/>");
	admin(m, c.mod, "<item nick='guest' role='none'/>");
	struct jval *j = room_record_json(room_find(m->rooms, STR(ROOM)), STR("guest"));
	assert_non_null(j);
	const struct jval *rec = jval_at(jval_getc(j, "records"), 0);
	assert_str(jval_str(jval_getc(jval_getc(rec, "decision"), "reason")), "R_GUEST");
	const struct jval *events = jval_getc(rec, "events");
	assert_int_equal(jval_size(events), 2);
	assert_str(jval_str(jval_getc(jval_at(events, 0), "reason")), "R_GRANTED");
	assert_str(jval_str(jval_getc(jval_at(events, 0), "by")), "mod");
	assert_str(jval_str(jval_getc(jval_at(events, 1), "reason")), "R_KICKED");
	assert_true(
	        jval_is_bool(jval_getc(rec, "present")) && !jval_true(jval_getc(rec, "present")));
	jval_free(j);
	assert_null(room_record_json(room_find(m->rooms, STR(ROOM)), STR("unknown")));
	j = room_record_json(room_find(m->rooms, STR(ROOM)), STR_NONE);
	assert_int_equal(jval_size(jval_getc(j, "records")), 4);
	jval_free(j);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
UNIT_MAIN(T(test_kick), T(test_ban), T(test_ban_by_token), T(test_same_identity),
        T(test_grant_and_revoke), T(test_lent_features), T(test_refusals), T(test_grant_off),
        T(test_several), T(test_list), T(test_election), T(test_end), T(test_expiry_demote),
        T(test_expiry_disconnect), T(test_expiry_keep), T(test_record))
