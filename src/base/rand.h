/* rand.h - random bytes from the operating system's generator. io */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool rand_bytes(void *out, size_t n); /* false: no randomness, refuse */
/* A random (version 4) UUID in lower case into out[37]. */
bool rand_uuid(char out[37]);
/* n lower-case hex digits plus NUL. */
bool rand_hex(char *out, size_t digits);
