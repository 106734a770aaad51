/* conference.h - conference requests by HTTP, before a client connects (signaling.md 3.2). io
 *
 *   front: body, bearer, rate -> worker of the room: token, policy, focus -> front: the answer
 *
 * The rule is that of the IQ: focus_conference decides both. A token whose key is asked for
 * elsewhere waits without anybody waiting for it. */
#pragma once
#include "base/counter.h"
#include "cli/parts.h"

#define CONFERENCE_PATH "/conference-request/v1"

struct conference_door;

/* parts: one per worker of shared. front: who answers requests. All outlive the door. NULL: no
 * memory. */
struct conference_door *conference_door_new(
        struct parts_shared *shared, struct parts *const *parts, struct worker *front);
/* Every mailbox is empty by then. NULL is fine. */
void conference_door_free(struct conference_door *d);
/* The path that it answers; lives as long as the door. */
struct http_route conference_door_route(struct conference_door *d);
/* Whose requests they are; before the first one. */
void conference_door_own(struct conference_door *d, struct http_server *http);
/* Thread: the front's. */
size_t conference_door_list_counters(
        const struct conference_door *d, struct counter *out, size_t max);
