/* management.c - stream management of a bound session (XEP-0198): enabled, acknowledged, kept. io
 */
#include "base/mem.h"
#include "session/internal.h"
#include "xmpp/ns.h"

#define UNACKNOWLEDGED 5  /* so many, and the client is asked */
#define SHARE_BYTES 65536 /* what one may keep when all together keep too much */

bool management_offered(const struct session *s)
{
	return s->all->settings.resume_ms && s->transport &&
	       s->transport->ops->kind != TRANSPORT_BOSH;
}

void management_fail(struct session *s, const char *condition)
{
	struct buf *b = session_begin(s);
	buf_printf(b, "<failed xmlns='" NS_SM "'><%s xmlns='" NS_STANZA_ERRORS "'/></failed>",
	        condition);
	session_flush(s);
}

static void on_ask(void *arg)
{
	struct session *s = arg;
	struct managed *m = s->managed;
	if (!s->transport || s->state != SESSION_BOUND || m->asked ||
	        m->sm.sent - m->sm.acked < UNACKNOWLEDGED)
		return;
	m->asked = true;
	session_send(s, STR("<r xmlns='" NS_SM "'/>"));
}

void management_ask(struct session *s)
{
	struct managed *m = s->managed;
	if (m->asked || m->sm.sent - m->sm.acked < UNACKNOWLEDGED)
		return;
	m->ask.fn = on_ask;
	m->ask.arg = s;
	loop_defer(s->all->loop, &m->ask);
}

/* The other side of sm_sent and of everything that forgets: the sum over all sessions. */
static void keep_sum(struct session *s, size_t before)
{
	s->all->kept_bytes += s->managed->sm.bytes;
	s->all->kept_bytes -= before;
}

void management_sent(struct session *s, struct str head, struct str copied, struct block *tail)
{
	struct sessions *ss = s->all;
	const struct session_settings *set = &ss->settings;
	struct managed *m = s->managed;
	if (!sm_counts(head))
		return;
	size_t before = m->sm.bytes;
	if (tail)
		sm_sent(&m->sm, head, tail);
	else
		sm_sent_copy(&m->sm, head, copied);
	sm_bound(&m->sm, set->resume_queue, set->resume_bytes);
	keep_sum(s, before);
	if (ss->kept_bytes > set->resume_total && m->sm.bytes > SHARE_BYTES) {
		before = m->sm.bytes;
		sm_bound(&m->sm, set->resume_queue, SHARE_BYTES);
		keep_sum(s, before);
	}
	if (!s->away) {
		management_ask(s);
	} else if (m->sm.sent - m->cut > m->sm.n) {
		/* something is forgotten that the client can't have: it would come back for nothing
		 */
		ss->counters.limit_queued_bytes++;
		session_end(s, SESSION_SLOW);
	}
}

static bool start(struct session *s, bool resumable)
{
	struct sessions *ss = s->all;
	struct managed *m = mem_zalloc(sizeof *m);
	if (!m)
		return false;
	m->sm.resumable = resumable;
	struct str key = str_from(m->sm.id, SM_ID_LOOKUP);
	if (resumable &&
	        (!sm_make_id(&m->sm, ss->settings.worker) || map_get(&ss->resumable, key) ||
	                !map_put(&ss->resumable, key, s))) {
		mem_free(m);
		return false;
	}
	s->managed = m;
	return true;
}

static void on_enable(struct session *s, const struct element *e)
{
	struct str resume = element_attr(e, "resume");
	bool wanted = str_eqc(resume, "true") || str_eqc(resume, "1");
	if (s->managed || !management_offered(s)) {
		management_fail(s, s->managed ? "unexpected-request" : "service-unavailable");
		return;
	}
	if (!start(s, wanted)) {
		s->all->counters.no_memory++;
		management_fail(s, "resource-constraint");
		return;
	}
	struct buf *b = session_begin(s);
	buf_puts(b, "<enabled xmlns='" NS_SM "'");
	if (wanted) /* clients compare with the word */
		buf_printf(b, " id='%s' resume='true' max='%u'", s->managed->sm.id,
		        s->all->settings.resume_ms / 1000);
	buf_puts(b, "/>");
	session_flush(s);
}

static void on_request(struct session *s)
{
	struct buf *b = session_begin(s);
	buf_printf(b, "<a xmlns='" NS_SM "' h='%u'/>", (unsigned)s->managed->sm.handled);
	session_flush(s);
}

void management_acknowledged(struct session *s, uint32_t h)
{
	size_t before = s->managed->sm.bytes;
	(void)sm_acknowledge(&s->managed->sm, h);
	keep_sum(s, before);
}

void management_too_high(struct session *s, uint32_t h, uint32_t sent)
{
	char extra[160];
	struct buf b = {.p = extra, .cap = sizeof extra, .max = sizeof extra - 1};
	buf_printf(&b, "<handled-count-too-high xmlns='" NS_SM "' h='%u' send-count='%u'/>",
	        (unsigned)h, (unsigned)sent);
	session_close_with(s, SESSION_PROTOCOL, "undefined-condition", STR_NONE, buf_view(&b));
}

static void on_answer(struct session *s, const struct element *e)
{
	struct managed *m = s->managed;
	uint32_t h;
	size_t before = m->sm.bytes;
	if (!sm_read_count(element_attr(e, "h"), &h)) {
		session_close(s, SESSION_PROTOCOL, "invalid-xml", STR("h is no count"));
		return;
	}
	if (!sm_acknowledge(&m->sm, h)) {
		management_too_high(s, h, m->sm.sent);
		return;
	}
	keep_sum(s, before);
	if (m->asked) /* it was asked for, so it costs nothing */
		s->stanzas.tokens += 1;
	m->asked = false;
}

bool management_took(struct session *s, const struct element *e)
{
	if (!str_eqc(e->ns, NS_SM)) {
		if (s->managed && sm_counts_element(e))
			s->managed->sm.handled++;
		return false;
	}
	if (str_eqc(e->name, "enable"))
		on_enable(s, e);
	else if (s->managed && str_eqc(e->name, "r"))
		on_request(s);
	else if (s->managed && str_eqc(e->name, "a"))
		on_answer(s, e);
	else
		management_fail(s, "unexpected-request");
	return true;
}

void management_done(struct session *s)
{
	struct managed *m = s->managed;
	if (!m)
		return;
	size_t before = m->sm.bytes;
	if (m->sm.resumable)
		map_remove(&s->all->resumable, str_from(m->sm.id, SM_ID_LOOKUP));
	loop_undefer(&m->ask);
	sm_done(&m->sm);
	keep_sum(s, before);
	s->managed = NULL;
	mem_free(m);
}
