/* registered.c - times, issuer, audience, room and subject. pure */
#include "token/registered.h"

#include <stdarg.h>
#include <stdio.h>

#define SAFE_INTEGER (1LL << 53) /* beyond it a time is no time (roles.md 1.4) */
#define IAT_FUTURE 60            /* seconds */

bool token_refuse(
        struct token_result *out, enum reason reason, const char *text, const char *hint, ...)
{
	va_list args;
	if (!text)
		text = reason_info(reason)->text;
	out->reason = reason;
	snprintf(out->text, sizeof out->text, "%s", text ? text : "");
	va_start(args, hint);
	vsnprintf(out->hint, sizeof out->hint, hint, args);
	va_end(args);
	return false;
}

/* A claim's string as a JSON literal for the hint, cut at 64 bytes and never inside a character. */
static const char *quoted(struct str s, char out[200])
{
	struct buf b;
	size_t n = s.n > 64 ? 64 : s.n;
	while (n < s.n && n > 0 && ((unsigned char)s.p[n] & 0xc0) == 0x80)
		n--;
	buf_init(&b, 0);
	jval_quote(str_sub(s, 0, n), &b);
	snprintf(out, 200, "%.190s%s", b.failed || !b.p ? "\"\"" : b.p, n < s.n ? "..." : "");
	buf_done(&b);
	return out;
}

static bool is_time(const struct jval *j)
{
	if (jval_type(j) == JVAL_INTEGER) /* 2^53 + 1 would round down to 2^53 */
		return jval_integer(j) >= 0 && jval_integer(j) <= SAFE_INTEGER;
	return jval_type(j) == JVAL_REAL && jval_number(j) >= 0 &&
	       jval_number(j) <= (double)SAFE_INTEGER;
}

static bool check_exp(const struct token_settings *s, const struct jval *payload, double now,
        struct token_result *out)
{
	const struct jval *exp = jval_getc(payload, "exp"), *iat = jval_getc(payload, "iat");
	char text[sizeof out->text], valid[64] = "";
	if (!exp && s->require_exp)
		return token_refuse(
		        out, E_NO_EXP, NULL, "require_exp=false accepts tokens that never expire");
	if (!exp) {
		out->warnings |= W_NO_EXP;
		return true;
	}
	if (!is_time(exp))
		return token_refuse(out, E_EXP_TYPE, NULL,
		        "exp must be a JSON number of seconds since 1970, here it is %s",
		        jval_is_number(exp) ? "a number out of range" : jval_type_name(exp));
	if (now < jval_number(exp) + s->leeway)
		return true;
	if (is_time(iat))
		snprintf(valid, sizeof valid, ", valid for:%.0f sec",
		        jval_number(exp) - jval_number(iat));
	snprintf(text, sizeof text, "Not acceptable by exp (%.0f sec since expired%s)",
	        now - jval_number(exp), valid);
	return token_refuse(out, E_EXP, text,
	        "the token expired %.0f s ago (leeway=%u); issue a new one, or set the clocks of "
	        "issuer and server",
	        now - jval_number(exp), s->leeway);
}

static bool check_nbf(const struct token_settings *s, const struct jval *payload, double now,
        struct token_result *out)
{
	const struct jval *nbf = jval_getc(payload, "nbf"), *iat = jval_getc(payload, "iat");
	if (jval_is_number(iat) && jval_number(iat) > now + IAT_FUTURE)
		out->warnings |= W_IAT_FUTURE;
	if (!nbf)
		return true;
	if (!is_time(nbf))
		return token_refuse(out, E_NBF_TYPE, NULL,
		        "nbf must be a JSON number of seconds since 1970, here it is %s",
		        jval_is_number(nbf) ? "a number out of range" : jval_type_name(nbf));
	if (now >= jval_number(nbf) - s->leeway)
		return true;
	return token_refuse(out, E_NBF, NULL,
	        "the token is not valid for another %.0f s (leeway=%u); compare the clocks of "
	        "issuer and server",
	        jval_number(nbf) - now, s->leeway);
}

static bool issuer_accepted(const struct token_settings *s, struct str iss)
{
	if (!s->accepted_issuers.items)
		return s->app_id.n && str_eq(iss, s->app_id);
	return token_words_have(&s->accepted_issuers, iss) ||
	       token_words_have(&s->accepted_issuers, STR("*"));
}

