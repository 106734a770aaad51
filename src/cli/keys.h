/* keys.h - loading the verification keys for a command, with words for what is wrong. io */
#pragma once
#include "base/buf.h"
#include "config/config.h"
#include "token/store.h"

/* Loads the keys that the configuration names. *keys is NULL with auth=none. false: a faulty
 * configuration, *e says which setting. The configuration must outlive the keys. */
bool keys_load(const struct config *c, struct token_keys **keys, struct token_error *e);
/* Where keys come from elsewhere: attaches a store to them, which is the caller's to free after the
 * server; *store is NULL where none is needed. False: no memory. */
bool keys_open_store(const struct config *c, struct token_keys *keys, struct token_store **store);
/* Appends one line for each source that would be asked while the server runs. */
void keys_sources(const struct config *c, struct buf *out);
/* Appends one line for each algorithm that algs lists and that no key can verify. */
void keys_notes(const struct config *c, const struct token_keys *keys, struct buf *out);
