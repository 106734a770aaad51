/* stanza.h - iq, presence and message as values, and the heads of what is sent back (RFC 6120 8).
 * pure */
#pragma once
#include "xmpp/jid.h"
#include "xmpp/xml.h"

enum stanza_kind { STANZA_IQ, STANZA_PRESENCE, STANZA_MESSAGE };
enum stanza_type {
	STANZA_PLAIN, /* no type attribute: an available presence, a normal message */
	STANZA_GET,
	STANZA_SET,
	STANZA_RESULT,
	STANZA_ERROR,
	STANZA_UNAVAILABLE,
	STANZA_CHAT,
	STANZA_GROUPCHAT,
	STANZA_OTHER, /* some other word: headline, subscribe, probe, ... */
};

struct stanza {
	enum stanza_kind kind;
	enum stanza_type type;
	struct str id; /* absent when there was none */
	bool has_to;
	struct jid to; /* normalised; all absent without `to` */
	const struct element *element;
	const struct element *payload; /* first child element or NULL */
};

/* Reads a root element in jabber:client into *out; everything borrows the element and the arena.
 * ERR_TYPE: not a stanza (some other element). ERR_BADMSG: an IQ without id or with a bad type, or
 * get/set without exactly one child: answer bad-request. ERR_NOTFOUND: `to` is malformed: answer
 * jid-malformed. ERR_LIMIT: the id is longer than STANZA_ID_MAX. ERR_NOMEM. On every error but
 * ERR_TYPE kind, type and id are set. */
#define STANZA_ID_MAX 1024
int stanza_read(const struct element *e, struct arena *a, struct stanza *out);
const char *stanza_kind_name(enum stanza_kind k); /* "iq", "presence", "message" */

/* May this stanza be answered with an error (never: errors and results)? */
bool stanza_answerable(const struct stanza *s);

/* "<iq xmlns='jabber:client' type='..' id='..' from='..' to='..'" without the closing bracket.
 * Absent parts are left out; type NULL: none. */
void stanza_head(struct buf *b, enum stanza_kind kind, const char *type, struct str id,
        struct str from, struct str to);
/* The whole empty result of an IQ. */
void stanza_result(struct buf *b, const struct stanza *s, struct str from, struct str to);
