/* control.c - the control socket. io */
#include "admin/control.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/err.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"

#define CONNECTIONS_MAX 8
#define TIMEOUT_MS 5000
#define PAUSE_MS 500
#define ANSWER_BYTES_MAX (16u << 20)

struct control {
	struct loop *loop;
	control_fn *asked;
	void *arg;
	uint64_t last_id;
	struct loop_watch *watch;
	struct timer pause; /* of accepting */
	struct list connections;
	unsigned n;
	int fd;
	struct sockaddr_un address;
};

/* First a question comes in, then its answer goes out; in between it waits for those who are
 * asked. */
struct connection {
	struct list link;
	uint64_t id;
	struct control *control;
	struct loop_watch *watch;
	struct timer timer;
	int fd;
	struct buf in, out;
	bool asked, answered;
};

static int make_address(struct str folder, struct sockaddr_un *out)
{
	*out = (struct sockaddr_un){.sun_family = AF_UNIX};
	int n = snprintf(
	        out->sun_path, sizeof out->sun_path, "%.*s/" CONTROL_NAME, STR_FMT(folder));
	return n > 0 && (size_t)n < sizeof out->sun_path ? ERR_OK : ERR_LIMIT;
}

static void connection_free(struct connection *k)
{
	list_remove(&k->link);
	k->control->n--;
	timer_stop(&k->timer);
	loop_watch_free(k->watch);
	close(k->fd);
	buf_done(&k->in);
	buf_done(&k->out);
	mem_free(k);
}

static void on_timeout(void *arg, uint64_t now_ms)
{
	(void)now_ms;
	connection_free(arg);
}

void control_drop(struct control_question *q)
{
	ask_done(&q->ask);
	mem_free(q);
}

void control_answer(struct control_question *q)
{
	LIST_EACH(it, &q->control->connections)
	{
		struct connection *k = LIST_OWNER(it, struct connection, link);
		if (k->id != q->id)
			continue;
		ask_finish(&q->ask, &k->out);
		k->answered = true;
		loop_watch_set(k->watch, LOOP_WRITE);
		break;
	}
	control_drop(q);
}

/* false: no memory. */
static bool ask(struct connection *k, struct str question)
{
	struct control *c = k->control;
	struct control_question *q = mem_zalloc(sizeof *q);
	if (!q)
		return false;
	q->control = c;
	q->id = k->id;
	ask_begin(&q->ask, question);
	k->asked = true;
	loop_watch_set(k->watch, 0);
	c->asked(c->arg, q);
	return true;
}

/* Hands it on when it is whole; *over: the connection must end. */
static void read_question(struct connection *k, bool *over)
{
	char bytes[1024];
	ssize_t n = recv(k->fd, bytes, sizeof bytes, 0);
	*over = n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
	if (n <= 0)
		return;
	buf_add(&k->in, bytes, (size_t)n);
	if (k->in.failed) {
		*over = true; /* larger than a question can be */
		return;
	}
	size_t end = str_find(buf_view(&k->in), '\n');
	if (end < k->in.n)
		*over = !ask(k, str_sub(buf_view(&k->in), 0, end));
}

static void on_ready(void *arg, int ready)
{
	struct connection *k = arg;
	bool over = false;
	if (!k->asked && (ready & LOOP_READ))
		read_question(k, &over);
	over = over || k->out.failed;
	if (k->answered && !over) {
		ssize_t n = send(k->fd, k->out.p, k->out.n, MSG_NOSIGNAL);
		if (n > 0)
			buf_consume(&k->out, (size_t)n);
		over = k->out.n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
	}
	if (over)
		connection_free(k);
}

static void on_pause_over(void *arg, uint64_t now_ms)
{
	struct control *c = arg;
	(void)now_ms;
	loop_watch_set(c->watch, LOOP_READ);
}

static void on_accept(void *arg, int ready)
{
	struct control *c = arg;
	(void)ready;
	int fd = accept4(c->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0) {
		/* no descriptor is free: who asks stays ready, and the loop would spin on him */
		loop_watch_set(c->watch, 0);
		timer_start(loop_timers(c->loop), &c->pause, loop_now_ms(c->loop) + PAUSE_MS,
		        on_pause_over, c);
		return;
	}
	struct connection *k = c->n < CONNECTIONS_MAX ? mem_zalloc(sizeof *k) : NULL;
	if (!k) {
		close(fd);
		return;
	}
	k->control = c;
	k->id = ++c->last_id;
	k->fd = fd;
	buf_init(&k->in, ASK_BYTES_MAX);
	buf_init(&k->out, ANSWER_BYTES_MAX);
	k->watch = loop_watch_new(c->loop, fd, on_ready, k);
	if (!k->watch) {
		close(fd);
		mem_free(k);
		return;
	}
	list_append(&c->connections, &k->link);
	c->n++;
	timer_start(
	        loop_timers(c->loop), &k->timer, loop_now_ms(c->loop) + TIMEOUT_MS, on_timeout, k);
	loop_watch_set(k->watch, LOOP_READ);
}

