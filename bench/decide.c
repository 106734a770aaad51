/* decide.c - the time of a role decision in a room of 5 and of 500, beside that of verifying the
 * token. io
 *
 * The room is a real one, filled through joins; the view is the one that the room hands to the
 * policy. Each figure is the median of several stretches of CPU time, with the least and the most.
 */
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "policy/decide.h"
#include "room/model.h"
#include "token/jwt.h"
#include "xmpp/ns.h"
#include "xmpp/xml.h"

#define STRETCHES 9
#define STRETCH_S 0.1
#define ROOM "demo@conference.meet.example"
#define NOW 1790000000

static const char secret[] = "0123456789abcdef0123456789abcdef0123456789abcdef";

static void need(bool fine, const char *what)
{
	if (fine)
		return;
	fprintf(stderr, "decide: %s\n", what);
	exit(1);
}

static double cpu_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* Returns the median, in microseconds. */
static double measure(const char *what, void (*once)(void *arg), void *arg)
{
	double us[STRETCHES];
	for (int i = 0; i < STRETCHES; i++) {
		double began = cpu_s(), now;
		unsigned long n = 0;
		do {
			for (int k = 0; k < 50; k++, n++)
				once(arg);
			now = cpu_s();
		} while (now - began < STRETCH_S);
		us[i] = (now - began) * 1e6 / (double)n;
	}
	qsort(us, STRETCHES, sizeof *us, by_size);
	printf("%-52s %8.2f us (%.2f-%.2f)\n", what, us[STRETCHES / 2], us[0], us[STRETCHES - 1]);
	return us[STRETCHES / 2];
}

/* Tokens */

static size_t base64url(const unsigned char *in, size_t n, char *out)
{
	size_t o = (size_t)EVP_EncodeBlock((unsigned char *)out, in, (int)n);
	while (o && out[o - 1] == '=')
		o--;
	for (size_t i = 0; i < o; i++)
		out[i] = out[i] == '+' ? '-' : out[i] == '/' ? '_' : out[i];
	out[o] = '\0';
	return o;
}

/* key NULL: HS256 with the secret. */
static void make_token(unsigned person, EVP_PKEY *key, char *out)
{
	char claims[512];
	const char *header =
	        key ? "{\"alg\":\"RS256\",\"typ\":\"JWT\"}" : "{\"alg\":\"HS256\",\"typ\":\"JWT\"}";
	unsigned char sum[512];
	size_t sum_n = sizeof sum;
	int n = snprintf(claims, sizeof claims,
	        "{\"iss\":\"my_app\",\"aud\":\"jitsi\",\"sub\":\"meet.example\",\"room\":\"demo\","
	        "\"exp\":%d,\"context\":"
	        "{\"user\":{\"id\":\"u%u\",\"name\":\"Person "
	        "%u\",\"email\":\"p%u@example.org\"%s}}}",
	        NOW + 3600, person, person, person, person % 4 ? "" : ",\"moderator\":true");
	size_t at = base64url((const unsigned char *)header, strlen(header), out);
	out[at++] = '.';
	at += base64url((const unsigned char *)claims, (size_t)n, out + at);
	if (key) {
		EVP_MD_CTX *c = EVP_MD_CTX_new();
		need(c && EVP_DigestSignInit(c, NULL, EVP_sha256(), NULL, key) == 1 &&
		                EVP_DigestSign(c, sum, &sum_n, (unsigned char *)out, at) == 1,
		        "cannot sign");
		EVP_MD_CTX_free(c);
	} else {
		unsigned hmac_n = 0;
		HMAC(EVP_sha256(), secret, (int)sizeof secret - 1, (unsigned char *)out, at, sum,
		        &hmac_n);
		sum_n = hmac_n;
	}
	out[at++] = '.';
	base64url(sum, sum_n, out + at);
}

struct verification {
	struct token_settings settings;
	struct token_keys *keys;
	char token[2048];
};

static void verify(void *arg)
{
	struct verification *v = arg;
	struct token_result r;
	token_verify(&v->settings, v->keys, str_c(v->token), NOW, &r);
	need(r.reason == R_NONE, r.text);
	token_result_done(&r);
}

static void load_keys(struct verification *v)
{
	struct token_error e = {{0}};
	v->settings.app_id = STR("my_app");
	v->keys = token_keys_load(&v->settings, STR_NONE, &e);
	need(v->keys != NULL, e.text);
}

static void prepare_hmac(struct verification *v)
{
	token_settings_init(&v->settings);
	v->settings.keys.app_secret = STR(secret);
	load_keys(v);
	make_token(1, NULL, v->token);
}

