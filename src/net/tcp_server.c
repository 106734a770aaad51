/* tcp_server.c - listeners: accepting within bounds, and refusing when descriptors are out. io */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/address.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/tcp_internal.h"

#define BACKLOG 1024
#define RESUME_MS 500
#define SPELL_MS 5000  /* nobody was refused for so long: descriptors are back */
#define SWEEP_MS 10000 /* how often quiet addresses are forgotten */
#define DEAD_PATH_MS                                                                               \
	60000 /* unacknowledged bytes this old: the peer is gone (TCP_USER_TIMEOUT)                \
	       */

union socket_address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static struct tcp_server *make(struct loop *l, const struct tcp_limits *limits,
        void (*accepted)(void *arg, struct tcp *t), void *arg)
{
	struct tcp_server *s = mem_zalloc(sizeof *s);
	if (!s)
		return NULL;
	s->loop = l;
	s->limits = *limits;
	s->accepted = accepted;
	s->arg = arg;
	list_init(&s->listeners);
	list_init(&s->connections);
	s->spare_fd = -1;
	return s;
}

struct tcp_server *tcp_server_new(struct loop *l, const struct tcp_limits *limits,
        void (*accepted)(void *arg, struct tcp *t), void *arg)
{
	struct tcp_server *s = make(l, limits, accepted, arg);
	if (!s)
		return NULL;
	s->ledger = tcp_ledger_new(limits);
	if (!s->ledger) {
		mem_free(s);
		return NULL;
	}
	s->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return s;
}

struct tcp_server *tcp_server_new_beside(struct tcp_server *front, struct loop *l,
        const struct tcp_limits *limits, void (*accepted)(void *arg, struct tcp *t), void *arg)
{
	struct tcp_server *s = make(l, limits, accepted, arg);
	if (!s)
		return NULL;
	s->ledger = front->ledger;
	s->beside = true;
	return s;
}

uint32_t tcp_server_open_everywhere(const struct tcp_server *s)
{
	return tcp_ledger_open(s->ledger);
}

const struct tcp_counters *tcp_server_counters(const struct tcp_server *s)
{
	return &s->counters;
}

/* One line a minute and cause is enough: whoever floods us must not fill the disk as well. */
static void complain(struct tcp_server *s, const char *cause, const char *peer)
{
	if (limit_take(&s->complaints, 1, 1.0 / 60, 3, loop_now_ms(s->loop)))
		log_warn("event=refuse-connection because=%s peer=%s open=%u", cause, peer,
		        tcp_ledger_open(s->ledger));
}

/* The peer as text, and what it counts by. */
static void describe(struct tcp *t, const struct address *a, char key[TCP_PEER_MAX])
{
	address_write(a, t->peer);
	(void)address_household(str_c(t->peer), key);
	t->loopback = address_loopback(a);
}

static struct address address_of(const union socket_address *from)
{
	struct address a = {.bytes = {[10] = 0xff, [11] = 0xff}};
	if (from->any.sa_family == AF_INET)
		memcpy(&a.bytes[12], &from->v4.sin_addr, 4);
	else
		memcpy(a.bytes, &from->v6.sin6_addr, 16);
	return a;
}

static bool is_trusted(const struct tcp_server *s, const struct address *a)
{
	for (size_t i = 0; i < s->limits.n_trusted; i++) {
		if (network_has(&s->limits.trusted[i], a))
			return true;
	}
	return false;
}

static void on_sweep(void *arg, uint64_t now_ms)
{
	struct tcp_server *s = arg;
	if (tcp_ledger_sweep(s->ledger, now_ms))
		timer_start(loop_timers(s->loop), &s->sweep, now_ms + SWEEP_MS, on_sweep, s);
}

void tcp_server_tls_fault(struct tcp_server *s, struct tcp *t)
{
	s->tls_faults[t->tls->fault]++;
	if (limit_take(&s->complaints, 1, 1.0 / 60, 3, loop_now_ms(s->loop)))
		log_info("event=refuse stage=tls because=%s peer=%s", tls_fault_text(t->tls->fault),
		        t->peer);
}

void tcp_server_forget(struct tcp_server *s, struct tcp *t)
{
	list_remove(&t->link);
	s->counters.open--;
	tcp_ledger_give(s->ledger, t->address);
	t->address = NULL;
	t->job.turn.account = NULL;
}

