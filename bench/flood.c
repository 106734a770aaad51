/* flood.c - those who want a server to be slow for others: joins, presences, half-open connections,
 * slow senders, forged tokens, and one who never reads. io
 *
 *   flood --port N --token T --forged-hs P --forged-rs P [--host A] [--from A,B,...] KIND...
 *
 * Runs until standard input ends; then one JSON object tells what was done. A member needs a valid
 * token (T); of forged ones P is the payload, as base64url. Everything that a connection says is
 * written in one go, without waiting for answers. Thread: one. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "bench/crowd.h"

#define SAID_MAX 16384 /* bytes of all that a connection says at first */
#define READ_BYTES 65536
#define EVENTS 512
#define FROM_MAX 64
#define SLOW_S 0.2          /* between two bytes of a slow sender */
#define MEMBER_S 0.0105     /* between two presences: what stanzas_per_second allows */
#define TALKER_S 0.035      /* between two words of 4 KiB: what bytes_per_second allows */
#define RETRY_S 0.05        /* after a connection that could not be opened at all */
#define JOIN_GIVES_UP_S 5.0 /* a join that is not answered */

enum kind { JOINS, PRESENCES, HALF_OPEN, SLOW, TOKENS, READER, KINDS };
static const char *const kind_names[KINDS] = {
        "joins", "presences", "half-open", "slow", "tokens", "reader"};
/* How many at once. Of the readers one never reads; the others talk to him. */
static const uint32_t kind_sizes[KINDS] = {50, 100, 2000, 500, 50, 21};

struct bot {
	enum kind kind;
	uint32_t index;
	int fd; /* -1: closed */
	char *said;
	uint32_t said_n, sent;
	double due; /* when it does its next thing; closed: when it comes again */
};

struct flood {
	int epoll;
	uint16_t port;
	const char *token, *payload[2], *domain, *muc, *focus;
	struct in_addr host, from[FROM_MAX];
	uint32_t n_from, opened;
	struct bot *bots;
	uint32_t n;
	uint64_t random;
	struct counts {
		uint64_t opened, failed, ended, done, said;
	} counts[KINDS];
	char read[READ_BYTES];
};

static double now_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint64_t next_random(struct flood *f)
{
	f->random = f->random * 6364136223846793005u + 1442695040888963407u;
	return f->random >> 24;
}

/* What a connection says */

static void add(struct bot *b, const char *p, size_t n)
{
	if (n > SAID_MAX - b->said_n)
		abort();
	memcpy(b->said + b->said_n, p, n);
	b->said_n += (uint32_t)n;
}

static void add_text(struct bot *b, const char *text)
{
	add(b, text, strlen(text));
}

static size_t frame_head(unsigned char *h, size_t n)
{
	size_t at = 2;
	h[0] = 0x81;
	h[1] = (unsigned char)(0x80 | (n < 126 ? n : 126));
	if (n >= 126) {
		h[2] = (unsigned char)(n >> 8);
		h[3] = (unsigned char)n;
		at = 4;
	}
	memset(h + at, 0, 4); /* a mask that changes nothing */
	return at + 4;
}

static void add_frame(struct bot *b, const char *text)
{
	unsigned char head[8];
	size_t n = frame_head(head, strlen(text));
	add(b, (char *)head, n);
	add_text(b, text);
}

