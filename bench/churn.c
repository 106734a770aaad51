/* churn.c - rooms of a load run that come and go: how much of it a server does, and whether it is
 * flat over time. io
 *
 *   cycle: ARRIVING --> TALKING --> LEAVING --> ARRIVING under a new name
 *   soak:  FULL --> LEAVING (one of them) --> ARRIVING --> FULL
 *
 * Each step ends when everything has been heard that must be heard, and not more. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/load.h"

#define REMARKS 3 /* of each, one after the other; and one presence update */
#define RAMP_S 1.0
#define WHOLE_ROOM 4 /* every so manieth time a whole room leaves, and another comes */
#define STUCK_S 60

enum step { FULL, ARRIVING, TALKING, LEAVING, OVER };

struct round {
	struct hall *hall;
	enum step step;
	uint64_t presences, focuses, messages, unavailables; /* heard when the step is done */
	uint32_t who;                                        /* leaves */
	bool whole, ready;
	uint8_t *left; /* remarks, by person */
};

struct churn {
	struct load *load;
	struct round *rounds;
	struct round **ready; /* their step is done */
	uint32_t n_ready;
	bool going;
	uint64_t done;    /* cycles, or joins */
	uint64_t started; /* joins */
	double moved;     /* when a step was done last */
};

static bool complete(const struct round *r)
{
	const struct hall *h = r->hall;
	return h->presences >= r->presences && h->focuses >= r->focuses &&
	       h->messages >= r->messages && h->unavailables >= r->unavailables;
}

/* Links are closed and opened between turns only: heard is called from within one's bytes. */
static void heard(void *arg, struct hall *h)
{
	struct churn *c = arg;
	struct round *r = h->own;
	if (!r || r->ready || r->step == FULL || r->step == OVER || !complete(r))
		return;
	r->ready = true;
	c->ready[c->n_ready++] = r;
}

static void echo(void *arg, struct person *p, bool message)
{
	struct round *r = p->hall->own;
	(void)arg;
	if (!message || !r || r->left[p->index] == 0)
		return;
	r->left[p->index]--;
	crowd_speak(p);
}

static void check(struct churn *c, const struct round *r)
{
	const struct hall *h = r->hall;
	c->moved = load_seconds(CLOCK_MONOTONIC);
	if (h->presences != r->presences || h->focuses != r->focuses ||
	        h->messages != r->messages || h->unavailables != r->unavailables)
		crowd_wrong(c->load->crowd,
		        "%s hears %llu presences of %llu, %llu messages of %llu, %llu leaves of "
		        "%llu",
		        h->name, (unsigned long long)h->presences, (unsigned long long)r->presences,
		        (unsigned long long)h->messages, (unsigned long long)r->messages,
		        (unsigned long long)h->unavailables, (unsigned long long)r->unavailables);
}

/* Everybody comes, to a room that nobody had before. */
static void arrive(struct churn *c, struct round *r)
{
	char name[LOAD_NAME];
	uint64_t n = c->load->size;
	load_name(c->load, name);
	crowd_rename(r->hall, name);
	r->step = ARRIVING;
	r->presences = n * n;
	r->focuses = c->load->settings.peer == CROWD_GAVEL ? n : 0;
	r->messages = r->unavailables = 0;
	for (uint32_t i = 0; i < n; i++)
		crowd_arrive(&r->hall->people[i], false);
}

static void talk(struct churn *c, struct round *r)
{
	uint64_t n = c->load->size;
	r->step = TALKING;
	r->presences += n * n;
	r->messages += n * n * REMARKS;
	for (uint32_t i = 0; i < n; i++) {
		r->left[i] = REMARKS - 1;
		crowd_update(&r->hall->people[i]);
		crowd_speak(&r->hall->people[i]);
	}
}

/* True: another has begun to leave, and the rest hears of it. */
static bool leave_next(struct churn *c, struct round *r)
{
	uint32_t n = c->load->size, i = r->step == TALKING ? 0 : r->who + 1;
	r->step = LEAVING;
	r->who = i;
	crowd_leave(&r->hall->people[i]);
	r->unavailables += n - 1 - i;
	return i + 1 < n;
}

