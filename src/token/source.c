/* source.c - one issuer's keys from elsewhere, as a matter of time and bounds. pure */
#include "token/source.h"

#include <stdio.h>

#include "base/hash.h"
#include "base/mem.h"

#define FILE_UNKNOWN_MS 1000 /* between two looks at a file for unknown kids */

const char *key_outcome_name(enum key_outcome o)
{
	static const char *const names[] = {"never", "good", "same", "missing", "broken", "failed"};
	return names[o];
}

static bool is_list(const struct key_source *s)
{
	return s->kind != SOURCE_SERVER;
}

/* Documents */

void source_document_name(const struct key_source *s, struct str kid, char out[KEY_NAME_DIGITS + 1])
{
	uint8_t hash[32];
	out[0] = '\0';
	if (is_list(s))
		return;
	hash_sha256(kid, hash);
	hash_hex(hash, sizeof hash, out);
}

static struct key_document *find(const struct key_source *s, struct str kid)
{
	char name[KEY_NAME_DIGITS + 1];
	source_document_name(s, kid, name);
	return map_get(&s->documents, str_c(name));
}

static bool queued(const struct key_document *d)
{
	return list_linked(&d->queued);
}

static bool busy(const struct key_document *d)
{
	return d->in_flight || queued(d) || !list_empty(&d->waiters);
}

static void dequeue(struct key_source *s, struct key_document *d)
{
	if (!queued(d))
		return;
	if (!d->keys.n && !is_list(s))
		s->n_unknown--;
	list_remove(&d->queued);
}

static void forget(struct key_source *s, struct key_document *d)
{
	dequeue(s, d);
	if (d->keys.n)
		s->n_with_keys--;
	else
		s->n_without_keys--;
	list_remove(&d->link);
	map_remove(&s->documents, str_c(d->name));
	keyset_done(&d->keys);
	mem_free(d);
}

/* The one that was not used for the longest time and that nobody is concerned with. */
static bool make_room(struct key_source *s, struct list *among)
{
	LIST_EACH(it, among)
	{
		struct key_document *d = LIST_OWNER(it, struct key_document, link);
		if (busy(d))
			continue;
		s->counters.evicted += d->keys.n > 0;
		forget(s, d);
		return true;
	}
	return false;
}

static struct key_document *add(struct key_source *s, struct str kid)
{
	if (s->n_without_keys >= s->bounds->documents && !make_room(s, &s->without_keys))
		return NULL;
	struct key_document *d = mem_zalloc(sizeof *d);
	if (!d)
		return NULL;
	d->source = s;
	source_document_name(s, kid, d->name);
	list_init(&d->waiters);
	if (!map_put(&s->documents, str_c(d->name), d)) {
		mem_free(d);
		return NULL;
	}
	list_append(&s->without_keys, &d->link);
	s->n_without_keys++;
	return d;
}

bool source_init(struct key_source *s, enum source_kind kind, const struct source_bounds *bounds)
{
	*s = (struct key_source){.kind = kind, .bounds = bounds};
	map_init(&s->documents);
	list_init(&s->with_keys);
	list_init(&s->without_keys);
	list_init(&s->refreshes);
	list_init(&s->unknown);
	list_init(&s->ages);
	return kind == SOURCE_SERVER || add(s, STR_NONE);
}

void source_done(struct key_source *s)
{
	LIST_EACH_SAFE(it, &s->with_keys)
	forget(s, LIST_OWNER(it, struct key_document, link));
	LIST_EACH_SAFE(it, &s->without_keys)
	forget(s, LIST_OWNER(it, struct key_document, link));
	map_done(&s->documents);
}

static void used(struct key_source *s, struct key_document *d)
{
	list_remove(&d->link);
	list_append(d->keys.n ? &s->with_keys : &s->without_keys, &d->link);
}

