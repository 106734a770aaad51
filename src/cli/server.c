/* server.c - introduces the parts of the server to each other, and takes them down in order. io
 *
 *   tcp -> http -> websocket -> session -> focus -> room -> outbox -> session
 *
 * The parts know each other by the small function tables that are filled in here. One worker:
 * everything on one loop. */
#include "cli/server.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "admin/control.h"
#include "focus/focus.h"
#include "http/page.h"
#include "http/server.h"
#include "net/tcp.h"
#include "room/room.h"
#include "session/session.h"
#include "token/keys.h"

#define WS_PATH "/xmpp-websocket"
#define DESCRIPTORS_KEPT 64    /* for listeners, the log, key files: not for connections */
#define PLAIN_CONNECTIONS 1000 /* those that fetch the page, beside the sessions */
#define TARGET_BYTES 4096      /* of a request's target, beside the token */
#define STALL_MS 30000         /* a client that takes nothing for so long is gone */
#define SHUTDOWN_LOOK_MS 100

struct server {
	const struct config *config;
	struct loop *loop;
	struct tcp_server *tcp;
	struct http_server *http;
	struct sessions *sessions;
	struct focus *focus;
	struct room_service *rooms;
	struct control *control;       /* NULL: there is none, and a log line says why */
	const struct token_keys *keys; /* NULL with auth=none */
	struct outbox outbox;
	struct buf config_js;
	char web_folder[512], url[2100];
	uint16_t port;
	char addresses[512]; /* where it listens, for the log */

	bool stopping;
	uint64_t stop_by_ms;
	struct timer look;
};

uint16_t server_port(const struct server *s)
{
	return s->port;
}
const char *server_url(const struct server *s)
{
	return s->url;
}

/* Everybody below asks nobody for the time: it is handed on before anything else happens in a turn.
 */
static void tell_time(void *arg)
{
	struct server *s = arg;
	room_service_clock(s->rooms, loop_now_ms(s->loop), loop_wall_s(s->loop));
}

static void on_stanza(void *arg, struct session *session, const struct stanza *st)
{
	struct server *s = arg;
	tell_time(s);
	focus_stanza(s->focus, session, st);
}

static void on_gone(void *arg, struct session *session, enum session_end why)
{
	struct server *s = arg;
	(void)why;
	tell_time(s);
	focus_gone(s->focus, session);
}

static bool on_health(void *arg, struct buf *out)
{
	struct server *s = arg;
	buf_printf(out, "{\"status\":\"%s\"}\n", s->stopping ? "stopping" : "ok");
	return !s->stopping;
}

static bool fail(char *why, size_t size, const char *text)
{
	snprintf(why, size, "%s", text);
	return false;
}

/* As many descriptors as the system allows; the bound on connections follows what it really gives.
 */
static uint32_t connections_allowed(uint32_t sessions)
{
	struct rlimit r;
	uint64_t wanted = (uint64_t)sessions + PLAIN_CONNECTIONS;
	if (getrlimit(RLIMIT_NOFILE, &r) < 0)
		return (uint32_t)wanted;
	if (r.rlim_cur < r.rlim_max) {
		r.rlim_cur = r.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &r) < 0)
			(void)getrlimit(RLIMIT_NOFILE, &r);
	}
	if (r.rlim_cur == RLIM_INFINITY || r.rlim_cur >= wanted + DESCRIPTORS_KEPT)
		return (uint32_t)wanted;
	uint32_t left = r.rlim_cur > 2 * DESCRIPTORS_KEPT ? (uint32_t)r.rlim_cur - DESCRIPTORS_KEPT
	                                                  : DESCRIPTORS_KEPT;
	log_info("event=start because=RLIMIT_NOFILE limit=%llu connections=%u wanted=%llu",
	        (unsigned long long)r.rlim_cur, left, (unsigned long long)wanted);
	return left;
}

static bool start_tcp(struct server *s)
{
	const struct limits *l = &s->config->server.limits;
	struct tcp_limits limits = {
	        .max_connections = connections_allowed(l->sessions),
	        .max_per_address = l->connections_per_address,
	        .per_second = l->connections_per_second,
	        .max_queued = l->queued_bytes,
	        .max_queued_total = (uint64_t)l->queued_mebibytes_total << 20,
	        .stall_ms = STALL_MS,
	};
	s->tcp = tcp_server_new(s->loop, &limits, http_server_accept, s->http);
	return s->tcp != NULL;
}

