/* link.c - `gavel link`: the URL to open, with or without a token. io */
#include <stdio.h>

#include "base/err.h"
#include "cli/cli.h"
#include "cli/token_order.h"
#include "policy/match.h"

static const char help[] =
        "gavel link --room R (--guest | [--name N] [--moderator|--participant] [--ttl 1h] [--id "
        "ID]\n"
        "           [--email E] [--avatar URL]) [--url BASE] [--config FILE|--env FILE] [--json]\n"
        "  Prints the URL that opens the meeting. The token stands behind #, where no web server "
        "sees it.\n"
        "  --guest: a link without token. --url: how browsers reach the server, in place of "
        "public_url\n"
        "  (default http://localhost:<port>). The other options are those of `gavel token make`.\n"
        "Exit: 0 fine, 1 the server would refuse who opens it, 2 bad usage or configuration.\n";

/* <base>/<room>, the room as the clients write it in addresses. */
static int put_address(const struct token_order *o, const struct config *c, struct buf *out)
{
	struct str base = o->url ? str_c(o->url) : c->server.public_url;
	struct buf room;
	buf_init(&room, 0);
	int err = room_canonical(str_c(o->room), &room);
	bool bad = !err && (memmem(room.p, room.n, "%2f", 3) || str_eqc(buf_view(&room), "*") ||
	                           str_starts(buf_view(&room), STR(".")));
	while (base.n && base.p[base.n - 1] == '/')
		base.n--;
	if (base.n)
		buf_str(out, base);
	else
		buf_printf(out, "http://localhost:%u", (unsigned)c->server.http_port);
	buf_printf(out, "/%.*s", STR_FMT(buf_view(&room)));
	buf_done(&room);
	if (err || bad) {
		fprintf(stderr, "gavel link: --room must name one room, without a slash or a "
		                "leading dot\n");
		return CLI_USAGE;
	}
	return out->failed ? CLI_FAIL : CLI_OK;
}

static int write_link(const struct token_order *o, const struct config *c, struct buf *url)
{
	struct buf token, payload;
	int result = put_address(o, c, url);
	if (result)
		return result;
	if (o->guest && !c->policy.allow_guests) {
		fprintf(stderr, "gavel link: the server refuses guests (set allow_guests=true, or "
		                "leave --guest out)\n");
		return CLI_FAIL;
	}
	if (o->guest)
		return CLI_OK;
	buf_init(&token, 0);
	buf_init(&payload, 0);
	result = token_order_sign(o, c, &token, &payload);
	if (!result)
		buf_printf(url, "#jwt=%s", token.p);
	buf_done(&token);
	buf_done(&payload);
	return result;
}

int cli_link(int argc, char **argv)
{
	static char name[] = "gavel link";
	struct token_order o;
	struct config c;
	struct buf url;
	argv[0] = name;
	int result = token_order_parse(&o, argc, argv);
	if (o.help) {
		fputs(help, stdout);
		return CLI_OK;
	}
	if (!result && o.guest &&
	        (o.name || o.moderator || o.participant || o.id || o.email || o.avatar)) {
		fprintf(stderr, "gavel link: a guest has no token: --guest goes with --room, --url "
		                "and --config only\n");
		result = CLI_USAGE;
	}
	if (!result && o.url && strncmp(o.url, "https://", 8) != 0 &&
	        strncmp(o.url, "http://", 7) != 0) {
		fprintf(stderr, "gavel link: --url needs an http or https URL\n");
		result = CLI_USAGE;
	}
	if (result)
		return result;
	buf_init(&url, 0);
	result = token_config_load(&c, o.config, o.env);
	if (!result)
		result = write_link(&o, &c, &url);
	if (!result && o.json) {
		struct buf json;
		buf_init(&json, 0);
		buf_puts(&json, "{\"url\":");
		jval_quote(buf_view(&url), &json);
		printf("%.*s}\n", STR_FMT(buf_view(&json)));
		buf_done(&json);
	} else if (!result) {
		printf("%.*s\n", STR_FMT(buf_view(&url)));
	}
	config_free(&c);
	buf_done(&url);
	return result;
}
