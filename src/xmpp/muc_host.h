/* muc_host.h - the domain of the rooms, and those that tenants have in its place. pure
 *
 *   room@conference.meet.example          nobody's
 *   room@conference.acme.meet.example     the tenant acme's
 *   [acme]room@conference.meet.example    the same, as it may be written too
 *
 * The second form is the only one that a room knows of itself, so whatever is written about it,
 * addresses in JSON included, is what its clients expect (signaling.md 0.2). */
#pragma once
#include "xmpp/jid.h"

/* A value; borrows the text that it was made of. */
struct muc_host {
	struct str domain;
	size_t prefix; /* bytes of domain before that of the server; 0: no tenants */
};

/* server: the domain that the room domain is below; without that there are no tenants. */
struct muc_host muc_host_make(struct str domain, struct str server, bool tenants);
/* Is this (normalised) domain one of rooms? tenant: absent where it is nobody's. */
bool muc_host_has(const struct muc_host *h, struct str domain, struct str *tenant);
/* Appends the domain of a tenant, as a client makes it of a path's segment: lower case, and `_` for
 * each dot. Absent or empty, or where there are no tenants: the domain itself. */
void muc_host_write(const struct muc_host *h, struct str tenant, struct buf *out);
