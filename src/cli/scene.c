/* scene.c - occupants, bans and sums from JSON, and the look-ups over them. pure */
#include "cli/scene.h"

#include "base/mem.h"

void scene_done(struct scene *s)
{
	mem_free(s->seats);
	mem_free(s->bans);
	s->seats = NULL;
	s->bans = NULL;
	s->n_seats = s->n_bans = 0;
}

static const struct scene *of(void *room)
{
	return room;
}

static size_t index_of(const struct scene *s, const struct seat *seat)
{
	size_t i = 0;
	while (i < s->n_seats && &s->seats[i].seat != seat)
		i++;
	return i;
}

/* Where a walk goes on: behind `after`, or at the beginning. */
static size_t start_after(const struct scene *s, const struct seat *after)
{
	return after ? index_of(s, after) + 1 : 0;
}

static bool find_ban(void *room, const struct ban_key *key)
{
	const struct scene *s = of(room);
	for (size_t i = 0; key->identity && i < s->n_bans; i++) {
		if (identity_eq(&s->bans[i], key->identity))
			return true;
	}
	return false;
}

static const struct seat *next_mode_moderator(
        void *room, const struct identity *id, const struct seat *after)
{
	const struct scene *s = of(room);
	for (size_t i = start_after(s, after); i < s->n_seats; i++) {
		const struct seat *seat = &s->seats[i].seat;
		if (seat_is_moderator(seat) && seat->source == SOURCE_MODE &&
		        identity_eq(&seat->identity, id))
			return seat;
	}
	return NULL;
}

static bool same_look(const struct scene_seat *s, const struct name_skeleton *k)
{
	return k->n && str_eq(name_skeleton_str(&s->skeleton), name_skeleton_str(k));
}

static bool find_frozen_name(void *room, const struct name_skeleton *k, const struct seat *except)
{
	const struct scene *s = of(room);
	for (size_t i = 0; i < s->n_seats; i++) {
		const struct scene_seat *at = &s->seats[i];
		if (&at->seat != except && at->seat.name_frozen && same_look(at, k))
			return true;
	}
	return false;
}

static const struct seat *next_free_name(
        void *room, const struct name_skeleton *k, const struct seat *after)
{
	const struct scene *s = of(room);
	for (size_t i = start_after(s, after); i < s->n_seats; i++) {
		const struct scene_seat *at = &s->seats[i];
		if (!at->seat.name_frozen && !at->seat.name_marked && same_look(at, k))
			return &at->seat;
	}
	return NULL;
}

static const struct seat *next_joined(void *room, const struct seat *after)
{
	const struct scene *s = of(room);
	size_t i = start_after(s, after);
	return i < s->n_seats ? &s->seats[i].seat : NULL;
}

/* A file says nothing about e-mail and pictures. */
static bool no_profile(void *room, struct str value, const struct seat *except)
{
	(void)room;
	(void)value;
	(void)except;
	return false;
}

static const struct room_lookups lookups = {
        .banned = find_ban,
        .mode_moderator = next_mode_moderator,
        .frozen_name = find_frozen_name,
        .free_name = next_free_name,
        .next_joined = next_joined,
        .token_email = no_profile,
        .token_avatar = no_profile,
};

/* [iss, id] */
static struct identity read_identity(const struct jval *pair)
{
	struct identity out = {.iss = jval_str(jval_at(pair, 0))};
	if (!str_absent(out.iss))
		identity_read(&out, jval_at(pair, 1));
	return out;
}

static bool read_state(const struct jval *j, enum seat_state *out)
{
	if (!j || jval_is_null(j) || str_eqc(jval_str(j), "live"))
		*out = SEAT_LIVE;
	else if (str_eqc(jval_str(j), "hibernating"))
		*out = SEAT_HIBERNATING;
	else if (str_eqc(jval_str(j), "switching"))
		*out = SEAT_SWITCHING;
	else
		return false;
	return true;
}

static bool given(const struct jval *j)
{
	return j && !jval_is_null(j);
}

/* What a file leaves out follows from the rest: a guest is none, an owner a moderator. */
static const char *read_standing(const struct jval *j, struct seat *seat)
{
	const struct jval *affiliation = jval_getc(j, "affiliation"), *role = jval_getc(j, "role");

	if (given(jval_getc(j, "source")) &&
	        !source_parse(jval_str(jval_getc(j, "source")), &seat->source))
		return "occupant: unknown source";
	seat->affiliation = seat->guest ? AFFILIATION_NONE : AFFILIATION_MEMBER;
	seat->role = ROLE_PARTICIPANT;
	if (given(affiliation)) {
		if (!affiliation_parse(jval_str(affiliation), &seat->affiliation))
			return "occupant: unknown affiliation";
		if (seat->affiliation == AFFILIATION_OWNER)
			seat->role = ROLE_MODERATOR;
	}
	if (given(role)) {
		if (!role_parse(jval_str(role), &seat->role))
			return "occupant: unknown role";
		if (!given(affiliation) && seat->role == ROLE_MODERATOR)
			seat->affiliation = AFFILIATION_OWNER;
	}
	return NULL;
}

static const char *read_name(
        const struct jval *j, const struct policy_settings *settings, struct scene_seat *out)
{
	struct seat *seat = &out->seat;
	seat->name = jval_str(jval_getc(j, "name"));
	seat->name_frozen = str_eqc(jval_str(jval_getc(j, "name_from")), "token");
	if (str_absent(seat->name))
		return NULL;
	if (seat->name.n > NAME_BYTES || name_skeleton(seat->name, &out->skeleton))
		return "occupant: unusable name";
	struct str suffix = seat->guest ? settings->clash_suffix : settings->clash_suffix_user;
	seat->name_marked = !seat->name_frozen && suffix.n && str_ends(seat->name, suffix);
	return NULL;
}

