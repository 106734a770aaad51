/* root_serve.c - what a path of an installed jitsi-meet means: a file, a page, config.js, a room.
 * io */
#include <stdio.h>
#include <unistd.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/log.h"
#include "http/files.h"
#include "http/negotiate.h"
#include "http/root_internal.h"
#include "http/tenant.h"

#define CACHE_VERSIONED "public, max-age=31536000, immutable"
#define CACHE_ASK "no-cache"
#define TYPE_TEXT "text/plain; charset=utf-8"

bool root_may_log(struct root *r)
{
	double rate = r->settings.log_lines_per_second;
	return limit_take(&r->log_lines, 1, rate, 2 * rate, loop_now_ms(worker_loop(r->thread)));
}

/* Answers */

void root_text(struct root_request *q, int status, const char *type, const char *cache)
{
	struct root_job *j = q->job;
	uint8_t sum[32];
	char etag[35] = "\"";
	if (j->text.failed) {
		buf_reset(&j->text);
		status = 500;
	}
	j->status = status;
	j->type = type;
	j->cache = cache;
	j->length = j->text.n;
	if (j->status != 200 || !cache)
		return;
	hash_sha256(buf_view(&j->text), sum);
	hash_hex(sum, 16, etag + 1);
	memcpy(etag + 33, "\"", 2);
	snprintf(j->headers, sizeof j->headers, "ETag: %s\r\n", etag);
	if (negotiate_fresh(q->head, etag, "")) {
		j->status = 304;
		buf_reset(&j->text);
	}
}

static void fail(struct root_request *q, int status, const char *text)
{
	buf_reset(&q->job->text);
	buf_puts(&q->job->text, text);
	root_text(q, status, TYPE_TEXT, NULL);
}

static bool page(struct root_request *q, struct str path, int status)
{
	q->job->text.max = INCLUDE_BYTES_MAX;
	if (!root_page(q, path, &q->job->text))
		return false;
	root_text(q, status, type_of(path), CACHE_ASK);
	return true;
}

static void index_page(struct root_request *q)
{
	if (!page(q, STR("/index.html"), 200))
		fail(q, 500, "The page cannot be read.\n");
}

static void not_found(struct root_request *q)
{
	struct str own = STR("/static/404.html");
	struct stat st;
	int fd = folder_open(&q->root->folder, own, &st);
	if (fd >= 0)
		close(fd);
	if (fd < 0 || !page(q, own, 404))
		fail(q, 404, "Not found.\n");
}

static void config(struct root_request *q)
{
	q->job->text.max = INCLUDE_BYTES_MAX;
	if (root_config(q, &q->job->text))
		root_text(q, 200, type_of(STR(".js")), NULL);
	else
		fail(q, 500, "config.js cannot be read.\n");
}

/* Files */

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* Reads the next chunk. A file that has changed meanwhile is another one: what was promised cannot
 * be kept. */
static bool read_chunk(struct root_job *j, int fd)
{
	struct root *r = j->root;
	size_t n = j->chunk_max < ROOT_CHUNK ? j->chunk_max : ROOT_CHUNK, got = 0;
	if (n > j->end - j->at)
		n = (size_t)(j->end - j->at);
	while (got < n) {
		ssize_t more = pread(fd, r->buffer + got, n - got, (off_t)(j->at + got));
		if (more <= 0)
			return false;
		got += (size_t)more;
	}
	j->chunk = block_new(str_from(r->buffer, n));
	j->at += n;
	return j->chunk != NULL;
}

void root_read(struct root_job *j)
{
	struct stat st;
	int fd = folder_open(&j->root->folder, str_c(j->file), &st);
	if (fd < 0 || !is_same(&st, &j->seen) || !read_chunk(j, fd))
		j->status = 0;
	if (fd >= 0)
		close(fd);
}

/* A file and the variants that stand beside it. */
struct variant {
	int fd;
	enum coding coding;
	bool others; /* some variant is there: the answer depends on Accept-Encoding */
};

