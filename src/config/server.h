/* server.h - what the server itself is told: where it listens, its names, what the page shows, and
 * every limit. pure
 *
 * Filled in by config/load from the schema; every default stands there. Strings and lists live as
 * long as the struct config they belong to. Read-only after the start: any thread. */
#pragma once
#include "base/log.h"
#include "base/str.h"
#include "policy/service.h"
#include "policy/settings.h"
#include "xmpp/extdisco.h"

/* Every quantity that a stranger can grow. The key is the field's name. */
struct limits {
	/* per address and in total; loopback is exempt from those per address */
	uint32_t connections_per_address;
	uint32_t connections_per_second; /* new ones, per address */
	uint32_t sessions;
	uint32_t rooms;
	uint32_t rooms_per_address;
	uint32_t rooms_per_session;
	uint32_t occupants_per_room;           /* hard bound; max_occupants is the policy's */
	uint32_t joins_per_second;             /* per room */
	uint32_t passwords_per_minute;         /* wrong ones, per room and address */
	uint32_t service_passwords_per_minute; /* wrong ones of services, per address */
	uint32_t service_stanza_bytes, service_stanzas_per_second;
	uint32_t breweries; /* per worker */

	/* one HTTP request */
	uint32_t http_head_bytes;                /* without the query */
	uint32_t http_body_mebibytes_total;      /* of unfinished ones */
	uint32_t conference_requests_per_minute; /* by HTTP, per address */

	/* one message or stanza */
	uint32_t login_stanza_bytes; /* before login */
	uint32_t login_stanzas;      /* before login, in total */
	uint32_t stanza_bytes;       /* after */
	uint32_t stanza_depth;
	uint32_t stanza_attributes; /* of one element */
	uint32_t stanza_elements;
	uint32_t stanzas_per_second; /* per session */
	uint32_t bytes_per_second;   /* per session */

	uint32_t queued_bytes;           /* per session; more closes it */
	uint32_t resume_queue;           /* stanzas, per session */
	uint32_t queued_mebibytes_total; /* of all; then those with most of it are closed */

	/* seconds */
	uint32_t handshake_timeout;  /* accept to the end of the HTTP head */
	uint32_t body_timeout;       /* from there to the end of the body */
	uint32_t login_timeout;      /* WebSocket open to bound */
	uint32_t idle_timeout;       /* between two HTTP requests */
	uint32_t ping_interval;      /* silence before the server pings */
	uint32_t ping_timeout;       /* from the ping to the close */
	uint32_t room_ready_timeout; /* a room without a human */
	uint32_t resume_timeout,
	        resume_service_timeout; /* a session without its connection; 0: none */
	uint32_t shutdown_timeout;

	uint32_t log_lines_per_second; /* from one cause */

	/* keys from elsewhere, per issuer */
	uint32_t key_lookups_per_second; /* for unknown kids */
	uint32_t keys_remembered;
	uint32_t keys_waiting; /* logins */
	uint32_t key_timeout;  /* seconds */
};

/* How keys from elsewhere are fetched. */
struct key_fetch_settings {
	struct str ca_file, proxy; /* absent: the system's authorities; none */
	bool plain_http;           /* from any host, not only near ones */
};

/* What /config.js tells the page. */
struct page_settings {
	bool prejoin;
	bool hide_prejoin_name;
	bool require_display_name;
	bool disable_profile;
	bool read_only_name; /* for everybody; the snippet per user comes on top */
	bool disable_grant_moderator;
	bool disable_kickout;
	struct str_list stun_servers; /* "stun:host:port"; empty: none */
};

/* A service that may log in. */
struct account_settings {
	struct str node, domain; /* normalised */
	struct str password;     /* zeroes after config_forget_passwords */
	enum service service;
};

#define TLS_CERTIFICATES_MAX 64

struct server_settings {
	struct str_list bind;              /* addresses, numeric */
	uint16_t http_port;                /* 0: any free port */
	uint16_t https_port;               /* 0: none */
	uint16_t xmpp_port, xmpp_tls_port; /* of XMPP over TCP, and with TLS at once; 0: none */
	bool xmpp_require_tls;             /* nobody logs in over TCP without it */
	/* as many keys as certificates, or none: then they stand in the certificates' files */
	struct str_list tls_certificates, tls_keys;
	bool tls_self_signed, http_redirect, hsts;
	struct str acme_folder;          /* absent: none */
	struct str_list trusted_proxies; /* as network_parse takes them */
	struct str state_directory;      /* absolute; created with mode 0700 when missing */
	struct str
	        web_folder;   /* serve the page from here (development); absent: the one built in */
	struct str web_root;  /* an installed jitsi-meet; absent: the page built in */
	struct str config_js; /* answered as /config.js with web_root; absent: generated */
	bool http_conference_request; /* config.js names the URL */
	bool bosh;                    /* /http-bind is there */
	struct extdisco extdisco;     /* STUN and TURN servers for clients */
	bool services_push;           /* what the server offers, told with the bind */
	struct str shard, region;     /* of this server among several; absent: none */
	enum log_level log_level;
	uint32_t workers; /* 0: one per core that the process may use */
	enum placement { PLACEMENT_ROOM, PLACEMENT_WRONG } placement; /* wrong: for tests */

	struct str domain;              /* XMPP domain of the sessions */
	struct str guest_domain;        /* another name for it in JIDs; absent: none */
	struct str auth_domain;         /* where the services' accounts live */
	struct str hidden_domain;       /* and those of recorders and transcribers */
	struct str internal_muc_domain; /* of the rooms where they meet */
	const struct account_settings *accounts;
	size_t n_accounts;
	struct str muc_domain;
	bool tenants; /* they have rooms of their own */
	/* the focus: built in, or whoever logs in as its account */
	enum focus_place { FOCUS_INTERNAL, FOCUS_EXTERNAL } focus;
	struct str focus_domain;   /* focus.<domain> */
	struct str focus_jid;      /* focus@<auth_domain> */
	struct str public_url;     /* as browsers write it, without a slash at the end; absent:
	                              http://localhost:<port> */
	struct str token_auth_url; /* an outside login page; absent: none */
	bool resource_strict; /* the nick must be the first 8 characters of the session's own node
	                       */

	/* Wanted, but not served yet: `serve` has said so, and turned the policy's keys back. */
	bool wants_lobby;

	struct key_fetch_settings keys;
	struct page_settings page;
	struct limits limits;
};