static void set_options(int fd)
{
	int one = 1;
	unsigned dead_ms = DEAD_PATH_MS;
	/* Failures here cost speed or patience, never correctness. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &dead_ms, sizeof dead_ms);
}

/* Why, and counts it; NULL: it is taken. */
static const char *refusal_text(struct tcp_server *s, enum tcp_refusal r)
{
	switch (r) {
	case TCP_REFUSED_TOTAL:
		s->counters.refused_total++;
		return "sessions";
	case TCP_REFUSED_NOMEM:
		return "no-memory";
	case TCP_REFUSED_RATE:
		s->counters.refused_rate++;
		return "connections_per_second";
	case TCP_REFUSED_ADDRESS:
		s->counters.refused_address++;
		return "connections_per_address";
	case TCP_TAKEN:
		break;
	}
	return NULL;
}

static void start_sweep(struct tcp_server *s, const struct tcp *t)
{
	if (t->address && !timer_running(&s->sweep))
		timer_start(loop_timers(s->loop), &s->sweep, loop_now_ms(s->loop) + SWEEP_MS,
		        on_sweep, s);
}

/* Why this connection may not come in; NULL: it may, and is counted. */
static const char *refusal(struct tcp_server *s, struct tcp *t, const char *key)
{
	uint64_t now = loop_now_ms(s->loop);
	const char *text = refusal_text(s, tcp_ledger_take(s->ledger, key, now, &t->address));
	start_sweep(s, t);
	return text;
}

bool tcp_forwarded_for(struct tcp *t, const char *peer)
{
	struct tcp_server *s = t->server;
	struct address a;
	char key[TCP_PEER_MAX];
	if (t->closing || !address_parse(str_c(peer), &a))
		return false;
	struct tcp told = {0};
	describe(&told, &a, key);
	const char *refused = refusal_text(s, tcp_ledger_move(s->ledger, told.loopback ? NULL : key,
	                                              loop_now_ms(s->loop), &t->address));
	if (refused) {
		complain(s, refused, told.peer);
		return false;
	}
	memcpy(t->peer, told.peer, sizeof t->peer);
	t->loopback = told.loopback;
	start_sweep(s, t);
	return true;
}

bool tcp_seat_take(struct tcp_server *s, const char *peer, struct tcp_address **seat)
{
	struct address a;
	char key[TCP_PEER_MAX];
	struct tcp told = {0};
	*seat = NULL;
	if (!address_parse(str_c(peer), &a))
		return false;
	describe(&told, &a, key);
	const char *refused = refusal(s, &told, told.loopback ? NULL : key);
	if (refused)
		complain(s, refused, told.peer);
	*seat = told.address;
	return !refused;
}

void tcp_seat_give(struct tcp_server *s, struct tcp_address *seat)
{
	tcp_ledger_give(s->ledger, seat);
}

static void admit(struct tcp_listener *li, int fd, const union socket_address *from)
{
	struct tcp_server *s = li->server;
	struct tcp *t = mem_zalloc(sizeof *t);
	if (!t) {
		close(fd);
		return;
	}
	char key[TCP_PEER_MAX] = "";
	t->server = s;
	t->loop = s->loop;
	t->fd = fd;
	struct address a = address_of(from);
	describe(t, &a, key);
	const char *refused = refusal(s, t, t->loopback || is_trusted(s, &a) ? NULL : key);
	if (!refused && !tcp_start(t)) {
		tcp_ledger_give(s->ledger, t->address);
		refused = "no-memory";
	}
	if (refused) {
		complain(s, refused, t->peer);
		close(fd);
		mem_free(t);
		return;
	}
	set_options(fd);
	s->counters.accepted++;
	s->counters.open++;
	list_append(&s->connections, &t->link);
	if (li->tls && tcp_start_tls(t, li->tls, li->door))
		tcp_destroy(t);
	else
		s->accepted(s->arg, t);
}

struct tcp *tcp_adopt(struct tcp_server *s, const struct tcp_parcel *p)
{
	struct tcp *t = mem_zalloc(sizeof *t);
	if (!t) {
		tcp_parcel_drop(s, p);
		return NULL;
	}
	t->server = s;
	t->loop = s->loop;
	t->fd = p->fd;
	t->loopback = p->loopback;
	t->address = p->address;
	t->tls = p->tls;
	memcpy(t->peer, p->peer, sizeof t->peer);
	if (!tcp_start(t)) {
		tcp_parcel_drop(s, p);
		mem_free(t);
		return NULL;
	}
	s->counters.open++;
	list_append(&s->connections, &t->link);
	return t;
}

void tcp_parcel_drop(struct tcp_server *s, const struct tcp_parcel *p)
{
	close(p->fd);
	tls_stream_free(p->tls);
	tcp_ledger_give(s->ledger, p->address);
}

static void watch_listeners(struct tcp_server *s, bool on)
{
	LIST_EACH(it, &s->listeners)
	loop_watch_set(LIST_OWNER(it, struct tcp_listener, link)->watch, on ? LOOP_READ : 0);
}

static void on_resume(void *arg, uint64_t now_ms)
{
	(void)now_ms;
	struct tcp_server *s = arg;
	s->paused = false;
	if (s->spare_fd < 0)
		s->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	watch_listeners(s, true);
}

static void on_spell_over(void *arg, uint64_t now_ms)
{
	(void)now_ms;
	const struct tcp_server *s = arg;
	log_info("event=descriptors because=free refused=%llu open=%u",
	        (unsigned long long)(s->counters.refused_nofile - s->spell_from),
	        tcp_ledger_open(s->ledger));
}

/* One line when descriptors run out, and one when it is over: those in between would all say the
 * same. */
static void note_spell(struct tcp_server *s)
{
	struct rlimit r = {0};
	if (!timer_running(&s->spell)) {
		s->spell_from = s->counters.refused_nofile;
		(void)getrlimit(RLIMIT_NOFILE, &r);
		log_warn("event=refuse-connection because=no-descriptors limit=%llu open=%u "
		         "fix=\"a higher limit of open files, RLIMIT_NOFILE\"",
		        (unsigned long long)r.rlim_cur, tcp_ledger_open(s->ledger));
	}
	timer_start(
	        loop_timers(s->loop), &s->spell, loop_now_ms(s->loop) + SPELL_MS, on_spell_over, s);
}

/* Without a free descriptor the waiting connection can't even be refused, and the loop would spin
 * on it: give the spare one up, take the connection, close it, and get the spare one back.
 * false: there was none, or it has to wait. */
static bool refuse_without_descriptors(struct tcp_server *s, int listener)
{
	if (s->spare_fd >= 0) {
		close(s->spare_fd);
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd >= 0) {
			note_spell(s);
			s->counters.refused_nofile++;
			close(fd);
		}
		s->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
		return fd >= 0;
	}
	note_spell(s);
	s->paused = true;
	watch_listeners(s, false);
	timer_start(
	        loop_timers(s->loop), &s->resume, loop_now_ms(s->loop) + RESUME_MS, on_resume, s);
	return false;
}

