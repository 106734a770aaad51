/* parts.c - the parts of one worker. io */
#include "cli/parts.h"

#include "base/mem.h"
#include "cli/cli.h"
#include "focus/focus.h"
#include "focus/services.h"
#include "room/openers.h"
#include "room/brewery.h"
#include "room/room.h"
#include "session/bosh.h"
#include "session/far.h"
#include "session/session.h"

#define SERVICE_ELEMENTS 16 /* times as many as a person, in one stanza */

/* Without memory of its own, so that it always arrives. */
struct order {
	struct message m;
	struct parts *parts;
};

struct parts {
	struct parts_shared *shared;
	unsigned index;
	struct worker *worker;
	struct loop *loop;
	struct sessions *sessions;
	struct focus *focus;
	struct room_service *rooms;
	struct services *services;
	struct outbox outbox;
	/* with several workers */
	struct far *far;
	struct http_server *http;
	struct tcp_server *tcp;
	struct buf room; /* of the stanza at hand */
	struct order shut_down, stop;
	bool stopping;
};

struct handed {
	struct message m;
	struct parts *parts;
	struct tcp_parcel parcel;
	struct directory_entry *held;
	bool client; /* of XMPP over TCP */
	size_t n;
	char bytes[];
};

/* Everybody below asks nobody for the time: it is handed on before anything else happens in a turn.
 */
static void tell_time(void *arg)
{
	struct parts *p = arg;
	if (!p->rooms)
		return;
	focus_clock(p->focus, loop_now_ms(p->loop));
	room_service_clock(p->rooms, loop_now_ms(p->loop), loop_wall_s(p->loop));
}

/* The conference, or the brewery, that a stanza is about. */
static bool find_room(struct parts *p, enum service service, const struct stanza *st, bool *opens)
{
	buf_reset(&p->room);
	bool found = (service && services_room_of(p->services, st, &p->room, opens)) ||
	             focus_conference_of(p->focus, st, &p->room, opens);
	return found && !p->room.failed;
}

static void on_stanza(void *arg, struct session *session, const struct stanza *st)
{
	struct parts *p = arg;
	bool opens;
	unsigned worker;
	if (p->far) {
		if (focus_answer_for(p->focus, session_service(session), st, &worker) &&
		        far_stanza_to(p->far, session, st, worker))
			return;
		if (find_room(p, session_service(session), st, &opens) &&
		        far_stanza(p->far, session, st, buf_view(&p->room), opens))
			return;
	}
	tell_time(p);
	const struct room_client c = focus_client_of(session);
	if (!services_stanza(p->services, &c, st))
		focus_client_stanza(p->focus, &c, st);
}

static void on_gone(void *arg, struct session *session, enum session_end why)
{
	struct parts *p = arg;
	(void)why;
	tell_time(p);
	services_gone(p->services, session_handle(session));
	focus_gone(p->focus, session);
}

/* Every worker's focus knows it from now on. */
static void on_service(void *arg, struct session *session)
{
	struct parts *p = arg;
	const struct room_client c = focus_client_of(session);
	tell_time(p);
	services_came(p->services, &c);
	if (p->far && !far_introduce(p->far, session))
		p->outbox.close(p->outbox.arg, c.handle, "resource-constraint", STR_NONE);
}

static struct room_client client_of(const struct far_client *c)
{
	return (struct room_client){.handle = c->handle,
	        .jid = c->jid,
	        .key = c->key,
	        .peer = c->peer,
	        .peer_loopback = c->peer_loopback,
	        .claims = c->claims,
	        .service = c->service,
	        .region = c->region};
}

static void on_far_service(void *arg, const struct far_client *c)
{
	struct parts *p = arg;
	const struct room_client client = client_of(c);
	services_came(p->services, &client);
}

static void on_far_stanza(void *arg, const struct far_client *c, const struct stanza *st)
{
	struct parts *p = arg;
	const struct room_client client = client_of(c);
	if (!services_stanza(p->services, &client, st))
		focus_client_stanza(p->focus, &client, st);
}

static void on_far_gone(void *arg, struct session_handle h)
{
	struct parts *p = arg;
	services_gone(p->services, h);
	focus_client_gone(p->focus, h);
}

static void on_far_away(void *arg, struct session_handle h)
{
	struct parts *p = arg;
	tell_time(p);
	room_service_away(p->rooms, h);
}

static void on_away(void *arg, struct session *session)
{
	on_far_away(arg, session_handle(session));
}

static void on_back(void *arg, struct session *session, bool same_token)
{
	struct parts *p = arg;
	const struct room_client client = focus_client_of(session);
	tell_time(p);
	room_service_back(p->rooms, &client, same_token);
}

