/* tls_certificate.h - certificate and key files: read, checked, told in words; and a self-signed
 * one made. io */
#pragma once
#include <openssl/types.h>
#include <stdint.h>

#include "base/buf.h"
#include "net/tls.h"

/* Reads a pair and gives it to x. What is no reason to refuse is appended to warnings, a line each.
 * False: *e says which file and why, and what to do. */
bool certificate_use(SSL_CTX *x, const struct tls_pair *pair, bool refuse_expired,
        struct buf *warnings, struct tls_error *e);
