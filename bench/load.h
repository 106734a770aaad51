/* load.h - what the phases of a load run share. io
 *
 * Seconds everywhere. Whatever is lost, doubled or wrong ends the process with exit code 1. Thread:
 * one. */
#pragma once
#include <time.h>

#include "bench/crowd.h"

#define LOAD_NAME 32

struct load {
	struct crowd_settings settings;
	struct crowd *crowd;
	clockid_t clock; /* the server's CPU time */
	uint32_t rooms, size, flight, repeats;
	double cpu, wall, rate;
	uint64_t joins;     /* of a soak */
	uint32_t samples;   /* of a soak */
	const char *prefix; /* of room names: several loads on one server */
	uint32_t halls_made;
	bool somebody;       /* is in the halls */
	struct hall **halls; /* of the last join */
	/* a closed loop */
	bool going, message;
	uint64_t sent;
};

/* One measured stretch. */
struct span {
	double cpu, wall;
};

double load_seconds(clockid_t clock);
void load_span_begin(const struct load *l, struct span *s);
void load_span_end(const struct load *l, struct span *s);
void load_name(struct load *l, char name[LOAD_NAME]); /* of a room that nobody had before */
void load_make_halls(struct load *l, uint32_t rooms, uint32_t size);
/* Lets the server finish what it has begun, and looks that nothing comes which nobody waits for. */
void load_settle(struct load *l);
void load_listen(struct load *l); /* the crowd's events go to the phases of load.c */

/* Rooms that come and go (churn.c). */

/* `rooms` rooms, each again and again: all come, talk, leave one by one. Measures for `wall`
 * seconds. */
void churn_cycle(struct load *l);
/* Those of the last join stay, but for some that leave and come back: `joins` in all, `rate` a
 * second; every fourth time a whole room. Writes `samples` lines. */
void churn_soak(struct load *l);
