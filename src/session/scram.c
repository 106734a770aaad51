/* scram.c - SCRAM's messages read and written, and the proof checked. pure */
#include "session/scram.h"

#include "base/base64.h"
#include "base/utf8.h"

#define NONCE_MAX 256

static struct str bytes(const uint8_t *p, size_t n)
{
	return str_from((const char *)p, n);
}

bool scram_derive(enum hash_kind hash, struct str password, struct str salt, unsigned iterations,
        struct scram_keys *out)
{
	uint8_t salted[HASH_MAX], client[HASH_MAX];
	size_t n = hash_size(hash);
	bool fine = hash_pbkdf2(hash, password, salt, iterations, salted) &&
	            hash_hmac(hash, bytes(salted, n), STR("Client Key"), client) &&
	            hash_digest(hash, bytes(client, n), out->stored) &&
	            hash_hmac(hash, bytes(salted, n), STR("Server Key"), out->server);
	explicit_bzero(salted, sizeof salted);
	explicit_bzero(client, sizeof client);
	return fine;
}

void scram_begin(struct scram *x, enum hash_kind hash)
{
	*x = (struct scram){.hash = hash};
	buf_init(&x->gs2, SCRAM_MESSAGE_MAX);
	buf_init(&x->said, 0);
}

void scram_end(struct scram *x)
{
	buf_done(&x->gs2);
	buf_done(&x->said);
}

/* Takes "k=value" and its comma off *rest; absent: it is another attribute, or none. */
static struct str take(struct str *rest, char key)
{
	if (rest->n < 2 || rest->p[0] != key || rest->p[1] != '=')
		return STR_NONE;
	struct str value = str_split(rest, ',');
	return str_sub(value, 2, value.n);
}

/* RFC 5802 5.1: "=2C" and "=3D" are a comma and an equals sign, which can't stand there. */
static bool put_name(struct str s, struct buf *out)
{
	if (!utf8_valid(s))
		return false;
	for (size_t i = 0; i < s.n; i++) {
		struct str escape = str_sub(s, i, i + 3);
		if (s.p[i] == '\0')
			return false;
		if (s.p[i] != '=')
			buf_putc(out, s.p[i]);
		else if (str_eqc(escape, "=2C"))
			buf_putc(out, ','), i += 2;
		else if (str_eqc(escape, "=3D"))
			buf_putc(out, '='), i += 2;
		else
			return false;
	}
	return true;
}

static bool is_nonce(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < 0x21 || s.p[i] > 0x7e)
			return false;
	}
	return s.n > 0 && s.n <= NONCE_MAX;
}

enum scram_result scram_client_first(
        struct scram *x, struct str message, struct buf *user, struct buf *acts_as)
{
	struct str rest = message;
	if (message.n > SCRAM_MESSAGE_MAX)
		return SCRAM_MALFORMED;
	struct str binding = str_split(&rest, ',');
	/* y: it could bind to a channel, and thinks that we can't, which is so */
	if (!(str_eqc(binding, "n") || str_eqc(binding, "y")) || str_absent(rest))
		return SCRAM_MALFORMED;
	struct str other = str_split(&rest, ',');
	if (str_absent(rest) || (other.n && !(str_starts(other, STR("a=")) && other.n > 2)))
		return SCRAM_MALFORMED;
	if (other.n && !put_name(str_sub(other, 2, other.n), acts_as))
		return SCRAM_MALFORMED;
	buf_str(&x->gs2, str_from(message.p, (size_t)(rest.p - message.p)));
	struct str bare = rest;
	struct str name = take(&rest, 'n');
	if (!name.n || !put_name(name, user))
		return SCRAM_MALFORMED;
	struct str nonce = take(&rest, 'r');
	if (!is_nonce(nonce))
		return SCRAM_MALFORMED;
	buf_str(&x->said, bare);
	x->nonce_at = (size_t)(nonce.p - bare.p);
	x->nonce_n = nonce.n;
	bool failed = x->gs2.failed || x->said.failed || user->failed || acts_as->failed;
	return failed ? SCRAM_NO_MEMORY : SCRAM_FINE;
}

