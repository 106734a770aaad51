/* answer.c - heads of answers (RFC 9110, RFC 9112). pure */
#include "http/answer.h"

#include "http/negotiate.h"

/* The page loads nothing from elsewhere but pictures of people, and talks to nobody but WebSockets.
 */
#define CONTENT_POLICY                                                                             \
	"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self' ws: wss:; "   \
	"img-src 'self' https: data:; media-src 'self' blob:; base-uri 'none'; form-action 'none'"

#define OWN_POLICY                                                                                 \
	"X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n"                      \
	"Content-Security-Policy: " CONTENT_POLICY "\r\n"

const char *http_status_text(int status)
{
	static const struct {
		int status;
		const char *text;
	} texts[] = {
	        {100, "Continue"},
	        {101, "Switching Protocols"},
	        {200, "OK"},
	        {204, "No Content"},
	        {301, "Moved Permanently"},
	        {206, "Partial Content"},
	        {304, "Not Modified"},
	        {308, "Permanent Redirect"},
	        {400, "Bad Request"},
	        {403, "Forbidden"},
	        {404, "Not Found"},
	        {405, "Method Not Allowed"},
	        {408, "Request Timeout"},
	        {413, "Content Too Large"},
	        {414, "URI Too Long"},
	        {416, "Range Not Satisfiable"},
	        {426, "Upgrade Required"},
	        {429, "Too Many Requests"},
	        {429, "Too Many Requests"},
	        {431, "Request Header Fields Too Large"},
	        {500, "Internal Server Error"},
	        {501, "Not Implemented"},
	        {503, "Service Unavailable"},
	        {505, "HTTP Version Not Supported"},
	};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		if (texts[i].status == status)
			return texts[i].text;
	}
	return "Unknown";
}

static void put_date(struct buf *b, double wall_s)
{
	char text[DATE_BYTES];
	date_write((int64_t)wall_s, text);
	if (text[0])
		buf_printf(b, "Date: %s\r\n", text);
}

void http_answer_head(struct buf *b, const struct http_answer *a, double wall_s)
{
	buf_printf(b, "HTTP/1.1 %d %s\r\n", a->status, http_status_text(a->status));
	put_date(b, wall_s);
	if (a->type)
		buf_printf(b, "Content-Type: %s\r\n", a->type);
	if (a->sized && a->status != 304)
		buf_printf(b, "Content-Length: %llu\r\n", (unsigned long long)a->length);
	else if (a->status != 304 && a->status != 204)
		buf_printf(
		        b, "Content-Length: %zu\r\n", a->block ? (size_t)a->block->n : a->body.n);
	buf_printf(b, "Cache-Control: %s\r\n", a->cache ? a->cache : "no-store");
	if (a->close)
		buf_puts(b, "Connection: close\r\n");
	else
		buf_puts(b, "Connection: keep-alive\r\n"); /* HTTP/1.0 clients ask for it and wait
		                                              to read it */
	if (a->headers)
		buf_puts(b, a->headers);
	if (a->endpoint)
		buf_puts(b, a->endpoint);
	if (a->hsts)
		buf_puts(b, "Strict-Transport-Security: max-age=63072000\r\n");
	buf_puts(b, a->policy ? a->policy : OWN_POLICY);
	buf_puts(b, "\r\n");
}
