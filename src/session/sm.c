/* sm.c - counts and kept stanzas of stream management (XEP-0198). pure */
#include "session/sm.h"

#include "base/mem.h"
#include "base/rand.h"
#include "xmpp/ns.h"
#include "xmpp/xml.h"

static void forget_first(struct sm *m)
{
	struct sm_stanza *x = m->first;
	m->first = x->next;
	if (!m->first)
		m->last = NULL;
	m->n--;
	m->bytes -= x->n + (x->tail ? x->tail->n : 0) + SM_STANZA_OVERHEAD;
	block_unref(x->tail);
	mem_free(x);
}

void sm_done(struct sm *m)
{
	sm_bound(m, 0, 0);
}

bool sm_counts(struct str b)
{
	static const char *const names[] = {"<iq", "<presence", "<message"};
	for (size_t i = 0; i < 3; i++) {
		struct str name = str_c(names[i]);
		if (!str_starts(b, name))
			continue;
		char after = b.n > name.n ? b.p[name.n] : '\0';
		return after == ' ' || after == '>' || after == '/';
	}
	return false;
}

bool sm_counts_element(const struct element *e)
{
	return str_eqc(e->name, "iq") || str_eqc(e->name, "presence") ||
	       str_eqc(e->name, "message");
}

static void keep(struct sm *m, struct str head, struct str more, struct block *tail)
{
	m->sent++;
	if (!m->resumable)
		return;
	struct sm_stanza *x = mem_alloc(sizeof *x + head.n + more.n);
	if (!x) { /* there would be a gap */
		sm_bound(m, 0, 0);
		return;
	}
	x->next = NULL;
	x->tail = tail ? block_ref(tail) : NULL;
	x->n = (uint32_t)(head.n + more.n);
	memcpy(x->head, head.p, head.n);
	if (more.n)
		memcpy(x->head + head.n, more.p, more.n);
	if (m->last)
		m->last->next = x;
	else
		m->first = x;
	m->last = x;
	m->n++;
	m->bytes += x->n + (tail ? tail->n : 0) + SM_STANZA_OVERHEAD;
}

void sm_sent(struct sm *m, struct str head, struct block *tail)
{
	keep(m, head, STR_NONE, tail);
}

void sm_sent_copy(struct sm *m, struct str head, struct str tail)
{
	keep(m, head, tail, NULL);
}

void sm_bound(struct sm *m, uint32_t stanzas, size_t bytes)
{
	while (m->first && (m->n > stanzas || m->bytes > bytes))
		forget_first(m);
}

bool sm_acknowledge(struct sm *m, uint32_t h)
{
	if (h - m->acked > m->sent - m->acked)
		return false;
	m->acked = h;
	while (m->first && m->n > m->sent - h)
		forget_first(m);
	return true;
}

bool sm_holds(const struct sm *m, uint32_t h)
{
	return h - m->acked <= m->sent - m->acked && m->sent - h <= m->n;
}

bool sm_read_count(struct str text, uint32_t *out)
{
	uint64_t v = 0;
	if (text.n == 0 || text.n > 10)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
		v = v * 10 + (uint64_t)(text.p[i] - '0');
	}
	*out = (uint32_t)v;
	return v <= UINT32_MAX;
}

bool sm_make_id(struct sm *m, unsigned worker)
{
	static const char digits[] = "0123456789abcdef";
	m->id[0] = digits[worker >> 4 & 15];
	m->id[1] = digits[worker & 15];
	return worker < 256 && rand_hex(m->id + 2, SM_ID_DIGITS - 2);
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool sm_worker_of(struct str id, unsigned *worker)
{
	if (id.n != SM_ID_DIGITS)
		return false;
	for (size_t i = 0; i < id.n; i++) {
		if (digit(id.p[i]) < 0)
			return false;
	}
	*worker = (unsigned)(digit(id.p[0]) << 4 | digit(id.p[1]));
	return true;
}