struct str scram_challenge(struct scram *x, struct str nonce, struct str salt, unsigned iterations)
{
	struct buf *b = &x->said;
	struct buf first;
	buf_init(&first, 0);
	buf_str(&first, str_sub(buf_view(b), x->nonce_at, x->nonce_at + x->nonce_n));
	buf_putc(b, ',');
	x->challenge_at = b->n;
	buf_puts(b, "r=");
	x->nonce_at = b->n;
	buf_str(b, buf_view(&first));
	buf_str(b, nonce);
	x->nonce_n = b->n - x->nonce_at;
	buf_puts(b, ",s=");
	base64_encode(salt, b);
	buf_printf(b, ",i=%u", iterations);
	bool failed = first.failed || b->failed;
	buf_done(&first);
	return failed ? STR_NONE : str_sub(buf_view(b), x->challenge_at, b->n);
}

/* c=, the header again; r=, the whole nonce; perhaps more; p=, at the end. */
static enum scram_result read_final(
        const struct scram *x, struct str message, struct str *without_proof, struct buf *proof)
{
	struct str rest = message, said = buf_view(&x->said);
	struct buf header;
	buf_init(&header, SCRAM_MESSAGE_MAX);
	struct str binding = take(&rest, 'c');
	bool fine = !str_absent(binding) && base64_decode(binding, &header) == 0 &&
	            str_eq(buf_view(&header), buf_view(&x->gs2));
	bool failed = header.failed;
	buf_done(&header);
	if (failed)
		return SCRAM_NO_MEMORY;
	struct str nonce = fine ? take(&rest, 'r') : STR_NONE;
	if (str_absent(nonce) || str_absent(rest) ||
	        !str_eq(nonce, str_sub(said, x->nonce_at, x->nonce_at + x->nonce_n)))
		return SCRAM_MALFORMED;
	struct str last = STR_NONE;
	while (!str_absent(rest)) {
		last = str_split(&rest, ',');
		if (last.n < 2 || last.p[1] != '=' || last.p[0] == 'm')
			return SCRAM_MALFORMED;
	}
	if (last.p[0] != 'p' || base64_decode(str_sub(last, 2, last.n), proof) != 0)
		return proof->failed ? SCRAM_NO_MEMORY : SCRAM_MALFORMED;
	*without_proof = str_from(message.p, (size_t)(last.p - message.p) - 1);
	return proof->n == hash_size(x->hash) ? SCRAM_FINE : SCRAM_MALFORMED;
}

static enum scram_result check_proof(
        struct scram *x, const struct scram_keys *keys, struct str proof, struct buf *out)
{
	uint8_t signature[HASH_MAX], client[HASH_MAX], stored[HASH_MAX], server[HASH_MAX];
	size_t n = hash_size(x->hash);
	struct str said = buf_view(&x->said);
	if (!hash_hmac(x->hash, bytes(keys->stored, n), said, signature) ||
	        !hash_hmac(x->hash, bytes(keys->server, n), said, server))
		return SCRAM_NO_MEMORY;
	for (size_t i = 0; i < n; i++)
		client[i] = (uint8_t)proof.p[i] ^ signature[i];
	bool hashed = hash_digest(x->hash, bytes(client, n), stored);
	bool same = str_eq_secret(bytes(stored, n), bytes(keys->stored, n));
	explicit_bzero(client, sizeof client);
	if (!hashed)
		return SCRAM_NO_MEMORY;
	if (!same)
		return SCRAM_WRONG;
	buf_puts(out, "v=");
	base64_encode(bytes(server, n), out);
	return out->failed ? SCRAM_NO_MEMORY : SCRAM_FINE;
}

enum scram_result scram_client_final(
        struct scram *x, struct str message, const struct scram_keys *keys, struct buf *out)
{
	struct buf proof;
	struct str without_proof;
	if (message.n > SCRAM_MESSAGE_MAX)
		return SCRAM_MALFORMED;
	buf_init(&proof, 0);
	enum scram_result result = read_final(x, message, &without_proof, &proof);
	if (result == SCRAM_FINE) {
		buf_putc(&x->said, ',');
		buf_str(&x->said, without_proof);
		result = x->said.failed ? SCRAM_NO_MEMORY
		                        : check_proof(x, keys, buf_view(&proof), out);
	}
	buf_done(&proof);
	return result;
}
