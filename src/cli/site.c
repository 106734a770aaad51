/* site.c - config.js, the web root and the endpoints' headers, from the configuration. io */
#include "cli/site.h"

#include <stdio.h>

#include "base/mem.h"
#include "cli/bosh_door.h"
#include "cli/conference.h"
#include "http/page.h"
#include "http/root.h"

#define ROUTES_MAX 4
#define TARGET_BYTES 4096 /* of a request's target, beside the token */

struct site {
	const struct config *config;
	struct buf config_js;
	char headers[320];
	char web_folder[512];
	char *web_root, *config_file; /* NULL: none */
	struct root *root;            /* NULL: the page is the one built in */
	struct http_route routes[ROUTES_MAX];
	size_t n_routes;
};

static enum page_names page_names(const struct policy_settings *p)
{
	if (p->auth == AUTH_NONE || p->name_mode == NAME_MODE_FREE)
		return PAGE_NAMES_FREE;
	return p->name_mode == NAME_MODE_FROZEN ? PAGE_NAMES_FROZEN : PAGE_NAMES_PER_CLAIM;
}

static bool has_hidden(const struct server_settings *set)
{
	for (size_t i = 0; i < set->n_accounts; i++) {
		if (str_eq_ascii_nocase(set->accounts[i].domain, set->hidden_domain))
			return true;
	}
	return false;
}

static struct page_config page_of(const struct config *c)
{
	const struct server_settings *set = &c->server;
	const struct policy_settings *policy = &c->policy;
	return (struct page_config){
	        .domain = set->domain,
	        .muc_domain = set->muc_domain,
	        .focus_domain = set->focus_domain,
	        .focus_jid = set->focus_jid,
	        .hidden_domain = has_hidden(set) ? set->hidden_domain : STR_NONE,
	        .ws_path = WS_PATH,
	        .bosh_path = set->bosh ? BOSH_PATH : NULL,
	        .conference_path = set->http_conference_request ? CONFERENCE_PATH : NULL,
	        .shard = set->shard,
	        .region = set->region,
	        .turn = set->extdisco.n > 0,
	        .public_url = set->public_url,
	        .token_auth_url = set->token_auth_url,
	        .stun_servers = set->page.stun_servers.v,
	        .n_stun_servers = set->page.stun_servers.n,
	        .prejoin = set->page.prejoin,
	        .hide_prejoin_name = set->page.hide_prejoin_name,
	        .require_display_name = set->page.require_display_name,
	        .disable_profile = set->page.disable_profile,
	        .read_only_name = set->page.read_only_name,
	        .disable_grant_moderator = set->page.disable_grant_moderator,
	        .disable_kickout = set->page.disable_kickout,
	        .names = page_names(policy),
	        .name_paths = policy->name_paths.v,
	        .n_name_paths = policy->name_paths.n,
	        .name_max = policy->name_max,
	};
}

/* Thread: that of the web root. */
static void write_config(void *arg, struct str tenant, struct buf *out)
{
	const struct site *s = arg;
	struct page_config page = page_of(s->config);
	page.tenant = tenant;
	page.tenant_rooms = s->config->server.tenants;
	page_config_write(&page, out);
}

static void write_config_end(void *arg, struct buf *out)
{
	const struct site *s = arg;
	const struct page_config page = page_of(s->config);
	page_config_write_end(&page, out);
}

/* Scripts of other origins may read the names only where they are named as readable. */
static void write_headers(struct site *s)
{
	const struct server_settings *set = &s->config->server;
	struct str shard = set->shard, region = set->region;
	size_t n = (size_t)snprintf(
	        s->headers, sizeof s->headers, "Access-Control-Allow-Origin: *\r\n");
	if (shard.n || region.n)
		n += (size_t)snprintf(s->headers + n, sizeof s->headers - n,
		        "Access-Control-Expose-Headers: x-jitsi-shard, x-jitsi-region\r\n");
	if (shard.n)
		n += (size_t)snprintf(s->headers + n, sizeof s->headers - n,
		        "x-jitsi-shard: %.*s\r\n", STR_FMT(shard));
	if (region.n)
		snprintf(s->headers + n, sizeof s->headers - n, "x-jitsi-region: %.*s\r\n",
		        STR_FMT(region));
}

static struct http_limits limits_of(const struct config *c)
{
	return (struct http_limits){
	        .max_head = c->server.limits.http_head_bytes,
	        /* twice the token's bound: one that is too long is refused where the reason can be
	           told */
	        .max_target = TARGET_BYTES + 2 * c->token.max_token_bytes,
	};
}

static bool open_root(struct site *s, struct loop *front, char *why, size_t why_size)
{
	const struct server_settings *set = &s->config->server;
	if (!set->web_root.n)
		return true;
	s->web_root = mem_strndup(set->web_root.p, set->web_root.n);
	s->config_file = set->config_js.n ? mem_strndup(set->config_js.p, set->config_js.n) : NULL;
	if (!s->web_root || (set->config_js.n && !s->config_file))
		return false;
	const struct root_settings settings = {
	        .folder = s->web_root,
	        .config_js = s->config_file,
	        .write_config = write_config,
	        .write_config_end = write_config_end,
	        .arg = s,
	        .limits = limits_of(s->config),
	        .log_lines_per_second = set->limits.log_lines_per_second,
	};
	s->root = root_new(front, &settings, why, why_size);
	return s->root != NULL;
}

struct site *site_new(const struct config *c, struct loop *front, char *why, size_t why_size)
{
	struct site *s = mem_zalloc(sizeof *s);
	snprintf(why, why_size, "out of memory or descriptors");
	if (!s)
		return NULL;
	s->config = c;
	buf_init(&s->config_js, 0);
	write_config(s, STR_NONE, &s->config_js);
	write_headers(s);
	snprintf(s->web_folder, sizeof s->web_folder, "%.*s", STR_FMT(c->server.web_folder));
	if (!s->config_js.failed && open_root(s, front, why, why_size))
		return s;
	site_free(s);
	return NULL;
}

void site_stop(struct site *s)
{
	if (!s)
		return;
	root_free(s->root);
	s->root = NULL;
}

void site_free(struct site *s)
{
	if (!s)
		return;
	site_stop(s);
	mem_free(s->web_root);
	mem_free(s->config_file);
	buf_done(&s->config_js);
	mem_free(s);
}

bool site_add_route(struct site *s, const struct http_route *r)
{
	if (s->n_routes == ROUTES_MAX)
		return false;
	s->routes[s->n_routes++] = *r;
	return true;
}

void site_fill(const struct site *s, struct http_settings *out)
{
	const struct limits *l = &s->config->server.limits;
	const struct http_limits heads = limits_of(s->config);
	out->max_head = heads.max_head;
	out->max_target = heads.max_target;
	out->ws_path = WS_PATH;
	out->routes = s->routes;
	out->n_routes = s->n_routes;
	out->body_timeout_ms = l->body_timeout * 1000;
	out->max_bodies = (uint64_t)l->http_body_mebibytes_total << 20;
	out->endpoint_headers = s->headers;
	out->config_js = buf_view(&s->config_js);
	out->root = s->root;
	out->web_dir = s->web_folder[0] ? s->web_folder : NULL;
}
