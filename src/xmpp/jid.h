/* jid.h - addresses: node@domain/resource (RFC 7622, in the measure that meetings need). pure */
#pragma once
#include "base/arena.h"
#include "base/buf.h"

#define JID_PART_MAX 1023 /* bytes per part, RFC 7622 3 */
#define JID_MAX (3 * JID_PART_MAX + 2)

struct jid {
	struct str full; /* the whole, normalised; NUL-terminated behind n */
	struct str bare; /* a prefix of full */
	struct str node, domain,
	        resource; /* slices of full; node and resource absent when not there */
};

/* Normalises (node: NFKC and lower case; domain: ASCII lower case; resource: kept) into the arena.
 * ERR_BADMSG: malformed, ERR_LIMIT: a part is too long, ERR_NOMEM. */
int jid_parse(struct str s, struct arena *a, struct jid *out);
/* Splits text that jid_parse has normalised before; no checks, borrows s. */
struct jid jid_view(struct str s);
bool jid_resource_ok(struct str resource); /* non-empty, UTF-8, no controls */
/* Room nicks: ^[a-zA-Z0-9][a-zA-Z0-9_]*$, at most 64 bytes (signaling: endpoint ids). */
bool jid_nick_ok(struct str nick);
