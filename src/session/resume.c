/* resume.c - streams resumed (XEP-0198 5): who may, how a transport moves to its old session, and
 * what happens with sessions that have none for a while. io
 *
 * Whether it is allowed is decided by policy (roles.md 3.7), with the session's own token here,
 * with another one by the rooms that it sits in. */
#include <math.h>

#include "base/address.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "http/parse.h"
#include "policy/decide.h"
#include "session/internal.h"
#include "xmpp/ns.h"

/* Those of one address that are away. */
struct sleepers {
	uint32_t n;
	char address[ADDRESS_TEXT_MAX];
};

struct session *resume_find(struct sessions *ss, struct str id)
{
	unsigned worker;
	if (!sm_worker_of(id, &worker) || worker != ss->settings.worker)
		return NULL;
	struct session *s = map_get(&ss->resumable, str_sub(id, 0, SM_ID_LOOKUP));
	bool same = s && str_eq_secret(id, str_c(s->managed->sm.id));
	return same && s->state == SESSION_BOUND ? s : NULL;
}

static bool keep_previd(struct session *s, struct str id)
{
	unsigned worker;
	mem_free(s->previd);
	s->previd = sm_worker_of(id, &worker) ? mem_strndup(id.p, id.n) : NULL;
	return s->previd != NULL;
}

bool session_worker_of_query(struct str query, unsigned *worker)
{
	struct buf id;
	buf_init(&id, 4 * SM_ID_DIGITS);
	bool found = http_query_get(query, "previd", &id) == 1 && !id.failed &&
	             sm_worker_of(buf_view(&id), worker);
	buf_done(&id);
	return found;
}

void resume_take_request(struct session *s, struct str query)
{
	struct buf id;
	buf_init(&id, 4 * SM_ID_DIGITS);
	if (!str_absent(query) && s->all->settings.resume_ms &&
	        http_query_get(query, "previd", &id) == 1 && !id.failed)
		(void)keep_previd(s, buf_view(&id)); /* without it, it is a new session */
	buf_done(&id);
}

/* Who may */

static bool is_over(const struct session *s, const struct claims *c)
{
	return c && c->has_exp &&
	       floor(loop_wall_s(s->all->loop)) >= c->exp + s->all->settings.policy->leeway;
}

/* (a), (b): the very token of the session, or none where it has none. */
static bool is_same(const struct session *s, const struct session *old)
{
	if (s->account || old->account)
		return s->account == old->account;
	if (!s->claims || !old->claims)
		return s->claims == old->claims;
	return memcmp(s->claims->token_sha256, old->claims->token_sha256, 32) == 0;
}

/* The same before it has logged in. */
static bool brings_same(const struct session *s, const struct session *old)
{
	uint8_t sha256[32];
	if (s->token_reason != R_NONE || old->account)
		return false;
	if (!s->token || !old->claims)
		return !s->token && !old->claims;
	hash_sha256(str_c(s->token), sha256);
	return memcmp(sha256, old->claims->token_sha256, sizeof sha256) == 0;
}

static enum resume_answer ask_policy_same(const struct session *s, const struct session *old)
{
	const struct room_view nowhere = {0};
	const struct resume_request r = {.settings = s->all->settings.policy,
	        .room = &nowhere,
	        .now = (int64_t)floor(loop_wall_s(s->all->loop)),
	        .same_token = true,
	        .old_claims = old->claims,
	        .expired = is_over(s, old->claims),
	        .session = session_key(old)};
	struct verdict v;
	return policy_resume(&r, &v);
}

enum resume_login resume_login(struct session *s)
{
	struct session *old = s->previd ? resume_find(s->all, str_c(s->previd)) : NULL;
	if (!old || !brings_same(s, old))
		return RESUME_LOGIN_NEW;
	if (ask_policy_same(s, old) != RESUME_SAME)
		return RESUME_LOGIN_OVER;
	s->resumes = old->handle;
	s->claims = old->claims ? claims_ref(old->claims) : NULL;
	return RESUME_LOGIN_SAME;
}

/* It sits nowhere: the conference that its URL names is what it knocks at. */
static bool may_knock(const struct session *s, const struct session *old)
{
	const struct sessions *ss = s->all;
	struct buf room;
	buf_init(&room, 0);
	route_room_of(str_c(old->query_room), str_c(old->query_prefix), &ss->settings.muc, &room);
	const struct resume_question q = {.session = old->handle,
	        .key = session_key(old),
	        .claims = s->claims,
	        .old_claims = old->claims,
	        .knocks_at = buf_view(&room)};
	bool may = room.n && !room.failed &&
	           ss->events.may_resume(ss->events.arg, &q) == RESUME_HONOURED;
	buf_done(&room);
	return may;
}

