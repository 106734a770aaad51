/* meeting.h - a meeting on virtual time: clients by name, an array for an outbox, no sockets. io */
#pragma once
#include "focus/focus.h"
#include "policy/settings.h"
#include "room/room.h"
#include "support/unit.h"
#include "xmpp/ns.h"

#define ROOM "demo@conference.meet.example"
#define MEETING_CLIENTS 400

/* One client: what it was sent, as whole stanzas. */
struct seen {
	char **v;
	size_t n, cap;
};

struct client {
	struct room_client as;
	char jid[96], key[40];
	struct seen in;
	bool closed;
	char close_condition[40];
};

struct meeting {
	struct policy_settings policy;
	struct room_settings settings;
	struct str token_auth_url; /* absent: none */
	struct outbox outbox;
	struct timer_wheel wheel;
	struct focus *focus;
	struct services *services;
	struct room_service *rooms;
	uint64_t now_ms;
	long budget; /* allocations that succeed while a stanza is handled, before one fails; -1:
	                all (default) */
	struct client clients[MEETING_CLIENTS];
	unsigned n_clients;
};

#define MEETING_UNIX 1790000000.0 /* Unix time at now_ms 0 */

struct meeting *meeting_new(void); /* auth=jwt, role_mode=token, guests allowed, anyone creates */
void meeting_start(struct meeting *m); /* after the settings were changed */
void meeting_free(struct meeting *m);
void meeting_sleep(struct meeting *m, uint64_t ms); /* runs the timers on the way */

/* A client with claims (JSON text of the payload; NULL: a guest). */
struct client *meeting_client(struct meeting *m, const char *claims);
/* A service that has logged in. */
struct client *meeting_service(struct meeting *m, const char *jid, enum service service);
/* Usual claims: iss, sub, room *, context.user with these. moderator: JSON text, NULL: absent. */
const char *meeting_claims(const char *id, const char *name, const char *moderator);

void meeting_send(struct meeting *m, struct client *c, const char *fmt, ...)
        __attribute__((format(printf, 3, 4)));
void meeting_join(struct meeting *m, struct client *c, const char *nick, const char *name);
void meeting_gone(struct meeting *m, struct client *c);
void meeting_forget(struct meeting *m); /* what everybody was sent so far */

/* How many stanzas that c was sent hold all of these (NULL-terminated). */
unsigned seen_count(const struct client *c, ...) __attribute__((sentinel));
/* The last such stanza, or NULL. */
const char *seen_last(const struct client *c, ...) __attribute__((sentinel));
/* Index of the first such stanza, or -1. */
int seen_index(const struct client *c, ...) __attribute__((sentinel));
void seen_dump(const struct client *c);

/* Exactly n stanzas hold these. */
#define assert_seen(n, c, ...)                                                                     \
	do {                                                                                       \
		unsigned n_ = seen_count(c, __VA_ARGS__, NULL);                                    \
		if (n_ != (n)) {                                                                   \
			seen_dump(c);                                                              \
			fail_msg(                                                                  \
			        "%u stanzas, want %u, with: %s", n_, (unsigned)(n), #__VA_ARGS__); \
		}                                                                                  \
	} while (0)
