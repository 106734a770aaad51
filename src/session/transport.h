/* transport.h - what carries a session's stream: WebSocket (RFC 7395), TCP (RFC 6120), BOSH
 * (XEP-0124). io
 *
 *   bytes -> transport -> session_arrive, _opened, _element, _closed, _fault, _lost -> session
 *   session -> transport_ops -> bytes
 *
 * A transport frames and parses, knows how its stream opens and ends, and whether its peer is
 * alive. Who the client is, what it may send and how much is the session's: no transport keeps any
 * of it, so that one can be moved to another session (resumption), and a session can live without
 * one for a while.
 *
 * Ownership: a transport is its own, the session borrows it. It is gone for the session once
 * ops->end was called or the transport said session_lost. Either may happen within any upward call:
 * a transport looks at t->session after each of them, NULL meaning that it was ended, and another
 * session meaning that it was moved; so it frees itself no earlier than its own frames on the stack
 * allow. Thread: the worker's. */
#pragma once
#include "base/block.h"
#include "session/session.h"

struct transport;

enum transport_kind { TRANSPORT_WEBSOCKET, TRANSPORT_TCP, TRANSPORT_BOSH };

struct transport_ops {
	enum transport_kind kind;
	const char *name; /* for logs */
	/* Tells the client that its stream is open, or open again. Errors as of send. */
	int (*open)(struct transport *t, struct str from, struct str id);
	/* Queues one whole top-level element: head, copied, then tail, referenced (may be NULL). It
	 * stands on its own: every prefix is declared in it, stanzas name jabber:client.
	 * ERR_LIMIT: the peer does not read, nothing was queued; ERR_NOMEM; ERR_CLOSED. Calls
	 * nothing upward. */
	int (*send)(struct transport *t, struct str head, struct block *tail);
	/* The same with a tail of bytes, for when there is no memory to make a block. NULL: then it
	 * can't be sent. */
	int (*send_copy)(struct transport *t, struct str head, struct str tail);
	/* Last words: error (a whole <stream:error/>, or absent), then the end of the stream as it
	 * is said here, past any bound on queues. t->session is NULL already; no upward call comes
	 * any more; what is queued is sent if the peer takes it soon. */
	void (*end)(struct transport *t, enum session_end why, struct str error);
	/* The client is trusted with more than before (or, at first, less) per element. */
	void (*set_max_message)(struct transport *t, size_t bytes);
	/* It is no stranger any more: its turns are its own, not its address's (base/turns.h).
	 * NULL: there is nothing to tell. */
	void (*known)(struct transport *t);
	/* Is nobody able to listen: TLS here, or HTTPS that a trusted proxy vouches for. */
	bool (*secure)(struct transport *t);
	/* The client will open its stream anew after what was sent last: read no more of the old
	 * one. NULL: nothing to do. */
	void (*restart)(struct transport *t);
	/* RFC 6120 5: can TLS be started; and start it: says <proceed/>, shakes hands, and waits
	 * for a new stream. False: it can't be. Both NULL where there is no such thing. */
	bool (*can_start_tls)(struct transport *t);
	bool (*start_tls)(struct transport *t);
};

/* First member of each kind of transport. */
struct transport {
	const struct transport_ops *ops;
	struct session *session; /* NULL: none (ended, or not arrived) */
};

/* What is known of a client before it says anything. Borrowed for the call; copied by the session.
 */
struct session_arrival {
	struct str peer; /* address, numeric */
	bool peer_loopback;
	struct str query;         /* of the URL, as it stands there; absent: there is no URL */
	struct str authorization; /* the header field; absent: none */
	size_t authorizations;    /* how many there were */
	struct str region;        /* where a trusted proxy says the client is; absent: none */
};

/* A client has come: makes its session, with t->session and the session's transport set. NULL, and
 * t->session NULL: refused (logged and counted); the transport says so in its own way ("later"). */
struct session *session_arrive(
        struct sessions *ss, struct transport *t, const struct session_arrival *a);

/* For transports whose elements come whole: counts the message (session_admit), and parses it into
 * sessions_arena. NULL: it was not fit, or the session is ending, and all is said and done. */
struct element *session_parse(struct session *s, struct str message);
/* For those that parse as bytes come: counts one element, or stream header, of so many bytes.
 * False: the session has ended over it. */
bool session_admit(struct session *s, size_t bytes);
/* What one element may be now; changes with login. Lives as long as the sessions. */
const struct xml_limits *session_limits(const struct session *s);

/* The client has opened its stream, for the first time or again; to: the domain, or absent. */
void session_opened(struct session *s, struct str to);
/* One whole top-level element, borrowed for the call, that was admitted. text: its bytes if they
 * can be parsed on their own (no prefix from outside), otherwise absent. */
void session_element(struct session *s, struct element *e, struct str text);
/* The client has closed its stream. */
void session_closed(struct session *s);
/* What came is not XML as XMPP has it; counts it and ends the session with the stream error. */
void session_fault(struct session *s, enum xml_fault fault);
/* The connection is gone, and with it the transport. detail: one word for the log; NULL: an
 * everyday matter, not worth a line. */
void session_lost(struct session *s, enum session_end why, const char *detail);

/* Scratch memory while upward calls are made: whoever made them resets it afterwards. */
struct arena *sessions_arena(struct sessions *ss);
