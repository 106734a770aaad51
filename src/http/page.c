/* page.c - writes /config.js. pure */
#include "http/page.h"

#include "base/jval.h"
#include "http/tenant.h"

/* Sets readOnlyName exactly for those whose name the server freezes. It only decodes: a forged
 * token locks the forger's own field and nothing else. Regular expressions are built at run time,
 * so that an engine without Unicode classes fails inside `try` and not on the whole file. The
 * cleaning is that of the server (policy/name), as far as it can decide whether anything usable is
 * left. */
/* clang-format off */
static const char snippet[] =
	"(function () {\n"
	"  try {\n"
	"    if (typeof window === 'undefined' || !window.location) return;\n"
	"    var part = function (s) {\n"
	"      var m = /(?:^|[#?&])jwt=([^&]*)/.exec(s || '');\n"
	"      return m ? decodeURIComponent(m[1]).replace(/\"/g, '') : '';\n"
	"    };\n"
	"    var token = part(window.location.hash) || part(window.location.search);\n"
	"    if (!token) return;\n"
	"    var raw = atob(token.split('.')[1].replace(/-/g, '+').replace(/_/g, '/')), esc = '';\n"
	"    for (var i = 0; i < raw.length; i++)\n"
	"      esc += '%' + ('0' + raw.charCodeAt(i).toString(16)).slice(-2);\n"
	"    var claims = JSON.parse(decodeURIComponent(esc));\n"
	"    var own = Object.prototype.hasOwnProperty;\n"
	"    var at = function (path) {\n"
	"      var v = claims, keys = path.split('.');\n"
	"      for (var k = 0; k < keys.length; k++) {\n"
	"        if (v === null || typeof v !== 'object' || !own.call(v, keys[k])) return;\n"
	"        v = v[keys[k]];\n"
	"      }\n"
	"      return v;\n"
	"    };\n"
	"    var usable = function (name) {\n"
	"      if (typeof name !== 'string') return false;\n"
	"      name = name.normalize('NFC')\n"
	"        .replace(new RegExp('[\\\\t\\\\n\\\\r\\\\u2028\\\\u2029]', 'g'), ' ')\n"
	"        .replace(new RegExp('[\\u0000-\\u001f\\u007f-\\u009f\\u00ad\\u061c\\u115f\\u1160'\n"
	"          + '\\u180e\\u200b\\u200e\\u200f\\u202a-\\u202e\\u2060-\\u206f\\u2800\\u3164\\ufdd0-\\ufdef'\n"
	"          + '\\ufeff\\uffa0\\ufff9-\\ufffb\\ufffe\\uffff\\u{e0000}-\\u{e007f}]', 'gu'), '')\n"
	"        .replace(new RegExp('(\\\\p{M}{4})\\\\p{M}+', 'gu'), '$1')\n"
	"        .replace(new RegExp('[ \\\\p{Zs}]+', 'gu'), ' ').trim().normalize('NFC').slice(0, names.max);\n"
	"      return new RegExp('[\\\\p{L}\\\\p{N}\\\\p{P}\\\\p{S}]', 'u').test(name);\n"
	"    };\n"
	"    if (names.mode === 'per-claim') {\n"
	"      var feature = at('context.features');\n"
	"      feature = feature && feature['name-readonly'];\n"
	"      if (feature === true || feature === 'true') config.readOnlyName = true;\n"
	"    } else {\n"
	"      for (var n = 0; n < names.paths.length; n++) {\n"
	"        if (usable(at(names.paths[n]))) config.readOnlyName = true;\n"
	"      }\n"
	"    }\n"
	"  } catch (e) { /* no token that anybody could read: the server will say so */ }\n"
	"})();\n";
/* clang-format on */

static void put_bool(struct buf *b, const char *key, bool value)
{
	buf_printf(b, "    %s: %s,\n", key, value ? "true" : "false");
}

static void put_str(struct buf *b, const char *key, struct str value)
{
	buf_printf(b, "    %s: ", key);
	jval_quote(value, b);
	buf_puts(b, ",\n");
}

/* "conference.meet.example" is "conference.tenant.meet.example" to a tenant. */
static void put_muc(struct buf *b, const struct page_config *c)
{
	struct buf muc;
	size_t own = c->domain.n, all = c->muc_domain.n;
	bool below = all > own && str_ends(c->muc_domain, c->domain) &&
	             c->muc_domain.p[all - own - 1] == '.';
	buf_init(&muc, 0);
	if (c->tenant_rooms && c->tenant.n && below) {
		buf_str(&muc, str_sub(c->muc_domain, 0, all - own));
		tenant_label(c->tenant, &muc);
		buf_putc(&muc, '.');
		buf_str(&muc, c->domain);
	} else {
		buf_str(&muc, c->muc_domain);
	}
	put_str(b, "muc", buf_view(&muc));
	b->failed = b->failed || muc.failed;
	buf_done(&muc);
}

