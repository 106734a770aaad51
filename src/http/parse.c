/* parse.c - request heads of HTTP/1.1, read strictly. pure */
#include "http/parse.h"

#include "base/err.h"

static bool is_tchar(char c)
{
	if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
		return true;
	return c && strchr("!#$%&'*+-.^_`|~", c) != NULL;
}

static bool is_token(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (!is_tchar(s.p[i]))
			return false;
	}
	return s.n > 0;
}

static int refuse(struct http_head *h, int status)
{
	h->status = status;
	return status == 414 || status == 431 ? ERR_LIMIT : ERR_BADMSG;
}

/* Finds the empty line. Every LF must follow a CR, every CR must be followed by LF, and there are
 * no NULs: two readers of these bytes must not see two different requests. */
static int find_end(struct str in, size_t *seen, size_t *end)
{
	size_t line_from = 0;
	for (size_t i = *seen; i > 0; i--) {
		if (in.p[i - 1] == '\n') {
			line_from = i;
			break;
		}
	}
	for (size_t i = *seen; i < in.n; i++) {
		char c = in.p[i];
		if (c == '\0')
			return ERR_BADMSG;
		if (c == '\r' && i + 1 == in.n)
			break;
		if (c == '\r' && in.p[i + 1] != '\n')
			return ERR_BADMSG;
		if (c == '\n' && (i == 0 || in.p[i - 1] != '\r'))
			return ERR_BADMSG;
		*seen = i + 1;
		if (c != '\n')
			continue;
		if (i - line_from == 1) {
			*end = i + 1;
			return ERR_OK;
		}
		line_from = i + 1;
	}
	return ERR_AGAIN;
}

/* The next line without its CRLF; *rest moves behind it. */
static struct str take_line(struct str *rest)
{
	size_t n = str_find(*rest, '\n');
	struct str line = str_sub(*rest, 0, n ? n - 1 : 0);
	*rest = str_sub(*rest, n + 1, rest->n);
	return line;
}

static bool is_target_ok(struct str t)
{
	for (size_t i = 0; i < t.n; i++) {
		unsigned char c = (unsigned char)t.p[i];
		if (c <= 0x20 || c == 0x7f || c == '#')
			return false;
	}
	return t.n > 0;
}

/* Absolute form ("http://host/path", RFC 9112 3.2.2) is what a proxy sends: its path and query
 * count. */
static struct str without_authority(struct str t)
{
	struct str http = STR("http://"), https = STR("https://");
	struct str rest;
	if (str_starts(t, http))
		rest = str_sub(t, http.n, t.n);
	else if (str_starts(t, https))
		rest = str_sub(t, https.n, t.n);
	else
		return t;
	size_t slash = str_find(rest, '/');
	return slash < rest.n ? str_sub(rest, slash, rest.n) : STR("/");
}

static int parse_request_line(
        struct str line, const struct http_limits *limits, struct http_head *h)
{
	struct str rest = line;
	h->method_name = str_split(&rest, ' ');
	if (!is_token(h->method_name) || str_absent(rest))
		return refuse(h, 400);
	h->target = str_split(&rest, ' ');
	struct str version = rest;
	if (str_absent(rest) || !is_target_ok(h->target))
		return refuse(h, 400);
	if (h->target.n > limits->max_target)
		return refuse(h, 414);
	if (version.n != 8 || !str_starts(version, STR("HTTP/")) || version.p[6] != '.')
		return refuse(h, 400);
	if (version.p[5] != '1' || (version.p[7] != '0' && version.p[7] != '1'))
		return refuse(h, 505);
	h->minor = version.p[7] - '0';
	h->method = str_eqc(h->method_name, "GET")    ? HTTP_GET
	            : str_eqc(h->method_name, "HEAD") ? HTTP_HEAD
	                                              : HTTP_OTHER;
	struct str t = without_authority(h->target);
	size_t q = str_find(t, '?');
	h->path = str_sub(t, 0, q);
	h->query = q < t.n ? str_sub(t, q + 1, t.n) : STR_NONE;
	if (!h->path.n || h->path.p[0] != '/') {
		if (h->method == HTTP_OTHER)
			return ERR_OK; /* "OPTIONS *" and its like are refused by method, later */
		return refuse(h, 400);
	}
	return ERR_OK;
}