static void add_upgrade(struct bot *b, const char *query, const char *token, size_t token_n)
{
	add_text(b, "GET /xmpp-websocket?");
	add_text(b, query);
	add_text(b, "&token=");
	add(b, token, token_n);
	add_text(b, " HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
	            "Connection: Upgrade\r\nSec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\n"
	            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: xmpp\r\n\r\n");
}

static void add_login(struct flood *f, struct bot *b)
{
	char text[256];
	snprintf(text, sizeof text,
	        "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='%s' version='1.0'/>",
	        f->domain);
	add_frame(b, text);
	add_frame(b, "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='ANONYMOUS'/>");
	add_frame(b, text);
	add_frame(b, "<iq xmlns='jabber:client' type='set' id='b'><bind "
	             "xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>");
}

static void add_member(struct flood *f, struct bot *b, const char *room)
{
	char text[512];
	snprintf(text, sizeof text, "room=%s", room);
	add_upgrade(b, text, f->token, strlen(f->token));
	add_login(f, b);
	snprintf(text, sizeof text,
	        "<iq xmlns='jabber:client' type='set' id='c' to='%s'><conference "
	        "xmlns='http://jitsi.org/protocol/focus' room='%s@%s' machine-uid='m'/></iq>",
	        f->focus, room, f->muc);
	add_frame(b, text);
	snprintf(text, sizeof text,
	        "<presence xmlns='jabber:client' to='%s@%s/%08x'>"
	        "<x xmlns='http://jabber.org/protocol/muc'/></presence>",
	        room, f->muc, b->index);
	add_frame(b, text);
}

/* A header with a random kid, a payload that nobody signed, and bytes for a signature. */
static void add_forged(struct flood *f, struct bot *b)
{
	static char token[SAID_MAX / 2 + 2048];
	unsigned char bytes[256];
	char header[128];
	bool rs = next_random(f) & 1;
	int n = snprintf(header, sizeof header,
	        "{\"alg\":\"%s\",\"typ\":\"JWT\",\"kid\":\"k%016llx\"}", rs ? "RS256" : "HS256",
	        (unsigned long long)next_random(f));
	size_t at = crowd_base64url((unsigned char *)header, (size_t)n, token);
	token[at++] = '.';
	size_t payload = strlen(f->payload[rs]);
	memcpy(token + at, f->payload[rs], payload);
	at += payload;
	token[at++] = '.';
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (unsigned char)next_random(f);
	bytes[0] = 0; /* below any modulus, or it would not be looked at */
	at += crowd_base64url(bytes, rs ? 256 : 32, token + at);
	add_upgrade(b, "room=forged", token, at);
	add_login(f, b);
}

static void compose(struct flood *f, struct bot *b)
{
	char room[32];
	b->said_n = b->sent = 0;
	switch (b->kind) {
	case JOINS:
		snprintf(room, sizeof room, "joins%u", b->index % 4);
		add_member(f, b, room);
		return;
	case PRESENCES:
		add_member(f, b, "presences");
		return;
	case READER:
		add_member(f, b, "reader");
		return;
	case TOKENS:
		add_forged(f, b);
		return;
	case HALF_OPEN: /* nothing; half a head; half a frame */
		if (b->index % 3 == 1)
			add_text(b, "GET /xmpp-websocket?room=half HTTP/1.1\r\nHost: 127.0");
		if (b->index % 3 == 2) {
			add_upgrade(b, "room=half", "", 0);
			add(b, "\x81\xfe\x01\x00\x00\x00\x00\x00<open", 13);
		}
		return;
	case SLOW: /* a handshake; a frame */
		if (b->index % 2) {
			add_upgrade(b, "room=slow", f->token, strlen(f->token));
			b->sent = b->said_n;
		}
		if (b->index % 2 == 0)
			add_upgrade(b, "room=slow", f->token, strlen(f->token));
		add_login(f, b);
		return;
	case KINDS:
		return;
	}
}

/* Connections */

static void watch(struct flood *f, struct bot *b, int op, uint32_t events)
{
	struct epoll_event e = {.events = events, .data.ptr = b};
	(void)epoll_ctl(f->epoll, op, b->fd, &e);
}

static bool reads(const struct bot *b)
{
	return b->kind != READER || b->index > 0;
}

static int connect_once(struct flood *f)
{
	struct sockaddr_in to = {
	        .sin_family = AF_INET, .sin_port = htons(f->port), .sin_addr = f->host};
	struct sockaddr_in from = {.sin_family = AF_INET};
	struct linger reset = {.l_onoff = 1};
	int one = 1, small = 4096;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset); /* no TIME-WAIT */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
	if (f->n_from) {
		from.sin_addr = f->from[f->opened++ % f->n_from];
		(void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
		if (bind(fd, (struct sockaddr *)&from, sizeof from) != 0) {
			perror("flood: bind");
			exit(1);
		}
	}
	if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0 || errno == EINPROGRESS)
		return fd;
	close(fd);
	return -1;
}

static void come(struct flood *f, struct bot *b, double now)
{
	b->fd = connect_once(f);
	if (b->fd < 0) {
		f->counts[b->kind].failed++;
		b->due = now + RETRY_S;
		return;
	}
	f->counts[b->kind].opened++;
	compose(f, b);
	b->due = b->kind == JOINS || b->kind == TOKENS ? now + JOIN_GIVES_UP_S : now + SLOW_S;
	watch(f, b, EPOLL_CTL_ADD, EPOLLOUT | EPOLLRDHUP | (reads(b) ? EPOLLIN : 0));
}

