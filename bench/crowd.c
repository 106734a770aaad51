/* crowd.c - people of a load run: their stanzas, and the counting of what they hear. io */
#include "bench/crowd.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define COMPLAINTS 8 /* of which the text is written; all are counted */
#define KINDS 8
#define JOIN_X "<x xmlns='http://jabber.org/protocol/muc'/>"

/* Who somebody is, by index: what his token says, what he types, and what all must see. */
static const struct kind {
	const char *claim; /* of context.user */
	bool owner;
	bool types_another_name;
} kinds[KINDS] = {
        {",\"moderator\":true", true, false},
        {",\"moderator\":\"false\"", false, false},
        {"", false, false},
        {",\"affiliation\":\"owner\"", true, false},
        {"", false, false},
        {"", false, true},
        {",\"affiliation\":\"member\"", false, false},
        {"", false, false},
};

void crowd_wrong(struct crowd *c, const char *format, ...)
{
	va_list ap;
	if (c->wrong++ >= COMPLAINTS)
		return;
	va_start(ap, format);
	fputs("wrong: ", stderr);
	vfprintf(stderr, format, ap);
	fputc('\n', stderr);
	va_end(ap);
}

size_t crowd_base64url(const unsigned char *in, size_t n, char *out)
{
	static const char digits[] =
	        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	size_t o = 0;
	for (size_t i = 0; i < n; i += 3) {
		size_t left = n - i;
		unsigned v = (unsigned)in[i] << 16 | (left > 1 ? (unsigned)in[i + 1] << 8 : 0) |
		             (left > 2 ? in[i + 2] : 0);
		for (size_t k = 0; k < (left > 2 ? 4 : left + 1); k++)
			out[o++] = digits[v >> (18 - 6 * k) & 63];
	}
	out[o] = '\0';
	return o;
}

/* "?room=..&token=.." of one person, signed with HS256. */
static void write_query(const struct person *p, char *out, size_t size)
{
	const struct crowd_settings *set = &p->hall->crowd->settings;
	int n = snprintf(out, size, "?room=%s", p->hall->name);
	if (!set->secret)
		return;
	char claims[512], input[1024];
	unsigned char sum[32];
	unsigned sum_n = sizeof sum;
	int claims_n = snprintf(claims, sizeof claims,
	        "{\"iss\":\"%s\",\"aud\":\"jitsi\",\"sub\":\"%s\",\"room\":\"*\",\"exp\":%lld,"
	        "\"context\":{\"user\":"
	        "{\"id\":\"u%u\",\"name\":\"Person "
	        "%05u\",\"avatar\":\"https://example.com/%u.png\"%s}}}",
	        set->app_id, set->domain, (long long)time(NULL) + 3600, p->index, p->index,
	        p->index, kinds[p->index % KINDS].claim);
	static const char header[] = "{\"alg\":\"HS256\",\"typ\":\"JWT\"}";
	size_t at = crowd_base64url((const unsigned char *)header, sizeof header - 1, input);
	input[at++] = '.';
	at += crowd_base64url((const unsigned char *)claims, (size_t)claims_n, input + at);
	HMAC(EVP_sha256(), set->secret, (int)strlen(set->secret), (const unsigned char *)input, at,
	        sum, &sum_n);
	input[at++] = '.';
	crowd_base64url(sum, sum_n, input + at);
	snprintf(out + n, size - (size_t)n, "&token=%s", input);
}