static bool check_iss(
        const struct token_settings *s, const struct jval *payload, struct token_result *out)
{
	const struct jval *iss = jval_getc(payload, "iss");
	char name[200];
	if (!iss)
		return token_refuse(out, E_ISS, "'iss' claim is missing",
		        "the token needs an iss that accepted_issuers lists");
	if (!jval_is_string(iss))
		return token_refuse(out, E_ISS, NULL, "iss must be a string, here it is %s",
		        jval_type_name(iss));
	if (out->issuer || issuer_accepted(s, jval_str(iss)))
		return true;
	return token_refuse(out, E_ISS, NULL, "accepted_issuers=[%s] would accept it",
	        quoted(jval_str(iss), name));
}

/* The audience as far as it is readable: a string, or a non-empty array of strings. */
static bool aud_readable(const struct jval *aud)
{
	if (jval_is_string(aud))
		return true;
	bool all = jval_is_array(aud) && jval_size(aud) > 0;
	for (size_t i = 0; all && i < jval_size(aud); i++)
		all = jval_is_string(jval_at(aud, i));
	return all;
}

static bool audience_accepted(const struct token_settings *s, const struct jval *aud)
{
	const struct token_words *accepted = &s->accepted_audiences;
	if (!accepted->items || token_words_have(accepted, STR("*")))
		return true;
	if (jval_is_string(aud))
		return token_words_have(accepted, jval_str(aud));
	for (size_t i = 0; i < jval_size(aud); i++) {
		if (token_words_have(accepted, jval_str(jval_at(aud, i))))
			return true;
	}
	return false;
}

static bool check_aud(
        const struct token_settings *s, const struct jval *payload, struct token_result *out)
{
	const struct jval *aud = jval_getc(payload, "aud");
	char name[200];
	if (!aud)
		return token_refuse(out, E_AUD, "'aud' claim is missing",
		        "the token needs an aud, whatever accepted_audiences is");
	if (!aud_readable(aud))
		return token_refuse(out, E_AUD, NULL,
		        "aud must be a string or an array of strings, here it is %s",
		        jval_is_array(aud) ? "another array" : jval_type_name(aud));
	if (audience_accepted(s, aud))
		return true;
	return token_refuse(out, E_AUD, NULL, "accepted_audiences=[%s] would accept it",
	        quoted(jval_str(jval_is_array(aud) ? jval_at(aud, 0) : aud), name));
}

static bool check_room(
        const struct token_settings *s, const struct jval *payload, struct token_result *out)
{
	const struct jval *room = jval_getc(payload, "room");
	if ((!room && !s->require_room) || jval_str(room).n > 0)
		return true;
	if (!room)
		return token_refuse(out, E_ROOM_CLAIM, NULL,
		        "give the token a room (a name, or * for all), or set require_room=false");
	return token_refuse(out, E_ROOM_CLAIM, NULL,
	        "room must be a non-empty string, here it is %s",
	        jval_is_string(room) ? "empty" : jval_type_name(room));
}

static bool check_sub(const struct jval *payload, struct token_result *out)
{
	const struct jval *sub = jval_getc(payload, "sub");
	if (jval_str(sub).n > 0)
		return true;
	return token_refuse(out, E_SUB, NULL,
	        "give the token a sub, the server's domain or *; here it is %s",
	        jval_is_string(sub) ? "empty" : jval_type_name(sub));
}

bool registered_check(const struct token_settings *s, const struct jval *payload, int64_t now,
        struct token_result *out)
{
	if (!check_exp(s, payload, (double)now, out))
		return false;
	out->passed = TOKEN_STEP_EXP;
	if (!check_nbf(s, payload, (double)now, out))
		return false;
	out->passed = TOKEN_STEP_NBF;
	if (!check_iss(s, payload, out))
		return false;
	out->passed = TOKEN_STEP_ISS;
	if (!check_aud(s, payload, out))
		return false;
	out->passed = TOKEN_STEP_AUD;
	if (!check_room(s, payload, out))
		return false;
	out->passed = TOKEN_STEP_ROOM;
	if (!check_sub(payload, out))
		return false;
	out->passed = TOKEN_STEP_SUB;
	return true;
}
