/* disco.h - answers to service discovery (XEP-0030, XEP-0128). pure */
#pragma once
#include "base/buf.h"
#include "xmpp/stanza.h"

struct disco_identity {
	const char *category, *type;
	struct str name; /* absent: none */
};

/* "<query xmlns='...disco#info'>" with identities, features and then `extension` (raw XML, absent:
 * none). */
void disco_info_write(struct buf *b, const struct disco_identity *identities, size_t n_identities,
        const char *const *features, size_t n_features, struct str extension);
/* One field of a data form; type NULL: none, value absent: no <value/>. */
void disco_field(struct buf *b, const char *var, const char *type, struct str value);
