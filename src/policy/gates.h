/* gates.h - the gates of roles.md 3.5, one after the other, shared by entry.c and resume.c. pure */
#pragma once
#include "policy/decide.h"
#include "policy/match.h"
#include "policy/role.h"

struct gates {
	const struct join_request *r;
	struct verdict *v;
	struct match match;
	struct role_outcome role;
	struct name_outcome name;
};

/* Each returns false after it has filled in the refusal. */
bool gate_room(struct gates *g);     /* node form, wildcard, room, tenant */
bool gate_person(struct gates *g);   /* outcast, ban; reads the claims */
bool gate_creation(struct gates *g); /* needs gates_role */
bool gate_capacity(struct gates *g);
bool gate_lobby(struct gates *g); /* needs gates_role and gates_name */
bool gate_password(struct gates *g);

/* Role by 3.4 (rules 5 to 8) and name by 4.1, into g and v; false: out of memory. */
bool gates_role(struct gates *g, const struct seat *self);
bool gates_name(struct gates *g, const struct seat *self, bool keep_seat_name);

/* Has the token run out for a new join: now >= exp + leeway. */
bool gates_token_expired(const struct join_request *r);
