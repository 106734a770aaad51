/* ice.c - STUN and TURN servers as docker-jitsi-meet's variables name them. pure */
#include <stdio.h>

#include "config/docker.h"
#include "config/report.h"

#define ICE_TEXT 8192

/* One list item for each of the comma-separated hosts and transports. */
static void add(struct docker *d, struct buf *list, const char *type, const char *host_name,
        const char *port_name, const char *transports)
{
	struct str port = env_str(d->env, port_name);
	if (str_absent(port))
		port = STR("443");
	for (struct str hosts = env_str(d->env, host_name); !str_absent(hosts);) {
		struct str host = str_trim(str_split(&hosts, ','));
		struct str rest = str_c(transports);
		do {
			struct str transport = str_trim(str_split(&rest, ','));
			if (!host.n)
				continue;
			buf_printf(list, "%s%s:%.*s:%.*s", list->n ? "," : "", type, STR_FMT(host),
			        STR_FMT(port));
			if (transport.n)
				buf_printf(list, "?transport=%.*s", STR_FMT(transport));
		} while (!str_absent(rest));
	}
}

/* hosts: the kind's own variable is set. */
static void say(struct docker *d, const char *name, bool hosts, bool in_force)
{
	if (!env_get(d->env, name))
		return;
	if (hosts && in_force)
		docker_say(d, name, "ice_servers", DOCKER_HONOURED, 0, "%s", "");
	else
		docker_say(d, name, NULL, DOCKER_IGNORED, 0, "%s",
		        hosts ? "ICE_SERVERS wins" : "it names no server");
}

/* Hosts with ports, for calls between two: the page's own list. */
static void add_p2p(struct docker *d)
{
	const struct env_var *v = env_get(d->env, "P2P_STUN_SERVERS");
	if (!v)
		return;
	struct buf list;
	buf_init(&list, ICE_TEXT);
	for (struct str rest = v->value; !str_absent(rest);) {
		struct str host = str_trim(str_split(&rest, ','));
		if (host.n)
			buf_printf(&list, "%sstun:%.*s", list.n ? "," : "", STR_FMT(host));
	}
	buf_putc(&list, '\0');
	if (list.failed) {
		report_fatal(
		        d->report, "P2P_STUN_SERVERS", d->env->file, 0, "names too many servers");
	} else {
		bool in_force = docker_put(d, KEY_STUN_SERVERS, list.p, "P2P_STUN_SERVERS");
		docker_say(d, "P2P_STUN_SERVERS", in_force ? "stun_servers" : NULL,
		        in_force ? DOCKER_HONOURED : DOCKER_IGNORED, 0, "%s",
		        in_force ? "" : "STUN_SERVERS wins");
	}
	buf_done(&list);
}

void docker_ice(struct docker *d)
{
	static const char *const kinds[][3] = {{"STUN_HOST", "STUN_PORT"},
	        {"TURN_HOST", "TURN_PORT", "TURN_TRANSPORT"}, {"TURNS_HOST", "TURNS_PORT"}};
	char transports[120] = "tcp"; /* docker-jitsi-meet's default */
	const struct env_var *v = env_get(d->env, "TURN_TRANSPORT");
	if (v)
		snprintf(transports, sizeof transports, "%.*s", STR_FMT(str_sub(v->value, 0, 100)));
	struct buf list;
	buf_init(&list, ICE_TEXT);
	add(d, &list, "stun", "STUN_HOST", "STUN_PORT", "");
	add(d, &list, "turn", "TURN_HOST", "TURN_PORT", transports);
	add(d, &list, "turns", "TURNS_HOST", "TURNS_PORT", "tcp");
	add_p2p(d);
	bool any = list.n > 0, in_force = false;
	buf_putc(&list, '\0');
	if (list.failed)
		report_fatal(d->report, "TURN_HOST", d->env->file, 0, "names too many servers");
	else if (any)
		in_force = docker_put(d, KEY_ICE_SERVERS, list.p, "TURN_HOST");
	for (size_t i = 0; i < 3; i++) {
		bool hosts = env_get(d->env, kinds[i][0]);
		say(d, kinds[i][0], hosts, in_force);
		say(d, kinds[i][1], hosts, in_force);
		if (kinds[i][2])
			say(d, kinds[i][2], hosts, in_force);
	}
	buf_done(&list);
}