static bool start_sessions(struct server *s)
{
	const struct server_settings *set = &s->config->server;
	const struct limits *l = &set->limits;
	struct session_settings settings = {
	        .domain = set->domain,
	        .guest_domain = set->guest_domain,
	        .policy = &s->config->policy,
	        .token = &s->config->token,
	        .keys = s->keys,
	        .sessions = l->sessions,
	        .before_login = xml_limits_before_auth,
	        .after_login = {.bytes = l->stanza_bytes,
	                .depth = l->stanza_depth,
	                .attributes = l->stanza_attributes,
	                .elements = l->stanza_elements},
	        .login_stanzas = l->login_stanzas,
	        .login_timeout_ms = l->login_timeout * 1000,
	        .stanzas_per_second = l->stanzas_per_second,
	        .bytes_per_second = l->bytes_per_second,
	        .log_lines_per_second = l->log_lines_per_second,
	};
	settings.before_login.bytes = l->login_stanza_bytes;
	struct session_events events = {.arg = s, .stanza = on_stanza, .gone = on_gone};
	s->sessions = sessions_new(s->loop, &settings, &events);
	if (!s->sessions)
		return false;
	session_outbox(s->sessions, &s->outbox);
	return true;
}

static bool start_rooms(struct server *s)
{
	const struct server_settings *set = &s->config->server;
	struct focus_settings focus = {
	        .domain = set->domain,
	        .muc_domain = set->muc_domain,
	        .focus_domain = set->focus_domain,
	        .focus_jid = set->focus_jid,
	        .token_auth_url = set->token_auth_url,
	        .auth = s->config->policy.auth == AUTH_JWT,
	        .version = GAVEL_VERSION,
	};
	s->focus = focus_new(&focus, &s->outbox);
	if (!s->focus)
		return false;
	struct room_settings rooms = room_settings_default;
	rooms.domain = set->domain;
	rooms.muc_domain = set->muc_domain;
	rooms.focus_jid = set->focus_jid;
	rooms.policy = &s->config->policy;
	rooms.resource_strict = set->resource_strict;
	rooms.rooms = set->limits.rooms;
	rooms.rooms_per_address = set->limits.rooms_per_address;
	rooms.rooms_per_session = set->limits.rooms_per_session;
	rooms.occupants_per_room = set->limits.occupants_per_room;
	rooms.joins_per_second = set->limits.joins_per_second;
	rooms.passwords_per_minute = set->limits.passwords_per_minute;
	rooms.ready_ms = set->limits.room_ready_timeout * 1000;
	rooms.log_lines_per_second = set->limits.log_lines_per_second;
	struct room_listener listener = focus_listener(s->focus);
	s->rooms = room_service_new(&rooms, &s->outbox, &listener, loop_timers(s->loop));
	if (!s->rooms)
		return false;
	focus_attach(s->focus, s->rooms);
	tell_time(s);
	loop_on_tick(s->loop, tell_time, s);
	return true;
}

static size_t list_counters(void *arg, struct counter *out, size_t max)
{
	struct server *s = arg;
	size_t n = sessions_list_counters(s->sessions, out, max);
	n += http_server_list_counters(s->http, out + n, max - n);
	return n + tcp_server_list_counters(s->tcp, out + n, max - n);
}

/* The server can do without: an unusable state folder is a warning. */
static void start_control(struct server *s)
{
	const struct server_settings *set = &s->config->server;
	const struct ask_sources sources = {.rooms = s->rooms,
	        .muc_domain = set->muc_domain,
	        .counters = list_counters,
	        .arg = s};
	char why[256] = "no state folder";
	s->control = set->state_directory.n
	                     ? control_new(s->loop, set->state_directory, &sources, why, sizeof why)
	                     : NULL;
	if (!s->control)
		log_warn("event=control because=%s key=state_directory", log_value(str_c(why)));
}

static enum page_names page_names(const struct policy_settings *p)
{
	if (p->auth == AUTH_NONE || p->name_mode == NAME_MODE_FREE)
		return PAGE_NAMES_FREE;
	return p->name_mode == NAME_MODE_FROZEN ? PAGE_NAMES_FROZEN : PAGE_NAMES_PER_CLAIM;
}

