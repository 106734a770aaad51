/* site.h - what the web is shown: config.js, or a whole installed jitsi-meet; and what its
 * endpoints say of this server. io */
#pragma once
#include "config/config.h"
#include "http/server.h"

#define WS_PATH "/xmpp-websocket"

struct site;

/* The configuration outlives it. NULL: *why says what is missing. */
struct site *site_new(const struct config *c, struct loop *front, char *why, size_t why_size);
/* Before the HTTP server that shows it is freed; NULL is fine. */
void site_stop(struct site *s);
void site_free(struct site *s); /* NULL is fine; site_stop first */
/* Adds a path that somebody answers; copied. False: there are too many. Before site_fill. */
bool site_add_route(struct site *s, const struct http_route *r);
/* Fills in its part of the settings; what they point to lives as long as the site. */
void site_fill(const struct site *s, struct http_settings *out);
