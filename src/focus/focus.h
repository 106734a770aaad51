/* focus.h - the focus: conference requests, mute, and the occupant `focus` of every room. pure
 *
 * Stands between session and room: routes a bound session's stanza to the focus address, to the
 * room service, or answers that there is no such address. Thread: the conference's worker. */
#pragma once
#include "room/room.h"
#include "session/session.h"

struct directory;
struct focus;

/* Filled in by cli/serve; strings outlive the focus. */
struct focus_settings {
	struct str domain; /* of the sessions */
	struct str muc_domain;
	struct str focus_domain;   /* where conference requests go */
	struct str focus_jid;      /* bare account */
	struct str token_auth_url; /* absent: none */
	bool auth;                 /* the server knows tokens */
	const char *version;
	struct directory *directory; /* told of the rooms; NULL: this is the only worker */
	unsigned worker;             /* which of them this is */
};

/* NULL on no memory. settings is copied; outbox outlives the focus. */
struct focus *focus_new(const struct focus_settings *settings, const struct outbox *outbox);
void focus_free(struct focus *f);
/* How the room service reaches this focus; f fills it in before the room service exists. */
struct room_listener focus_listener(struct focus *f);
/* The room service, once it exists. */
void focus_attach(struct focus *f, struct room_service *rooms);

/* session_events of cli/serve end here. */
void focus_stanza(struct focus *f, struct session *s, const struct stanza *st);
void focus_gone(struct focus *f, struct session *s);
void focus_client_gone(struct focus *f, struct session_handle h);
/* The conference that this stanza is about: its canonical bare JID, appended to *room. *opens: it
 * may open it. False: none, it is for this worker to answer. */
bool focus_conference_of(
        const struct focus *f, const struct stanza *st, struct buf *room, bool *opens);
/* The same for a client that is known by its values only. */
void focus_client_stanza(struct focus *f, const struct room_client *c, const struct stanza *st);
