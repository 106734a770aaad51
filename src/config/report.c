/* report.c - what loading had to say. pure */
#include "config/report.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"

#define LINES_MAX 2000

void config_report_init(struct config_report *r)
{
	*r = (struct config_report){0};
}

static void line_free(struct config_line *l)
{
	mem_free((void *)(uintptr_t)l->key);
	mem_free((void *)(uintptr_t)l->file);
	mem_free((void *)(uintptr_t)l->text);
}

void config_report_free(struct config_report *r)
{
	for (size_t i = 0; i < r->n; i++)
		line_free(&r->lines[i]);
	mem_free(r->lines);
	config_report_init(r);
}

static bool grow(struct config_report *r)
{
	if (r->n < r->cap)
		return true;
	size_t cap = r->cap ? r->cap * 2 : 32;
	struct config_line *lines = mem_realloc(r->lines, cap * sizeof *lines);
	if (!lines)
		return false;
	r->lines = lines;
	r->cap = cap;
	return true;
}

/* A stranger's file may hold terminal sequences. */
static void plain(char *text)
{
	for (char *p = text; p && *p; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	}
}

static const char *copy(const char *z)
{
	char *out = mem_strndup(z ? z : "", z ? strlen(z) : 0);
	plain(out);
	return out;
}

void report_add(struct config_report *r, const struct config_line *where, const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	plain(text);
	r->warnings |= where->warning;
	if (where->severity == CONFIG_FATAL)
		r->fatal = true;
	if (r->n >= LINES_MAX)
		return;
	struct config_line l = *where;
	l.key = copy(where->key);
	l.file = copy(where->file);
	l.text = copy(text);
	if (!l.key || !l.file || !l.text || !grow(r)) {
		line_free(&l);
		r->nomem = true;
		return;
	}
	r->lines[r->n++] = l;
}

bool report_mentions(const struct config_report *r, const char *key)
{
	for (size_t i = 0; i < r->n; i++) {
		if (strcmp(r->lines[i].key, key) == 0)
			return true;
	}
	return false;
}

void config_line_write(const struct config_line *l, struct buf *out)
{
	if (*l->file && l->line)
		buf_printf(out, "%s:%d: ", l->file, l->line);
	else if (*l->file)
		buf_printf(out, "%s: ", l->file);
	if (*l->key && strncmp(l->text, l->key, strlen(l->key)) !=
	                       0) /* a text may begin with the name itself */
		buf_printf(out, "%s: ", l->key);
	buf_puts(out, l->text);
	for (unsigned i = 0; i < WARNING_COUNT; i++) {
		if (l->warning & 1u << i)
			buf_printf(out, "  %s", warning_name((enum warning_index)i));
	}
}