/* Does somebody answer at this address? */
static bool is_alive(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	bool alive = connect(fd, (const struct sockaddr *)address, sizeof *address) == 0;
	close(fd);
	return alive;
}

static int listen_at(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	mode_t before = umask(0177); /* the file is born with mode 0600 */
	int bound = bind(fd, (const struct sockaddr *)address, sizeof *address);
	int saved = errno;
	umask(before);
	if (bound == 0 && listen(fd, CONNECTIONS_MAX) == 0)
		return fd;
	saved = bound == 0 ? errno : saved;
	close(fd);
	errno = saved;
	return -1;
}

/* The folder and what is missing above it, for this user only. */
static bool make_folder(struct str folder)
{
	char path[sizeof((struct sockaddr_un *)0)->sun_path];
	if (folder.n == 0 || folder.n >= sizeof path)
		return false;
	memcpy(path, folder.p, folder.n);
	path[folder.n] = '\0';
	for (size_t i = 1; i <= folder.n; i++) {
		if (i < folder.n && path[i] != '/')
			continue;
		path[i] = '\0';
		if (mkdir(path, 0700) < 0 && errno != EEXIST)
			return false;
		if (i < folder.n)
			path[i] = '/';
	}
	return true;
}

static bool start(struct control *c, struct str folder, char *why, size_t why_size)
{
	if (make_address(folder, &c->address)) {
		snprintf(why, why_size,
		        "the path of the state folder is too long for a control socket");
		return false;
	}
	if (!make_folder(folder)) {
		snprintf(why, why_size, "cannot make %.*s: %s", STR_FMT(folder), strerror(errno));
		return false;
	}
	if (is_alive(&c->address)) {
		snprintf(why, why_size, "another server answers at %s", c->address.sun_path);
		return false;
	}
	unlink(c->address.sun_path);
	c->fd = listen_at(&c->address);
	if (c->fd < 0) {
		snprintf(why, why_size, "cannot listen at %s: %s", c->address.sun_path,
		        strerror(errno));
		return false;
	}
	c->watch = loop_watch_new(c->loop, c->fd, on_accept, c);
	if (!c->watch) {
		snprintf(why, why_size, "out of memory");
		return false;
	}
	loop_watch_set(c->watch, LOOP_READ);
	return true;
}

struct control *control_new(
        struct loop *l, struct str folder, control_fn *asked, void *arg, char *why, size_t why_size)
{
	struct control *c = mem_zalloc(sizeof *c);
	if (!c) {
		snprintf(why, why_size, "out of memory");
		return NULL;
	}
	c->loop = l;
	c->asked = asked;
	c->arg = arg;
	c->fd = -1;
	list_init(&c->connections);
	if (start(c, folder, why, why_size))
		return c;
	if (c->fd >= 0) {
		close(c->fd);
		unlink(c->address.sun_path);
	}
	mem_free(c);
	return NULL;
}

void control_free(struct control *c)
{
	if (!c)
		return;
	LIST_EACH_SAFE(it, &c->connections)
	connection_free(LIST_OWNER(it, struct connection, link));
	timer_stop(&c->pause);
	loop_watch_free(c->watch);
	close(c->fd);
	unlink(c->address.sun_path);
	mem_free(c);
}

static int exchange(int fd, struct str question, struct buf *answer)
{
	struct timeval patience = {.tv_sec = TIMEOUT_MS / 1000};
	char bytes[16384];
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	for (size_t at = 0; at < question.n;) {
		ssize_t n = send(fd, question.p + at, question.n - at, MSG_NOSIGNAL);
		if (n <= 0)
			return ERR_IO;
		at += (size_t)n;
	}
	if (send(fd, "\n", 1, MSG_NOSIGNAL) != 1)
		return ERR_IO;
	for (;;) {
		ssize_t n = recv(fd, bytes, sizeof bytes, 0);
		if (n < 0)
			return ERR_IO;
		if (n == 0)
			return answer->n ? ERR_OK : ERR_IO;
		buf_add(answer, bytes, (size_t)n);
		if (answer->failed || answer->n > ANSWER_BYTES_MAX)
			return answer->failed ? ERR_NOMEM : ERR_LIMIT;
	}
}

int control_ask(struct str folder, struct str question, struct buf *answer)
{
	struct sockaddr_un address;
	int err = make_address(folder, &address);
	if (err)
		return err;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return ERR_IO;
	if (connect(fd, (const struct sockaddr *)&address, sizeof address) < 0)
		err = errno == ENOENT || errno == ECONNREFUSED ? ERR_NOTFOUND : ERR_IO;
	else
		err = exchange(fd, question, answer);
	close(fd);
	return err;
}
