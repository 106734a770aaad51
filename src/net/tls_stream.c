/* tls_stream.c - one connection's TLS: ciphered bytes in, records out, one write per record. io
 *
 * OpenSSL reads from what the loop has just received and writes straight to the socket; what the
 * kernel does not take waits here, so that no call to OpenSSL ever has to be repeated. An idle
 * connection holds no buffer. */
#include <errno.h>
#include <openssl/err.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "net/tls_internal.h"

#define OUT_MAX                                                                                    \
	(128u << 10) /* a handshake flight, or one record and answers to the peer's whims          \
	              */
/* Handshakes, key updates and empty records cost us work and carry nothing: so many bytes of them
 * are free, and so many times what was carried. */
#define SURPLUS_FREE (64u << 10)
#define SURPLUS_FACTOR 64

const char *tls_fault_text(enum tls_fault f)
{
	static const char *const texts[TLS_FAULTS] = {
	        [TLS_FAULT_CLEAR] = "clear-text",
	        [TLS_FAULT_VERSION] = "version",
	        [TLS_FAULT_SHARED] = "nothing-in-common",
	        [TLS_FAULT_ALERT] = "alert",
	        [TLS_FAULT_MALFORMED] = "malformed",
	        [TLS_FAULT_BYTES] = "bytes",
	        [TLS_FAULT_OURS] = "internal",
	};
	return texts[f];
}

/* The socket as OpenSSL sees it */

static int on_bio_read(BIO *b, char *p, int n)
{
	struct tls_stream *s = BIO_get_data(b);
	BIO_clear_retry_flags(b);
	if (s->in.n == 0) {
		BIO_set_retry_read(b);
		return -1;
	}
	size_t take = (size_t)n < s->in.n ? (size_t)n : s->in.n;
	memcpy(p, s->in.p, take);
	s->in = str_sub(s->in, take, s->in.n);
	return (int)take;
}

/* Bytes that the kernel took; what is left of them is kept. False: the socket is broken. */
static bool push(struct tls_stream *s, const char *p, size_t n)
{
	while (n && !s->out.n && !s->clear) {
		ssize_t sent = send(s->fd, p, n, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0 && errno != EAGAIN && errno != EWOULDBLOCK) {
			s->sys_errno = errno;
			return false;
		}
		if (sent < 0)
			break;
		p += sent;
		n -= (size_t)sent;
	}
	if (n)
		buf_add(&s->out, p, n);
	if (s->out.failed)
		s->sys_errno = ENOBUFS;
	return !s->out.failed;
}

static int on_bio_write(BIO *b, const char *p, int n)
{
	struct tls_stream *s = BIO_get_data(b);
	BIO_clear_retry_flags(b);
	return n > 0 && push(s, p, (size_t)n) ? n : -1;
}

static long on_bio_ctrl(BIO *b, int cmd, long larg, void *parg)
{
	(void)b;
	(void)larg;
	(void)parg;
	return cmd == BIO_CTRL_FLUSH || cmd == BIO_CTRL_DUP;
}

static BIO_METHOD *method;
static CRYPTO_ONCE method_once = CRYPTO_ONCE_STATIC_INIT;

static void make_method(void)
{
	BIO_METHOD *m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "gavel");
	if (m && BIO_meth_set_read(m, on_bio_read) && BIO_meth_set_write(m, on_bio_write) &&
	        BIO_meth_set_ctrl(m, on_bio_ctrl))
		method = m;
	else
		BIO_meth_free(m);
}

/* Life */

static struct tls_set *take_set(struct tls_context *c)
{
	lock_take(&c->lock);
	struct tls_set *set = c->set;
	if (set)
		atomic_fetch_add(&set->refs, 1);
	lock_give(&c->lock);
	return set;
}

struct tls_stream *tls_stream_new(struct tls_context *c, const struct tls_door *door, int fd)
{
	struct tls_stream *s = mem_zalloc(sizeof *s);
	if (!s || !CRYPTO_THREAD_run_once(&method_once, make_method) || !method) {
		mem_free(s);
		return NULL;
	}
	s->door = door;
	s->fd = fd;
	buf_init(&s->out, OUT_MAX);
	s->set = take_set(c);
	s->ssl = s->set ? SSL_new(s->set->of[0]) : NULL;
	BIO *bio = s->ssl ? BIO_new(method) : NULL;
	if (!bio) {
		tls_stream_free(s);
		ERR_clear_error();
		return NULL;
	}
	BIO_set_data(bio, s);
	BIO_set_init(bio, 1);
	SSL_set_bio(s->ssl, bio, bio);
	SSL_set_app_data(s->ssl, s);
	SSL_set_accept_state(s->ssl);
	return s;
}

void tls_stream_free(struct tls_stream *s)
{
	if (!s)
		return;
	SSL_free(s->ssl);
	tls_set_unref(s->set);
	buf_done(&s->out);
	mem_free(s);
}

/* Reading */

