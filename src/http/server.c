/* server.c - HTTP connections: read a head, answer, again; or leave for the WebSocket. io
 *
 * A head is read with plain non-blocking reads, so that a connection that becomes a WebSocket can
 * be handed on, with the bytes that came early, to the loop of its conference. */
#include "http/server.h"

#include "base/err.h"
#include "base/limit.h"
#include "base/log.h"
#include "base/mem.h"
#include "http/answer.h"
#include "http/files.h"
#include "http/internal.h"
#include "http/root.h"
#include "http/websocket.h"

#define EXTENSIONS_MAX                                                                             \
	10 /* how many idle timeouts a slow download may take, as long as it moves                 \
	    */
#define BACKLOG_BYTES                                                                              \
	(256u << 10) /* answers waiting in one connection before its next request is read */

struct http_server *http_server_new(const struct http_settings *settings)
{
	struct http_server *s = mem_zalloc(sizeof *s);
	if (!s)
		return NULL;
	s->settings = *settings;
	s->limits = (struct http_limits){settings->max_head, settings->max_target};
	list_init(&s->connections);
	s->free_slot = NO_TICKET;
	s->endpoint_headers = settings->endpoint_headers ? settings->endpoint_headers
	                                                 : "Access-Control-Allow-Origin: *\r\n";
	if (settings->root)
		root_own(settings->root, download_answered, s);
	s->files = settings->upgrades_only ? NULL : files_new(settings->web_dir);
	if (!s->files && !settings->upgrades_only) {
		mem_free(s);
		return NULL;
	}
	return s;
}

struct http_counters *http_server_counters(struct http_server *s)
{
	return &s->counters;
}

void connection_free(struct connection *c)
{
	exchange_gone(c);
	timer_stop(&c->timer);
	loop_undefer(&c->resume);
	list_remove(&c->link);
	buf_done(&c->in);
	mem_free(c);
}

/* One read may bring the rest of a head and the next ones behind it. */
static void init_input(struct connection *c)
{
	buf_init(&c->in, c->server->limits.max_head + c->server->limits.max_target + LOOP_BUFFER);
}

void connection_hang_up(struct connection *c, uint32_t linger_ms)
{
	timer_stop(&c->timer); /* it may be freed only at the end of the turn */
	if (c->tcp)
		tcp_close(c->tcp, linger_ms);
	c->tcp = NULL;
}

void http_server_free(struct http_server *s)
{
	if (!s)
		return;
	LIST_EACH_SAFE(it, &s->connections)
	{
		struct connection *c = LIST_OWNER(it, struct connection, link);
		connection_hang_up(c, 0);
		connection_free(c);
	}
	files_free(s->files);
	mem_free(s->slots);
	mem_free(s);
}

void connection_answer(struct connection *c, struct http_answer *a)
{
	struct buf b;
	buf_init(&b, 0);
	a->head_only = a->head_only || c->head_only;
	a->close = a->close || !c->keep_alive || c->server->draining;
	a->hsts = c->secure && c->server->settings.hsts;
	if (c->route)
		a->endpoint = c->server->endpoint_headers;
	http_answer_head(&b, a, loop_wall_s(tcp_loop(c->tcp)));
	struct str parts[] = {buf_view(&b), a->body};
	size_t n = a->head_only || a->block ? 1 : 2;
	int err = b.failed
	                  ? ERR_NOMEM
	                  : tcp_write_parts(c->tcp, parts, n, a->head_only ? NULL : a->block, true);
	buf_done(&b);
	if (err)
		connection_hang_up(c, 0);
	else if (a->close)
		connection_hang_up(c, LINGER_MS);
}

static struct str connection_peer(const struct connection *c)
{
	return c->from.peer[0] ? str_c(c->from.peer) : tcp_peer(c->tcp);
}

