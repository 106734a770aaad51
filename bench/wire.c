/* wire.c - connections of the load tool: HTTP upgrade, frames in, masked frames out. io */
#include "bench/wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_BYTES (512u << 10)
#define SEND_MAX 65536u
#define EVENTS 512
/* So many connections per address: a closed one keeps its port for a minute. */
#define PORTS 20000u
#define ADDRESSES 200u

struct wire {
	int epoll;
	uint16_t port;
	uint32_t to, from;
	struct wire_events ev;
	uint64_t mask; /* any bits will do here: nobody stands between us and the server */
	uint64_t opened, pings;
	unsigned char read[READ_BYTES + 1];
	unsigned char frame[SEND_MAX + 16];
};

struct wire *wire_new(uint16_t port, const struct wire_events *ev)
{
	struct wire *w = calloc(1, sizeof *w);
	if (!w)
		return NULL;
	w->epoll = epoll_create1(EPOLL_CLOEXEC);
	w->port = port;
	w->to = INADDR_LOOPBACK;
	w->ev = *ev;
	w->mask = 0x9e3779b97f4a7c15u;
	if (w->epoll >= 0)
		return w;
	free(w);
	return NULL;
}

void wire_free(struct wire *w)
{
	close(w->epoll);
	free(w);
}

uint64_t wire_pings(const struct wire *w)
{
	return w->pings;
}

/* The first connections come from 127.0.0.1, then they go round a few more addresses. */
static void choose_address(struct wire *w, int fd)
{
	uint32_t n = (uint32_t)(w->opened++ / PORTS % ADDRESSES);
	struct sockaddr_in from = {
	        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK + n)};
	int one = 1;
	if (n == 0 || w->from || w->to != INADDR_LOOPBACK)
		return;
	(void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
	(void)bind(fd, (struct sockaddr *)&from, sizeof from);
}

void wire_aim(struct wire *w, uint32_t to, uint32_t from)
{
	w->to = to;
	w->from = from;
}

static void watch(struct wire_link *l, int op, uint32_t events)
{
	struct epoll_event e = {.events = events, .data.ptr = l};
	(void)epoll_ctl(l->wire->epoll, op, l->fd, &e);
}

bool wire_open(struct wire *w, struct wire_link *l, const char *query)
{
	static const char form[] =
	        "GET /xmpp-websocket%s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nUpgrade: websocket\r\n"
	        "Connection: Upgrade\r\nSec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\n"
	        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: xmpp\r\n\r\n";
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(w->port)};
	struct sockaddr_in from = {.sin_family = AF_INET};
	int one = 1;
	to.sin_addr.s_addr = htonl(w->to);
	from.sin_addr.s_addr = htonl(w->from);
	*l = (struct wire_link){
	        .wire = w, .fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
	if (l->fd < 0)
		return false;
	(void)setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	choose_address(w, l->fd);
	if (w->from && bind(l->fd, (struct sockaddr *)&from, sizeof from) != 0) {
		wire_close(l);
		return false;
	}
	if (asprintf(&l->request, form, query, (unsigned)w->port) < 0) {
		l->request = NULL;
		wire_close(l);
		return false;
	}
	if (connect(l->fd, (struct sockaddr *)&to, sizeof to) < 0 && errno != EINPROGRESS) {
		wire_close(l);
		return false;
	}
	watch(l, EPOLL_CTL_ADD, EPOLLIN | EPOLLOUT);
	return true;
}

void wire_close(struct wire_link *l)
{
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
	free(l->in);
	free(l->out);
	free(l->request);
	l->in = l->out = NULL;
	l->request = NULL;
	l->in_n = l->out_n = 0;
}

static void end(struct wire_link *l, const char *why)
{
	if (l->fd < 0)
		return;
	wire_close(l);
	l->wire->ev.ended(l, why);
}

static bool keep(unsigned char **to, uint32_t *n, const unsigned char *p, size_t more)
{
	unsigned char *bytes = realloc(*to, *n + more);
	if (!bytes)
		return false;
	memcpy(bytes + *n, p, more);
	*to = bytes;
	*n += (uint32_t)more;
	return true;
}

