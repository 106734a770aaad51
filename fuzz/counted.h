/* counted.h - fuzz: what clients with stream management (XEP-0198) have received, as it is written:
 * their ids and counts, and whether each number that the conference said came once and in order.
 * For fuzz/session.c alone. io */
#pragma once
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "session/sm.h"
#include "xmpp/outbox.h"

#define COUNTED_CLIENTS 16
#define COUNTED_SAID 1024

/* A stream, over however many connections. */
struct counted {
	char id[SM_ID_DIGITS + 1];
	uint32_t received;
	bool asks; /* to be resumed: what comes now it has not counted */
};

static struct {
	struct counted clients[COUNTED_CLIENTS];
	unsigned n;
	struct counted *last; /* enabled or resumed; NULL: nobody */
	bool honest;          /* what clients say of their counts is true */
	/* numbers: to whom they were said, and which of them came */
	struct session_handle to[COUNTED_SAID];
	bool came[COUNTED_SAID];
	unsigned said;
} counted;

static void counted_begin(void)
{
	memset(&counted, 0, sizeof counted);
	counted.honest = true;
}

static bool counted_attribute(struct str text, const char *name, struct str *value)
{
	size_t at = 0;
	const size_t n = strlen(name);
	for (; at + n <= text.n && memcmp(text.p + at, name, n) != 0; at++) {
	}
	if (at + n > text.n)
		return false;
	*value = str_sub(text, at + n, text.n);
	*value = str_sub(*value, 0, str_find(*value, '\''));
	return true;
}

static struct counted *counted_by_id(struct str id)
{
	for (unsigned i = 0; i < counted.n; i++) {
		if (str_eqc(id, counted.clients[i].id))
			return &counted.clients[i];
	}
	return NULL;
}

/* Each number is said to one session, in order: those before it must have come. */
static bool counted_take(struct str text)
{
	struct str number;
	uint64_t k;
	if (!counted_attribute(text, "<n k='", &number))
		return true;
	if (!str_u64(number, &k) || k >= counted.said)
		return true; /* the input's own */
	if (!counted.honest)
		return true;
	bool fine = !counted.came[k];
	counted.came[k] = true;
	for (unsigned i = 0; i < k; i++)
		fine = fine &&
		       (counted.came[i] || !session_handle_eq(counted.to[i], counted.to[k]));
	return fine;
}

/* A text frame was written to a connection whose client is *who (NULL: without management). False:
 * it must not have been. */
static bool counted_wrote(struct counted **who, struct str text)
{
	struct str id;
	if (str_starts(text, STR("<enabled "))) {
		*who = NULL;
		if (counted.n == COUNTED_CLIENTS || !counted_attribute(text, " id='", &id))
			return true;
		if (id.n != SM_ID_DIGITS || counted_by_id(id))
			return false;
		counted.last = *who = &counted.clients[counted.n++];
		memcpy((*who)->id, id.p, id.n);
		return true;
	}
	if (str_starts(text, STR("<resumed "))) {
		if (!counted_attribute(text, " previd='", &id))
			return false;
		*who = counted_by_id(id);
		if (*who)
			(*who)->asks = false, counted.last = *who;
		return *who || counted.n == COUNTED_CLIENTS;
	}
	if (*who && sm_counts(text)) {
		(*who)->received++;
		if ((*who)->asks)
			counted.honest = false;
	}
	return counted_take(text);
}

/* What the input writes as $i and $h: the id and the true count of the client that was heard of
 * last. Other counts are lies. */
static void counted_expand(struct str line, struct buf *out)
{
	struct counted *c = counted.last;
	struct str value;
	bool truth = false;
	for (size_t i = 0; i < line.n; i++) {
		char next = i + 1 < line.n ? line.p[i + 1] : '\0';
		if (line.p[i] != '$' || (next != 'i' && next != 'h')) {
			buf_putc(out, line.p[i]);
			continue;
		}
		i++;
		if (next == 'i')
			buf_puts(out, c ? c->id : "0");
		else
			buf_printf(out, "%u", c ? (unsigned)c->received : 0);
		truth = truth || next == 'h';
	}
	if (counted_attribute(line, "h=", &value) &&
	        (!truth || !counted_attribute(line, "h='$h'", &value)))
		counted.honest = false;
	if (c && truth && counted_attribute(line, "resume", &value))
		c->asks = true;
}
