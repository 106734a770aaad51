/* root.h - an installed jitsi-meet, served from its folder. io
 *
 * A thread of its own opens and reads, so that no disk holds up the loop that speaks to clients: it
 * gets jobs and gives them back by mailbox, with at most ROOT_CHUNK bytes of a file at a time.
 *
 *   path -> a file there, its coding chosen   -> chunks
 *        -> a page (.html): includes, config  -> text
 *        -> a room, with or without its tenant -> the index page
 */
#pragma once
#include "base/block.h"
#include "http/folder.h"
#include "http/server.h"
#include "net/mailbox.h"

#define ROOT_CHUNK 65536
#define ROOT_CHUNK_SMALL 16384 /* while many are under way */

struct root;
struct loop;

struct root_settings {
	const char *folder;    /* absolute */
	const char *config_js; /* the file that is /config.js; NULL: generated */
	/* Appends the generated config.js; tenant absent: none. Thread: root's. */
	void (*write_config)(void *arg, struct str tenant, struct buf *out);
	/* Appends what every config.js of somebody else ends with. Thread: root's. */
	void (*write_config_end)(void *arg, struct buf *out);
	void *arg;
	struct http_limits limits; /* that the heads were read with */
	uint32_t log_lines_per_second;
};

/* One request on its way to the thread and back. */
struct root_job {
	struct message m;
	struct root *root;
	struct http_ticket ticket;
	size_t chunk_max; /* set by the front, for the next chunk */

	/* the answer, once `answered` was called with it */
	int status; /* 0: the file changed under way */
	const char *type, *cache;
	char headers[512];
	struct buf text;     /* the whole body, or */
	struct block *chunk; /* its next part; NULL: none */
	uint64_t length;     /* of the whole body */
	uint64_t at, end;    /* of the file: what is still to come */
	bool head_only;

	/* the thread's */
	char file[FOLDER_PATH_MAX]; /* what is being read, "" for none */
	struct stat seen;
	size_t n_head;
	char head[]; /* the request's */
};

/* answered: on the front's loop. NULL: *why says what is missing. */
struct root *root_new(
        struct loop *front, const struct root_settings *settings, char *why, size_t why_size);
/* Who gets the answers; before the first root_ask. */
void root_own(struct root *r, void (*answered)(void *arg, struct root_job *j), void *arg);
/* Ends the thread; jobs under way are freed. Before the owner goes. NULL is fine. */
void root_free(struct root *r);

/* head: the bytes of a request head that was read well. False: no memory. */
bool root_ask(struct root *r, struct str head, struct http_ticket t, size_t chunk_max);
/* The next part, with the job that was given back. */
void root_ask_more(struct root_job *j);
void root_job_free(struct root_job *j); /* NULL is fine */
