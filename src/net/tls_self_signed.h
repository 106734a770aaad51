/* tls_self_signed.h - a certificate that nobody vouches for, for a trial or between machines that
 * know each other. io */
#pragma once
#include "net/tls.h"

#define SELF_SIGNED_NAMES_MAX 64
#define SELF_SIGNED_DAYS 398      /* the most that browsers take */
#define SELF_SIGNED_RENEW_DAYS 14 /* before its end */

enum self_signed {
	SELF_SIGNED_FAILED,
	SELF_SIGNED_KEPT, /* there is one, good for longer than SELF_SIGNED_RENEW_DAYS */
	SELF_SIGNED_MADE,
};

/* Sees to it that the two files of p are there: EC P-256, for these names (DNS names and numeric
 * addresses), both 0600. A key without its certificate is made anew. On
 * failure errno, or e->text, tells. Thread: one at a time. */
enum self_signed tls_self_signed(
        const struct tls_pair *p, const char *const *names, size_t n, struct tls_error *e);
