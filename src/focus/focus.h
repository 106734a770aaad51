/* focus.h - the focus: conference requests, mute, and the occupant `focus` of every room. pure
 *
 * Stands between session and room: routes a bound session's stanza to the focus address, to the
 * room service, or answers that there is no such address. Thread: the conference's worker. */
#pragma once
#include "room/room.h"
#include "session/session.h"
#include "xmpp/error.h"

struct directory;
struct focus;
struct services;
struct timer_wheel;

/* Filled in by cli/serve; strings outlive the focus. */
struct focus_settings {
	struct str domain; /* of the sessions */
	struct str muc_domain;
	bool tenants;              /* they have room domains of their own */
	struct str focus_domain;   /* where conference requests go */
	struct str focus_jid;      /* bare account */
	struct str token_auth_url; /* absent: none */
	bool auth;                 /* the server knows tokens */
	bool outside; /* the focus is a service's session: requests are handed on to it */
	const struct services *services; /* which knows that session; NULL: there is none */
	struct timer_wheel *timers;      /* NULL: an answer may be waited for without end */
	const char *version;
	struct directory *directory; /* told of the rooms; NULL: this is the only worker */
	unsigned worker;             /* which of them this is */
};

/* NULL on no memory. settings is copied; outbox outlives the focus. */
struct focus *focus_new(const struct focus_settings *settings, const struct outbox *outbox);
void focus_free(struct focus *f);
/* The time of this turn, monotonic. */
void focus_clock(struct focus *f, uint64_t now_ms);
/* How the room service reaches this focus; f fills it in before the room service exists. */
struct room_listener focus_listener(struct focus *f);
/* The room service, once it exists. */
void focus_attach(struct focus *f, struct room_service *rooms);

/* session_events of cli/serve end here. */
void focus_stanza(struct focus *f, struct session *s, const struct stanza *st);
/* The same for a client that is known by its values only. */
void focus_client_stanza(struct focus *f, const struct room_client *c, const struct stanza *st);
/* A service's answer to what was handed on to it: which worker waits for it. False: it is none. */
bool focus_answer_for(
        const struct focus *f, enum service service, const struct stanza *st, unsigned *worker);
void focus_gone(struct focus *f, struct session *s);
void focus_client_gone(struct focus *f, struct session_handle h);
/* The conference that this stanza is about: its canonical bare JID, appended to *room. *opens: it
 * may open it. False: none, it is for this worker to answer. */
bool focus_conference_of(
        const struct focus *f, const struct stanza *st, struct buf *room, bool *opens);

/* The session as rooms see it. */
struct room_client focus_client_of(const struct session *s);

/* A conference request, however it came (by IQ or by HTTP): judged here and nowhere else. Granted,
 * it still has to be handed on to a focus outside. */
struct focus_answer {
	bool ready;                /* granted: the room may be joined */
	enum reason reason;        /* of the refusal; R_NONE: the request itself is wrong */
	struct str room;           /* canonical bare JID, when granted; in the arena */
	struct stanza_error error; /* when refused */
};
/* wanted: the room's JID as the client wrote it; absent: none. */
void focus_conference(struct focus *f, const struct room_client *c, struct str wanted,
        struct arena *a, struct focus_answer *out);
/* The canonical bare JID that such a request is about, appended. False: it is for this worker to
 * refuse. */
bool focus_request_room(const struct focus *f, struct str wanted, struct buf *room);
/* The properties of a granted request: name and value, n of them at most FOCUS_PROPERTIES. */
#define FOCUS_PROPERTIES 3
struct focus_property {
	const char *name, *value;
};
size_t focus_properties(const struct focus *f, struct focus_property out[FOCUS_PROPERTIES]);
struct str focus_account(const struct focus *f); /* its bare JID */
