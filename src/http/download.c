/* download.c - answers that come from a folder in parts: the next one is read when the last one is
 * with the kernel. io */
#include "base/err.h"
#include "http/internal.h"
#include "http/root.h"

#define MANY 256 /* downloads under way: from here on they take smaller parts */

/* The policy of the built-in page would not let an installed one run: its scripts stand in the
 * page, and what it embeds asks where it is embedded. */
#define OTHERS_POLICY                                                                              \
	"X-Content-Type-Options: nosniff\r\nReferrer-Policy: strict-origin-when-cross-origin\r\n"

static size_t chunk_max(const struct http_server *s)
{
	return s->downloads > MANY ? ROOT_CHUNK_SMALL : ROOT_CHUNK;
}

void download_begin(struct connection *c)
{
	struct http_server *s = c->server;
	struct http_ticket t;
	struct str head = str_sub(buf_view(&c->in), 0, c->head->bytes);
	if (!exchange_open_ticket(c, &t)) {
		connection_refuse(c, 503);
		return;
	}
	if (root_ask(s->settings.root, head, t, chunk_max(s))) {
		connection_wait(c);
		return;
	}
	exchange_close_ticket(c);
	connection_refuse(c, 503);
}

void download_gone(struct connection *c)
{
	root_job_free(c->download);
	c->download = NULL;
	c->server->downloads -= c->streaming;
	c->streaming = false;
}

static void finish(struct connection *c, bool whole)
{
	download_gone(c);
	exchange_close_ticket(c);
	if (!whole)
		connection_hang_up(c, 0);
	else if (!c->keep_alive || c->server->draining)
		connection_hang_up(c, LINGER_MS);
	exchange_resume_later(c);
}

static int write_answer(struct connection *c, struct root_job *j)
{
	struct buf b;
	buf_init(&b, 0);
	const struct http_answer a = {.status = j->status,
	        .type = j->status == 304 ? NULL : j->type,
	        .cache = j->cache,
	        .headers = j->headers,
	        .policy = OTHERS_POLICY,
	        .hsts = c->secure && c->server->settings.hsts,
	        .close = !c->keep_alive || c->server->draining,
	        .sized = true,
	        .length = j->length};
	http_answer_head(&b, &a, loop_wall_s(tcp_loop(c->tcp)));
	struct str parts[] = {buf_view(&b), buf_view(&j->text)};
	size_t n = j->head_only ? 1 : 2;
	int err = b.failed ? ERR_NOMEM : tcp_write_parts(c->tcp, parts, n, j->chunk, true);
	buf_done(&b);
	return err;
}

void download_answered(void *server, struct root_job *j)
{
	struct http_server *s = server;
	struct connection *c = exchange_connection(s, j->ticket);
	if (!c) {
		root_job_free(j);
		return;
	}
	int err = ERR_IO;
	if (!c->streaming)
		err = write_answer(c, j);
	else if (j->status && j->chunk)
		err = tcp_write_parts(c->tcp, NULL, 0, j->chunk, true);
	block_unref(j->chunk);
	j->chunk = NULL;
	c->download = j; /* kept until what it brought is with the kernel */
	if (err || j->at >= j->end) {
		finish(c, !err);
		return;
	}
	s->downloads += !c->streaming;
	c->streaming = true;
	connection_wait(c);
}

void download_drained(struct connection *c)
{
	struct root_job *j = c->download;
	if (!j)
		return;
	c->download = NULL;
	connection_wait(c);
	j->chunk_max = chunk_max(c->server);
	root_ask_more(j);
}
