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
#include "http/websocket.h"

#define LINGER_MS 2000
#define EXTENSIONS_MAX                                                                             \
	10 /* how many idle timeouts a slow download may take, as long as it moves                 \
	    */
#define BACKLOG_BYTES                                                                              \
	(256u << 10) /* answers waiting in one connection before its next request is read */

struct http_server {
	struct http_settings settings;
	struct http_counters counters;
	struct http_limits limits;
	struct files *files;
	struct list connections;
	struct limit log_lines;
	bool draining;
};

struct connection {
	struct list link;
	struct http_server *server;
	struct tcp *tcp; /* NULL: it left, as a WebSocket or for good */
	struct buf in;
	size_t seen; /* of the head that is not complete */
	bool served; /* a request was answered: now the idle timeout counts */
	unsigned extensions;
	struct timer timer;
	struct http_head head;
};

struct http_server *http_server_new(const struct http_settings *settings)
{
	struct http_server *s = mem_zalloc(sizeof *s);
	if (!s)
		return NULL;
	s->settings = *settings;
	s->limits = (struct http_limits){settings->max_head, settings->max_target};
	list_init(&s->connections);
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

static void connection_free(struct connection *c)
{
	timer_stop(&c->timer);
	list_remove(&c->link);
	buf_done(&c->in);
	mem_free(c);
}

/* One read may bring the rest of a head and the next ones behind it. */
static void init_input(struct connection *c)
{
	buf_init(&c->in, c->server->limits.max_head + c->server->limits.max_target + LOOP_BUFFER);
}

static void hang_up(struct connection *c, uint32_t linger_ms)
{
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
		hang_up(c, 0);
		connection_free(c);
	}
	files_free(s->files);
	mem_free(s);
}

static void answer(struct connection *c, struct http_answer *a)
{
	struct buf b;
	buf_init(&b, 0);
	a->head_only = a->head_only || c->head.method == HTTP_HEAD;
	a->close = a->close || !c->head.keep_alive || c->server->draining;
	http_answer_head(&b, a, loop_wall_s(tcp_loop(c->tcp)));
	struct str parts[] = {buf_view(&b), a->body};
	size_t n = a->head_only || a->block ? 1 : 2;
	int err = b.failed
	                  ? ERR_NOMEM
	                  : tcp_write_parts(c->tcp, parts, n, a->head_only ? NULL : a->block, true);
	buf_done(&b);
	if (err)
		hang_up(c, 0);
	else if (a->close)
		hang_up(c, LINGER_MS);
}

static void answer_text(struct connection *c, int status, const char *text)
{
	answer(c, &(struct http_answer){.status = status,
	                  .type = "text/plain; charset=utf-8",
	                  .body = str_c(text)});
}

/* Never the target: a token stands in it. */
static void log_refusal(struct connection *c, int status, const char *why)
{
	struct http_server *s = c->server;
	double rate = s->settings.log_lines_per_second;
	if (limit_take(&s->log_lines, 1, rate, 2 * rate, loop_now_ms(tcp_loop(c->tcp))))
		log_info("event=refuse stage=http status=%d because=%s peer=%.*s", status,
		        log_value(str_c(why)), STR_FMT(tcp_peer(c->tcp)));
	else
		s->counters.log_suppressed++;
}

/* Whoever broke the framing gets one answer, and nothing that follows is read. */
static void refuse(struct connection *c, int status)
{
	struct http_counters *n = &c->server->counters;
	if (status == 408 || status == 503)
		; /* counted where it is noticed */
	else if (status == 413 || status == 414 || status == 431)
		n->too_large++;
	else
		n->bad_request++;
	log_refusal(c, status, http_status_text(status));
	struct buf body;
	buf_init(&body, 0);
	buf_printf(&body, "%d %s\n", status, http_status_text(status));
	answer(c, &(struct http_answer){.status = status,
	                  .type = "text/plain; charset=utf-8",
	                  .body = buf_view(&body),
	                  .close = true});
	buf_done(&body);
}

