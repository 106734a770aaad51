/* utf8.c - Unicode through utf8proc. pure */
#include "base/utf8.h"

#include <stdlib.h>
#include <utf8proc.h>

#include "base/err.h"

int32_t utf8_next(struct str s, size_t *pos)
{
	utf8proc_int32_t cp = -1;
	if (*pos >= s.n)
		return -1;
	if ((unsigned char)s.p[*pos] < 0x80)
		return (unsigned char)s.p[(*pos)++];
	utf8proc_ssize_t n = utf8proc_iterate(
	        (const utf8proc_uint8_t *)s.p + *pos, (utf8proc_ssize_t)(s.n - *pos), &cp);
	if (n <= 0)
		return -1;
	*pos += (size_t)n;
	return cp;
}

/* Most of what is written is ASCII: eight bytes at a time, from pos on; returns where it ends, at
 * the latest s.n. */
static size_t skip_ascii(struct str s, size_t pos)
{
	for (uint64_t eight; pos + sizeof eight <= s.n; pos += sizeof eight) {
		memcpy(&eight, s.p + pos, sizeof eight);
		if (eight & UINT64_C(0x8080808080808080))
			break;
	}
	while (pos < s.n && (unsigned char)s.p[pos] < 0x80)
		pos++;
	return pos;
}

bool utf8_valid(struct str s)
{
	size_t pos = 0;
	while ((pos = skip_ascii(s, pos)) < s.n) {
		if (utf8_next(s, &pos) < 0)
			return false;
	}
	return true;
}

void utf8_put(struct buf *b, int32_t cp)
{
	utf8proc_uint8_t bytes[4];
	if (cp >= 0 && cp < 0x80) {
		buf_putc(b, (char)cp);
		return;
	}
	utf8proc_ssize_t n = utf8proc_encode_char(cp, bytes);
	buf_add(b, bytes, (size_t)n);
}

size_t utf8_units16(struct str s)
{
	size_t pos = 0, units = 0;
	while (pos < s.n) {
		int32_t cp = utf8_next(s, &pos);
		if (cp < 0)
			break;
		units += cp > 0xffff ? 2 : 1;
	}
	return units;
}

static int map_with(struct str s, struct buf *out, utf8proc_option_t options)
{
	utf8proc_uint8_t *text = NULL;
	if (skip_ascii(s, 0) == s.n) { /* the same in every normal form */
		size_t at = out->n;
		buf_str(out, s);
		for (; options & UTF8PROC_CASEFOLD && at < out->n; at++)
			out->p[at] = ascii_lower(out->p[at]);
		return out->failed ? ERR_NOMEM : 0;
	}
	if (!utf8_valid(s))
		return ERR_BADMSG;
	utf8proc_ssize_t n =
	        utf8proc_map((const utf8proc_uint8_t *)s.p, (utf8proc_ssize_t)s.n, &text, options);
	if (n < 0)
		return n == UTF8PROC_ERROR_NOMEM ? ERR_NOMEM : ERR_BADMSG;
	buf_add(out, text, (size_t)n);
	free(text); /* utf8proc's own malloc */
	return out->failed ? ERR_NOMEM : 0;
}

int utf8_nfc(struct str s, struct buf *out)
{
	return map_with(s, out, UTF8PROC_STABLE | UTF8PROC_COMPOSE);
}

int utf8_nfkc(struct str s, struct buf *out)
{
	return map_with(s, out, UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT);
}

int utf8_nfkd_fold(struct str s, struct buf *out)
{
	return map_with(
	        s, out, UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD);
}

/* Unicode 3.13 Final_Sigma asks for cased letters around, skipping case-ignorable characters. */
static bool is_cased(int32_t cp)
{
	utf8proc_category_t c = utf8proc_category(cp);
	return c == UTF8PROC_CATEGORY_LU || c == UTF8PROC_CATEGORY_LL ||
	       c == UTF8PROC_CATEGORY_LT || (cp >= 0x2160 && cp <= 0x217f) ||
	       (cp >= 0x24b6 && cp <= 0x24e9) || cp == 0xaa || cp == 0xba;
}

static bool is_case_ignorable(int32_t cp)
{
	switch (utf8proc_category(cp)) {
	case UTF8PROC_CATEGORY_MN:
	case UTF8PROC_CATEGORY_ME:
	case UTF8PROC_CATEGORY_CF:
	case UTF8PROC_CATEGORY_LM:
	case UTF8PROC_CATEGORY_SK:
		return true;
	default:
		return cp == 0x27 || cp == 0x2e || cp == 0x3a || cp == 0xb7 || cp == 0x2018 ||
		       cp == 0x2019 || cp == 0x2024 || cp == 0x2027 || cp == 0xfe13 ||
		       cp == 0xfe52 || cp == 0xfe55 || cp == 0xff07 || cp == 0xff0e || cp == 0xff1a;
	}
}

static bool cased_follows(struct str s, size_t pos)
{
	while (pos < s.n) {
		int32_t cp = utf8_next(s, &pos);
		if (!is_case_ignorable(cp))
			return is_cased(cp);
	}
	return false;
}

int utf8_lower(struct str s, struct buf *out)
{
	bool cased_before = false;
	size_t pos = 0;
	if (!utf8_valid(s))
		return ERR_BADMSG;
	while (pos < s.n) {
		int32_t cp = utf8_next(s, &pos);
		if (cp == 0x3a3)
			utf8_put(out, cased_before && !cased_follows(s, pos) ? 0x3c2 : 0x3c3);
		else if (cp == 0x130) /* the one unconditional lower case of two code points */
			buf_puts(out, "i\xcc\x87");
		else
			utf8_put(out, utf8proc_tolower(cp));
		if (!is_case_ignorable(cp))
			cased_before = is_cased(cp);
	}
	return out->failed ? ERR_NOMEM : 0;
}

/* utf8proc names categories in the order of the Unicode standard: LU..LO, MN..ME, ND..NO, PC..PO,
 * SM..SO, Z..., C... */
static bool in_range(int32_t cp, utf8proc_category_t from, utf8proc_category_t to)
{
	utf8proc_category_t c = utf8proc_category(cp);
	return c >= from && c <= to;
}

bool utf8_is_letter(int32_t cp)
{
	return in_range(cp, UTF8PROC_CATEGORY_LU, UTF8PROC_CATEGORY_LO);
}

bool utf8_is_mark(int32_t cp)
{
	return in_range(cp, UTF8PROC_CATEGORY_MN, UTF8PROC_CATEGORY_ME);
}

bool utf8_is_digit(int32_t cp)
{
	return in_range(cp, UTF8PROC_CATEGORY_ND, UTF8PROC_CATEGORY_NO);
}

bool utf8_is_space(int32_t cp)
{
	return utf8proc_category(cp) == UTF8PROC_CATEGORY_ZS;
}

bool utf8_is_graphic(int32_t cp)
{
	return utf8_is_letter(cp) || in_range(cp, UTF8PROC_CATEGORY_ND, UTF8PROC_CATEGORY_SO);
}
