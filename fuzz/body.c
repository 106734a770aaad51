/* body.c - bodies of requests: whole and piece by piece must mean the same, and what is decoded is
 * bounded; and the includes of a page. io */
#include <stdlib.h>

#include "base/err.h"
#include "http/body.h"
#include "http/include.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX 300

static const struct http_limits limits = {.max_head = 1024, .max_target = 512};

struct outcome {
	int err, status;
	struct buf in;
	size_t end;
};

static void read_body(const struct http_head *h, struct str in, size_t step, struct outcome *o)
{
	struct body_reader r;
	buf_init(&o->in, 0);
	buf_add(&o->in, in.p, h->bytes);
	o->err = body_start(&r, h, MAX);
	size_t at = h->bytes;
	if (o->err == ERR_OK)
		o->err = ERR_AGAIN;
	while (o->err == ERR_AGAIN) {
		size_t n = step < in.n - at ? step : in.n - at;
		buf_add(&o->in, in.p + at, n);
		at += n;
		o->err = body_take(&r, &o->in);
		if (r.end < h->bytes || r.end - h->bytes > MAX || r.end > o->in.n)
			abort();
		if (at == in.n)
			break;
	}
	if (o->err == ERR_OK)
		buf_add(&o->in, in.p + at, in.n - at);
	o->status = r.status;
	o->end = r.end;
}

static void bodies(struct str in)
{
	struct http_head h;
	size_t seen = 0;
	if (http_parse(in, &limits, &seen, &h) != ERR_OK || !h.has_body)
		return;
	struct outcome whole, part;
	read_body(&h, in, in.n, &whole);
	for (size_t step = 1; step < 40; step += 13) {
		read_body(&h, in, step, &part);
		if (part.err != whole.err || part.status != whole.status)
			abort();
		if (whole.err == ERR_OK &&
		        (part.end != whole.end || !str_eq(buf_view(&part.in), buf_view(&whole.in))))
			abort();
		buf_done(&part.in);
	}
	buf_done(&whole.in);
}

static bool on_file(
        void *arg, struct str from, struct str name, struct buf *text, char *path, size_t size)
{
	const struct str *all = arg;
	(void)from;
	(void)size;
	path[0] = '/';
	path[1] = '\0';
	buf_str(text, str_sub(*all, name.n, all->n));
	return name.n < 20;
}

static bool on_value(void *arg, struct str name, struct buf *out)
{
	(void)arg;
	buf_str(out, name);
	return name.n & 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_from((const char *)data, size);
	struct include inc = {.arg = &in, .file = on_file, .value = on_value};
	struct buf out;
	bodies(in);
	buf_init(&out, INCLUDE_BYTES_MAX);
	(void)include_expand(&inc, STR("/"), in, &out);
	if (inc.depth || inc.files > INCLUDE_FILES_MAX || out.n > INCLUDE_BYTES_MAX)
		abort();
	buf_done(&out);
	return 0;
}
