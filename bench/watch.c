/* watch.c - a quiet room, and how long its people wait for their own words, entries and arrivals.
 * io
 *
 *   watch --port N --secret S [--pid N] [--host A] [--from A] [--app ID] [--room NAME]
 *
 * Four people in one room say something in turn, one word at a time, with pauses between. In a
 * second room, a fifth logs in and enters, and leaves again, all the time. Each line on standard
 * input ends the stretch that is being measured, writes it as one JSON object, and begins another
 * of that name ("-": nothing is measured). Exit code 1: a word was lost, doubled, late or wrong.
 *
 * With the server's pid: a sample during which the kernel let the server wait for its core, because
 * another program of this machine had it, says nothing of the server. It is counted as disturbed
 * and left out. */
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench/crowd.h"

#define PEOPLE 4
#define SAMPLES_MAX 100000
#define WORD_PAUSE_S 0.02   /* from an answer to the next word */
#define ARRIVE_PAUSE_S 0.05 /* from a leave to the next arrival */
#define GIVE_UP_S 20
#define THREADS_MAX 16
#define DISTURBED_NS 100000 /* of waiting for a core, during one sample */

struct samples {
	const char *name;
	double *ms;
	uint32_t n, disturbed;
	uint64_t waited; /* by the server, when the sample at hand began */
};

/* The one who comes and goes. */
enum visit { VISIT_NONE, VISIT_ARRIVING, VISIT_ENTERING, VISIT_HEARD, VISIT_LEAVING };

struct watch {
	struct crowd *crowd;
	struct hall *talk, *visits;
	struct samples words, entries, arrivals;
	char name[64]; /* of the stretch; "" or "-": none */
	/* the word under way */
	double said_at, next_word;
	bool waiting;
	uint32_t turn;
	/* the visit under way */
	enum visit visit;
	double since, entered_at, next_visit;
	uint64_t target;
	int threads[THREADS_MAX]; /* schedstat of the server's */
	unsigned n_threads;
};

static double now_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void look_at_threads(struct watch *w, const char *pid)
{
	char path[320];
	snprintf(path, sizeof path, "/proc/%.20s/task", pid);
	DIR *d = opendir(path);
	for (struct dirent *e; d && (e = readdir(d)) && w->n_threads < THREADS_MAX;) {
		snprintf(path, sizeof path, "/proc/%.20s/task/%.20s/schedstat", pid, e->d_name);
		int fd = e->d_name[0] == '.' ? -1 : open(path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0)
			w->threads[w->n_threads++] = fd;
	}
	if (d)
		closedir(d);
}

/* Nanoseconds that the server's threads have waited for a core. */
static uint64_t server_waited(const struct watch *w)
{
	uint64_t sum = 0;
	for (unsigned i = 0; i < w->n_threads; i++) {
		char text[80];
		unsigned long long ran, waited;
		ssize_t n = pread(w->threads[i], text, sizeof text - 1, 0);
		text[n > 0 ? n : 0] = '\0';
		if (sscanf(text, "%llu %llu", &ran, &waited) == 2)
			sum += waited;
	}
	return sum;
}

static void start_sample(const struct watch *w, struct samples *s)
{
	s->waited = server_waited(w);
}

static void note(const struct watch *w, struct samples *s, double seconds)
{
	if (server_waited(w) - s->waited > DISTURBED_NS)
		s->disturbed++;
	else if (s->n < SAMPLES_MAX)
		s->ms[s->n++] = seconds * 1e3;
}

static void on_echo(void *arg, struct person *p, bool message)
{
	struct watch *w = arg;
	if (!message || p->hall != w->talk)
		return;
	double now = now_s();
	note(w, &w->words, now - w->said_at);
	w->waiting = false;
	w->next_word = now + WORD_PAUSE_S;
}

static void give_up(const char *what)
{
	fprintf(stderr, "watch: %s takes more than %d s\n", what, GIVE_UP_S);
	exit(1);
}

