/* listen.c - one port on every address of `bind`. io */
#include "cli/listen.h"

#include <errno.h>
#include <stdio.h>

#include "base/err.h"
#include "base/log.h"
#include "config/schema.h"

static bool explain(
        int err, const char *host, uint16_t port, const char *key, char *why, size_t size)
{
	char variable[64];
	schema_variable(schema_row(schema_find(str_c(key))), variable);
	if (err == ERR_EXISTS)
		snprintf(why, size,
		        "port %u is taken on %s: another program listens there. Stop it, or set %s "
		        "(%s=%u).",
		        port, host, key, variable, port == 65535 ? 8000u : port + 1u);
	else if (err == ERR_IO && errno == EACCES)
		snprintf(why, size,
		        "may not listen on %s port %u: ports below 1024 need the right "
		        "CAP_NET_BIND_SERVICE. Set %s to a higher one.",
		        host, port, key);
	else
		snprintf(why, size, "cannot listen on %s port %u: %s. See bind and %s.", host, port,
		        err == ERR_TYPE       ? "not a numeric address"
		        : err == ERR_NOTFOUND ? "no such address on this host"
		                              : err_text((enum err)err),
		        key);
	return false;
}

bool listen_everywhere(struct tcp_server *tcp, const struct str_list *bind, uint16_t *port,
        const struct listen_order *order, char *why, size_t size)
{
	size_t listening = 0;
	for (size_t i = 0; i < bind->n; i++) {
		char host[64];
		snprintf(host, sizeof host, "%.*s", STR_FMT(bind->v[i]));
		uint16_t wanted = *port;
		int err = tcp_server_listen_tls(tcp, host, port, order->tls, order->door);
		if (err == ERR_NOTFOUND && (listening || i + 1 < bind->n)) {
			log_warn("event=listen because=no-such-address address=%s", host);
			*port = wanted;
			continue;
		}
		if (err)
			return explain(err, host, *port, order->key, why, size);
		listening++;
		log_info("event=listen address=%s port=%u by=%s", host, *port, order->key);
	}
	if (!listening)
		snprintf(why, size, "there is no address to listen on: see bind");
	return listening > 0;
}
