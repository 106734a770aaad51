/* server.c - introduces the parts of the server to each other, and takes them down in order. io
 *
 * The front accepts, reads HTTP heads, serves files and answers the control socket; a WebSocket
 * goes to the worker of its conference. With one worker the front is that worker, and all is on one
 * loop. Thread: the main one. */
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
#include "cli/parts.h"
#include "cli/tidy.h"
#include "http/page.h"
#include "http/server.h"
#include "net/tcp.h"
#include "room/openers.h"
#include "session/session.h"
#include "token/keys.h"

#define WS_PATH "/xmpp-websocket"
#define DESCRIPTORS_KEPT 64 /* for listeners, the log, key files: not for connections */
#define DESCRIPTORS_PER_WORKER 8
#define PLAIN_CONNECTIONS 1000 /* those that fetch the page, beside the sessions */
#define TARGET_BYTES 4096      /* of a request's target, beside the token */
#define STALL_MS 30000         /* a client that takes nothing for so long is gone */
#define SHUTDOWN_LOOK_MS 100

struct server {
	const struct config *config;
	struct parts_shared shared;
	struct parts *parts[WORKERS_MAX];
	struct worker *worker; /* the front's; with one worker that one */
	struct loop *loop;     /* of it */
	struct tcp_server *tcp;
	struct tcp_limits tcp_limits;
	struct http_server *http;
	struct control *control; /* NULL: there is none, and a log line says why */
	struct buf config_js;
	char web_folder[512], url[2100];
	uint16_t port;
	char addresses[512]; /* where it listens, for the log */

	unsigned started; /* threads */
	bool stopping;
	uint64_t stop_by_ms;
	struct timer look;
	struct tidy tidy;
};

/* A question that goes round all workers, and comes back. */
struct round {
	struct message m;
	struct server *server;
	struct control_question *question;
	unsigned next;
};

uint16_t server_port(const struct server *s)
{
	return s->port;
}
const char *server_url(const struct server *s)
{
	return s->url;
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
static uint32_t connections_allowed(uint32_t sessions, unsigned workers)
{
	struct rlimit r;
	uint64_t wanted = (uint64_t)sessions + PLAIN_CONNECTIONS, kept = DESCRIPTORS_KEPT;
	kept += (uint64_t)workers * DESCRIPTORS_PER_WORKER;
	if (getrlimit(RLIMIT_NOFILE, &r) < 0)
		return (uint32_t)wanted;
	if (r.rlim_cur < r.rlim_max) {
		r.rlim_cur = r.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &r) < 0)
			(void)getrlimit(RLIMIT_NOFILE, &r);
	}
	if (r.rlim_cur == RLIM_INFINITY || r.rlim_cur >= wanted + kept)
		return (uint32_t)wanted;
	uint32_t left = (uint32_t)(r.rlim_cur > 2 * kept ? r.rlim_cur - kept : r.rlim_cur / 2);
	log_info("event=start because=RLIMIT_NOFILE limit=%llu connections=%u wanted=%llu",
	        (unsigned long long)r.rlim_cur, left, (unsigned long long)wanted);
	return left;
}

static bool start_tcp(struct server *s)
{
	const struct limits *l = &s->config->server.limits;
	s->tcp_limits = (struct tcp_limits){
	        .max_connections = connections_allowed(l->sessions, s->shared.n),
	        .max_per_address = l->connections_per_address,
	        .per_second = l->connections_per_second,
	        .max_queued = l->queued_bytes,
	        .max_queued_total = (uint64_t)l->queued_mebibytes_total << 20,
	        .stall_ms = STALL_MS,
	};
	s->tcp = tcp_server_new(s->loop, &s->tcp_limits, http_server_accept, s->http);
	return s->tcp != NULL;
}

static size_t list_counters(void *arg, struct counter *out, size_t max)
{
	struct server *s = arg;
	size_t n = http_server_list_counters(s->http, out, max);
	return n + tcp_server_list_counters(s->tcp, out + n, max - n);
}

static void answer(struct server *s, struct control_question *q)
{
	const struct ask_sources own = {.counters = list_counters, .arg = s};
	ask_gather(&q->ask, &own);
	control_answer(q);
}