static void put_hidden(struct buf *b, const struct page_config *c)
{
	if (str_absent(c->hidden_domain))
		return;
	buf_puts(b, "  hiddenDomain: ");
	jval_quote(c->hidden_domain, b);
	buf_puts(b, ",\n");
}

static void put_hosts(struct buf *b, const struct page_config *c)
{
	buf_puts(b, "  hosts: {\n");
	put_str(b, "domain", c->domain);
	put_muc(b, c);
	put_str(b, "focus", c->focus_domain);
	buf_puts(b, "  },\n");
	if (!str_absent(c->focus_jid)) {
		buf_puts(b, "  focusUserJid: ");
		jval_quote(c->focus_jid, b);
		buf_puts(b, ",\n");
	}
	put_hidden(b, c);
}

static void put_features(struct buf *b, const struct page_config *c)
{
	buf_puts(b, "  p2p: {\n    enabled: true,\n    stunServers: [");
	for (size_t i = 0; i < c->n_stun_servers; i++) {
		buf_puts(b, i ? ", { urls: " : "{ urls: ");
		jval_quote(c->stun_servers[i], b);
		buf_puts(b, " }");
	}
	buf_puts(b, "],\n");
	if (c->turn) /* clients before 2022 ask only then */
		put_bool(b, "useStunTurn", true);
	buf_puts(b, "  },\n");
	if (c->turn)
		buf_puts(b, "  useStunTurn: true,\n");
	buf_puts(b, "  prejoinConfig: {\n");
	put_bool(b, "enabled", c->prejoin);
	put_bool(b, "hideDisplayName", c->hide_prejoin_name);
	buf_puts(b, "  },\n  remoteVideoMenu: {\n");
	put_bool(b, "disableGrantModerator", c->disable_grant_moderator);
	put_bool(b, "disableKick", c->disable_kickout);
	buf_puts(b, "  },\n");
	if (c->shard.n || c->region.n) {
		buf_puts(b, "  deploymentInfo: {\n");
		if (c->shard.n)
			put_str(b, "shard", c->shard);
		if (c->region.n)
			put_str(b, "region", c->region);
		buf_puts(b, "  },\n");
	}
	buf_printf(b, "  requireDisplayName: %s,\n", c->require_display_name ? "true" : "false");
	buf_printf(b, "  disableProfile: %s,\n", c->disable_profile ? "true" : "false");
	if (c->read_only_name)
		buf_puts(b, "  readOnlyName: true,\n");
	if (!str_absent(c->token_auth_url)) {
		buf_puts(b, "  tokenAuthUrl: ");
		jval_quote(c->token_auth_url, b);
		buf_puts(b, ",\n");
	}
}

/* The scheme follows the page's: one file serves http://localhost and https://meet.example alike.
 * Whole addresses: clients put https: before one of BOSH without it when their page is left. */
static void put_addresses(struct buf *b, const struct page_config *c)
{
	buf_puts(b,
	        "(function () {\n  var base = typeof window !== 'undefined' && window.location && "
	        "window.location.host\n"
	        "    ? window.location.protocol + '//' + window.location.host : ");
	jval_quote(str_absent(c->public_url) ? STR("") : c->public_url, b);
	buf_puts(b, ";\n");
	if (c->tenant.n) {
		buf_puts(b, "  base += '/' + ");
		jval_quote(c->tenant, b);
		buf_puts(b, ";\n");
	}
	buf_printf(b,
	        "  config.websocket = base.replace(/^http/, 'ws') + '%s';\n"
	        "  config.websocketKeepAliveUrl = base + '%s';\n",
	        c->ws_path, c->ws_path);
	if (c->bosh_path)
		buf_printf(b, "  config.bosh = base + '%s';\n", c->bosh_path);
	if (c->conference_path)
		buf_printf(b, "  config.conferenceRequestUrl = base + '%s';\n", c->conference_path);
	buf_puts(b, "})();\n");
}

void page_config_write(const struct page_config *c, struct buf *b)
{
	buf_puts(b, "/* Generated. */\nvar config = {\n");
	put_hosts(b, c);
	put_features(b, c);
	buf_puts(b, "};\n");
	put_addresses(b, c);
	page_config_write_end(c, b);
}

void page_config_write_end(const struct page_config *c, struct buf *b)
{
	if (c->names == PAGE_NAMES_FREE)
		return;
	buf_printf(b, "(function (names) {\n");
	buf_puts(b, snippet);
	buf_printf(b, "})({ mode: '%s', max: %u, paths: [",
	        c->names == PAGE_NAMES_FROZEN ? "frozen" : "per-claim", c->name_max);
	for (size_t i = 0; i < c->n_name_paths; i++) {
		if (i)
			buf_puts(b, ", ");
		jval_quote(c->name_paths[i], b);
	}
	buf_puts(b, "] });\n");
}
