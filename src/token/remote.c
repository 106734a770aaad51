/* remote.c - one source of keys elsewhere: addresses, answers, files, log lines. io */
#include "token/remote.h"

#include <errno.h>
#include <stdio.h>

#include "base/jval.h"
#include "base/log.h"
#include "base/mem.h"

#define PEM_MAX (64 * 1024)    /* bytes (roles.md 1.4) */
#define LIST_MAX (1024 * 1024) /* bytes */
#define SHOWN_MAX 50           /* documents, keys */

static bool is_url(struct str place)
{
	return str_starts(place, STR("https://")) || str_starts(place, STR("http://"));
}

bool remote_init(struct remote *r, const struct token_issuer *issuer,
        const struct token_key_settings *from, const struct source_bounds *bounds)
{
	if (!token_key_settings_remote(from))
		return true;
	bool server = from->source == TOKEN_KEYS_KEYSERVER;
	struct str place = server ? from->key_server : from->jwks;
	enum source_kind kind = server ? SOURCE_SERVER : is_url(place) ? SOURCE_LIST : SOURCE_FILE;
	r->issuer = issuer;
	r->used = true;
	r->place = mem_strndup(place.p ? place.p : "", place.n);
	return source_init(&r->source, kind, bounds) && r->place;
}

void remote_done(struct remote *r)
{
	if (!r->used)
		return;
	source_done(&r->source);
	mem_free(r->place);
}

char *remote_url(const struct remote *r, const struct key_document *d)
{
	struct buf b;
	buf_init(&b, 0);
	buf_puts(&b, r->place);
	if (r->source.kind == SOURCE_SERVER)
		buf_printf(&b, "%s%s.pem", b.n && b.p[b.n - 1] == '/' ? "" : "/", d->name);
	return buf_steal(&b);
}

size_t remote_max_bytes(const struct remote *r)
{
	return r->source.kind == SOURCE_SERVER ? PEM_MAX : LIST_MAX;
}

/* Answers */

static bool read_keys(
        const struct remote *r, struct str text, struct keyset *keys, char why[REMOTE_WHY])
{
	struct token_error e;
	bool ok = r->source.kind == SOURCE_SERVER
	                  ? keyset_add_pem(keys, STR_NONE, text, "the answer", &e)
	                  : keyset_add_text(keys, text, "the key list", &e);
	if (ok)
		return true;
	keyset_done(keys);
	snprintf(why, REMOTE_WHY, "%.*s", REMOTE_WHY - 1, e.text);
	return false;
}

static enum key_outcome outcome_of(const struct remote *r, const struct fetch_result *a)
{
	bool later = a->status >= 500 || a->status == 408 || a->status == 429;
	if (a->refused)
		return KEY_BROKEN;
	if (!a->arrived || later)
		return KEY_FAILED;
	if (a->status == 200)
		return KEY_GOOD;
	/* storage services answer 403 where there is nothing */
	bool missing = a->status == 404 || a->status == 410 || a->status == 403;
	return missing && r->source.kind == SOURCE_SERVER ? KEY_MISSING : KEY_BROKEN;
}