static void want_more(struct tcp_listener *li)
{
	if (!li->server->paused)
		loop_watch_set(li->watch, LOOP_READ);
}

/* As many as a slice allows; the rest waits for another turn. */
static void on_turn(void *arg)
{
	struct tcp_listener *li = arg;
	struct tcp_server *s = li->server;
	while (!s->paused) {
		if (loop_slice_over(s->loop)) {
			loop_job_add(s->loop, &li->job);
			return;
		}
		union socket_address from = {0};
		socklen_t n = sizeof from;
		int fd = accept4(li->fd, &from.any, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			admit(li, fd, &from);
			continue;
		}
		/* descriptors come first for accept: this may also mean that nobody waits */
		bool out =
		        errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS;
		if (errno == EAGAIN || errno == EWOULDBLOCK ||
		        (out && !refuse_without_descriptors(s, li->fd)))
			break;
		/* anything else belongs to the connection that was waiting, which is gone: take the
		 * next */
	}
	want_more(li);
}

static void on_incoming(void *arg, int ready)
{
	(void)ready;
	struct tcp_listener *li = arg;
	loop_watch_set(li->watch, 0); /* until its turn */
	loop_job_add(li->server->loop, &li->job);
}

static int bind_error(void)
{
	switch (errno) {
	case EADDRINUSE:
		return ERR_EXISTS;
	case EADDRNOTAVAIL:
	case EAFNOSUPPORT:
		return ERR_NOTFOUND;
	default:
		return ERR_IO;
	}
}

