/* map.h - byte-string keys to pointers; keyed hash (SipHash) so that strangers cannot choose
 * collisions. pure
 *
 * The map borrows keys: the key bytes must live as long as the entry (usually they are a field of
 * the value). */
#pragma once
#include "base/str.h"

struct map_entry {
	struct str key;
	uint64_t hash;
	void *value; /* NULL = free slot */
};

struct map {
	struct map_entry *slots;
	size_t cap, n; /* cap is 0 or a power of two */
};

void map_init(struct map *m);
void map_done(struct map *m);                       /* frees the table, not the values */
void *map_get(const struct map *m, struct str key); /* NULL if absent */
/* Adds or replaces; value not NULL. false on no memory (the map is unchanged). */
bool map_put(struct map *m, struct str key, void *value);
void *map_remove(struct map *m, struct str key); /* the removed value or NULL */
/* Iterates in no particular order: start with *pos = 0; NULL at the end. No changes of the map
 * meanwhile. */
void *map_next(const struct map *m, size_t *pos);