static void say(struct person *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(struct person *p, const char *format, ...)
{
	char text[2048];
	va_list ap;
	va_start(ap, format);
	int n = vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	wire_send(&p->link, text, (size_t)n);
}

/* As the web app sends it: what it can, what it sends, who it is; filled up to the size. */
static void send_presence(struct person *p, bool join)
{
	static const char fill[] =
	        "jvb-a1-screenshare-muted-true-video-type-camera-simulcast-layers-180-360-720-";
	static const char tail[] = "\"}}</SourceInfo></presence>";
	char text[CROWD_PRESENCE_BYTES + 512];
	const char *typed = kinds[p->index % KINDS].types_another_name ? "Nobody" : "Person";
	int n = snprintf(text, sizeof text,
	        "<presence xmlns='jabber:client' "
	        "to='%s@%s/%08x'>%s<q>%08u</q><stats-id>Mavis-Lxs</stats-id>"
	        "<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' "
	        "node='https://jitsi.org/jitsi-meet' "
	        "ver='gZ0gQ+JfVJBdYzUNvn6pQjWxrA8='/><nick "
	        "xmlns='http://jabber.org/protocol/nick'>%s %05u</nick>"
	        "<audiomuted>true</audiomuted><videomuted>false</videomuted>"
	        "<jitsi_participant_region>local</jitsi_participant_region>"
	        "<jitsi_participant_codecList>av1,vp9,vp8,h264</jitsi_participant_codecList>"
	        "<SourceInfo>{\"%08x-a0\":{\"muted\":true},\"%08x-v0\":{\"muted\":false,\"more\":"
	        "\"",
	        p->hall->name, p->hall->crowd->settings.muc, p->index, join ? JOIN_X : "",
	        p->presences_sent++, typed, p->index, p->index, p->index);
	size_t end = CROWD_PRESENCE_BYTES + (join ? sizeof JOIN_X - 1 : 0) - (sizeof tail - 1);
	for (size_t i = (size_t)n; i < end; i++)
		text[i] = fill[i % (sizeof fill - 1)];
	memcpy(text + end, tail, sizeof tail - 1);
	wire_send(&p->link, text, end + sizeof tail - 1);
}

void crowd_update(struct person *p)
{
	send_presence(p, false);
}

void crowd_speak(struct person *p)
{
	say(p,
	        "<message xmlns='jabber:client' to='%s@%s' type='groupchat' id='m%u-%u'><body>%08u "
	        "A remark of ordinary "
	        "length, as people write them in meetings: shall we go on, or is there anything "
	        "else?</body></message>",
	        p->hall->name, p->hall->crowd->settings.muc, p->index, p->messages_sent,
	        p->messages_sent);
	p->messages_sent++;
}

static void open_stream(struct person *p)
{
	say(p, "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='%s' version='1.0'/>",
	        p->hall->crowd->settings.domain);
}

void crowd_enter(struct person *p)
{
	const struct crowd_settings *set = &p->hall->crowd->settings;
	if (set->peer == CROWD_PROSODY) {
		p->state = PERSON_ENTERING;
		send_presence(p, true);
		return;
	}
	p->state = PERSON_ASKING;
	say(p,
	        "<iq xmlns='jabber:client' type='set' to='%s' id='conf'><conference "
	        "xmlns='http://jitsi.org/protocol/focus' "
	        "room='%s@%s' machine-uid='0123456789abcdef'/></iq>",
	        set->focus, p->hall->name, set->muc);
}

void crowd_arrive(struct person *p, bool waits_bound)
{
	char query[1500];
	write_query(p, query, sizeof query);
	p->state = PERSON_UPGRADING;
	p->waits_bound = waits_bound;
	if (!wire_open(p->hall->crowd->wire, &p->link, query))
		crowd_wrong(p->hall->crowd, "no connection for person %u", p->index);
}

void crowd_leave(struct person *p)
{
	wire_close(&p->link);
	p->state = PERSON_AWAY;
	p->presences_sent = p->messages_sent = 0;
	p->focus_seen = false;
	memset(p->presences, 0, p->hall->size * sizeof *p->presences);
	memset(p->messages, 0, p->hall->size * sizeof *p->messages);
}

void crowd_forget(struct person *p)
{
	struct hall *h = p->hall;
	for (uint32_t i = 0; i < h->size; i++)
		h->people[i].presences[p->index] = h->people[i].messages[p->index] = 0;
}

/* Where an attribute's value begins in a start tag of n bytes; NULL: it has none. name is " from=",
 * with blank. */
static const char *attribute(const char *p, size_t n, const char *name, size_t name_n)
{
	const char *at = memmem(p, n, name, name_n);
	return at && at + name_n + 1 < p + n ? at + name_n + 1 : NULL;
}

/* The nick's number, or -1. "focus" is -2. */
static int64_t sender(const char *p, size_t head)
{
	const char *from = attribute(p, head, " from=", 6);
	const char *slash = from ? memchr(from, '/', (size_t)(p + head - from)) : NULL;
	if (!slash || p + head - slash < 7)
		return -1;
	if (memcmp(slash + 1, "focus", 5) == 0)
		return -2;
	uint32_t v = 0;
	for (int i = 1; i <= 8; i++) {
		char c = slash[i];
		if (c >= '0' && c <= '9')
			v = v << 4 | (uint32_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			v = v << 4 | (uint32_t)(c - 'a' + 10);
		else
			return -1;
	}
	return v;
}

static int64_t number_behind(const char *p, size_t n, const char *mark, size_t mark_n)
{
	const char *at = memmem(p, n, mark, mark_n);
	if (!at || at + mark_n + 8 > p + n)
		return -1;
	int64_t v = 0;
	for (size_t i = 0; i < 8; i++)
		v = v * 10 + (at[mark_n + i] - '0');
	return v;
}

static void check_role_and_name(struct person *p, uint32_t from, const char *t, size_t n)
{
	struct crowd *c = p->hall->crowd;
	static const char owner[] = "affiliation='owner' role='moderator'";
	static const char member[] = "affiliation='member' role='participant'";
	const struct kind *k = &kinds[from % KINDS];
	char name[24];
	size_t last = n < 1000 ? 0 : n - 1000; /* the item stands at the end */
	if (!memmem(t + last, n - last, k->owner ? owner : member,
	            k->owner ? sizeof owner - 1 : sizeof member - 1))
		crowd_wrong(c, "%u hears a wrong role of %u: %.*s", p->index, from, (int)(n - last),
		        t + last);
	int name_n = snprintf(name, sizeof name, ">Person %05u</nick>", from);
	if (!memmem(t, n < 400 ? n : 400, name, (size_t)name_n))
		crowd_wrong(c, "%u hears a wrong name of %u: %.400s", p->index, from, t);
}

static void on_presence(struct person *p, const char *t, size_t n)
{
	struct crowd *c = p->hall->crowd;
	const char *gt = memchr(t, '>', n);
	size_t head = gt ? (size_t)(gt - t) : n;
	int64_t from = sender(t, head);
	const char *type = attribute(t, head, " type=", 6);
	if (from == -2) {
		if (p->focus_seen)
			crowd_wrong(c, "%u hears of the focus twice", p->index);
		p->focus_seen = true;
		c->focuses++;
		p->hall->focuses++;
		return;
	}
	if (from < 0 || from >= p->hall->size || (type && *type != 'u')) {
		crowd_wrong(c, "%u gets a presence that is not expected: %.*s", p->index,
		        n < 500 ? (int)n : 500, t);
		return;
	}
	if (type) {
		c->unavailables++;
		p->hall->unavailables++;
		return;
	}
	int64_t number = number_behind(t, n, "<q>", 3);
	if (number != p->presences[from]++)
		crowd_wrong(c, "%u hears presence %lld of %lld as his %u.", p->index,
		        (long long)number, (long long)from, p->presences[from]);
	c->presences++;
	p->hall->presences++;
	if (c->settings.peer == CROWD_GAVEL)
		check_role_and_name(p, (uint32_t)from, t, n);
	if (from != p->index)
		return;
	if (p->state == PERSON_ENTERING) {
		p->state = PERSON_JOINED;
		c->joined++;
	} else if (c->echo) {
		c->echo(c->arg, p, false);
	}
}

static void on_chat(struct person *p, const char *t, size_t n)
{
	struct crowd *c = p->hall->crowd;
	const char *gt = memchr(t, '>', n);
	size_t head = gt ? (size_t)(gt - t) : n;
	if (memmem(t, head, "'error'", 7)) {
		crowd_wrong(c, "%u gets an error: %.*s", p->index, n < 500 ? (int)n : 500, t);
		return;
	}
	int64_t number = number_behind(t, n, "<body>", 6);
	if (number < 0)
		return; /* a subject, a notice */
	int64_t from = sender(t, head);
	if (from < 0 || from >= p->hall->size || number != p->messages[from]++)
		crowd_wrong(c, "%u hears message %lld of %lld out of order", p->index,
		        (long long)number, (long long)from);
	c->messages++;
	p->hall->messages++;
	if (from == p->index && c->echo)
		c->echo(c->arg, p, true);
}

static bool holds(const char *t, size_t n, const char *mark)
{
	return memmem(t, n, mark, strlen(mark)) != NULL;
}

static void advance(struct person *p, const char *t, size_t n)
{
	switch (p->state) {
	case PERSON_OPENING:
		if (!holds(t, n, "ANONYMOUS"))
			return;
		p->state = PERSON_LOGGING_IN;
		say(p, "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='ANONYMOUS'/>");
		return;
	case PERSON_LOGGING_IN:
		if (!holds(t, n, "<success"))
			break;
		p->state = PERSON_OPENING_AGAIN;
		open_stream(p);
		return;
	case PERSON_OPENING_AGAIN:
		if (!holds(t, n, "xmpp-bind"))
			return;
		p->state = PERSON_BINDING;
		say(p, "<iq xmlns='jabber:client' type='set' id='bind'><bind "
		       "xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>");
		return;
	case PERSON_BINDING:
		if (!holds(t, n, "<jid>"))
			break;
		p->state = PERSON_BOUND;
		p->hall->crowd->bound++;
		if (!p->waits_bound)
			crowd_enter(p);
		return;
	case PERSON_ASKING:
		if (!holds(t, n, "ready='true'"))
			break;
		p->state = PERSON_ENTERING;
		send_presence(p, true);
		return;
	default:
		break;
	}
	crowd_wrong(p->hall->crowd, "%u gets, in state %d: %.*s", p->index, (int)p->state,
	        n < 500 ? (int)n : 500, t);
}

static void on_text(struct wire_link *l, const char *t, size_t n)
{
	struct person *p = (struct person *)l;
	if (n > 9 && memcmp(t, "<presence", 9) == 0)
		on_presence(p, t, n);
	else if (n > 8 && memcmp(t, "<message", 8) == 0)
		on_chat(p, t, n);
	else
		advance(p, t, n);
	if (p->hall->crowd->heard)
		p->hall->crowd->heard(p->hall->crowd->arg, p->hall);
}

static void on_opened(struct wire_link *l)
{
	struct person *p = (struct person *)l;
	p->state = PERSON_OPENING;
	open_stream(p);
}

static void on_ended(struct wire_link *l, const char *why)
{
	struct person *p = (struct person *)l;
	crowd_wrong(p->hall->crowd, "%u is cut off in state %d: %s", p->index, (int)p->state, why);
	p->state = PERSON_AWAY;
}

struct crowd *crowd_new(const struct crowd_settings *settings)
{
	const struct wire_events ev = {.opened = on_opened, .text = on_text, .ended = on_ended};
	struct crowd *c = calloc(1, sizeof *c);
	if (!c)
		return NULL;
	c->settings = *settings;
	c->wire = wire_new(settings->port, &ev);
	if (c->wire)
		return c;
	free(c);
	return NULL;
}

void crowd_free(struct crowd *c)
{
	while (c->halls) {
		struct hall *h = c->halls;
		c->halls = h->next;
		for (uint32_t i = 0; i < h->size; i++) {
			wire_close(&h->people[i].link);
			free(h->people[i].presences);
			free(h->people[i].messages);
		}
		free(h->people);
		free(h);
	}
	wire_free(c->wire);
	free(c);
}

void crowd_rename(struct hall *h, const char *name)
{
	snprintf(h->name, sizeof h->name, "%s", name);
	h->presences = h->focuses = h->messages = h->unavailables = 0;
}

struct hall *crowd_hall(struct crowd *c, const char *name, uint32_t size)
{
	struct hall *h = calloc(1, sizeof *h);
	if (!h || !(h->people = calloc(size, sizeof *h->people)))
		goto nomem;
	h->crowd = c;
	h->size = size;
	crowd_rename(h, name);
	for (uint32_t i = 0; i < size; i++) {
		struct person *p = &h->people[i];
		*p = (struct person){.link.fd = -1, .hall = h, .index = i};
		p->presences = calloc(size, sizeof *p->presences);
		p->messages = calloc(size, sizeof *p->messages);
		if (!p->presences || !p->messages)
			goto nomem;
	}
	h->next = c->halls;
	c->halls = h;
	return h;
nomem:
	free(h ? h->people : NULL);
	free(h);
	return NULL;
}