/* May its keys serve now: fresh ones may, and old ones when the source is asked in vain. */
static bool serves(const struct key_document *d, uint64_t now)
{
	return d->keys.n && (now < d->fresh_ms || (d->failures && now < d->stale_ms));
}

/* Queues */

/* A list is one request for everybody, and known keys are few: neither waits for the limit. */
static bool enqueue(struct key_source *s, struct key_document *d)
{
	bool unknown = !d->keys.n && !is_list(s);
	if (d->in_flight || queued(d))
		return true;
	if (unknown && s->n_unknown >= KEY_QUEUE_SECONDS * s->bounds->per_second)
		return false;
	list_append(unknown ? &s->unknown : &s->refreshes, &d->queued);
	s->n_unknown += unknown;
	return true;
}

static bool refresh(struct key_source *s, struct key_document *d, uint64_t now)
{
	if (now < d->refresh_ms || now < d->retry_ms || d->in_flight || queued(d))
		return false;
	return enqueue(s, d);
}

/* Waiters */

static void tell(struct key_source *s, struct key_waiter *w, struct list *told)
{
	list_remove(&w->link);
	list_remove(&w->age);
	w->source = NULL;
	s->n_waiters--;
	list_append(told, &w->link);
}

bool source_cancel(struct key_waiter *w)
{
	if (!w->source)
		return false;
	list_remove(&w->link);
	list_remove(&w->age);
	w->source->n_waiters--;
	w->source = NULL;
	return true;
}

static void wait_for(
        struct key_source *s, struct key_document *d, struct key_waiter *w, uint64_t now)
{
	if (!w)
		return;
	w->source = s;
	w->until_ms = now + s->bounds->wait_ms;
	w->link = w->age = (struct list){0};
	list_append(&d->waiters, &w->link);
	list_append(&s->ages, &w->age);
	s->n_waiters++;
}

/* Questions */

static uint64_t seconds_until(uint64_t at, uint64_t now)
{
	return at > now ? (at - now + 999) / 1000 : 0;
}

static enum key_answer refuse(struct key_source *s, const char **why)
{
	*why = s->why;
	return KEY_REFUSED;
}

static enum key_answer refuse_known(
        struct key_source *s, const struct key_document *d, uint64_t now, const char **why)
{
	s->counters.refused++;
	if (serves(d, now) && is_list(s))
		snprintf(s->why, sizeof s->why,
		        "the key list has no such key: it holds %zu, was read %llu s ago, and is "
		        "read again for unknown kids in %llu s",
		        d->keys.n, (unsigned long long)((now - d->got_ms) / 1000),
		        (unsigned long long)seconds_until(d->retry_ms, now));
	else if (serves(d, now))
		snprintf(s->why, sizeof s->why,
		        "the key of this kid is of another type than the token's alg");
	else
		snprintf(s->why, sizeof s->why, "%s; asked again in %llu s at the earliest",
		        d->why[0] ? d->why : "nothing is known yet",
		        (unsigned long long)seconds_until(d->retry_ms, now));
	return refuse(s, why);
}

static enum key_answer refuse_lookup(struct key_source *s, const char **why)
{
	s->counters.limit_lookups++;
	snprintf(s->why, sizeof s->why,
	        "too many unknown kids at once: key_lookups_per_second=%u; known keys go on",
	        s->bounds->per_second);
	return refuse(s, why);
}

enum key_answer source_ask(struct key_source *s, enum token_alg alg, struct str kid,
        struct key_waiter *w, uint64_t now, const char **why)
{
	struct key_document *d = find(s, kid);
	if (!d && !(d = add(s, kid)))
		return refuse_lookup(s, why);
	used(s, d);
	if (serves(d, now) && keyset_find(&d->keys, alg, kid))
		return KEY_READY;
	bool asked = d->in_flight || queued(d);
	if (!asked && (now < d->retry_ms || (serves(d, now) && !is_list(s))))
		return refuse_known(s, d, now, why);
	if (w && s->n_waiters >= s->bounds->waiters) {
		s->counters.limit_waiting++;
		snprintf(s->why, sizeof s->why, "too many logins wait for keys: keys_waiting=%u",
		        s->bounds->waiters);
		return refuse(s, why);
	}
	if (!asked && !enqueue(s, d))
		return refuse_lookup(s, why);
	wait_for(s, d, w, now);
	return KEY_WAIT;
}

