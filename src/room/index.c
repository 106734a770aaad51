/* index.c - members of a room by a key that several may share. pure */
#include "base/err.h"
#include "base/mem.h"
#include "room/model.h"

struct group *group_find(const struct map *m, struct str key)
{
	return map_get(m, key);
}

int group_add(struct map *m, struct str key, struct list *link, bool front, struct group **out)
{
	struct group *g = group_find(m, key);
	if (!g) {
		g = mem_alloc(sizeof *g + key.n + 1);
		if (!g)
			return ERR_NOMEM;
		list_init(&g->members);
		g->n = 0;
		if (key.n)
			memcpy(g->bytes, key.p, key.n);
		g->bytes[key.n] = '\0';
		g->key = str_from(g->bytes, key.n);
		if (!map_put(m, g->key, g)) {
			mem_free(g);
			return ERR_NOMEM;
		}
	}
	list_append(front ? g->members.next : &g->members,
	        link); /* appending to the first is putting before it */
	g->n++;
	*out = g;
	return ERR_OK;
}

void group_remove(struct map *m, struct group **g, struct list *link)
{
	if (!*g)
		return;
	list_remove(link);
	if (--(*g)->n == 0) {
		map_remove(m, (*g)->key);
		mem_free(*g);
	}
	*g = NULL;
}

bool group_move(struct map *m, struct group **g, struct list *link, struct str key, bool front)
{
	struct list probe;
	struct group *to;
	if (group_add(m, key, &probe, front, &to) !=
	        ERR_OK) /* holds the group while the member moves */
		return false;
	group_remove(m, g, link);
	list_append(front ? to->members.next : &to->members, link);
	to->n++;
	*g = to;
	group_remove(m, &to, &probe);
	return true;
}
