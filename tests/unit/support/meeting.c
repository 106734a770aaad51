/* meeting.c - a meeting on virtual time. io */
#include "support/meeting.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "focus/services.h"
#include "token/claims.h"

static void on_send(void *arg, struct session_handle to, struct str head, struct block *tail)
{
	struct meeting *m = arg;
	struct client *c = &m->clients[to.index];
	struct str t = tail ? block_view(tail) : STR("");
	char *whole = malloc(head.n + t.n + 1);
	if (!whole)
		abort();
	memcpy(whole, head.p, head.n);
	memcpy(whole + head.n, t.p, t.n);
	whole[head.n + t.n] = '\0';
	if (c->in.n == c->in.cap) {
		c->in.cap = c->in.cap ? c->in.cap * 2 : 16;
		c->in.v = realloc(c->in.v, c->in.cap * sizeof *c->in.v);
		if (!c->in.v)
			abort();
	}
	c->in.v[c->in.n++] = whole;
}

static void on_close(void *arg, struct session_handle to, const char *condition, struct str text)
{
	struct meeting *m = arg;
	struct client *c = &m->clients[to.index];
	(void)text;
	c->closed = true;
	snprintf(c->close_condition, sizeof c->close_condition, "%s", condition);
}

struct meeting *meeting_new(void)
{
	struct meeting *m = calloc(1, sizeof *m);
	if (!m)
		abort();
	log_set_level(LOG_ERROR);
	policy_settings_init(&m->policy);
	m->policy.allow_guests = true;
	m->policy.room_create = ROOM_CREATE_ANYONE;
	m->policy.domain = STR("meet.example");
	m->settings = room_settings_default;
	m->settings.domain = STR("meet.example");
	m->settings.muc_domain = STR("conference.meet.example");
	m->settings.focus_jid = STR("focus@auth.meet.example");
	m->settings.policy = &m->policy;
	m->outbox = (struct outbox){.arg = m, .send = on_send, .close = on_close};
	m->now_ms = 1000;
	m->budget = -1;
	return m;
}

static void tell_time(struct meeting *m)
{
	focus_clock(m->focus, m->now_ms);
	room_service_clock(m->rooms, m->now_ms, MEETING_UNIX + (double)m->now_ms / 1000);
}

void meeting_start(struct meeting *m)
{
	const struct services_settings services = {.auth_domain = STR("auth.meet.example"),
	        .hidden_domain = STR("hidden.meet.example"),
	        .internal_muc_domain = STR("internal.meet.example"),
	        .focus_outside = m->settings.focus_outside};
	m->services = services_new(&services, &m->outbox);
	const struct focus_settings focus = {.domain = m->settings.domain,
	        .muc_domain = m->settings.muc_domain,
	        .focus_domain = STR("focus.meet.example"),
	        .focus_jid = m->settings.focus_jid,
	        .token_auth_url = m->token_auth_url,
	        .auth = true,
	        .outside = m->settings.focus_outside,
	        .services = m->services,
	        .timers = &m->wheel,
	        .version = "test"};
	timer_wheel_init(&m->wheel, m->now_ms);
	m->focus = focus_new(&focus, &m->outbox);
	struct room_listener listener = focus_listener(m->focus);
	m->rooms = room_service_new(&m->settings, &m->outbox, &listener, &m->wheel);
	focus_attach(m->focus, m->rooms);
	tell_time(m);
}

static void forget(struct client *c)
{
	for (size_t i = 0; i < c->in.n; i++)
		free(c->in.v[i]);
	c->in.n = 0;
}

void meeting_forget(struct meeting *m)
{
	for (unsigned i = 0; i < m->n_clients; i++)
		forget(&m->clients[i]);
}

void meeting_free(struct meeting *m)
{
	for (unsigned i = 0; i < m->n_clients; i++)
		meeting_gone(m, &m->clients[i]);
	room_service_free(m->rooms);
	focus_free(m->focus);
	services_free(m->services);
	for (unsigned i = 0; i < m->n_clients; i++) {
		forget(&m->clients[i]);
		free(m->clients[i].in.v);
		claims_unref(m->clients[i].as.claims);
	}
	free(m);
}

void meeting_sleep(struct meeting *m, uint64_t ms)
{
	for (uint64_t end = m->now_ms + ms; m->now_ms < end;) {
		m->now_ms = m->now_ms + 100 < end ? m->now_ms + 100 : end;
		tell_time(m);
		timer_wheel_run(&m->wheel, m->now_ms);
	}
}

