/* wire.c - a client on a real socket. io */
#include "support/wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "support/unit.h"

void wire_open(struct wire *w, struct loop *l, uint16_t port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	*w = (struct wire){.loop = l};
	buf_init(&w->in, 0);
	w->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(w->fd >= 0);
	assert_int_equal(connect(w->fd, (struct sockaddr *)&a, sizeof a), 0);
	assert_int_equal(setsockopt(w->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int)), 0);
	assert_true(fcntl(w->fd, F_SETFL, O_NONBLOCK) == 0);
}

void wire_done(struct wire *w)
{
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
	buf_done(&w->in);
}

static void take(struct wire *w)
{
	char chunk[16384];
	ssize_t n;
	while (!w->ended && (n = recv(w->fd, chunk, sizeof chunk, 0)) != -1) {
		if (n == 0)
			w->ended = true;
		buf_add(&w->in, chunk, (size_t)n);
	}
	if (!w->ended && errno != EAGAIN && errno != EINTR)
		w->ended = true;
}

void wire_send(struct wire *w, struct str bytes)
{
	while (bytes.n) {
		ssize_t n = send(w->fd, bytes.p, bytes.n, MSG_NOSIGNAL);
		if (n > 0) {
			bytes = str_sub(bytes, (size_t)n, bytes.n);
		} else if (errno == EAGAIN) {
			loop_turn(w->loop);
		} else {
			w->ended = true;
			return;
		}
	}
}

void wire_puts(struct wire *w, const char *text)
{
	wire_send(w, str_c(text));
}

static uint64_t now_ms(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static void rest(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 500000}, NULL);
}

bool wire_has(const struct wire *w, const char *needle)
{
	return w->in.n && memmem(w->in.p, w->in.n, needle, strlen(needle)) != NULL;
}

bool wire_until(struct wire *w, const char *needle, unsigned ms)
{
	uint64_t end = now_ms() + ms;
	for (;;) {
		loop_turn(w->loop);
		take(w);
		if (needle ? wire_has(w, needle) : w->ended)
			return true;
		if (now_ms() >= end || w->ended)
			return false;
		rest();
	}
}

void wire_turn(struct loop *l, unsigned ms)
{
	uint64_t end = now_ms() + ms;
	do {
		loop_turn(l);
		rest();
	} while (now_ms() < end);
}

void wire_forget(struct wire *w)
{
	buf_reset(&w->in);
}

void wire_frame(struct buf *out, unsigned opcode, bool fin, struct str payload)
{
	static const char mask[4] = {0x11, 0x52, 0x03, 0x74};
	buf_putc(out, (char)((fin ? 0x80 : 0) | opcode));
	if (payload.n < 126) {
		buf_putc(out, (char)(0x80 | payload.n));
	} else if (payload.n < 65536) {
		buf_putc(out, (char)(0x80 | 126));
		buf_putc(out, (char)(payload.n >> 8));
		buf_putc(out, (char)payload.n);
	} else {
		buf_putc(out, (char)(0x80 | 127));
		for (int shift = 56; shift >= 0; shift -= 8)
			buf_putc(out, (char)(payload.n >> shift));
	}
	buf_add(out, mask, 4);
	for (size_t i = 0; i < payload.n; i++)
		buf_putc(out, (char)(payload.p[i] ^ mask[i % 4]));
}

void wire_text(struct wire *w, const char *text)
{
	struct buf b;
	buf_init(&b, 0);
	wire_frame(&b, 1, true, str_c(text));
	wire_send(w, buf_view(&b));
	buf_done(&b);
}

void wire_ws(struct wire *w, struct loop *l, uint16_t port, const char *query)
{
	struct buf b;
	wire_open(w, l, port);
	buf_init(&b, 0);
	buf_printf(&b,
	        "GET /xmpp-websocket%s HTTP/1.1\r\nHost: localhost\r\nUpgrade: "
	        "websocket\r\nConnection: "
	        "Upgrade\r\n"
	        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
	        "Sec-WebSocket-Protocol: xmpp\r\n\r\n",
	        query);
	wire_send(w, buf_view(&b));
	buf_done(&b);
	if (!wire_until(w, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n", 3000)) /* RFC 6455 1.3 */
		fail_msg("no upgrade: %s", w->in.p ? w->in.p : "");
	wire_forget(w);
}
