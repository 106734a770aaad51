/* directory.c - which worker has which conference. pure */
#include "session/directory.h"

#include "base/lock.h"
#include "base/map.h"
#include "base/mem.h"

#define MUCH_LESS                                                                                  \
	16 /* a worker near by is kept until another has so much less, and half as much            \
	    */

struct directory {
	struct lock lock;
	struct map entries; /* room -> entry; under the lock, as all below */
	uint32_t sessions;
	unsigned workers;
	bool astray;
	unsigned loads[]; /* sessions and conferences */
};

struct directory *directory_new(unsigned workers, bool astray)
{
	struct directory *d = mem_zalloc(sizeof *d + workers * sizeof *d->loads);
	if (!d || !lock_init(&d->lock)) {
		mem_free(d);
		return NULL;
	}
	d->workers = workers;
	d->astray = astray;
	map_init(&d->entries);
	return d;
}

void directory_free(struct directory *d)
{
	if (!d)
		return;
	size_t pos = 0;
	struct directory_entry *e;
	while ((e = map_next(&d->entries, &pos)))
		mem_free(e); /* the table, which borrows their keys, goes next */
	map_done(&d->entries);
	lock_done(&d->lock);
	mem_free(d);
}

static unsigned least_loaded(const struct directory *d)
{
	unsigned best = 0;
	for (unsigned i = 1; i < d->workers; i++) {
		if (d->loads[i] < d->loads[best])
			best = i;
	}
	return best;
}

static unsigned choose(const struct directory *d, unsigned near)
{
	if (d->astray && near != DIRECTORY_ANY)
		return (near + 1) % d->workers;
	unsigned best = least_loaded(d);
	if (near == DIRECTORY_ANY || d->loads[near] > 2 * d->loads[best] + MUCH_LESS)
		return best;
	return near;
}

static struct directory_entry *claim(struct directory *d, struct str room, unsigned near)
{
	struct directory_entry *e = map_get(&d->entries, room);
	if (e) {
		e->holds++;
		return e;
	}
	e = mem_alloc(sizeof *e + room.n + 1);
	if (!e)
		return NULL;
	memcpy(e->bytes, room.p, room.n);
	e->bytes[room.n] = '\0';
	e->room = str_from(e->bytes, room.n);
	e->holds = 1;
	e->worker = choose(d, near);
	if (!map_put(&d->entries, e->room, e)) {
		mem_free(e);
		return NULL;
	}
	d->loads[e->worker]++;
	return e;
}

unsigned directory_place(struct directory *d, struct str room, struct directory_entry **held)
{
	lock_take(&d->lock);
	struct directory_entry *e = room.n ? claim(d, room, DIRECTORY_ANY) : NULL;
	unsigned w = e ? e->worker : least_loaded(d);
	if (e && d->astray)
		w = (w + 1) % d->workers;
	d->loads[w]++;
	lock_give(&d->lock);
	*held = e;
	return w;
}

void directory_place_on(struct directory *d, unsigned worker)
{
	lock_take(&d->lock);
	d->loads[worker]++;
	lock_give(&d->lock);
}

struct directory_entry *directory_claim(struct directory *d, struct str room, unsigned near)
{
	lock_take(&d->lock);
	struct directory_entry *e = claim(d, room, near);
	lock_give(&d->lock);
	return e;
}

void directory_hold(struct directory *d, struct directory_entry *e)
{
	lock_take(&d->lock);
	e->holds++;
	lock_give(&d->lock);
}

static void release(struct directory *d, struct directory_entry *e)
{
	if (--e->holds)
		return;
	map_remove(&d->entries, e->room);
	d->loads[e->worker]--;
	mem_free(e);
}

void directory_release(struct directory *d, struct directory_entry *e)
{
	if (!e)
		return;
	lock_take(&d->lock);
	release(d, e);
	lock_give(&d->lock);
}

void directory_placed(struct directory *d, unsigned worker, struct directory_entry *held)
{
	lock_take(&d->lock);
	d->loads[worker]--;
	if (held)
		release(d, held);
	lock_give(&d->lock);
}

bool directory_find(struct directory *d, struct str room, unsigned *worker)
{
	lock_take(&d->lock);
	const struct directory_entry *e = map_get(&d->entries, room);
	if (e)
		*worker = e->worker;
	lock_give(&d->lock);
	return e != NULL;
}

/* Whoever opens it holds the entry, so it is there, and with this worker. */
bool directory_room_opened(struct directory *d, struct str room, unsigned worker)
{
	lock_take(&d->lock);
	struct directory_entry *e = map_get(&d->entries, room);
	bool ours = e && e->worker == worker;
	if (ours)
		e->holds++;
	lock_give(&d->lock);
	return ours;
}

void directory_room_ended(struct directory *d, struct str room)
{
	lock_take(&d->lock);
	struct directory_entry *e = map_get(&d->entries, room);
	if (e)
		release(d, e);
	lock_give(&d->lock);
}

bool directory_take_session(struct directory *d, unsigned worker, uint32_t most)
{
	lock_take(&d->lock);
	bool taken = d->sessions < most;
	d->sessions += taken;
	d->loads[worker] += taken;
	lock_give(&d->lock);
	return taken;
}

void directory_give_session(struct directory *d, unsigned worker)
{
	lock_take(&d->lock);
	d->sessions--;
	d->loads[worker]--;
	lock_give(&d->lock);
}

uint32_t directory_sessions(struct directory *d)
{
	lock_take(&d->lock);
	uint32_t n = d->sessions;
	lock_give(&d->lock);
	return n;
}

size_t directory_size(struct directory *d)
{
	lock_take(&d->lock);
	size_t n = d->entries.n;
	lock_give(&d->lock);
	return n;
}

unsigned directory_load(struct directory *d, unsigned worker)
{
	lock_take(&d->lock);
	unsigned n = d->loads[worker];
	lock_give(&d->lock);
	return n;
}
