/* certificates.h - the certificates that the configuration names, for every listener that speaks
 * TLS: read at the start, read again on request. io
 *
 * Thread: the main one. */
#pragma once
#include "config/config.h"
#include "net/tls.h"

/* May there be TLS at all: files are named, or a certificate is made here. */
bool certificates_wanted(const struct config *c);
/* Reads them into t, in place of those that are there; the self-signed one, which lies in the state
 * folder, is made when it is missing or runs out. self_signed: make one although tls_self_signed
 * does not say so (a listener that needs some certificate), where no files are named. False:
 * nothing has changed, why holds one line that names the setting. Warnings go to the log. */
bool certificates_load(const struct config *c, struct tls_context *t, bool self_signed, char *why,
        size_t why_size);
/* For `gavel check`: reads and writes nothing else. Warnings are appended, a line each. */
bool certificates_check(const struct config *c, struct buf *warnings, char *why, size_t why_size);

/* Numeric addresses of this host, none of loopback or link: at most max. Returns how many. */
size_t host_addresses(char (*out)[46], size_t max);
