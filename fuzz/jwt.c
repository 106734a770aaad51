/* jwt.c - a compact token from a stranger, against one secret and against one list of public keys.
 * io */
#include <stdlib.h>

#include "token/jwt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* RFC 7515 A.3 and RFC 8037 A.2 */
static const char jwks[] =
        "{\"keys\":[{\"kty\":\"EC\",\"kid\":\"k\",\"crv\":\"P-256\",\"x\":"
        "\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
        "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"},"
        "{\"kty\":\"OKP\",\"kid\":\"k\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_"
        "7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}";

static void verify(const struct token_settings *s, const struct token_keys *k, struct str text)
{
	struct token_result r;
	struct str token;
	token_verify(s, k, text, 1800000000, &r);
	if ((r.reason == R_NONE) != (r.claims != NULL) || strpbrk(r.text, "<>&\n"))
		abort();
	token_result_done(&r);
	(void)token_from_request(
	        str_sub(text, 0, text.n / 2), str_sub(text, text.n / 2, text.n), &token);
}

/* Loads or says why not. */
static void load(struct str text)
{
	struct token_settings s;
	struct token_error e = {""};
	token_settings_init(&s);
	s.keys.source = TOKEN_KEYS_JWKS;
	s.keys.algs = (1u << TOKEN_ALG_COUNT) - 1;
	struct token_keys *k = token_keys_load(&s, text, &e);
	if (!k && !e.text[0])
		abort();
	if (k && token_keys_count(k) == 0)
		abort();
	token_keys_free(k);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct token_settings s[2];
	static struct token_keys *k[2];
	if (!k[0]) {
		token_settings_init(&s[0]);
		s[0].app_id = STR("my_app");
		s[0].keys.app_secret = STR("0123456789abcdef0123456789abcdef");
		s[1] = s[0];
		s[1].keys.source = TOKEN_KEYS_JWKS;
		s[1].keys.algs = (1u << TOKEN_ALG_COUNT) - 1;
		k[0] = token_keys_load(&s[0], STR_NONE, NULL);
		k[1] = token_keys_load(&s[1], STR(jwks), NULL);
		if (!k[0] || !k[1])
			abort();
	}
	struct str text = str_from((const char *)data, size);
	if (size && (data[0] == '{' || data[0] == '-')) {
		load(text);
		return 0;
	}
	for (int i = 0; i < 2; i++)
		verify(&s[i], k[i], text);
	return 0;
}
