/* tls_test.c - TLS inside connections: handshakes of every kind, certificates by name and anew,
 * large and hostile traffic, STARTTLS, and a connection that changes its loop. io */
#include "net/tls_world.h"

static void both_versions_carry_bytes_both_ways(void **state)
{
	(void)state;
	struct world *w = open_world();
	static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
	for (int i = 0; i < 2; i++) {
		struct client c;
		client_new(&c, w, w->port, versions[i], "A.example");
		assert_true(handshake(&c));
		assert_int_equal(SSL_version(c.ssl), versions[i]);
		assert_true(put(&c, STR("hello")));
		expect_got(w, "hello");
		assert_true(tcp_is_tls(w->last) && tcp_tls_established(w->last));
		assert_str(tcp_tls_name(w->last), "A.example");
		assert_int_equal(tcp_write(w->last, STR("world")), ERR_OK);
		expect(&c, "world");
		SSL_shutdown(c.ssl);
		wire_turn(w->loop, 20);
		assert_int_equal(w->ended, i + 1);
		assert_int_equal(w->why, TCP_END_EOF);
		client_done(&c);
	}
	assert_int_equal(count(w, "tls_handshakes"), 2);
	close_world(w);
}

static void the_name_chooses_the_certificate(void **state)
{
	(void)state;
	struct world *w = open_world();
	static const char *const names[][2] = {{"a.example", "a"}, {"b.example", "b"},
	        {"B.EXAMPLE", "b"}, {"x.wild.example", "b"}, {"x.y.wild.example", "a"},
	        {"wild.example", "a"}, {"other.example", "a"}, {NULL, "a"}};
	for (size_t i = 0; i < 2 * (sizeof names / sizeof *names); i++) {
		struct client c;
		client_new(
		        &c, w, w->port, i % 2 ? TLS1_2_VERSION : TLS1_3_VERSION, names[i / 2][0]);
		assert_true(handshake(&c));
		assert_string_equal(subject(&c), names[i / 2][1]);
		client_done(&c);
	}
	close_world(w);
}

static void a_load_changes_what_new_ones_get_and_nothing_else(void **state)
{
	(void)state;
	struct world *w = open_world();
	struct client old, fresh;
	struct tls_error e;
	char warnings[1000];
	client_new(&old, w, w->port, 0, "a.example");
	assert_true(handshake(&old));
	struct client half; /* began before, ends after */
	client_new(&half, w, w->port, 0, "b.example");
	(void)SSL_do_handshake(half.ssl);
	wire_turn(w->loop, 5);
	make_pair(w, "new", "DNS:a.example", -1, 3);
	assert_true(load(w, "new", "new", &e));
	assert_true(handshake(&half));
	assert_string_equal(subject(&half), "b");
	client_new(&fresh, w, w->port, 0, "a.example");
	assert_true(handshake(&fresh));
	assert_string_equal(subject(&fresh), "new");
	assert_true(put(&old, STR("still here")));
	expect_got(w, "still here");
	size_t n = tls_context_warnings(w->tls, warnings, sizeof warnings - 1);
	warnings[n] = 0;
	assert_non_null(strstr(warnings, "expires on"));
	/* what cannot be used changes nothing */
	make_pair(w, "over", "DNS:a.example", -9, -2);
	assert_false(load(w, "over", "over", &e));
	assert_non_null(strstr(e.text, "expired"));
	assert_false(load(w, "a", "b", &e));
	assert_true(e.of_key && strstr(e.text, "is not the key of"));
	assert_false(load(w, "none", "a", &e));
	assert_non_null(strstr(e.text, "No such file"));
	client_done(&fresh);
	client_new(&fresh, w, w->port, 0, "a.example");
	assert_true(handshake(&fresh));
	assert_string_equal(subject(&fresh), "new");
	client_done(&fresh);
	client_done(&half);
	client_done(&old);
	close_world(w);
}

static void write_text(const struct world *w, const char *name, const char *text, mode_t mode)
{
	char path[128];
	snprintf(path, sizeof path, "%s/%s", w->folder, name);
	FILE *f = fopen(path, "w");
	fputs(text, f);
	fclose(f);
	chmod(path, mode);
}

