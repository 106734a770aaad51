/* model.h - what a room is made of; only for the files of this folder. pure
 *
 *   room_service --rooms--> room --occupants--> occupant <--stays-- attendee (one session, its
 * occupants in all rooms)
 *
 * Ownership: the service owns rooms and attendees, a room its occupants, an occupant its strings. A
 * room lives from the request (ready, without a human, for ready_ms) or the first join until its
 * last human is gone. */
#pragma once
#include "base/limit.h"
#include "base/list.h"
#include "base/map.h"
#include "policy/decide.h"
#include "policy/settings.h"
#include "room/openers.h"
#include "room/room.h"
#include "xmpp/error.h"

#define FOCUS_NICK "focus"
#define PASSWORD_BYTES_MAX 256
#define BANS_MAX 1000

/* Members with equal keys: occupants by identity, by name skeleton, by e-mail or picture of their
 * token. */
struct group {
	struct list members;
	size_t n;
	struct str key; /* its own bytes */
	char bytes[];
};

struct room_service {
	struct room_settings settings;
	const struct outbox *outbox;
	struct room_listener listener;
	struct timer_wheel *timers;
	uint64_t now_ms;
	double unix_offset;      /* Unix seconds at now_ms 0 */
	struct map rooms;        /* bare JID -> room */
	struct map attendees;    /* handle bytes -> attendee */
	struct openers *openers; /* settings.openers, or its own */
	struct room_counters counters;
	struct list parked; /* joins that wait for a focus, of all rooms */
	unsigned n_parked;
	struct buf head; /* "<presence to='..'" of the delivery at hand */
	uint64_t memory_logged_ms;
	struct limit log_lines;
	struct list departed; /* records of all rooms, in order of leaving */
	unsigned n_departed;
};

/* One session, as long as it sits in a room. */
struct attendee {
	struct session_handle handle;
	struct list occupants;
	unsigned n;
};

/* The last presence of an occupant: " from='room/nick'>" children, muc#user x, "</presence>". */
struct presence {
	struct block *tail;
	uint32_t body_at, body_n; /* what the client sent and is relayed as it is */
};

struct record_event {
	struct list link;
	double at; /* Unix seconds */
	enum reason reason;
	enum affiliation affiliation;
	enum role role;
	enum source source;
	char actor[65]; /* nick; empty: nobody, the rules did it */
	char what[16];  /* "grant", "leave", ... */
};

/* Why somebody has the role he has: the decision of the join, and what came later. */
struct record {
	struct list link;  /* in room.departed once he has left */
	struct list among; /* in service.departed */
	struct room *room; /* once he has left */
	char *nick, *jid;  /* owned */
	char *decision;    /* owned JSON object */
	struct list events;
	unsigned n_events, dropped;
};

struct occupant {
	struct seat seat; /* first: a seat is its occupant */
	struct room *room;
	struct list in_room; /* order of joining */
	struct attendee *attendee;
	struct opener *inside; /* counted with the other workers; NULL: there are none */
	struct list in_attendee;
	struct session_handle handle;
	char *jid; /* real, full */
	char *nick;
	char *key;                  /* session key */
	char *name;                 /* seat.name points here */
	uint64_t typed;             /* hash of the name last typed, 0: none */
	char *email, *avatar;       /* as sent; NULL: not sent */
	char *region;               /* as a trusted proxy said; NULL: it did not */
	bool sends_region;          /* his own presence says one */
	char *identity;             /* <identity/> to add, or NULL */
	struct claims *claims;      /* one reference, or NULL */
	struct claims *lent_claims; /* keeps seat.lent_features alive */
	struct presence presence;
	struct group *same_identity, *same_name, *same_email, *same_avatar;
	struct list identity_link, name_link, email_link, avatar_link;
	struct timer expiry;
	struct timer announce; /* its presence could not be sent for want of memory */
	bool announce_permissions;
	bool leaving;        /* its token ran out, and its stream will be closed */
	uint64_t noticed_ms; /* last notice about its name; 0: never */
	struct limit rejoins;
	struct record *record;
};

struct history_line {
	struct list link;
	struct block *tail;
};

enum { GUESS_BUCKETS = 16 };

struct room {
	struct room_service *service;
	struct str jid;                /* bare; owned bytes follow the struct */
	struct str node;               /* as logs say it: [tenant]room where there is one */
	struct str tenant, plain_node; /* slices of jid and node; tenant absent: none */
	char meeting_id[37];
	double opened, started; /* Unix seconds; started: the first human's join, 0 before */
	struct block *focus;    /* presence tail of the focus occupant; NULL: it is outside */
	bool awaits_focus;      /* it is outside and has not come yet: who joins is parked */
	bool wanted;        /* a request was granted, and the focus outside has not come since */
	struct list parked; /* joins, in order */
	unsigned n_parked;
	struct list services;  /* occupants, the focus outside among them; never counted */
	struct map nicks;      /* nick -> occupant */
	struct list occupants; /* humans, in order of joining */
	unsigned n, moderators, moderators_away;
	uint64_t next_joined;
	bool had_moderator;
	char *password;               /* owned; NULL: none */
	char *subject, *subject_nick; /* owned or NULL */
	struct map identities, names, emails, avatars;
	struct map bans; /* key bytes (owned) -> themselves */
	struct limit joins;
	struct limit guesses[GUESS_BUCKETS]; /* of the password, by who guesses */
	struct timer ready, end;
	struct list history;
	unsigned n_history;
	size_t history_bytes;
	struct list departed;
	unsigned n_departed;
	struct opener *address, *waiting; /* who opened it, or NULL */
};

