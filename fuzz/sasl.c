/* sasl.c - fuzz: the client's messages of a password login: SCRAM's first and last, PLAIN's; only
 * who knows the password gets in. io
 *
 * A line feed stands between the first message and the last. The server's nonce is always the
 * same, so that a whole exchange can be a seed; the first byte chooses the hash. */
#include <stdlib.h>

#include "base/base64.h"
#include "session/accounts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct account_order order = {
        {"user", 4}, {"auth.x", 6}, {"pencil", 6}, SERVICE_BRIDGE};

static struct accounts *accounts(void)
{
	static struct accounts *a;
	if (!a && !(a = accounts_new(&order, 1, 10)))
		abort();
	return a;
}

static void keys_of(enum hash_kind hash, struct str salt, struct scram_keys *out)
{
	static struct scram_keys keys[HASH_KINDS];
	static bool known[HASH_KINDS];
	if (!known[hash] && !scram_derive(hash, STR("pencil"), salt, SCRAM_ITERATIONS, &keys[hash]))
		abort();
	known[hash] = true;
	*out = keys[hash];
}

/* Whoever was let in has proved it: his proof, undone with the signature, is the key. */
static void check_proof(enum hash_kind hash, struct str bare, struct str challenge, struct str last,
        const struct scram_keys *keys)
{
	struct buf said, proof;
	uint8_t signature[HASH_MAX], key[HASH_MAX], stored[HASH_MAX];
	size_t n = hash_size(hash), at = last.n;
	while (at > 0 && !(last.p[at - 1] == ',' && last.p[at] == 'p'))
		at--;
	buf_init(&said, 0);
	buf_init(&proof, 0);
	buf_str(&said, bare);
	buf_putc(&said, ',');
	buf_str(&said, challenge);
	buf_putc(&said, ',');
	buf_str(&said, str_sub(last, 0, at - 1));
	if (base64_decode(str_sub(last, at + 2, last.n), &proof) != 0 || proof.n != n ||
	        !hash_hmac(
	                hash, str_from((const char *)keys->stored, n), buf_view(&said), signature))
		abort();
	for (size_t i = 0; i < n; i++)
		key[i] = (uint8_t)(proof.p[i] ^ signature[i]);
	hash_digest(hash, str_from((const char *)key, n), stored);
	if (memcmp(stored, keys->stored, n) != 0)
		abort();
	buf_done(&said);
	buf_done(&proof);
}

static void run(enum hash_kind hash, struct str first, struct str last)
{
	static const struct {
		const char *nonce, *salt;
	} fixed[HASH_KINDS] = {{"3rfcNHYJY1ZVvWVs7j", "A%\xc2G\xe4:\xb1\xe9<m\xffv"},
	        {"%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0", "[m\x99h\x9d\x12"
	                                           "5\x8e\xec\xa0K\x14\x12"
	                                           "6\xfa\x81"}};
	struct scram x;
	struct scram_keys keys;
	struct buf user, acts_as, final;
	buf_init(&user, 0);
	buf_init(&acts_as, 0);
	buf_init(&final, 0);
	scram_begin(&x, hash);
	if (scram_client_first(&x, first, &user, &acts_as) == SCRAM_FINE) {
		struct str salt = str_c(fixed[hash].salt);
		struct account_proof known;
		if (user.n == 0 || user.n > first.n ||
		        !accounts_scram(accounts(), STR("auth.x"), buf_view(&user), hash, &known))
			abort();
		keys_of(hash, salt, &keys);
		struct str challenge =
		        scram_challenge(&x, str_c(fixed[hash].nonce), salt, SCRAM_ITERATIONS);
		size_t n = first.n - x.gs2.n;
		struct str bare = str_sub(first, first.n - n, first.n);
		struct buf copy;
		buf_init(&copy, 0);
		buf_str(&copy, challenge);
		if (scram_client_final(&x, last, &keys, &final) == SCRAM_FINE)
			check_proof(hash, bare, buf_view(&copy), last, &keys);
		else if (final.n)
			abort();
		buf_done(&copy);
	}
	scram_end(&x);
	buf_done(&user);
	buf_done(&acts_as);
	buf_done(&final);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	struct str in = str_from((const char *)data + 1, size - 1);
	size_t at = str_find(in, '\n');
	struct str first = str_sub(in, 0, at), last = str_sub(in, at + 1, in.n);
	run(data[0] & 1 ? HASH_SHA_256 : HASH_SHA_1, first, last);
	const struct account *a = accounts_plain(accounts(), STR("auth.x"), first, last);
	if (a && !str_eqc(last, "pencil")) {
		/* another spelling of it in Unicode is the same password */
		for (size_t i = 0;; i++) {
			if (i == last.n)
				abort();
			if ((unsigned char)last.p[i] >= 0x80)
				break;
		}
	}
	return 0;
}