static void go(struct flood *f, struct bot *b, bool ended, double now)
{
	struct counts *c = &f->counts[b->kind];
	if (ended)
		c->ended++;
	else
		c->done++;
	close(b->fd);
	b->fd = -1;
	come(f, b, now);
}

/* false: it is over. */
static bool write_some(struct bot *b, uint32_t most)
{
	uint32_t left = b->said_n - b->sent;
	ssize_t n = send(b->fd, b->said + b->sent, left < most ? left : most, MSG_NOSIGNAL);
	if (n > 0)
		b->sent += (uint32_t)n;
	return n >= 0 || errno == EAGAIN;
}

static void on_writable(struct flood *f, struct bot *b, double now)
{
	if (b->kind == SLOW && b->index % 2) { /* the handshake goes at once, the frame slowly */
		(void)!send(b->fd, b->said, b->sent, MSG_NOSIGNAL);
	} else if (b->kind != SLOW && !write_some(b, SAID_MAX)) {
		go(f, b, true, now);
		return;
	}
	if (b->kind == SLOW || b->sent == b->said_n)
		watch(f, b, EPOLL_CTL_MOD, EPOLLRDHUP | (reads(b) ? EPOLLIN : 0));
}

static void on_readable(struct flood *f, struct bot *b, double now)
{
	bool looks = b->kind == JOINS || b->kind == TOKENS;
	ssize_t n = recv(b->fd, f->read, READ_BYTES, looks ? 0 : MSG_TRUNC);
	if (n <= 0) {
		if (n == 0 || errno != EAGAIN)
			go(f, b, true, now);
		return;
	}
	if (!looks)
		return;
	if (b->kind == JOINS && memmem(f->read, (size_t)n, "'110'", 5))
		go(f, b, false, now);
	else if (b->kind == TOKENS && memmem(f->read, (size_t)n, "<failure", 8))
		go(f, b, false, now);
}

/* What is done again and again by one that has its first words behind it. */
static void say_again(struct flood *f, struct bot *b)
{
	static char text[5000];
	unsigned char head[8];
	int n;
	if (b->kind == PRESENCES) {
		n = snprintf(text, sizeof text,
		        "<presence xmlns='jabber:client' to='presences@%s/%08x'><q>x</q>"
		        "<audiomuted>true</audiomuted></presence>",
		        f->muc, b->index);
	} else {
		n = snprintf(text, sizeof text,
		        "<message xmlns='jabber:client' to='reader@%s' "
		        "type='groupchat'><body>%4000d</body></message>",
		        f->muc, 1);
	}
	size_t head_n = frame_head(head, (size_t)n);
	struct iovec parts[] = {{head, head_n}, {text, (size_t)n}};
	struct msghdr m = {.msg_iov = parts, .msg_iovlen = 2};
	ssize_t sent = sendmsg(b->fd, &m, MSG_NOSIGNAL);
	if (sent > 0)
		f->counts[b->kind].said++;
	if (sent > 0 && (size_t)sent < head_n + (size_t)n) { /* half a frame: it must be finished */
		size_t left = head_n + (size_t)n - (size_t)sent;
		b->said_n = b->sent = 0;
		add(b, text + n - left, left);
		watch(f, b, EPOLL_CTL_MOD, EPOLLOUT | EPOLLIN | EPOLLRDHUP);
	}
}

static void on_due(struct flood *f, struct bot *b, double now)
{
	if (b->fd < 0) {
		come(f, b, now);
		return;
	}
	switch (b->kind) {
	case JOINS:
	case TOKENS:
		go(f, b, true, now);
		return;
	case SLOW:
		b->due = now + SLOW_S;
		if (b->sent < b->said_n && !write_some(b, 1))
			go(f, b, true, now);
		return;
	case PRESENCES:
	case READER:
		b->due = now + (b->kind == PRESENCES ? MEMBER_S : TALKER_S);
		if (b->sent == b->said_n && reads(b))
			say_again(f, b);
		return;
	default:
		b->due = now + 1e9;
	}
}

