/* tcp_test.c - connections over loopback: order, bounds, stalls, endings, and descriptors that run
 * out. io
 */
#include "support/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "net/tcp.h"
#include "support/wire.h"

struct world {
	struct loop *loop;
	struct tcp_server *server;
	uint16_t port;
	struct tcp *last; /* the connection accepted last, while it lives */
	unsigned accepted, drained, ended;
	enum tcp_end why;
	struct buf got;
};

static void on_data(void *arg, struct tcp *t, struct str bytes)
{
	struct world *w = arg;
	(void)t;
	buf_str(&w->got, bytes);
}

static void on_drained(void *arg, struct tcp *t)
{
	(void)t;
	((struct world *)arg)->drained++;
}

static void on_ended(void *arg, struct tcp *t, enum tcp_end why)
{
	struct world *w = arg;
	w->ended++;
	w->why = why;
	if (w->last == t)
		w->last = NULL;
}

static void on_accepted(void *arg, struct tcp *t)
{
	struct world *w = arg;
	w->accepted++;
	w->last = t;
	tcp_own(t, &(struct tcp_events){w, on_data, on_drained, on_ended});
}

static const struct tcp_limits roomy = {.max_connections = 100,
        .max_per_address = 100,
        .per_second = 1000,
        .max_queued = 1 << 20,
        .max_queued_total = 1 << 30,
        .stall_ms = 10000};

static struct world *open_world(const struct tcp_limits *limits)
{
	struct world *w = test_calloc(1, sizeof *w);
	buf_init(&w->got, 0);
	w->loop = loop_new();
	assert_non_null(w->loop);
	w->server = tcp_server_new(w->loop, limits, on_accepted, w);
	assert_non_null(w->server);
	assert_int_equal(tcp_server_listen(w->server, "127.0.0.1", &w->port), ERR_OK);
	assert_true(w->port != 0);
	return w;
}

static void close_world(struct world *w)
{
	tcp_server_free(w->server);
	loop_free(w->loop);
	buf_done(&w->got);
	test_free(w);
}

static void connect_one(struct world *w, struct wire *c)
{
	unsigned before = w->accepted;
	wire_open(c, w->loop, w->port);
	for (int i = 0; i < 1000 && w->accepted == before; i++)
		wire_turn(w->loop, 1);
	assert_int_equal(w->accepted, before + 1);
}

static void bytes_go_both_ways(void **state)
{
	(void)state;
	struct world *w = open_world(&roomy);
	struct wire c;
	connect_one(w, &c);
	assert_str(tcp_peer(w->last), "127.0.0.1");
	assert_true(tcp_peer_loopback(w->last));
	wire_puts(&c, "hello");
	wire_turn(w->loop, 20);
	assert_str(buf_view(&w->got), "hello");
	assert_int_equal(tcp_write(w->last, STR("world")), ERR_OK);
	assert_true(wire_until(&c, "world", 1000));
	assert_int_equal(w->drained, 1);
	wire_done(&c);
	wire_turn(w->loop, 20);
	assert_int_equal(w->ended, 1);
	assert_int_equal(w->why, TCP_END_EOF);
	close_world(w);
}

/* From one loop to another, with what the peer sends meanwhile; counted once all the time. */
static void a_connection_changes_its_loop(void **state)
{
	(void)state;
	struct tcp_limits two = roomy;
	two.max_connections = 2;
	struct world *w = open_world(&two), *other = test_calloc(1, sizeof *other);
	struct wire c, d, e;
	struct tcp_parcel p;
	other->loop = loop_new();
	buf_init(&other->got, 0);
	other->server = tcp_server_new_beside(w->server, other->loop, &two, on_accepted, other);
	assert_non_null(other->server);
	connect_one(w, &c);
	assert_int_equal(tcp_write(w->last, STR("queued")), ERR_OK);
	assert_false(tcp_release(w->last, &p)); /* what is queued must go first */
	assert_true(wire_until(&c, "queued", 1000));
	assert_true(
	        tcp_put_back(w->last, STR(""))); /* another turn is nothing that could be lost */
	assert_true(tcp_release(w->last, &p));
	assert_int_equal(tcp_server_counters(w->server)->open, 0);
	wire_puts(&c, "meanwhile");
	wire_turn(w->loop, 5);
	assert_int_equal(w->got.n, 0);
	struct tcp *t = tcp_adopt(other->server, &p);
	assert_non_null(t);
	tcp_own(t, &(struct tcp_events){other, on_data, on_drained, on_ended});
	assert_str(tcp_peer(t), "127.0.0.1");
	wire_turn(other->loop, 20);
	assert_str(buf_view(&other->got), "meanwhile");
	assert_int_equal(tcp_write(t, STR("from there")), ERR_OK);
	c.loop = other->loop;
	assert_true(wire_until(&c, "from there", 1000));
	assert_int_equal(tcp_server_open_everywhere(w->server), 1);
	/* the bound is one for both */
	connect_one(w, &d);
	wire_open(&e, w->loop, w->port);
	assert_true(wire_until(&e, NULL, 1000));
	assert_int_equal(tcp_server_counters(w->server)->refused_total, 1);
	wire_done(&c);
	wire_turn(other->loop, 20);
	assert_int_equal(other->ended, 1);
	assert_int_equal(tcp_server_open_everywhere(other->server), 1);
	/* without memory over there it is closed, and not counted any more */
	assert_true(tcp_release(w->last, &p));
	mem_budget_set(0);
	t = tcp_adopt(other->server, &p);
	mem_budget_set(-1);
	assert_null(t);
	assert_true(wire_until(&d, NULL, 1000));
	assert_int_equal(tcp_server_open_everywhere(w->server), 0);
	wire_done(&d);
	wire_done(&e);
	wire_turn(w->loop, 5);
	close_world(other);
	close_world(w);
}

