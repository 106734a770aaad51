/* internal.h - one HTTP connection's state, shared by the files of http/ that serve it. io */
#pragma once
#include "base/limit.h"
#include "base/list.h"
#include "http/answer.h"
#include "http/body.h"
#include "http/files.h"
#include "http/forwarded.h"
#include "http/server.h"

#define LINGER_MS 2000
#define NO_TICKET UINT32_MAX

struct ticket_slot {
	struct connection *connection; /* NULL: free */
	uint32_t generation;
	uint32_t next_free;
};

struct http_server {
	struct http_settings settings;
	struct http_counters counters;
	struct http_limits limits;
	struct files *files;
	struct list connections;
	struct limit log_lines;
	bool draining;
	const char *endpoint_headers;
	struct http_head head; /* of the request at hand */

	struct ticket_slot *slots;
	uint32_t n_slots, cap_slots, free_slot, waiting;
	uint64_t bodies;    /* bytes of unfinished ones */
	uint32_t downloads; /* under way, beyond their first part */
	struct loop *loop;  /* of the connections; NULL before the first one */
};

struct connection {
	struct list link;
	struct http_server *server;
	struct tcp *tcp; /* NULL: it left, as a WebSocket or for good */
	struct buf in;
	size_t seen;                /* of the head that is not complete */
	bool served;                /* a request was answered: now the idle timeout counts */
	bool keep_alive, head_only; /* as the request at hand wants its answer */
	bool timed;                 /* the timer runs for this head or body */
	unsigned extensions;
	struct timer timer;
	struct forwarded from;  /* of the request at hand, or the one before */
	bool secure;            /* HTTPS here, or at a trusted proxy; likewise */
	struct http_head *head; /* the server's: valid while a request is being served */

	const struct http_route *route; /* of the body or ticket under way */
	struct body_reader body;        /* while in_body */
	bool in_body, body_whole;
	uint32_t slot;             /* NO_TICKET: none is open */
	size_t counted;            /* bytes in server->bodies */
	struct loop_task resume;   /* what came behind an answered request */
	struct root_job *download; /* while its last part is being sent; owned */
	bool streaming;            /* its first part was sent */
};

/* server.c */
void connection_answer(struct connection *c, struct http_answer *a);
/* Answers with the status alone, and nothing that follows is read. */
void connection_refuse(struct connection *c, int status);
void connection_hang_up(struct connection *c, uint32_t linger_ms);
void connection_free(struct connection *c);
/* Goes on with what has come, and sets the timer. */
void connection_resume(struct connection *c);
bool connection_is_upgrade(const struct http_head *h);
/* Hands the connection on as a WebSocket, or says why not. */
void connection_upgrade(struct connection *c, const struct http_request *r);
/* Whoever makes the answer, or takes it, has the idle timeout for its next part. */
void connection_wait(struct connection *c);
void connection_log_refusal(struct connection *c, int status, const char *why);

/* https.c. True: answered. */
bool https_challenge(struct connection *c, const struct http_request *r);
bool https_redirect(struct connection *c, const struct http_request *r);

/* route.c: answers the request whose head was read, begins to read its body, or hands the
 * connection on */
void connection_serve(struct connection *c);

/* exchange.c: requests with bodies, and answers that come later */
const struct http_route *exchange_find(const struct http_server *s, struct str path);
/* A request of c->route: takes it, or begins to read its body. */
void exchange_request(struct connection *c, const struct http_request *r);
/* Reads on while c->in_body. True: the body is whole. False: more is needed, or it was refused. */
bool exchange_read_body(struct connection *c);
bool exchange_open_ticket(struct connection *c, struct http_ticket *t);
struct http_ticket exchange_close_ticket(struct connection *c);
struct connection *exchange_connection(const struct http_server *s, struct http_ticket t);
/* What came behind the answered request is served at the end of the turn: whoever answers may be in
 * the middle of something. */
void exchange_resume_later(struct connection *c);
/* The connection goes: whoever waits with a ticket is told. */
void exchange_gone(struct connection *c);

/* download.c: answers from the folder of settings.root */
struct root_job;
void download_begin(struct connection *c);
void download_answered(void *server, struct root_job *j); /* for root_own */
void download_drained(struct connection *c);
void download_gone(struct connection *c);
