/* reason.c - the table of reason codes. pure */
/* A table, read by column. */
/* clang-format off */
#include "policy/reason.h"

#include <assert.h>

#define ACCEPT(code) [code] = {.name = #code}
#define SASL(code, says) [code] = {#code, STAGE_SASL, "auth", "not-allowed", says}
#define REFUSE(code, stage, type, condition, says) [code] = {#code, stage, type, condition, says}

static const struct reason_info table[REASON_COUNT] = {
	[R_NONE] = {.name = ""},
	ACCEPT(R_TOKEN_GRANT), ACCEPT(R_TOKEN_DENY), ACCEPT(R_TOKEN_CONFLICT), ACCEPT(R_NO_CLAIM), ACCEPT(R_GUEST),
	ACCEPT(R_FIRST), ACCEPT(R_NOT_FIRST), ACCEPT(R_SAME_IDENTITY), ACCEPT(R_ELECTED), ACCEPT(R_AUTHENTICATED),
	ACCEPT(R_EVERYONE), ACCEPT(R_MODE_NONE), ACCEPT(R_INHERIT_MAIN), ACCEPT(R_RESUMED), ACCEPT(R_GRANTED),
	ACCEPT(R_REVOKED), ACCEPT(R_KICKED), ACCEPT(R_BANNED), ACCEPT(R_EXPIRED_KEPT), ACCEPT(R_EXPIRED_DEMOTED),
	ACCEPT(R_NAME_FROZEN), ACCEPT(R_NAME_FREE), ACCEPT(R_SERVICE),
	SASL(E_TOKEN_REQUIRED, "token required"),
	SASL(E_TOKEN_FORMAT, "Invalid token"),
	SASL(E_TOKEN_TOO_LARGE, "token too large"),
	SASL(E_DUP_CLAIM, "duplicate claim in token"),
	SASL(E_CRIT, "Unsupported critical header"),
	SASL(E_TYP, "Invalid typ"),
	SASL(E_ALG, "Invalid or incorrect alg"),
	SASL(E_KID, "'kid' claim is missing"),
	SASL(E_KEY, "could not obtain public key"),
	SASL(E_SIG, "Invalid signature"),
	SASL(E_EXP, "Not acceptable by exp"),
	SASL(E_EXP_TYPE, "exp must be number"),
	SASL(E_NO_EXP, "Not acceptable: no exp"),
	SASL(E_NBF, "Not acceptable by nbf"),
	SASL(E_NBF_TYPE, "nbf must be number"),
	SASL(E_ISS, "invalid 'iss' claim"),
	SASL(E_AUD, "invalid 'aud' claim"),
	SASL(E_ROOM_CLAIM, "room claim is missing"),
	SASL(E_SUB, "sub claim is missing"),
	REFUSE(E_ROOM_NAME, STAGE_JOIN, "modify", "jid-malformed", "Room name is not in canonical form"),
	REFUSE(E_WILDCARD, STAGE_JOIN, "cancel", "not-allowed", "Wildcard room in token not allowed"),
	REFUSE(E_ROOM_MISMATCH, STAGE_JOIN, "cancel", "not-allowed", "Room does not match the room from token"),
	REFUSE(E_TENANT_MISMATCH, STAGE_JOIN, "cancel", "not-allowed", "Room and token mismatched"),
	REFUSE(E_ROOM_REGEX, STAGE_JOIN, "cancel", "not-allowed", "Room claim is not a valid Lua pattern"),
	REFUSE(E_OUTCAST, STAGE_JOIN, "auth", "forbidden", "You have been banned"),
	REFUSE(E_WAIT_HOST, STAGE_CONFERENCE, "auth", "not-authorized", "not authorized user domain"),
	REFUSE(E_FULL, STAGE_JOIN, "wait", "service-unavailable", "The meeting is full"),
	REFUSE(E_LOBBY_NAME, STAGE_JOIN, "modify", "not-acceptable", "A display name is required"),
	REFUSE(E_LOBBY, STAGE_JOIN, "auth", "registration-required", NULL),
	REFUSE(E_PASSWORD, STAGE_JOIN, "auth", "not-authorized", NULL),
	REFUSE(E_BREAKOUT, STAGE_JOIN, "cancel", "not-allowed", NULL),
	REFUSE(E_NICK, STAGE_JOIN, "cancel", "not-allowed", "Invalid resource"),
	REFUSE(E_CONFLICT, STAGE_JOIN, "cancel", "conflict", NULL),
	REFUSE(E_RATE, STAGE_NONE, "wait", "resource-constraint", "Rate limit exceeded"),
	REFUSE(E_CONFIG, STAGE_IQ, "cancel", "not-allowed", "Room modification disabled for guests"),
	REFUSE(E_FORBIDDEN, STAGE_IQ, "auth", "forbidden", NULL),
	REFUSE(E_NO_TARGET, STAGE_IQ, "modify", "item-not-found", NULL),
	REFUSE(E_RANK, STAGE_IQ, "cancel", "not-allowed", "Moderators named by their token cannot be changed here"),
	REFUSE(E_GRANT_OFF, STAGE_IQ, "cancel", "not-allowed", "Granting moderator is disabled"),
};

const struct reason_info *reason_info(enum reason r)
{
	assert((unsigned)r < REASON_COUNT);
	return &table[r];
}

enum reason reason_parse(struct str name)
{
	for (unsigned r = R_NONE + 1; r < REASON_COUNT; r++) {
		if (str_eqc(name, table[r].name))
			return (enum reason)r;
	}
	return R_NONE;
}

const char *stage_name(enum stage s)
{
	static const char *const names[] = {"", "sasl", "conference", "join", "iq"};
	return names[s];
}

const char *warning_name(enum warning_index i)
{
	static const char *const names[] = {
#define X(name) #name,
		WARNINGS(X)
#undef X
	};
	return names[i];
}
