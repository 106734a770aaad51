/* jwt.h - verifies a compact token, or says exactly why not. pure
 *
 * token bytes --parts--> header and payload text --checks in the order of roles.md 3.9--> struct
 * claims or a reason. Nothing of the payload is looked at before the signature holds, except size,
 * duplicate names and, with several issuers, `iss` to choose the key. The same checks serve the
 * vectors, where an oracle answers for the signature. Thread: any; the result belongs to the
 * calling thread. */
#pragma once
#include "policy/claims.h"
#include "policy/reason.h"
#include "token/keys.h"

#define TOKEN_JSON_DEPTH 16 /* the top object has depth 1 */

/* In order; a result names the last one that was passed. */
enum token_step {
	TOKEN_STEP_NONE,
	TOKEN_STEP_SIZE,
	TOKEN_STEP_FORMAT,
	TOKEN_STEP_DUPLICATES,
	TOKEN_STEP_CRIT,
	TOKEN_STEP_TYP,
	TOKEN_STEP_ALG,
	TOKEN_STEP_KID,
	TOKEN_STEP_KEY,
	TOKEN_STEP_SIGNATURE,
	TOKEN_STEP_EXP,
	TOKEN_STEP_NBF,
	TOKEN_STEP_ISS,
	TOKEN_STEP_AUD,
	TOKEN_STEP_ROOM,
	TOKEN_STEP_SUB,
	TOKEN_STEP_COUNT
};

const char *token_step_name(enum token_step s); /* "signature" */

struct token_result {
	enum reason reason; /* R_NONE: the token is good; else the refusal (stage sasl), E_RATE: no
	                       memory */
	char text[160]; /* for the client; no < > & or newline, never token content; "" when good */
	char hint[240]; /* for log and explain: which setting, which value would change the refusal;
	                   or "" */
	enum token_step passed;
	unsigned warnings; /* enum warning bits; also in claims */
	bool nomem;

	/* the refusal is E_KEY, but this key may be had elsewhere (token_store_lookup); then verify
	 * again */
	bool wanted;
	struct token_want want;

	/* owned */
	struct claims *claims; /* one reference, only when the token is good */
	struct jval *refused;  /* the payload, when the signature holds and a later check refused:
	                          log and explain */

	/* set once the signature verified; before that they are a stranger's words and stay empty
	 */
	enum token_alg alg; /* TOKEN_ALG_COUNT: not known */
	char kid[257];
	const struct token_issuer
	        *issuer; /* borrowed from the settings; NULL: the server's own keys */

	uint8_t sha256[32]; /* of the token (vectors: of header.payload); always set */
};

/* Frees what the result owns; a zeroed or finished result is fine. Take `claims` out (set it to
 * NULL) to keep it.
 */
void token_result_done(struct token_result *r);

/* Checks a compact token (RFC 7515 3.1). now: Unix seconds. Always fills *out (previous content is
 * not freed). */
void token_verify(const struct token_settings *s, const struct token_keys *k, struct str compact,
        int64_t now, struct token_result *out);

/* What a token is made of, decoded: for vectors and `explain --claims`, where nothing was signed.
 */
struct token_parts {
	struct str header, payload; /* JSON text */
	size_t bytes; /* length of the whole token; 0: not known, the size is not checked */
	bool signature_present; /* third part not empty */
	struct str hashed;      /* bytes that sha256 is made of; absent: header "." payload */
};

enum sig_ask {
	SIG_ASK_ANY,      /* is there any key at all: no for an issuer that nobody configured */
	SIG_ASK_ALG,      /* is there any key of the algorithm's family */
	SIG_ASK_KEY,      /* is there one for this kid */
	SIG_ASK_SIGNATURE /* does the signature verify with it */
};

struct sig_case {
	const struct token_key_settings *keys; /* whose keys */
	const struct token_issuer *issuer;     /* NULL: the server's own */
	enum token_alg alg;
	struct str kid; /* absent: none */
};

struct sig_oracle {
	bool (*fn)(const void *arg, enum sig_ask ask, const struct sig_case *c);
	const void *arg;
};

void token_verify_parts(const struct token_settings *s, const struct token_parts *parts,
        const struct sig_oracle *oracle, int64_t now, struct token_result *out);

/* The oracle of the vectors: keys are there as `known_kids` and `key_files` say, and signatures are
 * all valid or all invalid. Never used for a token from the network. */
struct sig_assumed {
	const struct token_settings *settings;
	bool valid;
};
struct sig_oracle sig_oracle_assumed(const struct sig_assumed *a);

/* Where the token of a request stands (roles.md 1.1): the decoded query parameter and the
 * Authorization header's value. R_NONE with *token absent when neither says anything (an empty
 * value is none); E_TOKEN_FORMAT for another scheme than Bearer, or when both are there and differ.
 * *token borrows from the arguments. */
enum reason token_from_request(struct str query, struct str authorization, struct str *token);