static bool settle(struct session *s, struct session_handle h, enum resume_opinion o)
{
	const struct session *old = session_get(s->all, h);
	bool may = old && (o == RESUME_HONOURED || (o == RESUME_NO_SEAT && may_knock(s, old)));
	if (may)
		s->resumes = h;
	return may;
}

/* (c). True: an answer comes later, by then. */
static bool asks_rooms(struct session *s, const struct session *old,
        void (*then)(struct session *s, struct session_handle old, enum resume_opinion o))
{
	const struct session_events *ev = &s->all->events;
	const struct resume_question q = {.session = old->handle,
	        .key = session_key(old),
	        .claims = s->claims,
	        .old_claims = old->claims,
	        .knocks_at = STR_NONE};
	bool nomem;
	if (!s->claims || s->account || old->account || !ev->may_resume)
		return false;
	enum resume_opinion o = ev->may_resume(ev->arg, &q);
	if (o == RESUME_NOT_HONOURED)
		return false;
	if (far_ask(s, old, o, then, &nomem))
		return true;
	s->all->counters.no_memory += nomem;
	if (!nomem)
		(void)settle(s, old->handle, o);
	return false;
}

static void on_login_opinion(struct session *s, struct session_handle old, enum resume_opinion o)
{
	(void)settle(s, old, o);
	s->then(s);
}

bool resume_asks(struct session *s, void (*then)(struct session *s))
{
	const struct session *old = s->previd ? resume_find(s->all, str_c(s->previd)) : NULL;
	s->then = then;
	return old && asks_rooms(s, old, on_login_opinion);
}

/* Away */

static bool take_address(struct session *s)
{
	struct sessions *ss = s->all;
	struct managed *m = s->managed;
	char household[ADDRESS_TEXT_MAX];
	m->address = NULL;
	if (s->peer_loopback)
		return true;
	struct sleepers *a = map_get(&ss->sleepers, address_household(str_c(s->peer), household));
	if (!a) {
		a = mem_zalloc(sizeof *a);
		if (!a)
			return false;
		memcpy(a->address, household, sizeof a->address);
		if (!map_put(&ss->sleepers, str_c(a->address), a)) {
			mem_free(a);
			return false;
		}
	}
	if (a->n >= ss->settings.away_per_address) {
		ss->counters.limit_away++;
		return false;
	}
	a->n++;
	m->address = a;
	return true;
}

static void wake(struct session *s)
{
	struct sessions *ss = s->all;
	if (!s->away)
		return;
	struct sleepers *a = s->managed->address;
	s->away = false;
	ss->counters.away_now--;
	s->managed->address = NULL;
	if (!a || --a->n)
		return;
	map_remove(&ss->sleepers, str_c(a->address));
	mem_free(a);
}

static void on_window_over(void *arg, uint64_t now_ms)
{
	(void)now_ms;
	struct session *s = arg;
	s->all->counters.resume_timeouts++;
	session_end(s, SESSION_LOST);
}

bool resume_away(struct session *s, enum session_end why)
{
	struct sessions *ss = s->all;
	struct managed *m = s->managed;
	struct message *news;
	const struct far_return r = {.news = FAR_AWAY, .peer = STR("")};
	if (s->state != SESSION_BOUND || !m || !m->sm.resumable || ss->draining ||
	        (why != SESSION_LOST && why != SESSION_SLOW))
		return false;
	if (!take_address(s))
		return false;
	s->away = true;
	ss->counters.away_now++;
	if (!far_news_make(s, &r, &news)) {
		ss->counters.no_memory++;
		wake(s);
		return false;
	}
	ss->counters.went_away++;
	m->cut = m->sm.sent;
	m->asked = false;
	uint32_t ms = s->account ? ss->settings.resume_service_ms : ss->settings.resume_ms;
	timer_start(
	        loop_timers(ss->loop), &s->timer, loop_now_ms(ss->loop) + ms, on_window_over, s);
	log_debug("event=session-away session=%.8s because=%s kept=%u", s->key,
	        session_end_text(why), (unsigned)m->sm.n);
	if (ss->events.away)
		ss->events.away(ss->events.arg, s);
	far_news_post(news);
	return true;
}

void resume_forget(struct session *s)
{
	far_ask_end(s);
	wake(s);
	mem_free(s->previd);
	s->previd = NULL;
}

/* Back */

static void refuse(struct session *s, const char *condition)
{
	s->all->counters.resumes_refused++;
	s->state = SESSION_BINDING;
	management_fail(s, condition);
}

static void resend(struct session *s)
{
	for (const struct sm_stanza *x = s->managed->sm.first; x && s->transport; x = x->next) {
		int err = s->transport->ops->send(s->transport, str_from(x->head, x->n), x->tail);
		if (err)
			session_send_failed(s, err);
	}
}

