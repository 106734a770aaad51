/* hash.h - SHA-256, what is built on hashes, and the keyed hash of maps. pure */
#pragma once
#include "base/str.h"

enum hash_kind { HASH_SHA_1, HASH_SHA_256 };
#define HASH_KINDS (HASH_SHA_256 + 1)
#define HASH_MAX 32
size_t hash_size(enum hash_kind k); /* bytes of a digest: what `out` of the next three receives */
/* False: no memory; out is zeroed. */
bool hash_digest(enum hash_kind k, struct str s, uint8_t out[HASH_MAX]);
bool hash_hmac(enum hash_kind k, struct str key, struct str s, uint8_t out[HASH_MAX]);
/* One block of it (RFC 8018 5.2), which is Hi of RFC 5802. */
bool hash_pbkdf2(enum hash_kind k, struct str password, struct str salt, unsigned iterations,
        uint8_t out[HASH_MAX]);

/* Neither allocates, neither fails. */
void hash_sha256(struct str s, uint8_t out[32]);
void hash_sha1(
        struct str s, uint8_t out[20]); /* for the WebSocket handshake alone (RFC 6455 4.2.2) */
void hash_hex(const uint8_t *bytes, size_t n, char *out); /* 2n lower-case digits and NUL */
/* SipHash-1-3 under a random key chosen at process start. */
uint64_t hash_key(struct str s);
