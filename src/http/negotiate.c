/* negotiate.c - coding, type, freshness and range of a file. pure */
#include "http/negotiate.h"

#include <stdio.h>
#include <time.h>

const char *coding_name(enum coding c)
{
	static const char *const names[] = {"identity", "gzip", "br"};
	return names[c];
}

const char *coding_ending(enum coding c)
{
	static const char *const endings[] = {"", ".gz", ".br"};
	return endings[c];
}

/* "q=0.5" in thousandths; 1000 without one, 0 for what is none. */
static unsigned quality(struct str params)
{
	while (!str_absent(params)) {
		struct str p = str_trim(str_split(&params, ';'));
		if (p.n < 3 || ascii_lower(p.p[0]) != 'q' || p.p[1] != '=')
			continue;
		unsigned q = 0, scale = 1000;
		for (size_t i = 2; i < p.n && i < 7; i++) {
			if (p.p[i] == '.' && i == 3)
				continue;
			if (p.p[i] < '0' || p.p[i] > '9')
				return 0;
			q += (unsigned)(p.p[i] - '0') * scale;
			scale /= 10;
		}
		return q > 1000 ? 1000 : q;
	}
	return 1000;
}

static int coding_of(struct str name)
{
	if (str_eq_ascii_nocase(name, STR("x-gzip")))
		return CODING_GZIP;
	for (int c = 0; c < CODING_COUNT; c++) {
		if (str_eq_ascii_nocase(name, str_c(coding_name((enum coding)c))))
			return c;
	}
	return -1;
}

size_t negotiate_codings(const struct http_head *h, enum coding out[CODING_COUNT])
{
	int q[CODING_COUNT] = {-1, -1, -1}, any = -1;
	for (size_t i = 0; i < h->n_fields; i++) {
		struct str rest = h->fields[i].value;
		if (!str_eq_ascii_nocase(h->fields[i].name, STR("accept-encoding")))
			continue;
		while (!str_absent(rest)) {
			struct str params = str_split(&rest, ',');
			struct str name = str_trim(str_split(&params, ';'));
			int c = coding_of(name);
			if (c >= 0)
				q[c] = (int)quality(params);
			else if (str_eqc(name, "*"))
				any = (int)quality(params);
		}
	}
	size_t n = 0;
	for (int c = CODING_COUNT - 1; c >= 0; c--) {
		/* what is not named: identity is fine but last, others are not offered */
		if (q[c] < 0)
			q[c] = any >= 0 ? any : 0;
		if (c == CODING_IDENTITY && q[c] == 0)
			q[c] = 1;
		if (q[c] == 0)
			continue;
		size_t at = n++;
		for (; at > 0 && q[out[at - 1]] < q[c]; at--)
			out[at] = out[at - 1];
		out[at] = (enum coding)c;
	}
	return n;
}

const char *type_of(struct str path)
{
	static const struct {
		const char *ending, *type;
	} types[] = {
	        {".html", "text/html; charset=utf-8"},
	        {".js", "text/javascript; charset=utf-8"},
	        {".mjs", "text/javascript; charset=utf-8"},
	        {".css", "text/css; charset=utf-8"},
	        {".json", "application/json"},
	        {".map", "application/json"},
	        {".webmanifest", "application/manifest+json"},
	        {".txt", "text/plain; charset=utf-8"},
	        {".md", "text/plain; charset=utf-8"},
	        {".xml", "application/xml"},
	        {".wasm", "application/wasm"},
	        {".svg", "image/svg+xml"},
	        {".png", "image/png"},
	        {".jpg", "image/jpeg"},
	        {".jpeg", "image/jpeg"},
	        {".gif", "image/gif"},
	        {".webp", "image/webp"},
	        {".avif", "image/avif"},
	        {".ico", "image/x-icon"},
	        {".woff2", "font/woff2"},
	        {".woff", "font/woff"},
	        {".ttf", "font/ttf"},
	        {".otf", "font/otf"},
	        {".eot", "application/vnd.ms-fontobject"},
	        {".mp3", "audio/mpeg"},
	        {".ogg", "audio/ogg"},
	        {".opus", "audio/ogg"},
	        {".wav", "audio/wav"},
	        {".m4a", "audio/mp4"},
	        {".mp4", "video/mp4"},
	        {".webm", "video/webm"},
	        {".pdf", "application/pdf"},
	        {".gz", "application/gzip"},
	};
	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		size_t n = strlen(types[i].ending);
		if (path.n >= n && str_eq_ascii_nocase(str_sub(path, path.n - n, path.n),
		                           str_c(types[i].ending)))
			return types[i].type;
	}
	return "application/octet-stream";
}

void date_write(int64_t unix_s, char out[DATE_BYTES])
{
	static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char *const months[] = {
	        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	time_t t = (time_t)unix_s;
	struct tm tm;
	out[0] = '\0';
	if (gmtime_r(&t, &tm) && tm.tm_year > 69 && tm.tm_year < 8100)
		snprintf(out, DATE_BYTES, "%s, %02u %s %04u %02u:%02u:%02u GMT", days[tm.tm_wday],
		        (unsigned)tm.tm_mday % 100, months[tm.tm_mon],
		        (unsigned)(tm.tm_year + 1900) % 10000, (unsigned)tm.tm_hour % 100,
		        (unsigned)tm.tm_min % 100, (unsigned)tm.tm_sec % 100);
}

static bool names_tag(struct str list, const char *etag)
{
	while (!str_absent(list)) {
		struct str tag = str_trim(str_split(&list, ','));
		if (str_eqc(tag, "*"))
			return true;
		if (str_starts(tag, STR("W/")))
			tag = str_sub(tag, 2, tag.n);
		if (str_eqc(tag, etag))
			return true;
	}
	return false;
}

bool negotiate_fresh(const struct http_head *h, const char *etag, const char *modified)
{
	if (http_field_count(h, "if-none-match")) {
		for (size_t i = 0; i < h->n_fields; i++) {
			if (str_eq_ascii_nocase(h->fields[i].name, STR("if-none-match")) &&
			        names_tag(h->fields[i].value, etag))
				return true;
		}
		return false;
	}
	return modified[0] && str_eqc(http_field(h, "if-modified-since"), modified);
}

enum range negotiate_range(
        const struct http_head *h, const char *etag, uint64_t n, uint64_t *from, uint64_t *to)
{
	struct str r = http_field(h, "range"), unit = STR("bytes="), if_range;
	*from = 0;
	*to = n;
	if (http_field_count(h, "range") != 1 || !str_starts(r, unit))
		return RANGE_ALL;
	if_range = http_field(h, "if-range");
	if (!str_absent(if_range) && !str_eqc(if_range, etag))
		return RANGE_ALL;
	struct str last = str_sub(r, unit.n, r.n);
	struct str first = str_split(&last, '-');
	uint64_t a = 0, b = 0;
	if (str_absent(last) || (first.n && !str_u64(first, &a)) ||
	        (last.n && !str_u64(last, &b)) || (!first.n && !last.n) ||
	        (first.n && last.n && b < a))
		return RANGE_ALL;
	if (first.n ? a >= n : b == 0 || n == 0)
		return RANGE_NONE;
	if (!first.n) {
		*from = b < n ? n - b : 0;
	} else {
		*from = a;
		if (last.n && b < n - 1)
			*to = b + 1;
	}
	return RANGE_PART;
}
