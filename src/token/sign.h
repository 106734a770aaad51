/* sign.h - makes compact tokens with the shared secret, for `token make` and `make run`'s links.
 * pure */
#pragma once
#include "base/buf.h"
#include "token/settings.h"

/* Appends header.payload.signature. alg: HS256, HS384 or HS512. ERR_TYPE for another, ERR_NOMEM. */
int token_sign(enum token_alg alg, struct str secret, struct str payload_json, struct buf *out);
