/* yaml.h - the configuration file: flat `key: value` lines of YAML, with their line numbers. pure
 */
#pragma once
#include "config/set.h"

enum { YAML_FILE_MAX = 1 << 20 }; /* bytes */

/* Puts every key of the text into the set's CONFIG_FILE layer. Whatever is wrong (syntax, unknown
 * key, wrong type or word, a key given twice, anchors and aliases, tags, depth) is a fatal line;
 * reading goes on where that is possible. */
void yaml_read(struct str text, const char *file, struct config_set *s, struct config_report *r);
