/* tls_self_signed.c - makes a key and a certificate that vouches for itself, once. io */
#include "net/tls_self_signed.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"

/* Good for long enough, and of the key that lies beside it. */
static bool still_good(const struct tls_pair *p)
{
	time_t then = time(NULL) + SELF_SIGNED_RENEW_DAYS * 86400;
	FILE *f = fopen(p->certificate, "re");
	X509 *x = f ? PEM_read_X509(f, NULL, NULL, NULL) : NULL;
	if (f)
		fclose(f);
	f = x ? fopen(p->key, "re") : NULL;
	EVP_PKEY *key = f ? PEM_read_PrivateKey(f, NULL, NULL, NULL) : NULL;
	if (f)
		fclose(f);
	bool good = key && X509_check_private_key(x, key) == 1 &&
	            X509_cmp_time(X509_get0_notAfter(x), &then) > 0;
	EVP_PKEY_free(key);
	X509_free(x);
	ERR_clear_error();
	return good;
}

/* A name of letters, digits, dots and hyphens, or an address: nothing else may stand in the text
 * that describes the alternative names. */
static bool is_name(const char *s)
{
	size_t n = strlen(s);
	return n > 0 && n < 254 &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.*") == n;
}

static bool is_address(const char *s)
{
	unsigned char bytes[16];
	return inet_pton(AF_INET, s, bytes) == 1 || inet_pton(AF_INET6, s, bytes) == 1;
}

static bool add_extension(X509 *x, int nid, const char *text)
{
	X509V3_CTX context;
	X509V3_set_ctx_nodb(&context);
	X509V3_set_ctx(&context, x, x, NULL, NULL, 0);
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &context, nid, text);
	bool fine = e && X509_add_ext(x, e, -1) == 1;
	X509_EXTENSION_free(e);
	return fine;
}

static bool add_names(X509 *x, const char *const *names, size_t n)
{
	struct buf list;
	buf_init(&list, SELF_SIGNED_NAMES_MAX * 300);
	for (size_t i = 0; i < n && i < SELF_SIGNED_NAMES_MAX; i++) {
		bool address = is_address(names[i]);
		if (address || is_name(names[i]))
			buf_printf(&list, "%s%s:%s", list.n ? "," : "", address ? "IP" : "DNS",
			        names[i]);
	}
	bool fine = list.n && !list.failed && add_extension(x, NID_subject_alt_name, list.p);
	buf_done(&list);
	return fine;
}

static bool set_serial(X509 *x)
{
	unsigned char bytes[16];
	if (RAND_bytes(bytes, sizeof bytes) != 1)
		return false;
	bytes[0] = (bytes[0] & 0x3f) | 0x40; /* positive, and never short */
	BIGNUM *b = BN_bin2bn(bytes, sizeof bytes, NULL);
	bool fine = b && BN_to_ASN1_INTEGER(b, X509_get_serialNumber(x));
	BN_free(b);
	return fine;
}

static X509 *make(EVP_PKEY *key, const char *const *names, size_t n)
{
	X509 *x = X509_new();
	if (!x)
		return NULL;
	X509_NAME *subject = X509_get_subject_name(x);
	bool fine = X509_set_version(x, X509_VERSION_3) && set_serial(x) &&
	            X509_gmtime_adj(X509_getm_notBefore(x), -3600) &&
	            X509_time_adj_ex(X509_getm_notAfter(x), SELF_SIGNED_DAYS, -7200, NULL) &&
	            X509_NAME_add_entry_by_txt(subject, "O", MBSTRING_UTF8,
	                    (const unsigned char *)"Gavel, self-signed", -1, -1, 0) &&
	            X509_set_issuer_name(x, subject) && X509_set_pubkey(x, key) &&
	            add_extension(x, NID_basic_constraints, "critical,CA:FALSE") &&
	            add_extension(x, NID_key_usage, "critical,digitalSignature") &&
	            add_extension(x, NID_ext_key_usage, "serverAuth,clientAuth") &&
	            add_names(x, names, n) && X509_sign(x, key, EVP_sha256()) > 0;
	if (fine)
		return x;
	X509_free(x);
	return NULL;
}

/* Written beside and renamed, so that nobody ever reads half a file. */
static bool put(const char *path, X509 *x, EVP_PKEY *key)
{
	char beside[1100];
	int n = snprintf(beside, sizeof beside, "%s.new", path);
	if (n < 0 || (size_t)n >= sizeof beside)
		return false;
	unlink(beside);
	int fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (!f) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	bool fine =
	        x ? PEM_write_X509(f, x) : PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);
	fine = fflush(f) == 0 && fsync(fd) == 0 && fine;
	fine = fclose(f) == 0 && fine && rename(beside, path) == 0;
	if (!fine)
		unlink(beside);
	return fine;
}

enum self_signed tls_self_signed(
        const struct tls_pair *p, const char *const *names, size_t n, struct tls_error *e)
{
	*e = (struct tls_error){0};
	if (still_good(p))
		return SELF_SIGNED_KEPT;
	errno = 0;
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = key ? make(key, names, n) : NULL;
	bool fine = x && put(p->key, NULL, key) && put(p->certificate, x, NULL);
	if (!fine && !x)
		snprintf(e->text, sizeof e->text, "a certificate cannot be made");
	else if (!fine)
		snprintf(e->text, sizeof e->text, "%s and %s cannot be written: %s", p->certificate,
		        p->key, strerror(errno));
	X509_free(x);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return fine ? SELF_SIGNED_MADE : SELF_SIGNED_FAILED;
}
