/* record_test.c - what is remembered of those who have left: the last ones, per room and in all.
 * io */
#include "support/meeting.h"

#include <stdio.h>

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

static void join_room(struct meeting *m, struct client *c, unsigned room, const char *nick)
{
	meeting_send(m, c,
	        "<presence to='r%u@conference.meet.example/%s'><x xmlns='" NS_MUC "'/></presence>",
	        room, nick);
}

/* Joins room r<room> under this nick, and leaves. */
static void pass_through(struct meeting *m, unsigned room, const char *nick)
{
	struct client *c = meeting_client(m, NULL);
	join_room(m, c, room, nick);
	meeting_gone(m, c);
}

/* So many records does the room have, of those present and gone; and one of this nick? */
static size_t records(struct meeting *m, unsigned room, const char *nick, bool *has)
{
	char jid[64];
	snprintf(jid, sizeof jid, "r%u@conference.meet.example", room);
	struct room *r = room_find(m->rooms, str_c(jid));
	assert_non_null(r);
	struct jval *j = room_record_json(r, STR_NONE), *one = room_record_json(r, str_c(nick));
	assert_non_null(j);
	size_t n = jval_size(jval_getc(j, "records"));
	*has = one != NULL;
	jval_free(j);
	jval_free(one);
	return n;
}

#define assert_records(n, room, nick, there)                                                       \
	do {                                                                                       \
		bool has_;                                                                         \
		assert_int_equal(records(m, room, nick, &has_), n);                                \
		assert_int_equal(has_, there);                                                     \
	} while (0)

static void test_per_room(void **state)
{
	struct meeting *m = *state;
	m->settings.record_departed = 2;
	meeting_start(m);
	join_room(m, meeting_client(m, NULL), 1, "stays");
	pass_through(m, 1, "a");
	assert_records(2, 1, "a", true);
	pass_through(m, 1, "b");
	pass_through(m, 1, "c");
	assert_records(3, 1, "a", false);
	assert_records(3, 1, "b", true);
	assert_records(3, 1, "stays", true);
}

static void test_of_all_rooms(void **state)
{
	struct meeting *m = *state;
	m->settings.record_departed_all = 3;
	meeting_start(m);
	for (unsigned room = 1; room <= 3; room++)
		join_room(m, meeting_client(m, NULL), room, "stays");
	struct client *last = meeting_client(m, NULL);
	join_room(m, last, 4, "last");
	pass_through(m, 1, "a");
	pass_through(m, 2, "b");
	pass_through(m, 2, "c");
	assert_records(2, 1, "a", true);
	pass_through(m, 3, "d"); /* whoever left first is forgotten first, wherever it was */
	assert_records(1, 1, "a", false);
	assert_records(3, 2, "b", true);
	pass_through(m, 4, "e");
	assert_records(2, 2, "b", false);
	meeting_gone(
	        m, last); /* c is forgotten for it; then its room ends, and two records with it */
	assert_records(1, 2, "c", false);
	pass_through(m, 1, "f");
	pass_through(m, 2, "g");
	assert_records(2, 3, "d", true);
	assert_records(2, 1, "f", true);
}

static void test_none(void **state)
{
	struct meeting *m = *state;
	m->settings.record_departed = m->settings.record_departed_all = 0;
	meeting_start(m);
	join_room(m, meeting_client(m, NULL), 1, "stays");
	pass_through(m, 1, "a");
	assert_records(1, 1, "a", false);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
UNIT_MAIN(T(test_per_room), T(test_of_all_rooms), T(test_none))
