/* settings.c - defaults of the policy's keys, and their words. pure */
#include "policy/settings.h"

void policy_settings_init(struct policy_settings *s)
{
	static const struct str claim_paths[] = {{"context.user", 12}};
	static const struct str name_paths[] = {{"context.user.name", 17}};
	static const struct str identity_fields[] = {
	        {"id", 2}, {"name", 4}, {"avatar", 6}, {"hidden-from-recorder", 20}};

	*s = (struct policy_settings){
	        .require_room = true,
	        .room_wildcard = true,
	        .domain = STR("meet.jitsi"),
	        .leeway = 5,
	        .claim_paths = {claim_paths, 1},
	        .honour_deny = true,
	        .end_after = 60,
	        .name_paths = {name_paths, 1},
	        .name_max = 50,
	        .clash_suffix = STR(" (guest)"),
	        .clash_suffix_user = STR(" (self-named)"),
	        .identity_fields = {identity_fields, 4},
	};
}

const char *role_mode_word(enum role_mode m)
{
	static const char *const words[] = {
	        "token", "first-user", "authenticated", "everyone", "none"};
	return words[m];
}

const char *room_create_word(enum room_create v)
{
	static const char *const words[] = {"authenticated", "moderators", "anyone"};
	return words[v];
}

const char *lobby_bypass_word(enum lobby_bypass v)
{
	static const char *const words[] = {"unattended", "moderators", "never"};
	return words[v];
}

const char *runtime_grant_word(enum runtime_grant v)
{
	static const char *const words[] = {"allow", "not-denied", "never"};
	return words[v];
}

const char *on_last_moderator_left_word(enum on_last_moderator_left v)
{
	static const char *const words[] = {"keep", "elect", "end"};
	return words[v];
}

const char *on_expiry_word(enum on_expiry v)
{
	static const char *const words[] = {"keep", "demote", "disconnect"};
	return words[v];
}

const char *name_mode_word(enum name_mode v)
{
	static const char *const words[] = {"frozen", "per-claim", "free"};
	return words[v];
}
