/* lua.h - raw configuration lines of Prosody, as far as they are `name = literal`. Nothing is
 * evaluated. pure */
#pragma once
#include "base/buf.h"

enum lua_kind { LUA_STRING, LUA_NUMBER, LUA_BOOL, LUA_LIST, LUA_UNREADABLE };

/* text: the string, the number, "true" or "false", or a JSON array of strings; borrowed for the
 * call. Of an unreadable entry, name is what could be read of its name, or absent. */
typedef void (*lua_entry_fn)(void *arg, struct str name, enum lua_kind kind, struct str text);

/* Entries are parted by commas, semicolons, line ends or a backslash and n (docker-jitsi-meet's
 * forms). */
void lua_read(struct str lines, lua_entry_fn fn, void *arg);
