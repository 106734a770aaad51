/* case.h - one event put to the policy, as the server would: verification, then the decision. pure
 *
 * `gavel explain` makes a case from its options, the vectors make one from each entry of their
 * file; both run here. */
#pragma once
#include "cli/scene.h"
#include "config/config.h"
#include "policy/decide.h"
#include "token/jwt.h"

enum case_token {
	CASE_NO_TOKEN,
	CASE_PARTS,   /* decoded, an oracle answers for the signature */
	CASE_COMPACT, /* a real one, verified with keys */
};

struct case_input {
	const struct config *config;
	int64_t now;

	enum case_token token;
	struct token_parts parts;
	bool signature_valid; /* parts: what verification would find */
	bool any_key;         /* parts: there is a key for whatever the header names */
	struct str compact;
	const struct token_keys *keys; /* compact */

	const struct scene *scene;
	struct str nick, password; /* absent: none */
	bool admitted;
	const struct jval *event; /* as in a vector; NULL: join */
};

enum case_kind {
	CASE_CONNECT,
	CASE_JOIN,
	CASE_RENAME,
	CASE_RESUME,
	CASE_ITEM,
	CASE_LEAVE,
	CASE_EXPIRE,
	CASE_OTHER
};

struct case_result {
	const char *error; /* the case makes no sense: nothing was decided */
	enum case_kind kind;
	struct verdict verdict;
	const struct seat
	        *subject; /* seat of the scene that the verdict is about; NULL: a newcomer */
	bool token_read;
	struct token_result token; /* when it was */
	struct seat holder;        /* the token's holder, where he is inside without being listed */
	struct name holder_name;
};

void case_run(const struct case_input *in, struct case_result *out);
void case_done(struct case_result *out);
/* The verdict as the `expect` of a vector. NULL: no memory. */
struct jval *case_json(const struct case_input *in, const struct case_result *r);