static bool is_value_ok(struct str v)
{
	for (size_t i = 0; i < v.n; i++) {
		unsigned char c = (unsigned char)v.p[i];
		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

static int parse_fields(struct str rest, struct http_head *h)
{
	for (;;) {
		struct str line = take_line(&rest);
		if (line.n == 0)
			return ERR_OK;
		size_t colon = str_find(line, ':');
		struct str name = str_sub(line, 0, colon);
		struct str value = str_trim(str_sub(line, colon + 1, line.n));
		if (colon == line.n || !is_token(name) || !is_value_ok(value))
			return refuse(h, 400);
		if (h->n_fields == HTTP_MAX_HEADERS)
			return refuse(h, 431);
		h->fields[h->n_fields++] = (struct http_field){name, value};
	}
}

static int check_framing(struct http_head *h)
{
	size_t lengths = http_field_count(h, "content-length");
	if (http_field_count(h, "transfer-encoding")) {
		h->has_body = h->chunked = true;
		/* Both together are how requests are smuggled (RFC 9112 6.1, 6.3), and a chain of
		 * codings is what readers disagree about. */
		if (lengths || h->minor == 0 || http_field_count(h, "transfer-encoding") > 1)
			return refuse(h, 400);
		if (!str_eq_ascii_nocase(http_field(h, "transfer-encoding"), STR("chunked")))
			return refuse(h, 501);
	}
	if (lengths > 1 ||
	        (lengths && !str_u64(http_field(h, "content-length"), &h->content_length)))
		return refuse(h, 400);
	h->has_body = h->chunked || h->content_length > 0;
	if (h->minor == 1 && http_field_count(h, "host") != 1)
		return refuse(h, 400);
	h->keep_alive = h->minor == 1 ? !http_field_has(h, "connection", "close", false)
	                              : http_field_has(h, "connection", "keep-alive", false);
	return ERR_OK;
}

int http_parse(struct str in, const struct http_limits *limits, size_t *seen, struct http_head *h)
{
	h->status = 0;
	h->n_fields = 0;
	h->content_length = 0;
	h->has_body = h->chunked = h->keep_alive = false;
	size_t end = 0;
	size_t max = limits->max_head + limits->max_target;
	int err = find_end(str_sub(in, 0, max), seen, &end);
	if (err == ERR_BADMSG)
		return refuse(h, 400);
	if (err == ERR_AGAIN && in.n < max)
		return ERR_AGAIN;
	struct str rest = str_sub(in, 0, end ? end : *seen);
	size_t first = str_find(rest, '\n');
	if (err == ERR_AGAIN) /* too much: was it the target that was too long? */
		return refuse(h, first > limits->max_target ? 414 : 431);
	err = parse_request_line(take_line(&rest), limits, h);
	if (err)
		return err;
	if (end - h->target.n > limits->max_head)
		return refuse(h, 431);
	err = parse_fields(rest, h);
	if (err)
		return err;
	h->bytes = end;
	return check_framing(h);
}

struct str http_field(const struct http_head *h, const char *name)
{
	for (size_t i = 0; i < h->n_fields; i++) {
		if (str_eq_ascii_nocase(h->fields[i].name, str_c(name)))
			return h->fields[i].value;
	}
	return STR_NONE;
}

size_t http_field_count(const struct http_head *h, const char *name)
{
	size_t n = 0;
	for (size_t i = 0; i < h->n_fields; i++)
		n += str_eq_ascii_nocase(h->fields[i].name, str_c(name));
	return n;
}

bool http_field_has(const struct http_head *h, const char *name, const char *word, bool exact)
{
	for (size_t i = 0; i < h->n_fields; i++) {
		if (!str_eq_ascii_nocase(h->fields[i].name, str_c(name)))
			continue;
		struct str rest = h->fields[i].value;
		while (!str_absent(rest)) {
			struct str part = str_trim(str_split(&rest, ','));
			if (exact ? str_eqc(part, word) : str_eq_ascii_nocase(part, str_c(word)))
				return true;
		}
	}
	return false;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int http_percent_decode(struct str s, bool plus, struct buf *out)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (c == '+' && plus) {
			c = ' ';
		} else if (c == '%') {
			int hi = i + 2 < s.n ? hex_digit(s.p[i + 1]) : -1;
			int lo = hi >= 0 ? hex_digit(s.p[i + 2]) : -1;
			if (lo < 0)
				return ERR_BADMSG;
			c = (char)(hi * 16 + lo);
			i += 2;
		}
		if (c == '\0')
			return ERR_BADMSG;
		buf_putc(out, c);
	}
	return out->failed ? ERR_NOMEM : ERR_OK;
}

int http_query_get(struct str query, const char *name, struct buf *out)
{
	int found = 0;
	struct str first = STR_NONE, rest = query;
	while (!str_absent(rest)) {
		struct str value = str_split(&rest, '&');
		struct str key = str_split(&value, '=');
		if (!str_eqc(key, name))
			continue;
		if (str_absent(value))
			value = STR("");
		if (found && !str_eq(first, value))
			return 2;
		if (found)
			continue;
		found = 1;
		first = value;
		if (http_percent_decode(value, true, out))
			return -1;
	}
	return found;
}
