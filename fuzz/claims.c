/* claims.c - header and payload as decoded text, "header NUL payload", past a signature that is
 * taken as valid; and the payload as JSON that is written and read again. io
 */
#include <stdlib.h>

#include "token/claims.h"
#include "token/jwt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_json(struct str text)
{
	struct jval_error e = {0};
	struct jval *read = jval_parse(text, 32, &e), *again, *copy;
	struct buf out;
	if (!read) {
		if (!e.text[0])
			abort();
		return;
	}
	buf_init(&out, 0);
	jval_write(read, &out);
	again = jval_parse(buf_view(&out), 32, NULL);
	copy = jval_copy(read);
	if (out.failed || !again || !copy || !jval_equal(read, again) || !jval_equal(read, copy))
		abort();
	jval_free(read);
	jval_free(again);
	jval_free(copy);
	buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct token_settings s;
	struct token_result r;
	struct str text = str_from((const char *)data, size), rest = text;
	struct str header = str_split(&rest, '\0');
	struct sig_assumed assumed = {&s, true};
	struct sig_oracle oracle = sig_oracle_assumed(&assumed);
	struct token_parts parts = {header, rest, 0, true, text};
	token_settings_init(&s);
	s.app_id = STR("my_app");
	s.keys.algs = TOKEN_ALG_BIT(TOKEN_HS256) | TOKEN_ALG_BIT(TOKEN_RS256);
	token_verify_parts(&s, &parts, &oracle, 1800000000, &r);
	if ((r.reason == R_NONE) != (r.claims != NULL) || strpbrk(r.text, "<>&\n"))
		abort();
	if (r.claims && (!r.claims->sub.n || !r.claims->room.n || !r.claims->iss.n))
		abort();
	token_result_done(&r);
	claims_unref(token_claims_parse(rest));
	try_json(rest);
	return 0;
}
