/* log.c - logfmt lines to standard error, one write each. io */
#include "base/log.h"

#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_BYTES 1024
#define VALUE_BYTES 80

static atomic_int level_now = LOG_INFO;

void log_set_level(enum log_level level)
{
	atomic_store(&level_now, (int)level);
}

enum log_level log_get_level(void)
{
	return (enum log_level)atomic_load_explicit(&level_now, memory_order_relaxed);
}

void log_line(enum log_level level, const char *fmt, ...)
{
	static const char *const names[] = {"error", "warn", "info", "debug"};
	if (level > log_get_level())
		return;
	char line[LINE_MAX_BYTES];
	struct timespec ts;
	struct tm tm;
	clock_gettime(CLOCK_REALTIME, &ts);
	gmtime_r(&ts.tv_sec, &tm);
	size_t n = strftime(line, sizeof line, "%Y-%m-%dT%H:%M:%S", &tm);
	n += (size_t)snprintf(
	        line + n, sizeof line - n, ".%03ldZ %s ", ts.tv_nsec / 1000000, names[level]);
	va_list ap;
	va_start(ap, fmt);
	int more = vsnprintf(line + n, sizeof line - n - 1, fmt, ap);
	va_end(ap);
	if (more < 0)
		return;
	n += (size_t)more;
	if (n > sizeof line - 2)
		n = sizeof line - 2;
	line[n++] = '\n';
	/* A full pipe must not stop the server: its line is lost. A pipe that polls writable takes
	 * a whole line. */
	struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};
	if (poll(&out, 1, 0) != 1 || !(out.revents & POLLOUT))
		return;
	ssize_t written = write(STDERR_FILENO, line, n);
	(void)written;
}

/* U+0080 to U+009F are C2 80 to C2 9F: terminals obey some of them. */
static bool is_second_of_c1(struct str s, size_t i)
{
	unsigned char c = (unsigned char)s.p[i];
	return c >= 0x80 && c < 0xa0 && i > 0 && (unsigned char)s.p[i - 1] == 0xc2;
}

const char *log_value(struct str s)
{
	static _Thread_local char ring[8][VALUE_BYTES * 4 + 8];
	static _Thread_local unsigned next;
	char *out = ring[next++ % 8];
	size_t n = 0;
	out[n++] = '"';
	for (size_t i = 0; i < s.n && i < VALUE_BYTES; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c == '"' || c == '\\') {
			out[n++] = '\\';
			out[n++] = (char)c;
		} else if (c < 0x20 || c == 0x7f || is_second_of_c1(s, i)) {
			n += (size_t)snprintf(out + n, 5, "\\x%02x", c);
		} else {
			out[n++] = (char)c;
		}
	}
	if (s.n > VALUE_BYTES) {
		memcpy(out + n, "...", 3);
		n += 3;
	}
	out[n++] = '"';
	out[n] = '\0';
	return out;
}