static enum tls_fault fault_of(unsigned long e)
{
	if (ERR_GET_LIB(e) != ERR_LIB_SSL)
		return ERR_GET_REASON(e) == ERR_R_MALLOC_FAILURE ? TLS_FAULT_OURS
		                                                 : TLS_FAULT_MALFORMED;
	int reason = ERR_GET_REASON(e);
	/* those from SSL_AD_REASON_OFFSET on are alerts that the peer sent */
	if (reason >= SSL_AD_REASON_OFFSET && reason < SSL_AD_REASON_OFFSET + 256)
		return TLS_FAULT_ALERT;
	switch (reason) {
	case SSL_R_UNSUPPORTED_PROTOCOL:
	case SSL_R_VERSION_TOO_LOW:
	case SSL_R_UNKNOWN_PROTOCOL:
		return TLS_FAULT_VERSION;
	case SSL_R_NO_SHARED_CIPHER:
	case SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS:
	case SSL_R_NO_SUITABLE_KEY_SHARE:
	case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
	case SSL_R_NO_SHARED_GROUPS:
	case SSL_R_NO_APPLICATION_PROTOCOL:
	case SSL_R_INAPPROPRIATE_FALLBACK:
		return TLS_FAULT_SHARED;
	case ERR_R_MALLOC_FAILURE:
	case ERR_R_INTERNAL_ERROR:
		return TLS_FAULT_OURS;
	default:
		return TLS_FAULT_MALFORMED;
	}
}

static enum tls_fed broken(struct tls_stream *s, enum tls_fault fault)
{
	s->fault = fault;
	ERR_clear_error();
	return TLS_BROKEN;
}

/* A handshake record begins with 22; whoever begins with a letter wants something else. */
static bool is_clear_text(struct str first)
{
	char c = first.p[0];
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '<';
}

static enum tls_fed speak_clear(struct tls_stream *s)
{
	struct str answer = str_c(s->door ? s->door->clear_answer : NULL);
	if (answer.n && send(s->fd, answer.p, answer.n, MSG_NOSIGNAL) < 0)
		s->sys_errno = errno;
	return broken(s, TLS_FAULT_CLEAR);
}

static bool affordable(struct tls_stream *s, size_t ciphered, size_t carried)
{
	uint64_t paid = (uint64_t)carried * SURPLUS_FACTOR;
	s->surplus += ciphered;
	s->surplus -= paid < s->surplus ? paid : s->surplus;
	return s->surplus <= SURPLUS_FREE;
}

enum tls_fed tls_stream_feed(
        struct tls_stream *s, struct str ciphered, char *plain, size_t max, size_t *n)
{
	enum tls_fed fed = TLS_FED;
	*n = 0;
	if (!s->begun && ciphered.n && is_clear_text(ciphered))
		return speak_clear(s);
	s->begun = true;
	s->in = ciphered;
	ERR_clear_error();
	for (;;) {
		size_t got = 0;
		if (SSL_read_ex(s->ssl, plain + *n, max - *n, &got)) {
			*n += got;
			continue;
		}
		int why = SSL_get_error(s->ssl, 0);
		if (why == SSL_ERROR_ZERO_RETURN)
			fed = TLS_OVER;
		else if (why != SSL_ERROR_WANT_READ)
			fed = broken(s, s->sys_errno ? TLS_FAULT_OURS : fault_of(ERR_peek_error()));
		break;
	}
	s->in = STR_NONE;
	if (!s->established && SSL_is_init_finished(s->ssl)) {
		s->established = true;
		s->resumed = SSL_session_reused(s->ssl);
	}
	if (fed == TLS_FED && !affordable(s, ciphered.n, *n))
		return broken(s, TLS_FAULT_BYTES);
	return fed;
}

/* Writing */

bool tls_stream_waits(const struct tls_stream *s)
{
	return s->out.n > 0;
}

static bool push_waiting(struct tls_stream *s)
{
	while (s->out.n) {
		ssize_t sent = send(s->fd, s->out.p, s->out.n, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return false;
		buf_consume(&s->out, (size_t)sent);
	}
	buf_done(&s->out);
	buf_init(&s->out, OUT_MAX);
	return true;
}

/* What was queued before TLS began. */
static ssize_t send_clear(struct tls_stream *s, struct iovec *iov, size_t n)
{
	size_t total = 0, used = 0;
	for (; used < n && total < s->clear; used++) {
		if (iov[used].iov_len > s->clear - total)
			iov[used].iov_len = s->clear - total;
		total += iov[used].iov_len;
	}
	struct msghdr m = {.msg_iov = iov, .msg_iovlen = used};
	ssize_t sent = sendmsg(s->fd, &m, MSG_NOSIGNAL);
	if (sent > 0)
		s->clear -= (size_t)sent;
	return sent;
}

/* The front of the queue as one run of at most a record. */
static struct str one_record(const struct iovec *iov, size_t n, char *scratch)
{
	if (n == 1 || iov[0].iov_len >= TLS_RECORD)
		return str_sub(str_from(iov[0].iov_base, iov[0].iov_len), 0, TLS_RECORD);
	size_t total = 0;
	for (size_t i = 0; i < n && total < TLS_RECORD; i++) {
		size_t room = TLS_RECORD - total;
		size_t part = iov[i].iov_len < room ? iov[i].iov_len : room;
		memcpy(scratch + total, iov[i].iov_base, part);
		total += part;
	}
	return str_from(scratch, total);
}

ssize_t tls_stream_send(struct tls_stream *s, struct iovec *iov, size_t n, char *scratch)
{
	size_t written = 0;
	if (s->clear)
		return send_clear(s, iov, n);
	if (!push_waiting(s))
		return -1;
	if (!n)
		return 0;
	if (!s->established) {
		errno = ENOTCONN;
		return -1;
	}
	struct str record = one_record(iov, n, scratch);
	ERR_clear_error();
	if (SSL_write_ex(s->ssl, record.p, record.n, &written))
		return (ssize_t)written;
	ERR_clear_error();
	errno = s->sys_errno ? s->sys_errno : EPROTO;
	return -1;
}

void tls_stream_bye(struct tls_stream *s)
{
	if (!s->established || s->out.n || s->sys_errno)
		return;
	ERR_clear_error();
	(void)SSL_shutdown(s->ssl);
	ERR_clear_error();
}
