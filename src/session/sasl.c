/* sasl.c - password logins of services: SCRAM-SHA-256, SCRAM-SHA-1 and, where nobody listens,
 * PLAIN (RFC 6120 6, RFC 4616). io
 *
 * Only on domains that have accounts; there nobody is a guest. */
#include "base/base64.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/utf8.h"
#include "session/accounts.h"
#include "session/internal.h"
#include "xmpp/ns.h"

#define NONCE_BYTES 18 /* 24 digits of base64 */
#define WRONG_MAX 3    /* passwords of one connection */

enum mechanism { SCRAM_SHA_256, SCRAM_SHA_1, PLAIN, MECHANISMS };
static const char *const names[MECHANISMS] = {"SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN"};

struct sasl {
	enum mechanism mechanism;
	bool challenged; /* SCRAM: its challenge is out, the proof is awaited */
	struct scram scram;
	struct account_proof proof;
	struct buf user;
};

void sasl_end(struct session *s)
{
	struct sasl *x = s->sasl;
	if (!x)
		return;
	s->sasl = NULL;
	scram_end(&x->scram);
	buf_done(&x->user);
	explicit_bzero(&x->proof, sizeof x->proof);
	mem_free(x);
}

bool sasl_here(const struct session *s)
{
	return !str_absent(accounts_domain(s->all->settings.accounts, s->domain));
}

static bool offers(const struct session *s, enum mechanism m)
{
	return m != PLAIN || (s->transport && s->transport->ops->secure(s->transport));
}

void sasl_write_mechanisms(const struct session *s, struct buf *b)
{
	for (int m = 0; m < MECHANISMS; m++) {
		if (offers(s, (enum mechanism)m))
			buf_printf(b, "<mechanism>%s</mechanism>", names[m]);
	}
}

/* Back to where a mechanism is chosen. */
static void fail(struct session *s, const char *condition)
{
	sasl_end(s);
	s->state = SESSION_AUTH;
	login_fail(s, condition);
}

/* The same for a name that there is not and for a wrong password. */
static void fail_password(struct session *s, const char *reason)
{
	struct sessions *ss = s->all;
	ss->counters.refused_logins++;
	if (session_may_log(ss))
		log_info("event=refuse stage=sasl because=%s user=%s domain=%.*s mechanism=%s "
		         "peer=%s",
		        reason, log_value(buf_view(&s->sasl->user)), STR_FMT(s->domain),
		        names[s->sasl->mechanism], s->peer);
	bool last = ++s->wrong_passwords >= WRONG_MAX;
	fail(s, "not-authorized");
	if (last)
		session_close(
		        s, SESSION_PROTOCOL, "policy-violation", STR("Too many wrong passwords"));
}

static bool may_try(struct session *s)
{
	struct sessions *ss = s->all;
	if (accounts_try(ss->settings.accounts, str_c(s->peer), loop_now_ms(ss->loop)))
		return true;
	ss->counters.limit_service_passwords++;
	if (session_may_log(ss))
		log_warn("event=limit limit=service_passwords_per_minute peer=%s", s->peer);
	fail(s, "temporary-auth-failure");
	session_close(s, SESSION_RATE, "policy-violation", STR("Too many wrong passwords"));
	return false;
}

static void succeed(struct session *s, const struct account *account, struct str data)
{
	accounts_right(s->all->settings.accounts, str_c(s->peer));
	log_info("event=service-login account=%.*s@%.*s kind=%s mechanism=%s peer=%s",
	        STR_FMT(account->node), STR_FMT(account->domain), service_name(account->service),
	        names[s->sasl->mechanism], s->peer);
	struct buf b;
	buf_init(&b, 0);
	base64_encode(data, &b);
	sasl_end(s);
	if (b.failed) {
		fail(s, "temporary-auth-failure");
	} else {
		s->account = account;
		login_accept(s, buf_view(&b));
	}
	buf_done(&b);
}

/* May this account act under that name: its own, or none. */
static bool acts_as_itself(const struct account *account, struct str name)
{
	struct str node = str_sub(name, 0, str_find(name, '@'));
	struct str domain = str_sub(name, node.n + 1, name.n);
	if (name.n == 0)
		return true;
	return str_eq_ascii_nocase(node, account->node) &&
	       (node.n == name.n || str_eq_ascii_nocase(domain, account->domain));
}

/* authzid NUL authcid NUL password */
static void on_plain(struct session *s, struct str message)
{
	struct sasl *x = s->sasl;
	struct str rest = message;
	struct str acts_as = str_split(&rest, '\0');
	struct str user = str_absent(rest) ? STR_NONE : str_split(&rest, '\0');
	if (str_absent(rest) || !user.n || !rest.n || memchr(rest.p, '\0', rest.n) ||
	        !utf8_valid(message)) {
		fail(s, "malformed-request");
		return;
	}
	buf_str(&x->user, user);
	if (!may_try(s))
		return;
	const struct account *account =
	        accounts_plain(s->all->settings.accounts, s->domain, user, rest);
	if (!account)
		fail_password(s, "password");
	else if (!acts_as_itself(account, acts_as))
		fail(s, "invalid-authzid");
	else
		succeed(s, account, STR(""));
}

