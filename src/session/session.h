/* session.h - one signaling client: stream, authentication, bind; what its transport brings to
 * stanzas, and back. io
 *
 *   session/transport -> element -> open, auth (token, policy), bind -> stanza -> upward
 *   outbox -> session/transport -> bytes
 *
 * Answers by itself what is asked of the server's own domain: ping, disco, extdisco. Everything
 * else of a bound session goes up through session_events; rooms answer through struct outbox, by
 * handle. RFC 6120, XEP-0199, 0030, 0215. Thread: the worker's. */
#pragma once
#include "base/counter.h"
#include "policy/claims.h"
#include "policy/service.h"
#include "xmpp/extdisco.h"
#include "xmpp/muc_host.h"
#include "xmpp/outbox.h"
#include "xmpp/xml.h"

struct session;
struct sessions; /* all sessions of one worker */
struct stanza;   /* xmpp/stanza.h */
struct accounts; /* session/accounts.h */
struct loop;
struct http_request;
struct ws;
struct tcp;
struct tls_context;
struct tls_door;
struct directory;
struct policy_settings;
struct token_settings;
struct token_keys;
struct worker;

/* Filled in by cli/serve; everything that is pointed to outlives the sessions. */
struct session_settings {
	struct str domain;       /* of the JIDs; what `open` must name */
	struct str guest_domain; /* another name for it; absent: none */
	const struct policy_settings *policy;
	const struct token_settings *token;
	const struct token_keys *keys;

	struct accounts *accounts; /* of services; NULL: there are none */

	const struct extdisco *extdisco; /* never NULL */
	struct str shard, region;        /* of this server among several; absent: none */
	bool services_push; /* the answer to disco and to extdisco, before the bind's result */

	/* With several workers; zeroes otherwise. */
	struct directory *directory; /* NULL: this is the only worker */
	unsigned worker;             /* which of them this is */
	struct worker *self;         /* also alone: where other threads send messages to */
	struct muc_host muc;         /* of the rooms that URLs name */

	uint32_t sessions; /* at once, on all workers */
	/* bytes: of one element; services after login have their own */
	struct xml_limits before_login, after_login, of_service;
	uint32_t login_stanzas;    /* messages before bind, in total */
	uint32_t login_timeout_ms; /* from the arrival to bind */
	uint32_t stanzas_per_second,
	        bytes_per_second;            /* a burst of five seconds; more closes the session */
	uint32_t service_stanzas_per_second; /* of a service, whose bytes are not counted */
	uint32_t log_lines_per_second;       /* of refusals */

	/* Stream management (XEP-0198) */
	uint32_t resume_ms, resume_service_ms; /* how long a lost connection may stay away; 0: not
	                                          offered */
	uint32_t resume_queue;                 /* stanzas kept for one session, */
	uint32_t resume_bytes;                 /* and their bytes, */
	uint64_t resume_total;                 /* and of all sessions of this worker; then those
	                                          with much keep less */
	uint32_t away_per_address; /* sessions without a connection; loopback is exempt */

	/* Clients over BOSH: bytes that wait for one of them, and for all of this worker. */
	uint32_t bosh_queued;
	uint64_t bosh_queued_total;

	/* Clients over TCP. */
	struct tls_context *tls;                /* for STARTTLS; NULL: there is none */
	bool require_tls;                       /* nobody logs in before it */
	uint32_t ping_idle_ms, ping_timeout_ms; /* as of WebSockets, which http knows */
};

/* How often each limit was crossed, and how many there are. */
struct session_counters {
	uint64_t opened, bound, refused_logins;
	uint64_t limit_sessions, limit_login_stanzas, limit_login_timeout, limit_stanzas_per_second,
	        limit_bytes_per_second, limit_queued_bytes, limit_service_passwords, log_suppressed,
	        no_memory;
	uint64_t xml_not_well_formed, xml_restricted, limit_xml_bytes, limit_xml_depth,
	        limit_xml_attributes, limit_xml_elements;
	uint64_t stream_errors, limit_ping_timeout, tls_started;
	uint64_t went_away, resumed, resumes_refused, resume_timeouts, limit_away;
	uint32_t sessions, bound_now, away_now;
};

/* Why a session ended. */
enum session_end {
	SESSION_CLOSED,   /* the client closed its stream */
	SESSION_LOST,     /* the connection broke or fell silent */
	SESSION_SLOW,     /* it did not read: too much was queued, or no progress */
	SESSION_PROTOCOL, /* it broke XML, XMPP or its transport; we sent the stream error */
	SESSION_RATE,     /* it kept sending too much */
	SESSION_ENDED,    /* a room or an administrator closed it (outbox.close) */
	SESSION_SHUTDOWN, /* the server goes down */
};
const char *session_end_text(enum session_end e); /* one stable word for logs */

