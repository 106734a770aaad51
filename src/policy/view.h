/* view.h - what a decision may know of a meeting: a few sums the room keeps, and look-ups that are
 * O(1). pure
 *
 * One view covers the main room and its breakout rooms together: presence is presence in the
 * meeting (roles.md 3.7 Breakout). "Present" means humans that are live, hibernating or switching;
 * services are never counted. `explain` and the vectors build the same view from a file. Only
 * elections walk, by next_joined. */
#pragma once
#include "policy/seat.h"

struct ban_key {
	const struct identity *identity; /* of the newcomer; not present: look at the others */
	const uint8_t *token_sha256;     /* 32 bytes, NULL for guests */
	struct str session;              /* session_key */
};

struct name_skeleton;

/* `room` is room_view.room. Each returned seat is borrowed for the decision. */
struct room_lookups {
	/* Was this person banned from the meeting: by verified identity, else by token hash, else
	 * by session. */
	bool (*banned)(void *room, const struct ban_key *key);
	/* Moderators of source `mode` with this identity; NULL = first, else the one after; NULL at
	 * the end. */
	const struct seat *(*mode_moderator)(
	        void *room, const struct identity *id, const struct seat *after);
	/* Is there a frozen name with this skeleton, other than that of `except` (may be NULL). */
	bool (*frozen_name)(void *room, const struct name_skeleton *k, const struct seat *except);
	/* Free, unmarked names with this skeleton, one after the other. */
	const struct seat *(*free_name)(
	        void *room, const struct name_skeleton *k, const struct seat *after);
	/* All humans in the order of joining; NULL = the first. */
	const struct seat *(*next_joined)(void *room, const struct seat *after);
	/* Does the token of somebody present claim this e-mail address (a capability_email_key) or
	 * this avatar address; `except` is the asker's own seat or NULL. */
	bool (*token_email)(void *room, struct str key, const struct seat *except);
	bool (*token_avatar)(void *room, struct str url, const struct seat *except);
};

struct room_view {
	struct str node;   /* of the room addressed, as on the wire, without the tenant */
	struct str tenant; /* of the address; empty or absent: none */
	bool breakout;
	struct str main_node; /* for a breakout: the main room's node; otherwise absent */

	bool exists; /* a human has joined and the meeting is not over: creation does not apply */
	bool had_moderator;  /* since the meeting began */
	bool lobby;          /* the lobby is on */
	struct str password; /* absent or empty: none */

	unsigned present;              /* humans, see above */
	unsigned moderators;           /* of them, moderators */
	unsigned moderators_attending; /* of these, not hibernating */

	const struct room_lookups *lookups;
	void *room;
};
