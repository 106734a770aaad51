/* service.h - what kind of service an account belongs to: known by a password login alone, outside
 * the rule of roles (R_SERVICE). pure */
#pragma once
#include <stdbool.h>
#include "base/str.h"

/* SERVICE_NONE, a person, is false wherever it is asked as a condition. */
enum service {
	SERVICE_NONE,
	SERVICE_FOCUS,       /* Jicofo */
	SERVICE_BRIDGE,      /* jitsi-videobridge */
	SERVICE_JIBRI,       /* the recorder's control, in its brewery */
	SERVICE_RECORDER,    /* the recorder's browser, in the meeting */
	SERVICE_JIGASI,      /* telephony */
	SERVICE_TRANSCRIBER, /* Jigasi's other one */
	SERVICE_OTHER,
};
#define SERVICE_KINDS (SERVICE_OTHER + 1)

/* Words as in the configuration: "focus", "bridge", ... "other"; "none". */
const char *service_name(enum service s);
/* False: no such word, or "none". */
bool service_parse(struct str word, enum service *out);
