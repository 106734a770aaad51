/* vectors.h - files of decision vectors (roles.md 0): printed, or compared with what they expect.
 * io */
#pragma once
#include <stdbool.h>

/* Prints one line per vector, or with check the differences and a summary. Returns an exit code of
 * cli.h. */
int vectors_run(const char *path, bool check);
