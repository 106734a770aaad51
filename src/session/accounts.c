/* accounts.c - accounts, looked up, and how often an address was wrong. io */
#include "session/accounts.h"

#include "base/address.h"
#include "base/limit.h"
#include "base/lock.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/utf8.h"
#include "xmpp/jid.h"

#define PASSWORD_MAX 1024
/* Addresses that were wrong of late. More of them push each other out: that gives a guesser who has
 * thousands of addresses some more guesses, and locks nobody out. */
enum { GUESS_SETS = 256, GUESS_WAYS = 4 };
#define LOCAL_FACTOR 10

struct entry {
	struct account account;
	struct account_proof proofs[HASH_KINDS];
	uint8_t plain[HASH_MAX];
	char *jid; /* owned; node and domain point into it */
};

struct guesser {
	uint64_t hash; /* of the address; 0: free */
	struct limit limit;
};

struct accounts {
	uint8_t secret[HASH_MAX]; /* of this process */
	double wrong_per_minute;
	struct lock lock; /* guesses */
	struct guesser guesses[GUESS_SETS][GUESS_WAYS];
	size_t n;
	struct entry entries[];
};

/* HMAC of label and text under the process's secret. */
static bool keyed(
        const struct accounts *a, const char *label, struct str text, uint8_t out[HASH_MAX])
{
	struct buf b;
	buf_init(&b, 0);
	buf_puts(&b, label);
	buf_putc(&b, '\0');
	buf_str(&b, text);
	bool fine = !b.failed &&
	            hash_hmac(HASH_SHA_256, str_from((const char *)a->secret, sizeof a->secret),
	                    buf_view(&b), out);
	if (b.p)
		explicit_bzero(b.p, b.n);
	buf_done(&b);
	return fine;
}

/* Salt, and keys that fit no password: what a name has before somebody finds its account. */
static bool make_up(
        const struct accounts *a, struct str jid, enum hash_kind hash, struct account_proof *out)
{
	static const char *const labels[HASH_KINDS][3] = {
	        {"salt-1", "stored-1", "server-1"}, {"salt-256", "stored-256", "server-256"}};
	uint8_t salt[HASH_MAX];
	*out = (struct account_proof){0};
	bool fine = keyed(a, labels[hash][0], jid, salt) &&
	            keyed(a, labels[hash][1], jid, out->keys.stored) &&
	            keyed(a, labels[hash][2], jid, out->keys.server);
	memcpy(out->salt, salt, SCRAM_SALT);
	return fine;
}

struct str account_salt(const struct account_proof *p)
{
	return str_from((const char *)p->salt, sizeof p->salt);
}

/* RFC 4013, in the measure that passwords of services need. */
static bool prepare(struct str password, struct buf *out)
{
	return password.n <= PASSWORD_MAX && utf8_nfkc(password, out) == 0;
}

static bool add(struct accounts *a, const struct account_order *o)
{
	struct entry *e = &a->entries[a->n];
	struct buf jid, password;
	buf_init(&jid, 0);
	buf_init(&password, 0);
	buf_str(&jid, o->node);
	buf_putc(&jid, '@');
	buf_str(&jid, o->domain);
	bool fine = !jid.failed && prepare(o->password, &password) &&
	            keyed(a, "plain", buf_view(&password), e->plain);
	for (int h = 0; fine && h < HASH_KINDS; h++) {
		struct account_proof *p = &e->proofs[h];
		fine = make_up(a, buf_view(&jid), (enum hash_kind)h, p) &&
		       scram_derive((enum hash_kind)h, buf_view(&password), account_salt(p),
		               SCRAM_ITERATIONS, &p->keys);
		p->account = &e->account;
	}
	if (password.p)
		explicit_bzero(password.p, password.n);
	buf_done(&password);
	e->jid = buf_steal(&jid);
	if (!fine || !e->jid) {
		mem_free(e->jid);
		return false;
	}
	e->account = (struct account){.service = o->service,
	        .node = str_from(e->jid, o->node.n),
	        .domain = str_from(e->jid + o->node.n + 1, o->domain.n)};
	a->n++;
	return true;
}

struct accounts *accounts_new(
        const struct account_order *orders, size_t n, uint32_t wrong_per_minute)
{
	struct accounts *a = mem_zalloc(sizeof *a + n * sizeof *a->entries);
	if (!a)
		return NULL;
	if (!lock_init(&a->lock)) {
		mem_free(a);
		return NULL;
	}
	a->wrong_per_minute = wrong_per_minute;
	bool fine = rand_bytes(a->secret, sizeof a->secret);
	for (size_t i = 0; fine && i < n; i++)
		fine = add(a, &orders[i]);
	if (fine)
		return a;
	accounts_free(a);
	return NULL;
}

