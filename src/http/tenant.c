/* tenant.c - tenants in paths. pure */
#include "http/tenant.h"

#include "base/utf8.h"

static bool is_plain(unsigned char c)
{
	char low = ascii_lower((char)c);
	return (low >= 'a' && low <= 'z') || (c >= '0' && c <= '9') || (c && strchr("-._~", c));
}

bool tenant_ok(struct str t)
{
	if (t.n == 0 || t.n > TENANT_MAX || t.p[0] == '.' || !utf8_valid(t))
		return false;
	for (size_t i = 0; i < t.n; i++) {
		unsigned char c = (unsigned char)t.p[i];
		if (c < 0x80 && !is_plain(c))
			return false;
		/* C1 controls, and the line and paragraph separators, end lines in some readers */
		if (c == 0xc2 && (unsigned char)t.p[i + 1] < 0xa0)
			return false;
		if (c == 0xe2 && (unsigned char)t.p[i + 1] == 0x80)
			return false;
	}
	return true;
}

bool tenant_split(struct str path, struct str *tenant, struct str *rest)
{
	struct str inner = str_sub(path, 1, path.n);
	size_t slash = str_find(inner, '/');
	*tenant = str_sub(inner, 0, slash);
	*rest = str_sub(inner, slash, inner.n);
	return slash < inner.n && tenant_ok(*tenant);
}

void tenant_query(struct str tenant, struct str query, struct buf *out)
{
	buf_puts(out, "prefix=");
	for (size_t i = 0; i < tenant.n; i++) {
		unsigned char c = (unsigned char)tenant.p[i];
		if (is_plain(c))
			buf_putc(out, (char)c);
		else
			buf_printf(out, "%%%02X", c);
	}
	while (!str_absent(query)) {
		struct str part = str_split(&query, '&');
		if (part.n == 0 || str_eqc(part, "prefix") || str_starts(part, STR("prefix=")))
			continue;
		buf_putc(out, '&');
		buf_str(out, part);
	}
}

void tenant_label(struct str tenant, struct buf *out)
{
	for (size_t i = 0; i < tenant.n; i++)
		buf_putc(out, tenant.p[i] == '.' ? '_' : ascii_lower(tenant.p[i]));
}
