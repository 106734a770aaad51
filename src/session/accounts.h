/* accounts.h - the accounts of services: from the configuration, without their passwords. io
 *
 * Made once, before the first thread; then read by all workers. Only the count of wrong passwords
 * changes, behind a small lock. An unknown name looks like a wrong password: it has a salt and
 * keys, which fit nothing. Thread: any. */
#pragma once
#include "policy/service.h"
#include "session/scram.h"

struct account {
	enum service service;
	struct str node, domain; /* as in its JID */
};

/* As the configuration has it. */
struct account_order {
	struct str node, domain; /* as jid_parse leaves them */
	struct str password;
	enum service service;
};

struct accounts;

/* wrong_per_minute: passwords per address (an IPv6 /64), with a burst of as many; from this
 * machine ten times that. Passwords are not kept. NULL: no memory. */
struct accounts *accounts_new(
        const struct account_order *orders, size_t n, uint32_t wrong_per_minute);
void accounts_free(struct accounts *a); /* NULL is fine */

/* The domain as it is written in JIDs, if it has accounts; else absent. a NULL: none has. Lives as
 * long as the accounts. */
struct str accounts_domain(const struct accounts *a, struct str domain);

/* What an exchange of SCRAM needs for a name, known or not. */
struct account_proof {
	const struct account *account; /* NULL: there is none, and no proof will do */
	uint8_t salt[SCRAM_SALT];
	struct scram_keys keys;
};
struct str account_salt(const struct account_proof *p);
/* user: a node, or a bare JID of that domain. False: no memory. */
bool accounts_scram(const struct accounts *a, struct str domain, struct str user,
        enum hash_kind hash, struct account_proof *out);
/* The account of that name and password; NULL: wrong, or no memory. */
const struct account *accounts_plain(
        const struct accounts *a, struct str domain, struct str user, struct str password);

/* A password is about to be judged: false when this address has had too many wrong ones. It counts
 * as wrong until accounts_right. */
bool accounts_try(struct accounts *a, struct str peer, uint64_t now_ms);
void accounts_right(struct accounts *a, struct str peer);
