/* capability_test.c - permissions, identity, e-mail and picture (roles.md 3.7 Grant, 3.8, 4.5). io
 */
#include "support/unit.h"

#include "policy/capability.h"
#include "token/claims.h"

static struct claims *claims_of(const char *user_and_features)
{
	struct buf text;
	buf_init(&text, 0);
	buf_printf(&text, "{\"iss\":\"i\",\"sub\":\"s\",\"room\":\"*\",\"context\":%s}",
	        user_and_features);
	struct claims *c = token_claims_parse(buf_view(&text));
	buf_done(&text);
	assert_non_null(c);
	return c;
}

static void a_moderator_without_features_gets_the_default_set(void **state)
{
	(void)state;
	const struct jval *features;
	struct seat moderator = {.role = ROLE_MODERATOR}, participant = {.role = ROLE_PARTICIPANT};
	assert_int_equal(capability_permissions(&moderator, &features), CAPABILITY_DEFAULT_SET);
	assert_int_equal(
	        capability_permissions(&participant, &features), CAPABILITY_NO_PERMISSIONS);
	assert_true(capability_has(&moderator, STR("recording")));
	assert_false(capability_has(&moderator, STR("flying")));
	assert_false(capability_has(&participant, STR("recording")));
}

static void own_features_count_and_are_not_sent_again(void **state)
{
	(void)state;
	const struct jval *features;
	struct claims *c =
	        claims_of("{\"user\":{\"id\":\"u\"},\"features\":{\"recording\":true,\"flip\":"
	                  "\"true\",\"livestreaming\":false}}");
	struct seat s = {.role = ROLE_MODERATOR, .own_features = capability_features(c, false)};
	assert_int_equal(capability_permissions(&s, &features), CAPABILITY_NO_PERMISSIONS);
	assert_true(capability_has(&s, STR("recording")));
	assert_true(capability_has(&s, STR("flip")));
	assert_false(capability_has(&s, STR("livestreaming")));
	assert_false(capability_has(&s, STR("transcription")));
	assert_null(capability_features(c, true)); /* a foreign tenant's */
	claims_unref(c);
}

static void a_granter_lends_what_he_has_and_no_more(void **state)
{
	(void)state;
	const struct jval *features;
	struct claims *c = claims_of("{\"features\":{\"recording\":true}}");
	struct seat granter = {
	        .role = ROLE_MODERATOR, .own_features = capability_features(c, false)};
	struct seat target = {.role = ROLE_MODERATOR,
	        .lent = true,
	        .lent_features = capability_effective(&granter)};
	assert_int_equal(capability_permissions(&target, &features), CAPABILITY_LENT);
	assert_ptr_equal(features, granter.own_features);
	assert_true(capability_has(&target, STR("recording")));
	assert_false(capability_has(&target, STR("livestreaming")));
	claims_unref(c);
}

static void identity_shows_listed_plain_values_only(void **state)
{
	(void)state;
	static const struct str fields[] = {{"id", 2}, {"name", 4}, {"avatar", 6}, {"email", 5},
	        {"n", 1}, {"b", 1}, {"nested", 6}, {"bad name", 8}, {"absent", 6}};
	struct policy_settings s;
	policy_settings_init(&s);
	s.identity_fields = (struct str_list){fields, 9};
	struct claims *c = claims_of(
	        "{\"user\":{\"id\":\"u\\u0007 "
	        "1\",\"name\":\"\\u202eAnn\",\"avatar\":\"http://x/\",\"email\":\"a@b\","
	        "\"n\":1.5,\"b\":false,\"nested\":{},\"bad name\":\"x\",\"secret\":\"y\"}}");
	struct buf seen, value;
	struct str key;
	size_t it = 0;
	buf_init(&seen, 0);
	buf_init(&value, 0);
	while (capability_identity(&s, c, &it, &key, &value))
		buf_printf(&seen, "%.*s=%.*s;", STR_FMT(key), STR_FMT(buf_view(&value)));
	assert_str(buf_view(&seen), "id=u 1;name=Ann;email=a@b;n=1.5;b=false;");
	buf_done(&seen);
	buf_done(&value);
	claims_unref(c);
}