/* Never the target: a token stands in it. */
void connection_log_refusal(struct connection *c, int status, const char *why)
{
	struct http_server *s = c->server;
	double rate = s->settings.log_lines_per_second;
	if (limit_take(&s->log_lines, 1, rate, 2 * rate, loop_now_ms(tcp_loop(c->tcp))))
		log_info("event=refuse stage=http status=%d because=%s peer=%.*s", status,
		        log_value(str_c(why)), STR_FMT(connection_peer(c)));
	else
		s->counters.log_suppressed++;
}

/* Whoever broke the framing gets one answer, and nothing that follows is read. */
void connection_refuse(struct connection *c, int status)
{
	struct http_counters *n = &c->server->counters;
	if (status == 408 || status == 503)
		; /* counted where it is noticed */
	else if (status == 413 || status == 414 || status == 431)
		n->too_large++;
	else
		n->bad_request++;
	connection_log_refusal(c, status, http_status_text(status));
	struct buf body;
	buf_init(&body, 0);
	buf_printf(&body, "%d %s\n", status, http_status_text(status));
	connection_answer(c, &(struct http_answer){.status = status,
	                             .type = "text/plain; charset=utf-8",
	                             .body = buf_view(&body),
	                             .close = true});
	buf_done(&body);
}

bool connection_is_upgrade(const struct http_head *h)
{
	return h->minor == 1 && http_field_has(h, "upgrade", "websocket", false) &&
	       http_field_has(h, "connection", "upgrade", false);
}

static void refuse_upgrade(struct connection *c, int status, const char *text, const char *headers)
{
	c->server->counters.refused_upgrade++;
	connection_log_refusal(c, status, text);
	connection_answer(c, &(struct http_answer){.status = status,
	                             .type = "text/plain; charset=utf-8",
	                             .body = str_c(text),
	                             .headers = headers,
	                             .close = true});
}

static void hand_over(struct connection *c, const struct http_request *r)
{
	const struct http_settings *set = &c->server->settings;
	c->server->counters.requests--; /* it is counted where it is judged */
	if (set->hand_over(set->hand_over_arg, r, c->tcp, buf_view(&c->in)))
		c->tcp = NULL;
	else
		connection_hang_up(c, 0);
}

void connection_upgrade(struct connection *c, const struct http_request *r)
{
	const struct http_settings *set = &c->server->settings;
	const struct http_head *h = c->head;
	char accept[29];
	if (c->server->draining) {
		refuse_upgrade(c, 503, "The server is going down", NULL);
		return;
	}
	if (set->hand_over) {
		hand_over(c, r);
		return;
	}
	if (!str_eqc(http_field(h, "sec-websocket-version"), "13")) {
		refuse_upgrade(
		        c, 426, "WebSocket version 13 is needed", "Sec-WebSocket-Version: 13\r\n");
		return;
	}
	if (http_field_count(h, "sec-websocket-key") != 1 ||
	        !frame_accept_key(http_field(h, "sec-websocket-key"), accept)) {
		refuse_upgrade(c, 400, "Sec-WebSocket-Key is not a key", NULL);
		return;
	}
	if (!http_field_has(h, "sec-websocket-protocol", set->ws_protocol, true)) {
		refuse_upgrade(c, 501, "The subprotocol xmpp was not offered", NULL);
		return;
	}
	if (c->from.by_proxy && !tcp_forwarded_for(c->tcp, c->from.peer)) {
		refuse_upgrade(c, 429, "Too many connections", NULL);
		return;
	}
	struct buf b;
	buf_init(&b, 0);
	buf_printf(&b,
	        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
	        "Sec-WebSocket-Accept: %s\r\nSec-WebSocket-Protocol: %s\r\n\r\n",
	        accept, set->ws_protocol);
	int err = b.failed ? ERR_NOMEM : tcp_write(c->tcp, buf_view(&b));
	buf_done(&b);
	if (err) {
		connection_hang_up(c, 0);
		return;
	}
	c->server->counters.upgrades++;
	struct ws_limits limits = {set->max_message, set->ping_idle_ms, set->ping_timeout_ms};
	struct tcp *t = c->tcp;
	c->tcp = NULL; /* from here on it belongs to the WebSocket */
	struct ws *w = ws_new(
	        t, &limits, str_sub(buf_view(&c->in), h->bytes, c->in.n), &c->server->counters);
	if (w)
		set->ws_open(set->ws_arg, r, w);
}

