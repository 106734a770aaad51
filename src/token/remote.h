/* remote.h - one source of keys elsewhere: its place, how its answers are read, and what is told
 * about it. io (reads key list files)
 *
 * Thread: the store's, remote_write aside, which wants its lock. */
#pragma once
#include <sys/stat.h>

#include "token/fetch.h"
#include "token/source.h"

#define REMOTE_WHY 200

struct remote {
	bool used; /* these keys come from elsewhere */
	struct key_source source;
	const struct token_issuer *issuer; /* NULL: the server's own keys */
	char *place;                       /* owned: URL or path */
	struct stat file;                  /* of the last good reading; zeroes: none */
};

/* Not used when these keys are at hand. False: no memory. */
bool remote_init(struct remote *r, const struct token_issuer *issuer,
        const struct token_key_settings *from, const struct source_bounds *bounds);
void remote_done(struct remote *r);

/* The address of a document; mem_free it. NULL: no memory. */
char *remote_url(const struct remote *r, const struct key_document *d);
size_t remote_max_bytes(const struct remote *r);
/* Both fill *out; why is its text. */
void remote_read_answer(struct remote *r, const struct fetch_result *answer,
        struct source_result *out, char why[REMOTE_WHY]);
void remote_read_file(struct remote *r, struct source_result *out, char why[REMOTE_WHY]);

/* Is it more than another good answer, or the same failure again? Before source_answer. */
bool remote_worth_telling(const struct key_document *d, const struct source_result *result);
void remote_log(
        const struct remote *r, const struct key_document *d, const struct source_result *result);
/* One JSON object. */
void remote_write(const struct remote *r, uint64_t now_ms, struct buf *out);