static void wrong_files_are_told_by_name(void **state)
{
	(void)state;
	struct world *w = open_world();
	struct tls_context *kept = w->tls;
	struct tls_error e;
	char path[128], warnings[1000];
	w->tls = tls_context_new();
	write_text(w, "empty.crt", "", 0600);
	assert_false(load(w, "empty", "a", &e));
	assert_true(!e.of_key && strstr(e.text, "empty.crt holds no certificate"));
	write_text(w, "empty.key", "-----BEGIN PRIVATE KEY-----\nAAAA\n", 0600);
	assert_false(load(w, "a", "empty", &e));
	assert_true(e.of_key && strstr(e.text, "empty.key holds no private key"));
	/* a password can't be asked for */
	EVP_PKEY *key = EVP_EC_gen("P-256");
	snprintf(path, sizeof path, "%s/locked.key", w->folder);
	FILE *f = fopen(path, "w");
	PEM_write_PKCS8PrivateKey(f, key, EVP_aes_256_cbc(), "geheim", 6, NULL, NULL);
	fclose(f);
	EVP_PKEY_free(key);
	assert_false(load(w, "a", "locked", &e));
	assert_true(e.of_key && strstr(e.text, "protected by a password"));
	assert_false(tls_context_ready(w->tls));
	/* at first, an expired one is better than none; a readable key is told */
	make_pair(w, "over", "DNS:a.example", -9, -2);
	snprintf(path, sizeof path, "%s/over.key", w->folder);
	chmod(path, 0644);
	assert_true(load(w, "over", "over", &e));
	size_t n = tls_context_warnings(w->tls, warnings, sizeof warnings - 1);
	warnings[n] = 0;
	assert_non_null(strstr(warnings, "has expired on"));
	assert_non_null(strstr(warnings, "can be read by everybody"));
	tls_context_free(w->tls);
	w->tls = kept;
	close_world(w);
}

static void pattern(struct buf *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_putc(b, (char)(i * 31 + (i >> 8) + (i >> 16)));
}

static void large_amounts_arrive_whole(void **state)
{
	(void)state;
	struct world *w = open_world();
	struct client c;
	struct buf out, in;
	buf_init(&out, 0);
	buf_init(&in, 0);
	pattern(&out, 5000000);
	client_new(&c, w, w->port, 0, NULL);
	assert_true(handshake(&c));
	assert_true(put(&c, buf_view(&out)));
	for (int i = 0; i < 3000 && w->got.n < out.n; i++)
		wire_turn(w->loop, 1);
	assert_int_equal(w->got.n, out.n);
	assert_memory_equal(w->got.p, out.p, out.n);
	/* back: copies and blocks of all sizes, to a reader that waits for a while */
	struct str rest = buf_view(&out);
	for (size_t n = 1; rest.n; n = n * 3 % 70001 + 1) {
		struct str part = str_sub(rest, 0, n);
		rest = str_sub(rest, part.n, rest.n);
		if (n % 2) {
			assert_int_equal(tcp_write(w->last, part), ERR_OK);
			continue;
		}
		struct block *b = block_new(part);
		assert_int_equal(tcp_write_block(w->last, b), ERR_OK);
		block_unref(b);
	}
	wire_turn(w->loop, 50);
	assert_true(tcp_queued(w->last) > 0);
	assert_true(take(&c, &in, out.n));
	assert_memory_equal(in.p, out.p, out.n);
	/* both ways at once, and the end behind it: what is queued comes, then close_notify */
	buf_reset(&in);
	assert_int_equal(tcp_write(w->last, str_sub(buf_view(&out), 0, 1000000)), ERR_OK);
	assert_true(put(&c, STR("more")));
	tcp_close(w->last, 3000);
	w->last = NULL;
	assert_true(take(&c, &in, 1000000));
	assert_false(take(&c, &in, 1000001));
	assert_int_equal(SSL_get_shutdown(c.ssl) & SSL_RECEIVED_SHUTDOWN, SSL_RECEIVED_SHUTDOWN);
	assert_memory_equal(in.p, out.p, in.n);
	client_done(&c);
	buf_done(&in);
	buf_done(&out);
	close_world(w);
}

