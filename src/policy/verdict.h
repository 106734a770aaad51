/* verdict.h - the answer of every decision, and its chain of reasons. pure
 *
 * A value of some kilobytes, made on the stack of the caller. Pointers in it (trace, features,
 * elected) are borrowed from the facts of the decision: claims, settings, seats. */
#pragma once
#include "policy/name.h"
#include "policy/reason.h"
#include "policy/trace.h"

struct verdict {
	bool accepted;

	/* refused: what the client is told */
	enum stage stage;
	enum reason reason;    /* also of acceptances; R_NONE: nothing changed */
	const char *type;      /* XMPP error type */
	const char *condition; /* XMPP condition */
	const char *text;      /* NULL: none */
	const char *element; /* application element in http://jitsi.org/jitmeet ("lobbyroom"); NULL:
	                        none */
	bool waiting_for_host; /* with "lobbyroom": add <waiting-for-host/> */
	bool nomem;            /* refused for want of memory (E_RATE) */

	/* accepted: the subject's state from now on (the joiner; the target of an item; who
	 * resumed, expired, left) */
	enum affiliation affiliation;
	enum role role;
	enum source source;
	bool denied, revoked, expired, visitor;
	bool changed;  /* affiliation, role or source differ from before: one presence is due */
	bool has_name; /* name, name_frozen and name_marked were decided (join, rename, resume) */
	struct name name; /* what others see; also filled in when the lobby refuses: the name to
	                     knock with */
	bool name_frozen, name_marked;
	bool name_editable;  /* = !name_frozen: what the served page shows */
	bool name_overruled; /* somebody typed another name than others see: he is told (4.2.3, 4.4)
	                      */
	const struct jval *own_features;  /* context.features of the token, unless ignored */
	const struct jval *lent_features; /* grant: with `lent` */
	bool lent;
	bool features_ignored; /* W_TENANT_MISMATCH */

	/* the meeting */
	bool create;  /* join: this is the meeting's first human */
	bool removed; /* kick, ban: the target goes */
	bool banned;  /* remember him (ban_key) */
	const struct seat
	        *elected; /* becomes owner/moderator, source mode, R_ELECTED; may be the resumer */
	bool end_room; /* no moderator is left: destroy after settings.end_after unless one returns
	                */

	unsigned warnings; /* enum warning bits */
	struct trace trace;
};

/* A change of somebody else that a verdict brings about. */
struct change {
	const struct seat *seat;
	bool is_name; /* else role */
	struct name name;
	bool name_marked;
	enum affiliation affiliation;
	enum role role;
	enum source source;
	enum reason reason;
};

/* Walks over the changes of an accepted verdict: the elected one, and each free name that the
 * joiner's frozen name makes a clash (4.4). Start with a zeroed cursor; false at the end. Find the
 * next one before the previous seat is renamed. subject: the seat that the verdict is about, or
 * NULL for a newcomer. */
struct change_cursor {
	bool role_done, begun, nomem;
	struct name_skeleton skeleton;
	const struct seat *last;
};
bool verdict_change_next(const struct verdict *v, const struct policy_settings *s,
        const struct room_view *room, const struct seat *subject, struct change_cursor *c,
        struct change *out);

/* For the files of the policy: how a verdict is begun and filled. */
void verdict_begin(struct verdict *v);
void verdict_refuse(
        struct verdict *v, enum reason reason); /* stage, condition and text from the table */
void verdict_nomem(struct verdict *v);
/* Accepted, and the seat as it is. */
void verdict_keep(struct verdict *v, const struct seat *seat);
void verdict_set(
        struct verdict *v, enum affiliation affiliation, enum role role, enum source source);
/* Asks for the rule of the last moderator: `gone` stops being one. */
void verdict_succeed(struct verdict *v, const struct policy_settings *s,
        const struct room_view *room, const struct seat *gone);
/* Compares with the state before. */
void verdict_note_change(struct verdict *v, const struct seat *before);
