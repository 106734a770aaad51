/* load.c - drives one server through joins, presence updates and chat, and measures the CPU time
 * that it takes. io
 *
 *   load --peer gavel|prosody --port N --pid N [...] phase...
 *
 * Phases run in the order given: join, lone, presence, chat, paced, idle, cycle, soak. Each writes
 * one JSON object as a line. A figure is taken over at least --cpu seconds of the server's CPU
 * time, if
 * --wall seconds suffice for that. Exit code 1: something was lost, doubled, late or wrong. */
#include "bench/load.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define LONE_REPEATS 20
#define QUIET_MS 40
#define GIVE_UP_S 180
#define PACE_MS 5

double load_seconds(clockid_t clock)
{
	struct timespec t;
	if (clock_gettime(clock, &t) != 0) {
		fprintf(stderr, "load: the server is gone\n");
		exit(1);
	}
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void load_span_begin(const struct load *l, struct span *s)
{
	s->wall = load_seconds(CLOCK_MONOTONIC);
	s->cpu = load_seconds(l->clock);
}

void load_span_end(const struct load *l, struct span *s)
{
	s->cpu = load_seconds(l->clock) - s->cpu;
	s->wall = load_seconds(CLOCK_MONOTONIC) - s->wall;
}

static void give_up(const struct load *l, const char *what)
{
	const struct crowd *c = l->crowd;
	fprintf(stderr,
	        "load: %s does not end: %llu joined, %llu presences, %llu of the focus, %llu "
	        "messages, %llu leaves\n",
	        what, (unsigned long long)c->joined, (unsigned long long)c->presences,
	        (unsigned long long)c->focuses, (unsigned long long)c->messages,
	        (unsigned long long)c->unavailables);
	exit(1);
}

/* Turns until *count has reached `wanted`; whatever is lost ends the run. */
static void turn_until(struct load *l, const uint64_t *count, uint64_t wanted, const char *what)
{
	double end = load_seconds(CLOCK_MONOTONIC) + GIVE_UP_S;
	while (*count < wanted && !l->crowd->wrong) {
		wire_turn(l->crowd->wire, 100);
		if (load_seconds(CLOCK_MONOTONIC) > end)
			give_up(l, what);
	}
	if (l->crowd->wrong) {
		fprintf(stderr, "load: %llu wrong during %s\n", (unsigned long long)l->crowd->wrong,
		        what);
		exit(1);
	}
}

/* Lets the server finish what it has begun, and looks that nothing comes which nobody waits for. */
void load_settle(struct load *l)
{
	double end = load_seconds(CLOCK_MONOTONIC) + GIVE_UP_S, used;
	do {
		used = load_seconds(l->clock);
		double until = load_seconds(CLOCK_MONOTONIC) + QUIET_MS / 1e3;
		while (load_seconds(CLOCK_MONOTONIC) < until)
			wire_turn(l->crowd->wire, 10);
		used = load_seconds(l->clock) - used;
	} while (used > 0.05 * QUIET_MS / 1e3 && load_seconds(CLOCK_MONOTONIC) < end);
	if (l->crowd->wrong)
		exit(1);
}

static void all_leave(struct load *l)
{
	for (uint32_t r = 0; l->halls && r < l->rooms; r++) {
		for (uint32_t i = 0; i < l->halls[r]->size; i++)
			crowd_leave(&l->halls[r]->people[i]);
	}
	load_settle(l);
}

void load_name(struct load *l, char name[LOAD_NAME])
{
	snprintf(name, LOAD_NAME, "%shall%u", l->prefix, l->halls_made++);
}

void load_make_halls(struct load *l, uint32_t rooms, uint32_t size)
{
	l->halls = realloc(l->halls, rooms * sizeof(struct hall *));
	for (uint32_t r = 0; r < rooms; r++) {
		char name[LOAD_NAME];
		load_name(l, name);
		l->halls[r] = crowd_hall(
		        l->crowd, name, size + 1); /* one more for those who come alone */
		if (!l->halls[r]) {
			fprintf(stderr, "load: no memory\n");
			exit(1);
		}
	}
}

/* Everybody comes, so many at a time; ends when each has heard of each. */
static struct span join_once(struct load *l, uint32_t rooms, uint32_t size)
{
	struct crowd *c = l->crowd;
	struct span s;
	load_make_halls(l, rooms, size);
	uint64_t all = (uint64_t)rooms * size, before = c->joined;
	uint64_t presences = c->presences + all * size, focuses = c->focuses + all;
	load_span_begin(l, &s);
	for (uint64_t next = 0; next < all;) {
		while (next < all && next < c->joined - before + l->flight) {
			crowd_arrive(&l->halls[next / size]->people[next % size], false);
			next++;
		}
		uint64_t room_for_one = before + next - l->flight + 1;
		if (next < all)
			turn_until(l, &c->joined, room_for_one, "joining");
	}
	turn_until(l, &c->presences, presences, "hearing of everybody");
	if (c->settings.peer == CROWD_GAVEL)
		turn_until(l, &c->focuses, focuses, "hearing of the focus");
	load_span_end(l, &s);
	load_settle(l);
	return s;
}

static void phase_join(struct load *l)
{
	struct span sum = {0}, s;
	uint32_t repeats = 0;
	double began = load_seconds(CLOCK_MONOTONIC);
	do {
		if (repeats)
			all_leave(l);
		s = join_once(l, l->rooms, l->size);
		sum.cpu += s.cpu;
		sum.wall += s.wall;
		repeats++;
	} while (sum.cpu < l->cpu && repeats < l->repeats &&
	         load_seconds(CLOCK_MONOTONIC) - began < l->wall);
	l->somebody = true;
	double joins = (double)repeats * l->rooms * l->size;
	printf("{\"phase\":\"join\",\"rooms\":%u,\"size\":%u,\"repeats\":%u,\"cpu_s\":%.4f,\"wall_"
	       "s\":%.4f,"
	       "\"us_per_join\":%.2f,\"us_per_presence\":%.3f}\n",
	        l->rooms, l->size, repeats, sum.cpu, sum.wall, sum.cpu * 1e6 / joins,
	        sum.cpu * 1e6 / joins / l->size);
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* One comes alone into a room where the others are: the time until he has heard of all and they of
 * him. */
static void phase_lone(struct load *l)
{
	struct crowd *c = l->crowd;
	struct hall *h = l->halls[0];
	struct person *p = &h->people[l->size];
	double enter[LONE_REPEATS], whole[LONE_REPEATS], cpu = 0;
	for (int i = 0; i < LONE_REPEATS; i++) {
		uint64_t presences = c->presences + 2ull * l->size + 1,
		         leaves = c->unavailables + l->size;
		struct span s;
		double began = load_seconds(CLOCK_MONOTONIC);
		crowd_arrive(p, true);
		turn_until(l, &c->bound, c->bound + 1, "logging in");
		load_span_begin(l, &s);
		crowd_enter(p);
		turn_until(l, &c->presences, presences, "a lone join");
		load_span_end(l, &s);
		enter[i] = s.wall * 1e3;
		whole[i] = (load_seconds(CLOCK_MONOTONIC) - began) * 1e3;
		cpu += s.cpu;
		crowd_leave(p);
		crowd_forget(p);
		turn_until(l, &c->unavailables, leaves, "a lone leave");
		load_settle(l);
		crowd_forget(p);
	}
	qsort(enter, LONE_REPEATS, sizeof *enter, by_size);
	qsort(whole, LONE_REPEATS, sizeof *whole, by_size);
	printf("{\"phase\":\"lone\",\"size\":%u,\"repeats\":%d,\"ms_enter\":%.3f,\"ms_enter_most\":"
	       "%.3f,\"ms_whole\":%.3f,"
	       "\"cpu_ms\":%.3f}\n",
	        l->size, LONE_REPEATS, enter[LONE_REPEATS / 2], enter[LONE_REPEATS - 1],
	        whole[LONE_REPEATS / 2], cpu * 1e3 / LONE_REPEATS);
}

static void send_one(struct load *l, struct person *p)
{
	l->sent++;
	if (l->message)
		crowd_speak(p);
	else
		crowd_update(p);
}

static void on_echo(void *arg, struct person *p, bool message)
{
	struct load *l = arg;
	if (l->going && message == l->message)
		send_one(l, p);
}

void load_listen(struct load *l)
{
	l->crowd->echo = on_echo;
	l->crowd->heard = NULL;
	l->crowd->arg = l;
}

static uint64_t *heard(struct load *l)
{
	return l->message ? &l->crowd->messages : &l->crowd->presences;
}

/* Every client has one update of its own in flight, until the server has worked long enough. */
static void phase_closed_loop(struct load *l, bool message)
{
	struct span s;
	l->message = message;
	l->sent = 0;
	uint64_t before = *heard(l), all = (uint64_t)l->rooms * l->size;
	double end = load_seconds(CLOCK_MONOTONIC) + l->wall;
	load_span_begin(l, &s);
	double cpu_end = load_seconds(l->clock) + l->cpu;
	l->going = true;
	for (uint64_t i = 0; i < all; i++)
		send_one(l, &l->halls[i / l->size]->people[i % l->size]);
	while ((l->sent < 2 * all && load_seconds(l->clock) < cpu_end + l->cpu) ||
	        load_seconds(l->clock) < cpu_end) {
		for (int i = 0; i < 8; i++)
			wire_turn(l->crowd->wire, 10);
		if (l->crowd->wrong || load_seconds(CLOCK_MONOTONIC) > end)
			break;
	}
	l->going = false;
	turn_until(l, heard(l), before + l->sent * l->size, message ? "chat" : "presences");
	load_span_end(l, &s);
	load_settle(l);
	double deliveries = (double)(l->sent * l->size);
	printf("{\"phase\":\"%s\",\"rooms\":%u,\"size\":%u,\"sent\":%llu,\"cpu_s\":%.4f,\"wall_s\":"
	       "%.4f,"
	       "\"us_per_delivery\":%.3f}\n",
	        message ? "chat" : "presence", l->rooms, l->size, (unsigned long long)l->sent,
	        s.cpu, s.wall, s.cpu * 1e6 / deliveries);
}

/* Updates come evenly, however fast the server is. */
static void phase_paced(struct load *l)
{
	struct span s;
	l->message = false;
	l->sent = 0;
	uint64_t before = *heard(l), all = (uint64_t)l->rooms * l->size;
	load_span_begin(l, &s);
	double cpu_end = load_seconds(l->clock) + l->cpu, began = load_seconds(CLOCK_MONOTONIC),
	       now = began;
	while (load_seconds(l->clock) < cpu_end && now - began < l->wall && !l->crowd->wrong) {
		while ((double)l->sent < (now - began) * l->rate) {
			uint64_t i = l->sent % all;
			send_one(l, &l->halls[i / l->size]->people[i % l->size]);
		}
		wire_turn(l->crowd->wire, 1000 / l->rate > PACE_MS ? PACE_MS : 1);
		now = load_seconds(CLOCK_MONOTONIC);
	}
	turn_until(l, heard(l), before + l->sent * l->size, "a paced run");
	load_span_end(l, &s);
	load_settle(l);
	printf("{\"phase\":\"paced\",\"size\":%u,\"rate\":%.0f,\"sent\":%llu,\"cpu_s\":%.4f,\"wall_"
	       "s\":%.4f,"
	       "\"us_per_delivery\":%.3f}\n",
	        l->size, l->rate, (unsigned long long)l->sent, s.cpu, s.wall,
	        s.cpu * 1e6 / (double)(l->sent * l->size));
}

/* Everybody is there and silent, until standard input ends. */
static void phase_idle(struct load *l)
{
	printf("{\"phase\":\"idle\",\"rooms\":%u,\"size\":%u,\"sessions\":%u}\n", l->rooms, l->size,
	        l->rooms * l->size);
	fflush(stdout);
	for (;;) {
		char byte;
		fd_set in;
		struct timeval none = {0};
		FD_ZERO(&in);
		FD_SET(0, &in);
		if (select(1, &in, NULL, NULL, &none) == 1 && read(0, &byte, 1) <= 0)
			return;
		wire_turn(l->crowd->wire, 100);
		if (l->crowd->wrong)
			exit(1);
	}
}

static void run(struct load *l, const char *phase)
{
	bool join = strcmp(phase, "join") == 0, empty = join || strcmp(phase, "cycle") == 0;
	if (!empty && !l->somebody) {
		fprintf(stderr, "load: join comes first\n");
		exit(2);
	}
	if (join)
		phase_join(l);
	else if (strcmp(phase, "lone") == 0)
		phase_lone(l);
	else if (strcmp(phase, "presence") == 0)
		phase_closed_loop(l, false);
	else if (strcmp(phase, "chat") == 0)
		phase_closed_loop(l, true);
	else if (strcmp(phase, "paced") == 0)
		phase_paced(l);
	else if (strcmp(phase, "idle") == 0)
		phase_idle(l);
	else if (strcmp(phase, "cycle") == 0)
		churn_cycle(l);
	else if (strcmp(phase, "soak") == 0)
		churn_soak(l);
	else {
		fprintf(stderr, "load: no phase %s\n", phase);
		exit(2);
	}
	fflush(stdout);
}

/* A first small room, not counted: code and pages are in memory then, on both sides. */
static void warm_up(struct load *l)
{
	uint32_t rooms = l->rooms;
	l->rooms = 1;
	(void)join_once(l, 1, 4);
	all_leave(l);
	l->rooms = rooms;
}

static void pin(const char *core)
{
	cpu_set_t set;
	CPU_ZERO(&set);
	CPU_SET(atoi(core), &set);
	if (sched_setaffinity(0, sizeof set, &set) != 0)
		fprintf(stderr, "load: core %s: %s\n", core, strerror(errno));
}

static void set_option(struct load *l, const char *name, const char *value, bool *warm, pid_t *pid)
{
	struct crowd_settings *c = &l->settings;
	if (strcmp(name, "--peer") == 0)
		c->peer = strcmp(value, "prosody") == 0 ? CROWD_PROSODY : CROWD_GAVEL;
	else if (strcmp(name, "--port") == 0)
		c->port = (uint16_t)atoi(value);
	else if (strcmp(name, "--pid") == 0)
		*pid = atoi(value);
	else if (strcmp(name, "--secret") == 0)
		c->secret = value;
	else if (strcmp(name, "--app") == 0)
		c->app_id = value;
	else if (strcmp(name, "--domain") == 0)
		c->domain = value;
	else if (strcmp(name, "--muc") == 0)
		c->muc = value;
	else if (strcmp(name, "--focus") == 0)
		c->focus = value;
	else if (strcmp(name, "--core") == 0)
		pin(value);
	else if (strcmp(name, "--rooms") == 0)
		l->rooms = (uint32_t)atoi(value);
	else if (strcmp(name, "--size") == 0)
		l->size = (uint32_t)atoi(value);
	else if (strcmp(name, "--flight") == 0)
		l->flight = (uint32_t)atoi(value);
	else if (strcmp(name, "--repeats") == 0)
		l->repeats = (uint32_t)atoi(value);
	else if (strcmp(name, "--cpu") == 0)
		l->cpu = atof(value);
	else if (strcmp(name, "--wall") == 0)
		l->wall = atof(value);
	else if (strcmp(name, "--rate") == 0)
		l->rate = atof(value);
	else if (strcmp(name, "--joins") == 0)
		l->joins = (uint64_t)atoll(value);
	else if (strcmp(name, "--samples") == 0)
		l->samples = (uint32_t)atoi(value);
	else if (strcmp(name, "--prefix") == 0)
		l->prefix = value;
	else if (strcmp(name, "--warm") == 0)
		*warm = atoi(value) != 0;
	else {
		fprintf(stderr, "load: no option %s\n", name);
		exit(2);
	}
}

int main(int argc, char **argv)
{
	struct load l = {.settings = {.app_id = "my_app",
	                         .domain = "meet.jitsi",
	                         .muc = "muc.meet.jitsi",
	                         .focus = "focus.meet.jitsi"},
	        .rooms = 1,
	        .size = 4,
	        .flight = 20,
	        .repeats = 1000,
	        .cpu = 0.5,
	        .wall = 30,
	        .rate = 100,
	        .joins = 1000,
	        .samples = 10,
	        .prefix = ""};
	bool warm = true;
	pid_t pid = 0;
	int i = 1;
	for (; i + 1 < argc && strncmp(argv[i], "--", 2) == 0; i += 2)
		set_option(&l, argv[i], argv[i + 1], &warm, &pid);
	if (clock_getcpuclockid(pid, &l.clock) != 0 || pid == 0 || l.settings.port == 0 ||
	        i == argc || l.size == 0) {
		fprintf(stderr, "usage: load --peer gavel|prosody --port N --pid N [--rooms N] "
		                "[--size N] phase...\n");
		return 2;
	}
	struct rlimit files;
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	l.crowd = crowd_new(&l.settings);
	if (!l.crowd)
		return 1;
	load_listen(&l);
	if (warm)
		warm_up(&l);
	for (; i < argc; i++)
		run(&l, argv[i]);
	uint64_t wrong = l.crowd->wrong;
	printf("{\"phase\":\"end\",\"wrong\":%llu,\"presences\":%llu,\"messages\":%llu}\n",
	        (unsigned long long)wrong, (unsigned long long)l.crowd->presences,
	        (unsigned long long)l.crowd->messages);
	all_leave(&l);
	free(l.halls);
	crowd_free(l.crowd);
	return wrong ? 1 : 0;
}
