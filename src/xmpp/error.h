/* error.h - stanza errors (RFC 6120 8.3), nested and namespaced exactly as Jitsi clients select
 * them. pure */
#pragma once
#include "xmpp/stanza.h"

struct stanza_error {
	const char *type;      /* "auth", "cancel", "modify", "wait" */
	const char *condition; /* "not-allowed" ... */
	struct str text;       /* absent: none */
	struct str extra;      /* raw XML inside <error>, behind condition and text; absent: none */
	struct str beside;     /* raw XML beside <error>, behind it; absent: none */
};

/* A shorthand for the usual case. */
struct stanza_error stanza_error_make(const char *type, const char *condition, const char *text);
/* "<error type='..'>...</error>" */
void stanza_error_write(struct buf *b, const struct stanza_error *e);
/* The whole reply to s: same id, type='error', from and to as given. A presence that was a join
 * gets its muc x echoed. Nothing is written when s may not be answered. */
void stanza_error_reply(struct buf *b, const struct stanza *s, struct str from, struct str to,
        const struct stanza_error *e);
