/* hint.c - what would change a result: the key and value, or the edit of a claim. pure */
#include "policy/explain.h"
#include "policy/hint.h"
#include "policy/pattern.h"

/* Which key and value, or which edit of the token, would have changed a refusal. */
static const char *const fixes[REASON_COUNT] = {
        [E_TOKEN_REQUIRED] = "give a token, or set allow_guests=true",
        [E_TOKEN_FORMAT] =
                "the token is damaged: three base64url parts, header and payload JSON objects",
        [E_TOKEN_TOO_LARGE] = "shorten the token, or raise max_token_bytes",
        [E_DUP_CLAIM] = "the issuer writes a member twice: remove one",
        [E_CRIT] = "the issuer must leave out `crit`",
        [E_TYP] = "`typ` must be JWT or absent",
        [E_ALG] = "sign with an algorithm of `algs`, or add this one to `algs` with a key for it",
        [E_KID] = "the issuer must name the key: `kid` in the header",
        [E_KEY] = "the key source has no key of this `kid`: check key_files, key_server or jwks",
        [E_SIG] = "issuer and server use different keys: compare app_secret (or the public key)",
        [E_EXP] = "issue a new token",
        [E_NO_EXP] = "add `exp`, or set require_exp=false",
        [E_EXP_TYPE] = "times are JSON numbers, seconds since 1970, without quotes",
        [E_NBF_TYPE] = "times are JSON numbers, seconds since 1970, without quotes",
        [E_NBF] = "the token starts later: compare the clocks, or raise leeway (at most 60)",
        [E_ISS] = "add the token's iss to accepted_issuers",
        [E_AUD] = "add the token's aud to accepted_audiences",
        [E_ROOM_CLAIM] = "add `room` (a name or \"*\"), or set require_room=false",
        [E_SUB] = "add `sub`, a non-empty string",
        [E_ROOM_NAME] = "use the name's canonical form in the address",
        [E_WILDCARD] = "name one room in the token, or set room_wildcard=true",
        [E_ROOM_MISMATCH] = "the token's `room` must be this room's name, or \"*\"",
        [E_TENANT_MISMATCH] = "`sub` must be the tenant, or without one `domain` or `public_host`; "
                              "or set domain_verification=false",
        [E_ROOM_REGEX] = "use a plain Lua pattern (no captures, at most 128 bytes), or drop "
                         "context.room.regex",
        [E_OUTCAST] = "the token says affiliation \"outcast\" (outcast_claim=member would admit), "
                      "or there is a ban "
                      "in this meeting",
        [E_WAIT_HOST] =
                "somebody who may open the room must come first; room_create=anyone lets everybody",
        [E_FULL] = "raise max_occupants",
        [E_LOBBY_NAME] = "send a name",
        [E_LOBBY] = "a moderator must admit; lobby_bypass=moderators lets token moderators in",
        [E_PASSWORD] =
                "send the room's password; password_bypass=moderators spares token moderators",
        [E_BREAKOUT] = "join the main room first",
        [E_CONFIG] = "a token, or a grant by a moderator, is needed to change the room",
        [E_FORBIDDEN] = "only a moderator may do this",
        [E_RANK] = "token > mode > granted: nobody acts on a higher rank",
        [E_GRANT_OFF] = "set runtime_grant=allow",
};

const char *explain_fix(enum reason refusal)
{
	return fixes[refusal] ? fixes[refusal] : "";
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
		        "`sub` is not this tenant (domain_verification=true refuses): opens no "
		        "lobby or password");
	if (w & W_TENANT_MISMATCH)
		warn(out, "W_TENANT_MISMATCH",
		        "context.tenant is another tenant: context.features do not count, and "
		        "nothing is opened");
	if (w & W_SHARED_ID)
		warn(out, "W_SHARED_ID",
		        "one id for differently named people is no identity: make context.user.id "
		        "unique");
	if (w & W_NAME_CHANGED)
		warn(out, "W_NAME_CHANGED",
		        "the token's name was cleaned: invisible characters, white space or "
		        "length");
	if (w & W_NAME_UNUSABLE)
		warn(out, "W_NAME_UNUSABLE",
		        "the token's name is no string, or empty after cleaning: send a string");
	if (w & W_NAME_CLASH)
		warn(out, "W_NAME_CLASH",
		        "looks like the name of somebody named by a token; guest_clash=allow would "
		        "not mark it");
	if (w & W_DENY_EVADABLE)
		warn(out, "W_DENY_EVADABLE",
		        "everyone and guests: a denied user may come back without the token");
}

static void name_hint(const struct explain_facts *f, struct buf *out)
{
	const struct verdict *v = f->verdict;
	if (v->accepted && v->has_name && v->name_frozen && v->trace.token_name_path.n)
		buf_printf(out,
		        "hint      omit `%.*s` for somebody who should choose a name, or set "
		        "name_mode=free\n",
		        STR_FMT(v->trace.token_name_path));
}

static void role_hint(const struct explain_facts *f, struct buf *out)
{
	const struct verdict *v = f->verdict;
	if (!v->accepted)
		return;
	switch (v->reason) {
	case R_TOKEN_CONFLICT:
		buf_puts(out,
		        "hint      remove context.user.moderator or set claim_conflict=grant\n");
		break;
	case R_TOKEN_DENY:
		buf_puts(out, "hint      remove the claim that says no, or send "
		              "context.user.moderator = true\n");
		break;
	case R_NO_CLAIM:
		buf_puts(out, "hint      context.user.moderator = true would make a moderator; "
		              "so would role_mode=authenticated\n");
		break;
	case R_MODE_NONE:
		buf_puts(out, "hint      set role_mode=token to let the token decide\n");
		break;
	case R_NOT_FIRST:
		buf_puts(out, "hint      context.user.moderator = true would make a moderator, "
		              "first or not\n");
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
		buf_puts(out, "hint      in a Lua pattern `-` is a quantifier: write `%-` for the "
		              "character\n");
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
