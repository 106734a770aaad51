/* room.h - multi-user rooms (XEP-0045 as Jitsi clients use it): the service of one worker. pure
 *
 *   stanza --room--> event --policy--> verdict --apply--> presences, errors --outbox--> sessions
 *
 * A room knows no sockets and no session: it is told who speaks (struct room_client), and answers
 * through struct outbox. It asks no clock: room_service_clock is called before anything else in a
 * turn. Roles and names come from policy and nowhere else. Thread: the conference's worker; nothing
 * here is locked. */
#pragma once
#include "base/buf.h"
#include "base/counter.h"
#include "base/timer.h"
#include "policy/claims.h"
#include "policy/reason.h"
#include "policy/service.h"
#include "xmpp/outbox.h"
#include "xmpp/stanza.h"

struct policy_settings;
struct openers;
struct room_service;
struct room;
struct occupant;

/* Filled in by cli/serve; strings outlive the service. */
struct room_settings {
	struct str domain; /* of the sessions */
	struct str muc_domain;
	bool tenants;         /* they have room domains of their own (xmpp/muc_host.h) */
	struct str focus_jid; /* bare account of the focus */
	const struct policy_settings *policy;
	bool focus_outside; /* a service's session is the focus: it opens rooms, and people wait for
	                     * it
	                     */
	bool resource_strict; /* the nick must be the first 8 characters of the session's own node
	                       */

	/* What the services of all workers count together (room/openers.h); it outlives the
	 * service. NULL: this is the only one, and it counts by itself. */
	struct openers *openers;

	/* bounds; each crossing is counted below and answered with an error */
	uint32_t rooms;
	uint32_t rooms_per_address; /* loopback is exempt */
	uint32_t rooms_per_session;
	uint32_t occupants_per_room;
	uint32_t joins_per_second;     /* per room; a burst of twice as many */
	uint32_t passwords_per_minute; /* wrong ones, per room and address; a burst of as many */
	uint32_t presence_bytes;       /* of one occupant, as stored */
	uint32_t message_bytes;        /* of one message or relayed IQ, as sent */
	uint32_t history_messages, history_bytes;
	uint32_t subject_bytes;
	uint32_t ready_ms;             /* a room without a human */
	uint32_t record_events;        /* per occupant, of the decision record */
	uint32_t record_departed;      /* records kept per room after the occupant has left, */
	uint32_t record_departed_all;  /* and of all rooms together (of this worker) */
	uint32_t log_lines_per_second; /* of refusals and limits, all rooms together */
};
/* Reasonable bounds for everything that is one; names and policy stay empty. */
extern const struct room_settings room_settings_default;

/* One signaling client as a room sees it. Borrowed for the call. */
struct room_client {
	struct session_handle handle;
	struct str jid;  /* full */
	struct str key;  /* the node of jid: what the policy calls the session */
	struct str peer; /* address, for limits */
	bool peer_loopback;
	struct claims *claims; /* NULL: a guest */
	enum service service;  /* known by its password login; SERVICE_NONE: a person */
	struct str region;     /* where a trusted proxy says it is; absent: none */
};

/* Upward calls, filled in by focus. All may be NULL. */
struct room_listener {
	void *arg;
	/* A room will open, and has ended. false: it must not (no memory). */
	bool (*opened)(void *arg, struct str room_jid);
	void (*ended)(void *arg, struct str room_jid);
	/* The children of the focus occupant's presence. */
	void (*focus_presence)(void *arg, const struct room *room, struct buf *out);
	/* An IQ get or set from an occupant to room/focus. Must be answered by the callee. */
	void (*focus_iq)(
	        void *arg, struct room *room, struct occupant *from, const struct stanza *st);
	/* The same where the focus is outside: may it go there? False: the callee has refused it.
	 */
	bool (*focus_guard)(
	        void *arg, struct room *room, struct occupant *from, const struct stanza *st);
};

/* What was refused by a limit, and what goes on. */
struct room_counters {
	uint64_t joins, refusals, leaves, kicks, bans, grants, revokes, elections, expired,
	        destroyed;
	uint64_t limit_rooms, limit_rooms_per_address, limit_rooms_per_session, limit_occupants,
	        limit_joins, limit_passwords, limit_presence, limit_message, limit_subject,
	        limit_bans, log_suppressed, no_memory;
	uint32_t rooms, occupants; /* now; the focus is not an occupant here */
};

