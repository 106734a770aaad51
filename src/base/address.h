/* address.h - numeric IP addresses and networks as values: read, written, compared. pure
 *
 * IPv4 is kept as ::ffff:a.b.c.d (RFC 4291 2.5.5.2), so that both kinds compare as one. */
#pragma once
#include "base/str.h"

#define ADDRESS_TEXT_MAX 46 /* with the NUL; INET6_ADDRSTRLEN */

struct address {
	uint8_t bytes[16];
};

/* "192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1"; nothing around it, no zone, no port. */
bool address_parse(struct str s, struct address *out);
/* As RFC 5952 has it; what is IPv4 as IPv4. */
void address_write(const struct address *a, char out[ADDRESS_TEXT_MAX]);
bool address_loopback(const struct address *a); /* 127.0.0.0/8, ::1 */
bool address_is_v4(const struct address *a);
/* What an address counts by, as text in out: a household has a /64 of IPv6. What is no address
 * stays as it is, cut. */
struct str address_household(struct str address, char out[ADDRESS_TEXT_MAX]);

struct network {
	struct address base;
	unsigned bits; /* 0 to 128, of the 16 bytes */
};
/* "10.0.0.0/8", "2001:db8::/32", or an address alone. Bits behind the prefix do not count. */
bool network_parse(struct str s, struct network *out);
bool network_has(const struct network *n, const struct address *a);
