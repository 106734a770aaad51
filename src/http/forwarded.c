/* forwarded.c - for whom a request comes: X-Forwarded-For, X-Real-IP, X-Forwarded-Proto. pure */
#include "http/forwarded.h"

bool forwarded_trusts(const struct network *trusted, size_t n, const struct address *a)
{
	for (size_t i = 0; i < n; i++) {
		if (network_has(&trusted[i], a))
			return true;
	}
	return false;
}

/* "192.0.2.1", "2001:db8::1"; some proxies add a port: "192.0.2.1:4711", "[2001:db8::1]:4711". */
static bool entry_parse(struct str s, struct address *out)
{
	s = str_trim(s);
	if (s.n && s.p[0] == '[') {
		size_t end = str_find(s, ']');
		return end < s.n && address_parse(str_sub(s, 1, end), out);
	}
	size_t colon = str_find(s, ':');
	bool port = colon < s.n && str_find(s, '.') < colon;
	return address_parse(port ? str_sub(s, 0, colon) : s, out);
}

/* Takes the part behind the last comma off *rest; false: nothing is left. */
static bool take_last(struct str *rest, struct str *last)
{
	if (str_absent(*rest))
		return false;
	size_t at = rest->n;
	while (at && rest->p[at - 1] != ',')
		at--;
	*last = str_sub(*rest, at, rest->n);
	*rest = at ? str_sub(*rest, 0, at - 1) : STR_NONE;
	return true;
}

struct walk {
	const struct network *trusted;
	size_t n;
	struct address client; /* as far as it is known */
	bool any;
};

/* From the right: until the client is found, or something that is no address, so that the proxy
 * that wrote it is all that is known. */
static void walk_fields(struct walk *w, const struct http_head *h, const char *name)
{
	for (size_t i = h->n_fields; i-- > 0;) {
		struct str rest = h->fields[i].value, last;
		if (!str_eq_ascii_nocase(h->fields[i].name, str_c(name)))
			continue;
		while (take_last(&rest, &last)) {
			struct address a;
			if (!entry_parse(last, &a))
				return;
			w->client = a;
			w->any = true;
			if (!forwarded_trusts(w->trusted, w->n, &a))
				return;
		}
	}
}

/* What the nearest proxy says, which is the last one to write. */
static bool says_https(const struct http_head *h)
{
	for (size_t i = h->n_fields; i-- > 0;) {
		struct str rest = h->fields[i].value, last = STR_NONE;
		if (str_eq_ascii_nocase(h->fields[i].name, STR("x-forwarded-proto")))
			return take_last(&rest, &last) &&
			       str_eq_ascii_nocase(str_trim(last), STR("https"));
	}
	return false;
}

void forwarded_read(const struct http_head *h, const struct network *trusted, size_t n,
        struct str direct, struct forwarded *out)
{
	struct walk w = {.trusted = trusted, .n = n};
	size_t length = direct.n < sizeof out->peer ? direct.n : sizeof out->peer - 1;
	*out = (struct forwarded){0};
	memcpy(out->peer, direct.p, length);
	if (!address_parse(direct, &w.client))
		return;
	out->loopback = address_loopback(&w.client);
	if (!forwarded_trusts(trusted, n, &w.client))
		return;
	walk_fields(&w, h, "x-forwarded-for");
	if (!http_field_count(h, "x-forwarded-for"))
		walk_fields(&w, h, "x-real-ip");
	out->https = says_https(h);
	if (!w.any)
		return;
	address_write(&w.client, out->peer);
	out->loopback = address_loopback(&w.client);
	out->by_proxy = !str_eq(str_c(out->peer), direct);
}

struct str forwarded_region(
        const struct http_head *h, const struct network *trusted, size_t n, struct str direct)
{
	struct str region = http_field(h, "x-proxy-region");
	struct address peer;
	if (region.n == 0 || region.n > REGION_MAX || http_field_count(h, "x-proxy-region") != 1 ||
	        !address_parse(direct, &peer) || !forwarded_trusts(trusted, n, &peer))
		return STR_NONE;
	for (size_t i = 0; i < region.n; i++) {
		char c = ascii_lower(region.p[i]);
		bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || strchr("._-", c);
		if (!c || !plain)
			return STR_NONE;
	}
	return region;
}
