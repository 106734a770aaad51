/* exchange.c - requests that somebody above answers: their bodies, and the tickets they wait with.
 * io
 *
 * A waiting request is a connection and a slot: its head is not kept, its body was handed on. */
#include "base/err.h"
#include "base/mem.h"
#include "http/internal.h"

#define BODY_SHARE 16384 /* bytes of an unfinished body that are taken whatever the others hold */

const struct http_route *exchange_find(const struct http_server *s, struct str path)
{
	for (size_t i = 0; i < s->settings.n_routes; i++) {
		if (str_eqc(path, s->settings.routes[i].path))
			return &s->settings.routes[i];
	}
	return NULL;
}

/* Tickets */

bool exchange_open_ticket(struct connection *c, struct http_ticket *t)
{
	struct http_server *s = c->server;
	uint32_t i = s->free_slot;
	if (i == NO_TICKET && s->n_slots == s->cap_slots) {
		uint32_t cap = s->cap_slots ? s->cap_slots * 2 : 64;
		struct ticket_slot *slots = mem_realloc(s->slots, cap * sizeof *slots);
		if (!slots)
			return false;
		s->slots = slots;
		s->cap_slots = cap;
	}
	if (i == NO_TICKET)
		s->slots[i = s->n_slots++] = (struct ticket_slot){0};
	else
		s->free_slot = s->slots[i].next_free;
	s->slots[i].connection = c;
	if (++s->slots[i].generation == 0)
		s->slots[i].generation = 1;
	c->slot = i;
	s->waiting++;
	*t = (struct http_ticket){i, s->slots[i].generation};
	return true;
}

struct http_ticket exchange_close_ticket(struct connection *c)
{
	struct http_server *s = c->server;
	struct ticket_slot *slot = &s->slots[c->slot];
	struct http_ticket t = {c->slot, slot->generation};
	slot->connection = NULL;
	slot->next_free = s->free_slot;
	s->free_slot = c->slot;
	s->waiting--;
	c->slot = NO_TICKET;
	return t;
}

struct connection *exchange_connection(const struct http_server *s, struct http_ticket t)
{
	if (t.slot >= s->n_slots || s->slots[t.slot].generation != t.generation)
		return NULL;
	return s->slots[t.slot].connection;
}

bool http_server_waits(const struct http_server *s, struct http_ticket t)
{
	return exchange_connection(s, t) != NULL;
}

uint32_t http_server_waiting(const struct http_server *s)
{
	return s->waiting;
}

static void on_resume(void *arg)
{
	connection_resume(arg);
}

void exchange_resume_later(struct connection *c)
{
	c->resume.fn = on_resume;
	c->resume.arg = c;
	loop_defer(c->server->loop, &c->resume);
}

void http_server_answer(struct http_server *s, struct http_ticket t, struct http_answer *a)
{
	struct connection *c = exchange_connection(s, t);
	if (!c)
		return;
	(void)exchange_close_ticket(c);
	connection_answer(c, a);
	c->route = NULL;
	exchange_resume_later(c);
}

void http_server_abandon(struct http_server *s, struct http_ticket t)
{
	struct connection *c = exchange_connection(s, t);
	if (!c)
		return;
	(void)exchange_close_ticket(c);
	connection_hang_up(c, 0);
	exchange_resume_later(c);
}

/* Bodies */

static void count_body(struct connection *c, size_t n)
{
	c->server->bodies += n;
	c->server->bodies -= c->counted;
	c->counted = n;
}

static void end_body(struct connection *c)
{
	count_body(c, 0);
	c->in_body = false;
}

void exchange_gone(struct connection *c)
{
	end_body(c);
	download_gone(c);
	if (c->slot == NO_TICKET)
		return;
	const struct http_route *route = c->route;
	struct http_ticket t = exchange_close_ticket(c);
	c->server->counters.abandoned++;
	if (route && route->gone)
		route->gone(route->arg, t);
}

static void begin_body(struct connection *c)
{
	if (body_start(&c->body, c->head, c->route->max_body)) {
		connection_refuse(c, c->body.status);
		return;
	}
	c->in_body = true;
	size_t most = c->head->bytes + c->route->max_body + BODY_LINE_MAX + BODY_TRAILER_MAX;
	if (c->in.max < most + LOOP_BUFFER)
		c->in.max = most + LOOP_BUFFER;
	c->server->counters.bodies++;
	/* RFC 9110 10.1.1; the answer is not waited for where the body is on its way already */
	if (http_field_has(c->head, "expect", "100-continue", false) && c->in.n == c->head->bytes &&
	        c->head->minor == 1)
		(void)tcp_write(c->tcp, STR("HTTP/1.1 100 Continue\r\n\r\n"));
}

bool exchange_read_body(struct connection *c)
{
	struct http_server *s = c->server;
	int err = body_take(&c->body, &c->in);
	if (err == ERR_OK) {
		end_body(c);
		c->body_whole = true;
		return true;
	}
	if (err != ERR_AGAIN) {
		connection_refuse(c, c->body.status);
		return false;
	}
	count_body(c, c->in.n);
	if (s->bodies > s->settings.max_bodies && c->in.n > BODY_SHARE) {
		s->counters.bodies_refused++;
		connection_refuse(c, 503);
	}
	return false;
}

/* Requests */

static bool is_method(const struct connection *c)
{
	struct str rest = str_c(c->route->methods);
	while (!str_absent(rest)) {
		if (str_eq(str_trim(str_split(&rest, ',')), c->head->method_name))
			return true;
	}
	return false;
}

static void answer_options(struct connection *c)
{
	struct buf lines;
	buf_init(&lines, 0);
	buf_printf(&lines,
	        "Access-Control-Allow-Methods: %s, OPTIONS\r\nAccess-Control-Allow-Headers: "
	        "Authorization, Content-Type\r\nAccess-Control-Max-Age: 7200\r\n",
	        c->route->methods);
	connection_answer(c, &(struct http_answer){.status = 200,
	                             .headers = lines.failed ? NULL : lines.p,
	                             .close = c->head->has_body});
	buf_done(&lines);
}

static void refuse_method(struct connection *c)
{
	struct buf lines;
	buf_init(&lines, 0);
	buf_printf(&lines, "Allow: %s, OPTIONS\r\n", c->route->methods);
	connection_log_refusal(c, 405, "method");
	connection_answer(c, &(struct http_answer){.status = 405,
	                             .type = "text/plain; charset=utf-8",
	                             .headers = lines.failed ? NULL : lines.p,
	                             .body = STR("This method is not for this path.\n"),
	                             .close = c->head->has_body});
	buf_done(&lines);
}

void exchange_request(struct connection *c, const struct http_request *r)
{
	struct http_ticket t;
	if (str_eqc(c->head->method_name, "OPTIONS")) {
		answer_options(c);
	} else if (!is_method(c)) {
		refuse_method(c);
	} else if (c->head->has_body && !c->body_whole) {
		begin_body(c);
	} else if (!exchange_open_ticket(c, &t)) {
		connection_refuse(c, 503);
	} else {
		struct str body = STR_NONE;
		if (c->body_whole)
			body = str_sub(buf_view(&c->in), c->body.head, c->body.end);
		c->route->take(c->route->arg, r, body, t);
	}
}
