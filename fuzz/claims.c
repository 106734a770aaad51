/* claims.c - header and payload as decoded text, "header NUL payload", past a signature that is
 * taken as valid. io
 */
#include <stdlib.h>

#include "token/claims.h"
#include "token/jwt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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
	return 0;
}