/* A block that comes soon after something was sent waits for more; what must not wait takes it
 * along. */
static void blocks_wait_a_moment_and_keep_their_place(void **state)
{
	(void)state;
	struct world *w = open_world(&roomy);
	struct wire c;
	struct block *b = block_new(STR("block "));
	connect_one(w, &c);
	assert_int_equal(tcp_write(w->last, STR("first ")), ERR_OK);
	loop_turn(w->loop);
	assert_int_equal(tcp_queued(w->last), 0);
	assert_int_equal(tcp_write_block(w->last, b), ERR_OK);
	assert_int_equal(tcp_write_block(w->last, b), ERR_OK);
	assert_true(wire_until(&c, "first block block ", 1000));
	assert_int_equal(tcp_write_block(w->last, b), ERR_OK);
	assert_int_equal(tcp_write(w->last, STR("last")), ERR_OK);
	loop_turn(w->loop);
	assert_int_equal(tcp_queued(w->last), 0);
	assert_true(wire_until(&c, "block block block last", 1000));
	block_unref(b);
	wire_done(&c);
	close_world(w);
}

static void copies_and_blocks_keep_their_order(void **state)
{
	(void)state;
	struct world *w =
	        open_world(&(struct tcp_limits){10, 10, 100, 8 << 20, 1 << 30, 10000, NULL, 0});
	struct wire c;
	char *large = test_malloc(3000), *small = test_malloc(40);
	memset(large, 'L', 3000);
	memset(small, 's', 40);
	struct block *bl = block_new(str_from(large, 3000)), *bs = block_new(str_from(small, 40));
	struct buf want;
	buf_init(&want, 0);
	connect_one(w, &c);
	for (int i = 0; i < 1500; i++) {
		char head[32];
		int n = snprintf(head, sizeof head, "<%d>", i);
		struct str parts[] = {str_from(head, (size_t)n), STR("|")};
		struct block *tail = i % 3 == 0 ? bl : i % 3 == 1 ? bs : NULL;
		assert_int_equal(tcp_write_parts(w->last, parts, 2, tail, false), ERR_OK);
		buf_str(&want, parts[0]);
		buf_str(&want, parts[1]);
		if (tail)
			buf_str(&want, block_view(tail));
		if (i % 100 == 99)
			loop_turn(w->loop);
	}
	(void)tcp_write(w->last, STR("END"));
	buf_puts(&want, "END");
	assert_true(wire_until(&c, "END", 5000));
	assert_true(str_eq(buf_view(&c.in), buf_view(&want)));
	assert_int_equal(bl->refs, 1);
	wire_done(&c);
	buf_done(&want);
	block_unref(bl);
	block_unref(bs);
	test_free(large);
	test_free(small);
	close_world(w);
}

/* Fills the kernel's buffers and then the queue of one connection. */
static void fill(struct world *w, size_t bytes)
{
	char chunk[8192];
	memset(chunk, 'x', sizeof chunk);
	for (size_t n = 0; n < bytes; n += sizeof chunk) {
		if (tcp_write(w->last, str_from(chunk, sizeof chunk)))
			return;
		loop_turn(w->loop);
	}
}

