/* trial.c - what `make run` shows: links with tokens for a moderator and a participant. io */
#include "cli/trial.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/rand.h"
#include "cli/certificates.h"
#include "token/sign.h"

#define ROOM "demo"
#define LINK_HOURS 24

extern char **environ;

bool trial_prepare(char *path, size_t size)
{
	char folder[512];
	if (config_state_directory(environ, folder, sizeof folder)) {
		fputs("gavel serve --trial: no state folder: set STATE_DIRECTORY or HOME.\n",
		        stderr);
		return false;
	}
	int err = config_write_fresh(folder, path, size);
	if (err) {
		fprintf(stderr,
		        "gavel serve --trial: cannot make %s: %s. STATE_DIRECTORY names another "
		        "folder.\n",
		        folder, err == ERR_IO ? strerror(errno) : err_text((enum err)err));
		return false;
	}
	return true;
}

static void put_user(struct buf *b, const char *id, const char *name, bool moderator)
{
	buf_printf(b, "\"context\":{\"user\":{\"id\":\"%s\",\"name\":\"%s\",\"moderator\":%s}}", id,
	        name, moderator ? "true" : "false");
}

/* A token as an issuer would make it: for this room, for a day. */
static bool make_token(
        const struct config *c, const char *id, const char *name, bool moderator, struct buf *out)
{
	struct buf b;
	long long now = (long long)time(NULL);
	buf_init(&b, 0);
	buf_puts(&b, "{\"aud\":\"jitsi\",\"iss\":");
	jval_quote(c->token.app_id, &b);
	buf_puts(&b, ",\"sub\":");
	jval_quote(c->server.domain, &b);
	buf_printf(&b, ",\"room\":\"" ROOM "\",\"iat\":%lld,\"exp\":%lld,", now,
	        now + LINK_HOURS * 3600LL);
	put_user(&b, id, name, moderator);
	buf_putc(&b, '}');
	int err = b.failed ? ERR_NOMEM
	                   : token_sign(TOKEN_HS256, c->token.keys.app_secret, buf_view(&b), out);
	buf_done(&b);
	return !err && !out->failed;
}

static void print_link(const struct config *c, const char *url, const char *what, const char *id,
        const char *name, bool moderator)
{
	struct buf token;
	buf_init(&token, 0);
	if (make_token(c, id, name, moderator, &token))
		printf("  %-12s %s/" ROOM "#jwt=%s\n\n", what, url, token.p);
	else
		printf("  %-12s no link: these settings have no shared secret\n", what);
	buf_done(&token);
}

static void print_tunnel(uint16_t port)
{
	char host[256] = "this-host";
	if (gethostname(host, sizeof host) < 0)
		snprintf(host, sizeof host, "this-host");
	host[sizeof host - 1] = '\0';
	const char *user = getlogin();
	printf("From another machine (browsers give cameras only to https and localhost), run "
	       "there:\n\n"
	       "  ssh -L %u:localhost:%u %s@%s\n\n"
	       "and open the same links; or start it with --trial --lan.",
	        port, port, user ? user : "user", host);
}

/* By the first of this host's addresses; its name may not be known on the network. */
static void network_url(const struct config *c, const char *url, char *out, size_t size)
{
	char addresses[16][46];
	size_t n = c->server.public_url.n ? 0 : host_addresses(addresses, 16);
	snprintf(out, size, "%s", url);
	if (!n)
		return;
	bool v6 = strchr(addresses[0], ':') != NULL;
	snprintf(out, size, "https://%s%s%s:%u", v6 ? "[" : "", addresses[0], v6 ? "]" : "",
	        c->server.https_port);
	for (size_t i = 0; i < n; i++)
		printf("%s%s", i ? ", " : "\nThis host's addresses: ", addresses[i]);
	printf("\n");
}

void trial_print(const struct config *c, const char *local, uint16_t port, bool lan)
{
	char url[2100];
	if (lan)
		network_url(c, local, url, sizeof url);
	else
		snprintf(url, sizeof url, "%s", local);
	printf("\nGavel is running at %s\n\n"
	       "Open each link in a window of its own. They are good for %d hours.\n\n",
	        url, LINK_HOURS);
	print_link(c, url, "moderator", "moderator-1", "Mona Moderator", true);
	print_link(c, url, "participant", "participant-1", "Pat Participant", false);
	if (c->policy.allow_guests)
		printf("  %-12s %s/" ROOM "\n"
		       "               without a token, once somebody with a link is in the room; "
		       "a guest "
		       "chooses the name\n\n",
		        "guest", url);
	if (lan)
		printf("The links work on every machine of this network. Nobody vouches for the "
		       "certificate, which was made here:\neach browser warns once; go on from "
		       "there "
		       "(\"Advanced\").");
	else
		print_tunnel(port);
	printf(" Ctrl-C ends the server.\n\n");
	fflush(stdout);
}
