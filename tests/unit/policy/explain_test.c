/* explain_test.c - what is told, in which order, and what stock Jitsi would have done. io */
#include "support/unit.h"

#include "cli/scene.h"
#include "policy/decide.h"
#include "policy/explain.h"
#include "token/claims.h"

/* The text of a join by these claims (NULL: a guest) into an empty existing room. */
static void explain(const char *payload, const struct policy_settings *s,
        const struct stock_setup *stock, const char *nick, struct buf *out)
{
	const char *error;
	struct scene scene;
	struct verdict v;
	struct jval *room = jval_parse(STR("{\"node\":\"demo\"}"), 2, NULL);
	struct claims *claims = payload ? token_claims_parse(str_c(payload)) : NULL;
	assert_true(!payload || claims);
	assert_true(scene_build(&scene, room, s, &error));
	struct join_request join = {.settings = s,
	        .room = &scene.view,
	        .claims = claims,
	        .session = STR("s"),
	        .nick = str_c(nick),
	        .requested = true};
	policy_join(&join, &v);
	struct explain_facts facts = {.settings = s,
	        .room = &scene.view,
	        .claims = claims,
	        .verdict = &v,
	        .typed = str_c(nick),
	        .token_lines = STR("token     (lines)\n"),
	        .setting_lines = STR("setting   (lines)\n"),
	        .stock = stock};
	buf_init(out, 0);
	explain_write(&facts, out);
	assert_false(out->failed);
	scene_done(&scene);
	claims_unref(claims);
	jval_free(room);
}

/* Each text stands behind the one before. */
static void assert_order(const struct buf *out, const char *const *texts)
{
	const char *at = out->p;
	for (; *texts; texts++) {
		const char *found = strstr(at, *texts);
		if (!found)
			fail_msg("\"%s\" is not there, or too early, in:\n%s", *texts, out->p);
		at = found + strlen(*texts);
	}
}

static const char everything[] =
        "{\"iss\":\"i\",\"sub\":\"s\",\"room\":\"demo\",\"moderator\":true,\"groups\":[\"/a\"],"
        "\"context\":{\"user\":{\"id\":\"u\",\"name\":\"Ann\",\"moderator\":\"True\"}}}";

static void lines_come_in_their_order(void **state)
{
	(void)state;
	struct policy_settings s;
	struct buf out;
	static const struct str path[] = {{"groups", 6}};
	static const struct claim_constant value[] = {{.text = {"/staff", 6}}};
	const struct claim_rule rule = {.path = {path, 1},
	        .op = CLAIM_OP_HAS,
	        .values = value,
	        .n_values = 1,
	        .grant = true,
	        .text = STR("groups has \"/staff\" then grant")};
	const struct stock_setup stock = {.auth = true, .jicofo_auth = true};
	policy_settings_init(&s);
	s.claim_rules = &rule;
	s.n_claim_rules = 1;
	explain(everything, &s, &stock, "Other", &out);
	assert_order(&out,
	        (const char *const[]){"ACCEPTED  member / participant", "R_TOKEN_DENY",
	                "token     (lines)", "claim     context.user.moderator = \"True\" (string)",
	                "-> no, W_CLAIM_VALUE", "claim     context.user.affiliation absent",
	                "rule 1 groups has \"/staff\" then grant: found [\"/a\"] (array) -> not "
	                "matched",
	                "ignored: $.moderator = true  W_CLAIM_MISPLACED", "decided   rule 6",
	                "role_mode=token -> member", "gates     node form",
	                "name      others see \"Ann\"; own page shows \"Ann\"; editing: off "
	                "(frozen)",
	                "rename \"Ann\" -> \"Other\": refused silently", "lasts     until leave",
	                "hint      omit `context.user.name`", "setting   (lines)", "jitsi     #1",
	                "jitsi     #10", "in the end: OWNER", NULL});
	buf_done(&out);
}

static void long_values_are_cut(void **state)
{
	(void)state;
	struct policy_settings s;
	struct buf out, payload;
	policy_settings_init(&s);
	buf_init(&payload, 0);
	buf_puts(&payload, "{\"iss\":\"i\",\"sub\":\"s\",\"room\":\"demo\",\"context\":{\"user\":{"
	                   "\"moderator\":\"");
	for (int i = 0; i < 300; i++)
		buf_puts(&payload, "\xc3\xa9");
	buf_puts(&payload, "\"}}}");
	explain(payload.p, &s, NULL, NULL, &out);
	assert_non_null(strstr(out.p, "..."));
	assert_true(out.n < 2000);
	buf_done(&payload);
	buf_done(&out);
}