void remote_read_answer(struct remote *r, const struct fetch_result *answer,
        struct source_result *out, char why[REMOTE_WHY])
{
	snprintf(why, REMOTE_WHY, "%s", answer->why);
	*out = (struct source_result){.outcome = outcome_of(r, answer),
	        .status = answer->status,
	        .max_age = source_max_age(
	                answer->cache_control[0] ? str_c(answer->cache_control) : STR_NONE),
	        .why = why};
	if (out->outcome == KEY_GOOD && !read_keys(r, buf_view(&answer->body), &out->keys, why))
		out->outcome = KEY_BROKEN;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static bool read_all(FILE *f, struct buf *out)
{
	char chunk[4096];
	size_t n;
	while ((n = fread(chunk, 1, sizeof chunk, f)) > 0 && !out->failed)
		buf_add(out, chunk, n);
	return !ferror(f);
}

void remote_read_file(struct remote *r, struct source_result *out, char why[REMOTE_WHY])
{
	struct stat st;
	struct buf text;
	*out = (struct source_result){.outcome = KEY_FAILED, .max_age = -1, .why = why};
	snprintf(why, REMOTE_WHY, "%s", "");
	FILE *f = fopen(r->place, "rbe");
	if (!f || fstat(fileno(f), &st) < 0) {
		snprintf(why, REMOTE_WHY, "the file cannot be read: %s", strerror(errno));
		if (f)
			fclose(f);
		return;
	}
	buf_init(&text, LIST_MAX);
	if (same_file(&st, &r->file)) {
		out->outcome = KEY_SAME;
	} else if (!S_ISREG(st.st_mode) || !read_all(f, &text)) {
		snprintf(why, REMOTE_WHY, "the file cannot be read");
	} else if (text.failed) {
		snprintf(why, REMOTE_WHY, "the file is longer than %d bytes", LIST_MAX);
		out->outcome = KEY_BROKEN;
	} else {
		bool good = read_keys(r, buf_view(&text), &out->keys, why);
		out->outcome = good ? KEY_GOOD : KEY_BROKEN;
		if (good)
			r->file = st;
	}
	buf_done(&text);
	fclose(f);
}

/* What is told */

static bool same_keys(const struct keyset *a, const struct keyset *b)
{
	bool same = a->n == b->n;
	for (size_t i = 0; i < a->n && same; i++)
		same = str_eq(str_c(a->items[i].kid), str_c(b->items[i].kid)) &&
		       EVP_PKEY_eq(a->items[i].pkey, b->items[i].pkey) == 1;
	return same;
}

bool remote_worth_telling(const struct key_document *d, const struct source_result *result)
{
	switch (result->outcome) {
	case KEY_SAME:
		return d->failures > 0;
	case KEY_GOOD:
		return d->failures > 0 || !same_keys(&d->keys, &result->keys);
	default:
		return d->last != result->outcome || d->status != result->status ||
		       strcmp(d->why, result->why) != 0 || d->failures % 16 == 0;
	}
}

/* What an administrator would change. */
static const char *fix_of(const struct remote *r, const struct source_result *result)
{
	if (r->source.kind == SOURCE_FILE)
		return "mend the file that jwks names; it is read again when it changes";
	if (result->outcome == KEY_MISSING)
		return "publish the key at <key_server>/<kid_sha256>.pem, or correct the kid";
	if (strstr(result->why, "another origin"))
		return "name the address that it redirects to in key_server or jwks, if it is "
		       "right";
	if (result->outcome == KEY_FAILED && strstr(result->why, "certificate"))
		return "key_ca_file names the authority that signed the server's certificate";
	if (result->outcome == KEY_FAILED)
		return "see that the address can be reached from this host, e.g. with curl";
	return r->source.kind == SOURCE_SERVER
	               ? "key_server must answer with a public key or certificate in PEM"
	               : "jwks must answer with {\"keys\":[...]} or an object of kid and PEM";
}

static const char *kind_name(const struct remote *r)
{
	return r->source.kind == SOURCE_SERVER ? "keyserver" : "jwks";
}

void remote_log(
        const struct remote *r, const struct key_document *d, const struct source_result *result)
{
	struct buf b;
	bool good = result->outcome == KEY_GOOD || result->outcome == KEY_SAME;
	buf_init(&b, 1500);
	buf_printf(&b, "event=keys outcome=%s source=%s", key_outcome_name(result->outcome),
	        kind_name(r));
	if (r->issuer)
		buf_printf(&b, " issuer=%s", log_value(r->issuer->iss));
	buf_printf(&b, " place=%s", log_value(str_c(r->place)));
	if (d->name[0])
		buf_printf(&b, " kid_sha256=%s", d->name);
	if (result->status)
		buf_printf(&b, " status=%d", result->status);
	if (result->outcome == KEY_GOOD)
		buf_printf(&b, " keys=%zu before=%zu", result->keys.n, d->keys.n);
	if (!good)
		buf_printf(&b, " because=%s last_good=%zu", log_value(str_c(result->why)),
		        result->outcome == KEY_MISSING ? (size_t)0 : d->keys.n);
	if (!good) {
		buf_puts(&b, " fix=");
		jval_quote(str_c(fix_of(r, result)), &b);
	}
	/* which kids there are is the strangers' choice, and no trouble of ours */
	bool strangers = result->outcome == KEY_MISSING && !d->keys.n;
	log_line(good || strangers ? LOG_INFO : LOG_WARN, "%s", b.p ? b.p : "event=keys");
	buf_done(&b);
}

static void write_keys(const struct key_document *d, struct buf *out)
{
	for (size_t i = 0; i < d->keys.n && i < SHOWN_MAX; i++) {
		const struct keyset_key *key = &d->keys.items[i];
		buf_puts(out, i ? ",{" : "{");
		if (key->kid) {
			buf_puts(out, "\"kid\":");
			jval_quote(str_c(key->kid), out);
			buf_putc(out, ',');
		}
		buf_printf(out, "\"type\":\"%s\"}", token_family_name(key->family));
	}
}

static long long seconds(uint64_t from, uint64_t to)
{
	return to == UINT64_MAX ? -1
	       : to >= from     ? (long long)((to - from) / 1000)
	                        : -(long long)((from - to) / 1000);
}

static void write_document(const struct key_document *d, uint64_t now, struct buf *out)
{
	buf_putc(out, '{');
	if (d->name[0])
		buf_printf(out, "\"kid_sha256\":\"%s\",", d->name);
	buf_printf(out, "\"last\":\"%s\",\"status\":%d,\"failures\":%u", key_outcome_name(d->last),
	        d->status, d->failures);
	if (d->keys.n)
		buf_printf(out, ",\"age\":%lld,\"fresh_for\":%lld", seconds(d->got_ms, now),
		        seconds(now, d->fresh_ms));
	if (d->why[0]) {
		buf_puts(out, ",\"because\":");
		jval_quote(str_c(d->why), out);
	}
	buf_printf(out, ",\"in_flight\":%s,\"keys\":[", d->in_flight ? "true" : "false");
	write_keys(d, out);
	buf_puts(out, "]}");
}

/* The newest first. */
static size_t write_documents(const struct list *of, size_t n, uint64_t now, struct buf *out)
{
	for (struct list *it = of->prev; it != of && n < SHOWN_MAX; it = it->prev) {
		buf_puts(out, n++ ? "," : "");
		write_document(LIST_OWNER(it, struct key_document, link), now, out);
	}
	return n;
}

void remote_write(const struct remote *r, uint64_t now, struct buf *out)
{
	const struct key_source *s = &r->source;
	const struct source_counters *c = &s->counters;
	buf_puts(out, "{\"issuer\":");
	if (r->issuer)
		jval_quote(r->issuer->iss, out);
	else
		buf_puts(out, "null");
	buf_printf(out, ",\"source\":\"%s\",\"place\":", kind_name(r));
	jval_quote(str_c(r->place), out);
	buf_printf(out,
	        ",\"known\":%zu,\"unknown\":%zu,\"waiting\":%zu,\"in_flight\":%zu,"
	        "\"requests\":%llu,\"good\":%llu,\"missing\":%llu,\"broken\":%llu,\"failed\":%llu,"
	        "\"refused\":%llu,\"limited\":%llu,\"timed_out\":%llu,\"documents\":[",
	        s->n_with_keys, s->n_without_keys, s->n_waiters, s->n_in_flight,
	        (unsigned long long)c->requests, (unsigned long long)c->good,
	        (unsigned long long)c->missing, (unsigned long long)c->broken,
	        (unsigned long long)c->failed, (unsigned long long)c->refused,
	        (unsigned long long)(c->limit_lookups + c->limit_waiting),
	        (unsigned long long)c->timeouts);
	size_t n = write_documents(&s->with_keys, 0, now, out);
	(void)write_documents(&s->without_keys, n, now, out);
	buf_puts(out, "]}");
}
