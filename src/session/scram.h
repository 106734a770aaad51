/* scram.h - SCRAM, the server's side of one exchange (RFC 5802, RFC 7677), without channel binding.
 * pure
 *
 *   client-first --scram_client_first--> the user's name
 *   salt and iterations --scram_challenge--> server-first
 *   client-final, keys --scram_client_final--> server-final, or wrong
 *
 * Messages are those inside the base64 of SASL. */
#pragma once
#include "base/buf.h"
#include "base/hash.h"

#define SCRAM_ITERATIONS 4096 /* RFC 7677 4: no fewer */
#define SCRAM_SALT 16
#define SCRAM_MESSAGE_MAX 2048 /* bytes of one of the client's messages */

/* What remains of a password: neither it nor a proof of it can be computed from these. */
struct scram_keys {
	uint8_t stored[HASH_MAX], server[HASH_MAX];
};
bool scram_derive(enum hash_kind hash, struct str password, struct str salt, unsigned iterations,
        struct scram_keys *out); /* false: no memory */

enum scram_result {
	SCRAM_FINE,
	SCRAM_MALFORMED, /* no such message, a mandatory extension, or binding to a channel */
	SCRAM_WRONG,     /* the proof is not that of these keys */
	SCRAM_NO_MEMORY,
};

struct scram {
	enum hash_kind hash;
	struct buf gs2;  /* the header of the first message, repeated in the last */
	struct buf said; /* client-first-bare, then "," and server-first */
	size_t nonce_at, nonce_n, challenge_at; /* in `said` */
};

void scram_begin(struct scram *x, enum hash_kind hash);
void scram_end(struct scram *x); /* fine when it was begun, and again */
/* Appends the name that the client has, and the one that it wants to act as (nothing: its own). */
enum scram_result scram_client_first(
        struct scram *x, struct str message, struct buf *user, struct buf *acts_as);
/* nonce: the server's part of it, printable without a comma. Absent: no memory. Lives as long as
 * the exchange. */
struct str scram_challenge(struct scram *x, struct str nonce, struct str salt, unsigned iterations);
/* Appends server-final when it is fine. Takes the same time whatever the keys are. */
enum scram_result scram_client_final(
        struct scram *x, struct str message, const struct scram_keys *keys, struct buf *out);
