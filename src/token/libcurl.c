/* libcurl.c - libcurl, loaded when it is needed. io */
#include "token/libcurl.h"

#include <dlfcn.h>
#include <string.h>

#include "base/log.h"

#define NAME "libcurl.so.4"

static void *find(void *library, const char *name)
{
	void *at = library ? dlsym(library, name) : NULL;
	if (!at)
		log_error("event=keys because=%s fix=\"install " NAME " (Debian: libcurl4)\"",
		        log_value(str_c(dlerror())));
	return at;
}

/* A pointer to data becomes one to a function only through its bytes. */
#define LOAD(name)                                                                                 \
	at = ok ? find(library, #name) : NULL;                                                     \
	ok = at != NULL;                                                                           \
	memcpy(&c->name, &at, sizeof at);

bool libcurl_load(struct libcurl *c)
{
	void *library = dlopen(NAME, RTLD_NOW | RTLD_LOCAL), *at;
	bool ok = true;
	LIBCURL_FUNCTIONS(LOAD)
	return ok;
}
