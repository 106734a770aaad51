/* certificates.c - which certificates there are to be, and in whose name. io */
#include "cli/certificates.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>
#include <unistd.h>

#include "base/address.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/tls_self_signed.h"

#define PATH_MAX_USED 1024
#define ADDRESSES_MAX 16

/* Paths with a NUL behind them, as the files are opened. */
struct paths {
	char certificate[TLS_CERTIFICATES_MAX][PATH_MAX_USED],
	        key[TLS_CERTIFICATES_MAX][PATH_MAX_USED];
	struct tls_pair pairs[TLS_CERTIFICATES_MAX];
	size_t n;
};

bool certificates_wanted(const struct config *c)
{
	return c->server.tls_certificates.n > 0 || c->server.tls_self_signed;
}

static bool path_put(char out[PATH_MAX_USED], struct str path)
{
	int n = snprintf(out, PATH_MAX_USED, "%.*s", STR_FMT(path));
	return n > 0 && n < PATH_MAX_USED;
}

static bool paths_put(struct paths *p, struct str certificate, struct str key)
{
	size_t i = p->n;
	if (!path_put(p->certificate[i], certificate) || !path_put(p->key[i], key))
		return false;
	p->pairs[i] = (struct tls_pair){p->certificate[i], p->key[i]};
	p->n++;
	return true;
}

/* The key may stand in the certificate's file. */
static bool named_files(const struct config *c, struct paths *p)
{
	const struct str_list *certificates = &c->server.tls_certificates;
	const struct str_list *keys = &c->server.tls_keys;
	for (size_t i = 0; i < certificates->n && i < TLS_CERTIFICATES_MAX; i++) {
		if (!paths_put(
		            p, certificates->v[i], i < keys->n ? keys->v[i] : certificates->v[i]))
			return false;
	}
	return true;
}

static bool own_file(const struct config *c, struct paths *p)
{
	char certificate[PATH_MAX_USED], key[PATH_MAX_USED];
	struct str folder = c->server.state_directory;
	int n = snprintf(certificate, sizeof certificate, "%.*s/self-signed.crt", STR_FMT(folder));
	int m = snprintf(key, sizeof key, "%.*s/self-signed.key", STR_FMT(folder));
	return folder.n && n > 0 && n < PATH_MAX_USED && m > 0 && m < PATH_MAX_USED &&
	       paths_put(p, str_c(certificate), str_c(key));
}

size_t host_addresses(char (*out)[46], size_t max)
{
	struct ifaddrs *all;
	size_t n = 0;
	if (getifaddrs(&all) < 0)
		return 0;
	for (const struct ifaddrs *i = all; i && n < max; i = i->ifa_next) {
		struct address a = {.bytes = {[10] = 0xff, [11] = 0xff}};
		if (!i->ifa_addr || !(i->ifa_flags & IFF_UP) || i->ifa_flags & IFF_LOOPBACK)
			continue;
		if (i->ifa_addr->sa_family == AF_INET)
			memcpy(&a.bytes[12],
			        &((const struct sockaddr_in *)(const void *)i->ifa_addr)->sin_addr,
			        4);
		else if (i->ifa_addr->sa_family == AF_INET6)
			memcpy(a.bytes,
			        &((const struct sockaddr_in6 *)(const void *)i->ifa_addr)
			                 ->sin6_addr,
			        16);
		else
			continue;
		bool link_local = a.bytes[0] == 0xfe && (a.bytes[1] & 0xc0) == 0x80;
		if (!link_local)
			address_write(&a, out[n++]);
	}
	freeifaddrs(all);
	return n;
}

struct names {
	char text[SELF_SIGNED_NAMES_MAX][256];
	const char *v[SELF_SIGNED_NAMES_MAX];
	size_t n;
};

static void name_put(struct names *out, struct str name)
{
	if (out->n == SELF_SIGNED_NAMES_MAX || name.n == 0 || name.n > 253)
		return;
	for (size_t i = 0; i < out->n; i++) {
		if (str_eq_ascii_nocase(str_c(out->v[i]), name))
			return;
	}
	snprintf(out->text[out->n], sizeof out->text[0], "%.*s", STR_FMT(name));
	out->v[out->n] = out->text[out->n];
	out->n++;
}