static void on_round(void *arg, struct message *m)
{
	(void)arg;
	struct round *r = LIST_OWNER(m, struct round, m);
	struct server *s = r->server;
	if (r->next == s->shared.n) {
		answer(s, r->question);
		mem_free(r);
		return;
	}
	const struct ask_sources sources = parts_sources(s->parts[r->next]);
	ask_gather(&r->question->ask, &sources);
	struct worker *next = ++r->next == s->shared.n ? s->worker : s->shared.workers[r->next];
	worker_post(next, m);
}

static void on_asked(void *arg, struct control_question *q)
{
	struct server *s = arg;
	struct round *r = NULL;
	if (s->shared.n == 1) {
		const struct ask_sources sources = parts_sources(s->parts[0]);
		ask_gather(&q->ask, &sources);
		answer(s, q);
	} else if ((r = mem_zalloc(sizeof *r))) {
		*r = (struct round){.m.run = on_round, .server = s, .question = q};
		worker_post(s->shared.workers[0], &r->m);
	} else {
		q->ask.found.failed = true;
		control_answer(q);
	}
}

/* The server can do without: an unusable state folder is a warning. */
static void start_control(struct server *s)
{
	const struct server_settings *set = &s->config->server;
	char why[256] = "no state folder";
	s->control = set->state_directory.n ? control_new(s->loop, set->state_directory, on_asked,
	                                              s, why, sizeof why)
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

/* To the worker of the conference that its URL names. */
static bool on_hand_over(void *arg, const struct http_request *r, struct tcp *t, struct str bytes)
{
	struct server *s = arg;
	struct directory_entry *held;
	struct tcp_parcel parcel;
	struct buf room;
	buf_init(&room, 0);
	session_room_of_query(r->head->query, s->config->server.muc_domain, &room);
	unsigned w = directory_place(
	        s->shared.directory, room.failed ? STR_NONE : buf_view(&room), &held);
	buf_done(&room);
	bool released = tcp_release(t, &parcel);
	if (released && parts_hand_over(s->parts[w], &parcel, bytes, held))
		return true;
	directory_placed(s->shared.directory, w, held);
	if (released)
		tcp_parcel_drop(s->tcp, &parcel);
	return released;
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
	        .ws_arg = s->shared.n == 1 ? parts_sessions(s->parts[0]) : NULL,
	        .hand_over = s->shared.n == 1 ? NULL : on_hand_over,
	        .hand_over_arg = s,
	        .config_js = buf_view(&s->config_js),
	        .web_dir = set->web_folder.n ? s->web_folder : NULL,
	        .health = on_health,
	        .health_arg = s,
	};
	s->http = http_server_new(&settings);
	if (!s->http || !start_tcp(s))
		return false;
	for (unsigned i = 0; s->shared.n > 1 && i < s->shared.n; i++) {
		if (!parts_open_door(s->parts[i], settings, s->tcp, &s->tcp_limits))
			return false;
	}
	return true;
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
	if (tcp_server_open_everywhere(s->tcp) == 0 || now_ms >= s->stop_by_ms)
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
	        s->shared.n == 1 ? sessions_counters(parts_sessions(s->parts[0]))->sessions
	                         : directory_sessions(s->shared.directory));
	tcp_server_stop(s->tcp);
	for (unsigned i = 0; i < s->shared.n; i++)
		parts_shut_down(s->parts[i]);
	http_server_drain(s->http);
	uint64_t now = loop_now_ms(s->loop);
	s->stop_by_ms = now + (uint64_t)s->config->server.limits.shutdown_timeout * 1000;
	timer_start(loop_timers(s->loop), &s->look, now + SHUTDOWN_LOOK_MS, on_look, s);
}

static bool start_parts(struct server *s)
{
	struct parts_shared *shared = &s->shared;
	unsigned wanted = s->config->server.workers;
	shared->n = wanted ? wanted : worker_cores();
	if (shared->n > 1) {
		shared->directory =
		        directory_new(shared->n, s->config->server.placement == PLACEMENT_WRONG);
		shared->openers = openers_new();
		s->worker = worker_new(NULL, s);
		if (!shared->directory || !shared->openers || !s->worker)
			return false;
	}
	for (unsigned i = 0; i < shared->n; i++) {
		s->parts[i] = parts_new(shared, i);
		if (!s->parts[i])
			return false;
	}
	if (shared->n == 1)
		s->worker = shared->workers[0];
	s->loop = worker_loop(s->worker);
	return true;
}

