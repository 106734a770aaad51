/* hint.c - what would change a result: the key and value, or the edit of a claim. pure */
#include "policy/explain.h"
#include "policy/hint.h"
#include "policy/pattern.h"

const char *explain_fix(enum reason refusal)
{
	switch (refusal) {
	case E_TOKEN_REQUIRED:
		return "give a token, or set allow_guests=true";
	case E_TOKEN_FORMAT:
		return "the token is damaged: three base64url parts, header and payload JSON objects";
	case E_TOKEN_TOO_LARGE:
		return "shorten the token, or raise max_token_bytes";
	case E_DUP_CLAIM:
		return "the issuer writes a member twice: remove one";
	case E_CRIT:
		return "the issuer must leave out `crit`";
	case E_TYP:
		return "`typ` must be JWT or absent";
	case E_ALG:
		return "sign with an algorithm of `algs`, or add this one to `algs` with a key for it";
	case E_KID:
		return "the issuer must name the key: `kid` in the header";
	case E_KEY:
		return "the key source has no key of this `kid`: check key_files, key_server or jwks";
	case E_SIG:
		return "issuer and server use different keys: compare app_secret (or the public key)";
	case E_EXP:
		return "issue a new token";
	case E_NO_EXP:
		return "add `exp`, or set require_exp=false";
	case E_EXP_TYPE:
	case E_NBF_TYPE:
		return "times are JSON numbers, seconds since 1970, without quotes";
	case E_NBF:
		return "the token starts later: compare the clocks, or raise leeway (at most 60)";
	case E_ISS:
		return "add the token's iss to accepted_issuers";
	case E_AUD:
		return "add the token's aud to accepted_audiences";
	case E_ROOM_CLAIM:
		return "add `room` (a name or \"*\"), or set require_room=false";
	case E_SUB:
		return "add `sub`, a non-empty string";
	case E_ROOM_NAME:
		return "use the name's canonical form in the address";
	case E_WILDCARD:
		return "name one room in the token, or set room_wildcard=true";
	case E_ROOM_MISMATCH:
		return "the token's `room` must be this room's name, or \"*\"";
	case E_TENANT_MISMATCH:
		return "`sub` must be the tenant, or without one `domain` or `public_host`; "
			"or set domain_verification=false";
	case E_ROOM_REGEX:
		return "use a plain Lua pattern (no captures, at most 128 bytes), or drop context.room.regex";
	case E_OUTCAST:
		return "the token says affiliation \"outcast\" (outcast_claim=member would admit), or there is a ban "
			"in this meeting";
	case E_WAIT_HOST:
		return "somebody who may open the room must come first; room_create=anyone lets everybody";
	case E_FULL:
		return "raise max_occupants";
	case E_LOBBY_NAME:
		return "send a name";
	case E_LOBBY:
		return "a moderator must admit; lobby_bypass=moderators lets token moderators in";
	case E_PASSWORD:
		return "send the room's password; password_bypass=moderators spares token moderators";
	case E_BREAKOUT:
		return "join the main room first";
	case E_CONFIG:
		return "a token, or a grant by a moderator, is needed to change the room";
	case E_FORBIDDEN:
		return "only a moderator may do this";
	case E_RANK:
		return "token > mode > granted: nobody acts on a higher rank";
	case E_GRANT_OFF:
		return "set runtime_grant=allow";
	default:
		return "";
	}
}

static void warn(struct buf *out, const char *code, const char *text)
{
	buf_printf(out, "warning   %s: %s\n", code, text);
}

static void warnings(const struct explain_facts *f, struct buf *out)
{
	unsigned w = f->verdict->warnings;
	if (w & W_NO_EXP)
		warn(out, "W_NO_EXP", "add `exp`; require_exp=true would refuse this token");
	if (w & W_IAT_FUTURE)
		warn(out, "W_IAT_FUTURE", "the issuer's clock is ahead of ours");
	if (w & W_CLAIM_CONFLICT)
		warn(out, "W_CLAIM_CONFLICT", "the token says yes and no: remove one of the two");
	if (w & W_TENANT_UNCHECKED)
		warn(out, "W_TENANT_UNCHECKED",
			"`sub` is not this tenant (domain_verification=true refuses): opens no lobby or password");
	if (w & W_TENANT_MISMATCH)
		warn(out, "W_TENANT_MISMATCH",
			"context.tenant is another tenant: context.features do not count, and nothing is opened");
	if (w & W_SHARED_ID)
		warn(out, "W_SHARED_ID",
			"one id for differently named people is no identity: make context.user.id unique");
	if (w & W_NAME_CHANGED)
		warn(out, "W_NAME_CHANGED",
			"the token's name was cleaned: invisible characters, white space or length");
	if (w & W_NAME_UNUSABLE)
		warn(out, "W_NAME_UNUSABLE",
			"the token's name is no string, or empty after cleaning: send a string");
	if (w & W_NAME_CLASH)
		warn(out, "W_NAME_CLASH",
			"looks like the name of somebody named by a token; guest_clash=allow would not mark it");
	if (w & W_DENY_EVADABLE)
		warn(out, "W_DENY_EVADABLE", "everyone and guests: a denied user may come back without the token");
}

static void name_hint(const struct explain_facts *f, struct buf *out)
{
	const struct verdict *v = f->verdict;
	if (v->accepted && v->has_name && v->name_frozen && v->trace.token_name_path.n)
		buf_printf(out, "hint      omit `%.*s` for somebody who should choose a name, or set name_mode=free\n",
			STR_FMT(v->trace.token_name_path));
}

static void role_hint(const struct explain_facts *f, struct buf *out)
{
	const struct verdict *v = f->verdict;
	if (!v->accepted)
		return;
	switch (v->reason) {
	case R_TOKEN_CONFLICT:
		buf_puts(out, "hint      remove context.user.moderator or set claim_conflict=grant\n");
		break;
	case R_TOKEN_DENY:
		buf_puts(out, "hint      remove the claim that says no, or send context.user.moderator = true\n");
		break;
	case R_NO_CLAIM:
		buf_puts(out, "hint      context.user.moderator = true would make a moderator; "
			"so would role_mode=authenticated\n");
		break;
	case R_MODE_NONE:
		buf_puts(out, "hint      set role_mode=token to let the token decide\n");
		break;
	case R_NOT_FIRST:
		buf_puts(out, "hint      context.user.moderator = true would make a moderator, first or not\n");
		break;
	default:
		break;
	}
}

static void pattern_hint(const struct explain_facts *f, struct buf *out)
{
	if (!f->claims || str_absent(f->claims->room))
		return;
	const struct jval *room = jval_getc(jval_getc(f->claims->payload, "context"), "room");
	const struct jval *regex = jval_getc(room, "regex");
	bool on = jval_true(regex) || str_eqc(jval_str(regex), "true");
	if (on && pattern_has_lazy_dash(f->claims->room))
		buf_puts(out, "hint      in a Lua pattern `-` is a quantifier: write `%-` for the character\n");
}

void explain_hints(const struct explain_facts *f, struct buf *out)
{
	const struct verdict *v = f->verdict;
	if (!v->accepted) {
		const char *fix = explain_fix(v->reason);
		if (!str_absent(f->refusal_hint) && f->refusal_hint.n)
			buf_printf(out, "fix       %.*s\n", STR_FMT(f->refusal_hint));
		else if (*fix)
			buf_printf(out, "fix       %s\n", fix);
	}
	role_hint(f, out);
	name_hint(f, out);
	pattern_hint(f, out);
	warnings(f, out);
}
