/* err.h - the one set of error codes that functions return. pure
 *
 * 0 is success; everything else is one of these. Whose fault it is decides: ERR_BADMSG is the
 * peer's bytes, ERR_NOMEM is ours and transient, ERR_LIMIT is a bound that was reached. A wrong
 * call by a colleague is an assert, not a code. */
#pragma once

enum err {
	ERR_OK = 0,
	ERR_NOMEM,  /* allocation failed: refuse the request at hand */
	ERR_BADMSG, /* the peer's bytes are malformed */
	ERR_AGAIN,  /* not all here yet: call again with more */
	ERR_LIMIT,  /* a size, count, depth or rate limit was crossed */
	ERR_NOTFOUND,
	ERR_EXISTS,
	ERR_TYPE, /* right syntax, wrong type or word */
	ERR_IO,   /* the system refused; errno tells */
	ERR_CLOSED,
};

/* A short, stable English text for logs. Never NULL. */
const char *err_text(enum err e);
