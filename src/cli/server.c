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
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "cli/bosh_door.h"
#include "cli/certificates.h"
#include "cli/cli.h"
#include "cli/conference.h"
#include "admin/control.h"
#include "cli/listen.h"
#include "cli/parts.h"
#include "cli/site.h"
#include "cli/tidy.h"
#include "cli/xmpp_door.h"
#include "http/server.h"
#include "net/tcp.h"
#include "room/openers.h"
#include "session/accounts.h"
#include "session/session.h"
#include "token/store.h"

#define DESCRIPTORS_KEPT 64 /* for listeners, the log, key files: not for connections */
#define DESCRIPTORS_PER_WORKER 8
#define PLAIN_CONNECTIONS 1000 /* those that fetch the page, beside the sessions */
#define STALL_MS 30000         /* a client that takes nothing for so long is gone */
#define SHUTDOWN_LOOK_MS 100
#define NO_MEMORY "out of memory or descriptors"
#define RENEWAL_LOOK_MS (86400u * 1000)
#define TRUSTED_MAX 256

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
	struct site *site;
	struct conference_door *conferences;
	struct bosh_door *bosh; /* NULL: switched off */
	char acme_folder[1024], url[2100];
	uint16_t port;
	struct xmpp_door *xmpp; /* NULL: none */
	struct tls_context *tls;
	struct network trusted[TRUSTED_MAX];
	size_t n_trusted;
	struct timer renewal; /* of a certificate that is made here */

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

static void read_trusted(struct server *s)
{
	const struct str_list *list = &s->config->server.trusted_proxies;
	for (size_t i = 0; i < list->n && s->n_trusted < TRUSTED_MAX; i++)
		s->n_trusted += network_parse(list->v[i], &s->trusted[s->n_trusted]);
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
	        .trusted = s->trusted,
	        .n_trusted = s->n_trusted,
	};
	s->tcp = tcp_server_new(s->loop, &s->tcp_limits, http_server_accept, s->http);
	return s->tcp != NULL;
}

static size_t list_counters(void *arg, struct counter *out, size_t max)
{
	struct server *s = arg;
	struct token_store *store = token_keys_store(s->shared.keys);
	size_t n = http_server_list_counters(s->http, out, max);
	n += tcp_server_list_counters(s->tcp, out + n, max - n);
	n += xmpp_door_list_counters(s->xmpp, out + n, max - n);
	n += conference_door_list_counters(s->conferences, out + n, max - n);
	n += bosh_door_list_counters(s->bosh, out + n, max - n);
	return store ? n + token_store_list_counters(store, out + n, max - n) : n;
}

static void write_keys(void *arg, struct buf *out)
{
	struct server *s = arg;
	struct token_store *store = token_keys_store(s->shared.keys);
	if (store)
		token_store_write(store, out);
}

