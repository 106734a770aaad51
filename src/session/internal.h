/* internal.h - one session's state, shared by the files of session/ and nobody else. io */
#pragma once
#include "base/limit.h"
#include "base/list.h"
#include "base/map.h"
#include "base/timer.h"
#include "net/loop.h"
#include "policy/reason.h"
#include "session/directory.h"
#include "session/session.h"
#include "session/sm.h"
#include "session/transport.h"
#include "token/store.h"
#include "xmpp/stanza.h"

#define LINGER_MS 2000 /* for the last words of a transport */

enum session_state {
	SESSION_OPENING,    /* expects a stream */
	SESSION_AUTH,       /* expects <auth/> */
	SESSION_WAITING,    /* <auth/> came, its answer waits for a key */
	SESSION_CHALLENGED, /* a service's login: expects <response/> */
	SESSION_REFUSED,    /* login failed; closes itself soon */
	SESSION_RESTARTING, /* authenticated: expects a stream again */
	SESSION_BINDING,    /* expects the bind request, or <resume/> */
	SESSION_RESUMING,   /* <resume/> came, rooms elsewhere are asked */
	SESSION_BOUND,
	SESSION_ENDING, /* closed by us; `ended` runs at the end of this turn */
};

/* A session's stream management, from <enable/> on. */
struct managed {
	struct sm sm;
	bool asked; /* an <r/> is unanswered */
	struct loop_task ask;
	uint32_t cut;             /* while it is away: what was sent before */
	struct sleepers *address; /* likewise; NULL: loopback */
};

struct message; /* net/mailbox.h */

struct session {
	struct list link;
	struct sessions *all;
	struct transport *transport; /* NULL: it is gone */
	enum session_state state;
	bool was_bound, greeted; /* greeted: the client was told that its stream is open */
	bool drops;              /* nothing more is sent */

	/* who */
	struct session_handle handle;
	char key[37];
	char *jid; /* owned; full */
	size_t bare_n;
	struct str domain;     /* the one that its `open` named */
	struct claims *claims; /* a reference */
	char peer[46];
	bool peer_loopback;
	char region[65];                 /* empty: none */
	char *query_room, *query_prefix; /* owned, NULL: none */
	char *token;                     /* owned, until login; never logged */
	enum reason token_reason;        /* the request's fault, if any */
	const struct account *account;   /* of a service; NULL: a person */
	struct sasl *sasl;               /* a service's login under way; NULL: none */
	unsigned wrong_passwords;
	struct key_wait *key_wait; /* NULL: waits for no key */

	/* with several workers: the conferences that it has asked for, and its ties to workers */
	struct directory_entry **routes; /* held */
	unsigned n_routes;
	struct tie **ties; /* by worker; NULL: none */

	/* limits */
	uint32_t login_stanzas;
	struct limit stanzas, bytes;
	struct timer timer; /* login timeout; then the close after a refused login */

	/* resumption */
	struct managed *managed; /* NULL: no stream management */
	bool away;               /* bound, and without a connection for a while */
	char *previd;            /* owned, of the URL or of <resume/>; NULL: none. Never logged */
	struct session_handle resumes;   /* whom this new one may take over; generation 0: nobody */
	uint32_t resume_h;               /* of a <resume/> that waits */
	struct resume_ask *asking;       /* NULL: no worker is asked */
	void (*then)(struct session *s); /* of a login that waits for it */

	/* the end */
	enum session_end why;
	struct loop_task ended;
};

struct slot {
	struct session *session;
	uint32_t generation;
	uint32_t next_free;
};

struct sessions {
	struct loop *loop;
	struct session_settings settings;
	struct session_events events;
	struct session_counters counters;
	struct list list;
	struct slot *slots; /* bound sessions by handle.index */
	uint32_t n_slots, cap_slots, free_slot;
	struct xml_parser *parser;
	struct arena arena; /* of the element being handled */
	struct str text;    /* that element, as it came; absent: it has to be written */
	struct buf written; /* it, when it had to be */
	struct far *far;    /* NULL: this is the only worker */
	struct buf out;     /* scratch for what session/ itself writes */
	struct bosh *bosh;  /* NULL: nobody has come that way */
	struct limit log_lines;
	bool draining;
	struct map resumable; /* look-up part of an id -> session */
	struct map sleepers;  /* address -> struct sleepers, of those away */
	uint64_t kept_bytes;  /* of all queues of stream management */
};

/* session.c */
void session_send(struct session *s, struct str bytes);
struct buf *session_begin(struct session *s); /* the scratch buffer, empty */
void session_flush(struct session *s);        /* sends what was written into it */
/* Sends the stream error (RFC 6120 4.9) and closes; condition NULL: an orderly close. text absent:
 * none. */
void session_close(struct session *s, enum session_end why, const char *condition, struct str text);
/* The session is over without a word: `ended` runs at the end of this turn. */
void session_end(struct session *s, enum session_end why);
/* session_close with an element of its own after the condition. */
void session_close_with(struct session *s, enum session_end why, const char *condition,
        struct str text, struct str extra);
bool session_assign(struct session *s); /* gives it a handle; false: no memory */
/* May this refusal be logged now? */
bool session_may_log(struct sessions *ss);

