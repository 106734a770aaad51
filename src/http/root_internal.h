/* root_internal.h - shared by the files of the thread that serves a folder, and nobody else. io */
#pragma once
#include "base/limit.h"
#include "http/include.h"
#include "http/root.h"
#include "net/mailbox.h"
#include "net/worker.h"

struct root {
	struct root_settings settings;
	struct folder folder;
	struct worker *thread;
	struct mailbox *back; /* on the front's loop */
	struct message stop;
	bool started;
	bool stopped; /* the thread is over */
	void (*answered)(void *arg, struct root_job *j);
	void *arg;
	/* the thread's */
	char *buffer; /* ROOT_CHUNK */
	struct limit log_lines;
};

/* One request while the thread works on it. */
struct root_request {
	struct root *root;
	struct root_job *job;
	const struct http_head *head;
	struct str tenant; /* absent: none */
};

/* root_serve.c: fills in the answer of a request, or its next chunk. */
void root_serve(struct root_job *j);
void root_read(struct root_job *j);
/* Answers with the text of the job. */
void root_text(struct root_request *q, int status, const char *type, const char *cache);
bool root_may_log(struct root *r);

/* root_page.c: the page at path, its includes carried out, and config.js. Append; false: it could
 * not be made. */
bool root_page(struct root_request *q, struct str path, struct buf *out);
bool root_config(struct root_request *q, struct buf *out);
