/* view.c - a room as the policy sees it: sums and look-ups. pure */
#include <stdio.h>

#include "base/mem.h"
#include "policy/capability.h"
#include "policy/name.h"
#include "room/model.h"

#define BAN_KEY_MAX 1024

/* A number is written so that 1 and 1.0 are one key, and never equals a string. */
static bool identity_key(const struct identity *id, char kind, struct buf *out)
{
	if (!id || !id->present)
		return false;
	buf_putc(out, kind);
	buf_str(out, id->iss);
	buf_putc(out, '\0');
	if (id->is_number)
		buf_printf(out, "#%.21Lg", id->number);
	else
		buf_putc(out, '"'), buf_str(out, id->text);
	return !out->failed;
}

static bool is_banned(void *room, const struct ban_key *key)
{
	const struct room *r = room;
	if (!r || r->bans.n == 0)
		return false;
	struct buf b;
	buf_init(&b, 0);
	bool found = identity_key(key->identity, 'i', &b) && map_get(&r->bans, buf_view(&b));
	bool failed = b.failed;
	if (!found && key->token_sha256) {
		buf_reset(&b);
		buf_putc(&b, 't');
		buf_add(&b, key->token_sha256, 32);
		found = map_get(&r->bans, buf_view(&b));
	}
	if (!found) {
		buf_reset(&b);
		buf_putc(&b, 's');
		buf_str(&b, key->session);
		found = map_get(&r->bans, buf_view(&b));
	}
	failed = failed || b.failed;
	buf_done(&b);
	return found || failed; /* without memory nobody gets past a ban */
}

bool room_ban(struct room *r, const struct occupant *o)
{
	struct buf b;
	buf_init(&b, 0);
	if (!identity_key(&o->seat.identity, 'i', &b)) {
		buf_reset(&b);
		if (o->claims) {
			buf_putc(&b, 't');
			buf_add(&b, o->claims->token_sha256, 32);
		} else {
			buf_putc(&b, 's');
			buf_puts(&b, o->key);
		}
	}
	if (map_get(&r->bans, buf_view(&b))) {
		buf_done(&b);
		return true;
	}
	struct str key = {NULL, b.n};
	r->service->counters.limit_bans += r->bans.n >= BANS_MAX;
	char *bytes = r->bans.n < BANS_MAX ? buf_steal(&b) : NULL;
	buf_done(&b);
	key.p = bytes;
	if (bytes && map_put(&r->bans, key, bytes))
		return true;
	mem_free(bytes);
	return false;
}

static const struct seat *mode_moderator(
        void *room, const struct identity *id, const struct seat *after)
{
	const struct room *r = room;
	struct buf b;
	if (!r || r->n == 0)
		return NULL;
	buf_init(&b, 0);
	struct group *g =
	        identity_key(id, 'i', &b) ? group_find(&r->identities, buf_view(&b)) : NULL;
	buf_done(&b);
	if (!g)
		return NULL;
	struct list *it = after ? OCCUPANT_OF(after)->identity_link.next : g->members.next;
	for (; it != &g->members; it = it->next) {
		const struct occupant *o = LIST_OWNER(it, struct occupant, identity_link);
		if (o->seat.source == SOURCE_MODE && seat_is_moderator(&o->seat))
			return &o->seat;
	}
	return NULL;
}

/* Frozen names stand at the front of their group. */
static bool frozen_name(void *room, const struct name_skeleton *k, const struct seat *except)
{
	const struct room *r = room;
	struct group *g = r && k->n ? group_find(&r->names, name_skeleton_str(k)) : NULL;
	if (!g)
		return false;
	LIST_EACH(it, &g->members)
	{
		const struct occupant *o = LIST_OWNER(it, struct occupant, name_link);
		if (!o->seat.name_frozen)
			return false;
		if (&o->seat != except)
			return true;
	}
	return false;
}

