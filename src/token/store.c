/* store.c - keys from elsewhere: lookups by workers, fetched by one thread. io */
#include "token/store.h"

#include <signal.h>
#include <stdio.h>
#include <time.h>

#include "base/lock.h"
#include "base/mem.h"
#include "token/remote.h"

#define JOBS 16 /* taken per turn of the lock */
#define TURN_MS 60000
#define FETCH_LESS_MS 500 /* an answer comes before those who wait for it give up */

struct token_store {
	struct lock lock;
	const struct token_settings *settings;
	struct token_store_settings set;
	char *ca_file, *proxy; /* owned; NULL: not set */
	size_t n;
	struct remote *remotes; /* the server's own keys, then each issuer's; unused where not
	                           from elsewhere */
	struct limit log_lines; /* the thread's */
	struct fetch *fetch;    /* likewise, but for waking */
	pthread_t thread;
	bool started;  /* the main thread's, set before any worker runs */
	bool stopping; /* under the lock */
};

static uint64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

bool token_store_needed(const struct token_settings *s)
{
	bool any = token_key_settings_remote(&s->keys);
	for (size_t i = 0; i < s->n_issuers; i++)
		any = any || token_key_settings_remote(&s->issuers[i].keys);
	return any;
}

static struct remote *remote_of(const struct token_store *ts, const struct token_issuer *issuer)
{
	size_t i = issuer ? 1 + (size_t)(issuer - ts->settings->issuers) : 0;
	return ts->remotes[i].used ? &ts->remotes[i] : NULL;
}

static bool copy(char **out, struct str s)
{
	*out = s.n ? mem_strndup(s.p, s.n) : NULL;
	return s.n == 0 || *out;
}

struct token_store *token_store_new(
        const struct token_settings *s, const struct token_store_settings *set)
{
	struct token_store *ts = mem_zalloc(sizeof *ts);
	if (!ts)
		return NULL;
	if (!lock_init(&ts->lock)) {
		mem_free(ts);
		return NULL;
	}
	ts->settings = s;
	ts->set = *set;
	bool ok = copy(&ts->ca_file, set->ca_file) && copy(&ts->proxy, set->proxy);
	ts->remotes = mem_zalloc((1 + s->n_issuers) * sizeof *ts->remotes);
	for (size_t i = 0; ok && ts->remotes && i <= s->n_issuers; i++) {
		const struct token_issuer *issuer = i ? &s->issuers[i - 1] : NULL;
		ok = remote_init(&ts->remotes[i], issuer, issuer ? &issuer->keys : &s->keys,
		        &ts->set.bounds);
		ts->n = i + 1;
	}
	if (ok && ts->remotes)
		return ts;
	token_store_free(ts);
	return NULL;
}

void token_store_free(struct token_store *ts)
{
	if (!ts)
		return;
	token_store_stop(ts);
	for (size_t i = 0; i < ts->n; i++)
		remote_done(&ts->remotes[i]);
	fetch_free(ts->fetch);
	mem_free(ts->remotes);
	mem_free(ts->ca_file);
	mem_free(ts->proxy);
	lock_done(&ts->lock);
	mem_free(ts);
}

/* Without the lock: whoever is told may ask again. */
static void tell_all(struct list *told)
{
	while (!list_empty(told)) {
		struct key_waiter *w = LIST_OWNER(told->next, struct key_waiter, link);
		list_remove(&w->link);
		w->told(w); /* it may be gone now */
	}
}

/* The thread */

static void came(struct token_store *ts, struct key_document *d, struct source_result *result)
{
	struct remote *r = LIST_OWNER(d->source, struct remote, source);
	double rate = ts->set.log_lines_per_second;
	struct list told;
	uint64_t now = now_ms();
	list_init(&told);
	if (remote_worth_telling(d, result) && limit_take(&ts->log_lines, 1, rate, 2 * rate, now))
		remote_log(r, d, result);
	lock_take(&ts->lock);
	source_answer(&r->source, d, result, now, &told);
	lock_give(&ts->lock);
	keyset_done(&result->keys);
	tell_all(&told);
}

