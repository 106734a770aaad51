/* claims.h - turns a verified payload into struct claims. pure */
#pragma once
#include "policy/claims.h"

/* Types of the standard claims and the identity (roles.md 3.7) are read; nothing is checked here,
 * jwt.c has done that. Takes payload over: on success the claims own it, on failure (NULL, no
 * memory) it is freed. One reference.
 */
struct claims *token_claims_new(struct jval *payload, const uint8_t sha256[32], unsigned warnings);

/* The same from text, for fuzzing and tools: NULL when it is no JSON object under the rules of
 * roles.md 1.4. */
struct claims *token_claims_parse(struct str payload_text);
