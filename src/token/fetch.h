/* fetch.h - HTTP GET for keys, many at a time, none of them waited for. io
 *
 * The only place that knows libcurl. http and https only; TLS 1.2 or newer, the certificate always
 * verified; no proxy but the one that is set; redirects within the same origin, three at most;
 * bounded in bytes, header bytes and time; nothing is decompressed; no cookies, no netrc. Thread:
 * one, fetch_wake aside. */
#pragma once
#include "base/buf.h"

struct fetch;

struct fetch_settings {
	const char *ca_file; /* NULL: the system's store */
	const char *proxy;   /* NULL: none, whatever the environment says */
	uint32_t timeout_ms; /* of a whole request, redirects included */
	const char *agent;
};

struct fetch_result {
	void *tag;       /* of fetch_start */
	bool arrived;    /* an answer of the server came whole */
	bool refused;    /* it came, but we do not take it: too long, a redirect elsewhere */
	int status;      /* HTTP; 0: none */
	struct buf body; /* owned by whoever takes the result */
	char cache_control[128]; /* "" when not said */
	char why[160];           /* when it is no good, in words */
};

/* NULL: no memory. The settings are copied, their strings borrowed. */
struct fetch *fetch_new(const struct fetch_settings *s);
void fetch_free(struct fetch *f); /* what is under way is dropped; NULL is fine */
/* Asks for url; false: no memory. tag comes back with the result. */
bool fetch_start(struct fetch *f, const char *url, size_t max_bytes, void *tag);
/* Waits until something happens, fetch_wake is called, or wait_ms are over; moves on what moves. */
void fetch_turn(struct fetch *f, uint32_t wait_ms);
/* The next one that has ended; false: none. */
bool fetch_take(struct fetch *f, struct fetch_result *r);
void fetch_wake(struct fetch *f); /* thread: any */
