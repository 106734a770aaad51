/* tls_world.h - for tls_test: a server with certificates of the test, and clients of OpenSSL beside
 * it. io */
#pragma once
#include "support/unit.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "net/tcp.h"
#include "net/tls_self_signed.h"
#include "support/wire.h"

static const struct tls_door door = {.alpn = "http/1.1", .clear_answer = "in the clear\n"};

struct world {
	struct loop *loop;
	struct tcp_server *server;
	struct tls_context *tls;
	uint16_t port, clear_port;
	struct tcp *last;
	unsigned accepted, ended;
	enum tcp_end why;
	struct buf got;
	char folder[64];
};

static void on_data(void *arg, struct tcp *t, struct str bytes)
{
	struct world *w = arg;
	(void)t;
	buf_str(&w->got, bytes);
}

static void on_ended(void *arg, struct tcp *t, enum tcp_end why)
{
	struct world *w = arg;
	w->ended++;
	w->why = why;
	if (w->last == t)
		w->last = NULL;
}

static void on_accepted(void *arg, struct tcp *t)
{
	struct world *w = arg;
	w->accepted++;
	w->last = t;
	tcp_own(t, &(struct tcp_events){w, on_data, NULL, on_ended});
}

static const struct tcp_limits roomy = {.max_connections = 100,
        .max_per_address = 100,
        .per_second = 1000,
        .max_queued = 16 << 20,
        .max_queued_total = 1 << 30,
        .stall_ms = 10000};

/* Certificates that the test makes: of these names, from and to in days from now. */
static void make_pair(const struct world *w, const char *file, const char *names, int from, int to)
{
	char path[128];
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	X509_set_version(x, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), from * 86400L);
	X509_gmtime_adj(X509_getm_notAfter(x), to * 86400L);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
	        (const unsigned char *)file, -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(x));
	X509_set_pubkey(x, key);
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, names);
	X509_add_ext(x, e, -1);
	X509_EXTENSION_free(e);
	assert_true(X509_sign(x, key, EVP_sha256()) > 0);
	snprintf(path, sizeof path, "%s/%s.crt", w->folder, file);
	FILE *f = fopen(path, "w");
	PEM_write_X509(f, x);
	fclose(f);
	snprintf(path, sizeof path, "%s/%s.key", w->folder, file);
	f = fopen(path, "w");
	PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);
	fclose(f);
	chmod(path, 0600);
	X509_free(x);
	EVP_PKEY_free(key);
}

struct files {
	char certificate[128], key[128];
};

static struct tls_pair pair_of(const struct world *w, struct files *f, const char *c, const char *k)
{
	snprintf(f->certificate, sizeof f->certificate, "%s/%s.crt", w->folder, c);
	snprintf(f->key, sizeof f->key, "%s/%s.key", w->folder, k);
	return (struct tls_pair){f->certificate, f->key};
}

static bool load(struct world *w, const char *c, const char *k, struct tls_error *e)
{
	struct files f;
	struct tls_pair p = pair_of(w, &f, c, k);
	return tls_context_load(w->tls, &p, 1, e);
}

static struct world *open_world(void)
{
	struct world *w = test_calloc(1, sizeof *w);
	struct tls_error e;
	struct files fa, fb;
	buf_init(&w->got, 0);
	snprintf(w->folder, sizeof w->folder, "/tmp/tls-test-XXXXXX");
	assert_non_null(mkdtemp(w->folder));
	make_pair(w, "a", "DNS:a.example", -1, 30);
	make_pair(w, "b", "DNS:b.example,DNS:*.wild.example", -1, 30);
	w->loop = loop_new();
	w->tls = tls_context_new();
	const struct tls_pair pairs[] = {pair_of(w, &fa, "a", "a"), pair_of(w, &fb, "b", "b")};
	assert_false(tls_context_ready(w->tls));
	if (!tls_context_load(w->tls, pairs, 2, &e))
		fail_msg("%s", e.text);
	assert_true(tls_context_ready(w->tls));
	w->server = tcp_server_new(w->loop, &roomy, on_accepted, w);
	assert_int_equal(
	        tcp_server_listen_tls(w->server, "127.0.0.1", &w->port, w->tls, &door), ERR_OK);
	assert_int_equal(tcp_server_listen(w->server, "127.0.0.1", &w->clear_port), ERR_OK);
	return w;
}

