/* decide.h - the decisions of the server, one function per event. pure
 *
 * Facts in, verdict out: no clock but `now`, no log, no state. The server calls them under the
 * room's serialisation, `gavel explain` and the vectors call the same ones. A verdict is committed
 * before anybody receives a presence. All functions fill the whole verdict. Nothing is allocated
 * that outlives the call; when memory for Unicode work is out, the request at hand is refused
 * (nomem, E_RATE).
 *
 * Order of a join: policy_connect (stage sasl, once per session) - policy_conference (the
 * conference request) - policy_join. roles.md 3.4, 3.5, 3.7. */
#pragma once
#include "policy/claims.h"
#include "policy/service.h"
#include "policy/verdict.h"
#include "policy/view.h"

/* Stage sasl. token: what verification found; R_NONE = the token is good, claims given. present:
 * there was a non-empty token. With auth=none tokens are not read: do not verify, pass
 * present=false. */
struct connect_request {
	const struct policy_settings *settings;
	bool present;
	enum reason token;
	const struct claims *claims; /* NULL unless good */
};
void policy_connect(const struct connect_request *r, struct verdict *v);

/* A session asks to enter a room, or asks the focus to open it. */
struct join_request {
	const struct policy_settings *settings;
	const struct room_view *room; /* the whole meeting's, see view.h */
	int64_t now;                  /* Unix seconds */
	const struct claims *claims;  /* NULL: guest */
	struct str session;           /* session_key, for bans */
	enum service service; /* a service identity: R_SERVICE, no gate but the room's name */
	struct str nick;      /* typed name in <nick/>; absent: none */
	struct str password;  /* absent: none sent */
	bool admitted;        /* let in from the lobby, or a member since the lobby went on */
	bool requested;       /* a conference request was granted for this session, or needs none */
	const struct seat
	        *moving; /* its seat in the meeting: going to a breakout or back; NULL: newcomer */
};

enum conference_answer {
	CONFERENCE_READY,      /* ready='true'; creates the room when it is not there */
	CONFERENCE_READY_ONLY, /* ready='true', creates nothing: the join will show the refusal */
	CONFERENCE_REFUSED,    /* not-authorized: the client waits and asks again */
};
/* Node form, room match, outcast, ban, creation; `requested` is not read. v tells why (a READY_ONLY
 * verdict holds the refusal to come). */
enum conference_answer policy_conference(const struct join_request *r, struct verdict *v);
/* All gates, role, name. */
void policy_join(const struct join_request *r, struct verdict *v);

/* What a muc#admin item asks for (3.7). */
struct item_request {
	const struct policy_settings *settings;
	const struct room_view *room;
	const struct seat *actor;  /* NULL: not an occupant (refused) */
	const struct seat *target; /* NULL: nobody present */
	bool has_affiliation,
	        has_role; /* what the item names; the affiliation counts where both are there */
	enum affiliation affiliation;
	enum role role;
};
/* Checks: actor, target, rank, mode, runtime_grant. An item that asks for nothing (or an unknown
 * word) must be refused as bad-request before. Check all items of an IQ before the first is
 * applied. The verdict is about the target. */
void policy_item(const struct item_request *r, struct verdict *v);

/* Somebody is gone: left, or his resume window is over. The view is that of before: he is still
 * counted in it. */
void policy_leave(const struct policy_settings *s, const struct room_view *room,
        const struct seat *seat, bool switch_room, struct verdict *v);

/* A token ran out during the meeting. Refused with E_EXP: close the stream after 30 s. */
void policy_expire(const struct policy_settings *s, const struct room_view *room,
        const struct seat *seat, struct verdict *v);

/* Stream resumption (3.7). */
struct resume_request {
	const struct policy_settings *settings;
	const struct room_view
	        *room; /* the main room of the session's meeting, or the one it knocks at */
	int64_t now;
	const struct seat *seat;         /* the session's seat; NULL: it knocks in the lobby */
	const struct claims *old_claims; /* the session's token, NULL: none */
	bool same_token; /* the very token of the session, or none where it has none: (a), (b) */
	bool expired;    /* that token has run out */
	const struct claims *claims; /* (c): the new, valid token; NULL: came without one */
	struct str session;
	struct str nick; /* typed since; usually absent */
};
enum resume_answer {
	RESUME_SAME,      /* (a), (b): nothing but what v says (a demotion, an election) */
	RESUME_NEW_TOKEN, /* (c): stream and seat stay, v is the new decision */
	RESUME_IGNORED,   /* not honoured: a new session, evaluated from zero */
	RESUME_REFUSED,   /* (a) with on_expiry=disconnect, or (c) with a token that is an outcast's
	                     or banned */
};
enum resume_answer policy_resume(const struct resume_request *r, struct verdict *v);

/* A presence with another nick. typed absent or empty: falls back to the token's name where the
 * name is free. */
void policy_rename(const struct policy_settings *s, const struct room_view *room,
        const struct seat *seat, struct str typed, struct verdict *v);

/* May this occupant read or submit the room's form (3.6): E_FORBIDDEN, E_CONFIG. names_people: the
 * form would write roomowners or roomadmins. */
void policy_config_change(const struct policy_settings *s, const struct seat *actor,
        bool names_people, struct verdict *v);

/* The affiliation of somebody inside when the lobby goes on: guests get member. */
enum affiliation policy_lobby_on(const struct seat *seat);

/* The resource (MUC nick) that a join or a later presence asks for: E_NICK, E_CONFLICT. */
struct resource_request {
	struct str resource; /* asked for; whether it is a valid JID resource is known before:
	                        absent when not */
	struct str current;  /* the one he has in this room; absent: he is not in it */
	struct str session;  /* session_key */
	bool strict; /* resource_strict: the first 8 characters of the session's own node, nothing
	                else */
	bool taken;  /* another occupant has it */
};
void policy_resource(const struct resource_request *r, struct verdict *v);

/* A refusal that another part found (E_NICK, E_CONFLICT, E_RATE), as a verdict. stage STAGE_NONE:
 * the table's. */
void policy_refuse(enum reason reason, enum stage stage, struct verdict *v);
