/* stocktext.c - stock Jitsi's sources of roles, said in words. pure */
#include "config/stocktext.h"

static const char *first(const struct stock_setup *s)
{
	if (!s->auth)
		return "anybody may open a room";
	if (!s->jicofo_auth)
		return "Jicofo does not ask who opens a room, although Prosody has authentication";
	if (s->allow_empty_token)
		return "only authenticated people open rooms; people without a token count, as "
		       "they are on "
		       "the same domain";
	return "only people with a token open rooms";
}

static const char *wait_for_host(const struct stock_setup *s)
{
	if (!s->muc_wait_for_host)
		return "not loaded";
	return s->wait_for_host_auto_owners
	               ? "makes everybody with a token owner, just after the first presence"
	               : "only lets guests wait: its auto owners are switched off";
}

static const char *jicofo_auth(const struct stock_setup *s)
{
	if (!s->jicofo_auth)
		return "off";
	if (s->token_affiliation || s->token_affiliation_legacy)
		return "makes everybody with a token owner one round trip after joining, and so "
		       "undoes "
		       "what the token said";
	return "makes everybody with a token owner one round trip after joining, whatever the "
	       "token says";
}

static const char *auto_owner(const struct stock_setup *s)
{
	if (s->jicofo_auth)
		return s->auto_owner ? "on, but not consulted: 10 is on"
		                     : "off, which changes nothing: 10 is on";
	return s->auto_owner
	               ? "makes the first one in the room owner, and a successor when he leaves, "
	                 "whatever their tokens say"
	               : "off";
}

void stock_text_list(const struct stock_setup *s, struct stock_text out[STOCK_SOURCES])
{
	const struct stock_text list[STOCK_SOURCES] = {
	        {1, false, "conference request", first(s)},
	        {2, false, "room creation", "Jicofo itself is the creator and owner"},
	        {3, s->muc_allowners, "muc_allowners",
	                s->muc_allowners ? "makes everybody owner, and refuses every revoke"
	                                 : "not loaded"},
	        {4, s->muc_wait_for_host && s->wait_for_host_auto_owners, "muc_wait_for_host",
	                wait_for_host(s)},
	        {5, s->bypass_modules, "lobby bypass modules",
	                s->bypass_modules ? "make members of those whose token asks for it"
	                                  : "not loaded"},
	        {6, s->token_affiliation, "token_affiliation",
	                s->token_affiliation ? "decides before the first presence: owner by the "
	                                       "token, member otherwise"
	                                     : "not loaded: moderator in a token is not read"},
	        {7, s->token_affiliation_legacy, "token_affiliation_legacy",
	                s->token_affiliation_legacy
	                        ? "decides after the first presence, and repeats "
	                          "itself for 9 seconds: roles flap"
	                        : "not loaded"},
	        {8, s->token_moderation, "token_moderation",
	                s->token_moderation ? "blocks what others write about roles, and takes "
	                                      "runtime grants back"
	                                    : "not loaded"},
	        {9, s->lobby, "lobby",
	                s->lobby ? "makes members of those who are admitted" : "off"},
	        {10, s->jicofo_auth, "Jicofo's authentication", jicofo_auth(s)},
	        {11, !s->jicofo_auth && s->auto_owner, "Jicofo's auto owner", auto_owner(s)},
	        {12, true, "moderators",
	                s->disable_grant_moderator ? "may promote others; only the page hides it"
	                                           : "may promote others"},
	        {13, s->permissions_module, "jitsi_permissions",
	                "whoever is promoted inherits features"},
	        {14, true, "kick", "takes the affiliation away; coming back is allowed"},
	        {15, true, "breakout rooms",
	                "read the role through to the main room, by an address that changes on "
	                "reload"},
	        {16, false, "options of the page", "never decided anything: they hid buttons"},
	};
	for (size_t i = 0; i < STOCK_SOURCES; i++)
		out[i] = list[i];
}

const char *stock_text_outcome(const struct stock_setup *s)
{
	if (s->muc_allowners)
		return "everybody moderates";
	if (s->muc_wait_for_host && s->wait_for_host_auto_owners)
		return "everybody with a token moderates, whatever the token says";
	if (s->jicofo_auth)
		return "everybody with a token moderates, whatever the token says (moderator: "
		       "false is not "
		       "honoured)";
	if (s->auto_owner)
		return s->token_affiliation
		               ? "the token decides, but the first one in a room without a "
		                 "moderator is promoted anyway"
		               : "the first one in a room moderates";
	if (s->token_affiliation || s->token_affiliation_legacy)
		return "the token decides";
	return "nobody moderates";
}