const char *meeting_claims(const char *id, const char *name, const char *moderator)
{
	static char text[1024];
	snprintf(text, sizeof text,
	        "{\"iss\":\"app\",\"sub\":\"meet.example\",\"aud\":\"jitsi\",\"room\":\"*\","
	        "\"context\":{\"user\":{\"id\":\"%s\",\"name\":\"%s\",\"email\":\"%s@example.org\"%"
	        "s%s}}}",
	        id, name, id, moderator ? ",\"moderator\":" : "", moderator ? moderator : "");
	return text;
}

struct client *meeting_client(struct meeting *m, const char *claims)
{
	if (m->n_clients == MEETING_CLIENTS)
		abort();
	unsigned i = m->n_clients++;
	struct client *c = &m->clients[i];
	snprintf(c->key, sizeof c->key, "%08x-0000-4000-8000-000000000000", i + 1);
	snprintf(c->jid, sizeof c->jid, "%08x-0000-4000-8000-000000000000@meet.example/r%u", i + 1,
	        i);
	c->as = (struct room_client){.handle = {0, i, 1},
	        .jid = str_c(c->jid),
	        .key = str_c(c->key),
	        .peer = STR("192.0.2.1"),
	        .peer_loopback = false};
	if (claims) {
		c->as.claims = token_claims_parse(str_c(claims));
		if (!c->as.claims)
			abort();
	}
	return c;
}

void meeting_send(struct meeting *m, struct client *c, const char *fmt, ...)
{
	char text[16384];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof text)
		abort();
	struct xml_parser *p = xml_parser_new();
	struct arena a;
	struct element *e;
	struct stanza st;
	arena_init(&a, 0);
	if (p &&
	        xml_parse(p, str_from(text, (size_t)n), &xml_limits_after_auth, &a, &e) ==
	                XML_FINE &&
	        stanza_read(e, &a, &st) == 0) {
		tell_time(m);
		mem_budget_set(m->budget);
		focus_client_stanza(m->focus, &c->as, &st);
		mem_budget_set(-1);
	} else {
		fprintf(stderr, "# not a stanza: %s\n", text);
		abort();
	}
	arena_done(&a);
	xml_parser_free(p);
}

void meeting_join(struct meeting *m, struct client *c, const char *nick, const char *name)
{
	meeting_send(m, c, "<presence to='" ROOM "/%s'><x xmlns='" NS_MUC "'/>%s%s%s</presence>",
	        nick, name ? "<nick xmlns='" NS_NICK "'>" : "", name ? name : "",
	        name ? "</nick>" : "");
}

void meeting_gone(struct meeting *m, struct client *c)
{
	services_gone(m->services, c->as.handle);
	focus_client_gone(m->focus, c->as.handle);
}

struct client *meeting_service(struct meeting *m, const char *jid, enum service service)
{
	struct client *c = meeting_client(m, NULL);
	snprintf(c->jid, sizeof c->jid, "%s", jid);
	c->as.jid = str_c(c->jid);
	c->as.service = service;
	services_came(m->services, &c->as);
	return c;
}

static bool holds_all(const char *stanza, va_list words)
{
	const char *word;
	bool all = true;
	while ((word = va_arg(words, const char *)))
		all = all && strstr(stanza, word);
	return all;
}

static int search(const struct client *c, va_list words, unsigned *count, bool last)
{
	int found = -1;
	*count = 0;
	for (size_t i = 0; i < c->in.n; i++) {
		va_list copy;
		va_copy(copy, words);
		if (holds_all(c->in.v[i], copy)) {
			(*count)++;
			if (found < 0 || last)
				found = (int)i;
		}
		va_end(copy);
	}
	return found;
}

unsigned seen_count(const struct client *c, ...)
{
	unsigned n;
	va_list words;
	va_start(words, c);
	search(c, words, &n, false);
	va_end(words);
	return n;
}

const char *seen_last(const struct client *c, ...)
{
	unsigned n;
	va_list words;
	va_start(words, c);
	int i = search(c, words, &n, true);
	va_end(words);
	return i < 0 ? NULL : c->in.v[i];
}

int seen_index(const struct client *c, ...)
{
	unsigned n;
	va_list words;
	va_start(words, c);
	int i = search(c, words, &n, false);
	va_end(words);
	return i;
}

void seen_dump(const struct client *c)
{
	for (size_t i = 0; i < c->in.n; i++)
		fprintf(stderr, "# %zu: %s\n", i, c->in.v[i]);
}
