/* route.c - which worker has the conferences that a session asks for. io */
#include "base/mem.h"
#include "base/utf8.h"
#include "http/parse.h"
#include "policy/match.h"
#include "session/internal.h"

#define ROUTES_MAX 16  /* remembered; the directory knows those that are forgotten */
#define QUERY_MAX 1024 /* bytes of room= and prefix= */

void session_room_of_query(struct str query, const struct muc_host *muc, struct buf *out)
{
	struct buf room, prefix;
	buf_init(&room, QUERY_MAX);
	buf_init(&prefix, QUERY_MAX);
	bool tenant = http_query_get(query, "prefix", &prefix) == 1 && !prefix.failed &&
	              utf8_valid(buf_view(&prefix));
	if (http_query_get(query, "room", &room) == 1 && !room.failed &&
	        utf8_valid(buf_view(&room)))
		route_room_of(buf_view(&room), tenant ? buf_view(&prefix) : STR_NONE, muc, out);
	buf_done(&room);
	buf_done(&prefix);
}

void route_room_of(struct str room, struct str tenant, const struct muc_host *muc, struct buf *out)
{
	struct buf node;
	buf_init(&node, 0);
	if (room.n && room_canonical(room, &node) == 0) {
		buf_str(out, buf_view(&node));
		buf_putc(out, '@');
		muc_host_write(muc, tenant, out);
	}
	buf_done(&node);
}

static void forget_oldest(struct session *s)
{
	directory_release(s->all->settings.directory, s->routes[0]);
	memmove(s->routes, s->routes + 1, --s->n_routes * sizeof *s->routes);
}

/* Keeps e, which is held. */
static bool remember(struct session *s, struct directory_entry *e)
{
	if (s->n_routes == ROUTES_MAX)
		forget_oldest(s);
	struct directory_entry **routes =
	        mem_realloc(s->routes, (s->n_routes + 1) * sizeof *routes);
	if (!routes)
		return false;
	s->routes = routes;
	s->routes[s->n_routes++] = e;
	return true;
}

static struct directory_entry *known(const struct session *s, struct str room)
{
	for (unsigned i = 0; i < s->n_routes; i++) {
		if (str_eq(s->routes[i]->room, room))
			return s->routes[i];
	}
	return NULL;
}

static struct directory_entry *claim(struct session *s, struct str room)
{
	const struct session_settings *set = &s->all->settings;
	struct directory_entry *e = directory_claim(set->directory, room, set->worker);
	if (!e || remember(s, e))
		return e;
	directory_release(set->directory, e);
	return NULL;
}

void route_take_request(struct session *s, struct str query)
{
	struct buf room;
	buf_init(&room, 0);
	session_room_of_query(query, &s->all->settings.muc, &room);
	if (!room.failed && room.n)
		(void)claim(s, buf_view(&room)); /* without it others may be placed elsewhere */
	buf_done(&room);
}

bool route_find(struct session *s, struct str room, bool opens, unsigned *worker,
        struct directory_entry **hold)
{
	const struct session_settings *set = &s->all->settings;
	struct directory_entry *e = known(s, room);
	*worker = set->worker;
	*hold = NULL;
	if (!e && !opens) {
		(void)directory_find(set->directory, room, worker); /* none: nobody has it */
		return true;
	}
	if (!e)
		e = claim(s, room);
	if (!e) {
		s->all->counters.no_memory++;
		return false;
	}
	*worker = e->worker;
	if (opens && e->worker != set->worker) {
		directory_hold(set->directory, e);
		*hold = e;
	}
	return true;
}

void route_done(struct session *s)
{
	for (unsigned i = 0; i < s->n_routes; i++)
		directory_release(s->all->settings.directory, s->routes[i]);
	mem_free(s->routes);
	s->routes = NULL;
	s->n_routes = 0;
}
