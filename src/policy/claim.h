/* claim.h - reading the token's word about the role: roles.md 3.3 and 3.3.1. pure */
#pragma once
#include "policy/claims.h"
#include "policy/trace.h"
#include "policy/view.h"

/* Reads the built-in claims and the claim rules and combines them. room may be NULL (then
 * allowner_issuers does not apply). */
void claim_read(const struct policy_settings *s, const struct claims *claims,
        const struct room_view *room, struct claim_reading *out);

/* One value, as the tables of 3.3 class it. */
enum claim_class claim_class_moderator(
        const struct jval *value, enum claim_coercion c, unsigned *warnings);
enum claim_class claim_class_affiliation(
        const struct jval *value, enum claim_coercion c, unsigned *warnings);