const struct keyset_key *source_key(
        struct key_source *s, enum token_alg alg, struct str kid, uint64_t now, bool *due)
{
	struct key_document *d = find(s, kid);
	if (!d || !serves(d, now))
		return NULL;
	used(s, d);
	*due = refresh(s, d, now) || *due;
	return keyset_find(&d->keys, alg, kid);
}

/* Requests */

static struct key_document *take(struct key_source *s, struct list *queue)
{
	struct key_document *d = LIST_OWNER(queue->next, struct key_document, queued);
	dequeue(s, d);
	d->in_flight = true;
	s->n_in_flight++;
	s->counters.requests++;
	return d;
}

struct key_document *source_next(struct key_source *s, uint64_t now)
{
	const struct source_bounds *b = s->bounds;
	if (!list_empty(&s->refreshes) && s->n_in_flight < 2 * KEY_IN_FLIGHT)
		return take(s, &s->refreshes);
	/* whom nobody waits for any more is not worth a request */
	while (!list_empty(&s->unknown)) {
		struct key_document *d = LIST_OWNER(s->unknown.next, struct key_document, queued);
		if (!list_empty(&d->waiters))
			break;
		forget(s, d);
	}
	if (list_empty(&s->unknown) || s->n_in_flight >= KEY_IN_FLIGHT ||
	        !limit_take(&s->lookups, 1, b->per_second, b->per_second, now))
		return NULL;
	return take(s, &s->unknown);
}

static uint64_t clamp(uint64_t v, uint64_t least, uint64_t most)
{
	return v < least ? least : v > most ? most : v;
}

static void put_times(
        const struct key_source *s, struct key_document *d, int64_t max_age, uint64_t now)
{
	uint64_t seconds = max_age < 0 ? 0 : (uint64_t)max_age;
	if (seconds > KEY_TTL_MAX_MS / 1000)
		seconds = KEY_TTL_MAX_MS / 1000;
	uint64_t ttl =
	        max_age < 0 ? KEY_TTL_MS : clamp(seconds * 1000, KEY_TTL_MIN_MS, KEY_TTL_MAX_MS);
	d->got_ms = now;
	d->failures = 0;
	if (s->kind == SOURCE_FILE) {
		d->fresh_ms = d->stale_ms = UINT64_MAX;
		d->refresh_ms = now + KEY_FILE_MS;
		d->retry_ms = now + FILE_UNKNOWN_MS;
		return;
	}
	d->fresh_ms = now + ttl;
	d->stale_ms = d->fresh_ms + KEY_STALE_MS;
	d->refresh_ms = now + ttl / 5 * 4;
	d->retry_ms = now + KEY_UNKNOWN_MS;
}

static void replace_keys(struct key_source *s, struct key_document *d, struct keyset *keys)
{
	bool had = d->keys.n > 0, has = keys && keys->n > 0;
	if (!had && has && s->n_with_keys >= s->bounds->documents)
		(void)make_room(s, &s->with_keys);
	keyset_done(&d->keys);
	if (has) {
		d->keys = *keys;
		*keys = (struct keyset){0};
	}
	s->n_with_keys += (size_t)has - (size_t)had;
	s->n_without_keys += (size_t)had - (size_t)has;
	used(s, d);
}

static void put_off(struct key_source *s, struct key_document *d, enum key_outcome o, uint64_t now)
{
	uint64_t wait = KEY_RETRY_MS << (d->failures < 5 ? d->failures : 5);
	d->failures++;
	if (s->kind == SOURCE_FILE)
		wait = KEY_FILE_MS;
	else if (o == KEY_BROKEN && !d->keys.n && !is_list(s))
		wait = KEY_MISSING_MS; /* as good as missing, and as easily provoked */
	else if (wait > KEY_RETRY_MAX_MS)
		wait = KEY_RETRY_MAX_MS;
	d->retry_ms = now + wait;
}

