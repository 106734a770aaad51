/* http.c - request heads: whole and piece by piece must mean the same, and nothing may point
 * outside. io */
#include <stdlib.h>

#include "base/err.h"
#include "http/forwarded.h"
#include "http/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void inside(struct str s, struct str of)
{
	if (s.n && !(s.p >= of.p && s.p + s.n <= of.p + of.n))
		abort();
}

/* Whatever a proxy writes, the client has an address, which reads as it is written, and nobody but
 * a trusted proxy changes it. */
static void check_forwarded(const struct http_head *h)
{
	static const char *const direct[] = {"10.0.0.1", "192.0.2.1", "fd00::1"};
	struct network trusted[2];
	struct forwarded f;
	if (!network_parse(STR("10.0.0.0/8"), &trusted[0]) ||
	        !network_parse(STR("fd00::/8"), &trusted[1]))
		abort();
	for (size_t i = 0; i < 3; i++) {
		struct address a;
		char text[ADDRESS_TEXT_MAX];
		forwarded_read(h, trusted, 2, str_c(direct[i]), &f);
		if (!address_parse(str_c(f.peer), &a) || f.loopback != address_loopback(&a))
			abort();
		address_write(&a, text);
		if (!str_eqc(str_c(text), f.peer))
			abort();
		if (i == 1 && (f.by_proxy || f.https || !str_eqc(str_c(f.peer), direct[i])))
			abort();
	}
}

static void use(const struct http_head *h, struct str in)
{
	check_forwarded(h);
	struct buf out;
	buf_init(&out, 1u << 20);
	if (h->bytes > in.n || h->n_fields > HTTP_MAX_HEADERS)
		abort();
	inside(h->method_name, in);
	inside(h->query, in);
	for (size_t i = 0; i < h->n_fields; i++) {
		inside(h->fields[i].name, in);
		inside(h->fields[i].value, in);
	}
	if (h->method != HTTP_OTHER && (h->path.n == 0 || h->path.p[0] != '/'))
		abort();
	if (http_percent_decode(h->path, false, &out) == ERR_OK &&
	        memchr(out.p ? out.p : "", 0, out.n))
		abort();
	buf_reset(&out);
	(void)http_query_get(h->query, "token", &out);
	(void)http_field_has(h, "connection", "upgrade", false);
	buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct http_limits limits = {.max_head = 1024, .max_target = 512};
	struct str in = str_from((const char *)data, size);
	struct http_head whole, part;
	size_t seen = 0;
	struct network net;
	if (network_parse(in, &net) && !network_has(&net, &net.base))
		abort();
	int err = http_parse(in, &limits, &seen, &whole);
	if (err != ERR_OK && err != ERR_AGAIN && (whole.status < 400 || whole.status > 505))
		abort();
	if (err != ERR_OK)
		return 0;
	use(&whole, in);
	seen = 0;
	for (size_t n = 0; n < whole.bytes; n += 1 + n / 3) {
		if (http_parse(str_sub(in, 0, n), &limits, &seen, &part) != ERR_AGAIN)
			abort();
	}
	if (http_parse(in, &limits, &seen, &part) != ERR_OK || part.bytes != whole.bytes ||
	        part.n_fields != whole.n_fields)
		abort();
	return 0;
}
