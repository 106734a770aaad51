/* address.c - numeric IP addresses and networks. pure */
#include "base/address.h"

#include <stdio.h>

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool address_is_v4(const struct address *a)
{
	return memcmp(a->bytes, mapped, sizeof mapped) == 0;
}

bool address_loopback(const struct address *a)
{
	static const uint8_t one[16] = {[15] = 1};
	return address_is_v4(a) ? a->bytes[12] == 127 : memcmp(a->bytes, one, sizeof one) == 0;
}

static bool parse_v4(struct str s, uint8_t out[4])
{
	for (int i = 0; i < 4; i++) {
		if (str_absent(s))
			return false;
		struct str part = str_split(&s, '.');
		uint64_t octet;
		if (part.n > 3 || (part.n > 1 && part.p[0] == '0') || !str_u64(part, &octet) ||
		        octet > 255)
			return false;
		out[i] = (uint8_t)octet;
	}
	return str_absent(s);
}

static bool parse_group(struct str s, uint8_t out[2])
{
	unsigned value = 0;
	if (s.n == 0 || s.n > 4)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = ascii_lower(s.p[i]);
		if (c >= '0' && c <= '9')
			value = value * 16 + (unsigned)(c - '0');
		else if (c >= 'a' && c <= 'f')
			value = value * 16 + (unsigned)(c - 'a') + 10;
		else
			return false;
	}
	out[0] = (uint8_t)(value >> 8);
	out[1] = (uint8_t)value;
	return true;
}

/* Groups between colons into out, the last perhaps as IPv4. The number of bytes, or -1. */
static int parse_groups(struct str s, bool v4_fits, uint8_t out[16])
{
	int n = 0;
	if (s.n == 0)
		return 0;
	while (!str_absent(s)) {
		struct str part = str_split(&s, ':');
		bool v4 = v4_fits && str_absent(s) && str_find(part, '.') < part.n;
		if (n + (v4 ? 4 : 2) > 16)
			return -1;
		if (v4 ? !parse_v4(part, out + n) : !parse_group(part, out + n))
			return -1;
		n += v4 ? 4 : 2;
	}
	return n;
}

static size_t find_gap(struct str s)
{
	for (size_t i = 0; i + 1 < s.n; i++) {
		if (s.p[i] == ':' && s.p[i + 1] == ':')
			return i;
	}
	return s.n;
}

bool address_parse(struct str s, struct address *out)
{
	uint8_t front[16], back[16];
	if (s.n < 2 || s.n >= ADDRESS_TEXT_MAX)
		return false;
	*out = (struct address){0};
	if (str_find(s, ':') == s.n) {
		memcpy(out->bytes, mapped, sizeof mapped);
		return parse_v4(s, out->bytes + 12);
	}
	size_t gap = find_gap(s);
	if (gap == s.n)
		return parse_groups(s, true, out->bytes) == 16;
	int n = parse_groups(str_sub(s, 0, gap), false, front);
	int m = parse_groups(str_sub(s, gap + 2, s.n), true, back);
	if (n < 0 || m < 0 || n + m > 14)
		return false;
	memcpy(out->bytes, front, (size_t)n);
	memcpy(out->bytes + 16 - m, back, (size_t)m);
	return true;
}

static unsigned group_of(const struct address *a, int i)
{
	return (unsigned)a->bytes[2 * i] << 8 | a->bytes[2 * i + 1];
}

/* The longest run of two or more groups of zeros, the first of the longest. */
static int longest_gap(const struct address *a, int *length)
{
	int best = -1;
	*length = 1;
	for (int i = 0; i < 8; i++) {
		int n = 0;
		while (i + n < 8 && group_of(a, i + n) == 0)
			n++;
		if (n > *length) {
			best = i;
			*length = n;
		}
		i += n;
	}
	return best;
}

void address_write(const struct address *a, char out[ADDRESS_TEXT_MAX])
{
	int n = 0, length, gap = longest_gap(a, &length);
	if (address_is_v4(a)) {
		snprintf(out, ADDRESS_TEXT_MAX, "%u.%u.%u.%u", a->bytes[12], a->bytes[13],
		        a->bytes[14], a->bytes[15]);
		return;
	}
	for (int i = 0; i < 8; i++) {
		if (i == gap) {
			n += snprintf(out + n, (size_t)(ADDRESS_TEXT_MAX - n), "::");
			i += length - 1;
			continue;
		}
		bool colon = i > 0 && !(gap >= 0 && i == gap + length);
		n += snprintf(out + n, (size_t)(ADDRESS_TEXT_MAX - n), "%s%x", colon ? ":" : "",
		        group_of(a, i));
	}
}

struct str address_household(struct str address, char out[ADDRESS_TEXT_MAX])
{
	struct address a;
	if (!address_parse(address, &a)) {
		snprintf(out, ADDRESS_TEXT_MAX, "%.*s", STR_FMT(address));
		return str_c(out);
	}
	if (!address_is_v4(&a))
		memset(&a.bytes[8], 0, 8);
	address_write(&a, out);
	return str_c(out);
}

bool network_parse(struct str s, struct network *out)
{
	size_t slash = str_find(s, '/');
	uint64_t bits = 128;
	if (!address_parse(str_sub(s, 0, slash), &out->base))
		return false;
	bool v4 = str_find(s, ':') == s.n;
	if (slash < s.n) {
		struct str tail = str_sub(s, slash + 1, s.n);
		if (tail.n > 3 || !str_u64(tail, &bits) || bits > (v4 ? 32 : 128))
			return false;
		bits += v4 ? 96 : 0;
	}
	out->bits = (unsigned)bits;
	return true;
}

bool network_has(const struct network *n, const struct address *a)
{
	unsigned whole = n->bits / 8, rest = n->bits % 8;
	if (memcmp(n->base.bytes, a->bytes, whole) != 0)
		return false;
	unsigned mask = 0xff00u >> rest & 0xff;
	return rest == 0 || ((n->base.bytes[whole] ^ a->bytes[whole]) & mask) == 0;
}