static bool start_threads(struct server *s)
{
	for (unsigned i = 0; s->shared.n > 1 && i < s->shared.n; i++) {
		if (!worker_start(s->shared.workers[i]))
			return false;
		s->started++;
	}
	return true;
}

/* What is under way between them arrives, so that all is told and nothing is lost. */
static void stop_threads(struct server *s)
{
	bool any = s->shared.n > 1 && s->worker;
	for (unsigned i = 0; i < s->started; i++)
		parts_stop(s->parts[i]);
	for (unsigned i = 0; i < s->started; i++)
		worker_join(s->shared.workers[i]);
	s->started = 0;
	while (any) {
		any = worker_drain(s->worker);
		for (unsigned i = 0; i < s->shared.n; i++)
			any = (s->parts[i] && parts_drain(s->parts[i])) || any;
	}
}

/* A connection may have any number below the limit, on any loop. */
static void reserve_descriptors(struct server *s)
{
	struct rlimit r;
	uint64_t n = (uint64_t)s->tcp_limits.max_connections + DESCRIPTORS_KEPT +
	             (uint64_t)s->shared.n * DESCRIPTORS_PER_WORKER;
	if (getrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_cur < n)
		n = r.rlim_cur;
	loop_reserve(s->loop, (uint32_t)n);
	for (unsigned i = 0; s->shared.n > 1 && i < s->shared.n; i++)
		loop_reserve(worker_loop(s->shared.workers[i]), (uint32_t)n);
}

static bool build(struct server *s, char *why, size_t size)
{
	if (!start_parts(s) || !start_http(s))
		return fail(why, size, "out of memory or descriptors");
	reserve_descriptors(s);
	if (loop_on_signal(s->loop, SIGINT, on_signal, s) ||
	        loop_on_signal(s->loop, SIGTERM, on_signal, s))
		return fail(why, size, "cannot receive signals");
	if (!listen_all(s, why, size))
		return false;
	start_control(s);
	tidy_start(&s->tidy, s->loop, s->tcp);
	if (!start_threads(s))
		return fail(why, size, "cannot start a thread for each worker: see workers");
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
	s->shared.config = c;
	s->shared.keys = keys;
	signal(SIGPIPE, SIG_IGN); /* a peer that is gone is an error code, not our end */
	if (build(s, why, why_size))
		return s;
	server_free(s);
	return NULL;
}

/* From the edge inwards: the threads first, then what they shared. */
void server_free(struct server *s)
{
	if (!s)
		return;
	stop_threads(s);
	timer_stop(&s->look);
	tidy_stop(&s->tidy);
	control_free(s->control);
	bool alone = s->shared.n == 1;
	for (unsigned i = 0; !alone && i < s->shared.n; i++)
		parts_free(s->parts[i]);
	http_server_free(s->http);
	tcp_server_free(s->tcp);
	if (alone)
		parts_free(s->parts[0]); /* the front is on its loop */
	else
		worker_free(s->worker);
	openers_free(s->shared.openers);
	directory_free(s->shared.directory);
	buf_done(&s->config_js);
	mem_free(s);
}

void server_run(struct server *s)
{
	log_info("event=ready version=%s port=%u addresses=%s domain=%.*s workers=%u",
	        GAVEL_VERSION, s->port, s->addresses, STR_FMT(s->config->server.domain),
	        s->shared.n);
	loop_run(s->loop);
	stop_threads(s);
	uint64_t logins = 0, refused = 0;
	for (unsigned i = 0; i < s->shared.n; i++) {
		const struct session_counters *n = sessions_counters(parts_sessions(s->parts[i]));
		logins += n->bound;
		refused += n->refused_logins;
	}
	log_info("event=stopped logins=%llu refused=%llu", (unsigned long long)logins,
	        (unsigned long long)refused);
}
