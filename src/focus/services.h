/* services.h - services among themselves: their sessions by address, stanzas from one to another,
 * and the door of their breweries, which is closed to people. pure
 *
 * Each worker has one and knows the services of all workers. Thread: the worker's. */
#pragma once
#include "room/room.h"

struct services;
struct breweries;

/* Filled in by cli/parts; strings outlive it. */
struct services_settings {
	struct str auth_domain, hidden_domain; /* where their accounts are */
	struct str internal_muc_domain;        /* where their rooms are */
	uint32_t breweries;                    /* at most */
	uint32_t occupants;                    /* of each */
	bool focus_outside;                    /* its coming and going is logged */
	struct directory *directory; /* told of the breweries; NULL: this is the only worker */
	unsigned worker;             /* which of them this is */
};

/* NULL on no memory; settings is copied, outbox outlives it. */
struct services *services_new(
        const struct services_settings *settings, const struct outbox *outbox);
void services_free(struct services *x); /* NULL is fine */

/* A service has logged in, on this worker or another one. It takes the place of one with the same
 * full address, which is ended. */
void services_came(struct services *x, const struct room_client *c);
void services_gone(struct services *x, struct session_handle h);
/* The session of this kind that came last. False: there is none. jid lives as long as it. */
bool services_newest(
        const struct services *x, enum service kind, struct session_handle *h, struct str *jid);

/* Is this stanza, of a service or a person, for a service or for their rooms? Then it has been
 * handled; people are refused. */
bool services_stanza(struct services *x, const struct room_client *c, const struct stanza *st);
/* The brewery that a service's stanza is about: as focus_conference_of. */
bool services_room_of(
        const struct services *x, const struct stanza *st, struct buf *room, bool *opens);

/* The breweries that live here, for counters. */
const struct breweries *services_breweries(const struct services *x);
