/* openers.c - rooms in total, per address and per session. pure */
#include "room/openers.h"

#include "base/err.h"
#include "base/mem.h"

struct openers *openers_new(void)
{
	struct openers *o = mem_zalloc(sizeof *o);
	if (!o || !lock_init(&o->lock)) {
		mem_free(o);
		return NULL;
	}
	map_init(&o->addresses);
	map_init(&o->waiting);
	map_init(&o->inside);
	return o;
}

void openers_free(struct openers *o)
{
	if (!o)
		return;
	map_done(&o->addresses);
	map_done(&o->waiting);
	map_done(&o->inside);
	lock_done(&o->lock);
	mem_free(o);
}

/* One more room of that opener. ERR_LIMIT: it has max already. */
static int take_one(struct map *m, struct str key, unsigned max, struct opener **out)
{
	struct opener *o = map_get(m, key);
	if (o && o->rooms >= max)
		return ERR_LIMIT;
	if (!o) {
		o = mem_zalloc(sizeof *o + key.n + 1);
		if (!o)
			return ERR_NOMEM;
		memcpy(o->bytes, key.p, key.n);
		o->key = str_from(o->bytes, key.n);
		if (!map_put(m, o->key, o)) {
			mem_free(o);
			return ERR_NOMEM;
		}
	}
	o->rooms++;
	*out = o;
	return ERR_OK;
}

static void drop_one(struct map *m, struct opener **held)
{
	struct opener *o = *held;
	*held = NULL;
	if (!o || --o->rooms > 0)
		return;
	map_remove(m, o->key);
	mem_free(o);
}

static enum openers_answer take(struct openers *o, const struct openers_bounds *bounds,
        struct str address, struct str session, struct opener **by_address,
        struct opener **by_session)
{
	if (o->rooms >= bounds->rooms)
		return OPENERS_TOTAL;
	int err = address.n ? take_one(&o->addresses, address, bounds->per_address, by_address)
	                    : ERR_OK;
	if (err)
		return err == ERR_LIMIT ? OPENERS_ADDRESS : OPENERS_NOMEM;
	err = session.n ? take_one(&o->waiting, session, bounds->per_session, by_session) : ERR_OK;
	if (err) {
		drop_one(&o->addresses, by_address);
		return err == ERR_LIMIT ? OPENERS_SESSION : OPENERS_NOMEM;
	}
	o->rooms++;
	return OPENERS_TAKEN;
}

enum openers_answer openers_take(struct openers *o, const struct openers_bounds *bounds,
        struct str address, struct str session, struct opener **by_address,
        struct opener **by_session)
{
	lock_take(&o->lock);
	enum openers_answer a = take(o, bounds, address, session, by_address, by_session);
	lock_give(&o->lock);
	return a;
}

void openers_give(struct openers *o, struct opener **by_address, struct opener **by_session)
{
	lock_take(&o->lock);
	o->rooms--;
	drop_one(&o->addresses, by_address);
	drop_one(&o->waiting, by_session);
	lock_give(&o->lock);
}

void openers_entered(struct openers *o, struct opener **by_session)
{
	if (!*by_session)
		return;
	lock_take(&o->lock);
	drop_one(&o->waiting, by_session);
	lock_give(&o->lock);
}

struct opener *openers_enter(struct openers *o, struct str session)
{
	struct opener *inside = NULL;
	lock_take(&o->lock);
	(void)take_one(&o->inside, session, UINT32_MAX, &inside);
	lock_give(&o->lock);
	return inside;
}

void openers_leave(struct openers *o, struct opener **inside)
{
	if (!*inside)
		return;
	lock_take(&o->lock);
	drop_one(&o->inside, inside);
	lock_give(&o->lock);
}

unsigned openers_inside(struct openers *o, struct str session)
{
	lock_take(&o->lock);
	const struct opener *in = map_get(&o->inside, session);
	unsigned n = in ? in->rooms : 0;
	lock_give(&o->lock);
	return n;
}
