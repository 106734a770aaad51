/* parts.h - the parts of one worker, introduced to each other: sessions, focus, rooms, and with
 * several workers the door for what the front hands over. io
 *
 *   (http -> websocket ->) session -> focus -> room -> outbox -> session
 *                          session -> far -> focus of another worker, and back
 *
 * Thread: the worker's, unless said otherwise. */
#pragma once
#include "admin/ask.h"
#include "config/config.h"
#include "http/server.h"
#include "net/worker.h"
#include "session/directory.h"

struct parts;
struct accounts;
struct far;
struct openers;
struct arena;
struct focus;
struct focus_answer;
struct room_client;
struct token_keys;

/* What all workers read; complete before the first thread starts. */
struct parts_shared {
	const struct config *config;
	const struct token_keys *keys; /* NULL with auth=none */
	unsigned n;                    /* workers */
	/* with several workers; NULL with one */
	struct directory *directory;
	struct openers *openers;
	struct tls_context *tls;   /* never NULL; may have no certificates */
	struct accounts *accounts; /* of services; NULL: there are none */
	struct worker *workers[WORKERS_MAX];
	struct far *fars[WORKERS_MAX];
};

/* Thread: the main one, as for parts_free. Fills its places in *shared. NULL: no memory or
 * descriptors. */
struct parts *parts_new(struct parts_shared *shared, unsigned index);
/* With several workers: the door. front's bounds are shared. */
bool parts_open_door(struct parts *p, struct http_settings http, struct tcp_server *front,
        const struct tcp_limits *limits);
void parts_free(struct parts *p); /* NULL is fine; its thread is over, its mailbox empty */

/* A WebSocket's connection and the bytes of its request, from the front; held: of
 * directory_place. False: no memory, the parcel is still the caller's. Thread: any. */
bool parts_hand_over(struct parts *p, const struct tcp_parcel *parcel, struct str bytes,
        struct directory_entry *held);
/* The same for a client of XMPP over TCP, which was placed without a room. */
bool parts_hand_over_client(struct parts *p, const struct tcp_parcel *parcel);
/* Tells all clients that the server goes down, and takes no more. With one worker only: at once;
 * otherwise by mailbox, thread: any. Once. */
void parts_shut_down(struct parts *p);
/* Ends the loop, by mailbox. Thread: any. Once. */
void parts_stop(struct parts *p);
/* Once the threads are over: handles what is still in its mailbox. False: nothing was. */
bool parts_drain(struct parts *p);

/* A conference request that came by HTTP; focus_conference. */
void parts_conference(struct parts *p, const struct room_client *c, struct str wanted,
        struct arena *a, struct focus_answer *out);

struct sessions *parts_sessions(struct parts *p);
struct focus *parts_focus(struct parts *p);
/* The domain of the rooms and of tenants' rooms; borrows the configuration. */
struct muc_host parts_muc_host(const struct config *c);
struct ask_sources parts_sources(struct parts *p);