static void answer_file(struct connection *c, struct str path)
{
	struct file f;
	if (!c->server->files || !files_find(c->server->files, path, &f)) {
		answer_text(c, 404, "Not found.\n");
		return;
	}
	char etag[64] = "ETag: ";
	memcpy(etag + 6, f.etag, 34);
	memcpy(etag + 40, "\r\n", 3);
	if (http_field_has(&c->head, "if-none-match", f.etag, true)) {
		answer(c, &(struct http_answer){.status = 304,
		                  .cache = "no-cache",
		                  .headers = etag,
		                  .head_only = true});
		return;
	}
	answer(c, &(struct http_answer){.status = 200,
	                  .type = f.type,
	                  .cache = "no-cache",
	                  .headers = etag,
	                  .block = f.block});
}

static void answer_health(struct connection *c)
{
	struct http_server *s = c->server;
	struct buf body;
	buf_init(&body, 0);
	bool well = !s->draining;
	if (s->settings.health)
		well = s->settings.health(s->settings.health_arg, &body) && well;
	else
		buf_puts(&body, "{}");
	answer(c, &(struct http_answer){.status = well ? 200 : 503,
	                  .type = "application/json",
	                  .body = buf_view(&body)});
	buf_done(&body);
}

static bool is_upgrade(const struct http_head *h)
{
	return h->minor == 1 && http_field_has(h, "upgrade", "websocket", false) &&
	       http_field_has(h, "connection", "upgrade", false);
}

