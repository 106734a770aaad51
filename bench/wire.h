/* wire.h - a cheap WebSocket client: many connections to one local server, whole text frames out of
 * them. io
 *
 * Made for load: no fragments, no extensions, one shared read buffer, nothing allocated per frame.
 * Thread: one. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wire;

struct wire_link {
	struct wire *wire;
	int fd; /* -1: closed */
	bool upgraded;
	unsigned char *in, *out; /* what is left over of a frame; what the kernel did not take */
	uint32_t in_n, out_n;
	char *request; /* until it is sent */
};

struct wire_events {
	void (*opened)(struct wire_link *l); /* the 101 has come */
	void (*text)(struct wire_link *l, const char *p, size_t n);
	void (*ended)(struct wire_link *l,
	        const char *why); /* the peer closed, or an error; the link is closed */
};

struct wire *wire_new(uint16_t port, const struct wire_events *ev); /* NULL: no descriptors */
void wire_free(struct wire *w);
/* IPv4 addresses in host order: whom to reach (127.0.0.1), and from where (0: the kernel's choice).
 */
void wire_aim(struct wire *w, uint32_t to, uint32_t from);
/* query: what stands behind the path, with its question mark, or "". false: no descriptors, no
 * memory. */
bool wire_open(struct wire *w, struct wire_link *l, const char *query);
/* One masked text frame. */
void wire_send(struct wire_link *l, const char *p, size_t n);
void wire_close(struct wire_link *l);
/* Waits at most timeout_ms for something and handles all of it. */
void wire_turn(struct wire *w, int timeout_ms);
uint64_t wire_pings(const struct wire *w); /* that were answered */
