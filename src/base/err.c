/* err.c - texts of the error codes. pure */
#include "base/err.h"

const char *err_text(enum err e)
{
	static const char *const texts[] = {
	        [ERR_OK] = "ok",
	        [ERR_NOMEM] = "out of memory",
	        [ERR_BADMSG] = "malformed",
	        [ERR_AGAIN] = "incomplete",
	        [ERR_LIMIT] = "limit reached",
	        [ERR_NOTFOUND] = "not found",
	        [ERR_EXISTS] = "exists already",
	        [ERR_TYPE] = "wrong type",
	        [ERR_IO] = "system error",
	        [ERR_CLOSED] = "closed",
	};
	if ((unsigned)e >= sizeof texts / sizeof *texts)
		return "unknown error";
	return texts[e];
}