static void challenge(struct session *s, struct str data)
{
	struct buf *b = session_begin(s);
	buf_puts(b, "<challenge xmlns='" NS_SASL "'>");
	base64_encode(data, b);
	buf_puts(b, "</challenge>");
	s->state = SESSION_CHALLENGED;
	session_flush(s);
}

static void on_scram_first(struct session *s, struct str message)
{
	struct sasl *x = s->sasl;
	struct buf acts_as, nonce;
	uint8_t random[NONCE_BYTES];
	buf_init(&acts_as, 0);
	buf_init(&nonce, 0);
	enum scram_result result = scram_client_first(&x->scram, message, &x->user, &acts_as);
	if (result == SCRAM_FINE && !(rand_bytes(random, sizeof random) &&
	                                    accounts_scram(s->all->settings.accounts, s->domain,
	                                            buf_view(&x->user), x->scram.hash, &x->proof)))
		result = SCRAM_NO_MEMORY;
	struct str first = STR_NONE;
	if (result == SCRAM_FINE) {
		base64_encode(str_from((const char *)random, sizeof random), &nonce);
		if (!nonce.failed)
			first = scram_challenge(&x->scram, buf_view(&nonce),
			        account_salt(&x->proof), SCRAM_ITERATIONS);
	}
	/* whose name it wants to take: its own is all it may, and a wrong one is refused with the
	 * proof, since to ask this now would tell which accounts there are */
	if (!str_absent(first) && x->proof.account &&
	        !acts_as_itself(x->proof.account, buf_view(&acts_as)))
		x->proof.account = NULL;
	buf_done(&acts_as);
	buf_done(&nonce);
	if (result == SCRAM_MALFORMED) {
		fail(s, "malformed-request");
	} else if (str_absent(first)) {
		s->all->counters.no_memory++;
		fail(s, "temporary-auth-failure");
	} else {
		x->challenged = true;
		challenge(s, first);
	}
}

static void on_scram_final(struct session *s, struct str message)
{
	struct sasl *x = s->sasl;
	struct buf final;
	if (!may_try(s))
		return;
	buf_init(&final, 0);
	switch (scram_client_final(&x->scram, message, &x->proof.keys, &final)) {
	case SCRAM_FINE:
		if (x->proof.account)
			succeed(s, x->proof.account, buf_view(&final));
		else
			fail_password(s, "password");
		break;
	case SCRAM_WRONG:
		fail_password(s, "password");
		break;
	case SCRAM_MALFORMED:
		fail(s, "malformed-request");
		break;
	case SCRAM_NO_MEMORY:
		s->all->counters.no_memory++;
		fail(s, "temporary-auth-failure");
		break;
	}
	buf_done(&final);
}

static void on_message(struct session *s, struct str message)
{
	struct sasl *x = s->sasl;
	if (x->mechanism == PLAIN)
		on_plain(s, message);
	else if (x->challenged)
		on_scram_final(s, message);
	else
		on_scram_first(s, message);
}

/* The base64 inside an element. False: answered. */
static bool read_data(struct session *s, const struct element *e, struct buf *out)
{
	struct str text = str_trim(element_text(e, &s->all->arena));
	if (str_eqc(text, "="))
		return true;
	if (text.n <= 2 * SCRAM_MESSAGE_MAX && base64_decode(text, out) == 0)
		return true;
	fail(s, out->failed ? "temporary-auth-failure" : "incorrect-encoding");
	return false;
}

void sasl_auth(struct session *s, const struct element *e)
{
	struct str wanted = element_attr(e, "mechanism");
	int m = 0;
	while (m < MECHANISMS && !(str_eqc(wanted, names[m]) && offers(s, (enum mechanism)m)))
		m++;
	if (m == MECHANISMS) {
		login_fail(
		        s, str_eqc(wanted, "PLAIN") ? "encryption-required" : "invalid-mechanism");
		return;
	}
	struct sasl *x = mem_zalloc(sizeof *x);
	if (!x) {
		s->all->counters.no_memory++;
		login_fail(s, "temporary-auth-failure");
		return;
	}
	x->mechanism = (enum mechanism)m;
	scram_begin(&x->scram, m == SCRAM_SHA_1 ? HASH_SHA_1 : HASH_SHA_256);
	buf_init(&x->user, SCRAM_MESSAGE_MAX);
	s->sasl = x;
	if (str_trim(element_text(e, &s->all->arena)).n == 0) {
		challenge(
		        s, STR("")); /* it has not said anything yet: these begin with the client */
		return;
	}
	sasl_response(s, e);
}

void sasl_response(struct session *s, const struct element *e)
{
	struct buf data;
	buf_init(&data, 2 * SCRAM_MESSAGE_MAX);
	if (read_data(s, e, &data))
		on_message(s, buf_view(&data));
	if (data.p)
		explicit_bzero(data.p, data.n);
	buf_done(&data);
}

void sasl_challenged(struct session *s, const struct element *e)
{
	if (element_is(e, "response", NS_SASL))
		sasl_response(s, e);
	else if (element_is(e, "abort", NS_SASL))
		fail(s, "aborted");
	else
		session_close(s, SESSION_PROTOCOL, "not-authorized", STR("Answer the challenge"));
}
