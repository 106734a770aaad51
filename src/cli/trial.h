/* trial.h - the first start by `make run`: a configuration made once, and links to try. io */
#pragma once
#include <stddef.h>

#include "config/config.h"

/* Makes the state folder, the configuration and a random secret, unless they are there. path: of
 * the configuration. False: the reason was printed. */
bool trial_prepare(char *path, size_t size);
/* Two links into the room `demo`, how a guest comes in, and how to reach the server from another
 * machine. lan: other machines reach it by this host's address, and the links say so. */
void trial_print(const struct config *c, const char *url, uint16_t port, bool lan);
