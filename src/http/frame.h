/* frame.h - WebSocket frames (RFC 6455 5): bytes of a client to messages, and the heads that a
 * server writes. pure
 *
 * Receiving goes through wslay's frame interface, which splits and unmasks: its event interface
 * would queue and copy what we send. Its state (4 KiB) lives only while a frame is under way, so
 * that an idle connection does not hold it. */
#pragma once
#include "base/buf.h"

/* Opcodes. */
enum {
	FRAME_CONTINUATION = 0,
	FRAME_TEXT = 1,
	FRAME_BINARY = 2,
	FRAME_CLOSE = 8,
	FRAME_PING = 9,
	FRAME_PONG = 10
};
/* Close codes (RFC 6455 7.4.1, and 1013 of its registry). */
enum {
	WS_NORMAL = 1000,
	WS_GOING_AWAY = 1001,
	WS_PROTOCOL = 1002,
	WS_UNSUPPORTED = 1003,
	WS_BAD_DATA = 1007,
	WS_POLICY = 1008,
	WS_TOO_BIG = 1009,
	WS_TRY_LATER = 1013
};

#define FRAME_CONTROL_MAX 125
#define FRAME_HEAD_MAX 10

struct wslay_frame_context;

struct frame_reader {
	/* set by the owner; each may set `stopped` */
	void *arg;
	void (*message)(void *arg, struct str text); /* whole, valid UTF-8, borrowed for the call */
	void (*control)(void *arg, unsigned opcode, struct str payload); /* close, ping, pong */
	uint32_t max_message; /* bytes, fragments together */
	bool stopped;         /* nothing more is read or called */
	bool pauses;          /* set within `message`: the rest is for another frame_reader_take */
	struct str rest;      /* of the bytes last given, when it paused */

	struct wslay_frame_context *frames;
	struct str feed;           /* what wslay may take now */
	uint64_t given, accounted; /* bytes given to wslay, and explained by frames */
	unsigned char last[14];    /* the last bytes given: of a head without payload wslay tells
	                              nothing yet */
	bool in_frame, in_message;
	uint64_t frame_at; /* payload bytes of this frame so far */
	unsigned fragments;
	struct buf text;
	unsigned char control_payload[FRAME_CONTROL_MAX];
};

void frame_reader_init(struct frame_reader *r); /* zeroes; the owner then sets his part */
void frame_reader_done(struct frame_reader *r);
/* Reads bytes of the client and calls back. Returns 0, or the code to close the connection with.
 * When it paused, `rest` is what was not read; the next call brings it again, even if it is empty:
 * more messages may have been read already. */
unsigned frame_reader_take(struct frame_reader *r, struct str bytes);

/* Writes a server's frame head for n bytes of payload (2, 4 or 10 bytes); returns its length. */
size_t frame_head(unsigned opcode, uint64_t n, unsigned char out[FRAME_HEAD_MAX]);
/* The code of a close frame's payload, 0 for none. Codes that must not be on the wire never get
 * that far.
 */
unsigned frame_close_code(struct str payload);
/* The Sec-WebSocket-Accept of a key (RFC 6455 4.2.2). False: not a key. */
bool frame_accept_key(struct str key, char out[29]);
