/* muc_host_test.c - domains of rooms, of tenants' rooms, and of neither. io */
#include "support/unit.h"

#include "xmpp/muc_host.h"

#define SERVER "meet.example"
#define ROOMS "conference." SERVER

static struct muc_host usual(void)
{
	return muc_host_make(STR(ROOMS), STR(SERVER), true);
}

static void is_of(const struct muc_host *h, const char *domain, const char *tenant)
{
	struct str got;
	if (!muc_host_has(h, str_c(domain), &got))
		fail_msg("%s is no domain of rooms", domain);
	if (tenant)
		assert_str(got, tenant);
	else
		assert_true(str_absent(got));
}

static void is_none(const struct muc_host *h, const char *domain)
{
	struct str tenant;
	if (muc_host_has(h, str_c(domain), &tenant))
		fail_msg("%s was taken for a domain of rooms", domain);
	assert_true(str_absent(tenant));
}

static void a_tenant_is_one_label_between(void **state)
{
	(void)state;
	struct muc_host h = usual();
	is_of(&h, ROOMS, NULL);
	is_of(&h, "conference.acme." SERVER, "acme");
	is_of(&h, "conference.a_b." SERVER, "a_b");
	is_of(&h, "conference.conference." SERVER, "conference");
	is_of(&h, "conference.\xc3\xa9t\xc3\xa9." SERVER, "\xc3\xa9t\xc3\xa9");
}

static void what_is_near_is_none(void **state)
{
	(void)state;
	static const char *const others[] = {"", ".", SERVER, "conference", "conference.",
	        "conference.." SERVER, "conference.a.b." SERVER, "xconference." SERVER,
	        "xconference.acme." SERVER, "conference.acme.x" SERVER,
	        "conference.acme." SERVER ".", "conference.acme", "conferenceacme." SERVER,
	        "conference.acme" SERVER, "conference.[acme]." SERVER, "conference.ac]me." SERVER,
	        "." ROOMS, "acme." ROOMS, "focus." SERVER};
	struct muc_host h = usual();
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		is_none(&h, others[i]);
}

/* Cut short at every byte it is no domain of rooms any more. */
static void no_beginning_of_one_is_one(void **state)
{
	(void)state;
	struct muc_host h = usual();
	struct str whole = STR("conference.acme." SERVER), tenant;
	for (size_t n = 0; n < whole.n; n++)
		assert_false(muc_host_has(&h, str_sub(whole, 0, n), &tenant));
	assert_true(muc_host_has(&h, whole, &tenant));
}

static void where_there_are_none(void **state)
{
	(void)state;
	struct muc_host off = muc_host_make(STR(ROOMS), STR(SERVER), false);
	struct muc_host elsewhere = muc_host_make(STR("rooms.example"), STR(SERVER), true);
	struct muc_host glued = muc_host_make(STR("conference" SERVER), STR(SERVER), true);
	struct muc_host bare = muc_host_make(STR("." SERVER), STR(SERVER), true);
	struct muc_host nobody = muc_host_make(STR(ROOMS), STR(""), true);
	const struct muc_host *const all[] = {&off, &elsewhere, &glued, &bare, &nobody};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		struct buf b;
		assert_int_equal(all[i]->prefix, 0);
		is_none(all[i], "conference.acme." SERVER);
		is_of(all[i], all[i]->domain.p, NULL);
		buf_init(&b, 0);
		muc_host_write(all[i], STR("acme"), &b);
		assert_str(buf_view(&b), all[i]->domain.p);
		buf_done(&b);
	}
}

static void writes(struct str tenant, const char *domain)
{
	struct muc_host h = usual();
	struct buf b;
	buf_init(&b, 0);
	muc_host_write(&h, tenant, &b);
	assert_false(b.failed);
	assert_str(buf_view(&b), domain);
	buf_done(&b);
}

static void is_written_as_clients_write_it(void **state)
{
	(void)state;
	writes(STR_NONE, ROOMS);
	writes(STR(""), ROOMS);
	writes(STR("acme"), "conference.acme." SERVER);
	writes(STR("Big.Corp"), "conference.big_corp." SERVER);
	writes(STR("a.b.c"), "conference.a_b_c." SERVER);
	writes(STR("\xc3\x89T\xc3\x89"), "conference.\xc3\xa9t\xc3\xa9." SERVER);
}

/* What was written is read back as the same tenant. */
static void back_and_forth(void **state)
{
	(void)state;
	static const char *const tenants[] = {"a", "acme", "a_b", "-", "1", "conference"};
	struct muc_host h = usual();
	for (size_t i = 0; i < sizeof tenants / sizeof *tenants; i++) {
		struct buf b;
		buf_init(&b, 0);
		muc_host_write(&h, str_c(tenants[i]), &b);
		buf_putc(&b, '\0');
		is_of(&h, b.p, tenants[i]);
		buf_done(&b);
	}
}

static void what_is_no_text_is_not_written(void **state)
{
	(void)state;
	struct muc_host h = usual();
	struct buf b;
	buf_init(&b, 0);
	muc_host_write(&h, STR("a\xff"), &b);
	assert_true(b.failed);
	buf_done(&b);
}

UNIT_MAIN(cmocka_unit_test(a_tenant_is_one_label_between), cmocka_unit_test(what_is_near_is_none),
        cmocka_unit_test(no_beginning_of_one_is_one), cmocka_unit_test(where_there_are_none),
        cmocka_unit_test(is_written_as_clients_write_it), cmocka_unit_test(back_and_forth),
        cmocka_unit_test(what_is_no_text_is_not_written))
