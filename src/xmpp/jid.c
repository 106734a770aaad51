/* jid.c - addresses, normalised and split. pure */
#include "xmpp/jid.h"

#include "base/err.h"
#include "base/utf8.h"

/* Bytes that a node may hold, after normalising. */
static bool jid_node_ok(struct str node)
{
	size_t pos = 0;
	if (node.n == 0 || node.n > JID_PART_MAX)
		return false;
	while (pos < node.n) {
		int32_t cp = utf8_next(node, &pos);
		if (cp < 0 || cp <= 0x20 || (cp >= 0x7f && cp < 0xa0) || utf8_is_space(cp) ||
		        cp == 0x2028 || cp == 0x2029)
			return false;
		if (cp < 0x80 && strchr("\"&'/:<>@", (int)cp))
			return false;
		if ((cp & 0xfffe) == 0xfffe || (cp >= 0xfdd0 && cp <= 0xfdef) ||
		        (cp >= 0xe000 && cp <= 0xf8ff))
			return false;
	}
	return true;
}

bool jid_resource_ok(struct str resource)
{
	size_t pos = 0;
	if (resource.n == 0 || resource.n > JID_PART_MAX)
		return false;
	while (pos < resource.n) {
		int32_t cp = utf8_next(resource, &pos);
		if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || (cp & 0xfffe) == 0xfffe)
			return false;
	}
	return true;
}

static bool domain_ok(struct str d)
{
	if (d.n == 0 || d.n > JID_PART_MAX || d.p[0] == '.' || d.p[d.n - 1] == '.')
		return false;
	for (size_t i = 0; i < d.n; i++) {
		unsigned char c = (unsigned char)d.p[i];
		if (c <= 0x20 || c == 0x7f || strchr("\"&'/<>@\\", c))
			return false;
		if (c == '.' && i > 0 && d.p[i - 1] == '.')
			return false;
	}
	return utf8_valid(d);
}

bool jid_nick_ok(struct str nick)
{
	if (nick.n == 0 || nick.n > 64)
		return false;
	for (size_t i = 0; i < nick.n; i++) {
		char c = ascii_lower(nick.p[i]);
		bool alnum = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
		if (!alnum && (c != '_' || i == 0))
			return false;
	}
	return true;
}

static bool is_plain_node(struct str node)
{
	for (size_t i = 0; i < node.n; i++) {
		unsigned char c = (unsigned char)node.p[i];
		if (c >= 0x80 || (c >= 'A' && c <= 'Z'))
			return false;
	}
	return true;
}

/* NFKC, lower case, and NFKC again (RFC 3491 prepares in this way but for its tables). */
static int add_node(struct buf *b, struct str node)
{
	if (is_plain_node(node)) {
		buf_str(b, node);
		return ERR_OK;
	}
	struct buf wide, low;
	buf_init(&wide, 8 * JID_PART_MAX);
	buf_init(&low, 8 * JID_PART_MAX);
	int err = utf8_nfkc(node, &wide);
	if (!err)
		err = utf8_lower(buf_view(&wide), &low);
	if (!err)
		err = utf8_nfkc(buf_view(&low), b);
	buf_done(&wide);
	buf_done(&low);
	return err;
}

static int normalise(struct str s, struct buf *b)
{
	struct str rest = s;
	size_t slash = str_find(s, '/');
	struct str resource = slash < s.n ? str_sub(s, slash + 1, s.n) : STR_NONE;
	rest.n = slash;
	size_t at = str_find(rest, '@');
	struct str node = at < rest.n ? str_sub(rest, 0, at) : STR_NONE;
	struct str domain = at < rest.n ? str_sub(rest, at + 1, rest.n) : rest;
	if (node.n > JID_PART_MAX || domain.n > JID_PART_MAX || resource.n > JID_PART_MAX)
		return ERR_LIMIT;
	if (domain.n && domain.p[domain.n - 1] == '.')
		domain.n--;
	if (!domain_ok(domain) || (!str_absent(resource) && !jid_resource_ok(resource)))
		return ERR_BADMSG;
	if (!str_absent(node)) {
		int err = add_node(b, node);
		if (err)
			return err;
		if (b->failed)
			return ERR_NOMEM;
		if (!jid_node_ok(buf_view(b)))
			return b->n > JID_PART_MAX ? ERR_LIMIT : ERR_BADMSG;
		buf_putc(b, '@');
	}
	for (size_t i = 0; i < domain.n; i++)
		buf_putc(b, ascii_lower(domain.p[i]));
	if (!str_absent(resource)) {
		buf_putc(b, '/');
		buf_str(b, resource);
	}
	return b->failed ? ERR_NOMEM : ERR_OK;
}

int jid_parse(struct str s, struct arena *a, struct jid *out)
{
	*out = (struct jid){0};
	if (s.n == 0)
		return ERR_BADMSG;
	if (s.n > JID_MAX)
		return ERR_LIMIT;
	struct buf b;
	buf_init(&b, 0);
	int err = normalise(s, &b);
	if (!err) {
		struct str full = arena_str(a, buf_view(&b));
		if (str_absent(full))
			err = ERR_NOMEM;
		else
			*out = jid_view(full);
	}
	buf_done(&b);
	return err;
}

struct jid jid_view(struct str s)
{
	struct jid j = {.full = s, .bare = s};
	size_t slash = str_find(s, '/');
	if (slash < s.n) {
		j.bare.n = slash;
		j.resource = str_sub(s, slash + 1, s.n);
	}
	size_t at = str_find(j.bare, '@');
	if (at < j.bare.n) {
		j.node = str_sub(j.bare, 0, at);
		j.domain = str_sub(j.bare, at + 1, j.bare.n);
	} else {
		j.domain = j.bare;
	}
	return j;
}