static void cycle_step(struct churn *c, struct round *r)
{
	if (r->step == ARRIVING) {
		talk(c, r);
		return;
	}
	if (leave_next(c, r))
		return;
	c->done++;
	if (c->going)
		arrive(c, r);
	else
		r->step = OVER;
}

static void soak_step(struct churn *c, struct round *r)
{
	if (r->step == ARRIVING) {
		r->step = FULL;
		c->done += r->whole ? c->load->size : 1;
		return;
	}
	struct person *p = &r->hall->people[r->who];
	crowd_forget(p);
	r->step = ARRIVING;
	r->presences += 2 * c->load->size - 1;
	r->focuses += c->load->settings.peer == CROWD_GAVEL ? 1 : 0;
	crowd_arrive(p, false);
}

static void churn_turn(struct churn *c, void (*next)(struct churn *c, struct round *r))
{
	struct load *l = c->load;
	wire_turn(l->crowd->wire, 10);
	uint32_t n = c->n_ready;
	c->n_ready = 0;
	for (uint32_t i = 0; i < n; i++) {
		struct round *r = c->ready[i];
		r->ready = false;
		check(c, r);
		next(c, r);
	}
	if (!l->crowd->wrong && load_seconds(CLOCK_MONOTONIC) < c->moved + STUCK_S)
		return;
	fprintf(stderr, "load: %llu wrong, or a room is stuck\n",
	        (unsigned long long)l->crowd->wrong);
	exit(1);
}

static void churn_init(struct churn *c, struct load *l)
{
	*c = (struct churn){.load = l, .moved = load_seconds(CLOCK_MONOTONIC)};
	c->rounds = calloc(l->rooms, sizeof *c->rounds);
	c->ready = calloc(l->rooms, sizeof(struct round *));
	for (uint32_t i = 0; i < l->rooms; i++) {
		struct round *r = &c->rounds[i];
		r->hall = l->halls[i];
		r->hall->own = r;
		r->left = calloc(l->size, 1);
		r->presences = r->hall->presences;
		r->focuses = r->hall->focuses;
		r->messages = r->hall->messages;
		r->unavailables = r->hall->unavailables;
	}
	l->crowd->heard = heard;
	l->crowd->echo = echo;
	l->crowd->arg = c;
}

static void churn_done(struct churn *c)
{
	for (uint32_t i = 0; i < c->load->rooms; i++) {
		c->rounds[i].hall->own = NULL;
		free(c->rounds[i].left);
	}
	free(c->rounds);
	free(c->ready);
	load_listen(c->load);
}

struct tally {
	uint64_t cycles, stanzas;
	double own; /* CPU time of the load */
};

static struct tally tally(const struct churn *c)
{
	const struct crowd *w = c->load->crowd;
	return (struct tally){.cycles = c->done,
	        .stanzas = w->presences + w->focuses + w->messages + w->unavailables,
	        .own = load_seconds(CLOCK_PROCESS_CPUTIME_ID)};
}

/* So many stanzas does one cycle deliver. */
static uint64_t per_cycle(const struct load *l)
{
	uint64_t n = l->size, focus = l->settings.peer == CROWD_GAVEL ? n : 0;
	return n * n * (2 + REMARKS) + focus + n * (n - 1) / 2;
}