/* All that this host may be called, on the network and inside XMPP. */
static void collect_names(const struct config *c, struct names *out)
{
	char host[256] = "", addresses[ADDRESSES_MAX][46];
	name_put(out, c->policy.public_host);
	if (gethostname(host, sizeof host - 1) == 0)
		name_put(out, str_c(host));
	if (host[0] && !strchr(host, '.')) {
		char local[300];
		snprintf(local, sizeof local, "%s.local", host);
		name_put(out, str_c(local));
	}
	name_put(out, STR("localhost"));
	name_put(out, c->server.domain);
	name_put(out, c->server.auth_domain);
	name_put(out, STR("127.0.0.1"));
	name_put(out, STR("::1"));
	size_t n = host_addresses(addresses, ADDRESSES_MAX);
	for (size_t i = 0; i < n; i++)
		name_put(out, str_c(addresses[i]));
}

static bool make_own(const struct config *c, const struct tls_pair *pair, char *why, size_t size)
{
	struct names names = {.n = 0};
	struct tls_error e;
	char folder[PATH_MAX_USED];
	snprintf(folder, sizeof folder, "%.*s", STR_FMT(c->server.state_directory));
	if (!config_make_folder(folder)) {
		snprintf(why, size, "state_directory: %s cannot be made: %s.", folder,
		        strerror(errno));
		return false;
	}
	collect_names(c, &names);
	enum self_signed made = tls_self_signed(pair, names.v, names.n, &e);
	if (made == SELF_SIGNED_MADE)
		log_info("event=certificate made=self-signed days=%d names=%zu file=%s",
		        SELF_SIGNED_DAYS, names.n, pair->certificate);
	if (made == SELF_SIGNED_FAILED)
		snprintf(why, size, "tls_self_signed: %s. See state_directory.", e.text);
	return made != SELF_SIGNED_FAILED;
}

static bool load(const struct paths *p, struct tls_context *t, char *why, size_t size)
{
	struct tls_error e;
	if (tls_context_load(t, p->pairs, p->n, &e))
		return true;
	snprintf(why, size, "%s: %s.", e.of_key ? "tls_key" : "tls_certificate", e.text);
	return false;
}

static void log_warnings(struct tls_context *t)
{
	char text[8192];
	struct str rest = str_from(text, tls_context_warnings(t, text, sizeof text));
	while (rest.n)
		log_warn("event=certificate because=%s", log_value(str_split(&rest, '\n')));
}

bool certificates_load(
        const struct config *c, struct tls_context *t, bool self_signed, char *why, size_t size)
{
	struct paths *p = mem_zalloc(sizeof *p);
	bool own = c->server.tls_certificates.n == 0 && (c->server.tls_self_signed || self_signed);
	bool fine = p && (own ? own_file(c, p) : named_files(c, p));
	if (!fine)
		snprintf(why, size, "%s: %s.", own ? "state_directory" : "tls_certificate",
		        p ? "the path is too long" : "out of memory");
	fine = fine && (!own || make_own(c, p->pairs, why, size)) && load(p, t, why, size);
	if (fine)
		log_warnings(t);
	mem_free(p);
	return fine;
}

bool certificates_check(const struct config *c, struct buf *warnings, char *why, size_t size)
{
	char text[8192];
	struct paths *p = mem_zalloc(sizeof *p);
	struct tls_context *t = p ? tls_context_new() : NULL;
	bool fine = t && named_files(c, p);
	if (!fine)
		snprintf(why, size, "%s.",
		        t ? "tls_certificate: the path is too long" : "out of memory");
	else if (p->n)
		fine = load(p, t, why, size);
	if (fine)
		buf_str(warnings, str_from(text, tls_context_warnings(t, text, sizeof text)));
	tls_context_free(t);
	mem_free(p);
	return fine;
}
