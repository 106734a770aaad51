/* server.h - the running server: every part, introduced to the others, on one loop. io */
#pragma once
#include "config/config.h"

struct server;
struct token_keys;

/* Builds everything and listens. The configuration and the keys outlive it. NULL: the reason is in
 * *why (English, one line, with the setting to change where there is one). */
struct server *server_new(
        const struct config *c, const struct token_keys *keys, char *why, size_t why_size);
void server_free(struct server *s); /* NULL is fine */
uint16_t server_port(const struct server *s);
/* Where browsers find it, without a slash at the end; lives as long as the server. */
const char *server_url(const struct server *s);
/* Reads the certificates again; the configuration is not. False: the old ones stay, and why says
 * which file is wrong. */
bool server_reload(struct server *s, char *why, size_t why_size);
/* Prints where it listens, and serves until SIGINT or SIGTERM, then tells the clients and returns.
 */
void server_run(struct server *s);
