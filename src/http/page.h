/* page.h - /config.js: what the page and stock clients are told before they speak. pure */
#pragma once
#include "base/buf.h"

/* When a name from a token is frozen (roles.md 4.1). */
enum page_names { PAGE_NAMES_FREE, PAGE_NAMES_FROZEN, PAGE_NAMES_PER_CLAIM };

struct page_config {
	struct str domain, muc_domain, focus_domain, focus_jid;
	struct str
	        hidden_domain; /* of recorders, whom clients don't show; absent: there are none */
	const char *ws_path;
	const char *bosh_path;       /* NULL: there is none */
	const char *conference_path; /* where conferences are asked for by HTTP; NULL: not told */
	struct str tenant;           /* whose page it is; absent: nobody's. http/tenant.h */
	bool tenant_rooms;           /* a tenant has a room domain of its own */
	struct str shard, region;    /* absent: none */
	bool turn;                   /* the server names STUN or TURN servers (XEP-0215) */
	struct str public_url;       /* for clients without a location (mobile); absent: none */
	struct str token_auth_url;   /* absent: none */
	const struct str *stun_servers;
	size_t n_stun_servers;
	bool prejoin, hide_prejoin_name, require_display_name, disable_profile, read_only_name;
	bool disable_grant_moderator, disable_kickout;
	/* the snippet per user (roles.md 4.2.2) */
	enum page_names names;
	const struct str *name_paths;
	size_t n_name_paths;
	unsigned name_max; /* UTF-16 units */
};

/* Appends the script. */
void page_config_write(const struct page_config *c, struct buf *out);
/* Appends only its end, which tells each visitor whether his name is fixed: for a config.js that
 * somebody else wrote. */
void page_config_write_end(const struct page_config *c, struct buf *out);
