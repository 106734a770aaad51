/* brewery.h - the rooms on the internal domain, where services meet and no people (XEP-0045): the
 * bridges and their focus, recorders, telephony. pure
 *
 * No policy is asked: everybody here has logged in as a service, and what they say is relayed. The
 * callee tells people apart (room_client.service) and lets none of their stanzas come here.
 * Thread: the worker's; a brewery lives on one worker, as a conference does. */
#pragma once
#include "room/room.h"

struct breweries;

/* Strings outlive the breweries. */
struct brewery_settings {
	struct str domain;
	uint32_t rooms, occupants; /* of each room */
	uint32_t presence_bytes;   /* of one occupant, as stored */
	uint32_t message_bytes;    /* of one message or IQ, as sent */
	/* As in room_listener; either may be NULL. */
	void *arg;
	bool (*opened)(void *arg, struct str room_jid);
	void (*ended)(void *arg, struct str room_jid);
};
extern const struct brewery_settings brewery_settings_default;

/* What goes on, and what was refused by a bound. */
struct brewery_counters {
	uint64_t joins, limit_rooms, limit_occupants, limit_presence, limit_message, no_memory;
	uint32_t rooms, occupants; /* now */
};

/* NULL on no memory; settings is copied, outbox outlives it. */
struct breweries *breweries_new(
        const struct brewery_settings *settings, const struct outbox *outbox);
void breweries_free(struct breweries *bs); /* NULL is fine; tells nobody */
/* A service's stanza whose `to` is on the domain. */
void breweries_stanza(
        struct breweries *bs, const struct room_client *from, const struct stanza *st);
void breweries_gone(struct breweries *bs, struct session_handle h);
const struct brewery_counters *breweries_counters(const struct breweries *bs);
size_t breweries_list_counters(const struct breweries *bs, struct counter *out, size_t max);
