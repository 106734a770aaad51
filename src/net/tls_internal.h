/* tls_internal.h - what tls*.c and tcp*.c share: the certificates as a set, and one connection's
 * TLS between its queue and its socket. io */
#pragma once
#include <openssl/ssl.h>
#include <stdatomic.h>
#include <sys/uio.h>

#include "base/buf.h"
#include "base/counter.h"
#include "base/lock.h"
#include "net/tls.h"

#define TLS_PAIRS_MAX 64
#define TLS_RECORD 16384 /* bytes of clear text in one record */
#define TLS_CIPHERED                                                                               \
	20480 /* bytes taken from the socket at once; what they become fits into                   \
	         LOOP_BUFFER - TLS_CIPHERED */

/* Why handshakes fail, and records. */
enum tls_fault {
	TLS_FAULT_CLEAR,     /* no TLS at all, HTTP perhaps */
	TLS_FAULT_VERSION,   /* TLS 1.1 or older */
	TLS_FAULT_SHARED,    /* no cipher, group or protocol in common */
	TLS_FAULT_ALERT,     /* the peer said no, to our certificate perhaps */
	TLS_FAULT_MALFORMED, /* neither TLS nor an answer to what we sent */
	TLS_FAULT_BYTES,     /* too many of them for what they carry */
	TLS_FAULT_OURS,      /* memory, or the library */
	TLS_FAULTS
};
const char *tls_fault_text(enum tls_fault f);

/* Keys of session tickets: the older one still opens what it has sealed. */
#define TICKET_NAME 16
#define TICKET_SECRET 32
struct ticket_key {
	unsigned char name[TICKET_NAME], cipher[TICKET_SECRET], mac[TICKET_SECRET];
	uint64_t born_ms; /* 0: there is none */
};
struct tls_tickets {
	struct lock lock;
	struct ticket_key now, before; /* under the lock */
};

/* Immutable. */
struct tls_set {
	atomic_uint refs;
	struct tls_tickets *tickets; /* of the context, which lives longer than any handshake */
	size_t n;
	SSL_CTX *of[TLS_PAIRS_MAX]; /* the first is the default */
};
void tls_set_unref(struct tls_set *s); /* NULL is fine. Thread: any */

struct tls_context {
	struct lock lock;
	struct tls_set *set; /* under the lock */
	struct buf warnings; /* of the load that made it; under the lock */
	struct tls_tickets tickets;
};

/* One connection. Belongs to its struct tcp, goes with it to another thread, and is no more than a
 * pointer there for whoever speaks in the clear. */
struct tls_stream {
	SSL *ssl;
	struct tls_set *set;
	const struct tls_door *door;
	int fd;
	struct str in;    /* ciphered bytes that are being read */
	struct buf out;   /* ciphered bytes that the kernel did not take yet */
	size_t clear;     /* bytes at the front of the queue that were written before TLS began */
	uint64_t surplus; /* ciphered bytes that carried nothing */
	bool begun, established, resumed;
	enum tls_fault fault; /* after TLS_BROKEN */
	int sys_errno;        /* of the socket; 0: fine */
};

/* NULL: no memory, or no certificates. */
struct tls_stream *tls_stream_new(struct tls_context *c, const struct tls_door *door, int fd);
void tls_stream_free(struct tls_stream *s); /* NULL is fine */

enum tls_fed { TLS_FED, TLS_OVER /* the peer says that it has finished */, TLS_BROKEN };
/* Takes what came by the socket, at most TLS_CIPHERED bytes, and appends what it carries to plain;
 * answers of the handshake are sent at once. */
enum tls_fed tls_stream_feed(
        struct tls_stream *s, struct str ciphered, char *plain, size_t max, size_t *n);
/* Sends from the front of the queue, as sendmsg would: bytes taken, or -1 and errno. n 0: only what
 * the kernel did not take before. scratch: TLS_RECORD bytes. -1 with ENOTCONN: nothing can be sent
 * before the handshake is done. */
ssize_t tls_stream_send(struct tls_stream *s, struct iovec *iov, size_t n, char *scratch);
bool tls_stream_waits(const struct tls_stream *s); /* the kernel did not take all */
void tls_stream_bye(struct tls_stream *s);         /* close_notify, if it fits */