static void the_queue_is_bounded_and_drains(void **state)
{
	(void)state;
	struct world *w =
	        open_world(&(struct tcp_limits){10, 10, 100, 100000, 1 << 30, 10000, NULL, 0});
	struct wire c;
	connect_one(w, &c);
	fill(w, 64u << 20);
	size_t queued = tcp_queued(w->last);
	assert_true(queued > 90000 && queued <= 100000);
	char chunk[20000] = "";
	assert_int_equal(tcp_write(w->last, str_from(chunk, sizeof chunk)), ERR_LIMIT);
	assert_int_equal(tcp_queued(w->last), queued);
	assert_int_equal(tcp_server_counters(w->server)->queue_full, 2);
	/* the last word may pass the bound */
	struct str word = STR("last word");
	assert_int_equal(tcp_write_parts(w->last, &word, 1, NULL, true), ERR_OK);
	unsigned drained = w->drained;
	assert_true(wire_until(&c, "last word", 5000));
	assert_int_equal(tcp_queued(w->last), 0);
	assert_int_equal(w->drained, drained + 1);
	wire_done(&c);
	close_world(w);
}

static void all_queues_together_are_bounded_at_the_cost_of_those_that_stall(void **state)
{
	(void)state;
	struct world *w =
	        open_world(&(struct tcp_limits){10, 10, 100, 1 << 20, 1500000, 10000, NULL, 0});
	struct wire slow, slower, quick;
	connect_one(w, &slow);
	fill(w, 64u << 20);
	connect_one(w, &slower);
	fill(w, 64u << 20);
	const struct tcp_counters *c = tcp_server_counters(w->server);
	assert_int_equal(c->queues_full, 1);
	assert_in_range(c->queued, 1400000, 1500000);
	connect_one(w, &quick);
	assert_int_equal(tcp_write(w->last, STR("still served")), ERR_OK);
	assert_true(wire_until(&quick, "still served", 1000));
	wire_done(&slow);
	wire_done(&slower);
	wire_turn(w->loop, 20);
	assert_int_equal(c->queued, 0);
	wire_done(&quick);
	close_world(w);
}

/* Everybody in a large room gets the same bytes: they are there once. */
static void a_block_in_many_queues_counts_once(void **state)
{
	(void)state;
	struct world *w =
	        open_world(&(struct tcp_limits){10, 10, 100, 1 << 20, 1 << 30, 10000, NULL, 0});
	const struct tcp_counters *c = tcp_server_counters(w->server);
	struct wire clients[3];
	struct tcp *ends[3];
	char *bytes = test_calloc(1, 300000);
	struct block *b = block_new(str_from(bytes, 300000));
	for (int i = 0; i < 3; i++) {
		connect_one(w, &clients[i]);
		ends[i] = w->last;
	}
	for (int i = 0; i < 3; i++) { /* within one turn: nothing is on its way yet */
		assert_int_equal(tcp_write_block(ends[i], b), ERR_OK);
		assert_int_equal(tcp_write(ends[i], STR("own")), ERR_OK);
	}
	assert_int_equal(c->queued, 300000 + 3 * 3);
	wire_done(&clients[0]);
	wire_turn(w->loop, 20);
	block_unref(b); /* the queues hold their own references */
	for (int i = 1; i < 3; i++) {
		assert_true(wire_until(&clients[i], "own", 2000));
		wire_done(&clients[i]);
	}
	wire_turn(w->loop, 20);
	assert_int_equal(c->queued, 0);
	test_free(bytes);
	close_world(w);
}

static void a_peer_that_takes_nothing_is_stalled(void **state)
{
	(void)state;
	struct world *w =
	        open_world(&(struct tcp_limits){10, 10, 100, 100000, 1 << 30, 300, NULL, 0});
	struct wire deaf, other;
	connect_one(w, &deaf);
	fill(w, 64u << 20);
	connect_one(w, &other);
	wire_turn(w->loop, 700);
	assert_int_equal(w->ended, 1);
	assert_int_equal(w->why, TCP_END_STALLED);
	assert_int_equal(tcp_server_counters(w->server)->stalled, 1);
	wire_puts(&other, "still here");
	wire_turn(w->loop, 20);
	assert_str(buf_view(&w->got), "still here");
	wire_done(&deaf);
	wire_done(&other);
	close_world(w);
}

static void connections_are_bounded_in_total(void **state)
{
	(void)state;
	struct world *w =
	        open_world(&(struct tcp_limits){2, 100, 1000, 1 << 20, 1 << 30, 10000, NULL, 0});
	struct wire a, b, c;
	connect_one(w, &a);
	connect_one(w, &b);
	wire_open(&c, w->loop, w->port);
	assert_true(wire_until(&c, NULL, 1000));
	assert_int_equal(tcp_server_counters(w->server)->refused_total, 1);
	assert_int_equal(w->accepted, 2);
	wire_done(&c);
	wire_done(&a);
	wire_turn(w->loop, 20);
	connect_one(w, &c);
	wire_done(&b);
	wire_done(&c);
	close_world(w);
}

