/* report.h - adding lines to a report; nearest names. pure */
#pragma once
#include "config/config.h"

/* where: everything of the line but its text; its strings are copied. Control characters of the
 * text are shown as '?'. */
void report_add(struct config_report *r, const struct config_line *where, const char *fmt, ...)
        __attribute__((format(printf, 3, 4)));
#define report_fatal(r, key_, file_, line_, ...)                                                   \
	report_add((r),                                                                            \
	        &(struct config_line){.severity = CONFIG_FATAL,                                    \
	                .key = (key_),                                                             \
	                .file = (file_),                                                           \
	                .line = (line_)},                                                          \
	        __VA_ARGS__)
#define report_warn(r, bit, key_, ...)                                                             \
	report_add((r),                                                                            \
	        &(struct config_line){.severity = CONFIG_WARN, .warning = (bit), .key = (key_)},   \
	        __VA_ARGS__)
#define report_info(r, bit, key_, ...)                                                             \
	report_add((r),                                                                            \
	        &(struct config_line){.severity = CONFIG_INFO, .warning = (bit), .key = (key_)},   \
	        __VA_ARGS__)
/* Whether any line is about this key. */
bool report_mentions(const struct config_report *r, const char *key);