static void on_far_back(void *arg, const struct far_client *c, bool same_token)
{
	const struct parts *p = arg;
	const struct room_client client = client_of(c);
	room_service_back(p->rooms, &client, same_token);
}

static enum resume_opinion on_may_resume(void *arg, const struct resume_question *q)
{
	struct parts *p = arg;
	static const enum resume_opinion opinions[] = {[ROOM_NO_SEAT] = RESUME_NO_SEAT,
	        [ROOM_RESUME_HONOURED] = RESUME_HONOURED,
	        [ROOM_RESUME_REFUSED] = RESUME_NOT_HONOURED};
	tell_time(p);
	if (str_absent(q->knocks_at))
		return opinions[room_service_may_resume(p->rooms, q->session, q->key, q->claims)];
	bool may = room_service_may_knock(p->rooms, q->knocks_at, q->key, q->claims, q->old_claims);
	return may ? RESUME_HONOURED : RESUME_NOT_HONOURED;
}

/* A worker's part of a bound that is counted by each of them. */
static uint32_t part_of(uint32_t whole, unsigned n)
{
	return whole / n ? whole / n : 1;
}

static bool start_sessions(struct parts *p)
{
	const struct server_settings *set = &p->shared->config->server;
	const struct limits *l = &set->limits;
	struct session_settings settings = {
	        .domain = set->domain,
	        .guest_domain = set->guest_domain,
	        .policy = &p->shared->config->policy,
	        .token = &p->shared->config->token,
	        .keys = p->shared->keys,
	        .accounts = p->shared->accounts,
	        .extdisco = &set->extdisco,
	        .shard = set->shard,
	        .region = set->region,
	        .services_push = set->services_push,
	        .directory = p->shared->directory,
	        .worker = p->index,
	        .self = p->worker,
	        .muc = parts_muc_host(p->shared->config),
	        .sessions = l->sessions,
	        .before_login = xml_limits_before_auth,
	        .after_login = {.bytes = l->stanza_bytes,
	                .depth = l->stanza_depth,
	                .attributes = l->stanza_attributes,
	                .elements = l->stanza_elements},
	        .of_service = {.bytes = l->service_stanza_bytes,
	                .depth = l->stanza_depth,
	                .attributes = l->stanza_attributes,
	                .elements = l->stanza_elements * SERVICE_ELEMENTS},
	        .service_stanzas_per_second = l->service_stanzas_per_second,
	        .login_stanzas = l->login_stanzas,
	        .login_timeout_ms = l->login_timeout * 1000,
	        .stanzas_per_second = l->stanzas_per_second,
	        .bytes_per_second = l->bytes_per_second,
	        .log_lines_per_second = part_of(l->log_lines_per_second, p->shared->n),
	        .resume_ms = l->resume_timeout * 1000,
	        .resume_service_ms = l->resume_service_timeout * 1000,
	        .resume_queue = l->resume_queue,
	        .resume_bytes = l->queued_bytes,
	        .resume_total = ((uint64_t)l->queued_mebibytes_total << 20) / p->shared->n,
	        .away_per_address = l->connections_per_address,
	        .bosh_queued = l->queued_bytes,
	        .bosh_queued_total = ((uint64_t)l->queued_mebibytes_total << 20) / p->shared->n,
	        .tls = p->shared->tls,
	        .require_tls = set->xmpp_require_tls,
	        .ping_idle_ms = l->ping_interval * 1000,
	        .ping_timeout_ms = l->ping_timeout * 1000,
	};
	settings.before_login.bytes = l->login_stanza_bytes;
	struct session_events events = {.arg = p,
	        .stanza = on_stanza,
	        .gone = on_gone,
	        .away = on_away,
	        .back = on_back,
	        .may_resume = on_may_resume,
	        .service = on_service};
	p->sessions = sessions_new(p->loop, &settings, &events);
	if (!p->sessions)
		return false;
	session_outbox(p->sessions, &p->outbox);
	return true;
}

static bool start_far(struct parts *p)
{
	const struct limits *l = &p->shared->config->server.limits;
	if (p->shared->n == 1)
		return true;
	const struct far_settings settings = {
	        .workers = p->shared->workers,
	        .fars = p->shared->fars,
	        .queued = l->queued_bytes,
	        .queued_total = ((uint64_t)l->queued_mebibytes_total << 20) / p->shared->n,
	        .arg = p,
	        .stanza = on_far_stanza,
	        .gone = on_far_gone,
	        .service = on_far_service,
	        .away = on_far_away,
	        .back = on_far_back,
	        .may_resume = on_may_resume,
	};
	p->far = far_new(p->sessions, &settings, p->shared->n);
	if (!p->far)
		return false;
	p->shared->fars[p->index] = p->far;
	far_outbox(p->far, &p->outbox);
	return true;
}

