/* far.h - sessions and rooms on different workers: stanzas over there, what rooms send back. io
 *
 *   session's worker: stanza --crossing, its bytes--> room's worker: parsed again, from the tie
 *   room's worker: outbox --batch, once a turn--> session's worker: its queue
 *
 * A session has a tie to each worker that it has sent a stanza to; the last thing that goes over a
 * tie is that the session has gone. Only bytes and values cross, and ties, which change hands: the
 * session's worker makes one, the other owns it from the first crossing on. Order is kept in both
 * directions. What is on its way to one session is bounded: a session that its own worker does not
 * keep up with is closed, and no room ever waits. Thread: one per worker, the worker's own. */
#pragma once
#include "net/worker.h"
#include "session/session.h"

struct far;
struct stanza;

/* A session of another worker, as a stanza of it arrives. Borrowed for the call. */
struct far_client {
	struct session_handle handle;
	struct str jid, key, peer;
	bool peer_loopback;
	struct str region;
	struct claims *claims; /* this worker's own copy; NULL: a guest */
	enum service service;
};

struct far_settings {
	struct worker *const *workers; /* all of them, by number */
	struct far *const *fars;       /* complete before the first stanza */
	uint32_t queued;               /* bytes on their way to one session, or from it */
	uint64_t queued_total;         /* to all sessions of one worker; then those with most of it
	                                  are closed */
	void *arg;
	/* As in session_events. The time was told (worker_new's before). */
	void (*stanza)(void *arg, const struct far_client *c, const struct stanza *st);
	void (*gone)(void *arg, struct session_handle h);
	void (*away)(void *arg, struct session_handle h);
	void (*back)(void *arg, const struct far_client *c, bool same_token);
	enum resume_opinion (*may_resume)(void *arg, const struct resume_question *q);
	/* A service of another worker is there (far_introduce); NULL: nobody wants to know. */
	void (*service)(void *arg, const struct far_client *c);
};

/* own: the sessions of this worker, whose settings say which it is. NULL: no memory. */
struct far *far_new(struct sessions *own, const struct far_settings *settings, unsigned n_workers);
/* Every session must have ended on every worker, and been told. */
void far_free(struct far *f);

/* A stanza of a session of this worker for a conference (canonical bare JID); opens: it may open
 * it. True: it went elsewhere, or was refused for want of memory. False: the conference is here. */
bool far_stanza(
        struct far *f, struct session *s, const struct stanza *st, struct str room, bool opens);
/* A stanza for another worker, whose number is known: the answer of a service. True: it went there,
 * or was refused for want of memory. False: that is this worker. */
bool far_stanza_to(struct far *f, struct session *s, const struct stanza *st, unsigned worker);
/* Every other worker learns of a service's session, and can send to it from then on. False: no
 * memory; it must end. */
bool far_introduce(struct far *f, struct session *s);
/* How the rooms of this worker reach sessions of all workers. */
void far_outbox(struct far *f, struct outbox *out);
/* Sends what waits for the end of the turn: at shutdown, when there is none. */
void far_flush(struct far *f);
size_t far_list_counters(const struct far *f, struct counter *out, size_t max);
