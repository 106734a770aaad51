/* wait.c - sessions that wait for a key from elsewhere: the worker goes on, the answer comes to its
 * mailbox. io */
#include <stdio.h>

#include "base/mem.h"
#include "net/worker.h"
#include "session/internal.h"
#include "token/store.h"

struct key_wait {
	struct message m;
	struct key_waiter waiter;
	struct worker *worker;
	/* the worker's */
	struct session *session; /* NULL: it has gone meanwhile */
	void (*then)(struct session *s);
};

static void on_message(void *arg, struct message *m)
{
	(void)arg;
	struct key_wait *w = LIST_OWNER(m, struct key_wait, m);
	struct session *s = w->session;
	void (*then)(struct session *) = w->then;
	mem_free(w);
	if (!s)
		return;
	s->key_wait = NULL;
	if (s->state != SESSION_ENDING)
		then(s);
}

/* Thread: the store's. */
static void on_told(struct key_waiter *waiter)
{
	struct key_wait *w = LIST_OWNER(waiter, struct key_wait, waiter);
	worker_post(w->worker, &w->m);
}

enum key_answer wait_for_key(struct session *s, const struct token_want *want,
        void (*then)(struct session *s), char why[KEY_WHY])
{
	const struct session_settings *set = &s->all->settings;
	struct token_store *store = token_keys_store(set->keys);
	struct key_wait *w = set->self && then ? mem_zalloc(sizeof *w) : NULL;
	if (w)
		*w = (struct key_wait){.m.run = on_message,
		        .waiter.told = on_told,
		        .worker = set->self,
		        .session = s,
		        .then = then};
	enum key_answer answer = token_store_lookup(store, want, w ? &w->waiter : NULL, why);
	if (w && answer == KEY_WAIT) {
		s->key_wait = w; /* the message cannot be handled before this turn is over */
		return KEY_WAIT;
	}
	mem_free(w);
	if (answer != KEY_WAIT)
		return answer;
	snprintf(why, KEY_WHY, "%s", then ? "out of memory" : "no answer came in time");
	return KEY_REFUSED;
}

void wait_end(struct session *s)
{
	struct key_wait *w = s->key_wait;
	if (!w)
		return;
	s->key_wait = NULL;
	if (token_store_cancel(token_keys_store(s->all->settings.keys), &w->waiter))
		mem_free(w);
	else
		w->session = NULL; /* its message is on the way */
}