static int open_listener(const char *host, uint16_t *port)
{
	union socket_address a = {0};
	socklen_t n;
	if (inet_pton(AF_INET, host, &a.v4.sin_addr) == 1) {
		a.v4.sin_family = AF_INET;
		a.v4.sin_port = htons(*port);
		n = sizeof a.v4;
	} else if (inet_pton(AF_INET6, host, &a.v6.sin6_addr) == 1) {
		a.v6.sin6_family = AF_INET6;
		a.v6.sin6_port = htons(*port);
		n = sizeof a.v6;
	} else {
		return -ERR_TYPE;
	}
	int fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -bind_error();
	int one = 1;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (a.any.sa_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
	if (bind(fd, &a.any, n) < 0 || listen(fd, BACKLOG) < 0 || getsockname(fd, &a.any, &n) < 0) {
		int err = bind_error();
		int saved = errno;
		close(fd);
		errno = saved;
		return -err;
	}
	*port = ntohs(a.any.sa_family == AF_INET6 ? a.v6.sin6_port : a.v4.sin_port);
	return fd;
}

int tcp_server_listen(struct tcp_server *s, const char *host, uint16_t *port)
{
	return tcp_server_listen_tls(s, host, port, NULL, NULL);
}

int tcp_server_listen_tls(struct tcp_server *s, const char *host, uint16_t *port,
        struct tls_context *tls, const struct tls_door *door)
{
	int fd = open_listener(host, port);
	if (fd < 0)
		return -fd;
	struct tcp_listener *li = mem_zalloc(sizeof *li);
	if (!li) {
		close(fd);
		return ERR_NOMEM;
	}
	li->server = s;
	li->fd = fd;
	li->tls = tls;
	li->door = door;
	li->job = (struct loop_job){.turn.kind = TURN_DOOR, .fn = on_turn, .arg = li};
	li->watch = loop_watch_new(s->loop, fd, on_incoming, li);
	if (!li->watch) {
		close(fd);
		mem_free(li);
		return ERR_NOMEM;
	}
	list_append(&s->listeners, &li->link);
	loop_watch_set(li->watch, LOOP_READ);
	return ERR_OK;
}

void tcp_server_stop(struct tcp_server *s)
{
	timer_stop(&s->resume);
	timer_stop(&s->spell);
	LIST_EACH_SAFE(it, &s->listeners)
	{
		struct tcp_listener *li = LIST_OWNER(it, struct tcp_listener, link);
		list_remove(it);
		loop_watch_free(li->watch);
		loop_job_remove(&li->job);
		close(li->fd);
		mem_free(li);
	}
	s->paused = true;
}

void tcp_server_free(struct tcp_server *s)
{
	if (!s)
		return;
	tcp_server_stop(s);
	timer_stop(&s->sweep);
	while (!list_empty(&s->connections))
		tcp_destroy(LIST_OWNER(s->connections.next, struct tcp, link));
	if (!s->beside)
		tcp_ledger_free(s->ledger);
	if (s->spare_fd >= 0)
		close(s->spare_fd);
	mem_free(s);
}

size_t tcp_server_list_counters(const struct tcp_server *s, struct counter *out, size_t max)
{
	const struct tcp_counters *c = &s->counters;
	const struct counter all[] = {
	        {"connections_open", c->open},
	        {"connections_accepted", c->accepted},
	        {"limit_connections", c->refused_total},
	        {"limit_connections_per_address", c->refused_address},
	        {"limit_connections_per_second", c->refused_rate},
	        {"limit_descriptors", c->refused_nofile},
	        {"limit_stalled", c->stalled},
	        {"queued_bytes", c->queued},
	        {"limit_queued_bytes", c->queue_full},
	        {"limit_queued_bytes_total", c->queues_full},
	        {"tls_handshakes", s->tls_handshakes},
	        {"tls_resumed", s->tls_resumed},
	        {"tls_refused_clear_text", s->tls_faults[TLS_FAULT_CLEAR]},
	        {"tls_refused_version", s->tls_faults[TLS_FAULT_VERSION]},
	        {"tls_refused_nothing_in_common", s->tls_faults[TLS_FAULT_SHARED]},
	        {"tls_alerts", s->tls_faults[TLS_FAULT_ALERT]},
	        {"tls_malformed", s->tls_faults[TLS_FAULT_MALFORMED]},
	        {"limit_tls_bytes", s->tls_faults[TLS_FAULT_BYTES]},
	        {"tls_internal", s->tls_faults[TLS_FAULT_OURS]},
	};
	return counter_list(all, sizeof all / sizeof *all, out, max);
}
