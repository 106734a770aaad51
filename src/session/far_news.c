/* far_news.c - what rooms on other workers hear of a session's connection: lost, back again; and
 * the question whether it may come back with another token. io */
#include "base/mem.h"
#include "session/far_internal.h"

/* News */

struct news {
	struct message m;
	struct tie *tie;
	enum far_news kind;
	bool same_token, peer_loopback;
	struct claims *claims; /* the tie's new ones, or NULL */
	char peer[46];
};

static void news_free(struct news *n)
{
	claims_unref(n->claims);
	mem_free(n);
}

static void on_news(void *arg, struct message *m)
{
	(void)arg;
	struct news *n = LIST_OWNER(m, struct news, m);
	struct tie *t = n->tie;
	struct far *f = t->to;
	if (n->kind == FAR_BACK) {
		memcpy(t->peer, n->peer, sizeof t->peer);
		t->peer_loopback = n->peer_loopback;
	}
	if (n->claims) {
		claims_unref(t->claims);
		t->claims = n->claims;
		n->claims = NULL;
	}
	if (t->known && n->kind == FAR_AWAY && f->settings.away) {
		f->settings.away(f->settings.arg, t->handle);
	} else if (t->known && n->kind == FAR_BACK && f->settings.back) {
		const struct far_client client = far_client_of(t);
		f->settings.back(f->settings.arg, &client, n->same_token);
	}
	news_free(n);
}

static struct news *news_new(struct tie *t, const struct far_return *r)
{
	struct news *n = mem_zalloc(sizeof *n);
	if (!n)
		return NULL;
	n->m.run = on_news;
	n->tie = t;
	n->kind = r->news;
	n->same_token = r->same_token;
	n->peer_loopback = r->peer_loopback;
	size_t size = r->peer.n < sizeof n->peer ? r->peer.n : sizeof n->peer - 1;
	if (size)
		memcpy(n->peer, r->peer.p, size);
	if (far_copy_claims(r->claims, &n->claims))
		return n;
	news_free(n);
	return NULL;
}

bool far_news_make(struct session *s, const struct far_return *r, struct message **list)
{
	const struct far *f = s->all->far;
	*list = NULL;
	for (unsigned i = 0; f && s->ties && i < f->n; i++) {
		if (!s->ties[i])
			continue;
		struct news *n = news_new(s->ties[i], r);
		if (!n) {
			far_news_drop(*list);
			*list = NULL;
			return false;
		}
		n->m.next = *list;
		*list = &n->m;
	}
	return true;
}

void far_news_drop(struct message *list)
{
	while (list) {
		struct news *n = LIST_OWNER(list, struct news, m);
		list = list->next;
		news_free(n);
	}
}

void far_news_post(struct message *list)
{
	while (list) {
		struct message *m = list;
		const struct far *to = LIST_OWNER(m, struct news, m)->tie->to;
		list = m->next;
		worker_post(to->settings.workers[to->worker], m);
	}
}

/* The question: it goes from worker to worker, and home with all that they said. */

struct resume_ask {
	struct message m;
	struct far *home;
	unsigned next; /* whom to ask now */
	uint64_t workers;
	struct session_handle old;
	char key[37];
	struct claims *claims;
	enum resume_opinion opinion;
	/* the home worker's */
	struct session *session; /* NULL: it has gone meanwhile */
	void (*then)(struct session *s, struct session_handle old, enum resume_opinion o);
};

static void ask_free(struct resume_ask *a)
{
	claims_unref(a->claims);
	mem_free(a);
}

static void on_answer(struct resume_ask *a)
{
	struct session *s = a->session;
	void (*then)(struct session *, struct session_handle, enum resume_opinion) = a->then;
	const struct session_handle old = a->old;
	enum resume_opinion opinion = a->opinion;
	ask_free(a);
	if (!s)
		return;
	s->asking = NULL;
	if (s->state != SESSION_ENDING)
		then(s, old, opinion);
}

/* To the next worker that has a tie with the session, or home. */
static void post_on(struct resume_ask *a)
{
	const struct far_settings *set = &a->home->settings;
	while (a->next < a->home->n && !(a->workers >> a->next & 1))
		a->next++;
	unsigned to = a->next < a->home->n ? a->next : a->home->worker;
	worker_post(set->workers[to], &a->m);
}

static void on_asked(void *arg, struct message *m)
{
	(void)arg;
	struct resume_ask *a = LIST_OWNER(m, struct resume_ask, m);
	if (a->next == a->home->n) {
		on_answer(a);
		return;
	}
	const struct far *here = a->home->settings.fars[a->next];
	const struct resume_question q = {.session = a->old,
	        .key = str_c(a->key),
	        .claims = a->claims,
	        .knocks_at = STR_NONE};
	enum resume_opinion o = here->settings.may_resume(here->settings.arg, &q);
	if (o != RESUME_NO_SEAT && a->opinion != RESUME_NOT_HONOURED)
		a->opinion = o;
	a->next++;
	post_on(a);
}

bool far_ask(struct session *s, const struct session *old, enum resume_opinion so_far,
        void (*then)(struct session *s, struct session_handle old, enum resume_opinion o),
        bool *nomem)
{
	struct far *f = s->all->far;
	uint64_t workers = 0;
	for (unsigned i = 0; f && old->ties && i < f->n; i++)
		workers |= (uint64_t)(old->ties[i] != NULL) << i;
	*nomem = false;
	if (!workers)
		return false;
	struct resume_ask *a = mem_zalloc(sizeof *a);
	if (!a || !far_copy_claims(s->claims, &a->claims)) {
		mem_free(a);
		*nomem = true;
		return false;
	}
	a->m.run = on_asked;
	a->home = f;
	a->workers = workers;
	a->old = old->handle;
	memcpy(a->key, old->key, sizeof a->key);
	a->opinion = so_far;
	a->session = s;
	a->then = then;
	s->asking = a;
	post_on(a);
	return true;
}

void far_ask_end(struct session *s)
{
	if (s->asking)
		s->asking->session = NULL; /* it is on its way */
	s->asking = NULL;
}
