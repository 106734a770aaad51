/* parking.c - joins that came before the focus outside did: kept as they came, and played again
 * once it is in. pure
 *
 * Nobody is told anything meanwhile, so that the focus stands in everybody's first list of those
 * who are here. The decision is taken when the join is played, in the order of coming. */
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "room/model.h"

#define DEPTH_MAX 1000 /* of what was read within the session's limits before */

struct parked {
	struct list in_room, in_service;
	struct room *room;
	struct session_handle handle;
	struct claims *claims; /* one reference, or NULL */
	bool peer_loopback;
	struct str jid, key, peer, region, text; /* in bytes; region absent: none */
	char bytes[];
};

#define PARKED_IN(link) LIST_OWNER(link, struct parked, in_room)

static struct str keep(char **at, struct str s)
{
	char *p = *at;
	if (s.n)
		memcpy(p, s.p, s.n);
	*at += s.n;
	return str_from(p, s.n);
}

static void unpark(struct parked *p)
{
	list_remove(&p->in_room);
	list_remove(&p->in_service);
	p->room->n_parked--;
	p->room->service->n_parked--;
	claims_unref(p->claims);
	mem_free(p);
}

void parking_leave(struct room *r, struct session_handle h)
{
	LIST_EACH_SAFE(it, &r->parked)
	{
		if (session_handle_eq(PARKED_IN(it)->handle, h))
			unpark(PARKED_IN(it));
	}
}

void parking_forget(struct room_service *s, struct session_handle h)
{
	LIST_EACH_SAFE(it, &s->parked)
	{
		struct parked *p = LIST_OWNER(it, struct parked, in_service);
		if (session_handle_eq(p->handle, h))
			unpark(p);
	}
}

static struct parked *make(const struct room_client *c, struct str text)
{
	struct parked *p =
	        mem_alloc(sizeof *p + c->jid.n + c->key.n + c->peer.n + c->region.n + text.n);
	if (!p)
		return NULL;
	char *at = p->bytes;
	*p = (struct parked){.handle = c->handle,
	        .claims = c->claims ? claims_ref(c->claims) : NULL,
	        .peer_loopback = c->peer_loopback};
	p->jid = keep(&at, c->jid);
	p->key = keep(&at, c->key);
	p->peer = keep(&at, c->peer);
	p->region = c->region.n ? keep(&at, c->region) : STR_NONE;
	p->text = keep(&at, text);
	return p;
}

bool parking_add(struct room *r, const struct room_client *c, const struct stanza *st)
{
	struct room_service *s = r->service;
	struct buf text;
	parking_leave(r, c->handle);
	if (r->n_parked >= PARKED_PER_ROOM || s->n_parked >= PARKED_MAX) {
		s->counters.limit_joins++;
		return false;
	}
	buf_init(&text, 4 * s->settings.presence_bytes); /* more would be refused at the join */
	xml_write(&text, st->element, STR(""));
	struct parked *p = text.failed ? NULL : make(c, buf_view(&text));
	buf_done(&text);
	if (!p)
		return false;
	p->room = r;
	list_append(&r->parked, &p->in_room);
	list_append(&s->parked, &p->in_service);
	r->n_parked++;
	s->n_parked++;
	log_debug("room=%s session=%.8s event=join waits-for=focus", log_value(r->node),
	        c->key.n ? c->key.p : "-");
	return true;
}

/* One of them, as it came. fn may end the room. */
static void play(struct room_service *s, struct xml_parser *parser, const struct parked *p,
        void (*fn)(struct room_service *s, const struct room_client *c, const struct stanza *st))
{
	const struct xml_limits limits = {.bytes = p->text.n + 1,
	        .depth = DEPTH_MAX,
	        .attributes = DEPTH_MAX,
	        .elements = UINT32_MAX};
	const struct room_client c = {.handle = p->handle,
	        .jid = p->jid,
	        .key = p->key,
	        .peer = p->peer,
	        .region = p->region,
	        .peer_loopback = p->peer_loopback,
	        .claims = p->claims};
	struct arena a;
	struct element *e;
	struct stanza st;
	arena_init(&a, 0);
	if (parser && xml_parse(parser, p->text, &limits, &a, &e) == XML_FINE &&
	        stanza_read(e, &a, &st) == ERR_OK) {
		fn(s, &c, &st);
	} else {
		service_no_memory(s, "parked");
		s->outbox->close(s->outbox->arg, p->handle, "resource-constraint", STR_NONE);
	}
	arena_done(&a);
}

/* Takes them from the room first: they are nobody's any more when the room changes. */
static void play_all(struct room *r,
        void (*fn)(struct room_service *s, const struct room_client *c, const struct stanza *st))
{
	struct room_service *s = r->service;
	struct xml_parser *parser = list_empty(&r->parked) ? NULL : xml_parser_new();
	while (!list_empty(&r->parked)) {
		struct parked *p = PARKED_IN(r->parked.next);
		list_remove(&p->in_room);
		list_remove(&p->in_service);
		r->n_parked--;
		s->n_parked--;
		play(s, parser, p, fn);
		claims_unref(p->claims);
		mem_free(p);
	}
	xml_parser_free(parser);
}

void parking_release(struct room *r)
{
	play_all(r, entry_replay);
}

static void refuse(struct room_service *s, const struct room_client *c, const struct stanza *st)
{
	struct stanza_error e =
	        stanza_error_make("cancel", "not-allowed", "Room creation is restricted");
	service_error(s, c, st, &e);
}

void parking_refuse(struct room *r)
{
	play_all(r, refuse);
}
