/* stocktext.h - what stock Jitsi would do with the same variables, by the source numbers of
 * docs/roles.md. pure */
#pragma once
#include "policy/stock.h"

enum { STOCK_SOURCES = 16 };

struct stock_text {
	unsigned source;
	bool acts; /* it is there and changes somebody's role */
	const char *name;
	const char *text;
};

/* All sources in order. */
void stock_text_list(const struct stock_setup *s, struct stock_text out[STOCK_SOURCES]);
/* One sentence: who would be moderator in the end. */
const char *stock_text_outcome(const struct stock_setup *s);
