/* jwks.c - what a key server (first byte 'p') or a key list ('j') answers, and the head of its
 * answer ('h'). io */
#include <stdlib.h>

#include "token/source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever is found is a public key that fits its family; whatever is not has a reason. */
static void look(struct str text, bool list)
{
	struct keyset ks = {0};
	struct token_error e = {""};
	bool ok = list ? keyset_add_text(&ks, text, "list", &e)
	               : keyset_add_pem(&ks, STR_NONE, text, "pem", &e);
	if (ok != (ks.n > 0 && !e.text[0]) && (ok || !e.text[0]))
		abort();
	for (size_t i = 0; i < ks.n; i++) {
		const struct keyset_key *k = &ks.items[i];
		if (!k->pkey || k->secret || k->family == TOKEN_FAMILY_HMAC ||
		        k->family >= TOKEN_FAMILY_COUNT)
			abort();
		if (k->only != TOKEN_ALG_COUNT && token_alg_family(k->only) != k->family)
			abort();
	}
	for (unsigned a = 0; a < TOKEN_ALG_COUNT; a++) {
		const struct keyset_key *k = keyset_find(&ks, (enum token_alg)a, STR("k"));
		if (k && k->family != token_alg_family((enum token_alg)a))
			abort();
	}
	keyset_done(&ks);
	if (ks.n || ks.items)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	struct str text = str_from((const char *)data + 1, size - 1);
	if (data[0] == 'h') {
		int64_t n = source_max_age(text);
		if (n < -1 || n > INT32_MAX)
			abort();
	} else {
		look(text, data[0] == 'j');
	}
	return 0;
}