void source_answer(struct key_source *s, struct key_document *d, struct source_result *r,
        uint64_t now, struct list *told)
{
	enum key_outcome o = r->outcome;
	d->in_flight = false;
	s->n_in_flight--;
	d->last = o;
	d->status = r->status;
	snprintf(d->why, sizeof d->why, "%s", r->why ? r->why : "");
	switch (o) {
	case KEY_GOOD:
		s->counters.good++;
		replace_keys(s, d, &r->keys);
		put_times(s, d, r->max_age, now);
		break;
	case KEY_SAME:
		s->counters.good++;
		put_times(s, d, -1, now);
		break;
	case KEY_MISSING:
		s->counters.missing++;
		replace_keys(s, d, NULL);
		d->failures = 0;
		d->retry_ms = now + KEY_MISSING_MS;
		break;
	default:
		s->counters.broken += o == KEY_BROKEN;
		s->counters.failed += o == KEY_FAILED;
		put_off(s, d, o, now);
		break;
	}
	while (!list_empty(&d->waiters))
		tell(s, LIST_OWNER(d->waiters.next, struct key_waiter, link), told);
}

/* Time */

void source_tick(struct key_source *s, uint64_t now, bool all, struct list *told)
{
	while (!list_empty(&s->ages)) {
		struct key_waiter *w = LIST_OWNER(s->ages.next, struct key_waiter, age);
		if (!all && now < w->until_ms)
			break;
		s->counters.timeouts += !all;
		tell(s, w, told);
	}
	struct key_document *list = is_list(s) ? find(s, STR_NONE) : NULL;
	if (list && !all)
		(void)refresh(s, list, now);
}

uint64_t source_due(const struct key_source *s, uint64_t now)
{
	uint64_t due = UINT64_MAX;
	if (!list_empty(&s->refreshes))
		due = s->n_in_flight < 2 * KEY_IN_FLIGHT ? now : due;
	if (!list_empty(&s->unknown) && s->n_in_flight < KEY_IN_FLIGHT)
		due = clamp(now + 1000 / s->bounds->per_second + 1, 0, due);
	if (!list_empty(&s->ages))
		due = clamp(LIST_OWNER(s->ages.next, struct key_waiter, age)->until_ms, 0, due);
	const struct key_document *list = is_list(s) ? find(s, STR_NONE) : NULL;
	if (list && !list->in_flight && !queued(list))
		due = clamp(list->refresh_ms > list->retry_ms ? list->refresh_ms : list->retry_ms,
		        0, due);
	return due;
}

void source_reload(struct key_source *s)
{
	struct key_document *list = is_list(s) ? find(s, STR_NONE) : NULL;
	if (list)
		(void)enqueue(s, list);
}

int64_t source_max_age(struct str value)
{
	int64_t found = -1;
	while (!str_absent(value)) {
		struct str part = str_trim(str_split(&value, ','));
		size_t eq = str_find(part, '=');
		struct str name = str_trim(str_sub(part, 0, eq));
		struct str number = str_trim(str_sub(part, eq + 1, part.n));
		uint64_t n;
		if (str_eq_ascii_nocase(name, STR("no-store")) ||
		        str_eq_ascii_nocase(name, STR("no-cache")))
			return 0;
		if (!str_eq_ascii_nocase(name, STR("max-age")) || found >= 0)
			continue;
		if (number.n > 1 && number.p[0] == '"' && number.p[number.n - 1] == '"')
			number = str_sub(number, 1, number.n - 1);
		if (str_u64(number, &n))
			found = n < INT32_MAX ? (int64_t)n : INT32_MAX;
	}
	return found;
}
