/* file.c - reading files for commands. io */
#include "cli/file.h"

#include <errno.h>
#include <stdio.h>

bool file_read(const char *path, size_t max, struct buf *out)
{
	bool from_stdin = strcmp(path, "-") == 0;
	FILE *f = from_stdin ? stdin : fopen(path, "rb");
	char chunk[4096];
	size_t n;

	if (!f) {
		fprintf(stderr, "gavel: %s: %s\n", path, strerror(errno));
		return false;
	}
	while ((n = fread(chunk, 1, sizeof chunk, f)) > 0 && out->n + n <= max && !out->failed)
		buf_add(out, chunk, n);
	bool broken = ferror(f) != 0, large = n > 0;
	if (!from_stdin)
		fclose(f);
	if (broken || large || out->failed)
		fprintf(stderr, "gavel: %s: %s\n", path, large ? "too large" : "cannot be read");
	return !broken && !large && !out->failed;
}

struct jval *file_read_json(const char *path, size_t max, unsigned depth, struct jval_error *e)
{
	struct buf text;
	struct jval *json = NULL;
	buf_init(&text, 0);
	if (file_read(path, max, &text)) {
		json = jval_parse(buf_view(&text), depth, e);
		if (!json)
			fprintf(stderr, "gavel: %s:%d:%d: %s\n", path, e->line, e->column, e->text);
	}
	buf_done(&text);
	return json;
}
