/* base64.c - base64 and base64url. pure */
#include "base/base64.h"

#include "base/err.h"

static int digit(char c, const char last[2])
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == last[0])
		return 62;
	return c == last[1] ? 63 : -1;
}

static int decode(struct str s, const char last[2], struct buf *out)
{
	uint32_t bits = 0;
	int have = 0;
	if (s.n % 4 == 1)
		return ERR_BADMSG;
	for (size_t i = 0; i < s.n; i++) {
		int d = digit(s.p[i], last);
		if (d < 0)
			return ERR_BADMSG;
		bits = bits << 6 | (uint32_t)d;
		have += 6;
		if (have >= 8) {
			have -= 8;
			buf_putc(out, (char)(bits >> have & 0xff));
		}
	}
	if (bits & ((1u << have) - 1))
		return ERR_BADMSG;
	return out->failed ? ERR_NOMEM : 0;
}

int base64url_decode(struct str s, struct buf *out)
{
	return decode(s, "-_", out);
}

int base64_decode(struct str s, struct buf *out)
{
	if (s.n % 4)
		return ERR_BADMSG;
	for (int i = 0; i < 2 && s.n && s.p[s.n - 1] == '='; i++)
		s.n--;
	return decode(s, "+/", out);
}

#define COMMON_DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

static void encode(struct str s, const char *digits, struct buf *out)
{
	uint32_t bits = 0;
	int have = 0;
	for (size_t i = 0; i < s.n; i++) {
		bits = bits << 8 | (unsigned char)s.p[i];
		have += 8;
		while (have >= 6) {
			have -= 6;
			buf_putc(out, digits[bits >> have & 63]);
		}
	}
	if (have)
		buf_putc(out, digits[bits << (6 - have) & 63]);
}

void base64url_encode(struct str s, struct buf *out)
{
	encode(s, COMMON_DIGITS "-_", out);
}

void base64_encode(struct str s, struct buf *out)
{
	encode(s, COMMON_DIGITS "+/", out);
	buf_puts(out, s.n % 3 == 0 ? "" : s.n % 3 == 1 ? "==" : "=");
}