struct room_service *room_service_new(const struct room_settings *settings,
        const struct outbox *outbox, const struct room_listener *listener,
        struct timer_wheel *timers);            /* NULL on no memory; settings is copied */
void room_service_free(struct room_service *s); /* every session must have been told gone */
/* The time of this turn: monotonic milliseconds (those of the wheel) and Unix seconds. */
void room_service_clock(struct room_service *s, uint64_t now_ms, double unix_s);

/* A stanza whose `to` is the room service, a room or an occupant. */
void room_service_stanza(
        struct room_service *s, const struct room_client *from, const struct stanza *st);
/* The session has ended: it leaves every room. */
void room_service_gone(struct room_service *s, struct session_handle h);
/* A stanza for this client, or occupant, was lost for want of memory: its stream ends, so that it
 * neither waits for ever nor keeps a wrong picture. */
void room_service_lost(struct room_service *s, const struct room_client *c);
void occupant_lost(struct occupant *o);
/* Its connection is lost: it stays, and counts as present (roles.md 3.7). */
void room_service_away(struct room_service *s, struct session_handle h);
/* It is back. same_token: otherwise c->claims are new, and every seat is decided anew by them. */
void room_service_back(struct room_service *s, const struct room_client *c, bool same_token);
/* May this session be resumed with another token, by the rooms here that it sits in? */
enum room_resume { ROOM_NO_SEAT, ROOM_RESUME_HONOURED, ROOM_RESUME_REFUSED };
enum room_resume room_service_may_resume(struct room_service *s, struct session_handle h,
        struct str key, const struct claims *claims);
/* The same for one that sits nowhere, by the room that it knocks at. */
bool room_service_may_knock(struct room_service *s, struct str room_jid, struct str key,
        const struct claims *claims, const struct claims *old_claims);
/* A conference request (roles.md 3.5): judges, and if it is granted makes the room ready with the
 * focus inside. The reason is R_NONE when granted or when somebody else's gate will refuse at the
 * join; E_WAIT_HOST, E_ROOM_NAME, E_OUTCAST or E_RATE (a limit, no memory) otherwise. */
enum reason room_service_request(
        struct room_service *s, const struct room_client *from, struct str room_jid);
/* May one more line about a refusal be logged now: log_lines_per_second. */
bool room_service_may_log(struct room_service *s);
const struct room_counters *room_service_counters(const struct room_service *s);
/* The same by name, for logs and admin; returns how many. */
size_t room_service_list_counters(const struct room_service *s, struct counter *out, size_t max);
struct room *room_next(
        const struct room_service *s, size_t *pos); /* start with *pos = 0; NULL at the end */

struct room *room_find(const struct room_service *s, struct str room_jid); /* normalised bare JID */
struct str room_jid(const struct room *r);
struct str room_meeting_id(const struct room *r);
uint64_t room_created_ms(const struct room *r); /* Unix */
unsigned room_size(const struct room *r);       /* humans */
unsigned room_moderators(const struct room *r);
struct occupant *room_occupant(const struct room *r, struct str nick); /* NULL: nobody */
/* Ends the meeting for all: unavailable presences with <destroy/>. r is gone afterwards. */
void room_destroy(struct room *r, struct str reason);

struct str occupant_nick(const struct occupant *o);
void occupant_write_jid(const struct occupant *o, struct buf *out); /* room/nick, escaped for XML */
struct str occupant_real_jid(const struct occupant *o);
bool occupant_is_moderator(const struct occupant *o);
/* Has his token this feature, or the default set of moderators? "recording". */
bool occupant_may(const struct occupant *o, const char *feature);
/* Queues a whole stanza for the occupant's session. */
void occupant_send(struct occupant *o, struct str stanza);
/* Answers an IQ that came through room_listener, from room/focus. */
void room_focus_reply(struct room *r, struct occupant *to, const struct stanza *st,
        const char *type, struct str payload);

/* What `explain --live` shows: a JSON object for the room, or for one occupant present or departed
 * (nick or real JID). NULL: unknown or no memory. The caller frees it. */
struct jval *room_record_json(const struct room *r, struct str who);