/* roles.md 3.7 Resume: may a session go on with another token? */
struct resume_question {
	struct session_handle session;
	struct str key;                  /* session_key */
	const struct claims *claims;     /* the new, verified token */
	const struct claims *old_claims; /* the session's; NULL: none */
	struct str knocks_at; /* absent: its seats are asked; otherwise it has none, and this is the
	                         conference that its URL names (canonical bare JID) */
};
enum resume_opinion { RESUME_NO_SEAT, RESUME_HONOURED, RESUME_NOT_HONOURED };

/* Upward calls, only for bound sessions. The last three may be NULL. */
struct session_events {
	void *arg;
	/* An iq, message or presence whose `to` is neither absent nor at the server's own domain.
	 * st and everything in it is borrowed for the call; its `from` is the session's full JID,
	 * whatever the client wrote; `to` is a valid JID. May call the outbox, close included. */
	void (*stanza)(void *arg, struct session *s, const struct stanza *st);
	/* Exactly once per bound session. The accessors still work; afterwards s is gone and its
	 * handle is dead: sends to it are dropped. Never called from within outbox.send or
	 * outbox.close, only later.
	 */
	void (*gone)(void *arg, struct session *s, enum session_end why);
	/* The connection is lost, the session waits to be resumed; what is sent to it is kept. */
	void (*away)(void *arg, struct session *s);
	/* It was resumed, perhaps without having been away. same_token: otherwise session_claims
	 * are new. May call the outbox. */
	void (*back)(void *arg, struct session *s, bool same_token);
	enum resume_opinion (*may_resume)(void *arg, const struct resume_question *q);
	/* A service was bound. May call the outbox. NULL: nobody wants to know. */
	void (*service)(void *arg, struct session *s);
};

/* settings and events are copied. NULL on no memory. */
struct sessions *sessions_new(struct loop *l, const struct session_settings *settings,
        const struct session_events *events);
/* Every session must have ended (sessions_shutdown). */
void sessions_free(struct sessions *ss);
/* For http_settings.ws_open: a client has come. */
void sessions_open(void *sessions, const struct http_request *r, struct ws *w);
/* For tcp_server_new: a client has come to the port of XMPP. TLS may have been started. */
void sessions_accept(void *sessions, struct tcp *t);
extern const struct tls_door *const session_tls_door; /* what is spoken in TLS there */
/* Tells everybody that the server goes down and ends all sessions; `gone` is called for each at the
 * end of this turn. Whoever still comes is refused. */
void sessions_shutdown(struct sessions *ss);
const struct session_counters *sessions_counters(const struct sessions *ss);
size_t sessions_list_counters(const struct sessions *ss, struct counter *out, size_t max);

/* The canonical bare JID that room= and prefix= of a URL's query mean, appended; nothing when they
 * mean none. It only says where a session should live. */
void session_room_of_query(struct str query, const struct muc_host *muc, struct buf *out);

/* The worker of the session that previd= of a URL's query names. It proves nothing. False: none. */
bool session_worker_of_query(struct str query, unsigned *worker);

/* What the upper floors may know of a session. Every str lives as long as the session. */
struct session_handle session_handle(const struct session *s);
struct session *session_get(
        struct sessions *ss, struct session_handle h); /* NULL: gone, or not bound */
struct str session_jid(const struct session *s);       /* full: uuid@domain/resource,
                                                        * or a service's account@domain/resource */
struct str session_bare_jid(const struct session *s);
struct str session_key(const struct session *s); /* the uuid: what the policy calls the session */
struct claims *session_claims(
        const struct session *s); /* verified token; NULL: a guest, or auth=none.
                                   * Borrowed: claims_ref to keep */
enum service session_service(
        const struct session *s);                 /* by a password login; SERVICE_NONE: a person */
struct str session_peer(const struct session *s); /* address, numeric */
bool session_peer_loopback(const struct session *s);
struct str session_region(const struct session *s); /* as a trusted proxy said; absent: none */
struct str session_query_room(
        const struct session *s); /* room= of the URL, decoded; absent without. Proves nothing */
struct str session_query_prefix(const struct session *s); /* prefix= of the URL; absent without */
bool session_from_this_server(
        const struct session *s, struct str jid); /* is jid the session's own, bare or full */

/* Fills in how rooms reach these sessions. */
void session_outbox(struct sessions *ss, struct outbox *out);
/* Iterates over bound sessions: start with *pos = 0; NULL at the end. */
struct session *session_next(struct sessions *ss, uint32_t *pos);
