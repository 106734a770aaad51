/* session.h - one signaling client: stream, authentication, bind; WebSocket messages to stanzas and back. io
 *
 *   message -> xmpp/xml -> element -> open, auth (token, policy), bind -> stanza -> upward
 *   outbox  -> frame -> bytes
 *
 * Answers by itself what is asked of the server's own domain: ping, disco, extdisco. Everything else of a bound session
 * goes up through session_events; rooms answer through struct outbox, by handle. RFC 7395, RFC 6120, XEP-0199, 0030,
 * 0215. Thread: the worker's. */
#pragma once
#include "base/limit.h"
#include "policy/claims.h"
#include "xmpp/outbox.h"

struct session;
struct sessions;    /* all sessions of one worker */
struct stanza;      /* xmpp/stanza.h */
struct loop;
struct http_request;
struct ws;

/* Why a session ended. */
enum session_end {
	SESSION_CLOSED,     /* the client closed its stream */
	SESSION_LOST,       /* the connection broke or fell silent */
	SESSION_SLOW,       /* it did not read: too much was queued, or no progress */
	SESSION_PROTOCOL,   /* it broke XML, XMPP or WebSocket; we sent the stream error */
	SESSION_RATE,       /* it kept sending too much */
	SESSION_ENDED,      /* a room or an administrator closed it (outbox.close) */
	SESSION_SHUTDOWN,   /* the server goes down */
};
const char *session_end_text(enum session_end e);   /* one stable word for logs */

/* Upward calls. Both only for bound sessions. */
struct session_events {
	void *arg;
	/* An iq, message or presence whose `to` is neither absent nor at the server's own domain. st and everything in it
	 * is borrowed for the call; its `from` is the session's full JID, whatever the client wrote; `to` is a valid JID.
	 * May call the outbox, close included. */
	void (*stanza)(void *arg, struct session *s, const struct stanza *st);
	/* Exactly once per bound session. The accessors still work; afterwards s is gone and its handle is dead: sends to it
	 * are dropped. Never called from within outbox.send or outbox.close, only later. */
	void (*gone)(void *arg, struct session *s, enum session_end why);
};

/* What the upper floors may know of a session. Every str lives as long as the session. */
struct session_handle session_handle(const struct session *s);
struct session *session_get(struct sessions *ss, struct session_handle h);  /* NULL: gone, or not bound */
struct str session_jid(const struct session *s);        /* full: uuid@domain/resource */
struct str session_bare_jid(const struct session *s);   /* uuid@domain */
struct str session_key(const struct session *s);        /* the uuid: what the policy calls the session */
struct claims *session_claims(const struct session *s); /* verified token; NULL: a guest, or auth=none. Borrowed:
                                                         * claims_ref to keep */
struct str session_peer(const struct session *s);       /* address, numeric */
bool session_peer_loopback(const struct session *s);
struct str session_query_room(const struct session *s); /* room= of the URL, decoded; absent without. Proves nothing */
struct str session_query_prefix(const struct session *s);   /* prefix= of the URL; absent without */
bool session_from_this_server(const struct session *s, struct str jid); /* is jid the session's own, bare or full */
/* Anything the room engine wants to find again (its list of seats); NULL at first. Owned by who sets it. */
void *session_user(const struct session *s);
void session_set_user(struct session *s, void *user);

/* Fills in how rooms reach these sessions. */
void session_outbox(struct sessions *ss, struct outbox *out);
/* Iterates over bound sessions: start with *pos = 0; NULL at the end. */
struct session *session_next(struct sessions *ss, uint32_t *pos);
