/* tls.c - certificates of listeners: built, chosen by name, swapped; and the keys of session
 * tickets. io */
#include "net/tls.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <time.h>

#include "base/mem.h"
#include "base/rand.h"
#include "net/tls_certificate.h"
#include "net/tls_internal.h"

#define CIPHERS_12                                                                                 \
	"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"                               \
	"ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"                               \
	"ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
#define TICKET_LIFE_MS (8u * 3600 * 1000) /* a key seals for so long, and opens twice that */

/* Tickets */

static uint64_t clock_ms(void)
{
	struct timespec ts = {0};
	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000 + 1;
}

static bool renew(struct tls_tickets *t, uint64_t now)
{
	struct ticket_key fresh;
	if (!rand_bytes(&fresh, sizeof fresh))
		return false;
	fresh.born_ms = now;
	t->before = t->now;
	t->now = fresh;
	OPENSSL_cleanse(&fresh, sizeof fresh);
	return true;
}

static bool sealing_key(struct tls_tickets *t, struct ticket_key *out)
{
	uint64_t now = clock_ms();
	lock_take(&t->lock);
	bool stale = t->now.born_ms == 0 || now - t->now.born_ms > TICKET_LIFE_MS;
	bool fine = !stale || renew(t, now);
	if (fine)
		*out = t->now;
	lock_give(&t->lock);
	return fine;
}

/* 1: the ticket is good as it is, 2: its holder gets a new one, 0: there is no such key. */
static int opening_key(struct tls_tickets *t, const unsigned char *name, struct ticket_key *out)
{
	uint64_t now = clock_ms();
	int found = 0;
	lock_take(&t->lock);
	const struct ticket_key *keys[] = {&t->now, &t->before};
	for (int i = 0; i < 2 && !found; i++) {
		const struct ticket_key *k = keys[i];
		if (k->born_ms && now - k->born_ms <= 2 * (uint64_t)TICKET_LIFE_MS &&
		        CRYPTO_memcmp(k->name, name, TICKET_NAME) == 0) {
			*out = *k;
			found = i + 1;
		}
	}
	lock_give(&t->lock);
	return found;
}

static bool set_mac(EVP_MAC_CTX *mac, struct ticket_key *k)
{
	static char digest[] = "SHA256";
	OSSL_PARAM params[] = {
	        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, k->mac, sizeof k->mac),
	        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
	        OSSL_PARAM_construct_end(),
	};
	return EVP_MAC_CTX_set_params(mac, params) == 1;
}

static int on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
        EVP_MAC_CTX *mac, int sealing)
{
	const struct tls_stream *s = SSL_get_app_data(ssl);
	struct tls_tickets *t = s->set->tickets;
	struct ticket_key k;
	int result;
	if (sealing) {
		if (!sealing_key(t, &k) || !rand_bytes(iv, EVP_MAX_IV_LENGTH))
			return -1;
		memcpy(name, k.name, TICKET_NAME);
		result = EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), NULL, k.cipher, iv) &&
		                         set_mac(mac, &k)
		                 ? 1
		                 : -1;
	} else {
		result = opening_key(t, name, &k);
		if (result && (!set_mac(mac, &k) || !EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(),
		                                            NULL, k.cipher, iv)))
			result = -1;
	}
	OPENSSL_cleanse(&k, sizeof k);
	return result;
}

/* Choices of the handshake */

static int on_name(SSL *ssl, int *alert, void *arg)
{
	const struct tls_set *set = arg;
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	(void)alert;
	for (size_t i = 0; name && i < set->n; i++) {
		X509 *x = SSL_CTX_get0_certificate(set->of[i]);
		if (X509_check_host(x, name, 0, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, NULL) != 1)
			continue;
		if (i && !SSL_set_SSL_CTX(ssl, set->of[i]))
			return SSL_TLSEXT_ERR_ALERT_FATAL;
		break;
	}
	return SSL_TLSEXT_ERR_OK;
}