/* A client whose bytes the test carries: they can be cut, kept back and changed. */
static void memory_client(struct client *c, struct world *w, int version)
{
	client_new(c, w, w->port, version, NULL);
	SSL_set_bio(c->ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
}

static struct str outgoing(struct client *c)
{
	char *p;
	long n = BIO_get_mem_data(SSL_get_wbio(c->ssl), &p);
	return str_from(p, n > 0 ? (size_t)n : 0);
}

static void sent(struct client *c)
{
	(void)BIO_reset(SSL_get_wbio(c->ssl));
}

static void incoming(struct client *c)
{
	char chunk[16384];
	ssize_t n;
	while ((n = recv(c->wire.fd, chunk, sizeof chunk, 0)) > 0)
		BIO_write(SSL_get_rbio(c->ssl), chunk, (int)n);
}

static void handshake_by_hand(struct client *c, size_t step)
{
	for (int i = 0; i < 200 && SSL_do_handshake(c->ssl) != 1; i++) {
		struct str all = outgoing(c);
		for (size_t at = 0; at < all.n; at += step) {
			wire_send(&c->wire, str_sub(all, at, at + step));
			wire_turn(c->w->loop, 0);
		}
		sent(c);
		wire_turn(c->w->loop, 1);
		incoming(c);
	}
	assert_true(SSL_is_init_finished(c->ssl));
	wire_send(&c->wire, outgoing(c));
	sent(c);
	wire_turn(c->w->loop, 3);
}

/* With half a record read, on to another loop, and with bytes that come while it is on its way. */
static void a_connection_changes_its_loop_with_its_keys(void **state)
{
	(void)state;
	struct world *w = open_world(), *other = test_calloc(1, sizeof *other);
	struct client c;
	struct tcp_parcel p;
	other->loop = loop_new();
	buf_init(&other->got, 0);
	other->server = tcp_server_new_beside(w->server, other->loop, &roomy, on_accepted, other);
	memory_client(&c, w, 0);
	handshake_by_hand(&c, 1000);
	SSL_write(c.ssl, "before", 6);
	wire_send(&c.wire, outgoing(&c));
	sent(&c);
	expect_got(w, "before");
	SSL_write(c.ssl, "half and half", 13);
	wire_send(&c.wire, str_sub(outgoing(&c), 0, 9));
	wire_turn(w->loop, 5);
	assert_int_equal(w->got.n, 0);
	assert_true(tcp_release(w->last, &p));
	assert_non_null(p.tls);
	wire_send(&c.wire, str_sub(outgoing(&c), 9, 20));
	wire_turn(w->loop, 5);
	struct tcp *t = tcp_adopt(other->server, &p);
	assert_non_null(t);
	assert_true(tcp_tls_established(t));
	tcp_own(t, &(struct tcp_events){other, on_data, NULL, on_ended});
	wire_turn(other->loop, 5);
	wire_send(&c.wire, str_sub(outgoing(&c), 20, 1000));
	sent(&c);
	expect_got(other, "half and half");
	assert_int_equal(tcp_write(t, STR("from there")), ERR_OK);
	wire_turn(other->loop, 5);
	incoming(&c);
	char text[32] = "";
	assert_int_equal(SSL_read(c.ssl, text, sizeof text - 1), 10);
	assert_string_equal(text, "from there");
	/* dropped on its way: everything is freed */
	assert_true(tcp_release(t, &p));
	tcp_parcel_drop(other->server, &p);
	wire_turn(other->loop, 5);
	assert_int_equal(tcp_server_open_everywhere(w->server), 0);
	client_done(&c);
	tcp_server_free(other->server);
	loop_free(other->loop);
	buf_done(&other->got);
	test_free(other);
	close_world(w);
}

/* So that a direct-TLS connection may leave the thread that accepted it at once. */
static void a_connection_changes_its_loop_in_its_handshake(void **state)
{
	(void)state;
	struct world *w = open_world(), *other = test_calloc(1, sizeof *other);
	struct client c;
	struct tcp_parcel p;
	other->loop = loop_new();
	buf_init(&other->got, 0);
	other->server = tcp_server_new_beside(w->server, other->loop, &roomy, on_accepted, other);
	memory_client(&c, w, TLS1_3_VERSION);
	(void)SSL_do_handshake(c.ssl);
	wire_send(&c.wire, str_sub(outgoing(&c), 0, 100));
	wire_turn(w->loop, 5);
	assert_true(tcp_release(w->last, &p));
	struct tcp *t = tcp_adopt(other->server, &p);
	tcp_own(t, &(struct tcp_events){other, on_data, NULL, on_ended});
	assert_int_equal(tcp_write(t, STR("early")), ERR_OK); /* waits for the handshake */
	wire_turn(other->loop, 5);
	assert_int_equal(tcp_queued(t), 5);
	wire_send(&c.wire, str_sub(outgoing(&c), 100, 10000));
	sent(&c);
	c.w = other;
	wire_turn(other->loop, 5);
	incoming(&c);
	handshake_by_hand(&c, 1000);
	wire_turn(other->loop, 5);
	incoming(&c);
	char text[32] = "";
	assert_int_equal(SSL_read(c.ssl, text, sizeof text - 1), 5);
	assert_string_equal(text, "early");
	client_done(&c);
	tcp_server_free(other->server);
	loop_free(other->loop);
	buf_done(&other->got);
	test_free(other);
	close_world(w);
}

static void starttls_comes_behind_what_is_queued(void **state)
{
	(void)state;
	struct world *w = open_world();
	struct client c;
	client_new(&c, w, w->clear_port, 0, "b.example");
	wire_puts(&c.wire, "<starttls/>");
	expect_got(w, "<starttls/>");
	assert_false(tcp_is_tls(w->last));
	assert_int_equal(tcp_write(w->last, STR("<proceed/>")), ERR_OK);
	assert_int_equal(tcp_start_tls(w->last, w->tls, NULL), ERR_OK);
	assert_int_equal(tcp_start_tls(w->last, w->tls, NULL), ERR_EXISTS);
	assert_int_equal(tcp_write(w->last, STR("inside")), ERR_OK);
	char text[64] = "";
	for (int i = 0; i < 1000 && recv(c.wire.fd, text, sizeof text - 1, 0) < 0; i++)
		wire_turn(w->loop, 1);
	assert_string_equal(text, "<proceed/>"); /* and nothing behind it in the clear */
	assert_true(handshake(&c));
	assert_string_equal(subject(&c), "b");
	expect(&c, "inside");
	assert_true(put(&c, STR("<stream>")));
	expect_got(w, "<stream>");
	client_done(&c);
	/* without certificates, and without memory */
	struct tls_context *none = tls_context_new();
	client_new(&c, w, w->clear_port, 0, NULL);
	wire_turn(w->loop, 5);
	assert_int_equal(tcp_start_tls(w->last, none, NULL), ERR_NOTFOUND);
	mem_budget_set(0);
	assert_int_equal(tcp_start_tls(w->last, w->tls, NULL), ERR_NOMEM);
	mem_budget_set(-1);
	assert_false(tcp_is_tls(w->last));
	tls_context_free(none);
	client_done(&c);
	close_world(w);
}

static void a_handshake_may_come_byte_by_byte(void **state)
{
	(void)state;
	struct world *w = open_world();
	struct client c;
	memory_client(&c, w, TLS1_2_VERSION);
	handshake_by_hand(&c, 1);
	SSL_write(c.ssl, "slow", 4);
	wire_send(&c.wire, outgoing(&c));
	expect_got(w, "slow");
	client_done(&c);
	close_world(w);
}

static void who_speaks_something_else_is_cut(void **state)
{
	(void)state;
	struct world *w = open_world();
	struct wire v;
	wire_open(&v, w->loop, w->port);
	wire_puts(&v, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
	assert_true(wire_until(&v, "in the clear\n", 1000));
	assert_true(wire_until(&v, NULL, 1000));
	assert_int_equal(count(w, "tls_refused_clear_text"), 1);
	wire_done(&v);
	wire_open(&v, w->loop, w->port);
	wire_send(&v, str_from("\0\1\2\3garbage of all kinds\377", 26));
	assert_true(wire_until(&v, NULL, 1000));
	wire_done(&v);
	wire_open(&v, w->loop, w->port); /* a record that promises more than one may hold */
	wire_send(&v, str_from("\x16\x03\x01\xff\xff xxxx", 10));
	assert_true(wire_until(&v, NULL, 1000));
	wire_done(&v);
	assert_int_equal(count(w, "tls_malformed"), 2);
	static const int old[] = {TLS1_VERSION, TLS1_1_VERSION};
	for (int i = 0; i < 2; i++) {
		struct client c;
		client_new(&c, w, w->port, old[i], NULL);
		assert_false(handshake(&c));
		assert_int_equal(
		        ERR_GET_REASON(ERR_peek_error()), SSL_R_TLSV1_ALERT_PROTOCOL_VERSION);
		client_done(&c);
	}
	assert_int_equal(count(w, "tls_refused_version"), 2);
	struct client c;
	client_new(&c, w, w->port, 0, NULL);
	SSL_set_alpn_protos(c.ssl, (const unsigned char *)"\2h2\10http/1.1", 12);
	assert_true(handshake(&c));
	const unsigned char *chosen;
	unsigned n;
	SSL_get0_alpn_selected(c.ssl, &chosen, &n);
	assert_str(str_from((const char *)chosen, n), "http/1.1");
	client_done(&c);
	client_new(&c, w, w->port, 0, NULL);
	SSL_set_alpn_protos(c.ssl, (const unsigned char *)"\2h2", 3);
	assert_false(handshake(&c));
	client_done(&c);
	client_new(
	        &c, w, w->port, TLS1_2_VERSION, NULL); /* no forward secrecy: nothing in common */
	SSL_set_cipher_list(c.ssl, "AES128-GCM-SHA256");
	assert_false(handshake(&c));
	client_done(&c);
	assert_int_equal(count(w, "tls_refused_nothing_in_common"), 2);
	assert_int_equal(w->got.n, 0);
	close_world(w);
}

static void damaged_records_end_it_and_what_came_before_counts(void **state)
{
	(void)state;
	struct world *w = open_world();
	static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
	for (int i = 0; i < 2; i++) {
		struct client c;
		struct buf b;
		buf_init(&b, 0);
		memory_client(&c, w, versions[i]);
		handshake_by_hand(&c, 1000);
		SSL_write(c.ssl, "good", 4);
		SSL_write(c.ssl, "bad", 3);
		buf_str(&b, outgoing(&c));
		b.p[b.n - 1] ^= 1;
		wire_send(&c.wire, buf_view(&b));
		expect_got(w, "good");
		wire_turn(w->loop, 5);
		assert_int_equal(w->ended, i + 1);
		assert_int_equal(w->why, TCP_END_ERROR);
		buf_done(&b);
		client_done(&c);
	}
	assert_int_equal(count(w, "tls_malformed"), 2);
	close_world(w);
}

/* Key updates cost us work and carry nothing; asked for, each wants an answer as well. */
static void key_updates_without_end_are_cut(void **state)
{
	(void)state;
	struct world *w = open_world();
	struct client c;
	client_new(&c, w, w->port, TLS1_3_VERSION, NULL);
	assert_true(handshake(&c));
	for (int i = 0; i < 20; i++) { /* a few are everybody's right */
		assert_true(SSL_key_update(c.ssl, SSL_KEY_UPDATE_REQUESTED));
		assert_true(put(&c, STR("x")));
	}
	expect_got(w, "xxxxxxxxxxxxxxxxxxxx");
	assert_int_equal(tcp_write(w->last, STR("with new keys")), ERR_OK);
	expect(&c, "with new keys");
	unsigned n = 0;
	for (; n < 20000 && !w->ended; n++) {
		char byte;
		if (!SSL_key_update(c.ssl, SSL_KEY_UPDATE_REQUESTED) ||
		        SSL_do_handshake(c.ssl) != 1)
			break;
		(void)SSL_peek(c.ssl, &byte, 1);
		wire_turn(w->loop, 0);
	}
	wire_turn(w->loop, 20);
	assert_int_equal(w->ended, 1);
	assert_int_equal(count(w, "limit_tls_bytes"), 1);
	client_done(&c);
	close_world(w);
}

static void nobody_renegotiates(void **state)
{
	(void)state;
	struct world *w = open_world();
	struct client c;
	client_new(&c, w, w->port, TLS1_2_VERSION, NULL);
	assert_true(handshake(&c));
	assert_true(put(&c, STR("one")));
	expect_got(w, "one");
	assert_true(SSL_renegotiate(c.ssl));
	assert_false(handshake(&c));
	assert_int_equal(count(w, "tls_handshakes"), 1);
	client_done(&c);
	close_world(w);
}

static void tickets_spare_the_second_handshake(void **state)
{
	(void)state;
	struct world *w = open_world();
	static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
	for (int i = 0; i < 2; i++) {
		struct client first, second;
		struct tls_error e;
		client_new(&first, w, w->port, versions[i], "a.example");
		assert_true(handshake(&first));
		wire_turn(w->loop, 5);
		assert_int_equal(tcp_write(w->last, STR("x")), ERR_OK);
		expect(&first, "x");
		assert_non_null(first.session);
		/* new certificates make no tickets useless */
		assert_true(load(w, "a", "a", &e));
		client_new(&second, w, w->port, versions[i], "a.example");
		SSL_set_session(second.ssl, first.session);
		assert_true(handshake(&second));
		assert_true(SSL_session_reused(second.ssl));
		assert_true(put(&second, STR("y")));
		expect_got(w, "y");
		client_done(&first);
		client_done(&second);
	}
	assert_int_equal(count(w, "tls_resumed"), 2);
	close_world(w);
}

static void a_certificate_is_made_once(void **state)
{
	(void)state;
	struct world *w = open_world();
	struct files f;
	struct tls_pair p = pair_of(w, &f, "self", "self");
	struct tls_error e;
	struct stat st;
	struct client c;
	static const char *const names[] = {
	        "meet.example", "bad name,DNS:evil", "192.0.2.7", "2001:db8::7", "*.x.example"};
	assert_int_equal(tls_self_signed(&p, names, 5, &e), SELF_SIGNED_MADE);
	assert_int_equal(tls_self_signed(&p, names, 5, &e), SELF_SIGNED_KEPT);
	assert_int_equal(stat(p.key, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_true(tls_context_load(w->tls, &p, 1, &e));
	client_new(&c, w, w->port, 0, "meet.example");
	assert_true(handshake(&c));
	X509 *x = SSL_get1_peer_certificate(c.ssl);
	assert_int_equal(X509_check_host(x, "meet.example", 0, 0, NULL), 1);
	assert_int_equal(X509_check_host(x, "evil", 0, 0, NULL), 0);
	assert_int_equal(X509_check_ip_asc(x, "192.0.2.7", 0), 1);
	assert_int_equal(X509_check_ip_asc(x, "2001:db8::7", 0), 1);
	X509_free(x);
	client_done(&c);
	/* without its key, or near its end, it is made anew */
	unlink(p.key);
	assert_int_equal(tls_self_signed(&p, names, 1, &e), SELF_SIGNED_MADE);
	make_pair(w, "self", "DNS:meet.example", -300, 10);
	assert_int_equal(tls_self_signed(&p, names, 1, &e), SELF_SIGNED_MADE);
	struct tls_pair nowhere = {"/nowhere/x.crt", "/nowhere/x.key"};
	assert_int_equal(tls_self_signed(&nowhere, names, 1, &e), SELF_SIGNED_FAILED);
	assert_non_null(strstr(e.text, "cannot be written"));
	close_world(w);
}

/* A peer that stops in the middle holds nobody up, and goes with its owner. */
static void half_a_handshake_is_its_owners_to_end(void **state)
{
	(void)state;
	struct world *w = open_world();
	struct client c;
	memory_client(&c, w, 0);
	(void)SSL_do_handshake(c.ssl);
	wire_send(&c.wire, str_sub(outgoing(&c), 0, 50));
	wire_turn(w->loop, 5);
	assert_false(tcp_tls_established(w->last));
	assert_int_equal(tcp_write(w->last, STR("never sent")), ERR_OK);
	wire_turn(w->loop, 20);
	assert_int_equal(tcp_queued(w->last), 10);
	tcp_close(w->last, 0);
	wire_turn(w->loop, 5);
	assert_int_equal(tcp_server_counters(w->server)->open, 0);
	client_done(&c);
	close_world(w);
}

UNIT_MAIN(cmocka_unit_test(both_versions_carry_bytes_both_ways),
        cmocka_unit_test(the_name_chooses_the_certificate),
        cmocka_unit_test(a_load_changes_what_new_ones_get_and_nothing_else),
        cmocka_unit_test(wrong_files_are_told_by_name),
        cmocka_unit_test(large_amounts_arrive_whole),
        cmocka_unit_test(a_connection_changes_its_loop_with_its_keys),
        cmocka_unit_test(a_connection_changes_its_loop_in_its_handshake),
        cmocka_unit_test(starttls_comes_behind_what_is_queued),
        cmocka_unit_test(a_handshake_may_come_byte_by_byte),
        cmocka_unit_test(who_speaks_something_else_is_cut),
        cmocka_unit_test(damaged_records_end_it_and_what_came_before_counts),
        cmocka_unit_test(key_updates_without_end_are_cut), cmocka_unit_test(nobody_renegotiates),
        cmocka_unit_test(tickets_spare_the_second_handshake),
        cmocka_unit_test(a_certificate_is_made_once),
        cmocka_unit_test(half_a_handshake_is_its_owners_to_end))
