/* registered.h - the claims every token needs (RFC 7519 4.1, and room): times, iss, aud, room, sub.
 * pure */
#pragma once
#include "token/jwt.h"

/* Checks exp, nbf, iat, iss, aud, room, sub in this order (roles.md 3.9) against a payload whose
 * signature holds; moves out->passed, sets warnings; false after the first refusal, which is then
 * in *out. out->issuer is respected.
 */
bool registered_check(const struct token_settings *s, const struct jval *payload, int64_t now,
        struct token_result *out);

/* Writes a refusal into *out: the table's text unless `text` is given; hint is a format. Returns
 * false. */
bool token_refuse(struct token_result *out, enum reason reason, const char *text, const char *hint,
        ...) __attribute__((format(printf, 4, 5)));
