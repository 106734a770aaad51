/* turns.c - jobs in the order of what they have used lately. pure */
#include "base/turns.h"

#include <math.h>
#include <stddef.h>

#define HALF_LIFE 1e9         /* ns, of what a peer or an address has used */
#define KIND_HALF_LIFE 1e8    /* ns, of what a kind has used */
#define LEVEL_US 32           /* used by one of level 0, at most */
#define OCTAVE 4              /* levels to a doubling */
#define LIGHT 24              /* levels below: 2 ms, those who go first */
#define NEWCOMER_US 1000      /* what somebody has used who has just logged in */
#define FADE_AT_LEAST 1000000 /* ns: sooner it is not worth the arithmetic */
#define ACCOUNT_UNIT 20       /* bits: an account's clock counts 2^20 ns */

/* Shares of the thread when all want it. Light peers come first until they have used most of it. */
#define SHARE_LIGHT 16.0
static const double shares[TURN_KINDS] = {
        [TURN_STRANGER] = 1, [TURN_PEER] = 2, [TURN_DOOR] = 1, [TURN_HOUSE] = 1};

void turns_init(struct turns *ts)
{
	*ts = (struct turns){0};
	for (int k = 0; k < TURN_KINDS; k++) {
		for (int i = 0; i < TURN_LEVELS; i++)
			list_init(&ts->waiting[k][i]);
	}
}

static void fade(struct turn *t, uint64_t now)
{
	if (now < t->at + FADE_AT_LEAST)
		return;
	t->used *= exp2(-(double)(now - t->at) / HALF_LIFE);
	t->at = now;
}

/* Threads may write one account together: what one of them adds may be lost then, which is fine. */
static double account_used(const struct turn_account *a, uint32_t tick)
{
	uint64_t v = atomic_load_explicit(&a->used, memory_order_relaxed);
	uint32_t passed = tick - (uint32_t)v;
	if (passed > UINT32_MAX / 2)
		passed = 0; /* another thread's clock is ahead */
	return (double)(v >> 32) * exp2(-(double)passed * (1 << ACCOUNT_UNIT) / HALF_LIFE);
}

static void account_charge(struct turn_account *a, double us, uint64_t now)
{
	uint32_t tick = (uint32_t)(now >> ACCOUNT_UNIT);
	double used = account_used(a, tick) + us + 0.5;
	uint64_t most = used < 4e9 ? (uint64_t)used : (uint64_t)4e9;
	atomic_store_explicit(&a->used, most << 32 | tick, memory_order_relaxed);
}

static int level_of(double used)
{
	if (used < LEVEL_US)
		return 0;
	int level = 1 + (int)(OCTAVE * log2(used / LEVEL_US));
	return level < TURN_LEVELS ? level : TURN_LEVELS - 1;
}

void turns_add(struct turns *ts, struct turn *t, uint64_t now)
{
	int level = 0;
	if (list_linked(&t->link))
		return;
	if (t->kind == TURN_PEER) {
		fade(t, now);
		level = level_of(t->used);
	} else if (t->account) {
		level = level_of(account_used(t->account, (uint32_t)(now >> ACCOUNT_UNIT)));
	}
	list_append(&ts->waiting[t->kind][level], &t->link);
	ts->maybe[t->kind] |= UINT64_C(1) << level;
}

void turns_remove(struct turn *t)
{
	list_remove(&t->link);
}

bool turn_waits(const struct turn *t)
{
	return list_linked(&t->link);
}

static struct list *lightest(struct turns *ts, int kind, double *share)
{
	for (uint64_t *m = &ts->maybe[kind]; *m; *m &= *m - 1) {
		int i = __builtin_ctzll(*m);
		if (list_empty(&ts->waiting[kind][i]))
			continue;
		*share = kind == TURN_PEER && i < LIGHT ? SHARE_LIGHT : shares[kind];
		return &ts->waiting[kind][i];
	}
	return NULL;
}

struct turn *turns_next(struct turns *ts, uint64_t now)
{
	struct list *next = NULL;
	double least = 0, fades = 1;
	if (now >= ts->at + FADE_AT_LEAST) {
		fades = exp2(-(double)(now - ts->at) / KIND_HALF_LIFE);
		ts->at = now;
	}
	for (int k = 0; k < TURN_KINDS; k++) {
		double share = 1;
		ts->used[k] *= fades;
		struct list *first = lightest(ts, k, &share);
		if (first && (!next || ts->used[k] / share < least)) {
			next = first;
			least = ts->used[k] / share;
		}
	}
	if (!next)
		return NULL;
	struct turn *t = LIST_OWNER(next->next, struct turn, link);
	list_remove(&t->link);
	return t;
}

void turns_charge(struct turns *ts, struct turn *t, uint64_t ran, uint64_t now)
{
	double us = (double)ran / 1e3;
	ts->used[t->kind] += us;
	fade(t, now);
	t->used += us;
	if (t->account)
		account_charge(t->account, us, now);
}

void turn_known(struct turn *t, uint64_t now)
{
	t->kind = TURN_PEER;
	t->account = NULL;
	t->used = NEWCOMER_US;
	t->at = now;
}

static void move_all(struct list *from, struct list *to)
{
	while (!list_empty(from)) {
		struct list *first = from->next;
		list_remove(first);
		list_append(to, first);
	}
}

/* By an octave; not to the very first, which is for those who really are light. */
void turns_age(struct turns *ts)
{
	for (int k = 0; k < TURN_KINDS; k++) {
		for (int i = 2; i < TURN_LEVELS; i++) {
			int up = i > OCTAVE ? i - OCTAVE : 1;
			if (list_empty(&ts->waiting[k][i]))
				continue;
			move_all(&ts->waiting[k][i], &ts->waiting[k][up]);
			ts->maybe[k] |= UINT64_C(1) << up;
		}
	}
}