static bool is_waiting(const struct connection *c)
{
	return c->slot != NO_TICKET;
}

static void on_timeout(void *arg, uint64_t now_ms);

static void start_timer(struct connection *c, uint32_t ms)
{
	struct loop *l = tcp_loop(c->tcp);
	timer_start(loop_timers(l), &c->timer, loop_now_ms(l) + ms, on_timeout, c);
}

static void on_timeout(void *arg, uint64_t now_ms)
{
	(void)now_ms;
	struct connection *c = arg;
	if (tcp_queued(c->tcp) && !is_waiting(c) && c->extensions++ < EXTENSIONS_MAX) {
		start_timer(c, c->server->settings.idle_timeout_ms);
		return;
	}
	if (!c->served || c->in.n || is_waiting(c))
		c->server->counters.timed_out++;
	if (is_waiting(c)) {
		; /* in the middle of an answer: there is nothing that could be said */
	} else if (c->in.n) {
		c->head_only = false;
		connection_refuse(c, 408);
	} else if (!c->served) {
		connection_log_refusal(c, 408,
		        tcp_is_tls(c->tcp) && !tcp_tls_established(c->tcp) ? "no TLS handshake"
		                                                           : "sent nothing");
	}
	connection_hang_up(c, 0);
	connection_free(c);
}

/* Reads one head. False: not all of it is here, or it was refused. */
static bool read_head(struct connection *c)
{
	c->keep_alive = c->head_only = false;
	int err = http_parse(buf_view(&c->in), &c->server->limits, &c->seen, c->head);
	if (err == ERR_AGAIN)
		return false;
	c->seen = 0;
	c->timed = false;
	c->served = true;
	c->route = NULL;
	c->extensions = 0;
	if (err) {
		connection_refuse(c, c->head->status);
		return false;
	}
	c->keep_alive = c->head->keep_alive;
	c->head_only = c->head->method == HTTP_HEAD;
	return true;
}

/* A body is whole: its head, which stands before it, is read again rather than kept. */
static void read_head_again(struct connection *c)
{
	size_t seen = 0;
	struct str head = str_sub(buf_view(&c->in), 0, c->body.head);
	(void)http_parse(head, &c->server->limits, &seen, c->head);
}

/* Serves what is complete. False: the connection has left. */
static bool proceed(struct connection *c)
{
	while (c->tcp && c->in.n && !is_waiting(c)) {
		if (tcp_queued(c->tcp) > BACKLOG_BYTES) {
			tcp_read_pause(c->tcp, true);
			return true;
		}
		if (c->in_body) {
			if (!exchange_read_body(c))
				break;
			read_head_again(c);
		} else if (!read_head(c)) {
			break;
		} else if (c->server->settings.hand_over && tcp_queued(c->tcp) &&
		           connection_is_upgrade(c->head)) {
			/* what goes to another loop takes no answers along that are still waiting
			 */
			tcp_read_pause(c->tcp, true);
			return true;
		}
		c->server->counters.requests += !c->body_whole;
		connection_serve(c);
		if (c->tcp && !c->in_body)
			buf_consume(&c->in, c->body_whole ? c->body.end : c->head->bytes);
		c->body_whole = false;
		if (c->tcp && c->in.n && !is_waiting(c) && loop_slice_over(tcp_loop(c->tcp)) &&
		        tcp_put_back(c->tcp, STR("")))
			return true;
	}
	if (!c->tcp) {
		connection_free(c);
		return false;
	}
	if (c->in.n == 0) {
		buf_done(&c->in);
		init_input(c);
	}
	/* who sends ahead of his answers is not read without end */
	tcp_read_pause(c->tcp, is_waiting(c) && c->in.n > c->server->limits.max_head);
	return true;
}

