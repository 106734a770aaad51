/* str.h - a borrowed run of bytes: pointer and length, not NUL-terminated. pure
 *
 * A struct str owns nothing; whoever hands it out says until when it lives. An absent string is
 * {NULL, 0}, an empty one has p != NULL. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
	const char *p;
	size_t n;
};

#define STR(literal) ((struct str){(literal), sizeof(literal) - 1})
#define STR_NONE ((struct str){NULL, 0})
/* for printf("%.*s", STR_FMT(s)) */
#define STR_FMT(s) (int)(s).n, (s).p ? (s).p : ""

static inline struct str str_from(const char *p, size_t n)
{
	return (struct str){p, n};
}
static inline struct str str_c(const char *z)
{
	return (struct str){z, z ? strlen(z) : 0};
}
static inline bool str_absent(struct str s)
{
	return s.p == NULL;
}

bool str_eq(struct str a, struct str b); /* bytes; two absent strings are equal, absent != empty */
bool str_eqc(struct str a, const char *z);
bool str_eq_ascii_nocase(struct str a, struct str b);
bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
size_t str_find(struct str s, char c);                    /* index, or s.n when not there */
struct str str_sub(struct str s, size_t from, size_t to); /* clamped */
struct str str_trim(struct str s);                        /* ASCII white space */
/* Takes the part before the first `sep` off *rest and returns it; *rest becomes absent after the
 * last part. */
struct str str_split(struct str *rest, char sep);
/* Decimal, no sign, no spaces, whole string; false on anything else or overflow. */
bool str_u64(struct str s, uint64_t *out);
/* Compares secrets: time depends on the lengths only. */
bool str_eq_secret(struct str a, struct str b);
char ascii_lower(char c);
