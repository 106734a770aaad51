/* bosh_door.h - BOSH's path: each POST goes from the front to the worker of its session, the answer
 * comes back. io
 *
 *   front: body, seat -> worker that the sid names, or that the room's is: session -> front: answer
 *
 * The connection stays at the front, so any connection may bring a request of any session, as
 * browsers and proxies do it. With one worker nothing is posted. */
#pragma once
#include "base/counter.h"
#include "cli/parts.h"

#define BOSH_PATH "/http-bind"

struct bosh_door;

/* parts: one per worker of shared. front: who answers requests. All outlive the door. NULL: no
 * memory. */
struct bosh_door *bosh_door_new(
        struct parts_shared *shared, struct parts *const *parts, struct worker *front);
/* Every mailbox is empty by then, and the HTTP server has gone. NULL is fine. */
void bosh_door_free(struct bosh_door *d);
/* The path that it answers; lives as long as the door. */
struct http_route bosh_door_route(struct bosh_door *d);
/* Whose requests they are, and whose bounds count; before the first one. */
void bosh_door_own(struct bosh_door *d, struct http_server *http, struct tcp_server *tcp);
/* The workers have ended: nothing is posted any more. NULL is fine. */
void bosh_door_stop(struct bosh_door *d);
/* Thread: the front's, as for all of it. */
size_t bosh_door_list_counters(const struct bosh_door *d, struct counter *out, size_t max);
