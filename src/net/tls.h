/* tls.h - TLS 1.2 and 1.3 for accepted connections: certificates by name, taken again without
 * dropping anybody, and what a connection needs to speak it. io
 *
 * A tls_context holds the certificates of one or more listeners as they stand now. Loading builds
 * a new, immutable set and swaps it in: connections that began with the old one live on with it.
 * Stateless session tickets, with keys of this process that change every few hours, work on all
 * threads. RFC 8446, 5246, 6066 (SNI), 7301 (ALPN), 5077. */
#pragma once
#include <stdbool.h>

#include "base/str.h"

struct tls_context;
struct tcp;

/* PEM files: the certificate with its chain, and the key (the same file may hold both). */
struct tls_pair {
	const char *certificate, *key;
};

struct tls_error {
	size_t pair;    /* which one, from 0 */
	bool of_key;    /* the key file is at fault, not the certificate's */
	char text[400]; /* English, one line, names the file; never a key's bytes */
};

/* Without certificates: a start is refused until the first tls_context_load. NULL: no memory. */
struct tls_context *tls_context_new(void);
/* NULL is fine. After the servers and connections that use it. */
void tls_context_free(struct tls_context *c);
/* Reads and checks the files and puts them in place of those that were there; the first pair
 * answers who names none of the others. False: the old ones stay, *e says why. An expired
 * certificate is taken with a warning at first, but does not replace those that are there. Thread:
 * any, one at a time. */
bool tls_context_load(
        struct tls_context *c, const struct tls_pair *pairs, size_t n, struct tls_error *e);
/* What is worth a warning about the loaded certificates, one line each, at most `max` bytes in
 * out: expired, not yet valid, a key that everybody may read. */
size_t tls_context_warnings(struct tls_context *c, char *out, size_t max);
bool tls_context_ready(struct tls_context *c); /* there is a certificate. Thread: any */

/* What a listener speaks inside TLS. Static, or as long-lived as the listener. */
struct tls_door {
	const char *alpn; /* "http/1.1", "xmpp-client": a client that offers others only is
	                     refused; NULL: not looked at */
	/* What somebody reads who speaks in the clear where TLS is spoken; NULL: he is cut. */
	const char *clear_answer;
};

/* Server side. Everything read from now on is TLS, and everything written behind what is queued.
 * For STARTTLS: call it right after the word that agrees was written (tcp_write); what the peer
 * sent behind his request, in the same bytes, is still clear text and must be thrown away, never
 * read as if it had come by TLS. The handshake goes on by itself: nothing is handed to `data`
 * before it is done, what is written meanwhile waits, and a handshake that fails ends the
 * connection (TCP_END_ERROR). The owner bounds its time as he does for clear text; its bytes are
 * bounded here. ERR_NOMEM; ERR_NOTFOUND: no certificates; ERR_EXISTS: it is TLS already;
 * ERR_CLOSED. Thread: t's. */
int tcp_start_tls(struct tcp *t, struct tls_context *c, const struct tls_door *door);
bool tcp_is_tls(const struct tcp *t);          /* started, established or not */
bool tcp_tls_established(const struct tcp *t); /* false for clear text */
struct str tcp_tls_name(const struct tcp *t);  /* SNI, lower case; absent: none. Lives with t */
