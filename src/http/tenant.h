/* tenant.h - the segment before an endpoint or a room in a path: "/tenant/room". pure
 *
 * The tenant is a prefix of room names (signaling.md 0.2). It stands in scripts, headers and
 * addresses, so it holds nothing that means something there. */
#pragma once
#include "base/buf.h"

#define TENANT_MAX 128 /* bytes */

/* Letters, digits, "-._~" and whatever is not ASCII, as UTF-8; no dot in front. */
bool tenant_ok(struct str tenant);
/* "/tenant/rest" to tenant and "/rest". False: there is none, or it could not be one. */
bool tenant_split(struct str path, struct str *tenant, struct str *rest);
/* Appends the query that the endpoint sees: `prefix` is the tenant, and nothing that the client
 * wrote under that name. */
void tenant_query(struct str tenant, struct str query, struct buf *out);
/* As a part of a domain: lower case, dots become underscores. Appends. */
void tenant_label(struct str tenant, struct buf *out);