static const struct seat *free_name(
        void *room, const struct name_skeleton *k, const struct seat *after)
{
	const struct room *r = room;
	struct group *g = r && k->n ? group_find(&r->names, name_skeleton_str(k)) : NULL;
	if (!g)
		return NULL;
	struct list *it = after ? OCCUPANT_OF(after)->name_link.next : g->members.next;
	for (; it != &g->members; it = it->next) {
		const struct occupant *o = LIST_OWNER(it, struct occupant, name_link);
		if (!o->seat.name_frozen && !o->seat.name_marked)
			return &o->seat;
	}
	return NULL;
}

static const struct seat *next_joined(void *room, const struct seat *after)
{
	const struct room *r = room;
	if (!r)
		return NULL;
	struct list *it = after ? OCCUPANT_OF(after)->in_room.next : r->occupants.next;
	return it == &r->occupants ? NULL : &OCCUPANT_IN(it)->seat;
}

static bool in_group(
        const struct map *m, struct str key, size_t link_offset, const struct seat *except)
{
	struct group *g = key.n ? group_find(m, key) : NULL;
	if (!g)
		return false;
	/* somebody else than `except`: more than one member, or the one is another */
	const char *first = (const char *)g->members.next - link_offset;
	return g->n > 1 || (const void *)first != (const void *)except;
}

static bool token_email(void *room, struct str key, const struct seat *except)
{
	const struct room *r = room;
	return r && in_group(&r->emails, key, offsetof(struct occupant, email_link), except);
}

static bool token_avatar(void *room, struct str url, const struct seat *except)
{
	const struct room *r = room;
	return r && in_group(&r->avatars, url, offsetof(struct occupant, avatar_link), except);
}

static const struct room_lookups lookups = {
        .banned = is_banned,
        .mode_moderator = mode_moderator,
        .frozen_name = frozen_name,
        .free_name = free_name,
        .next_joined = next_joined,
        .token_email = token_email,
        .token_avatar = token_avatar,
};

void room_view_make(
        const struct room_service *s, const struct room *r, struct str node, struct room_view *out)
{
	(void)s;
	*out = (struct room_view){.node = node, .lookups = &lookups, .room = (void *)(uintptr_t)r};
	if (!r)
		return;
	out->node = r->plain_node;
	out->tenant = r->tenant;
	out->exists = r->n > 0;
	out->had_moderator = r->had_moderator;
	out->password = r->password ? str_c(r->password) : STR_NONE;
	out->present = r->n;
	out->moderators = r->moderators;
	out->moderators_attending = r->moderators - r->moderators_away;
}

void room_view_at(const struct room_service *s, const struct room *r, const struct jid *at,
        struct room_view *out)
{
	room_view_make(s, r, at->node, out);
	if (!r)
		out->tenant = service_tenant(s, at->domain);
}

bool occupant_index(struct occupant *o)
{
	struct room *r = o->room;
	struct buf b;
	buf_init(&b, 0);
	bool fine = true;
	if (identity_key(&o->seat.identity, 'i', &b))
		fine = group_add(&r->identities, buf_view(&b), &o->identity_link, false,
		               &o->same_identity) == 0;
	fine = fine && !b.failed;
	buf_reset(&b);
	capability_email_key(capability_token_email(o->claims), &b);
	fine = fine && !b.failed;
	if (fine && b.n)
		fine = group_add(&r->emails, buf_view(&b), &o->email_link, false, &o->same_email) ==
		       0;
	struct str avatar = capability_token_avatar(o->claims);
	if (fine && avatar.n)
		fine = group_add(&r->avatars, avatar, &o->avatar_link, false, &o->same_avatar) == 0;
	buf_done(&b);
	return fine;
}

static void unindex_token(struct occupant *o)
{
	struct room *r = o->room;
	group_remove(&r->identities, &o->same_identity, &o->identity_link);
	group_remove(&r->emails, &o->same_email, &o->email_link);
	group_remove(&r->avatars, &o->same_avatar, &o->avatar_link);
}

void occupant_unindex(struct occupant *o)
{
	group_remove(&o->room->names, &o->same_name, &o->name_link);
	unindex_token(o);
}

bool occupant_index_again(struct occupant *o)
{
	unindex_token(o);
	return occupant_index(o);
}
