/* file.h - small files of the command line, read whole. io */
#pragma once
#include "base/jval.h"

/* Appends the file ("-": standard input); false with a message on standard error. */
bool file_read(const char *path, size_t max, struct buf *out);
/* A JSON document from a file; NULL with a message on standard error. The caller frees it. */
struct jval *file_read_json(const char *path, size_t max, unsigned depth, struct jval_error *e);
