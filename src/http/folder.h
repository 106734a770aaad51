/* folder.h - the files of one folder and nothing outside it. io
 *
 * Paths are those of requests: decoded, "/a/b". Symbolic links are followed as long as they end
 * inside the folder, which is itself looked up each time: an upgrade may replace it. Thread: any,
 * one at a time. */
#pragma once
#include <sys/stat.h>

#include "base/buf.h"

#define FOLDER_PATH_MAX 1024

struct folder {
	const char *path; /* lives as long as the struct */
};

/* May a request name it at all: no empty segment, none that begins with a dot (but ".well-known" in
 * front), no control characters, not too long. */
bool folder_path_ok(struct str path);
/* Opens a regular file for reading. Returns the descriptor, or -1. */
int folder_open(const struct folder *f, struct str path, struct stat *st);
bool folder_has_directory(const struct folder *f, struct str path);
/* Appends the file's whole text. False: there is none, or it cannot be read; more than the buffer
 * may hold sets text->failed. */
bool folder_read(const struct folder *f, struct str path, struct buf *text);
/* The same for a file outside, named by the administrator. */
bool folder_read_file(const char *path, struct buf *text);