void churn_cycle(struct load *l)
{
	struct churn c;
	struct span s;
	load_make_halls(l, l->rooms, l->size);
	churn_init(&c, l);
	uint64_t first = tally(&c).stanzas;
	c.going = true;
	double ramp = load_seconds(CLOCK_MONOTONIC) + RAMP_S;
	for (uint32_t i = 0; i < l->rooms; i++) {
		arrive(&c, &c.rounds[i]);
		if (i % 16 == 15)
			churn_turn(&c, cycle_step);
	}
	while (load_seconds(CLOCK_MONOTONIC) < ramp)
		churn_turn(&c, cycle_step);
	load_span_begin(l, &s);
	struct tally begin = tally(&c);
	while (load_seconds(CLOCK_MONOTONIC) < s.wall + l->wall)
		churn_turn(&c, cycle_step);
	struct tally end = tally(&c);
	load_span_end(l, &s);
	c.going = false;
	for (uint32_t i = 0; i < l->rooms; i++) {
		while (c.rounds[i].step != OVER)
			churn_turn(&c, cycle_step);
	}
	load_settle(l);
	if (tally(&c).stanzas - first != c.done * per_cycle(l))
		crowd_wrong(l->crowd, "%llu stanzas in %llu cycles",
		        (unsigned long long)(tally(&c).stanzas - first),
		        (unsigned long long)c.done);
	printf("{\"phase\":\"cycle\",\"rooms\":%u,\"size\":%u,\"cycles\":%llu,\"stanzas\":%llu,"
	       "\"cpu_s\":%.4f,\"wall_s\":%.4f,\"load_cpu_s\":%.4f,\"stanzas_per_cycle\":%llu}\n",
	        l->rooms, l->size, (unsigned long long)(end.cycles - begin.cycles),
	        (unsigned long long)(end.stanzas - begin.stanzas), s.cpu, s.wall,
	        end.own - begin.own, (unsigned long long)per_cycle(l));
	churn_done(&c);
}

/* Somebody leaves a room in which nothing is going on, any of them: false, all are busy. */
static bool start_one(struct churn *c, uint64_t *seed, uint64_t unit)
{
	struct load *l = c->load;
	for (uint32_t tried = 0; tried < l->rooms; tried++) {
		*seed = *seed * 6364136223846793005u + 1442695040888963407u;
		struct round *r = &c->rounds[(*seed >> 33) % l->rooms];
		if (r->step != FULL)
			continue;
		r->whole = unit % WHOLE_ROOM == WHOLE_ROOM - 1;
		c->started += r->whole ? l->size : 1;
		if (r->whole) {
			for (uint32_t i = 0; i < l->size; i++)
				crowd_leave(&r->hall->people[i]);
			arrive(c, r);
			return true;
		}
		r->who = (uint32_t)(unit % l->size);
		r->step = LEAVING;
		crowd_leave(&r->hall->people[r->who]);
		r->unavailables += l->size - 1;
		return true;
	}
	return false;
}

static void say_sample(const struct churn *c, double since)
{
	const struct load *l = c->load;
	printf("{\"phase\":\"sample\",\"s\":%.2f,\"joins\":%llu,\"pings\":%llu,\"cpu_s\":%.3f,"
	       "\"load_cpu_s\":%.3f}\n",
	        load_seconds(CLOCK_MONOTONIC) - since, (unsigned long long)c->done,
	        (unsigned long long)wire_pings(l->crowd->wire), load_seconds(l->clock),
	        load_seconds(CLOCK_PROCESS_CPUTIME_ID));
	fflush(stdout);
}

void churn_soak(struct load *l)
{
	struct churn c;
	uint64_t seed = 1;
	churn_init(&c, l);
	double began = load_seconds(CLOCK_MONOTONIC);
	double every = (double)l->joins / (l->samples ? l->samples : 1), due = every;
	say_sample(&c, began);
	for (uint64_t unit = 0; c.done < l->joins;) {
		double now = load_seconds(CLOCK_MONOTONIC);
		while (c.started < l->joins && (double)c.started < (now - began) * l->rate &&
		        start_one(&c, &seed, unit))
			unit++;
		churn_turn(&c, soak_step);
		for (; (double)c.done >= due;
		        due += every * ceil(((double)c.done - due + 1) / every))
			say_sample(&c, began);
	}
	for (uint32_t i = 0; i < l->rooms; i++) {
		while (c.rounds[i].step != FULL)
			churn_turn(&c, soak_step);
	}
	load_settle(l);
	for (uint32_t i = 0; i < l->rooms; i++)
		check(&c, &c.rounds[i]);
	printf("{\"phase\":\"soak\",\"rooms\":%u,\"size\":%u,\"joins\":%llu,\"wall_s\":%.2f}\n",
	        l->rooms, l->size, (unsigned long long)c.done,
	        load_seconds(CLOCK_MONOTONIC) - began);
	churn_done(&c);
}
