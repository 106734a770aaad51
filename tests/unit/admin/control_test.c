/* control_test.c - the control socket: questions, answers, and people who misbehave there. io */
#include "support/meeting.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "admin/control.h"
#include "base/err.h"

struct scene {
	struct meeting *m;
	struct loop *loop;
	struct control *control;
	char folder[64];
	pthread_t asker;
	void (*ask)(struct scene *s); /* runs in the other thread */
	struct timer look;
	bool done; /* under lock */
	pthread_mutex_t lock;
	struct buf answer;
	int err;
};

static size_t some_counters(void *arg, struct counter *out, size_t max)
{
	(void)arg;
	if (max > 0)
		out[0] = (struct counter){"answers", 42};
	return max > 0;
}

/* Two workers are asked, the second without rooms: counters add up. */
static void on_asked(void *arg, struct control_question *q)
{
	const struct scene *s = arg;
	const struct ask_sources first = {.rooms = s->m->rooms,
	        .muc = {.domain = STR("conference.meet.example")},
	        .counters = some_counters};
	const struct ask_sources second = {.counters = some_counters};
	ask_gather(&q->ask, &first);
	ask_gather(&q->ask, &second);
	control_answer(q);
}

static int setup(void **state)
{
	struct scene *s = calloc(1, sizeof *s);
	assert_non_null(s);
	int n = snprintf(s->folder, sizeof s->folder, "/tmp/gavel-control-");
	memset(s->folder + n, 'X', 6); /* mkdtemp's template */
	assert_non_null(mkdtemp(s->folder));
	s->m = meeting_new();
	meeting_start(s->m);
	s->loop = loop_new();
	assert_non_null(s->loop);
	pthread_mutex_init(&s->lock, NULL);
	buf_init(&s->answer, 0);
	char why[200] = "";
	s->control = control_new(s->loop, str_c(s->folder), on_asked, s, why, sizeof why);
	if (!s->control)
		fail_msg("%s", why);
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct scene *s = *state;
	char path[128];
	control_free(s->control);
	loop_free(s->loop);
	snprintf(path, sizeof path, "%s/" CONTROL_NAME, s->folder);
	assert_int_equal(access(path, F_OK), -1); /* it removes its file */
	assert_int_equal(rmdir(s->folder), 0);
	meeting_free(s->m);
	buf_done(&s->answer);
	pthread_mutex_destroy(&s->lock);
	free(s);
	return 0;
}

static void *asker(void *arg)
{
	struct scene *s = arg;
	s->ask(s);
	pthread_mutex_lock(&s->lock);
	s->done = true;
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

static void on_look(void *arg, uint64_t now_ms)
{
	struct scene *s = arg;
	pthread_mutex_lock(&s->lock);
	bool done = s->done;
	pthread_mutex_unlock(&s->lock);
	if (done)
		loop_stop(s->loop);
	else
		timer_start(loop_timers(s->loop), &s->look, now_ms + 100, on_look, s);
}

/* Lets `ask` talk to the loop from another thread, until it returns. */
static void play(struct scene *s, void (*ask)(struct scene *s))
{
	s->ask = ask;
	s->done = false;
	assert_int_equal(pthread_create(&s->asker, NULL, asker, s), 0);
	timer_start(loop_timers(s->loop), &s->look, loop_now_ms(s->loop) + 100, on_look, s);
	loop_run(s->loop);
	pthread_join(s->asker, NULL);
}

static const char *question;

static void ask_once(struct scene *s)
{
	buf_reset(&s->answer);
	s->err = control_ask(str_c(s->folder), str_c(question), &s->answer);
}

static void expect_answer(struct scene *s, const char *q, const char *want)
{
	question = q;
	play(s, ask_once);
	assert_int_equal(s->err, ERR_OK);
	if (!strstr(s->answer.p, want))
		fail_msg("%s: %s", q, s->answer.p);
	assert_true(s->answer.p[s->answer.n - 1] == '\n');
}

static void test_answers(void **state)
{
	struct scene *s = *state;
	struct stat st;
	char path[128];
	snprintf(path, sizeof path, "%s/" CONTROL_NAME, s->folder);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	struct client *a = meeting_client(s->m, meeting_claims("1", "Ann", "true"));
	meeting_join(s->m, a, "aaaaaaaa", NULL);
	expect_answer(s, "{\"ask\":\"rooms\"}", "\"occupants\":1,\"moderators\":1}]}");
	expect_answer(s, "{\"ask\":\"record\",\"room\":\"Demo\"}", "\"reason\":\"R_TOKEN_GRANT\"");
	expect_answer(s, "{\"ask\":\"record\",\"room\":\"" ROOM "\",\"occupant\":\"aaaaaaaa\"}",
	        "\"ok\":true");
	expect_answer(
	        s, "{\"ask\":\"record\",\"room\":\"demo\",\"occupant\":\"b\"}", "no such occupant");
	expect_answer(s, "{\"ask\":\"record\",\"room\":\"other\"}", "no such room");
	expect_answer(s, "{\"ask\":\"record\"}", "no such room");
	expect_answer(s, "{\"ask\":\"counters\"}", "\"answers\":84");
	expect_answer(s, "{\"ask\":\"tokens\"}", "unknown question");
	expect_answer(s, "[1", "unknown question");
}

static int connect_to(struct scene *s)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	snprintf(a.sun_path, sizeof a.sun_path, "%s/" CONTROL_NAME, s->folder);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a) < 0)
		abort();
	return fd;
}

/* Reads until the other side closes; the bytes read. */
static size_t drain(int fd)
{
	char bytes[256];
	size_t total = 0;
	ssize_t n;
	while ((n = recv(fd, bytes, sizeof bytes, 0)) > 0)
		total += (size_t)n;
	return total;
}

static void ask_too_much(struct scene *s)
{
	static char large[ASK_BYTES_MAX + 1000];
	int fd = connect_to(s);
	memset(large, ' ', sizeof large);
	if (send(fd, large, sizeof large, MSG_NOSIGNAL) < 0)
		abort();
	s->err = (int)drain(fd);
	close(fd);
}

static void ask_nothing(struct scene *s)
{
	int silent = connect_to(s), gone = connect_to(s);
	close(gone);
	ask_once(s); /* somebody else is answered meanwhile */
	if (s->err == ERR_OK)
		s->err = (int)drain(silent); /* closed after its time */
	close(silent);
}

static void test_misuse(void **state)
{
	struct scene *s = *state;
	play(s, ask_too_much);
	assert_int_equal(s->err, 0);
	question = "{\"ask\":\"rooms\"}";
	play(s, ask_nothing);
	assert_int_equal(s->err, 0);
	assert_non_null(strstr(s->answer.p, "\"ok\":true"));
}

static void test_second_server(void **state)
{
	struct scene *s = *state;
	char why[200] = "";
	assert_null(control_new(s->loop, str_c(s->folder), on_asked, s, why, sizeof why));
	assert_non_null(strstr(why, "another server answers"));
	struct buf b;
	buf_init(&b, 0);
	assert_int_equal(control_ask(STR("/nowhere"), STR("{}"), &b), ERR_NOTFOUND);
	char path[300];
	memset(path, 'p', sizeof path);
	assert_int_equal(control_ask(str_from(path, sizeof path), STR("{}"), &b), ERR_LIMIT);
	buf_done(&b);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
UNIT_MAIN(T(test_answers), T(test_misuse), T(test_second_server))
