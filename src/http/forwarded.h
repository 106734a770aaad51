/* forwarded.h - for whom a request comes, when a proxy that is trusted says so. pure
 *
 * X-Forwarded-For grows to the right: each proxy appends whom it heard. Read from the right, every
 * entry is as good as the proxy that wrote it, so the first address that is no trusted proxy is the
 * client, and whatever stands left of it is the client's own invention. */
#pragma once
#include "base/address.h"
#include "http/parse.h"

struct forwarded {
	char peer[ADDRESS_TEXT_MAX]; /* of the client: the connection's own without a proxy */
	bool loopback;
	bool by_proxy; /* peer is another one than the connection's */
	bool https;    /* a trusted proxy vouches that the client came by HTTPS */
};

/* direct: the connection's peer. */
void forwarded_read(const struct http_head *h, const struct network *trusted, size_t n,
        struct str direct, struct forwarded *out);
/* x-proxy-region, where the connection is a trusted proxy's: a word of letters, digits, dots,
 * dashes and underscores. Absent: none. Borrows the head. */
#define REGION_MAX 64
struct str forwarded_region(
        const struct http_head *h, const struct network *trusted, size_t n, struct str direct);
bool forwarded_trusts(const struct network *trusted, size_t n, const struct address *a);