static void without_descriptors_it_refuses_and_recovers(void **state)
{
	(void)state;
	struct world *w = open_world(&roomy);
	struct wire c[3], again;
	int held[1024];
	size_t n = 0;
	struct rlimit old, tight;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	tight = old;
	tight.rlim_cur = 200;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
	for (int i = 0; i < 3; i++)
		wire_open(&c[i], w->loop, w->port);
	while ((held[n] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
		n++;
	for (int i = 0; i < 3; i++)
		assert_true(wire_until(&c[i], NULL, 1000));
	assert_true(tcp_server_counters(w->server)->refused_nofile >= 3);
	assert_int_equal(w->accepted, 0);
	while (n)
		close(held[--n]);
	connect_one(w, &again);
	for (int i = 0; i < 3; i++)
		wire_done(&c[i]);
	wire_done(&again);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	close_world(w);
}

static void a_close_with_time_sends_what_is_queued(void **state)
{
	(void)state;
	struct world *w = open_world(&roomy);
	struct wire c;
	connect_one(w, &c);
	(void)tcp_write(w->last, STR("goodbye"));
	tcp_close(w->last, 2000);
	assert_true(wire_until(&c, NULL, 1000));
	assert_str(buf_view(&c.in), "goodbye");
	assert_int_equal(tcp_server_counters(w->server)->open, 1); /* waits for the peer's end */
	wire_done(&c);
	wire_turn(w->loop, 20);
	assert_int_equal(tcp_server_counters(w->server)->open, 0);
	assert_int_equal(w->ended, 0); /* the owner had let go */
	close_world(w);
}

static void a_close_ends_though_the_peer_stays(void **state)
{
	(void)state;
	struct world *w = open_world(&roomy);
	struct wire c, d;
	connect_one(w, &c);
	tcp_close(w->last, 300);
	connect_one(w, &d);
	(void)tcp_write(w->last, STR("dropped"));
	tcp_close(w->last, 0);
	assert_true(wire_until(&d, NULL, 1000));
	assert_int_equal(d.in.n, 0);
	wire_turn(w->loop, 600);
	assert_int_equal(tcp_server_counters(w->server)->open, 0);
	wire_done(&c);
	wire_done(&d);
	close_world(w);
}

static void listening_says_what_is_wrong(void **state)
{
	(void)state;
	struct world *w = open_world(&roomy);
	uint16_t port = w->port, any = 0;
	assert_int_equal(tcp_server_listen(w->server, "127.0.0.1", &port), ERR_EXISTS);
	assert_int_equal(tcp_server_listen(w->server, "localhost", &any), ERR_TYPE);
	assert_int_equal(tcp_server_listen(w->server, "192.0.2.1", &any), ERR_NOTFOUND);
	int err = tcp_server_listen(w->server, "::1", &port);
	assert_true(err == ERR_OK || err == ERR_NOTFOUND); /* the latter where IPv6 is off */
	close_world(w);
}

static void nothing_breaks_when_memory_runs_out(void **state)
{
	(void)state;
	for (long budget = 0; budget < 24; budget++) {
		struct world *w = open_world(&roomy);
		struct wire c;
		wire_open(&c, w->loop, w->port);
		struct block *b = block_new(STR("a block of some bytes"));
		mem_budget_set(budget);
		for (int i = 0; i < 5; i++) {
			wire_turn(w->loop, 1);
			if (w->last && tcp_write_block(w->last, b) == ERR_OK)
				(void)tcp_write(w->last, STR("and a copy"));
		}
		mem_budget_set(-1);
		wire_turn(w->loop, 2);
		if (w->last)
			assert_int_equal(tcp_write(w->last, STR("after")), ERR_OK);
		block_unref(b);
		wire_done(&c);
		close_world(w);
	}
}

UNIT_MAIN(cmocka_unit_test(bytes_go_both_ways), cmocka_unit_test(a_connection_changes_its_loop),
        cmocka_unit_test(blocks_wait_a_moment_and_keep_their_place),
        cmocka_unit_test(copies_and_blocks_keep_their_order),
        cmocka_unit_test(the_queue_is_bounded_and_drains),
        cmocka_unit_test(all_queues_together_are_bounded_at_the_cost_of_those_that_stall),
        cmocka_unit_test(a_block_in_many_queues_counts_once),
        cmocka_unit_test(a_peer_that_takes_nothing_is_stalled),
        cmocka_unit_test(connections_are_bounded_in_total),
        cmocka_unit_test(without_descriptors_it_refuses_and_recovers),
        cmocka_unit_test(a_close_with_time_sends_what_is_queued),
        cmocka_unit_test(a_close_ends_though_the_peer_stays),
        cmocka_unit_test(listening_says_what_is_wrong),
        cmocka_unit_test(nothing_breaks_when_memory_runs_out))
