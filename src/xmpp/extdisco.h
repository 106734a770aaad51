/* extdisco.h - services outside (STUN, TURN) that clients are told about (XEP-0215). pure
 *
 * A TURN server that shares a secret with us takes passwords that we make and that run out: the
 * user is the Unix time of the end, the password base64(HMAC-SHA1(secret, user)) (the "TURN REST
 * API", draft-uberti-behave-turn-rest). */
#pragma once
#include "base/buf.h"
#include "xmpp/xml.h"

struct extdisco_service {
	struct str type, host,
	        transport; /* transport absent: udp for stun and turn, tcp for turns */
	uint16_t port;     /* 0: the type's own */
};

/* "turn:host:port?transport=udp", as RFC 7065 has it; IPv6 in brackets. Borrows from url.
 * ERR_BADMSG. */
int extdisco_parse(struct str url, struct extdisco_service *out);

/* All strings are borrowed. */
struct extdisco {
	const struct extdisco_service *services;
	size_t n;
	struct str secret;             /* shared with the TURN servers; absent: none */
	struct str username, password; /* without a secret: the same for everybody; absent: none */
	uint32_t ttl_s;                /* of passwords made with the secret */
};

/* The whole answer to `asked`, a <services/> (type=: only those) or a <credentials/> (only what its
 * <service/> names), in the namespace of the question. now: Unix seconds. */
void extdisco_write(
        struct buf *b, const struct extdisco *x, const struct element *asked, int64_t now);
