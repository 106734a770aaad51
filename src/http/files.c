/* files.c - the page's files as shared blocks with an entity tag. io */
#include "http/files.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/mem.h"
#include "page_data.h"

#define FILE_BYTES_MAX (8u << 20)

struct held {
	struct block *block;
	char etag[35];
};

struct files {
	const char *web_dir;
	struct held held[]; /* as page_files */
};

static bool hold(struct held *h, struct str bytes)
{
	uint8_t sum[32];
	struct block *b = block_new(bytes);
	if (!b)
		return false;
	block_unref(h->block);
	h->block = b;
	hash_sha256(bytes, sum);
	h->etag[0] = '"';
	hash_hex(sum, 16, h->etag + 1);
	h->etag[33] = '"';
	h->etag[34] = '\0';
	return true;
}

struct files *files_new(const char *web_dir)
{
	struct files *f = mem_zalloc(sizeof *f + page_files_n * sizeof f->held[0]);
	if (!f)
		return NULL;
	f->web_dir = web_dir;
	for (size_t i = 0; i < page_files_n; i++) {
		const struct page_file *p = &page_files[i];
		if (!hold(&f->held[i], str_from((const char *)p->data, p->n))) {
			files_free(f);
			return NULL;
		}
	}
	return f;
}

void files_free(struct files *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < page_files_n; i++)
		block_unref(f->held[i].block);
	mem_free(f);
}

/* Only names of the table are ever opened. On failure the last content stays. */
static void reload(struct files *f, size_t i)
{
	char path[512];
	int n = snprintf(path, sizeof path, "%s%s", f->web_dir, page_files[i].path);
	if (n < 0 || (size_t)n >= sizeof path)
		return;
	FILE *in = fopen(path, "rb");
	if (!in)
		return;
	struct buf b;
	buf_init(&b, FILE_BYTES_MAX);
	char chunk[8192];
	size_t got;
	while ((got = fread(chunk, 1, sizeof chunk, in)) > 0)
		buf_add(&b, chunk, got);
	if (!ferror(in) && !b.failed)
		(void)hold(&f->held[i], buf_view(&b));
	buf_done(&b);
	fclose(in);
}

bool files_find(struct files *f, struct str path, struct file *out)
{
	for (size_t i = 0; i < page_files_n; i++) {
		if (!str_eqc(path, page_files[i].path))
			continue;
		if (f->web_dir)
			reload(f, i);
		out->type = page_files[i].type;
		out->block = f->held[i].block;
		memcpy(out->etag, f->held[i].etag, sizeof out->etag);
		return true;
	}
	return false;
}

bool files_is_room(struct str path)
{
	static const char *const endings[] = {".js", ".css", ".html", ".ico", ".png", ".svg",
	        ".json", ".map", ".txt", ".xml", ".webmanifest", ".wasm", ".mp3", ".woff2"};
	struct str name = str_sub(path, 1, path.n);
	if (name.n && name.p[name.n - 1] == '/')
		name.n--;
	if (name.n == 0 || str_find(name, '/') < name.n || name.p[0] == '.')
		return false;
	for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
		if (str_ends(name, str_c(endings[i])))
			return false;
	}
	return true;
}
