/* route.c - which answer the path of a request gets. io */
#include "base/err.h"
#include "http/internal.h"
#include "http/tenant.h"

static void answer_text(struct connection *c, int status, const char *text)
{
	connection_answer(c, &(struct http_answer){.status = status,
	                             .type = "text/plain; charset=utf-8",
	                             .body = str_c(text)});
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
	if (http_field_has(c->head, "if-none-match", f.etag, true)) {
		connection_answer(c, &(struct http_answer){.status = 304,
		                             .cache = "no-cache",
		                             .headers = etag,
		                             .head_only = true});
		return;
	}
	connection_answer(c, &(struct http_answer){.status = 200,
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
	connection_answer(c, &(struct http_answer){.status = well ? 200 : 503,
	                             .type = "application/json",
	                             .body = buf_view(&body)});
	buf_done(&body);
}

/* The endpoint without an upgrade: clients poll it to keep their way through proxies open, from
 * other origins too. */
static void answer_keep_alive(struct connection *c)
{
	if (c->head->method == HTTP_OTHER)
		connection_answer(
		        c, &(struct http_answer){.status = 204,
		                   .headers = "Access-Control-Allow-Methods: GET, HEAD\r\n"
		                              "Access-Control-Allow-Headers: *\r\n",
		                   .endpoint = c->server->endpoint_headers,
		                   .head_only = true,
		                   .close = c->head->has_body}); /* a body is not read, so nothing
		                                                   behind it is */
	else
		connection_answer(c, &(struct http_answer){.status = 200,
		                             .type = "text/plain; charset=utf-8",
		                             .endpoint = c->server->endpoint_headers,
		                             .body = STR("XMPP over WebSocket is spoken here.\n")});
}

static void refuse_method(struct connection *c)
{
	connection_log_refusal(c, 405, "method");
	connection_answer(c, &(struct http_answer){.status = 405,
	                             .type = "text/plain; charset=utf-8",
	                             .headers = "Allow: GET, HEAD\r\n",
	                             .body = STR("Only GET and HEAD.\n"),
	                             .close = c->head->has_body});
}

static void route(struct connection *c, const struct http_request *r)
{
	const struct http_settings *set = &c->server->settings;
	bool options = str_eqc(c->head->method_name, "OPTIONS");
	bool endpoint = str_eqc(r->path, set->ws_path);
	c->route = NULL;
	if (https_challenge(c, r) || https_redirect(c, r))
		return;
	c->route = exchange_find(c->server, r->path);
	if (c->route)
		exchange_request(c, r);
	else if (c->head->has_body && c->head->method != HTTP_OTHER)
		connection_refuse(c, 413); /* nothing here takes one, and skipping it would mean
		                              reading it */
	else if (c->head->method == HTTP_OTHER && !(endpoint && options))
		refuse_method(c);
	else if (endpoint && c->head->method == HTTP_GET && connection_is_upgrade(c->head))
		connection_upgrade(c, r);
	else if (endpoint)
		answer_keep_alive(c);
	else if (str_eqc(r->path, "/about/health"))
		answer_health(c);
	else if (set->root)
		download_begin(c);
	else if (str_eqc(r->path, "/config.js"))
		connection_answer(c, &(struct http_answer){.status = 200,
		                             .type = "text/javascript; charset=utf-8",
		                             .body = set->config_js});
	else if (str_eqc(r->path, "/") || files_is_room(r->path))
		answer_file(c, STR("/index.html"));
	else
		answer_file(c, r->path);
}

void connection_serve(struct connection *c)
{
	struct buf path, query;
	struct str tenant, rest;
	const struct http_settings *set = &c->server->settings;
	buf_init(&path, 0);
	buf_init(&query, 0);
	forwarded_read(c->head, set->trusted, set->n_trusted, tcp_peer(c->tcp), &c->from);
	c->secure = tcp_is_tls(c->tcp) || c->from.https;
	int err = http_percent_decode(c->head->path, false, &path);
	if (err) {
		connection_refuse(c, err == ERR_NOMEM ? 503 : 400);
	} else {
		struct http_request r = {.head = c->head,
		        .path = buf_view(&path),
		        .peer = str_c(c->from.peer),
		        .peer_loopback = c->from.loopback,
		        .secure = c->secure,
		        .region = forwarded_region(
		                c->head, set->trusted, set->n_trusted, tcp_peer(c->tcp))};
		bool split = tenant_split(r.path, &tenant, &rest);
		if (split && (str_eqc(rest, set->ws_path) || exchange_find(c->server, rest))) {
			tenant_query(tenant, c->head->query, &query);
			c->head->query = buf_view(&query);
			r.path = rest;
			r.tenant = tenant;
		}
		if (query.failed)
			connection_refuse(c, 503);
		else
			route(c, &r);
	}
	buf_done(&path);
	buf_done(&query);
}
