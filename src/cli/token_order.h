/* token_order.h - what the makers of tokens and links share: arguments, configuration, the payload.
 * io */
#pragma once
#include "base/buf.h"
#include "config/config.h"

/* The arguments of `token make` and `link`, borrowed from argv. NULL or 0: not given. */
struct token_order {
	const char *room, *name, *id, *email, *avatar;
	const char *config, *env, *url;
	int64_t ttl; /* seconds */
	bool moderator, participant, guest, json, help;
};

/* 90s, 15m, 1h, 7d: seconds in *out; at most ten years. */
bool token_ttl_parse(const char *text, int64_t *out);

/* Reads the options; what is wrong is told on standard error. CLI_OK or CLI_USAGE. */
int token_order_parse(struct token_order *o, int argc, char **argv);

/* Loads the configuration: the file or .env given, else the environment where it has ENABLE_AUTH,
 * else gavel.yaml of the state folder. Its fatal lines go to standard error. CLI_OK or CLI_USAGE; c
 * is safe for config_free after both. */
int token_config_load(struct config *c, const char *file, const char *env);
/* Its keys; the reason goes to standard error. `given`: text of --keys, or absent. */
struct token_keys *token_config_keys(const struct config *c, struct str given);

/* Makes the token with the configuration's secret and checks it as the server would: both texts
 * appended. CLI_OK; CLI_FAIL when the server would refuse it; CLI_USAGE when this configuration
 * cannot sign. Told on standard error.
 */
int token_order_sign(const struct token_order *o, const struct config *c, struct buf *token,
        struct buf *payload);
