/* arena.h - memory that is handed out in pieces and taken back all at once. pure */
#pragma once
#include "base/str.h"

struct arena_page;
struct arena {
	struct arena_page *pages; /* newest first */
	size_t used, limit;       /* bytes handed out since the last reset; limit 0 = none */
	bool failed; /* something was refused since then: a text that was read may be cut */
};

void arena_init(struct arena *a, size_t limit);
void arena_done(struct arena *a);
void arena_reset(struct arena *a); /* keeps one page */
void *arena_alloc(
        struct arena *a, size_t size); /* zeroed, max-aligned; NULL on no memory or limit */
struct str arena_str(
        struct arena *a, struct str s); /* copy, NUL-terminated behind n; absent on failure */
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