static void talk(struct watch *w, double now)
{
	if (w->waiting && now - w->said_at > GIVE_UP_S)
		give_up("a word");
	if (w->waiting || now < w->next_word)
		return;
	w->waiting = true;
	start_sample(w, &w->words);
	w->said_at = now_s();
	crowd_speak(&w->talk->people[w->turn++ % PEOPLE]);
}

/* Arrives, is bound, enters, has heard of all; leaves, and all have heard that. */
static void visit(struct watch *w, double now)
{
	struct crowd *c = w->crowd;
	struct person *p = &w->visits->people[PEOPLE - 1];
	if (w->visit != VISIT_NONE && now - w->since > GIVE_UP_S)
		give_up("a visit");
	switch (w->visit) {
	case VISIT_NONE:
		if (now < w->next_visit)
			return;
		start_sample(w, &w->arrivals);
		w->since = now_s();
		w->visit = VISIT_ARRIVING;
		crowd_arrive(p, true);
		return;
	case VISIT_ARRIVING:
		if (p->state != PERSON_BOUND)
			return;
		note(w, &w->arrivals, now - w->since);
		start_sample(w, &w->entries);
		w->entered_at = now_s();
		w->visit = VISIT_ENTERING;
		w->target = c->presences + 2 * PEOPLE - 1;
		crowd_enter(p);
		return;
	case VISIT_ENTERING:
		if (p->state != PERSON_JOINED)
			return;
		note(w, &w->entries, now_s() - w->entered_at);
		w->visit = VISIT_HEARD;
		return;
	case VISIT_HEARD:
		if (c->presences < w->target)
			return;
		w->visit = VISIT_LEAVING;
		w->target = c->unavailables + PEOPLE - 1;
		crowd_leave(p);
		return;
	case VISIT_LEAVING:
		if (c->unavailables < w->target)
			return;
		crowd_forget(p);
		w->visit = VISIT_NONE;
		w->next_visit = now + ARRIVE_PAUSE_S;
		return;
	}
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static void report_one(struct samples *s)
{
	qsort(s->ms, s->n, sizeof *s->ms, by_size);
	printf(",\"%s\":{\"n\":%u,\"disturbed\":%u", s->name, s->n, s->disturbed);
	if (s->n)
		printf(",\"p50\":%.3f,\"p90\":%.3f,\"p99\":%.3f,\"most\":%.3f", s->ms[s->n / 2],
		        s->ms[s->n * 9ull / 10], s->ms[s->n * 99ull / 100], s->ms[s->n - 1]);
	printf("}");
	s->n = 0;
}

static void begin(struct watch *w, const char *name)
{
	if (w->name[0] && strcmp(w->name, "-") != 0) {
		printf("{\"stretch\":\"%s\"", w->name);
		report_one(&w->words);
		report_one(&w->entries);
		report_one(&w->arrivals);
		printf(",\"messages\":%llu,\"wrong\":%llu}\n",
		        (unsigned long long)w->crowd->messages,
		        (unsigned long long)w->crowd->wrong);
		fflush(stdout);
	}
	w->words.n = w->entries.n = w->arrivals.n = 0;
	w->words.disturbed = w->entries.disturbed = w->arrivals.disturbed = 0;
	snprintf(w->name, sizeof w->name, "%s", name);
}

/* Lines of standard input; false: it has ended. */
static bool listen_to_orders(struct watch *w)
{
	struct pollfd in = {.fd = 0, .events = POLLIN};
	char line[64];
	if (poll(&in, 1, 0) != 1)
		return true;
	ssize_t n = read(0, line, sizeof line - 1);
	if (n <= 0)
		return false;
	line[n] = '\0';
	char *end = strchr(line, '\n');
	if (end)
		*end = '\0';
	begin(w, line);
	return true;
}

static void wait_joined(struct watch *w, uint64_t joined, uint64_t presences)
{
	double end = now_s() + GIVE_UP_S;
	while (w->crowd->joined < joined || w->crowd->presences < presences) {
		wire_turn(w->crowd->wire, 10);
		if (w->crowd->wrong)
			exit(1);
		if (now_s() > end)
			give_up("coming together");
	}
}

/* Everybody but the visitor comes. */
static void come_together(struct watch *w, const char *room)
{
	char name[32];
	w->talk = crowd_hall(w->crowd, room, PEOPLE);
	snprintf(name, sizeof name, "%.20s-visits", room);
	w->visits = crowd_hall(w->crowd, name, PEOPLE);
	if (!w->talk || !w->visits)
		exit(1);
	for (uint32_t i = 0; i < PEOPLE; i++)
		crowd_arrive(&w->talk->people[i], false);
	for (uint32_t i = 0; i + 1 < PEOPLE; i++)
		crowd_arrive(&w->visits->people[i], false);
	wait_joined(w, 2 * PEOPLE - 1, PEOPLE * PEOPLE + (PEOPLE - 1) * (PEOPLE - 1));
}

static bool take_memory(struct samples *s, const char *name)
{
	*s = (struct samples){.name = name, .ms = malloc(SAMPLES_MAX * sizeof *s->ms)};
	return s->ms != NULL;
}

static uint32_t address(const char *text)
{
	struct in_addr a;
	if (inet_pton(AF_INET, text, &a) != 1) {
		fprintf(stderr, "watch: no address: %s\n", text);
		exit(2);
	}
	return ntohl(a.s_addr);
}

int main(int argc, char **argv)
{
	struct crowd_settings set = {.app_id = "my_app",
	        .domain = "meet.jitsi",
	        .muc = "muc.meet.jitsi",
	        .focus = "focus.meet.jitsi"};
	const char *room = "quiet", *pid = NULL;
	uint32_t host = address("127.0.0.1"), from = 0;
	for (int i = 1; i + 1 < argc; i += 2) {
		if (strcmp(argv[i], "--port") == 0)
			set.port = (uint16_t)atoi(argv[i + 1]);
		else if (strcmp(argv[i], "--secret") == 0)
			set.secret = argv[i + 1];
		else if (strcmp(argv[i], "--app") == 0)
			set.app_id = argv[i + 1];
		else if (strcmp(argv[i], "--host") == 0)
			host = address(argv[i + 1]);
		else if (strcmp(argv[i], "--from") == 0)
			from = address(argv[i + 1]);
		else if (strcmp(argv[i], "--room") == 0)
			room = argv[i + 1];
		else if (strcmp(argv[i], "--pid") == 0)
			pid = argv[i + 1];
	}
	struct watch w = {.crowd = set.port && set.secret ? crowd_new(&set) : NULL};
	if (!w.crowd || !take_memory(&w.words, "words") || !take_memory(&w.entries, "entries") ||
	        !take_memory(&w.arrivals, "arrivals")) {
		fprintf(stderr, "usage: watch --port N --secret S [--host A] [--from A]\n");
		return 2;
	}
	wire_aim(w.crowd->wire, host, from);
	w.crowd->echo = on_echo;
	w.crowd->arg = &w;
	if (pid)
		look_at_threads(&w, pid);
	come_together(&w, room);
	printf("{\"ready\":true}\n");
	fflush(stdout);
	while (listen_to_orders(&w) && !w.crowd->wrong) {
		wire_turn(w.crowd->wire, 1);
		double now = now_s();
		talk(&w, now);
		visit(&w, now);
	}
	double end = now_s() + GIVE_UP_S; /* the word under way is heard by all, once */
	while (w.crowd->messages < (uint64_t)w.turn * PEOPLE && now_s() < end && !w.crowd->wrong)
		wire_turn(w.crowd->wire, 10);
	begin(&w, "");
	printf("{\"end\":true,\"messages\":%llu,\"words\":%u,\"wrong\":%llu}\n",
	        (unsigned long long)w.crowd->messages, w.turn, (unsigned long long)w.crowd->wrong);
	bool lost = w.crowd->wrong || w.crowd->messages != (uint64_t)w.turn * PEOPLE;
	crowd_free(w.crowd);
	free(w.words.ms);
	free(w.entries.ms);
	free(w.arrivals.ms);
	return lost ? 1 : 0;
}