static void refuse_upgrade(struct connection *c, int status, const char *text, const char *headers)
{
	c->server->counters.refused_upgrade++;
	log_refusal(c, status, text);
	answer(c, &(struct http_answer){.status = status,
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
		hang_up(c, 0);
}

static void upgrade(struct connection *c, const struct http_request *r)
{
	const struct http_settings *set = &c->server->settings;
	const struct http_head *h = &c->head;
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
	struct buf b;
	buf_init(&b, 0);
	buf_printf(&b,
	        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
	        "Sec-WebSocket-Accept: %s\r\nSec-WebSocket-Protocol: %s\r\n\r\n",
	        accept, set->ws_protocol);
	int err = b.failed ? ERR_NOMEM : tcp_write(c->tcp, buf_view(&b));
	buf_done(&b);
	if (err) {
		hang_up(c, 0);
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

/* The endpoint without an upgrade: clients poll it to keep their way through proxies open, from
 * other origins too. */
static void answer_keep_alive(struct connection *c)
{
	if (c->head.method == HTTP_OTHER)
		answer(c, &(struct http_answer){.status = 204,
		                  .headers = "Access-Control-Allow-Origin: *\r\n"
		                             "Access-Control-Allow-Methods: GET, "
		                             "HEAD\r\nAccess-Control-Allow-Headers: *\r\n",
		                  .head_only = true,
		                  .close = c->head.has_body}); /* a body is not read, so nothing
		                                                  behind it is */
	else
		answer(c, &(struct http_answer){.status = 200,
		                  .type = "text/plain; charset=utf-8",
		                  .headers = "Access-Control-Allow-Origin: *\r\n",
		                  .body = STR("XMPP over WebSocket is spoken here.\n")});
}

static void refuse_method(struct connection *c)
{
	log_refusal(c, 405, "method");
	answer(c, &(struct http_answer){.status = 405,
	                  .type = "text/plain; charset=utf-8",
	                  .headers = "Allow: GET, HEAD\r\n",
	                  .body = STR("Only GET and HEAD.\n"),
	                  .close = c->head.has_body});
}

static void route(struct connection *c, const struct http_request *r)
{
	const struct http_settings *set = &c->server->settings;
	bool options = str_eqc(c->head.method_name, "OPTIONS");
	bool endpoint = str_eqc(r->path, set->ws_path);
	if (c->head.method == HTTP_OTHER && !(endpoint && options))
		refuse_method(c);
	else if (endpoint && c->head.method == HTTP_GET && is_upgrade(&c->head))
		upgrade(c, r);
	else if (endpoint)
		answer_keep_alive(c);
	else if (str_eqc(r->path, "/config.js"))
		answer(c, &(struct http_answer){.status = 200,
		                  .type = "text/javascript; charset=utf-8",
		                  .body = set->config_js});
	else if (str_eqc(r->path, "/about/health"))
		answer_health(c);
	else if (str_eqc(r->path, "/") || files_is_room(r->path))
		answer_file(c, STR("/index.html"));
	else
		answer_file(c, r->path);
}

static void serve_request(struct connection *c)
{
	struct buf path;
	buf_init(&path, 0);
	c->server->counters.requests++;
	int err = http_percent_decode(c->head.path, false, &path);
	if (err) {
		refuse(c, err == ERR_NOMEM ? 503 : 400);
	} else if (c->head.has_body && c->head.method != HTTP_OTHER) {
		refuse(c, 413); /* nothing here takes one, and skipping it would mean reading it */
	} else {
		struct http_request r = {.head = &c->head,
		        .path = buf_view(&path),
		        .peer = tcp_peer(c->tcp),
		        .peer_loopback = tcp_peer_loopback(c->tcp)};
		route(c, &r);
	}
	buf_done(&path);
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
	if (tcp_queued(c->tcp) && c->extensions++ < EXTENSIONS_MAX) {
		start_timer(c, c->server->settings.idle_timeout_ms);
		return;
	}
	if (!c->served || c->in.n)
		c->server->counters.timed_out++;
	if (c->in.n) {
		c->head.method = HTTP_GET;
		refuse(c, 408);
	} else if (!c->served) {
		log_refusal(c, 408, "sent nothing");
	}
	hang_up(c, 0);
	connection_free(c);
}

/* Serves what is complete. False: the connection has left. */
static bool proceed(struct connection *c)
{
	while (c->tcp && c->in.n) {
		if (tcp_queued(c->tcp) > BACKLOG_BYTES) {
			tcp_read_pause(c->tcp, true);
			return true;
		}
		c->head.keep_alive = false;
		c->head.method = HTTP_GET;
		int err = http_parse(buf_view(&c->in), &c->server->limits, &c->seen, &c->head);
		if (err == ERR_AGAIN)
			break;
		c->seen = 0;
		/* what goes to another loop takes no answers along that are still waiting */
		if (!err && c->server->settings.hand_over && tcp_queued(c->tcp) &&
		        is_upgrade(&c->head)) {
			tcp_read_pause(c->tcp, true);
			return true;
		}
		c->served = true;
		c->extensions = 0;
		if (err) {
			c->head.method = HTTP_GET;
			refuse(c, c->head.status);
		} else {
			serve_request(c);
			buf_consume(&c->in, c->head.bytes);
		}
		if (c->tcp && c->in.n && loop_slice_over(tcp_loop(c->tcp)) &&
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
	return true;
}

static void on_data(void *arg, struct tcp *t, struct str bytes)
{
	struct connection *c = arg;
	(void)t;
	bool first = c->in.n == 0;
	buf_str(&c->in, bytes);
	if (c->in.failed) {
		hang_up(c, 0);
		connection_free(c);
		return;
	}
	uint64_t before = c->server->counters.requests;
	if (!proceed(c))
		return;
	/* The time for a head runs from its first byte and is not renewed by further ones. */
	if (c->in.n == 0)
		start_timer(c, c->server->settings.idle_timeout_ms);
	else if ((first && c->served) || c->server->counters.requests != before)
		start_timer(c, c->server->settings.head_timeout_ms);
}

static void on_drained(void *arg, struct tcp *t)
{
	struct connection *c = arg;
	tcp_read_pause(t, false);
	if (c->in.n)
		(void)proceed(c);
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
		hang_up(c, LINGER_MS);
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
