/* xmpp_door.c - accepting on the ports of XMPP, and handing over. io */
#include "cli/xmpp_door.h"

#include "base/hash.h"
#include "base/mem.h"
#include "cli/listen.h"
#include "session/session.h"

struct xmpp_door {
	const struct parts_shared *shared;
	struct parts *const *parts;
	struct tcp_server *tcp;
};

bool xmpp_door_wanted(const struct config *c)
{
	return c->server.xmpp_port || c->server.xmpp_tls_port;
}

/* There is no URL that names a conference, or a session to resume: whoever comes again from the
 * same address comes to the same worker, where that session is. */
static void hand_over(struct xmpp_door *d, struct tcp *t)
{
	struct tcp_parcel parcel;
	unsigned w = (unsigned)(hash_key(tcp_peer(t)) % d->shared->n);
	if (!tcp_release(t, &parcel)) {
		tcp_close(t, 0);
		return;
	}
	directory_place_on(d->shared->directory, w);
	if (parts_hand_over_client(d->parts[w], &parcel))
		return;
	directory_placed(d->shared->directory, w, NULL);
	tcp_parcel_drop(d->tcp, &parcel);
}

static void on_accepted(void *arg, struct tcp *t)
{
	struct xmpp_door *d = arg;
	if (d->shared->n == 1)
		sessions_accept(parts_sessions(d->parts[0]), t);
	else
		hand_over(d, t);
}

struct xmpp_door *xmpp_door_new(struct loop *l, const struct parts_shared *shared,
        struct parts *const *parts, struct tcp_server *front, const struct tcp_limits *limits)
{
	struct xmpp_door *d = mem_zalloc(sizeof *d);
	if (!d)
		return NULL;
	d->shared = shared;
	d->parts = parts;
	d->tcp = tcp_server_new_beside(front, l, limits, on_accepted, d);
	if (d->tcp)
		return d;
	mem_free(d);
	return NULL;
}

bool xmpp_door_listen(struct xmpp_door *d, struct tls_context *tls, char *why, size_t size)
{
	const struct server_settings *set = &d->shared->config->server;
	const struct listen_order plain = {.key = "xmpp_port"};
	const struct listen_order direct = {
	        .key = "xmpp_tls_port", .tls = tls, .door = session_tls_door};
	uint16_t port = set->xmpp_port, tls_port = set->xmpp_tls_port;
	return (!port || listen_everywhere(d->tcp, &set->bind, &port, &plain, why, size)) &&
	       (!tls_port || listen_everywhere(d->tcp, &set->bind, &tls_port, &direct, why, size));
}

void xmpp_door_stop(struct xmpp_door *d)
{
	if (d)
		tcp_server_stop(d->tcp);
}

void xmpp_door_free(struct xmpp_door *d)
{
	if (!d)
		return;
	tcp_server_free(d->tcp);
	mem_free(d);
}

size_t xmpp_door_list_counters(const struct xmpp_door *d, struct counter *out, size_t max)
{
	return d ? tcp_server_list_counters(d->tcp, out, max) : 0;
}