/* What is due, with the lock: at most JOBS of it. */
static size_t take_jobs(struct token_store *ts, struct key_document **jobs, struct list *told,
        uint64_t *due, bool *stopping)
{
	size_t n = 0;
	uint64_t now = now_ms();
	*due = now + TURN_MS;
	lock_take(&ts->lock);
	*stopping = ts->stopping;
	for (size_t i = 0; i < ts->n && !*stopping; i++) {
		struct remote *r = &ts->remotes[i];
		struct key_document *d;
		if (!r->used)
			continue;
		source_tick(&r->source, now, false, told);
		while (n < JOBS && (d = source_next(&r->source, now)))
			jobs[n++] = d;
		uint64_t at = source_due(&r->source, now);
		if (at < *due)
			*due = at;
	}
	lock_give(&ts->lock);
	return n;
}

static void start(struct token_store *ts, struct key_document *d)
{
	struct source_result result = {.outcome = KEY_FAILED, .max_age = -1};
	struct remote *r = LIST_OWNER(d->source, struct remote, source);
	char why[REMOTE_WHY];
	if (d->source->kind == SOURCE_FILE) {
		remote_read_file(r, &result, why);
		came(ts, d, &result);
		return;
	}
	char *url = remote_url(r, d);
	if (!url || !fetch_start(ts->fetch, url, remote_max_bytes(r), d)) {
		result.why = "out of memory";
		came(ts, d, &result);
	}
	mem_free(url);
}

static void *run(void *arg)
{
	struct token_store *ts = arg;
	struct key_document *jobs[JOBS];
	struct fetch_result answer;
	struct list told;
	bool stopping = false;
	list_init(&told);
	while (!stopping) {
		uint64_t due, now;
		size_t n = take_jobs(ts, jobs, &told, &due, &stopping);
		tell_all(&told);
		for (size_t i = 0; i < n; i++)
			start(ts, jobs[i]);
		now = now_ms();
		if (n || stopping || due < now)
			due = now;
		fetch_turn(ts->fetch, (uint32_t)(due - now));
		while (fetch_take(ts->fetch, &answer)) {
			struct key_document *d = answer.tag;
			struct source_result result;
			char why[REMOTE_WHY];
			remote_read_answer(LIST_OWNER(d->source, struct remote, source), &answer,
			        &result, why);
			buf_done(&answer.body);
			came(ts, d, &result);
		}
	}
	return NULL;
}

/* Signals are the main thread's. */
bool token_store_start(struct token_store *ts)
{
	const struct fetch_settings settings = {
	        .ca_file = ts->ca_file,
	        .proxy = ts->proxy,
	        .timeout_ms = ts->set.bounds.wait_ms - FETCH_LESS_MS,
	        .agent = ts->set.agent,
	};
	sigset_t all, before;
	ts->fetch = fetch_new(&settings);
	if (!ts->fetch)
		return false;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	ts->started = pthread_create(&ts->thread, NULL, run, ts) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return ts->started;
}

void token_store_stop(struct token_store *ts)
{
	struct list told;
	list_init(&told);
	lock_take(&ts->lock);
	ts->stopping = true;
	lock_give(&ts->lock);
	if (ts->started) {
		fetch_wake(ts->fetch);
		pthread_join(ts->thread, NULL);
	}
	ts->started = false;
	for (size_t i = 0; i < ts->n; i++) {
		if (ts->remotes[i].used)
			source_tick(&ts->remotes[i].source, now_ms(), true, &told);
	}
	tell_all(&told);
}

/* Questions */

/* *key: NULL, or where a reference shall go. */
static bool look_up(struct token_store *ts, const struct token_issuer *issuer, enum token_alg alg,
        struct str kid, EVP_PKEY **key)
{
	struct remote *r = remote_of(ts, issuer);
	bool due = false;
	if (!r)
		return false;
	lock_take(&ts->lock);
	const struct keyset_key *found = source_key(&r->source, alg, kid, now_ms(), &due);
	bool have = found && (!key || EVP_PKEY_up_ref(found->pkey) == 1);
	if (have && key)
		*key = found->pkey;
	lock_give(&ts->lock);
	if (due)
		fetch_wake(ts->fetch);
	return have;
}