static void close_world(struct world *w)
{
	char command[128];
	tcp_server_free(w->server);
	tls_context_free(w->tls);
	loop_free(w->loop);
	buf_done(&w->got);
	snprintf(command, sizeof command, "rm -rf %s", w->folder);
	assert_int_equal(system(command), 0);
	test_free(w);
}

static uint64_t count(const struct world *w, const char *name)
{
	struct counter all[64];
	size_t n = tcp_server_list_counters(w->server, all, 64);
	for (size_t i = 0; i < n; i++) {
		if (strcmp(all[i].name, name) == 0)
			return all[i].count;
	}
	fail_msg("no counter %s", name);
	return 0;
}

/* The other side: OpenSSL on a socket of its own, in the same thread. */
struct client {
	struct world *w;
	struct wire wire;
	SSL_CTX *ctx;
	SSL *ssl;
	SSL_SESSION *session;
};

static int on_session(SSL *ssl, SSL_SESSION *session)
{
	struct client *c = SSL_get_app_data(ssl);
	SSL_SESSION_free(c->session);
	c->session = session;
	return 1;
}

static void client_new(
        struct client *c, struct world *w, uint16_t port, int version, const char *name)
{
	*c = (struct client){.w = w};
	wire_open(&c->wire, w->loop, port);
	c->ctx = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_session_cache_mode(c->ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(c->ctx, on_session);
	if (version < TLS1_2_VERSION)
		SSL_CTX_set_cipher_list(c->ctx, "ALL:@SECLEVEL=0");
	c->ssl = SSL_new(c->ctx);
	if (version) {
		SSL_set_min_proto_version(c->ssl, version);
		SSL_set_max_proto_version(c->ssl, version);
	}
	if (name)
		SSL_set_tlsext_host_name(c->ssl, name);
	SSL_set_app_data(c->ssl, c);
	SSL_set_fd(c->ssl, c->wire.fd);
	SSL_set_connect_state(c->ssl);
}

static void client_done(struct client *c)
{
	SSL_free(c->ssl);
	SSL_CTX_free(c->ctx);
	SSL_SESSION_free(c->session);
	wire_done(&c->wire);
	ERR_clear_error();
}

/* Turns the loop while OpenSSL waits. False: it failed, or three seconds went by. */
static bool again(struct client *c, int result, int *tries)
{
	int why = SSL_get_error(c->ssl, result);
	if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
		return false;
	wire_turn(c->wire.loop, 1);
	return ++*tries < 3000;
}

static bool handshake(struct client *c)
{
	int r, tries = 0;
	while ((r = SSL_do_handshake(c->ssl)) != 1) {
		if (!again(c, r, &tries))
			return false;
	}
	return true;
}

static bool put(struct client *c, struct str bytes)
{
	int tries = 0;
	while (bytes.n) {
		int r = SSL_write(c->ssl, bytes.p, bytes.n > 100000 ? 100000 : (int)bytes.n);
		if (r > 0)
			bytes = str_sub(bytes, (size_t)r, bytes.n);
		else if (!again(c, r, &tries))
			return false;
	}
	return true;
}

/* Reads until n bytes are there. */
static bool take(struct client *c, struct buf *out, size_t n)
{
	char chunk[16384];
	int tries = 0;
	while (out->n < n) {
		int r = SSL_read(c->ssl, chunk, sizeof chunk);
		if (r > 0)
			buf_add(out, chunk, (size_t)r);
		else if (!again(c, r, &tries))
			return false;
	}
	return true;
}

static void expect(struct client *c, const char *text)
{
	struct buf b;
	buf_init(&b, 0);
	if (!take(c, &b, strlen(text)))
		fail_msg("nothing came: %s", ERR_reason_error_string(ERR_peek_error()));
	assert_str(buf_view(&b), text);
	buf_done(&b);
}

static void expect_got(struct world *w, const char *text)
{
	for (int i = 0; i < 1000 && w->got.n < strlen(text); i++)
		wire_turn(w->loop, 1);
	assert_str(buf_view(&w->got), text);
	buf_reset(&w->got);
}

static const char *subject(struct client *c)
{
	static char name[64];
	X509 *x = SSL_get1_peer_certificate(c->ssl);
	X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_commonName, name, sizeof name);
	X509_free(x);
	return name;
}
