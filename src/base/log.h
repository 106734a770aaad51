/* log.h - one line per event, logfmt, to standard error. io
 *
 * log_info("room=%.*s event=join role=%s because=%s", ...). Values that come from strangers go
 * through log_value (quoted, control characters escaped, bounded). Lines from one cause can be
 * limited by log_limited. Thread: any. */
#pragma once
#include "base/str.h"
#include "base/limit.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

void log_set_level(enum log_level level);
enum log_level log_get_level(void);
void log_line(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)
#define log_warn(...) log_line(LOG_WARN, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...)                                                                             \
	do {                                                                                       \
		if (log_get_level() >= LOG_DEBUG)                                                  \
			log_line(LOG_DEBUG, __VA_ARGS__);                                          \
	} while (0)

/* A stranger's bytes as a quoted logfmt value of at most 80 bytes, in one of a few static
 * per-thread buffers: valid until the eighth next call on this thread. */
const char *log_value(struct str s);