void accounts_free(struct accounts *a)
{
	if (!a)
		return;
	for (size_t i = 0; i < a->n; i++)
		mem_free(a->entries[i].jid);
	lock_done(&a->lock);
	explicit_bzero(a->secret, sizeof a->secret);
	mem_free(a);
}

struct str accounts_domain(const struct accounts *a, struct str domain)
{
	for (size_t i = 0; a && i < a->n; i++) {
		if (str_eq_ascii_nocase(a->entries[i].account.domain, domain))
			return a->entries[i].account.domain;
	}
	return STR_NONE;
}

/* The bare JID that a name means; what is none stays as it is, and names nobody. */
static bool name_jid(struct str domain, struct str user, struct buf *out)
{
	struct arena arena;
	struct jid jid;
	struct buf text;
	buf_init(&text, 0);
	buf_str(&text, user);
	if (str_find(user, '@') == user.n) {
		buf_putc(&text, '@');
		buf_str(&text, domain);
	}
	arena_init(&arena, 0);
	if (!text.failed && jid_parse(buf_view(&text), &arena, &jid) == 0)
		buf_str(out, jid.bare);
	else
		buf_str(out, buf_view(&text));
	bool fine = !text.failed && !out->failed;
	arena_done(&arena);
	buf_done(&text);
	return fine;
}

static const struct entry *find(const struct accounts *a, struct str domain, struct str jid)
{
	for (size_t i = 0; i < a->n; i++) {
		const struct entry *e = &a->entries[i];
		if (str_eq(str_c(e->jid), jid) && str_eq_ascii_nocase(e->account.domain, domain))
			return e;
	}
	return NULL;
}

bool accounts_scram(const struct accounts *a, struct str domain, struct str user,
        enum hash_kind hash, struct account_proof *out)
{
	struct buf jid;
	buf_init(&jid, 0);
	bool fine = name_jid(domain, user, &jid) && make_up(a, buf_view(&jid), hash, out);
	const struct entry *e = fine ? find(a, domain, buf_view(&jid)) : NULL;
	if (e)
		*out = e->proofs[hash];
	buf_done(&jid);
	return fine;
}

const struct account *accounts_plain(
        const struct accounts *a, struct str domain, struct str user, struct str password)
{
	static const uint8_t nothing[HASH_MAX];
	uint8_t got[HASH_MAX];
	struct buf jid, prepared;
	buf_init(&jid, 0);
	buf_init(&prepared, 0);
	bool fine = name_jid(domain, user, &jid) && prepare(password, &prepared) &&
	            keyed(a, "plain", buf_view(&prepared), got);
	const struct entry *e = fine ? find(a, domain, buf_view(&jid)) : NULL;
	const uint8_t *want = e ? e->plain : nothing;
	bool same = fine && str_eq_secret(str_from((const char *)got, sizeof got),
	                            str_from((const char *)want, sizeof got));
	if (prepared.p)
		explicit_bzero(prepared.p, prepared.n);
	buf_done(&prepared);
	buf_done(&jid);
	return same && e ? &e->account : NULL;
}

/* One household's addresses are one. */
static uint64_t hash_of(struct str peer, bool *local)
{
	struct address address;
	*local = false;
	if (!address_parse(peer, &address))
		return hash_key(peer) | 1;
	*local = address_loopback(&address);
	size_t n = address_is_v4(&address) ? 16 : 8;
	return hash_key(str_from((const char *)address.bytes, n)) | 1;
}

/* Its place, taken from whoever was wrong the longest ago. */
static struct guesser *guesser_of(struct accounts *a, uint64_t hash)
{
	struct guesser *set = a->guesses[hash / 2 % GUESS_SETS];
	struct guesser *oldest = &set[0];
	for (size_t i = 0; i < GUESS_WAYS; i++) {
		if (set[i].hash == hash)
			return &set[i];
		if (!set[i].hash || (oldest->hash && set[i].limit.at_ms < oldest->limit.at_ms))
			oldest = &set[i];
	}
	*oldest = (struct guesser){.hash = hash};
	return oldest;
}

bool accounts_try(struct accounts *a, struct str peer, uint64_t now_ms)
{
	bool local;
	uint64_t hash = hash_of(peer, &local);
	double burst = a->wrong_per_minute * (local ? LOCAL_FACTOR : 1);
	lock_take(&a->lock);
	bool may = limit_take(&guesser_of(a, hash)->limit, 1, burst / 60, burst, now_ms);
	lock_give(&a->lock);
	return may;
}

void accounts_right(struct accounts *a, struct str peer)
{
	bool local;
	uint64_t hash = hash_of(peer, &local);
	lock_take(&a->lock);
	guesser_of(a, hash)->limit.tokens += 1;
	lock_give(&a->lock);
}