static void answer(struct server *s, struct control_question *q)
{
	const struct ask_sources own = {.counters = list_counters, .keys = write_keys, .arg = s};
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
	if (q->ask.what == ASK_RELOAD) {
		char why[640] = "";
		q->ask.reloaded = server_reload(s, why, sizeof why);
		buf_puts(&q->ask.found, why);
		control_answer(q);
	} else if (s->shared.n == 1) {
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

/* With the session that it wants to resume, or else with the conference that its URL names. */
static unsigned place(struct server *s, struct str query, struct directory_entry **held)
{
	struct directory *d = s->shared.directory;
	struct buf room;
	unsigned w;
	*held = NULL;
	if (session_worker_of_query(query, &w) && w < s->shared.n) {
		directory_place_on(d, w);
		return w;
	}
	buf_init(&room, 0);
	const struct muc_host muc = parts_muc_host(s->config);
	session_room_of_query(query, &muc, &room);
	w = directory_place(d, room.failed ? STR_NONE : buf_view(&room), held);
	buf_done(&room);
	return w;
}

static bool on_hand_over(void *arg, const struct http_request *r, struct tcp *t, struct str bytes)
{
	struct server *s = arg;
	struct directory_entry *held;
	struct tcp_parcel parcel;
	unsigned w = place(s, r->head->query, &held);
	bool released = tcp_release(t, &parcel);
	if (released && parts_hand_over(s->parts[w], &parcel, bytes, held))
		return true;
	directory_placed(s->shared.directory, w, held);
	if (released)
		tcp_parcel_drop(s->tcp, &parcel);
	return released;
}

static bool public_https(const struct server_settings *set)
{
	return str_starts(set->public_url, STR("https://"));
}

static bool start_site(struct server *s, char *why, size_t size)
{
	s->site = site_new(s->config, s->loop, why, size);
	if (!s->site)
		return false;
	s->conferences = conference_door_new(&s->shared, s->parts, s->worker);
	if (!s->conferences)
		return fail(why, size, NO_MEMORY);
	const struct http_route conferences = conference_door_route(s->conferences);
	if (!site_add_route(s->site, &conferences))
		return false;
	if (!s->config->server.bosh)
		return true;
	s->bosh = bosh_door_new(&s->shared, s->parts, s->worker);
	if (!s->bosh)
		return fail(why, size, NO_MEMORY);
	const struct http_route bosh = bosh_door_route(s->bosh);
	return site_add_route(s->site, &bosh);
}

static bool start_http(struct server *s, char *why, size_t size)
{
	const struct server_settings *set = &s->config->server;
	const struct limits *l = &set->limits;
	if (!start_site(s, why, size))
		return false;
	read_trusted(s);
	if (set->acme_folder.n)
		snprintf(s->acme_folder, sizeof s->acme_folder, "%.*s", STR_FMT(set->acme_folder));
	struct http_settings settings = {
	        .head_timeout_ms = l->handshake_timeout * 1000,
	        .idle_timeout_ms = l->idle_timeout * 1000,
	        .max_message = l->login_stanza_bytes,
	        .ping_idle_ms = l->ping_interval * 1000,
	        .ping_timeout_ms = l->ping_timeout * 1000,
	        .log_lines_per_second = l->log_lines_per_second,
	        .ws_protocol = "xmpp",
	        .ws_open = sessions_open,
	        .ws_arg = s->shared.n == 1 ? parts_sessions(s->parts[0]) : NULL,
	        .hand_over = s->shared.n == 1 ? NULL : on_hand_over,
	        .hand_over_arg = s,
	        .trusted = s->trusted,
	        .n_trusted = s->n_trusted,
	        .redirect = set->http_redirect && (set->https_port || public_https(set)),
	        .redirect_to = public_https(set) ? set->public_url : STR_NONE,
	        .https_port = set->https_port,
	        .hsts = set->hsts,
	        .acme_folder = set->acme_folder.n ? s->acme_folder : NULL,
	        .health = on_health,
	        .health_arg = s,
	};
	site_fill(s->site, &settings);
	s->http = http_server_new(&settings);
	conference_door_own(s->conferences, s->http);
	if (!s->http || !start_tcp(s))
		return fail(why, size, NO_MEMORY);
	if (s->bosh)
		bosh_door_own(s->bosh, s->http, s->tcp);
	for (unsigned i = 0; s->shared.n > 1 && i < s->shared.n; i++) {
		if (!parts_open_door(s->parts[i], settings, s->tcp, &s->tcp_limits))
			return fail(why, size, NO_MEMORY);
	}
	return true;
}

static const struct tls_door https_door = {
        .alpn = "http/1.1",
        .clear_answer = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n"
                        "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 53\r\n\r\n"
                        "This is the HTTPS port: the address begins https://.\n",
};

static void say_url(struct server *s)
{
	const struct server_settings *set = &s->config->server;
	if (set->public_url.n)
		snprintf(s->url, sizeof s->url, "%.*s", STR_FMT(set->public_url));
	else
		snprintf(s->url, sizeof s->url, "http%s://localhost:%u", set->https_port ? "s" : "",
		        set->https_port ? set->https_port : s->port);
}

static bool listen_all(struct server *s, char *why, size_t size)
{
	const struct server_settings *set = &s->config->server;
	const struct listen_order http = {.key = "http_port"};
	const struct listen_order https = {.key = "https_port", .tls = s->tls, .door = &https_door};
	uint16_t https_port = set->https_port;
	s->port = set->http_port;
	if (!listen_everywhere(s->tcp, &set->bind, &s->port, &http, why, size) ||
	        (https_port &&
	                !listen_everywhere(s->tcp, &set->bind, &https_port, &https, why, size)))
		return false;
	say_url(s);
	return !s->xmpp || xmpp_door_listen(s->xmpp, s->tls, why, size);
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
	xmpp_door_stop(s->xmpp);
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
	bool any = s->worker != NULL;
	struct token_store *store = token_keys_store(s->shared.keys);
	if (store) /* first: what it tells is a message to a worker */
		token_store_stop(store);
	for (unsigned i = 0; i < s->started; i++)
		parts_stop(s->parts[i]);
	for (unsigned i = 0; i < s->started; i++)
		worker_join(s->shared.workers[i]);
	s->started = 0;
	while (any) {
		any = worker_drain(s->worker);
		for (unsigned i = 0; s->shared.n > 1 && i < s->shared.n; i++)
			any = (s->parts[i] && parts_drain(s->parts[i])) || any;
	}
}

/* Certificates */

static bool wants_certificates(const struct server *s)
{
	return certificates_wanted(s->config) || xmpp_door_wanted(s->config);
}

static bool load_certificates(struct server *s, char *why, size_t size)
{
	return certificates_load(s->config, s->tls, xmpp_door_wanted(s->config), why, size);
}

bool server_reload(struct server *s, char *why, size_t size)
{
	struct token_store *store = token_keys_store(s->shared.keys);
	if (store)
		token_store_reload(store);
	if (!wants_certificates(s)) {
		snprintf(why, size, "there are no certificates to read again: see tls_certificate");
		return store != NULL;
	}
	bool fine = load_certificates(s, why, size);
	if (fine)
		log_info("event=reload certificates=%zu",
		        s->config->server.tls_certificates.n ? s->config->server.tls_certificates.n
		                                             : (size_t)1);
	else
		log_error("event=reload because=%s kept=the-old-ones", log_value(str_c(why)));
	return fine;
}

static void on_hangup(void *arg, int signum)
{
	char why[640] = "";
	(void)signum;
	(void)server_reload(arg, why, sizeof why);
}

static void on_renewal(void *arg, uint64_t now_ms)
{
	struct server *s = arg;
	char why[640] = "";
	if (!load_certificates(s, why, sizeof why))
		log_error("event=certificate because=%s", log_value(str_c(why)));
	timer_start(loop_timers(s->loop), &s->renewal, now_ms + RENEWAL_LOOK_MS, on_renewal, s);
}

static bool start_tls(struct server *s, char *why, size_t size)
{
	if (!wants_certificates(s))
		return true;
	if (!load_certificates(s, why, size))
		return false;
	if (s->config->server.tls_certificates.n == 0)
		timer_start(loop_timers(s->loop), &s->renewal,
		        loop_now_ms(s->loop) + RENEWAL_LOOK_MS, on_renewal, s);
	return true;
}

static bool start_xmpp(struct server *s)
{
	if (xmpp_door_wanted(s->config))
		s->xmpp = xmpp_door_new(s->loop, &s->shared, s->parts, s->tcp, &s->tcp_limits);
	return s->xmpp || !xmpp_door_wanted(s->config);
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

/* Keys from the accounts' passwords, once: it takes some milliseconds each. */
static bool make_accounts(struct server *s)
{
	const struct server_settings *set = &s->config->server;
	struct account_order *orders;
	if (!set->n_accounts)
		return true;
	orders = mem_zalloc(set->n_accounts * sizeof *orders);
	for (size_t i = 0; orders && i < set->n_accounts; i++) {
		const struct account_settings *a = &set->accounts[i];
		orders[i] = (struct account_order){a->node, a->domain, a->password, a->service};
	}
	if (orders)
		s->shared.accounts = accounts_new(
		        orders, set->n_accounts, set->limits.service_passwords_per_minute);
	mem_free(orders);
	return s->shared.accounts != NULL;
}

static uint32_t count_sessions(void *arg)
{
	const struct server *s = arg;
	return s->shared.directory ? directory_sessions(s->shared.directory)
	                           : sessions_counters(parts_sessions(s->parts[0]))->sessions;
}

static bool build(struct server *s, char *why, size_t size)
{
	s->tls = s->shared.tls = tls_context_new();
	if (!s->tls || !make_accounts(s) || !start_parts(s))
		return fail(why, size, NO_MEMORY);
	if (!start_http(s, why, size))
		return false;
	if (!start_xmpp(s))
		return fail(why, size, NO_MEMORY);
	reserve_descriptors(s);
	if (loop_on_signal(s->loop, SIGINT, on_signal, s) ||
	        loop_on_signal(s->loop, SIGTERM, on_signal, s))
		return fail(why, size, "cannot receive signals");
	/* without files to read again, the end of a terminal is our end as well */
	bool hangup = s->config->server.tls_certificates.n > 0 ||
	              token_keys_store(s->shared.keys) || !isatty(STDIN_FILENO);
	if (hangup && loop_on_signal(s->loop, SIGHUP, on_hangup, s))
		return fail(why, size, "cannot receive signals");
	if (!start_tls(s, why, size) || !listen_all(s, why, size))
		return false;
	start_control(s);
	struct token_store *store = token_keys_store(s->shared.keys);
	if (store && !token_store_start(store))
		return fail(why, size, "cannot start the thread that fetches keys");
	tidy_start(&s->tidy, s->loop, s->tcp, count_sessions, s);
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
	if (s->shared.n > 1)
		bosh_door_stop(s->bosh);
	timer_stop(&s->look);
	timer_stop(&s->renewal);
	tidy_stop(&s->tidy);
	control_free(s->control);
	bool alone = s->shared.n == 1;
	for (unsigned i = 0; !alone && i < s->shared.n; i++)
		parts_free(s->parts[i]);
	site_stop(s->site);
	http_server_free(s->http);
	xmpp_door_free(s->xmpp);
	tcp_server_free(s->tcp);
	if (alone)
		parts_free(s->parts[0]); /* the front is on its loop */
	else
		worker_free(s->worker);
	tls_context_free(s->tls);
	accounts_free(s->shared.accounts);
	openers_free(s->shared.openers);
	directory_free(s->shared.directory);
	conference_door_free(s->conferences);
	bosh_door_free(s->bosh);
	site_free(s->site);
	mem_free(s);
}

void server_run(struct server *s)
{
	log_info("event=ready version=%s port=%u https=%u domain=%.*s workers=%u", GAVEL_VERSION,
	        s->port, s->config->server.https_port, STR_FMT(s->config->server.domain),
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
