/* service.c - the words for kinds of services. pure */
#include "policy/service.h"

static const char *const names[SERVICE_KINDS] = {
        "none", "focus", "bridge", "jibri", "recorder", "jigasi", "transcriber", "other"};

const char *service_name(enum service s)
{
	return names[s];
}

bool service_parse(struct str word, enum service *out)
{
	for (unsigned i = SERVICE_NONE + 1; i < SERVICE_KINDS; i++) {
		if (str_eqc(word, names[i])) {
			*out = (enum service)i;
			return true;
		}
	}
	return false;
}