static void a_refusal_names_the_fix(void **state)
{
	(void)state;
	struct policy_settings s;
	struct buf out;
	policy_settings_init(&s);
	explain("{\"iss\":\"i\",\"sub\":\"s\",\"room\":\"other\"}", &s, NULL, NULL, &out);
	assert_order(&out,
	        (const char *const[]){
	                "REFUSED join E_ROOM_MISMATCH \"Room does not match the room from token\"",
	                "refused at: room", "fix       the token's `room`", NULL});
	assert_null(strstr(out.p, "name      "));
	buf_done(&out);
}

static void every_refusal_of_a_user_has_a_fix(void **state)
{
	(void)state;
	for (unsigned r = E_FIRST_; r < REASON_COUNT; r++) {
		bool internal = r == E_NICK || r == E_CONFLICT || r == E_RATE || r == E_NO_TARGET;
		if (!internal && !*explain_fix((enum reason)r))
			fail_msg("%s has no fix", reason_name((enum reason)r));
	}
}

/* What stock Jitsi makes of a join, as "first>last", or "refused". */
static const char *stock_outcome(
        const struct stock_setup *setup, const char *payload, unsigned moderators)
{
	struct claims *claims = payload ? token_claims_parse(str_c(payload)) : NULL;
	struct room_view room = {.moderators = moderators};
	struct stock_join join = {setup, claims, &room};
	struct stock_story story;
	stock_story(&join, &story);
	claims_unref(claims);
	if (story.refused)
		return "refused";
	assert_int_equal(story.n, STOCK_STEPS_MAX); /* each of the sixteen has its say */
	if (story.owner_at_first)
		return story.owner_at_last ? "owner>owner" : "owner>none";
	return story.owner_at_last ? "none>owner" : "none>none";
}

#define USER(claims)                                                                               \
	"{\"iss\":\"i\",\"sub\":\"s\",\"room\":\"*\",\"context\":{\"user\":{" claims "}}}"

static void stock_jitsi_promotes_as_it_is_known_to(void **state)
{
	(void)state;
	const char *no = USER("\"moderator\":false"), *yes = USER("\"moderator\":true");
	struct stock_setup plain = {.auth = true, .jicofo_auth = true, .auto_owner = true};
	assert_string_equal(stock_outcome(&plain, no, 0), "none>owner"); /* everyone with a token */
	assert_string_equal(stock_outcome(&plain, NULL, 0), "refused");
	struct stock_setup affiliation = plain;
	affiliation.token_affiliation = true;
	assert_string_equal(
	        stock_outcome(&affiliation, no, 1), "none>owner"); /* Jicofo overrides it */
	affiliation.jicofo_auth = false;
	assert_string_equal(stock_outcome(&affiliation, no, 0), "none>owner"); /* elected first */
	assert_string_equal(stock_outcome(&affiliation, no, 1), "none>none");
	affiliation.auto_owner = false;
	assert_string_equal(
	        stock_outcome(&affiliation, no, 0), "none>none"); /* what the thread wanted */
	assert_string_equal(stock_outcome(&affiliation, yes, 0), "owner>owner");
	assert_string_equal(
	        stock_outcome(&affiliation, USER("\"moderator\":\"True\""), 0), "none>none");
	struct stock_setup everyone = {
	        .auth = true, .muc_allowners = true, .allow_empty_token = true};
	assert_string_equal(stock_outcome(&everyone, NULL, 1), "none>owner");
	struct stock_setup guests = {.auth = true, .jicofo_auth = true, .allow_empty_token = true};
	assert_string_equal(
	        stock_outcome(&guests, NULL, 1), "none>owner"); /* on the login domain */
	guests.guest_domain = true;
	assert_string_equal(stock_outcome(&guests, NULL, 1), "none>none");
	struct stock_setup waiting = {
	        .auth = true, .muc_wait_for_host = true, .wait_for_host_auto_owners = true};
	assert_string_equal(stock_outcome(&waiting, no, 1), "none>owner");
	struct stock_setup open = {.auto_owner = true};
	assert_string_equal(stock_outcome(&open, NULL, 0), "none>owner");
	assert_string_equal(stock_outcome(&open, NULL, 1), "none>none");
}

UNIT_MAIN(cmocka_unit_test(lines_come_in_their_order), cmocka_unit_test(long_values_are_cut),
        cmocka_unit_test(a_refusal_names_the_fix),
        cmocka_unit_test(every_refusal_of_a_user_has_a_fix),
        cmocka_unit_test(stock_jitsi_promotes_as_it_is_known_to))
