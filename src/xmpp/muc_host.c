/* muc_host.c - domains of rooms and of tenants' rooms. pure */
#include "xmpp/muc_host.h"

#include "base/err.h"
#include "base/utf8.h"

struct muc_host muc_host_make(struct str domain, struct str server, bool tenants)
{
	struct muc_host h = {.domain = domain};
	size_t all = domain.n, own = server.n;
	if (tenants && own && all > own + 1 && str_ends(domain, server) &&
	        domain.p[all - own - 1] == '.')
		h.prefix = all - own;
	return h;
}

bool muc_host_has(const struct muc_host *h, struct str domain, struct str *tenant)
{
	struct str server = str_sub(h->domain, h->prefix, h->domain.n);
	*tenant = STR_NONE;
	if (str_eq(domain, h->domain))
		return true;
	if (h->prefix == 0 || domain.n <= h->domain.n + 1 ||
	        !str_starts(domain, str_sub(h->domain, 0, h->prefix)) ||
	        !str_ends(domain, server) || domain.p[domain.n - server.n - 1] != '.')
		return false;
	struct str label = str_sub(domain, h->prefix, domain.n - server.n - 1);
	for (size_t i = 0; i < label.n; i++) {
		if (strchr(".[]", label.p[i]))
			return false;
	}
	*tenant = label;
	return true;
}

void muc_host_write(const struct muc_host *h, struct str tenant, struct buf *out)
{
	struct buf low;
	if (h->prefix == 0 || tenant.n == 0) {
		buf_str(out, h->domain);
		return;
	}
	buf_init(&low, 0);
	if (utf8_lower(tenant, &low) != ERR_OK)
		out->failed = true;
	buf_str(out, str_sub(h->domain, 0, h->prefix));
	for (size_t i = 0; i < low.n; i++)
		buf_putc(out, low.p[i] == '.' ? '_' : low.p[i]);
	buf_putc(out, '.');
	buf_str(out, str_sub(h->domain, h->prefix, h->domain.n));
	buf_done(&low);
}