/* A variant that is older than its original is what an edit has left behind. */
static int open_variant(struct root_request *q, struct str path, enum coding c,
        const struct stat *original, struct stat *st)
{
	char name[FOLDER_PATH_MAX];
	int n = snprintf(name, sizeof name, "%.*s%s", STR_FMT(path), coding_ending(c));
	if (n < 0 || (size_t)n >= sizeof name)
		return -1;
	int fd = folder_open(&q->root->folder, str_from(name, (size_t)n), st);
	if (fd >= 0 && st->st_mtim.tv_sec < original->st_mtim.tv_sec) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* Chooses among the original, which is open, and its variants; j->seen is what was chosen. */
static void choose(struct root_request *q, struct str path, struct variant *v)
{
	enum coding wanted[CODING_COUNT];
	size_t n = negotiate_codings(q->head, wanted);
	struct stat original = q->job->seen, st;
	int chosen = -1;
	for (int c = CODING_GZIP; c < CODING_COUNT; c++) {
		int fd = open_variant(q, path, (enum coding)c, &original, &st);
		size_t rank = 0;
		if (fd < 0)
			continue;
		v->others = true;
		while (rank < n && wanted[rank] != (enum coding)c)
			rank++;
		size_t plain = 0;
		while (plain < n && wanted[plain] != v->coding)
			plain++;
		if (rank >= plain) {
			close(fd);
			continue;
		}
		if (chosen >= 0)
			close(chosen);
		chosen = fd;
		v->coding = (enum coding)c;
		q->job->seen = st;
	}
	if (chosen < 0)
		return;
	close(v->fd);
	v->fd = chosen;
}

static void put(struct root_job *j, const char *name, const char *value)
{
	size_t n = strlen(j->headers);
	snprintf(j->headers + n, sizeof j->headers - n, "%s: %s\r\n", name, value);
}

static void file_headers(
        struct root_job *j, const struct variant *v, const char *etag, const char *modified)
{
	put(j, "ETag", etag);
	if (modified[0])
		put(j, "Last-Modified", modified);
	put(j, "Accept-Ranges", "bytes");
	put(j, "Access-Control-Allow-Origin", "*");
	if (v->others)
		put(j, "Vary", "Accept-Encoding");
	if (v->coding)
		put(j, "Content-Encoding", coding_name(v->coding));
}

static void put_range(struct root_job *j, bool part, uint64_t size)
{
	char text[96];
	if (part)
		snprintf(text, sizeof text, "bytes %llu-%llu/%llu", (unsigned long long)j->at,
		        (unsigned long long)j->end - 1, (unsigned long long)size);
	else
		snprintf(text, sizeof text, "bytes */%llu", (unsigned long long)size);
	put(j, "Content-Range", text);
}

static void send_file(struct root_request *q, struct str path, struct variant *v)
{
	struct root_job *j = q->job;
	uint64_t size = (uint64_t)j->seen.st_size;
	char etag[64], modified[DATE_BYTES];
	struct buf version;
	snprintf(etag, sizeof etag, "\"%llx-%llx%09lx%s\"", (unsigned long long)size,
	        (unsigned long long)j->seen.st_mtim.tv_sec, j->seen.st_mtim.tv_nsec,
	        coding_ending(v->coding));
	date_write(j->seen.st_mtim.tv_sec, modified);
	buf_init(&version, 256);
	bool versioned = http_query_get(q->head->query, "v", &version) > 0 && version.n;
	buf_done(&version);
	j->status = 200;
	j->type = type_of(path);
	j->cache = versioned ? CACHE_VERSIONED : CACHE_ASK;
	file_headers(j, v, etag, modified);
	if (negotiate_fresh(q->head, etag, modified)) {
		j->status = 304;
		return;
	}
	enum range range = negotiate_range(q->head, etag, size, &j->at, &j->end);
	if (range == RANGE_NONE) {
		j->status = 416;
		j->at = j->end = 0;
	} else if (range == RANGE_PART) {
		j->status = 206;
	}
	if (range != RANGE_ALL)
		put_range(j, range == RANGE_PART, size);
	j->length = j->end - j->at;
	if (j->head_only || !j->length)
		j->at = j->end;
	else if (!read_chunk(j, v->fd))
		j->status = 500;
	snprintf(j->file, sizeof j->file, "%.*s%s", STR_FMT(path), coding_ending(v->coding));
}

/* False: there is no such file. */
static bool file(struct root_request *q, struct str path)
{
	struct variant v = {.fd = folder_open(&q->root->folder, path, &q->job->seen)};
	if (v.fd < 0)
		return false;
	if (str_ends(path, STR(".html"))) {
		close(v.fd);
		if (!page(q, path, 200))
			fail(q, 500, "The page cannot be read.\n");
		return true;
	}
	choose(q, path, &v);
	send_file(q, path, &v);
	close(v.fd);
	if (q->job->status == 500)
		fail(q, 500, "The file cannot be read.\n");
	return true;
}

/* Paths */

/* What is a file or a name with a meaning. */
static bool known(struct root_request *q, struct str path)
{
	if (str_eqc(path, "/"))
		index_page(q);
	else if (str_eqc(path, "/config.js"))
		config(q);
	else if (str_eqc(path, "/external_api.js"))
		return file(q, STR("/libs/external_api.min.js")) || file(q, path);
	else
		return file(q, path);
	return true;
}

static void find(struct root_request *q, struct str path)
{
	struct str tenant, rest;
	if (known(q, path))
		return;
	if (files_is_room(path) && !str_ends(path, STR("/"))) {
		index_page(q);
		return;
	}
	bool split = tenant_split(path, &tenant, &rest) &&
	             !folder_has_directory(&q->root->folder, str_sub(path, 0, 1 + tenant.n));
	if (split) {
		q->tenant = tenant;
		if (known(q, rest))
			return;
		if (files_is_room(rest)) {
			index_page(q);
			return;
		}
	}
	not_found(q);
}

void root_serve(struct root_job *j)
{
	struct http_head h;
	struct buf path;
	size_t seen = 0;
	struct root_request q = {.root = j->root, .job = j, .head = &h, .tenant = STR_NONE};
	buf_init(&path, 0);
	if (http_parse(str_from(j->head, j->n_head), &j->root->settings.limits, &seen, &h) ||
	        http_percent_decode(h.path, false, &path)) {
		fail(&q, 500, "No memory.\n");
	} else {
		j->head_only = h.method == HTTP_HEAD;
		find(&q, buf_view(&path));
	}
	buf_done(&path);
}