static bool write_config_js(struct server *s)
{
	const struct server_settings *set = &s->config->server;
	const struct policy_settings *policy = &s->config->policy;
	struct page_config page = {
	        .domain = set->domain,
	        .muc_domain = set->muc_domain,
	        .focus_domain = set->focus_domain,
	        .focus_jid = set->focus_jid,
	        .ws_path = WS_PATH,
	        .public_url = set->public_url,
	        .token_auth_url = set->token_auth_url,
	        .stun_servers = set->page.stun_servers.v,
	        .n_stun_servers = set->page.stun_servers.n,
	        .prejoin = set->page.prejoin,
	        .hide_prejoin_name = set->page.hide_prejoin_name,
	        .require_display_name = set->page.require_display_name,
	        .disable_profile = set->page.disable_profile,
	        .read_only_name = set->page.read_only_name,
	        .disable_grant_moderator = set->page.disable_grant_moderator,
	        .disable_kickout = set->page.disable_kickout,
	        .names = page_names(policy),
	        .name_paths = policy->name_paths.v,
	        .n_name_paths = policy->name_paths.n,
	        .name_max = policy->name_max,
	};
	buf_init(&s->config_js, 0);
	page_config_write(&page, &s->config_js);
	return !s->config_js.failed;
}

static bool start_http(struct server *s)
{
	const struct server_settings *set = &s->config->server;
	const struct limits *l = &set->limits;
	if (!write_config_js(s))
		return false;
	if (set->web_folder.n)
		snprintf(s->web_folder, sizeof s->web_folder, "%.*s", STR_FMT(set->web_folder));
	struct http_settings settings = {
	        .max_head = l->http_head_bytes,
	        /* twice the token's bound: one that is too long is refused where the reason can be
	           told */
	        .max_target = TARGET_BYTES + 2 * s->config->token.max_token_bytes,
	        .head_timeout_ms = l->handshake_timeout * 1000,
	        .idle_timeout_ms = l->idle_timeout * 1000,
	        .max_message = l->login_stanza_bytes,
	        .ping_idle_ms = l->ping_interval * 1000,
	        .ping_timeout_ms = l->ping_timeout * 1000,
	        .log_lines_per_second = l->log_lines_per_second,
	        .ws_path = WS_PATH,
	        .ws_protocol = "xmpp",
	        .ws_open = sessions_open,
	        .ws_arg = s->sessions,
	        .config_js = buf_view(&s->config_js),
	        .web_dir = set->web_folder.n ? s->web_folder : NULL,
	        .health = on_health,
	        .health_arg = s,
	};
	s->http = http_server_new(&settings);
	return s->http != NULL;
}

static bool explain_listen(
        const struct server *s, int err, const char *host, uint16_t port, char *why, size_t size)
{
	if (err == ERR_EXISTS)
		snprintf(why, size,
		        "port %u is taken on %s: another program listens there. Stop it, or set "
		        "http_port "
		        "(HTTP_PORT=%u).",
		        port, host, port == 65535 ? 8000u : port + 1u);
	else if (err == ERR_IO && errno == EACCES)
		snprintf(why, size,
		        "may not listen on %s port %u: ports below 1024 need the right "
		        "CAP_NET_BIND_SERVICE. Set "
		        "http_port to a higher one.",
		        host, port);
	else
		snprintf(why, size, "cannot listen on %s port %u: %s. See bind and http_port.",
		        host, port,
		        err == ERR_TYPE       ? "not a numeric address"
		        : err == ERR_NOTFOUND ? "no such address on this host"
		                              : err_text((enum err)err));
	(void)s;
	return false;
}

/* All addresses on one port. An address that this host does not have (::1 where IPv6 is off) is
 * left out, with a warning, as long as another one is there. */
