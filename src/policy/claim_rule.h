/* claim_rule.h - one rule of claim_rules against a payload: roles.md 3.3.1. pure */
#pragma once
#include "policy/trace.h"

enum { CLAIM_ARRAY_MAX = 1024 }; /* members of an array that `has` looks into */

void claim_rule_read(
        const struct claim_rule *rule, const struct jval *payload, struct rule_fact *out);
