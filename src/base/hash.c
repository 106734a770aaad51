/* hash.c - SHA-256 (OpenSSL) and SipHash-1-3 (Aumasson and Bernstein), whose key is drawn once per
 * process. io */
#include "base/hash.h"

/* The older calls work on the stack. What took their place allocates, and a sum that is not written
 * for want of memory would be no error but a wrong sum. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <pthread.h>
#include <stdlib.h>

void hash_sha256(struct str s, uint8_t out[32])
{
	SHA256_CTX c;
	SHA256_Init(&c);
	SHA256_Update(&c, s.p, s.n);
	SHA256_Final(out, &c);
}

void hash_sha1(struct str s, uint8_t out[20])
{
	SHA_CTX c;
	SHA1_Init(&c);
	SHA1_Update(&c, s.p, s.n);
	SHA1_Final(out, &c);
}

static const EVP_MD *method(enum hash_kind k)
{
	return k == HASH_SHA_1 ? EVP_sha1() : EVP_sha256();
}

size_t hash_size(enum hash_kind k)
{
	return k == HASH_SHA_1 ? 20 : 32;
}

bool hash_digest(enum hash_kind k, struct str s, uint8_t out[HASH_MAX])
{
	memset(out, 0, HASH_MAX);
	return EVP_Digest(s.p ? s.p : "", s.n, out, NULL, method(k), NULL) == 1;
}

bool hash_hmac(enum hash_kind k, struct str key, struct str s, uint8_t out[HASH_MAX])
{
	memset(out, 0, HASH_MAX);
	return HMAC(method(k), key.p ? key.p : "", (int)key.n, (const unsigned char *)s.p, s.n, out,
	               NULL) != NULL;
}

bool hash_pbkdf2(enum hash_kind k, struct str password, struct str salt, unsigned iterations,
        uint8_t out[HASH_MAX])
{
	memset(out, 0, HASH_MAX);
	return PKCS5_PBKDF2_HMAC(password.p ? password.p : "", (int)password.n,
	               (const unsigned char *)salt.p, (int)salt.n, (int)iterations, method(k),
	               (int)hash_size(k), out) == 1;
}

void hash_hex(const uint8_t *bytes, size_t n, char *out)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < n; i++) {
		out[2 * i] = digits[bytes[i] >> 4];
		out[2 * i + 1] = digits[bytes[i] & 15];
	}
	out[2 * n] = '\0';
}

static uint64_t sip_key[2];
static pthread_once_t sip_once = PTHREAD_ONCE_INIT;

static void sip_draw(void)
{
	if (RAND_bytes((unsigned char *)sip_key, sizeof sip_key) != 1)
		abort(); /* without randomness there are no tokens, no ids, no server */
}

static uint64_t rotl(uint64_t x, int b)
{
	return (x << b) | (x >> (64 - b));
}

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotl(v[1], 13) ^ v[0];
	v[0] = rotl(v[0], 32);
	v[2] += v[3];
	v[3] = rotl(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotl(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotl(v[1], 17) ^ v[2];
	v[2] = rotl(v[2], 32);
}

uint64_t hash_key(struct str s)
{
	pthread_once(&sip_once, sip_draw);
	uint64_t v[4] = {
	        sip_key[0] ^ 0x736f6d6570736575,
	        sip_key[1] ^ 0x646f72616e646f6d,
	        sip_key[0] ^ 0x6c7967656e657261,
	        sip_key[1] ^ 0x7465646279746573,
	};
	uint64_t last = (uint64_t)s.n << 56;
	size_t i = 0;
	for (; i + 8 <= s.n; i += 8) {
		uint64_t m;
		memcpy(&m, s.p + i, 8);
		v[3] ^= m;
		sip_round(v);
		v[0] ^= m;
	}
	for (int shift = 0; i < s.n; i++, shift += 8)
		last |= (uint64_t)(unsigned char)s.p[i] << shift;
	v[3] ^= last;
	sip_round(v);
	v[0] ^= last;
	v[2] ^= 0xff;
	for (int r = 0; r < 3; r++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}
