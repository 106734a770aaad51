/* explain_token.c - how far verification got. pure */
#include "cli/explain_token.h"

enum { QUOTED_MAX = 200 };

static void put_quoted(struct str s, struct buf *out)
{
	size_t end = s.n < QUOTED_MAX ? s.n : QUOTED_MAX;
	while (end < s.n && end && ((unsigned char)s.p[end] & 0xc0) == 0x80)
		end--;
	jval_quote(str_sub(s, 0, end), out);
	if (end < s.n)
		buf_puts(out, "...");
}

/* Nothing of the payload is told before the signature holds: only how many steps were passed. */
static void refused_lines(const struct token_result *t, struct buf *out)
{
	buf_puts(out, "token     ");
	for (unsigned step = TOKEN_STEP_SIZE;
	        step <= (unsigned)t->passed && step < TOKEN_STEP_COUNT; step++)
		buf_printf(out, "%s ok, ", token_step_name((enum token_step)step));
	buf_printf(out, "then %s: %s\n", reason_name(t->reason), t->text);
}

static const char *room_word(const struct verdict *v)
{
	switch (v->reason) {
	case E_ROOM_MISMATCH:
		return " does not cover ";
	case E_ROOM_REGEX:
		return " is no usable pattern for ";
	case E_WILDCARD:
		return " is not allowed for ";
	default:
		return v->reason == E_ROOM_NAME ? " was not compared with " : " covers ";
	}
}

static void sub_part(const struct case_input *in, const struct verdict *v, struct buf *out)
{
	if (v->reason == E_TENANT_MISMATCH)
		buf_puts(out, " (does not fit)");
	else if (!in->config->policy.domain_verification)
		buf_printf(out, " (not compared%s)",
		        v->warnings & W_TENANT_UNCHECKED ? ": W_TENANT_UNCHECKED" : "");
	else
		buf_puts(out, " ok");
}

static void good_lines(
        const struct case_input *in, const struct case_result *r, bool given, struct buf *out)
{
	const struct claims *c = r->token.claims;
	const struct room_view *room = &in->scene->view;
	const struct jval *aud = jval_getc(c->payload, "aud");

	buf_puts(out, "token     ");
	if (given)
		buf_puts(out, "not signed: claims as given");
	else
		buf_printf(out, "%s ok",
		        r->token.alg < TOKEN_ALG_COUNT ? token_alg_name(r->token.alg)
		                                       : "signature");
	buf_puts(out, ", iss ");
	put_quoted(c->iss, out);
	buf_puts(out, " ok, aud ");
	if (jval_is_string(aud))
		put_quoted(jval_str(aud), out);
	else
		buf_printf(out, "(%zu values)", jval_size(aud));
	buf_puts(out, " ok, room ");
	put_quoted(str_absent(c->room) ? STR("*") : c->room, out);
	if (str_absent(c->room))
		buf_puts(out, " (absent)");
	buf_puts(out, room_word(&r->verdict));
	put_quoted(room->breakout ? room->main_node : room->node, out);
	if (r->verdict.trace.covered_by_regex)
		buf_puts(out, " (pattern)");
	buf_puts(out, ", sub ");
	put_quoted(c->sub, out);
	sub_part(in, &r->verdict, out);
	buf_putc(out, '\n');
	if (r->token.warnings & W_NO_EXP)
		buf_printf(out, "          %-67sW_NO_EXP\n", "no exp: this token never expires");
	else if (c->has_exp)
		buf_printf(out, "          expires in %.0f s\n", c->exp - (double)in->now);
}

void explain_token_lines(
        const struct case_input *in, const struct case_result *r, bool given, struct buf *out)
{
	if (in->config->policy.auth == AUTH_NONE)
		buf_puts(out, "token     not read: auth=none, everybody is a guest\n");
	else if (in->token == CASE_NO_TOKEN)
		buf_puts(out, "token     none: a guest\n");
	else if (r->token.claims)
		good_lines(in, r, given, out);
	else
		refused_lines(&r->token, out);
}
