/* files.h - the page's files: embedded, or read from a folder while developing. io */
#pragma once
#include <stdbool.h>

#include "base/block.h"

struct files;

struct file {
	const char *type;    /* Content-Type */
	char etag[35];       /* quoted; of the content */
	struct block *block; /* borrowed for the turn */
};

/* web_dir NULL: the embedded ones. NULL on no memory. */
struct files *files_new(const char *web_dir);
void files_free(struct files *f);
/* The file of that exact name ("/page.js"); false: none. */
bool files_find(struct files *f, struct str path, struct file *out);
/* Is it a path of one segment that names a room, and not some file that is missing? */
bool files_is_room(struct str path);
