/* include.h - server-side includes, as the pages of jitsi-meet use them. pure
 *
 *   <!--#include virtual="title.html" -->   the text of another file
 *   <!--# echo var="subdir" default="" -->  a value of the request
 *
 * Any other directive stays as it is: to a browser it is a comment. */
#pragma once
#include "base/buf.h"

#define INCLUDE_DEPTH_MAX 5
#define INCLUDE_FILES_MAX 64      /* in one page */
#define INCLUDE_BYTES_MAX 2097152 /* of one page */

struct include {
	void *arg;
	/* The text of a file, appended. `from` is the path of the one that names it. *path: its own
	 * path, for what it includes in turn; written by the callee, at most path_size with its
	 * NUL. False: there is none. */
	bool (*file)(void *arg, struct str from, struct str name, struct buf *text, char *path,
	        size_t path_size);
	/* Appends the value of a variable. False: it is not known. */
	bool (*value)(void *arg, struct str name, struct buf *out);
	/* used up so far; zeroes to begin with */
	unsigned files, missing;
	unsigned depth;
};

/* Appends the text of the file at `path` with its directives carried out. ERR_LIMIT: too deep, too
 * many, too long, or no memory. A file that is missing leaves nothing, and is counted. */
int include_expand(struct include *inc, struct str path, struct str text, struct buf *out);
