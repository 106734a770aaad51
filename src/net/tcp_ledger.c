/* tcp_ledger.c - who holds how many connections: in total and per address, for all servers that
 * share the bounds. io */
#include "base/err.h"
#include "base/mem.h"
#include "net/tcp_internal.h"

#define QUIET_MS 3000 /* by then a bucket of one second is full again */

struct tcp_ledger *tcp_ledger_new(const struct tcp_limits *limits)
{
	struct tcp_ledger *l = mem_zalloc(sizeof *l);
	if (!l || !lock_init(&l->lock)) {
		mem_free(l);
		return NULL;
	}
	l->max_connections = limits->max_connections;
	l->max_per_address = limits->max_per_address;
	l->per_second = limits->per_second;
	map_init(&l->addresses);
	return l;
}

void tcp_ledger_free(struct tcp_ledger *l)
{
	if (!l)
		return;
	size_t pos = 0;
	struct tcp_address *a;
	while ((a = map_next(&l->addresses, &pos)))
		mem_free(a); /* the table, which borrows their keys, goes next */
	map_done(&l->addresses);
	lock_done(&l->lock);
	mem_free(l);
}

static void forget_address(struct tcp_ledger *l, struct tcp_address *a)
{
	map_remove(&l->addresses, str_c(a->key));
	mem_free(a);
}

static struct tcp_address *address_of(struct tcp_ledger *l, const char *key)
{
	struct tcp_address *a = map_get(&l->addresses, str_c(key));
	if (a)
		return a;
	a = mem_zalloc(sizeof *a);
	if (!a)
		return NULL;
	memcpy(a->key, key, sizeof a->key);
	if (map_put(&l->addresses, str_c(a->key), a))
		return a;
	mem_free(a);
	return NULL;
}

static enum tcp_refusal take(
        struct tcp_ledger *l, const char *key, uint64_t now_ms, struct tcp_address **out)
{
	*out = NULL;
	if (l->open >= l->max_connections)
		return TCP_REFUSED_TOTAL;
	if (key) {
		struct tcp_address *a = address_of(l, key);
		if (!a)
			return TCP_REFUSED_NOMEM;
		if (!limit_take(&a->rate, 1, l->per_second, l->per_second, now_ms))
			return TCP_REFUSED_RATE;
		if (a->open >= l->max_per_address)
			return TCP_REFUSED_ADDRESS;
		a->open++;
		*out = a;
	}
	l->open++;
	return TCP_TAKEN;
}

enum tcp_refusal tcp_ledger_take(
        struct tcp_ledger *l, const char *key, uint64_t now_ms, struct tcp_address **out)
{
	lock_take(&l->lock);
	enum tcp_refusal r = take(l, key, now_ms, out);
	lock_give(&l->lock);
	return r;
}

static void leave(struct tcp_ledger *l, struct tcp_address *a)
{
	l->open--;
	if (a && --a->open == 0 && l->addresses.n > 2 * (size_t)l->max_connections)
		forget_address(l, a);
}

enum tcp_refusal tcp_ledger_move(
        struct tcp_ledger *l, const char *key, uint64_t now_ms, struct tcp_address **a)
{
	struct tcp_address *to;
	lock_take(&l->lock);
	l->open--; /* its own place is free for it */
	enum tcp_refusal r = take(l, key, now_ms, &to);
	l->open++;
	if (r == TCP_TAKEN) {
		leave(l, *a);
		*a = to;
	}
	lock_give(&l->lock);
	return r;
}

/* An address is kept for a while after its last connection, with its rate. */
void tcp_ledger_give(struct tcp_ledger *l, struct tcp_address *a)
{
	lock_take(&l->lock);
	leave(l, a);
	lock_give(&l->lock);
}

uint32_t tcp_ledger_open(struct tcp_ledger *l)
{
	lock_take(&l->lock);
	uint32_t n = l->open;
	lock_give(&l->lock);
	return n;
}

bool tcp_ledger_sweep(struct tcp_ledger *l, uint64_t now_ms)
{
	struct tcp_address *quiet[64];
	size_t n;
	lock_take(&l->lock);
	do {
		size_t pos = 0;
		struct tcp_address *a;
		n = 0;
		while (n < sizeof quiet / sizeof *quiet && (a = map_next(&l->addresses, &pos))) {
			if (a->open == 0 && a->rate.at_ms + QUIET_MS < now_ms)
				quiet[n++] = a;
		}
		for (size_t i = 0; i < n; i++)
			forget_address(l, quiet[i]);
	} while (n == sizeof quiet / sizeof *quiet);
	bool left = l->addresses.n > 0;
	lock_give(&l->lock);
	return left;
}
