/* seat.h - an occupant as the policy sees it: why he has his role, and what he may become. pure
 *
 * The room embeds one seat in each occupant and is the only writer: after a verdict it copies the
 * outcome in (seat_apply). Breakout rooms share the seats of their main room: a seat is a session
 * in a meeting. Borrowed strings live in the occupant. roles.md 3.1, 3.7. */
#pragma once
#include <stdint.h>
#include "policy/claims.h"

/* Why somebody has his role; the order is the rank of 3.7: nobody acts on a higher one. */
enum source { SOURCE_NONE, SOURCE_GRANTED, SOURCE_MODE, SOURCE_TOKEN };
/* `admin` exists on the wire only: it is never assigned. */
enum affiliation {
	AFFILIATION_NONE,
	AFFILIATION_OUTCAST,
	AFFILIATION_MEMBER,
	AFFILIATION_ADMIN,
	AFFILIATION_OWNER
};
enum role { ROLE_NONE, ROLE_VISITOR, ROLE_PARTICIPANT, ROLE_MODERATOR };
enum seat_state {
	SEAT_LIVE,
	SEAT_HIBERNATING, /* connection lost, may resume */
	SEAT_SWITCHING,   /* gone with switch_room, at most 60 s: still counts as present */
};

struct seat {
	/* who */
	const struct claims *claims; /* the session's verified token; NULL: a guest. Kept alive by
	                                the occupant */
	struct identity identity;    /* of that token; not present for guests */
	bool guest;                  /* no token */
	bool service;                /* focus, recorder: outside this policy (R_SERVICE) */
	bool visitor;                /* the token says context.user.role = "visitor" */

	/* role */
	enum source source;
	enum affiliation affiliation;
	enum role role;
	bool denied;   /* the token said no (even where honour_deny=false) */
	bool revoked;  /* stepped down or revoked in this session */
	bool expired;  /* the token ran out during the meeting */
	bool admitted; /* let in by a moderator, or inside when the lobby went on */

	/* presence */
	enum seat_state state;
	uint64_t joined; /* order of joining, unique in the meeting */

	/* name */
	struct str name;  /* what others see; absent: no nick element */
	bool name_frozen; /* comes from the token and stays (with an absent name: none, and stays)
	                   */
	bool name_marked; /* carries a clash suffix */

	/* features (4.5 and 3.7 Grant) */
	const struct jval *own_features; /* context.features of the own token, borrowed from claims;
	                                    NULL: none */
	const struct jval *lent_features; /* the granter's; the room keeps those claims alive */
	bool lent; /* lent_features counts (NULL then means the default set) */
};

static inline bool seat_is_moderator(const struct seat *s)
{
	return s->role == ROLE_MODERATOR;
}

/* Words as on the wire and in vectors: "owner", "moderator", "granted". */
const char *affiliation_name(enum affiliation a);
const char *role_name(enum role r);
const char *source_name(enum source s);
/* false: no such word. */
bool affiliation_parse(struct str word, enum affiliation *out);
bool role_parse(struct str word, enum role *out);
bool source_parse(struct str word, enum source *out);

struct verdict;
/* Writes the outcome of an accepted decision into its subject's seat: affiliation, role, source,
 * denied, revoked, expired, visitor, name flags and features. The name's text is the caller's: the
 * seat borrows, so he copies verdict.name first and sets seat.name. `joined`, `state`, `admitted`
 * and `claims` stay as they are. */
void seat_apply(struct seat *s, const struct verdict *v);