#define OCCUPANT_OF(seat_pointer) ((struct occupant *)(void *)(uintptr_t)(seat_pointer))
#define OCCUPANT_IN(link_pointer) LIST_OWNER(link_pointer, struct occupant, in_room)

/* service.c */
double service_unix(const struct room_service *s);
void service_no_memory(
        struct room_service *s, const char *where); /* counts, and logs once a minute */
/* May a line about a refusal or a limit be written now? Counts those that may not. */
/* A stanza for this session was lost for want of memory: its stream ends. */
void service_lost(struct room_service *s, struct session_handle to, const char *where);
/* Sends one whole stanza; of a failed buf the receiver would never hear: service_lost. */
void service_send(struct room_service *s, struct session_handle to, struct buf *stanza);
void service_error(struct room_service *s, const struct room_client *c, const struct stanza *st,
        const struct stanza_error *e);
/* The error of a refused verdict, with its application element. */
void service_refuse(struct room_service *s, const struct room_client *c, const struct stanza *st,
        const struct verdict *v);
struct attendee *service_attendee(const struct room_service *s, struct session_handle h);
/* " fix=..." for the log: the setting or claim that stands behind a refusal; "" when none would
 * change it. */
const char *refusal_fix(const struct verdict *v);

/* index.c */
int group_add(struct map *m, struct str key, struct list *link, bool front, struct group **out);
void group_remove(struct map *m, struct group **g, struct list *link);
/* From *g (may be NULL) into the group of key; false on no memory: nothing has changed. */
bool group_move(struct map *m, struct group **g, struct list *link, struct str key, bool front);
struct group *group_find(const struct map *m, struct str key);

/* room.c */
/* A room with the focus inside; NULL on no memory or when a limit refuses. */
struct room *room_new(
        struct room_service *s, const struct jid *jid, const struct room_client *opener);
void room_free(struct room *r);
void room_entered(struct room *r); /* a human is inside: it waits for nobody any more */
/* Once its last human is gone the meeting is over. A focus outside keeps the room until it leaves,
 * for a while. */
void room_free_if_empty(struct room *r);
/* For somebody to enter it: as long as a new room would. */
void room_wait(struct room *r);
/* The focus outside, if it is in. */
struct occupant *room_outside_focus(const struct room *r);
/* Nobody but the server, or the focus outside, may go on with a room that is not there. */
bool room_is_reserved(const struct room_service *s, struct str node);
struct occupant *room_occupant_of(const struct room *r, struct session_handle h);
struct occupant *room_occupant_jid(
        const struct room *r, struct str jid); /* real JID, full or bare */
/* Sends head ("<name xmlns='jabber:client' to='real'") and tail to one, or to all but `except` (may
 * be NULL). */
void room_send(struct room *r, const char *name, const struct occupant *to, struct block *tail);
void room_broadcast(
        struct room *r, const char *name, struct block *tail, const struct occupant *except);
/* A message from the bare room, e.g. status 104. */
void room_notify_config(struct room *r);

/* view.c */
/* r may be NULL: a room that is not there; node is then that of its address. */
void room_view_make(
        const struct room_service *s, const struct room *r, struct str node, struct room_view *out);
/* The same by address: of a room that may not be there. */
void room_view_at(const struct room_service *s, const struct room *r, const struct jid *at,
        struct room_view *out);
/* The tenant whose room domain this is; absent: nobody's. */
struct str service_tenant(const struct room_service *s, struct str domain);
/* The room of an address for a log line: [tenant]room. Valid as log_value. */
const char *service_log_room(const struct room_service *s, const struct jid *at);
/* Key of a ban: identity, else token, else session. false on no memory. */
bool room_ban(struct room *r, const struct occupant *o);

/* occupant.c */
struct occupant *occupant_new(struct room *r, const struct room_client *c, struct str nick);
void occupant_free(struct occupant *o);
/* Copies a verdict into the seat and keeps the sums and indexes of the room. The name only when the
 * verdict has one. false on no memory: nothing has changed. */
bool occupant_apply(struct occupant *o, const struct verdict *v);
bool occupant_set_name(struct occupant *o, struct str name, bool frozen, bool marked);
void occupant_set_role(struct occupant *o, enum affiliation a, enum role role, enum source source);
/* Keeps the claims of the granter alive while what he lent lasts. */
void occupant_keep_lender(struct occupant *o, struct claims *lender);
void occupant_unindex(struct occupant *o);
bool occupant_index(struct occupant *o); /* identity, e-mail, picture */
/* The same after its token was replaced; its name stays where it is. */
bool occupant_index_again(struct occupant *o);
void occupant_set_state(struct occupant *o, enum seat_state state);