static const char *read_seat(const struct jval *j, size_t position,
        const struct policy_settings *settings, struct scene_seat *out)
{
	struct seat *seat = &out->seat;

	*out = (struct scene_seat){.who = jval_str(jval_getc(j, "who"))};
	if (!jval_is_object(j) || !out->who.n)
		return "occupant: an object with `who` is needed";
	seat->guest = jval_true(jval_getc(j, "guest"));
	seat->service = jval_true(jval_getc(j, "service"));
	seat->visitor = jval_true(jval_getc(j, "visitor"));
	seat->denied = jval_true(jval_getc(j, "denied"));
	seat->expired = jval_true(jval_getc(j, "expired"));
	seat->revoked = jval_true(jval_getc(j, "revoked"));
	seat->identity = read_identity(jval_getc(j, "identity"));
	seat->joined = position + 1;
	if (jval_is_number(jval_getc(j, "joined"))) {
		if (jval_integer(jval_getc(j, "joined")) < 0)
			return "occupant: `joined` is an order, not negative";
		seat->joined = (uint64_t)jval_integer(jval_getc(j, "joined"));
	}
	if (!read_state(jval_getc(j, "state"), &seat->state))
		return "occupant: unknown state";
	const char *error = read_standing(j, seat);
	return error ? error : read_name(j, settings, out);
}

static int by_joined(const void *a, const void *b)
{
	const struct scene_seat *x = a, *y = b;
	return (x->seat.joined > y->seat.joined) - (x->seat.joined < y->seat.joined);
}

/* Insertion keeps the order of the file among equals; files are short. */
static void sort_seats(struct scene *s)
{
	for (size_t i = 1; i < s->n_seats; i++) {
		struct scene_seat moved = s->seats[i];
		size_t at = i;
		for (; at && by_joined(&s->seats[at - 1], &moved) > 0; at--)
			s->seats[at] = s->seats[at - 1];
		s->seats[at] = moved;
	}
}

static const char *read_seats(
        struct scene *s, const struct jval *list, const struct policy_settings *settings)
{
	size_t n = jval_size(list);
	if (given(list) && !jval_is_array(list))
		return "room: `occupants` is no list";
	if (n > SCENE_OCCUPANTS_MAX)
		return "room: too many occupants";
	s->seats = mem_zalloc((n ? n : 1) * sizeof *s->seats);
	if (!s->seats)
		return "out of memory";
	for (size_t i = 0; i < n; i++) {
		const char *error = read_seat(jval_at(list, i), i, settings, &s->seats[i]);
		if (error)
			return error;
		s->n_seats++;
	}
	sort_seats(s);
	return NULL;
}

static const char *read_bans(struct scene *s, const struct jval *list)
{
	size_t n = jval_size(list);
	if (given(list) && !jval_is_array(list))
		return "room: `banned` is no list";
	s->bans = mem_zalloc((n ? n : 1) * sizeof *s->bans);
	if (!s->bans)
		return "out of memory";
	for (; s->n_bans < n; s->n_bans++) {
		s->bans[s->n_bans] = read_identity(jval_at(list, s->n_bans));
		if (!s->bans[s->n_bans].present)
			return "room: `banned` holds [iss, id] pairs";
	}
	return NULL;
}

static void sum_up(struct scene *s)
{
	struct room_view *v = &s->view;
	for (size_t i = 0; i < s->n_seats; i++) {
		const struct seat *seat = &s->seats[i].seat;
		if (seat->service)
			continue;
		v->present++;
		if (!seat_is_moderator(seat))
			continue;
		v->moderators++;
		v->moderators_attending += seat->state != SEAT_HIBERNATING;
	}
}

bool scene_build(struct scene *s, const struct jval *room, const struct policy_settings *settings,
        const char **error)
{
	const struct jval *had = jval_getc(room, "had_moderator"),
	                  *exists = jval_getc(room, "exists");

	*s = (struct scene){.view.lookups = &lookups};
	*error = read_seats(s, jval_getc(room, "occupants"), settings);
	if (!*error)
		*error = read_bans(s, jval_getc(room, "banned"));
	if (*error)
		return false;
	struct room_view *v = &s->view;
	v->room = s;
	v->node = jval_str(jval_getc(room, "node"));
	v->tenant = jval_str(jval_getc(room, "tenant"));
	v->breakout = jval_true(jval_getc(room, "breakout"));
	v->main_node = jval_str(jval_getc(room, "main_node"));
	v->lobby = jval_true(jval_getc(room, "lobby"));
	v->password = jval_str(jval_getc(room, "password"));
	v->exists = given(exists) ? jval_true(exists) : true;
	sum_up(s);
	v->had_moderator = given(had) ? jval_true(had) : v->moderators > 0;
	return true;
}

const struct seat *scene_find(const struct scene *s, struct str who)
{
	for (size_t i = 0; i < s->n_seats && !str_absent(who); i++) {
		if (str_eq(s->seats[i].who, who))
			return &s->seats[i].seat;
	}
	return NULL;
}

struct str scene_who(const struct scene *s, const struct seat *seat)
{
	size_t i = seat ? index_of(s, seat) : s->n_seats;
	return i < s->n_seats ? s->seats[i].who : STR_NONE;
}