/* The time for a head, and for a body, runs from its first byte and is not renewed by further ones.
 */
static void set_timer(struct connection *c)
{
	const struct http_settings *set = &c->server->settings;
	if (is_waiting(c)) {
		if (c->route)
			timer_stop(&c->timer); /* whoever has the ticket keeps the time */
		c->timed = false;
	} else if (c->in.n == 0) {
		start_timer(c, set->idle_timeout_ms);
		c->timed = false;
	} else if (!c->timed) {
		start_timer(c, c->in_body ? set->body_timeout_ms : set->head_timeout_ms);
		c->timed = true;
	}
}

static void on_data(void *arg, struct tcp *t, struct str bytes)
{
	struct connection *c = arg;
	(void)t;
	buf_str(&c->in, bytes);
	if (c->in.failed) {
		connection_hang_up(c, 0);
		connection_free(c);
		return;
	}
	if (proceed(c))
		set_timer(c);
}

void connection_wait(struct connection *c)
{
	start_timer(c, c->server->settings.idle_timeout_ms);
}

void connection_resume(struct connection *c)
{
	if (proceed(c))
		set_timer(c);
}

static void on_drained(void *arg, struct tcp *t)
{
	struct connection *c = arg;
	tcp_read_pause(t, false);
	download_drained(c);
	if (c->in.n && proceed(c))
		set_timer(c);
}

static void on_ended(void *arg, struct tcp *t, enum tcp_end why)
{
	(void)t;
	(void)why;
	connection_free(arg);
}

static struct connection *take_connection(struct http_server *s, struct tcp *t)
{
	struct connection *c = mem_zalloc(sizeof *c);
	if (!c) {
		tcp_close(t, 0);
		return NULL;
	}
	c->server = s;
	c->tcp = t;
	c->head = &s->head;
	s->loop = tcp_loop(t);
	c->slot = NO_TICKET;
	c->timed = true; /* from connecting, for the first head */
	init_input(c);
	list_append(&s->connections, &c->link);
	tcp_own(t, &(struct tcp_events){
	                   .arg = c, .data = on_data, .drained = on_drained, .ended = on_ended});
	start_timer(c, s->settings.head_timeout_ms);
	return c;
}

void http_server_accept(void *server, struct tcp *t)
{
	(void)take_connection(server, t);
}

void http_server_adopt(struct http_server *s, struct tcp *t, struct str bytes)
{
	struct connection *c = take_connection(s, t);
	if (c)
		on_data(c, t, bytes);
}

void http_server_drain(struct http_server *s)
{
	s->draining = true;
	LIST_EACH_SAFE(it, &s->connections)
	{
		struct connection *c = LIST_OWNER(it, struct connection, link);
		if (is_waiting(c))
			continue; /* its answer ends it */
		connection_hang_up(c, LINGER_MS);
		connection_free(c);
	}
}

size_t http_server_list_counters(const struct http_server *s, struct counter *out, size_t max)
{
	const struct http_counters *c = &s->counters;
	const struct counter all[] = {
	        {"http_requests", c->requests},
	        {"http_upgrades", c->upgrades},
	        {"http_bad_request", c->bad_request},
	        {"http_refused_upgrade", c->refused_upgrade},
	        {"http_bodies", c->bodies},
	        {"http_waiting", s->waiting},
	        {"http_abandoned", c->abandoned},
	        {"limit_http_bodies", c->bodies_refused},
	        {"limit_http_head_bytes", c->too_large},
	        {"limit_handshake_timeout", c->timed_out},
	        {"limit_ws_message_bytes", c->ws_too_large},
	        {"limit_ws_controls", c->ws_too_many},
	        {"limit_ping_timeout", c->ws_silent},
	        {"ws_not_text", c->ws_not_text},
	        {"ws_protocol_error", c->ws_protocol_error},
	        {"http_log_lines_suppressed", c->log_suppressed},
	};
	return counter_list(all, sizeof all / sizeof *all, out, max);
}
