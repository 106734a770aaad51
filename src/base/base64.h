/* base64.h - base64 and base64url (RFC 4648). pure */
#pragma once
#include "base/buf.h"

/* Strict base64url without padding: no other bytes, no stray bits in the last digit, no length
 * 4k+1. ERR_BADMSG otherwise. Appends to out. */
int base64url_decode(struct str s, struct buf *out);
void base64url_encode(struct str s, struct buf *out);
/* The other alphabet, padded; as strict. */
int base64_decode(struct str s, struct buf *out);
void base64_encode(struct str s, struct buf *out);