static bool start_services(struct parts *p)
{
	const struct server_settings *set = &p->shared->config->server;
	const struct services_settings settings = {
	        .auth_domain = set->auth_domain,
	        .hidden_domain = set->hidden_domain,
	        .internal_muc_domain = set->internal_muc_domain,
	        .breweries = set->limits.breweries,
	        .occupants = set->limits.occupants_per_room,
	        .focus_outside = set->focus == FOCUS_EXTERNAL,
	        .directory = p->shared->directory,
	        .worker = p->index,
	};
	p->services = services_new(&settings, &p->outbox);
	return p->services != NULL;
}

static bool start_focus(struct parts *p)
{
	const struct server_settings *set = &p->shared->config->server;
	struct focus_settings focus = {
	        .domain = set->domain,
	        .muc_domain = set->muc_domain,
	        .tenants = set->tenants,
	        .focus_domain = set->focus_domain,
	        .focus_jid = set->focus_jid,
	        .token_auth_url = set->token_auth_url,
	        .auth = p->shared->config->policy.auth == AUTH_JWT,
	        .outside = set->focus == FOCUS_EXTERNAL,
	        .services = p->services,
	        .timers = loop_timers(p->loop),
	        .version = GAVEL_VERSION,
	        .directory = p->shared->directory,
	        .worker = p->index,
	};
	p->focus = focus_new(&focus, &p->outbox);
	return p->focus != NULL;
}

static bool start_rooms(struct parts *p)
{
	const struct server_settings *set = &p->shared->config->server;
	struct room_settings rooms = room_settings_default;
	rooms.domain = set->domain;
	rooms.muc_domain = set->muc_domain;
	rooms.tenants = set->tenants;
	rooms.focus_jid = set->focus_jid;
	rooms.focus_outside = set->focus == FOCUS_EXTERNAL;
	rooms.policy = &p->shared->config->policy;
	rooms.resource_strict = set->resource_strict;
	rooms.openers = p->shared->openers;
	rooms.rooms = set->limits.rooms;
	rooms.rooms_per_address = set->limits.rooms_per_address;
	rooms.rooms_per_session = set->limits.rooms_per_session;
	rooms.occupants_per_room = set->limits.occupants_per_room;
	rooms.joins_per_second = set->limits.joins_per_second;
	rooms.passwords_per_minute = set->limits.passwords_per_minute;
	rooms.ready_ms = set->limits.room_ready_timeout * 1000;
	rooms.log_lines_per_second = part_of(set->limits.log_lines_per_second, p->shared->n);
	rooms.record_departed_all = part_of(rooms.record_departed_all, p->shared->n);
	struct room_listener listener = focus_listener(p->focus);
	p->rooms = room_service_new(&rooms, &p->outbox, &listener, loop_timers(p->loop));
	if (!p->rooms)
		return false;
	focus_attach(p->focus, p->rooms);
	tell_time(p);
	loop_on_tick(p->loop, tell_time, p);
	return true;
}

/* Orders */

static void shut_down(struct parts *p)
{
	p->stopping = true;
	tell_time(p);
	sessions_shutdown(p->sessions);
	if (p->http)
		http_server_drain(p->http);
}

static void on_shut_down(void *arg, struct message *m)
{
	(void)arg;
	shut_down(LIST_OWNER(m, struct order, m)->parts);
}

static void on_stop(void *arg, struct message *m)
{
	(void)arg;
	loop_stop(LIST_OWNER(m, struct order, m)->parts->loop);
}

void parts_shut_down(struct parts *p)
{
	if (p->shared->n == 1)
		shut_down(p);
	else
		worker_post(p->worker, &p->shut_down.m);
}

void parts_stop(struct parts *p)
{
	worker_post(p->worker, &p->stop.m);
}

bool parts_drain(struct parts *p)
{
	bool any = worker_drain(p->worker);
	loop_turn(p->loop); /* sessions end at the end of a turn */
	if (p->far)
		far_flush(p->far);
	return any;
}

/* The door */

