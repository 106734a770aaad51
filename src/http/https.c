/* https.c - what leads to HTTPS: the redirect, and the folder where whoever issues certificates
 * looks (RFC 8555 8.3). io */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "http/internal.h"

#define CHALLENGE "/.well-known/acme-challenge/"
#define CHALLENGE_BYTES 4096

/* Characters of a challenge's name; with them no path leads out of the folder. */
static bool is_token(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = ascii_lower(s.p[i]);
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'))
			return false;
	}
	return s.n > 0 && s.n <= 128;
}

static ssize_t read_challenge(const char *folder, struct str name, char *out, size_t max)
{
	char path[1200];
	struct stat st;
	int n = snprintf(path, sizeof path, "%s" CHALLENGE "%.*s", folder, STR_FMT(name));
	if (n < 0 || (size_t)n >= sizeof path)
		return -1;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return -1;
	bool regular = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= (off_t)max;
	ssize_t got = regular ? read(fd, out, max) : -1;
	close(fd);
	return got;
}

bool https_challenge(struct connection *c, const struct http_request *r)
{
	const char *folder = c->server->settings.acme_folder;
	struct str prefix = STR(CHALLENGE);
	char text[CHALLENGE_BYTES];
	if (!folder || !str_starts(r->path, prefix) || c->head->method == HTTP_OTHER)
		return false;
	struct str name = str_sub(r->path, prefix.n, r->path.n);
	ssize_t n = is_token(name) ? read_challenge(folder, name, text, sizeof text) : -1;
	if (n >= 0)
		connection_answer(c, &(struct http_answer){.status = 200,
		                             .type = "text/plain",
		                             .body = str_from(text, (size_t)n)});
	else
		connection_answer(c, &(struct http_answer){.status = 404,
		                             .type = "text/plain; charset=utf-8",
		                             .body = STR("Not found.\n")});
	return true;
}

/* The name in Host without its port; absent when it is no name or address. */
static struct str host_name(const struct http_head *h)
{
	struct str host = http_field(h, "host");
	size_t end = host.n && host.p[0] == '[' ? str_find(host, ']') + 1 : str_find(host, ':');
	if (http_field_count(h, "host") != 1 || end > host.n || end == 0)
		return STR_NONE;
	for (size_t i = 0; i < end; i++) {
		char c = ascii_lower(host.p[i]);
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || strchr("-._:[]", c)))
			return STR_NONE;
	}
	return str_sub(host, 0, end);
}

bool https_redirect(struct connection *c, const struct http_request *r)
{
	const struct http_settings *set = &c->server->settings;
	if (!set->redirect || r->secure || str_eqc(r->path, "/about/health"))
		return false;
	struct str host = host_name(c->head);
	bool nowhere = str_absent(set->redirect_to) && str_absent(host);
	/* a target that is no path would go on with the host's name */
	if (nowhere || !str_starts(c->head->path, STR("/"))) {
		connection_refuse(c, 400);
		return true;
	}
	struct buf b;
	buf_init(&b, 0);
	buf_puts(&b, "Location: ");
	if (!str_absent(set->redirect_to)) {
		buf_str(&b, set->redirect_to);
	} else {
		buf_printf(&b, "https://%.*s", STR_FMT(host));
		if (set->https_port != 443)
			buf_printf(&b, ":%u", set->https_port);
	}
	buf_str(&b, c->head->path);
	if (!str_absent(c->head->query))
		buf_printf(&b, "?%.*s", STR_FMT(c->head->query));
	buf_puts(&b, "\r\n");
	if (b.failed) {
		connection_hang_up(c, 0);
	} else {
		bool other = c->head->method == HTTP_OTHER;
		connection_answer(c, &(struct http_answer){.status = other ? 308 : 301,
		                             .type = "text/plain; charset=utf-8",
		                             .headers = b.p,
		                             .body = STR("This server speaks HTTPS.\n"),
		                             .close = c->head->has_body});
	}
	buf_done(&b);
	return true;
}
