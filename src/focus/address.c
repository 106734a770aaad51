/* address.c - which addresses are rooms, also those of tenants, and the one name of each. pure */
#include "base/err.h"
#include "focus/internal.h"
#include "policy/match.h"
#include "xmpp/muc_host.h"

static struct muc_host host_of(const struct focus *f)
{
	const struct focus_settings *set = &f->settings;
	return muc_host_make(set->muc_domain, set->domain, set->tenants);
}

bool address_is_room(const struct focus *f, struct str domain)
{
	const struct muc_host h = host_of(f);
	struct str tenant;
	return muc_host_has(&h, domain, &tenant);
}

bool address_outward(const struct focus *f, struct jid *jid, struct arena *a)
{
	const struct muc_host h = host_of(f);
	struct str tenant, node;
	if (!h.prefix || !str_eq(jid->domain, h.domain) || jid->node.n == 0)
		return true;
	room_split_tenant(jid->node, &tenant, &node);
	if (tenant.n == 0)
		return true;
	struct buf b;
	struct jid outward;
	buf_init(&b, 0);
	buf_str(&b, node);
	buf_putc(&b, '@');
	muc_host_write(&h, tenant, &b);
	if (!str_absent(jid->resource)) {
		buf_putc(&b, '/');
		buf_str(&b, jid->resource);
	}
	int err = b.failed ? ERR_NOMEM : jid_parse(buf_view(&b), a, &outward);
	buf_done(&b);
	if (err == ERR_NOMEM)
		return false;
	/* what is no address that way is none of a tenant, and as a room's name refused */
	if (!err)
		*jid = outward;
	return true;
}
