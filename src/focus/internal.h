/* internal.h - shared by the files of the focus. pure */
#pragma once
#include "focus/focus.h"
#include "xmpp/error.h"

struct focus {
	struct focus_settings settings;
	const struct outbox *outbox;
	struct room_service *rooms; /* NULL until focus_attach */
	uint32_t next_id;           /* of IQs the focus sends */
};

/* request.c: an IQ get or set to the focus address */
void request_iq(struct focus *f, const struct room_client *c, const struct stanza *st);
/* The canonical bare JID that a conference request names, appended; false: it is none, or names
 * nothing that could be a room here. */
bool request_names(const struct focus *f, const struct stanza *st, struct buf *room);
/* address.c */
/* Is this (normalised) domain one of rooms, a tenant's among them? */
bool address_is_room(const struct focus *f, struct str domain);
/* [tenant]room@domain becomes room@tenant's domain, the one name of that room; any other address
 * stays. False: no memory. */
bool address_outward(const struct focus *f, struct jid *jid, struct arena *a);
/* mute.c: <mute/> from an occupant to room/focus */
bool mute_is(const struct element *payload);
void mute_iq(struct focus *f, struct room *r, struct occupant *from, const struct stanza *st);
/* focus.c */
void focus_refuse(
        struct room *r, struct occupant *to, const struct stanza *st, const struct stanza_error *e);
void focus_send(struct focus *f, const struct room_client *to, struct buf *stanza);
