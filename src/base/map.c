/* map.c - open addressing with linear probing and backward-shift removal. pure */
#include "base/map.h"

#include <assert.h>

#include "base/hash.h"
#include "base/mem.h"

void map_init(struct map *m)
{
	*m = (struct map){0};
}

void map_done(struct map *m)
{
	mem_free(m->slots);
	*m = (struct map){0};
}

/* The slot that holds key, or the free one where it belongs. */
static struct map_entry *slot_for(
        struct map_entry *slots, size_t cap, struct str key, uint64_t hash)
{
	size_t i = (size_t)hash & (cap - 1);
	while (slots[i].value && !(slots[i].hash == hash && str_eq(slots[i].key, key)))
		i = (i + 1) & (cap - 1);
	return &slots[i];
}

static bool grow(struct map *m)
{
	size_t cap = m->cap ? m->cap * 2 : 8;
	struct map_entry *slots = mem_zalloc(cap * sizeof *slots);
	if (!slots)
		return false;
	for (size_t i = 0; i < m->cap; i++) {
		if (m->slots[i].value)
			*slot_for(slots, cap, m->slots[i].key, m->slots[i].hash) = m->slots[i];
	}
	mem_free(m->slots);
	m->slots = slots;
	m->cap = cap;
	return true;
}

void *map_get(const struct map *m, struct str key)
{
	if (!m->n)
		return NULL;
	return slot_for(m->slots, m->cap, key, hash_key(key))->value;
}

bool map_put(struct map *m, struct str key, void *value)
{
	assert(value);
	if ((m->n + 1) * 4 > m->cap * 3 && !grow(m))
		return false;
	uint64_t hash = hash_key(key);
	struct map_entry *e = slot_for(m->slots, m->cap, key, hash);
	m->n += e->value == NULL;
	*e = (struct map_entry){key, hash, value};
	return true;
}

void *map_remove(struct map *m, struct str key)
{
	if (!m->n)
		return NULL;
	struct map_entry *e = slot_for(m->slots, m->cap, key, hash_key(key));
	void *value = e->value;
	if (!value)
		return NULL;
	size_t mask = m->cap - 1, hole = (size_t)(e - m->slots);
	for (size_t i = (hole + 1) & mask; m->slots[i].value; i = (i + 1) & mask) {
		size_t home = (size_t)m->slots[i].hash & mask;
		if (((i - home) & mask) >= ((i - hole) & mask)) {
			m->slots[hole] = m->slots[i];
			hole = i;
		}
	}
	m->slots[hole] = (struct map_entry){0};
	m->n--;
	return value;
}

void *map_next(const struct map *m, size_t *pos)
{
	while (*pos < m->cap) {
		void *value = m->slots[(*pos)++].value;
		if (value)
			return value;
	}
	return NULL;
}
