/* trace.h - the facts behind a decision, as data: cheap to fill, told in words by explain. pure
 *
 * Pointers are borrowed from the claims and the settings of the decision. */
#pragma once
#include "base/jval.h"
#include "policy/reason.h"
#include "policy/seat.h"
#include "policy/settings.h"

/* What one claim, one rule, or all of them together say (roles.md 3.3). */
enum claim_class { CLAIM_SILENT, CLAIM_GRANT, CLAIM_DENY, CLAIM_OUTCAST };
const char *claim_class_word(enum claim_class c); /* "silent", "yes", "no", "outcast" */

struct claim_fact {
	struct str path; /* of the object: "context.user", "$" */
	const char
	        *key; /* "moderator", "affiliation", "role"; NULL: the path itself was no object */
	const struct jval *value; /* NULL: absent */
	enum claim_class class;
	unsigned warnings;
	bool misplaced; /* outside claim_paths: never grants */
};

enum rule_state { RULE_NOT_MATCHED, RULE_MATCHED, RULE_UNREADABLE, RULE_ABSENT };
struct rule_fact {
	const struct jval *value; /* what stood at the path, NULL: absent */
	enum rule_state state;
	enum claim_class class;
};

/* Every claim that could be read: (moderator, affiliation) of each path, the visitor role, objects
 * of a wrong type, and two in each of the four places where one is misplaced. */
enum { CLAIM_FACTS_MAX = 2 * CLAIM_PATHS_MAX + 1 + 2 + 2 * 4 };

struct claim_reading {
	struct claim_fact facts[CLAIM_FACTS_MAX];
	unsigned n_facts;
	struct rule_fact rules[CLAIM_RULES_MAX];
	unsigned n_rules;
	bool rules_else; /* claim_rules_else=deny took effect */

	enum claim_class result; /* after the combination, before honour_deny */
	bool conflict;           /* there were grants and denials */
	bool denied_by_misplaced;
	bool deny_ignored;          /* honour_deny=false turned the no into silence */
	bool grant_filtered;        /* allowner_issuers: this issuer may not make moderators here */
	enum claim_class effective; /* what the precedence of 3.4 sees */
	bool visitor;
	unsigned warnings;
};

/* Gates of 3.5, in order; also what a trace says was passed. */
enum gate {
	GATE_NODE,
	GATE_WILDCARD,
	GATE_ROOM,
	GATE_TENANT,
	GATE_OUTCAST,
	GATE_BAN,
	GATE_BREAKOUT,
	GATE_CREATE,
	GATE_CAPACITY,
	GATE_LOBBY,
	GATE_PASSWORD,
	GATE_NAME,
	GATE_COUNT
};
const char *gate_name(enum gate g);

/* Why a closed door opened. */
enum pass {
	PASS_NOT_CLOSED,
	PASS_PASSWORD,
	PASS_ADMITTED,
	PASS_MODERATOR,
	PASS_CLAIM,
	PASS_FIRST,
	PASS_REFUSED
};

struct trace {
	bool has_claims; /* there was a token and it was read */
	struct claim_reading claims;
	unsigned rule;             /* number in 3.4 of the rule that decided; 0: none did */
	enum reason silent_reason; /* the mode's answer, had the token been silent */
	enum affiliation silent_affiliation;
	unsigned gates_passed; /* bit per enum gate */
	enum gate refused_by;  /* when refused at a gate; GATE_COUNT otherwise */
	enum pass lobby, password;
	bool covered_by_wildcard, covered_by_regex;
	bool tenant_suspect; /* W_TENANT_*: opens nothing */
	bool moderated_room; /* mode everyone, but this room uses authenticated */
	bool eligible;       /* for R_FIRST and elections */
	struct str token_name_raw, token_name_path;
	bool typed_differs; /* a typed name was not used */
};