static void prepare_rsa(struct verification *v)
{
	char path[] = "/tmp/bench-decide-XXXXXX";
	int fd = mkstemp(path);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
	EVP_PKEY *key = EVP_RSA_gen(2048);
	need(f && key && PEM_write_PUBKEY(f, key) == 1 && fclose(f) == 0, "cannot write a key");
	struct token_key_file file = {.kid = STR_NONE, .path = str_c(path)};
	token_settings_init(&v->settings);
	v->settings.keys = (struct token_key_settings){.source = TOKEN_KEYS_FILE,
	        .key_files = &file,
	        .n_key_files = 1,
	        .app_secret = STR_NONE};
	load_keys(v);
	unlink(path);
	make_token(1, key, v->token);
	EVP_PKEY_free(key);
}

static struct claims *claims_of(const struct verification *v, unsigned person)
{
	struct token_result r;
	char token[2048];
	make_token(person, NULL, token);
	token_verify(&v->settings, v->keys, str_c(token), NOW, &r);
	need(r.reason == R_NONE, r.text);
	struct claims *claims = r.claims;
	r.claims = NULL;
	token_result_done(&r);
	return claims;
}

/* Rooms */

static void drop(void *arg, struct session_handle to, struct str head, struct block *tail)
{
	(void)arg, (void)to, (void)head, (void)tail;
}

static void join(struct room_service *s, unsigned person, struct claims *claims)
{
	char text[512], key[40], jid[80];
	struct arena a;
	struct element *e = NULL;
	struct stanza st;
	struct xml_parser *p = xml_parser_new();
	snprintf(key, sizeof key, "%08x-0000-4000-8000-000000000000", person);
	snprintf(jid, sizeof jid, "%s@meet.example/r", key);
	int n = snprintf(text, sizeof text,
	        "<presence xmlns='jabber:client' to='" ROOM "/%08x'><x xmlns='" NS_MUC
	        "'/><nick xmlns='" NS_NICK "'>Person %u</nick></presence>",
	        person, person);
	arena_init(&a, 0);
	need(p &&
	                xml_parse(p, str_from(text, (size_t)n), &xml_limits_after_auth, &a, &e) ==
	                        XML_FINE &&
	                stanza_read(e, &a, &st) == 0,
	        "a stanza is none");
	const struct room_client c = {.handle = {0, person, 1},
	        .jid = str_c(jid),
	        .key = str_c(key),
	        .peer_loopback = true,
	        .claims = claims};
	room_service_stanza(s, &c, &st);
	arena_done(&a);
	xml_parser_free(p);
}

struct decision {
	struct join_request request;
	struct room_view view;
};

static void decide(void *arg)
{
	struct decision *d = arg;
	struct verdict v;
	policy_join(&d->request, &v);
	need(v.accepted, "the decision refuses");
}

static double measure_room(
        const struct verification *v, const struct policy_settings *policy, unsigned size)
{
	struct timer_wheel wheel;
	const struct outbox outbox = {.send = drop};
	struct room_settings settings = room_settings_default;
	settings.domain = STR("meet.example");
	settings.muc_domain = STR("conference.meet.example");
	settings.focus_jid = STR("focus@auth.meet.example");
	settings.policy = policy;
	settings.joins_per_second = 100000;
	timer_wheel_init(&wheel, 1000);
	struct room_service *s =
	        room_service_new(&settings, &outbox, &(struct room_listener){0}, &wheel);
	need(s != NULL, "no memory");
	room_service_clock(s, 1000, NOW);
	for (unsigned i = 0; i < size; i++) {
		struct claims *c = claims_of(v, i);
		join(s, i, c);
		claims_unref(c);
	}
	struct room *r = room_find(s, STR(ROOM));
	need(r && room_size(r) == size, "not everybody is in the room");
	struct claims *newcomer = claims_of(v, size);
	struct decision d;
	room_view_make(s, r, STR("demo"), &d.view);
	d.request = (struct join_request){.settings = policy,
	        .room = &d.view,
	        .now = NOW,
	        .claims = newcomer,
	        .session = STR("ffffffff-0000-4000-8000-000000000000"),
	        .nick = STR("Person 1")};
	char what[64];
	snprintf(what, sizeof what, "policy_join, a room of %u", size);
	double us = measure(what, decide, &d);
	claims_unref(newcomer);
	for (unsigned i = 0; i < size; i++)
		room_service_gone(s, (struct session_handle){0, i, 1});
	room_service_free(s);
	return us;
}

int main(void)
{
	static struct verification hmac, rsa;
	struct policy_settings policy;
	log_set_level(LOG_ERROR);
	policy_settings_init(&policy);
	policy.domain = STR("meet.example");
	prepare_hmac(&hmac);
	prepare_rsa(&rsa);
	double five = measure_room(&hmac, &policy, 5), many = measure_room(&hmac, &policy, 500);
	double hs = measure("token_verify, HS256", verify, &hmac),
	       rs = measure("token_verify, RS256 (2048 bits)", verify, &rsa);
	printf("{\"decide_us_5\":%.3f,\"decide_us_500\":%.3f,\"verify_us_hs256\":%.3f,\"verify_us_"
	       "rs256\":%.3f}\n",
	        five, many, hs, rs);
	token_keys_free(hmac.keys);
	token_keys_free(rsa.keys);
	return 0;
}
