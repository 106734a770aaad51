/* root.c - the thread that reads an installed jitsi-meet: jobs in, answers out. io */
#include "http/root.h"

#include <stdio.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "http/root_internal.h"

static void answered(struct root *r, struct root_job *j)
{
	mailbox_post(r->back, &j->m);
}

static void on_answered(void *arg, struct message *m)
{
	struct root *r = arg;
	struct root_job *j = LIST_OWNER(m, struct root_job, m);
	if (r->stopped)
		root_job_free(j);
	else
		r->answered(r->arg, j);
}

/* On the thread. */
static void on_job(void *arg, struct message *m)
{
	struct root *r = arg;
	struct root_job *j = LIST_OWNER(m, struct root_job, m);
	if (r->stopped) {
		root_job_free(j);
		return;
	}
	j->m.run = on_answered;
	if (j->file[0])
		root_read(j);
	else
		root_serve(j);
	answered(r, j);
}

static bool post(struct root *r, struct root_job *j)
{
	j->m.run = on_job;
	worker_post(r->thread, &j->m);
	return true;
}

bool root_ask(struct root *r, struct str head, struct http_ticket t, size_t chunk_max)
{
	struct root_job *j = mem_alloc(sizeof *j + head.n);
	if (!j)
		return false;
	memset(j, 0, sizeof *j);
	buf_init(&j->text, 0);
	j->root = r;
	j->ticket = t;
	j->chunk_max = chunk_max;
	j->n_head = head.n;
	memcpy(j->head, head.p, head.n);
	return post(r, j);
}

void root_ask_more(struct root_job *j)
{
	(void)post(j->root, j);
}

void root_job_free(struct root_job *j)
{
	if (!j)
		return;
	buf_done(&j->text);
	block_unref(j->chunk);
	mem_free(j);
}

static void on_stop(void *arg, struct message *m)
{
	struct root *r = arg;
	(void)m;
	loop_stop(worker_loop(r->thread));
}

static bool fail(char *why, size_t size, const char *key, const char *path, const char *text)
{
	snprintf(why, size, "%s: %s %s", key, path, text);
	return false;
}

/* What would be missing for every visitor is said at the start. */
static bool look(const struct root *r, char *why, size_t size)
{
	struct buf text;
	struct stat st;
	const struct root_settings *set = &r->settings;
	if (stat(set->folder, &st) < 0 || !S_ISDIR(st.st_mode))
		return fail(why, size, "web_root", set->folder, "is not a folder that can be read");
	buf_init(&text, INCLUDE_BYTES_MAX);
	bool page = folder_read(&r->folder, STR("/index.html"), &text) && !text.failed;
	buf_reset(&text);
	bool config = !set->config_js || (folder_read_file(set->config_js, &text) && !text.failed);
	buf_done(&text);
	if (!page)
		return fail(why, size, "web_root", set->folder,
		        "holds no index.html that can be read (and /proc must be there)");
	return config || fail(why, size, "config_js", set->config_js, "cannot be read");
}

struct root *root_new(
        struct loop *front, const struct root_settings *settings, char *why, size_t why_size)
{
	struct root *r = mem_zalloc(sizeof *r);
	snprintf(why, why_size, "web_root: out of memory, descriptors or threads");
	if (!r)
		return NULL;
	r->settings = *settings;
	r->folder.path = settings->folder;
	r->stop.run = on_stop;
	r->buffer = mem_alloc(ROOT_CHUNK);
	r->back = mailbox_new(front, NULL, r);
	r->thread = worker_new(NULL, r);
	if (r->buffer && r->back && r->thread && look(r, why, why_size) &&
	        worker_start(r->thread)) {
		r->started = true;
		return r;
	}
	root_free(r);
	return NULL;
}

void root_own(struct root *r, void (*fn)(void *arg, struct root_job *j), void *arg)
{
	r->answered = fn;
	r->arg = arg;
}

void root_free(struct root *r)
{
	if (!r)
		return;
	if (r->started) {
		worker_post(r->thread, &r->stop);
		worker_join(r->thread);
		r->stopped = true;
		(void)worker_drain(r->thread);
		(void)mailbox_drain(r->back);
	}
	worker_free(r->thread);
	mailbox_free(r->back);
	mem_free(r->buffer);
	mem_free(r);
}
