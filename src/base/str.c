/* str.c - borrowed byte strings. pure */
#include "base/str.h"

char ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool str_eq(struct str a, struct str b)
{
	if (!a.p || !b.p)
		return !a.p && !b.p;
	return a.n == b.n && memcmp(a.p, b.p, a.n) == 0;
}

bool str_eqc(struct str a, const char *z)
{
	return str_eq(a, str_c(z));
}

bool str_eq_ascii_nocase(struct str a, struct str b)
{
	if (a.n != b.n || !a.p || !b.p)
		return false;
	for (size_t i = 0; i < a.n; i++) {
		if (ascii_lower(a.p[i]) != ascii_lower(b.p[i]))
			return false;
	}
	return true;
}

bool str_starts(struct str s, struct str prefix)
{
	return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

bool str_ends(struct str s, struct str suffix)
{
	return s.n >= suffix.n &&
	       (suffix.n == 0 || memcmp(s.p + (s.n - suffix.n), suffix.p, suffix.n) == 0);
}

size_t str_find(struct str s, char c)
{
	const char *hit = s.n ? memchr(s.p, c, s.n) : NULL;
	return hit ? (size_t)(hit - s.p) : s.n;
}

struct str str_sub(struct str s, size_t from, size_t to)
{
	if (to > s.n)
		to = s.n;
	if (from > to)
		from = to;
	return (struct str){s.p ? s.p + from : NULL, to - from};
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

struct str str_trim(struct str s)
{
	while (s.n && is_space(s.p[0])) {
		s.p++;
		s.n--;
	}
	while (s.n && is_space(s.p[s.n - 1]))
		s.n--;
	return s;
}

struct str str_split(struct str *rest, char sep)
{
	size_t at = str_find(*rest, sep);
	struct str part = str_sub(*rest, 0, at);
	*rest = at < rest->n ? str_sub(*rest, at + 1, rest->n) : STR_NONE;
	return part;
}

bool str_u64(struct str s, uint64_t *out)
{
	uint64_t v = 0;
	if (s.n == 0)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		uint64_t digit = (uint64_t)(s.p[i] - '0');
		if (v > (UINT64_MAX - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	*out = v;
	return true;
}

bool str_eq_secret(struct str a, struct str b)
{
	if (a.n != b.n)
		return false;
	volatile unsigned char diff = 0;
	for (size_t i = 0; i < a.n; i++)
		diff = (unsigned char)(diff | (a.p[i] ^ b.p[i]));
	return diff == 0;
}
