/* rand.c - randomness from OpenSSL's generator, seeded by the system. io */
#include "base/rand.h"

#include <openssl/rand.h>

#include "base/hash.h"

bool rand_bytes(void *out, size_t n)
{
	return n <= 1 << 20 && RAND_bytes(out, (int)n) == 1;
}

bool rand_hex(char *out, size_t digits)
{
	uint8_t raw[64];
	char hex[2 * sizeof raw + 1];
	if (digits > 2 * sizeof raw || !rand_bytes(raw, (digits + 1) / 2))
		return false;
	hash_hex(raw, (digits + 1) / 2, hex);
	for (size_t i = 0; i < digits; i++)
		out[i] = hex[i];
	out[digits] = '\0';
	return true;
}

bool rand_uuid(char out[37])
{
	uint8_t raw[16];
	char hex[33];
	if (!rand_bytes(raw, sizeof raw))
		return false;
	raw[6] = (uint8_t)((raw[6] & 0x0f) | 0x40);
	raw[8] = (uint8_t)((raw[8] & 0x3f) | 0x80);
	hash_hex(raw, sizeof raw, hex);
	size_t n = 0;
	for (size_t i = 0; i < 32; i++) {
		if (i == 8 || i == 12 || i == 16 || i == 20)
			out[n++] = '-';
		out[n++] = hex[i];
	}
	out[n] = '\0';
	return true;
}
