/* bosh_wire.h - the <body/> of BOSH, read and written (XEP-0124, XEP-0206). pure */
#pragma once
#include "xmpp/xml.h"

#define BOSH_WAIT_MAX 60      /* seconds that a request may stay unanswered */
#define BOSH_INACTIVITY 60    /* seconds without a request that end a session */
#define BOSH_POLLING 5        /* seconds between two requests that ask for nothing */
#define BOSH_PAUSE_MAX 120    /* seconds of inactivity that a client may ask for */
#define BOSH_SECRET_DIGITS 32 /* 128 bits */
#define BOSH_SID_DIGITS (2 + 8 + BOSH_SECRET_DIGITS)
#define BOSH_KEY_DIGITS 40

/* A session's name: where it lives, and what nobody can guess. */
struct bosh_sid {
	unsigned worker;
	uint32_t index;
	struct str secret; /* BOSH_SECRET_DIGITS; borrowed */
};

void bosh_sid_write(const struct bosh_sid *sid, char out[BOSH_SID_DIGITS + 1]);
/* False: no name of ours. */
bool bosh_sid_read(struct str text, struct bosh_sid *out);
/* The value of `sid` in the first tag of a body that nobody has parsed yet; absent: none was seen.
 * Only where to look it up: what the parser finds later must be the same. */
struct str bosh_find_sid(struct str body);

/* The attributes of a request. Strs are borrowed from the element. */
struct bosh_body {
	uint64_t rid; /* 0: none, or not a number that may be one */
	struct str sid, to, key, newkey;
	unsigned wait, hold; /* within our bounds */
	const char *ver;     /* of the protocol, ours or the client's lower one */
	unsigned pause;      /* seconds; 0: none */
	bool restart, terminate, acks;
};

/* False: e is no <body/>, or has text between its elements. */
bool bosh_body_read(const struct element *e, struct bosh_body *out);
/* Stanzas that were written without a namespace have that of the body: they, and what is in them,
 * are read as jabber:client. */
void bosh_adopt(struct element *e);

/* What an answer says beside what it carries. */
struct bosh_answer {
	bool opens; /* it answers the first request: the fields down to hold count */
	struct str sid, from, id;
	const char *ver;
	unsigned wait, hold;
	uint64_t ack;          /* 0: none */
	bool error;            /* of a request that another one has replaced */
	bool terminate;        /* the session has ended */
	const char *condition; /* with it; NULL: in good order */
};

/* Appends the tag that opens a body, or a whole one when it carries nothing. */
void bosh_answer_open(struct buf *b, const struct bosh_answer *a, bool empty);
void bosh_answer_close(struct buf *b);
/* The condition that tells of this stream error. */
const char *bosh_condition(struct str stream_error);
