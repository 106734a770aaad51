/* answer.c - heads of answers (RFC 9110, RFC 9112). pure */
#include "http/answer.h"

#include <time.h>

/* The page loads nothing from elsewhere but pictures of people, and talks to nobody but WebSockets.
 */
#define CONTENT_POLICY                                                                             \
	"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self' ws: wss:; "   \
	"img-src 'self' https: data:; media-src 'self' blob:; base-uri 'none'; form-action 'none'"

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
	        {304, "Not Modified"},
	        {308, "Permanent Redirect"},
	        {400, "Bad Request"},
	        {403, "Forbidden"},
	        {404, "Not Found"},
	        {405, "Method Not Allowed"},
	        {408, "Request Timeout"},
	        {413, "Content Too Large"},
	        {414, "URI Too Long"},
	        {426, "Upgrade Required"},
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
	static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char *const months[] = {
	        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	time_t now = (time_t)wall_s;
	struct tm tm;
	if (!gmtime_r(&now, &tm))
		return;
	buf_printf(b, "Date: %s, %02d %s %d %02d:%02d:%02d GMT\r\n", days[tm.tm_wday], tm.tm_mday,
	        months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

void http_answer_head(struct buf *b, const struct http_answer *a, double wall_s)
{
	buf_printf(b, "HTTP/1.1 %d %s\r\n", a->status, http_status_text(a->status));
	put_date(b, wall_s);
	if (a->type)
		buf_printf(b, "Content-Type: %s\r\n", a->type);
	if (a->status != 304 && a->status != 204)
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
	buf_puts(b, "X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n"
	            "Content-Security-Policy: " CONTENT_POLICY "\r\n\r\n");
}
