/* crowd.h - the people of a load run: logging in, joining, speaking, and counting what each is told
 * of each. io
 *
 *   connect, upgrade, open, auth, open, bind, (conference request), presence --> joined: own
 * presence has come
 *
 * Every presence and message carries a number that goes up by one. Whoever hears a number twice,
 * misses one, or hears of a wrong role or name, is written down in `wrong`. Stanzas are searched
 * for strings, not parsed. Thread: one. */
#pragma once
#include "bench/wire.h"

#define CROWD_PRESENCE_BYTES 1500 /* of one presence as the client sends it */

enum crowd_peer {
	CROWD_GAVEL,  /* tokens, conference requests, the focus; roles and names are checked */
	CROWD_PROSODY /* none of these; presences and messages are counted */
};

struct crowd_settings {
	enum crowd_peer peer;
	uint16_t port;
	const char *domain, *muc, *focus;
	const char *secret; /* of the tokens; NULL: no tokens */
	const char *app_id;
};

struct crowd;
struct hall;

enum person_state {
	PERSON_AWAY,
	PERSON_UPGRADING,
	PERSON_OPENING,
	PERSON_LOGGING_IN,
	PERSON_OPENING_AGAIN,
	PERSON_BINDING,
	PERSON_BOUND,
	PERSON_ASKING, /* for the conference */
	PERSON_ENTERING,
	PERSON_JOINED,
};

struct person {
	struct wire_link link; /* first */
	struct hall *hall;
	uint32_t index; /* in the hall; the nick is its hexadecimal form */
	enum person_state state;
	bool waits_bound; /* stays at PERSON_BOUND until crowd_enter */
	uint32_t presences_sent, messages_sent;
	uint32_t *presences, *messages; /* by index: how many were heard from him */
	bool focus_seen;
};

struct hall {
	struct crowd *crowd;
	char name[40];
	uint32_t size;
	struct person *people;
	/* what was heard in it since crowd_rename, or ever */
	uint64_t presences, focuses, messages, unavailables;
	void *own; /* whoever moves the people in and out */
	struct hall *next;
};

struct crowd {
	struct crowd_settings settings;
	struct wire *wire;
	struct hall *halls;
	/* since the start; a presence of `unavailable` is not in `presences` */
	uint64_t presences, focuses, messages, unavailables, joined, bound;
	uint64_t wrong;
	/* own copy of an update has come back; may be NULL */
	void (*echo)(void *arg, struct person *p, bool message);
	/* something was heard in it; may be NULL */
	void (*heard)(void *arg, struct hall *h);
	void *arg;
};

/* Without padding; returns the length. out: 4/3 of n, and 3 more. */
size_t crowd_base64url(const unsigned char *in, size_t n, char *out);

struct crowd *crowd_new(const struct crowd_settings *settings); /* NULL: no memory */
void crowd_free(struct crowd *c);
/* A room of so many, nobody in it; NULL: no memory. Lives until the crowd is freed. */
struct hall *crowd_hall(struct crowd *c, const char *name, uint32_t size);
/* Another room for the same people; all of them are away. */
void crowd_rename(struct hall *h, const char *name);
/* Connects, and joins unless waits_bound. */
void crowd_arrive(struct person *p, bool waits_bound);
void crowd_enter(struct person *p);  /* a bound one goes in */
void crowd_update(struct person *p); /* the next presence */
void crowd_speak(struct person *p);  /* the next message to all */
void crowd_leave(struct person *p);  /* closes; forgets what he was told */
/* Others forget what they heard of him, so that he may come again. */
void crowd_forget(struct person *p);
void crowd_wrong(struct crowd *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
