/* listen.h - one port on every address of `bind`, and words for why it can't be had. io */
#pragma once
#include "config/config.h"
#include "net/tcp.h"

struct listen_order {
	const char *key;         /* the setting that names the port: "http_port" */
	struct tls_context *tls; /* NULL: clear text */
	const struct tls_door *door;
};

/* An address that this host does not have (::1 where IPv6 is off) is left out, with a warning, as
 * long as another one is there. *port 0: one is chosen, for all. False: why says which setting to
 * change. */
bool listen_everywhere(struct tcp_server *tcp, const struct str_list *bind, uint16_t *port,
        const struct listen_order *order, char *why, size_t why_size);
