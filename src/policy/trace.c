/* trace.c - words of the trace. pure */
#include "policy/trace.h"

const char *claim_class_word(enum claim_class c)
{
	static const char *const words[] = {"silent", "yes", "no", "outcast"};
	return words[c];
}

const char *gate_name(enum gate g)
{
	static const char *const names[] = {"node form", "wildcard", "room", "tenant", "outcast",
	        "ban", "breakout", "creation", "capacity", "lobby", "password", "name", ""};
	return names[g];
}
