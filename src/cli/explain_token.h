/* explain_token.h - the verification part of an explanation. pure */
#pragma once
#include "base/buf.h"
#include "cli/case.h"

/* The "token" lines: each step until the first failure; once the signature holds, what the standard
 * claims say. given: claims without a token, nothing was signed. */
void explain_token_lines(
        const struct case_input *in, const struct case_result *r, bool given, struct buf *out);