static bool listen_all(struct server *s, char *why, size_t size)
{
	const struct str_list *bind = &s->config->server.bind;
	uint16_t port = s->config->server.http_port;
	size_t listening = 0, n = 0;
	for (size_t i = 0; i < bind->n; i++) {
		char host[64];
		snprintf(host, sizeof host, "%.*s", STR_FMT(bind->v[i]));
		uint16_t wanted = port;
		int err = tcp_server_listen(s->tcp, host, &port);
		if (err == ERR_NOTFOUND && (listening || i + 1 < bind->n)) {
			log_warn("event=listen because=no-such-address address=%s", host);
			port = wanted;
			continue;
		}
		if (err)
			return explain_listen(s, err, host, port, why, size);
		listening++;
		int more = snprintf(
		        s->addresses + n, sizeof s->addresses - n, "%s%s", n ? "," : "", host);
		n = more > 0 && n + (size_t)more < sizeof s->addresses ? n + (size_t)more : n;
	}
	if (!listening)
		return fail(why, size, "there is no address to listen on: see bind");
	s->port = port;
	if (s->config->server.public_url.n)
		snprintf(s->url, sizeof s->url, "%.*s", STR_FMT(s->config->server.public_url));
	else
		snprintf(s->url, sizeof s->url, "http://localhost:%u", port);
	return true;
}

static void stop_now(struct server *s)
{
	loop_stop(s->loop);
}

static void on_look(void *arg, uint64_t now_ms)
{
	struct server *s = arg;
	if (tcp_server_counters(s->tcp)->open == 0 || now_ms >= s->stop_by_ms)
		stop_now(s);
	else
		timer_start(loop_timers(s->loop), &s->look, now_ms + SHUTDOWN_LOOK_MS, on_look, s);
}

/* The first signal tells everybody and waits for the goodbyes, the second does not wait. */
static void on_signal(void *arg, int signum)
{
	struct server *s = arg;
	if (s->stopping) {
		stop_now(s);
		return;
	}
	s->stopping = true;
	log_info("event=stop because=%s sessions=%u", signum == SIGINT ? "SIGINT" : "SIGTERM",
	        sessions_counters(s->sessions)->sessions);
	tcp_server_stop(s->tcp);
	tell_time(s);
	sessions_shutdown(s->sessions);
	http_server_drain(s->http);
	uint64_t now = loop_now_ms(s->loop);
	s->stop_by_ms = now + (uint64_t)s->config->server.limits.shutdown_timeout * 1000;
	timer_start(loop_timers(s->loop), &s->look, now + SHUTDOWN_LOOK_MS, on_look, s);
}

static bool build(struct server *s, char *why, size_t size)
{
	s->loop = loop_new();
	if (!s->loop || !start_sessions(s) || !start_rooms(s) || !start_http(s) || !start_tcp(s))
		return fail(why, size, "out of memory or descriptors");
	if (loop_on_signal(s->loop, SIGINT, on_signal, s) ||
	        loop_on_signal(s->loop, SIGTERM, on_signal, s))
		return fail(why, size, "cannot receive signals");
	if (!listen_all(s, why, size))
		return false;
	start_control(s);
	return true;
}

struct server *server_new(
        const struct config *c, const struct token_keys *keys, char *why, size_t why_size)
{
	struct server *s = mem_zalloc(sizeof *s);
	if (!s) {
		fail(why, why_size, "out of memory");
		return NULL;
	}
	s->config = c;
	s->keys = keys;
	signal(SIGPIPE, SIG_IGN); /* a peer that is gone is an error code, not our end */
	if (build(s, why, why_size))
		return s;
	server_free(s);
	return NULL;
}

/* From the edge inwards: first nobody can reach a session any more, then the sessions leave their
 * rooms. */
void server_free(struct server *s)
{
	if (!s)
		return;
	timer_stop(&s->look);
	control_free(s->control);
	http_server_free(s->http);
	tcp_server_free(s->tcp);
	sessions_free(s->sessions);
	room_service_free(s->rooms);
	focus_free(s->focus);
	loop_free(s->loop); /* last: the others have timers on it */
	buf_done(&s->config_js);
	mem_free(s);
}

void server_run(struct server *s)
{
	log_info("event=ready version=%s port=%u addresses=%s domain=%.*s", GAVEL_VERSION, s->port,
	        s->addresses, STR_FMT(s->config->server.domain));
	loop_run(s->loop);
	const struct session_counters *n = sessions_counters(s->sessions);
	log_info("event=stopped logins=%llu refused=%llu", (unsigned long long)n->bound,
	        (unsigned long long)n->refused_logins);
}
