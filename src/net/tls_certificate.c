/* tls_certificate.c - reads a certificate with its chain and its key, and says what is wrong. io */
#include "net/tls_certificate.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX (1u << 20)
#define CHAIN_MAX 16
#define SOON_DAYS 7 /* a certificate that ends so soon is worth a warning */

static bool wrong(struct tls_error *e, bool of_key, const char *fmt, ...)
        __attribute__((format(printf, 3, 4)));
static bool wrong(struct tls_error *e, bool of_key, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(e->text, sizeof e->text, fmt, ap);
	va_end(ap);
	e->of_key = of_key;
	ERR_clear_error();
	return false;
}

static bool read_all(int fd, struct buf *out)
{
	char part[4096];
	ssize_t n;
	while ((n = read(fd, part, sizeof part)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		buf_add(out, part, (size_t)n);
	}
	OPENSSL_cleanse(part, sizeof part);
	return true;
}

/* The file in memory; *mode: its permissions. */
static bool read_file(
        const char *path, bool of_key, struct buf *out, unsigned *mode, struct tls_error *e)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return wrong(e, of_key, "%s cannot be read: %s%s", path, strerror(errno),
		        errno == EACCES ? " (the user that runs the server needs the right to)"
		                        : "");
	bool regular = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
	bool fine = regular && read_all(fd, out);
	int saved = errno;
	close(fd);
	if (!regular)
		return wrong(e, of_key, "%s is no file", path);
	if (!fine)
		return wrong(e, of_key, "%s cannot be read: %s", path, strerror(saved));
	if (out->failed)
		return wrong(e, of_key, "%s is larger than 1 MiB, or memory is out", path);
	*mode = st.st_mode & 0777;
	return true;
}

static void wipe(struct buf *b)
{
	if (b->p)
		OPENSSL_cleanse(b->p, b->cap);
	buf_done(b);
}

/* A password is never asked for: the server starts without anybody there. */
static int on_password(char *out, int size, int writing, void *asked)
{
	(void)out;
	(void)size;
	(void)writing;
	*(bool *)asked = true;
	return -1;
}

static EVP_PKEY *read_key(struct str pem, const char *path, struct tls_error *e)
{
	bool asked = false;
	BIO *b = BIO_new_mem_buf(pem.p, (int)pem.n);
	EVP_PKEY *key = b ? PEM_read_bio_PrivateKey(b, NULL, on_password, &asked) : NULL;
	BIO_free(b);
	if (!key && asked)
		wrong(e, true,
		        "%s is protected by a password, which nobody can type here: take it off "
		        "with "
		        "`openssl pkey -in %s -out FILE` and chmod 600 FILE",
		        path, path);
	else if (!key)
		wrong(e, true, "%s holds no private key (PEM, -----BEGIN PRIVATE KEY-----)", path);
	return key;
}

static void add_date(struct buf *b, const ASN1_TIME *t)
{
	struct tm tm;
	if (ASN1_TIME_to_tm(t, &tm))
		buf_printf(b, "%d-%02d-%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
}

static bool check_dates(
        X509 *x, const char *path, bool refuse_expired, struct buf *warnings, struct tls_error *e)
{
	time_t soon = time(NULL) + SOON_DAYS * 86400;
	if (X509_cmp_current_time(X509_get0_notAfter(x)) < 0) {
		if (refuse_expired)
			return wrong(e, false, "%s has expired", path);
		buf_printf(warnings, "%s has expired on ", path);
		add_date(warnings, X509_get0_notAfter(x));
		buf_puts(warnings, ": browsers refuse it\n");
	} else if (X509_cmp_time(X509_get0_notAfter(x), &soon) < 0) {
		buf_printf(warnings, "%s expires on ", path);
		add_date(warnings, X509_get0_notAfter(x));
		buf_putc(warnings, '\n');
	}
	if (X509_cmp_current_time(X509_get0_notBefore(x)) > 0) {
		buf_printf(warnings, "%s is not valid before ", path);
		add_date(warnings, X509_get0_notBefore(x));
		buf_puts(warnings, ": is the clock right?\n");
	}
	return true;
}

/* The certificate and those that lead from it to an authority. */
static bool use_chain(SSL_CTX *ctx, BIO *b, const char *path, struct tls_error *e)
{
	X509 *x;
	for (int n = 0; (x = PEM_read_bio_X509(b, NULL, NULL, NULL)); n++) {
		if (n == CHAIN_MAX || !SSL_CTX_add0_chain_cert(ctx, x)) {
			X509_free(x);
			return wrong(e, false,
			        n == CHAIN_MAX ? "%s holds too long a chain"
			                       : "%s: its chain cannot be used",
			        path);
		}
	}
	unsigned long err = ERR_peek_last_error();
	if (err && ERR_GET_REASON(err) != PEM_R_NO_START_LINE)
		return wrong(e, false, "%s holds a damaged certificate in its chain", path);
	ERR_clear_error();
	return true;
}

static bool use(SSL_CTX *ctx, X509 *x, EVP_PKEY *key, const struct tls_pair *p, struct tls_error *e)
{
	if (X509_check_private_key(x, key) != 1)
		return wrong(e, true, "%s is not the key of %s", p->key, p->certificate);
	if (SSL_CTX_use_certificate(ctx, x) != 1 || SSL_CTX_use_PrivateKey(ctx, key) != 1) {
		const char *why = ERR_reason_error_string(ERR_peek_error());
		return wrong(e, false, "%s cannot be used: %s", p->certificate,
		        why ? why : "not known why");
	}
	return true;
}

static bool use_files(SSL_CTX *ctx, const struct tls_pair *p, struct str certificate,
        struct str key_pem, bool refuse_expired, struct buf *warnings, struct tls_error *e)
{
	BIO *b = BIO_new_mem_buf(certificate.p, (int)certificate.n);
	X509 *x = b ? PEM_read_bio_X509_AUX(b, NULL, NULL, NULL) : NULL;
	EVP_PKEY *key = NULL;
	bool fine =
	        x ? true
	          : wrong(e, false, "%s holds no certificate (PEM, -----BEGIN CERTIFICATE-----)",
	                    p->certificate);
	if (fine) {
		key = read_key(key_pem, p->key, e);
		fine = key && use(ctx, x, key, p, e) && use_chain(ctx, b, p->certificate, e) &&
		       check_dates(x, p->certificate, refuse_expired, warnings, e);
	}
	EVP_PKEY_free(key);
	X509_free(x);
	BIO_free(b);
	return fine;
}

bool certificate_use(SSL_CTX *ctx, const struct tls_pair *p, bool refuse_expired,
        struct buf *warnings, struct tls_error *e)
{
	struct buf certificate, key;
	unsigned mode = 0, key_mode = 0;
	buf_init(&certificate, FILE_MAX);
	buf_init(&key, FILE_MAX);
	bool fine = read_file(p->certificate, false, &certificate, &mode, e) &&
	            read_file(p->key, true, &key, &key_mode, e) &&
	            use_files(ctx, p, buf_view(&certificate), buf_view(&key), refuse_expired,
	                    warnings, e);
	if (fine && key_mode & S_IROTH)
		buf_printf(warnings, "%s can be read by everybody on this machine: chmod o-r it\n",
		        p->key);
	wipe(&certificate);
	wipe(&key);
	ERR_clear_error();
	return fine;
}