static void turn(struct flood *f)
{
	struct epoll_event events[EVENTS];
	int n = epoll_wait(f->epoll, events, EVENTS, 2);
	double now = now_s();
	for (int i = 0; i < n; i++) {
		struct bot *b = events[i].data.ptr;
		int fd = b->fd;
		if (events[i].events & (EPOLLERR | EPOLLHUP) ||
		        (events[i].events & EPOLLRDHUP && !reads(b))) {
			go(f, b, true, now);
			continue;
		}
		if (events[i].events & EPOLLOUT)
			on_writable(f, b, now);
		if (b->fd == fd && events[i].events & (EPOLLIN | EPOLLRDHUP))
			on_readable(f, b, now);
	}
	for (uint32_t i = 0; i < f->n; i++) {
		if (f->bots[i].due <= now)
			on_due(f, &f->bots[i], now);
	}
}

static bool input_ended(void)
{
	char byte;
	fd_set in;
	struct timeval none = {0};
	FD_ZERO(&in);
	FD_SET(0, &in);
	return select(1, &in, NULL, NULL, &none) == 1 && read(0, &byte, 1) <= 0;
}

/* Arguments */

static struct in_addr address(const char *text)
{
	struct in_addr a;
	if (inet_pton(AF_INET, text, &a) == 1)
		return a;
	fprintf(stderr, "flood: no address: %s\n", text);
	exit(2);
}

static void set_option(struct flood *f, const char *name, char *value)
{
	if (strcmp(name, "--port") == 0)
		f->port = (uint16_t)atoi(value);
	else if (strcmp(name, "--token") == 0)
		f->token = value;
	else if (strcmp(name, "--forged-hs") == 0)
		f->payload[0] = value;
	else if (strcmp(name, "--forged-rs") == 0)
		f->payload[1] = value;
	else if (strcmp(name, "--host") == 0)
		f->host = address(value);
	else if (strcmp(name, "--from") == 0)
		for (char *a = strtok(value, ","); a && f->n_from < FROM_MAX; a = strtok(NULL, ","))
			f->from[f->n_from++] = address(a);
	else {
		fprintf(stderr, "flood: no option %s\n", name);
		exit(2);
	}
}

static void add_bots(struct flood *f, const char *name)
{
	enum kind k = 0;
	while (k < KINDS && strcmp(name, kind_names[k]) != 0)
		k++;
	if (k == KINDS) {
		fprintf(stderr, "flood: no kind %s\n", name);
		exit(2);
	}
	f->bots = realloc(f->bots, (f->n + kind_sizes[k]) * sizeof *f->bots);
	for (uint32_t i = 0; f->bots && i < kind_sizes[k]; i++) {
		struct bot *b = &f->bots[f->n++];
		*b = (struct bot){.kind = k, .index = i, .fd = -1, .said = malloc(SAID_MAX)};
		b->due = now_s() + 0.5 * i / kind_sizes[k];
		if (!b->said)
			exit(1);
	}
}

int main(int argc, char **argv)
{
	static struct flood f = {
	        .domain = "meet.jitsi", .muc = "muc.meet.jitsi", .focus = "focus.meet.jitsi"};
	f.host = address("127.0.0.1");
	f.random = (uint64_t)getpid();
	int i = 1;
	for (; i + 1 < argc && strncmp(argv[i], "--", 2) == 0; i += 2)
		set_option(&f, argv[i], argv[i + 1]);
	for (; i < argc; i++)
		add_bots(&f, argv[i]);
	f.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (!f.port || !f.token || !f.payload[0] || !f.payload[1] || !f.n || f.epoll < 0) {
		fprintf(stderr, "usage: flood --port N --token T --forged-hs P --forged-rs P "
		                "[--host A] [--from A,...] kind...\n");
		return 2;
	}
	struct rlimit files;
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	while (!input_ended())
		turn(&f);
	printf("{");
	for (unsigned k = 0; k < KINDS; k++) {
		const struct counts *c = &f.counts[k];
		printf("%s\"%s\":{\"opened\":%llu,\"failed\":%llu,\"ended\":%llu,\"done\":%llu,"
		       "\"said\":%llu}",
		        k ? "," : "", kind_names[k], (unsigned long long)c->opened,
		        (unsigned long long)c->failed, (unsigned long long)c->ended,
		        (unsigned long long)c->done, (unsigned long long)c->said);
	}
	printf("}\n");
	return 0;
}