bool token_store_has(struct token_store *ts, const struct token_issuer *issuer, enum token_alg alg,
        struct str kid)
{
	return look_up(ts, issuer, alg, kid, NULL);
}

EVP_PKEY *token_store_key(struct token_store *ts, const struct token_issuer *issuer,
        enum token_alg alg, struct str kid)
{
	EVP_PKEY *key = NULL;
	(void)look_up(ts, issuer, alg, kid, &key);
	return key;
}

/* With the lock, so that whoever drops the last reference is plainly behind every use of the key.
 */
void token_store_give_back(struct token_store *ts, EVP_PKEY *key)
{
	if (!key)
		return;
	lock_take(&ts->lock);
	EVP_PKEY_free(key);
	lock_give(&ts->lock);
}

enum key_answer token_store_lookup(struct token_store *ts, const struct token_want *want,
        struct key_waiter *w, char why[KEY_WHY])
{
	struct remote *r = remote_of(ts, want->issuer);
	const char *because = "the server ends";
	enum key_answer answer = KEY_REFUSED;
	lock_take(&ts->lock);
	if (r && !ts->stopping)
		answer = source_ask(&r->source, want->alg, str_c(want->kid), w, now_ms(), &because);
	if (answer == KEY_REFUSED)
		snprintf(why, KEY_WHY, "%s", because);
	lock_give(&ts->lock);
	if (answer == KEY_WAIT)
		fetch_wake(ts->fetch);
	return answer;
}

bool token_store_cancel(struct token_store *ts, struct key_waiter *w)
{
	lock_take(&ts->lock);
	bool cancelled = source_cancel(w);
	lock_give(&ts->lock);
	return cancelled;
}

void token_store_reload(struct token_store *ts)
{
	lock_take(&ts->lock);
	for (size_t i = 0; i < ts->n; i++) {
		if (ts->remotes[i].used)
			source_reload(&ts->remotes[i].source);
	}
	lock_give(&ts->lock);
	if (ts->started)
		fetch_wake(ts->fetch);
}

void token_store_write(struct token_store *ts, struct buf *out)
{
	bool any = false;
	buf_putc(out, '[');
	lock_take(&ts->lock);
	for (size_t i = 0; i < ts->n; i++) {
		if (!ts->remotes[i].used)
			continue;
		buf_puts(out, any ? "," : "");
		remote_write(&ts->remotes[i], now_ms(), out);
		any = true;
	}
	lock_give(&ts->lock);
	buf_putc(out, ']');
}

size_t token_store_list_counters(struct token_store *ts, struct counter *out, size_t max)
{
	struct source_counters sum = {0};
	uint64_t known = 0, waiting = 0;
	lock_take(&ts->lock);
	for (size_t i = 0; i < ts->n; i++) {
		const struct key_source *s = &ts->remotes[i].source;
		const struct source_counters *c = &s->counters;
		if (!ts->remotes[i].used)
			continue;
		known += s->n_with_keys;
		waiting += s->n_waiters;
		sum.requests += c->requests;
		sum.failed += c->failed + c->broken;
		sum.missing += c->missing;
		sum.refused += c->refused;
		sum.limit_lookups += c->limit_lookups;
		sum.limit_waiting += c->limit_waiting;
		sum.timeouts += c->timeouts;
		sum.evicted += c->evicted;
	}
	lock_give(&ts->lock);
	const struct counter all[] = {
	        {"key_documents", known},
	        {"key_logins_waiting", waiting},
	        {"key_requests", sum.requests},
	        {"key_requests_failed", sum.failed},
	        {"key_requests_missing", sum.missing},
	        {"key_lookups_refused", sum.refused},
	        {"key_waits_timed_out", sum.timeouts},
	        {"limit_key_lookups_per_second", sum.limit_lookups},
	        {"limit_keys_waiting", sum.limit_waiting},
	        {"limit_keys_remembered", sum.evicted},
	};
	return counter_list(all, sizeof all / sizeof *all, out, max);
}
