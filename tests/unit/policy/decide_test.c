/* decide_test.c - what vectors do not show: features of grants, texts and elements, want of memory.
 * io */
#include "support/unit.h"

#include "base/mem.h"
#include "cli/scene.h"
#include "policy/capability.h"
#include "policy/decide.h"
#include "token/claims.h"

static const char meeting[] =
        "{\"node\":\"demo\",\"occupants\":["
        "{\"who\":\"t\",\"source\":\"token\",\"role\":\"moderator\",\"name\":\"Ann\","
        "\"name_from\":\"token\"},"
        "{\"who\":\"p\"},{\"who\":\"q\",\"guest\":true,\"name\":\"Bob\"},{\"who\":"
        "\"g\",\"guest\":true,\"source\":\"granted\","
        "\"role\":\"moderator\"}]}";

struct world {
	struct policy_settings settings;
	struct jval *json;
	struct scene scene;
};

static void world_begin(struct world *w, const char *room)
{
	const char *error;
	policy_settings_init(&w->settings);
	w->json = jval_parse(str_c(room), 8, NULL);
	assert_non_null(w->json);
	assert_true(scene_build(&w->scene, w->json, &w->settings, &error));
}

static void world_end(struct world *w)
{
	scene_done(&w->scene);
	jval_free(w->json);
}

static struct seat *seat(struct world *w, const char *who)
{
	for (size_t i = 0; i < w->scene.n_seats; i++) {
		if (str_eqc(w->scene.seats[i].who, who))
			return &w->scene.seats[i].seat;
	}
	fail();
	return NULL;
}

static struct join_request join_of(struct world *w, const struct claims *claims)
{
	return (struct join_request){
	        .settings = &w->settings,
	        .room = &w->scene.view,
	        .now = 1800000000,
	        .claims = claims,
	        .session = STR("s"),
	        .requested = true,
	};
}

static const char bob[] =
        "{\"iss\":\"i\",\"sub\":\"meet.jitsi\",\"room\":\"demo\",\"context\":{\"user\":{"
        "\"id\":\"b\",\"name\":\"Bob\"},"
        "\"features\":{\"recording\":true}}}";

static void a_grant_lends_the_granters_features_and_a_revoke_takes_them_back(void **state)
{
	(void)state;
	struct world w;
	struct verdict v;
	world_begin(&w, meeting);
	struct jval *features = jval_parse(STR("{\"recording\":true}"), 2, NULL);
	struct seat *granter = seat(&w, "t"), *target = seat(&w, "p");
	granter->own_features = features;
	struct item_request grant = {&w.settings, &w.scene.view, granter, target, true, false,
	        AFFILIATION_OWNER, ROLE_NONE};
	policy_item(&grant, &v);
	assert_true(v.accepted && v.changed && v.lent);
	assert_ptr_equal(v.lent_features, features);
	seat_apply(target, &v);
	assert_true(capability_has(target, STR("recording")));
	assert_false(capability_has(target, STR("livestreaming")));
	struct item_request revoke = {&w.settings, &w.scene.view, granter, target, false, true,
	        AFFILIATION_NONE, ROLE_PARTICIPANT};
	policy_item(&revoke, &v);
	assert_true(v.accepted && v.revoked && !v.lent);
	seat_apply(target, &v);
	assert_null(capability_effective(target));
	assert_true(target->revoked);
	jval_free(features);
	world_end(&w);
}

static void own_features_are_not_replaced_by_a_grant(void **state)
{
	(void)state;
	struct world w;
	struct verdict v;
	world_begin(&w, meeting);
	struct jval *own = jval_parse(STR("{\"flip\":true}"), 2, NULL);
	struct seat *target = seat(&w, "p");
	target->own_features = own;
	struct item_request grant = {&w.settings, &w.scene.view, seat(&w, "t"), target, true, false,
	        AFFILIATION_OWNER, ROLE_NONE};
	policy_item(&grant, &v);
	assert_true(v.accepted && !v.lent);
	assert_ptr_equal(v.own_features, own);
	jval_free(own);
	world_end(&w);
}

static void a_join_carries_features_and_renames_the_imitator(void **state)
{
	(void)state;
	struct world w;
	struct verdict v;
	struct change change;
	struct change_cursor cursor = {.begun = false};
	struct claims *claims = token_claims_parse(STR(bob));
	world_begin(&w, meeting);
	struct join_request join = join_of(&w, claims);
	policy_join(&join, &v);
	assert_true(v.accepted && v.has_name && v.name_frozen && !v.name_editable);
	assert_non_null(v.own_features);
	assert_true(verdict_change_next(&v, &w.settings, &w.scene.view, NULL, &cursor, &change));
	assert_ptr_equal(change.seat, seat(&w, "q"));
	assert_str(name_str(&change.name), "Bob (guest)");
	assert_false(verdict_change_next(&v, &w.settings, &w.scene.view, NULL, &cursor, &change));
	world_end(&w);
	claims_unref(claims);
}

