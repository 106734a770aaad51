/* sign.c - compact tokens made with a shared secret. pure */
#include "token/sign.h"

#include <openssl/crypto.h>

#include "base/base64.h"
#include "base/err.h"
#include "token/sig.h"

int token_sign(enum token_alg alg, struct str secret, struct str payload_json, struct buf *out)
{
	uint8_t mac[EVP_MAX_MD_SIZE];
	size_t start = out->n;
	struct buf header;
	if (token_alg_family(alg) != TOKEN_FAMILY_HMAC || secret.n == 0)
		return ERR_TYPE;
	buf_init(&header, 0);
	buf_printf(&header, "{\"alg\":\"%s\",\"typ\":\"JWT\"}", token_alg_name(alg));
	base64url_encode(buf_view(&header), out);
	buf_putc(out, '.');
	base64url_encode(payload_json, out);
	bool failed = header.failed || out->failed;
	buf_done(&header);
	if (failed)
		return ERR_NOMEM;
	size_t n = sig_hmac(alg, secret, str_sub(buf_view(out), start, out->n), mac);
	if (!n)
		return ERR_NOMEM;
	buf_putc(out, '.');
	base64url_encode(str_from((const char *)mac, n), out);
	return out->failed ? ERR_NOMEM : 0;
}
