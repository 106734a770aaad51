/* brewery_internal.h - what a brewery is made of; for its two files only. pure */
#pragma once
#include "base/list.h"
#include "base/map.h"
#include "room/brewery.h"

struct breweries {
	struct brewery_settings settings;
	const struct outbox *outbox;
	struct map rooms;    /* bare JID -> brewery */
	struct list brewers; /* of all of them */
	struct buf head;     /* of the stanza at hand: it seldom has to grow */
	struct brewery_counters counters;
};

struct brewery {
	struct breweries *all;
	struct list brewers; /* in the order of joining */
	unsigned n;
	struct str jid; /* its own bytes */
	char bytes[];
};

/* A service in a brewery. */
struct brewer {
	struct list in_room, in_all;
	struct brewery *room;
	struct session_handle handle;
	bool owner;             /* it opened the room, or is the focus */
	struct str nick, jid;   /* jid: real, full; its own bytes */
	struct block *presence; /* " from='room/nick'>" to "</x></presence>" */
	struct block *gone;     /* the same of its leaving, for when there is no memory then */
	char bytes[];
};

#define BREWER_IN(it) LIST_OWNER(it, struct brewer, in_room)

/* brewery.c */
struct brewery *brewery_find(const struct breweries *bs, struct str jid);
struct brewer *brewery_nick(const struct brewery *r, struct str nick);
struct brewer *brewery_brewer_of(const struct brewery *r, struct session_handle h);
/* What could not be written ends the receiver: it would have a wrong picture. */
void brewery_send(struct breweries *bs, struct session_handle to, struct buf *stanza);
void brewery_error(struct breweries *bs, const struct room_client *c, const struct stanza *st,
        const char *type, const char *condition, const char *text);
/* " from='room/nick'" */
void brewery_put_from(struct buf *b, const struct brewer *o);
void brewery_broadcast(
        struct brewery *r, const char *name, struct block *tail, const struct brewer *except);

/* brewery_relay.c */
void brewery_iq(struct breweries *bs, const struct room_client *c, const struct stanza *st);
void brewery_message(struct breweries *bs, const struct room_client *c, const struct stanza *st);