static void pictures_are_plain_https(void **state)
{
	(void)state;
	assert_true(capability_url_ok(STR("https://example.org/a.png?x=@y")));
	assert_false(capability_url_ok(STR("http://example.org/a.png")));
	assert_false(capability_url_ok(STR("HTTPS://example.org/")));
	assert_false(capability_url_ok(STR("https://user@example.org/")));
	assert_false(capability_url_ok(STR("https://")));
	assert_false(capability_url_ok(STR("https:///a")));
	assert_false(capability_url_ok(STR("https://example.org/a b")));
	assert_false(capability_url_ok(STR("javascript:alert(1)")));
	assert_false(capability_url_ok(STR_NONE));
}

/* One token user is present, with this e-mail and picture. */
static bool has_email(void *room, struct str email, const struct seat *except)
{
	return except != room && str_eq_ascii_nocase(email, STR("ann@example.org"));
}

static bool has_avatar(void *room, struct str url, const struct seat *except)
{
	return except != room && str_eqc(url, "https://example.org/ann.png");
}

static void a_frozen_name_takes_mail_and_picture_from_the_token(void **state)
{
	(void)state;
	struct claims *with = claims_of("{\"user\":{\"email\":\"ann@example.org\",\"avatarURL\":"
	                                "\"https://example.org/ann.png\"}}");
	struct claims *without = claims_of("{\"user\":{\"avatar\":\"ftp://x\"}}");
	static const struct room_lookups lookups = {
	        .token_email = has_email, .token_avatar = has_avatar};
	struct seat frozen = {.claims = with, .name_frozen = true},
	            bare = {.claims = without, .name_frozen = true};
	struct room_view room = {.lookups = &lookups, .room = &frozen};
	struct str value;
	assert_int_equal(capability_email(&room, &frozen, STR("x@y"), &value), PROFILE_REPLACE);
	assert_str(value, "ann@example.org");
	assert_int_equal(capability_email(&room, &frozen, STR_NONE, &value), PROFILE_REPLACE);
	assert_int_equal(
	        capability_avatar(&room, &frozen, STR("https://y/z"), &value), PROFILE_REPLACE);
	assert_str(value, "https://example.org/ann.png");
	assert_int_equal(capability_email(&room, &bare, STR("x@y"), &value), PROFILE_REMOVE);
	assert_int_equal(
	        capability_avatar(&room, &bare, STR("https://y/z"), &value), PROFILE_REMOVE);
	claims_unref(with);
	claims_unref(without);
}

static void others_may_not_borrow_them(void **state)
{
	(void)state;
	static const struct room_lookups lookups = {
	        .token_email = has_email, .token_avatar = has_avatar};
	struct seat ann = {.guest = false}, guest = {.guest = true};
	struct room_view room = {.lookups = &lookups, .room = &ann};
	struct str value;
	assert_int_equal(
	        capability_email(&room, &guest, STR("Ann@Example.org "), &value), PROFILE_REMOVE);
	/* clients trim and lower-case before they make the picture's address, as JavaScript does */
	static const char spaced[] = "\xc2\xa0\xef\xbb\xbf"
	                             "ANN@EXAMPLE.ORG\xe2\x80\xa8";
	assert_int_equal(capability_email(&room, &guest, str_c(spaced), &value), PROFILE_REMOVE);
	assert_int_equal(capability_email(&room, &guest, STR("\t \n"), &value), PROFILE_KEEP);
	assert_int_equal(
	        capability_email(&room, &guest, STR("me@example.org"), &value), PROFILE_KEEP);
	assert_int_equal(capability_email(&room, &guest, STR_NONE, &value), PROFILE_KEEP);
	assert_int_equal(
	        capability_avatar(&room, &guest, STR("https://example.org/ann.png"), &value),
	        PROFILE_REMOVE);
	assert_int_equal(
	        capability_avatar(&room, &guest, STR("https://example.org/me.png"), &value),
	        PROFILE_KEEP);
	assert_int_equal(capability_avatar(&room, &guest, STR("http://example.org/me.png"), &value),
	        PROFILE_REMOVE);
}

UNIT_MAIN(cmocka_unit_test(a_moderator_without_features_gets_the_default_set),
        cmocka_unit_test(own_features_count_and_are_not_sent_again),
        cmocka_unit_test(a_granter_lends_what_he_has_and_no_more),
        cmocka_unit_test(identity_shows_listed_plain_values_only),
        cmocka_unit_test(pictures_are_plain_https),
        cmocka_unit_test(a_frozen_name_takes_mail_and_picture_from_the_token),
        cmocka_unit_test(others_may_not_borrow_them))