struct session *session_find(struct sessions *ss, struct session_handle h); /* ending ones too */
void session_deliver(struct session *s, struct str head, struct block *tail);
void session_send_failed(struct session *s, int err);
void session_deliver_copy(struct session *s, struct str head, struct str tail);

/* route.c: where this session's conferences are */
/* The canonical bare JID of a room by its decoded name, appended; nothing when it means none. */
void route_room_of(struct str room, struct str tenant, const struct muc_host *muc, struct buf *out);
void route_take_request(struct session *s, struct str query);
/* The worker of a conference. opens: the stanza may open it, so its entry is held for the session,
 * and once more in *hold when it is elsewhere. False: no memory. */
bool route_find(struct session *s, struct str room, bool opens, unsigned *worker,
        struct directory_entry **hold);
void route_done(struct session *s);

/* far.c */
void far_session_ended(struct session *s);

/* stream.c */
bool stream_stamp_from(struct arena *a, struct element *e, struct str jid);
/* Answers st with an error, as from the address that it was sent to. */
void stream_refuse(struct session *s, const struct stanza *st, const char *type,
        const char *condition, const char *text);
void stream_open_reply(struct session *s);
const struct xml_limits *stream_limits(const struct session *s); /* once it has logged in */

/* login.c */
void login_take_arrival(struct session *s, const struct session_arrival *a);
/* May nobody log in on this connection as it is? */
bool login_needs_tls(const struct session *s);
void login_auth(struct session *s, const struct element *e);
void login_bind(struct session *s, const struct element *e);
void login_waiting(struct session *s, const struct element *e);
/* <success/>, with what the mechanism adds (base64); the stream begins anew. */
void login_accept(struct session *s, struct str data);
void login_fail(struct session *s, const char *condition); /* a bare <failure/> */

/* sasl.c: password logins */
bool sasl_here(const struct session *s); /* does the domain of its stream have accounts */
void sasl_write_mechanisms(const struct session *s, struct buf *b);
void sasl_auth(struct session *s, const struct element *e);
void sasl_response(struct session *s, const struct element *e);
void sasl_challenged(struct session *s, const struct element *e);
void sasl_end(struct session *s); /* fine when there is none */

/* wait.c */
/* Asks the store for what token_verify wanted. KEY_WAIT: `then` is called once, on this worker, or
 * never if the session ends before. then NULL: nobody waits (again), so KEY_WAIT is KEY_REFUSED. */
enum key_answer wait_for_key(struct session *s, const struct token_want *want,
        void (*then)(struct session *s), char why[KEY_WHY]);
void wait_end(struct session *s); /* fine when it does not wait */

/* management.c: XEP-0198 but for resumption */
/* Is it one of its elements, and handled? Otherwise counts e. */
bool management_took(struct session *s, const struct element *e);
/* Behind the head: copied, or a tail that is shared. */
void management_sent(struct session *s, struct str head, struct str copied, struct block *tail);
void management_ask(struct session *s); /* for an <r/> at the end of the turn, if it is due */
void management_fail(struct session *s, const char *condition);         /* <failed/> */
void management_acknowledged(struct session *s, uint32_t h);            /* h is fine */
void management_too_high(struct session *s, uint32_t h, uint32_t sent); /* ends the stream */
void management_done(struct session *s);
/* Is stream management offered over this session's transport? */
bool management_offered(const struct session *s);

/* resume.c */
void resume_take_request(struct session *s, struct str query);
/* What becomes of a login that names a session: nothing; it comes with that session's own token (or
 * none, where that has none) and is in, s->claims set; or that token is over. */
enum resume_login { RESUME_LOGIN_NEW, RESUME_LOGIN_SAME, RESUME_LOGIN_OVER };
enum resume_login resume_login(struct session *s);
/* A login with another token was accepted: may it take its session over? True: others are asked,
 * `then` comes later. */
bool resume_asks(struct session *s, void (*then)(struct session *s));
void resume_element(struct session *s, const struct element *e); /* <resume/> */
/* Binds instead of resuming: takes the user name over, and closes the one that had it. */
bool resume_take_name(struct session *s);
void resume_supersede(struct session *s);
/* The connection is lost: true when the session lives on. */
bool resume_away(struct session *s, enum session_end why);
void resume_forget(struct session *s); /* the end of s: whatever it waits for */
struct session *resume_find(struct sessions *ss, struct str id);

/* far_news.c */
enum far_news { FAR_AWAY, FAR_BACK };
/* What the workers of its rooms must hear, made before anything has changed. NULL list: nobody.
 * False: no memory. */
struct far_return {
	enum far_news news;
	bool same_token;
	const struct claims *claims; /* the new ones, unless same_token */
	struct str peer;
	bool peer_loopback;
};
bool far_news_make(struct session *s, const struct far_return *r, struct message **list);
void far_news_drop(struct message *list);
void far_news_post(struct message *list);
/* Asks the other workers of old's rooms; then(s, opinion) comes later, unless s ends before. False:
 * nobody is to be asked, or no memory (*nomem). */
bool far_ask(struct session *s, const struct session *old, enum resume_opinion so_far,
        void (*then)(struct session *s, struct session_handle old, enum resume_opinion o),
        bool *nomem);
void far_ask_end(struct session *s);

/* domain.c */
bool domain_is_ours(const struct session *s, const struct stanza *st);
void domain_stanza(struct session *s, const struct stanza *st);
void domain_push_services(struct session *s);