static void on_handed(void *arg, struct message *m)
{
	(void)arg;
	struct handed *h = LIST_OWNER(m, struct handed, m);
	struct parts *p = h->parts;
	struct tcp *t = NULL;
	if (p->stopping)
		tcp_parcel_drop(p->tcp, &h->parcel);
	else
		t = tcp_adopt(p->tcp, &h->parcel);
	if (t && h->client)
		sessions_accept(p->sessions, t);
	else if (t)
		http_server_adopt(p->http, t, str_from(h->bytes, h->n));
	/* its session is counted by itself now, and holds the room that its URL names */
	directory_placed(p->shared->directory, p->index, h->held);
	mem_free(h);
}

static bool hand_over(struct parts *p, const struct tcp_parcel *parcel, struct str bytes,
        struct directory_entry *held, bool client)
{
	struct handed *h = mem_alloc(sizeof *h + bytes.n);
	if (!h)
		return false;
	h->m.run = on_handed;
	h->parts = p;
	h->parcel = *parcel;
	h->held = held;
	h->client = client;
	h->n = bytes.n;
	memcpy(h->bytes, bytes.p, bytes.n);
	worker_post(p->worker, &h->m);
	return true;
}

bool parts_hand_over(struct parts *p, const struct tcp_parcel *parcel, struct str bytes,
        struct directory_entry *held)
{
	return hand_over(p, parcel, bytes, held, false);
}

bool parts_hand_over_client(struct parts *p, const struct tcp_parcel *parcel)
{
	return hand_over(p, parcel, STR(""), NULL, true);
}

bool parts_open_door(struct parts *p, struct http_settings http, struct tcp_server *front,
        const struct tcp_limits *limits)
{
	struct tcp_limits own = *limits;
	own.max_queued_total /= p->shared->n;
	http.ws_arg = p->sessions;
	http.hand_over = NULL;
	http.health = NULL; /* the front's */
	http.root = NULL;
	http.n_routes = 0;
	http.upgrades_only = true;
	http.log_lines_per_second = part_of(http.log_lines_per_second, p->shared->n);
	p->http = http_server_new(&http);
	p->tcp = p->http ? tcp_server_new_beside(front, p->loop, &own, http_server_accept, p->http)
	                 : NULL;
	return p->tcp != NULL;
}

/* Life */

struct parts *parts_new(struct parts_shared *shared, unsigned index)
{
	struct parts *p = mem_zalloc(sizeof *p);
	if (!p)
		return NULL;
	p->shared = shared;
	p->index = index;
	p->shut_down = (struct order){.m.run = on_shut_down, .parts = p};
	p->stop = (struct order){.m.run = on_stop, .parts = p};
	buf_init(&p->room, 0);
	p->worker = worker_new(tell_time, p);
	shared->workers[index] = p->worker;
	if (p->worker) {
		p->loop = worker_loop(p->worker);
		if (start_sessions(p) && start_far(p) && start_services(p) && start_focus(p) &&
		        start_rooms(p))
			return p;
	}
	parts_free(p);
	return NULL;
}

/* From the edge inwards: first nobody can reach a session any more, then the sessions leave their
 * rooms. */
void parts_free(struct parts *p)
{
	if (!p)
		return;
	http_server_free(p->http);
	tcp_server_free(p->tcp);
	sessions_free(p->sessions);
	room_service_free(p->rooms);
	focus_free(p->focus);
	services_free(p->services);
	far_free(p->far);
	buf_done(&p->room);
	worker_free(p->worker); /* last: the others have timers on its loop */
	mem_free(p);
}

void parts_conference(struct parts *p, const struct room_client *c, struct str wanted,
        struct arena *a, struct focus_answer *out)
{
	tell_time(p);
	focus_conference(p->focus, c, wanted, a, out);
}

struct focus *parts_focus(struct parts *p)
{
	return p->focus;
}

struct sessions *parts_sessions(struct parts *p)
{
	return p->sessions;
}

static size_t list_counters(void *arg, struct counter *out, size_t max)
{
	struct parts *p = arg;
	size_t n = sessions_list_counters(p->sessions, out, max);
	n += bosh_list_counters(p->sessions, out + n, max - n);
	n += breweries_list_counters(services_breweries(p->services), out + n, max - n);
	if (p->far)
		n += far_list_counters(p->far, out + n, max - n);
	if (p->http)
		n += http_server_list_counters(p->http, out + n, max - n);
	if (p->tcp)
		n += tcp_server_list_counters(p->tcp, out + n, max - n);
	return n;
}

struct muc_host parts_muc_host(const struct config *c)
{
	return muc_host_make(c->server.muc_domain, c->server.domain, c->server.tenants);
}

struct ask_sources parts_sources(struct parts *p)
{
	return (struct ask_sources){.rooms = p->rooms,
	        .muc = parts_muc_host(p->shared->config),
	        .counters = list_counters,
	        .arg = p};
}