/* presence.c */
enum { STATUS_JOINED = 1, STATUS_SELF = 2, STATUS_CREATED = 4 }; /* 100, 110, 201 */
/* Reads the children of a client's presence. false: no memory, or larger than allowed (*too_large).
 */
bool presence_take(struct occupant *o, const struct stanza *st, struct arena *a, bool *too_large);
/* The occupant's own copy: codes, and permissions when wanted. */
void presence_write_self(struct occupant *o, unsigned status, bool permissions, struct buf *out);
/* Renders, sends the new presence to everybody, the occupant included, but not to who is not told
 * yet who is here (NULL: nobody). Without memory it is tried again soon: what is in force gets
 * announced. */
void presence_publish(struct occupant *o, bool permissions, const struct occupant *unaware);
/* The name that a presence types: cleaned of white space around; absent: no nick element. */
struct str presence_typed_name(const struct stanza *st, struct arena *a);
void presence_notice(struct occupant *o); /* others see another name: roles.md 4.2.3 */
void presence_on(struct room_service *s, const struct room_client *c, const struct stanza *st);

/* Everybody's presence but his own, to one who has come: the focus before all, then services. */
void presence_send_all(struct occupant *to);

/* entry.c */
bool entry_make_identity(struct occupant *o); /* <identity/>, from its token; false: no memory */
void entry_join(struct room_service *s, const struct room_client *c, const struct stanza *st);
/* The same for one who was parked: the rate of joins does not stop him again. */
void entry_replay(struct room_service *s, const struct room_client *c, const struct stanza *st);

/* outside.c: services in rooms, the focus outside among them */
void outside_join(struct room_service *s, const struct room_client *c, const struct stanza *st);
/* It leaves where it is not: it is answered all the same. */
void outside_left(struct room_service *s, const struct room_client *c, const struct stanza *st);
/* Is it the focus outside; where the focus is built in nobody is. */
bool outside_is_focus(const struct room_service *s, const struct room_client *c);
/* A service that speaks to a room it is not in, as somebody to ask the policy about. */
struct occupant outside_stranger(struct room *r, const struct room_client *c);
/* A service wrote about a human's role: it stands in his record, and nothing else happens. */
void outside_wrote(struct occupant *target, const char *what, const struct occupant *by);

/* parking.c: joins that came before the focus outside did */
enum { PARKED_PER_ROOM = 500, PARKED_MAX = 5000 };
/* false: too many, or no memory. A second join of the session takes the place of the first. */
bool parking_add(struct room *r, const struct room_client *c, const struct stanza *st);
void parking_forget(struct room_service *s, struct session_handle h); /* it has gone */
void parking_leave(struct room *r, struct session_handle h);          /* it does not want to */
void parking_release(struct room *r);                                 /* the focus is in */
void parking_refuse(struct room *r);                                  /* it will not come */

/* departure.c */
struct departure {
	const char *what;              /* "leave", "lost", "kick", "ban" */
	const struct verdict *verdict; /* of the item; NULL: policy_leave is asked */
	const struct occupant *actor;  /* NULL: nobody */
	struct str text;               /* reason of a kick; status text of a leave */
};
/* Tells everybody, applies the rule of the last moderator, frees o, and the room when it was the
 * last human. */
void departure_leave(struct occupant *o, const struct departure *d);
/* What a verdict does to the meeting besides its subject: election, end, names. `unaware`:
 * presence_publish. */
void departure_consequences(struct room *r, const struct verdict *v, const struct seat *subject,
        const struct occupant *unaware);
/* The meeting ends then, unless a moderator is there before. */
void departure_end_at(struct room *r, uint64_t at_ms);
/* A moderator is there (again): the end is off. */
void departure_moderator_returned(struct room *r);

/* the rest: one stanza each */
void moderation_iq(struct room *r, struct occupant *from, const struct room_client *c,
        const struct stanza *st);
void form_iq(struct room *r, struct occupant *from, const struct room_client *c,
        const struct stanza *st);
void discovery_room(struct room *r, const struct room_client *c, const struct stanza *st);
void discovery_service(
        struct room_service *s, const struct room_client *c, const struct stanza *st);
void message_on(struct room_service *s, const struct room_client *c, const struct stanza *st);
void message_welcome(struct occupant *o, const struct element *muc_x); /* history and subject */
void message_free_history(struct room *r);
void relay_iq(struct room_service *s, const struct room_client *c, const struct stanza *st);
void expiry_start(struct occupant *o);

/* record.c */
struct record *record_new(const struct occupant *o, const struct verdict *v);
void record_free(struct record *rec);
void record_add(
        struct occupant *o, const char *what, enum reason reason, const struct occupant *actor);
void record_depart(struct occupant *o); /* moves the record into the room's list of the departed */
