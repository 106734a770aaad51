/* hash.h - SHA-256, and the keyed hash of maps. pure */
#pragma once
#include "base/str.h"

/* Neither allocates, neither fails. */
void hash_sha256(struct str s, uint8_t out[32]);
void hash_sha1(
        struct str s, uint8_t out[20]); /* for the WebSocket handshake alone (RFC 6455 4.2.2) */
void hash_hmac_sha1(
        struct str key, struct str s, uint8_t out[20]); /* for TURN credentials (XEP-0215) */
void hash_hex(const uint8_t *bytes, size_t n, char *out); /* 2n lower-case digits and NUL */
/* SipHash-1-3 under a random key chosen at process start. */
uint64_t hash_key(struct str s);