static void refusals_carry_what_the_clients_look_for(void **state)
{
	(void)state;
	struct world w;
	struct verdict v;
	struct claims *claims = token_claims_parse(STR(bob));
	world_begin(&w, "{\"node\":\"other\",\"lobby\":true}");
	struct join_request join = join_of(&w, claims);
	policy_join(&join, &v);
	assert_int_equal(v.reason, E_ROOM_MISMATCH);
	assert_string_equal(v.element, "room-mismatch");
	assert_string_equal(v.text, "Room does not match the room from token");
	w.settings.domain_verification = true;
	policy_join(&join, &v);
	assert_null(v.element);
	assert_string_equal(v.text, "Room and token mismatched");
	world_end(&w);

	world_begin(&w, "{\"node\":\"demo\",\"lobby\":true}");
	join = join_of(&w, claims);
	policy_join(&join, &v);
	assert_int_equal(v.reason, E_LOBBY);
	assert_string_equal(v.element, "lobbyroom");
	assert_str(name_str(&v.name), "Bob"); /* the name to knock with */
	join.claims = NULL;
	policy_join(&join, &v);
	assert_int_equal(v.reason, E_LOBBY_NAME);
	assert_string_equal(v.element, "displayname-required");
	world_end(&w);

	world_begin(&w, "{\"node\":\"demo\",\"exists\":false}");
	w.settings.before_host = BEFORE_HOST_LOBBY;
	join = join_of(&w, NULL);
	assert_int_equal(policy_conference(&join, &v), CONFERENCE_READY_ONLY);
	policy_join(&join, &v);
	assert_string_equal(v.element, "lobbyroom");
	assert_true(v.waiting_for_host);
	world_end(&w);
	claims_unref(claims);
}

static void a_conference_request_answers_in_three_ways(void **state)
{
	(void)state;
	struct world w;
	struct verdict v;
	struct claims *claims = token_claims_parse(STR(bob));
	world_begin(&w, "{\"node\":\"demo\",\"exists\":false}");
	struct join_request join = join_of(&w, claims);
	assert_int_equal(policy_conference(&join, &v), CONFERENCE_READY);
	assert_true(v.create);
	join.claims = NULL;
	join.requested = false; /* not known yet: this is the request */
	assert_int_equal(policy_conference(&join, &v), CONFERENCE_REFUSED);
	assert_int_equal(v.stage, STAGE_CONFERENCE);
	world_end(&w);
	world_begin(&w, "{\"node\":\"other\",\"exists\":false}");
	join = join_of(&w, claims);
	assert_int_equal(policy_conference(&join, &v), CONFERENCE_READY_ONLY);
	assert_false(v.create);
	world_end(&w);
	claims_unref(claims);
}

static void a_token_that_ran_out_opens_no_door(void **state)
{
	(void)state;
	struct world w;
	struct verdict v;
	struct claims *claims = token_claims_parse(STR(bob));
	claims->has_exp = true;
	claims->exp = 1800000000 - 5;
	world_begin(&w, "{\"node\":\"demo\"}");
	struct join_request join = join_of(&w, claims);
	policy_join(&join, &v);
	assert_int_equal(v.reason, E_EXP);
	join.now--;
	policy_join(&join, &v);
	assert_true(v.accepted);
	world_end(&w);
	claims_unref(claims);
}

static void the_lobby_makes_members_of_guests_inside(void **state)
{
	(void)state;
	struct seat guest = {.guest = true}, owner = {.affiliation = AFFILIATION_OWNER};
	assert_int_equal(policy_lobby_on(&guest), AFFILIATION_MEMBER);
	assert_int_equal(policy_lobby_on(&owner), AFFILIATION_OWNER);
}

/* Each allocation fails once: the answer is the right one, or a refusal for want of memory; never a
 * wrong role. */
static void want_of_memory_refuses_and_never_promotes(void **state)
{
	(void)state;
	struct world w;
	struct verdict v;
	struct claims *claims = token_claims_parse(STR(bob));
	static const struct str rooms[] = {{"board", 5}};
	world_begin(&w, meeting);
	w.settings.role_mode = ROLE_MODE_EVERYONE;
	w.settings.moderated_rooms = (struct str_list){rooms, 1};
	struct join_request join = join_of(&w, claims);
	unsigned refused = 0;
	bool whole = false;
	for (long budget = 0; budget < 200 && !whole; budget++) {
		mem_budget_set(budget);
		policy_join(&join, &v);
		mem_budget_set(-1);
		whole = v.accepted && v.reason == R_EVERYONE && str_eqc(name_str(&v.name), "Bob");
		if (v.accepted)
			continue;
		assert_true(v.nomem);
		assert_int_equal(v.reason, E_RATE);
		refused++;
	}
	assert_true(whole);
	assert_true(refused > 3);
	world_end(&w);
	claims_unref(claims);
}

static void a_rename_wants_memory_too(void **state)
{
	(void)state;
	struct world w;
	struct verdict v;
	world_begin(&w, meeting);
	mem_budget_set(0);
	policy_rename(&w.settings, &w.scene.view, seat(&w, "q"), STR("Carl"), &v);
	mem_budget_set(-1);
	assert_true(!v.accepted && v.nomem);
	policy_rename(&w.settings, &w.scene.view, seat(&w, "q"), STR("Carl"), &v);
	assert_true(v.accepted);
	world_end(&w);
}

UNIT_MAIN(cmocka_unit_test(a_grant_lends_the_granters_features_and_a_revoke_takes_them_back),
        cmocka_unit_test(own_features_are_not_replaced_by_a_grant),
        cmocka_unit_test(a_join_carries_features_and_renames_the_imitator),
        cmocka_unit_test(refusals_carry_what_the_clients_look_for),
        cmocka_unit_test(a_conference_request_answers_in_three_ways),
        cmocka_unit_test(a_token_that_ran_out_opens_no_door),
        cmocka_unit_test(the_lobby_makes_members_of_guests_inside),
        cmocka_unit_test(want_of_memory_refuses_and_never_promotes),
        cmocka_unit_test(a_rename_wants_memory_too))
