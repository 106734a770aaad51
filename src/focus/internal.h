/* internal.h - shared by the files of the focus. pure */
#pragma once
#include "base/list.h"
#include "base/timer.h"
#include "focus/focus.h"
#include "xmpp/error.h"

struct focus {
	struct focus_settings settings;
	const struct outbox *outbox;
	struct room_service *rooms; /* NULL until focus_attach */
	uint32_t next_id;           /* of IQs the focus sends */

	/* a focus outside (external.c) */
	uint64_t now_ms;
	struct list pending; /* requests handed on, the oldest first */
	unsigned n_pending;
	struct timer overdue;
};

/* external.c: the focus outside */
void external_init(struct focus *f);
void external_done(struct focus *f);
void external_gone(struct focus *f, struct session_handle h);
/* Hands the request on; room: canonical, or absent when it is about none. Answered in any case. */
void external_ask(
        struct focus *f, const struct room_client *c, const struct stanza *st, struct str room);
/* Is it an answer of the focus? Then it has been handed back. */
bool external_answer(struct focus *f, const struct room_client *c, const struct stanza *st);
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
/* May it be handed on to a focus outside? Otherwise it has been refused. */
bool mute_guard(struct room *r, struct occupant *from, const struct stanza *st);
void mute_iq(struct focus *f, struct room *r, struct occupant *from, const struct stanza *st);
/* focus.c */
void focus_refuse(
        struct room *r, struct occupant *to, const struct stanza *st, const struct stanza_error *e);
void focus_send(struct focus *f, const struct room_client *to, struct buf *stanza);