/* Whoever offers protocols, but not ours, means another server (RFC 7301 3.2). */
static int on_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_n,
        const unsigned char *in, unsigned in_n, void *arg)
{
	const struct tls_stream *s = SSL_get_app_data(ssl);
	struct str wanted = str_c(s->door ? s->door->alpn : NULL);
	(void)arg;
	if (!wanted.n)
		return SSL_TLSEXT_ERR_NOACK;
	for (unsigned at = 0; at < in_n && in[at] < in_n - at; at += 1u + in[at]) {
		struct str offered = str_from((const char *)in + at + 1, in[at]);
		if (!str_eq(offered, wanted))
			continue;
		*out = in + at + 1;
		*out_n = in[at];
		return SSL_TLSEXT_ERR_OK;
	}
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* Building */

void tls_set_unref(struct tls_set *s)
{
	if (!s || atomic_fetch_sub(&s->refs, 1) != 1)
		return;
	for (size_t i = 0; i < s->n; i++)
		SSL_CTX_free(s->of[i]);
	mem_free(s);
}

static SSL_CTX *make_ctx(struct tls_set *set)
{
	static char groups[] = "X25519:P-256:P-384"; /* never written to */
	static const unsigned char same[] = "gavel"; /* tickets are good for any name */
	SSL_CTX *x = SSL_CTX_new(TLS_server_method());
	if (!x)
		return NULL;
	bool fine = SSL_CTX_set_min_proto_version(x, TLS1_2_VERSION) &&
	            SSL_CTX_set_cipher_list(x, CIPHERS_12) && SSL_CTX_set1_groups_list(x, groups) &&
	            SSL_CTX_set_session_id_context(x, same, sizeof same - 1) &&
	            SSL_CTX_set_tlsext_ticket_key_evp_cb(x, on_ticket) &&
	            SSL_CTX_set_tlsext_servername_callback(x, on_name) &&
	            SSL_CTX_set_tlsext_servername_arg(x, set);
	if (!fine) {
		SSL_CTX_free(x);
		return NULL;
	}
	SSL_CTX_set_options(x, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
	                               SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
	SSL_CTX_set_mode(x, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_session_cache_mode(x, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_timeout(x, TICKET_LIFE_MS / 1000);
	SSL_CTX_set_alpn_select_cb(x, on_protocol, NULL);
	return x;
}

static bool add_pair(struct tls_set *set, const struct tls_pair *pair, bool refuse_expired,
        struct buf *warnings, struct tls_error *e)
{
	SSL_CTX *x = make_ctx(set);
	if (!x) {
		snprintf(e->text, sizeof e->text, "out of memory");
		return false;
	}
	if (!certificate_use(x, pair, refuse_expired, warnings, e)) {
		SSL_CTX_free(x);
		return false;
	}
	set->of[set->n++] = x;
	return true;
}

bool tls_context_load(
        struct tls_context *c, const struct tls_pair *pairs, size_t n, struct tls_error *e)
{
	struct tls_set *set = mem_zalloc(sizeof *set);
	struct buf warnings;
	buf_init(&warnings, 8192);
	*e = (struct tls_error){0};
	bool again = tls_context_ready(c), fine = set && n && n <= TLS_PAIRS_MAX;
	if (!fine)
		snprintf(e->text, sizeof e->text, "%s",
		        !set ? "out of memory" : "no certificate, or more than 64");
	if (set) {
		atomic_init(&set->refs, 1);
		set->tickets = &c->tickets;
	}
	for (size_t i = 0; fine && i < n; i++) {
		e->pair = i;
		fine = add_pair(set, &pairs[i], again, &warnings, e);
	}
	ERR_clear_error();
	if (fine) {
		lock_take(&c->lock);
		struct tls_set *old = c->set;
		struct buf told = c->warnings;
		c->set = set;
		c->warnings = warnings;
		lock_give(&c->lock);
		set = old;
		warnings = told;
	}
	tls_set_unref(set);
	buf_done(&warnings);
	return fine;
}

struct tls_context *tls_context_new(void)
{
	struct tls_context *c = mem_zalloc(sizeof *c);
	if (!c || !lock_init(&c->lock)) {
		mem_free(c);
		return NULL;
	}
	if (!lock_init(&c->tickets.lock)) {
		lock_done(&c->lock);
		mem_free(c);
		return NULL;
	}
	buf_init(&c->warnings, 0);
	return c;
}

void tls_context_free(struct tls_context *c)
{
	if (!c)
		return;
	tls_set_unref(c->set);
	buf_done(&c->warnings);
	lock_done(&c->lock);
	lock_done(&c->tickets.lock);
	OPENSSL_cleanse(&c->tickets, sizeof c->tickets);
	mem_free(c);
}

bool tls_context_ready(struct tls_context *c)
{
	lock_take(&c->lock);
	bool ready = c->set != NULL;
	lock_give(&c->lock);
	return ready;
}

size_t tls_context_warnings(struct tls_context *c, char *out, size_t max)
{
	lock_take(&c->lock);
	struct str all = str_sub(buf_view(&c->warnings), 0, max);
	memcpy(out, all.p, all.n);
	lock_give(&c->lock);
	return all.n;
}