/* The transport of `s`, which ends, goes to `old`; what that had is closed. Nothing fails. */
static void move_transport(struct session *s, struct session *old)
{
	struct transport *before = old->transport, *t = s->transport;
	if (before) {
		before->session = NULL;
		before->ops->end(before, SESSION_ENDED,
		        STR("<stream:error xmlns:stream='" NS_STREAMS
		            "'><conflict xmlns='" NS_STREAM_ERRORS "'/></stream:error>"));
	}
	old->transport = t;
	t->session = old;
	s->transport = NULL;
	session_end(s, SESSION_CLOSED);
	memcpy(old->peer, s->peer, sizeof old->peer);
	old->peer_loopback = s->peer_loopback;
}

static void take_over(struct session *s, struct session *old, uint32_t h, struct message *news)
{
	struct sessions *ss = s->all;
	struct managed *m = old->managed;
	bool same = is_same(s, old);
	timer_stop(&old->timer);
	wake(old);
	move_transport(s, old);
	if (!same) {
		struct claims *was = old->claims;
		old->claims = s->claims;
		s->claims = was;
	}
	m->asked = false;
	ss->counters.resumed++;
	management_acknowledged(old, h);
	log_debug("event=session-back session=%.8s peer=%s token=%s kept=%u", old->key, old->peer,
	        same ? "same" : "new", (unsigned)m->sm.n);
	struct buf *b = session_begin(old);
	buf_printf(b, "<resumed xmlns='" NS_SM "' h='%u' previd='%s'/>", (unsigned)m->sm.handled,
	        m->sm.id);
	session_flush(old);
	resend(old);
	if (ss->events.back)
		ss->events.back(ss->events.arg, old, same);
	far_news_post(news);
	if (old->state == SESSION_BOUND)
		management_ask(old);
}

/* It was allowed; is it still, and is all there that the client lacks? */
static void commit(struct session *s, uint32_t h)
{
	struct session *old = resume_find(s->all, str_c(s->previd));
	struct message *news;
	if (!old || !session_handle_eq(old->handle, s->resumes)) {
		refuse(s, "item-not-found");
		return;
	}
	const struct sm *m = &old->managed->sm;
	bool same = is_same(s, old);
	if (h - m->acked > m->sent - m->acked) {
		management_too_high(s, h, m->sent);
		return;
	}
	bool somebody_else = !same && old->claims && old->claims->identity.present &&
	                     !identity_eq(&old->claims->identity, &s->claims->identity);
	if (!sm_holds(m, h) || somebody_else || (!same && !s->claims)) {
		refuse(s, "item-not-found");
		return;
	}
	const struct far_return r = {.news = FAR_BACK,
	        .same_token = same,
	        .claims = same ? NULL : s->claims,
	        .peer = session_peer(s),
	        .peer_loopback = s->peer_loopback};
	if (!far_news_make(old, &r, &news)) {
		s->all->counters.no_memory++;
		refuse(s, "resource-constraint");
		return;
	}
	take_over(s, old, h, news);
}

static void on_late_opinion(struct session *s, struct session_handle old, enum resume_opinion o)
{
	if (settle(s, old, o))
		commit(s, s->resume_h);
	else
		refuse(s, "item-not-found");
}

/* The URL did not name it: decided only now. */
static void decide(struct session *s, struct session *old)
{
	if (is_same(s, old)) {
		if (ask_policy_same(s, old) == RESUME_SAME)
			s->resumes = old->handle;
	} else if (asks_rooms(s, old, on_late_opinion)) {
		s->state = SESSION_RESUMING;
	}
}

void resume_element(struct session *s, const struct element *e)
{
	struct str id = element_attr(e, "previd");
	uint32_t h;
	if (!str_eqc(e->name, "resume")) {
		management_fail(s, "unexpected-request");
		return;
	}
	struct session *old = management_offered(s) ? resume_find(s->all, id) : NULL;
	if (!old || !sm_read_count(element_attr(e, "h"), &h)) {
		refuse(s, old ? "bad-request" : "item-not-found");
		return;
	}
	bool decided = s->resumes.generation && str_eq_secret(str_c(s->previd), id);
	if (!decided && !keep_previd(s, id)) {
		refuse(s, "resource-constraint");
		return;
	}
	s->resume_h = h;
	if (!decided) {
		s->resumes = (struct session_handle){0};
		decide(s, old);
	}
	if (s->state == SESSION_RESUMING)
		return;
	if (s->resumes.generation)
		commit(s, h);
	else
		refuse(s, "item-not-found");
}

/* Bound instead */

bool resume_take_name(struct session *s)
{
	const struct session *old =
	        s->resumes.generation && !s->account ? session_get(s->all, s->resumes) : NULL;
	if (!old)
		return false;
	memcpy(s->key, old->key, sizeof s->key);
	return true;
}

void resume_supersede(struct session *s)
{
	struct session *old = s->resumes.generation ? session_get(s->all, s->resumes) : NULL;
	if (old && old != s)
		session_close(old, SESSION_ENDED, "conflict", STR("Bound again"));
}
