/* xmpp_door.h - the ports of XMPP over TCP: who comes goes to a worker at once. io
 *
 * Bounds on connections are the HTTP front's. Thread: the main one. */
#pragma once
#include "cli/parts.h"

struct xmpp_door;

/* Is there to be such a port? Then there is always a certificate, since nobody should have to log
 * in in the clear. */
bool xmpp_door_wanted(const struct config *c);
/* parts and shared outlive it, and tls and front too. NULL: no memory. */
struct xmpp_door *xmpp_door_new(struct loop *l, const struct parts_shared *shared,
        struct parts *const *parts, struct tcp_server *front, const struct tcp_limits *limits);
bool xmpp_door_listen(struct xmpp_door *d, struct tls_context *tls, char *why, size_t why_size);
void xmpp_door_stop(struct xmpp_door *d); /* nobody comes any more; NULL is fine, as for free */
void xmpp_door_free(struct xmpp_door *d);
size_t xmpp_door_list_counters(const struct xmpp_door *d, struct counter *out, size_t max);