static void put(struct wire_link *l, const unsigned char *p, size_t n)
{
	ssize_t sent = l->out_n ? 0 : send(l->fd, p, n, MSG_NOSIGNAL);
	if (sent < 0 && errno != EAGAIN) {
		end(l, strerror(errno));
		return;
	}
	if (sent < 0)
		sent = 0;
	if ((size_t)sent == n)
		return;
	if (!keep(&l->out, &l->out_n, p + sent, n - (size_t)sent))
		end(l, "no memory");
	else
		watch(l, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
}

static void send_frame(struct wire_link *l, unsigned opcode, const char *p, size_t n)
{
	struct wire *w = l->wire;
	unsigned char *f = w->frame;
	size_t at = 2;
	if (l->fd < 0 || n > SEND_MAX - 16)
		return;
	w->mask = w->mask * 6364136223846793005u + 1442695040888963407u;
	uint32_t key = (uint32_t)(w->mask >> 32);
	uint64_t wide = (uint64_t)key << 32 | key;
	f[0] = (unsigned char)(0x80 | opcode);
	if (n < 126) {
		f[1] = (unsigned char)(0x80 | n);
	} else {
		f[1] = 0x80 | 126;
		f[2] = (unsigned char)(n >> 8);
		f[3] = (unsigned char)n;
		at = 4;
	}
	memcpy(f + at, &key, 4);
	at += 4;
	for (size_t i = 0; i < n;
	        i += 8) { /* writes up to seven bytes too many, for which there is room */
		uint64_t eight = 0;
		memcpy(&eight, p + i, n - i < 8 ? n - i : 8);
		eight ^= wide;
		memcpy(f + at + i, &eight, 8);
	}
	put(l, f, at + n);
}

void wire_send(struct wire_link *l, const char *p, size_t n)
{
	send_frame(l, 1, p, n);
}

static void closed(struct wire_link *l, const char *text, size_t n)
{
	char why[160];
	unsigned code = n < 2 ? 0 : (unsigned)(unsigned char)text[0] << 8 | (unsigned char)text[1];
	snprintf(why, sizeof why, "a close frame: %u %.*s", code, n < 2 ? 0 : (int)n - 2,
	        n < 2 ? "" : text + 2);
	end(l, why);
}

/* One frame at p of n bytes; returns its length, 0 when it is not whole yet. */
static size_t take_frame(struct wire_link *l, const unsigned char *p, size_t n)
{
	if (n < 2)
		return 0;
	size_t head = 2, length = p[1] & 127;
	if (length == 126)
		head = 4;
	else if (length == 127)
		head = 10;
	if (n < head)
		return 0;
	if (head > 2) {
		length = 0;
		for (size_t i = 2; i < head; i++)
			length = length << 8 | p[i];
	}
	if (length > READ_BYTES / 2) {
		end(l, "a frame too large");
		return 0;
	}
	if (n < head + length)
		return 0;
	const char *text = (const char *)p + head;
	switch (p[0]) {
	case 0x81:
		l->wire->ev.text(l, text, length);
		break;
	case 0x88:
		closed(l, text, length);
		break;
	case 0x89:
		l->wire->pings++;
		send_frame(l, 10, text, length);
		break;
	case 0x8a:
		break;
	default:
		end(l, "a frame that is not expected");
	}
	return head + length;
}

static size_t take_answer(struct wire_link *l, const unsigned char *p, size_t n)
{
	const unsigned char *end_of_head = memmem(p, n, "\r\n\r\n", 4);
	if (!end_of_head)
		return 0;
	if (n < 12 || memcmp(p + 8, " 101", 4) != 0) {
		end(l, "the upgrade was refused");
		return 0;
	}
	l->upgraded = true;
	l->wire->ev.opened(l);
	return (size_t)(end_of_head - p) + 4;
}

static void on_readable(struct wire_link *l)
{
	struct wire *w = l->wire;
	unsigned char *p = w->read;
	size_t have = l->in_n;
	if (have)
		memcpy(p, l->in, have);
	ssize_t n = recv(l->fd, p + have, READ_BYTES - have, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		end(l, n < 0 ? strerror(errno) : "the peer closed");
		return;
	}
	size_t total = have + (size_t)n, at = 0, part;
	do {
		part = l->upgraded ? take_frame(l, p + at, total - at)
		                   : take_answer(l, p + at, total - at);
		at += part;
	} while (part && l->fd >= 0 && at < total);
	if (l->fd < 0)
		return;
	l->in_n = 0;
	if (at == total) {
		free(l->in);
		l->in = NULL;
	} else if (!keep(&l->in, &l->in_n, p + at, total - at)) {
		end(l, "no memory");
	}
}

static void on_writable(struct wire_link *l)
{
	if (l->request) {
		char *request = l->request;
		l->request = NULL;
		watch(l, EPOLL_CTL_MOD, EPOLLIN);
		put(l, (const unsigned char *)request, strlen(request));
		free(request);
		return;
	}
	ssize_t n = send(l->fd, l->out, l->out_n, MSG_NOSIGNAL);
	if (n < 0) {
		if (errno != EAGAIN)
			end(l, strerror(errno));
		return;
	}
	l->out_n -= (uint32_t)n;
	memmove(l->out, l->out + n, l->out_n);
	if (l->out_n == 0)
		watch(l, EPOLL_CTL_MOD, EPOLLIN);
}

void wire_turn(struct wire *w, int timeout_ms)
{
	struct epoll_event events[EVENTS];
	int n = epoll_wait(w->epoll, events, EVENTS, timeout_ms);
	for (int i = 0; i < n; i++) {
		struct wire_link *l = events[i].data.ptr;
		if (l->fd >= 0 && events[i].events & EPOLLOUT)
			on_writable(l);
		if (l->fd >= 0 && events[i].events & (EPOLLIN | EPOLLERR | EPOLLHUP))
			on_readable(l);
	}
}
