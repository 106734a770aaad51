/* xml.c - the bounded parser of framed XML, on expat. pure */
#include "xmpp/xml.h"

#include "base/mem.h"
#include "xmpp/builder.h"

#define RUN_KEPT 65536
/* expat's tables grow with the names of a message and never shrink, and each message that follows
 * would be charged for emptying them. */
#define EXPAT_KEPT 4096 /* bytes of a message */

const struct xml_limits xml_limits_before_auth = {
        .bytes = 4096, .depth = 6, .attributes = 16, .elements = 32};
const struct xml_limits xml_limits_after_auth = {
        .bytes = 262144, .depth = 32, .attributes = 64, .elements = 8192};

struct xml_parser {
	struct xml_builder builder;
};

struct xml_parser *xml_parser_new(void)
{
	struct xml_parser *p = mem_zalloc(sizeof *p);
	if (p)
		xml_builder_init(&p->builder);
	return p;
}

void xml_parser_free(struct xml_parser *p)
{
	if (!p)
		return;
	xml_builder_done(&p->builder);
	mem_free(p);
}

const char *xml_fault_condition(enum xml_fault f)
{
	switch (f) {
	case XML_NOT_WELL_FORMED:
		return "not-well-formed";
	case XML_RESTRICTED:
		return "restricted-xml";
	case XML_NO_MEMORY:
		return "resource-constraint";
	default:
		return "policy-violation";
	}
}

const char *xml_fault_text(enum xml_fault f)
{
	static const char *const texts[] = {"fine", "not well-formed", "restricted XML",
	        "too large", "too deep", "too many attributes", "too many elements",
	        "out of memory"};
	return texts[f];
}

enum xml_fault xml_parse(struct xml_parser *p, struct str message, const struct xml_limits *limits,
        struct arena *a, struct element **root)
{
	struct xml_builder *b = &p->builder;
	*root = NULL;
	if (message.n > limits->bytes || message.n > INT32_MAX)
		return XML_TOO_LARGE;
	if (!xml_builder_may_be_utf8(message))
		return XML_NOT_WELL_FORMED;
	if (!xml_builder_begin(b, limits, a) || !xml_builder_prepare(b))
		return XML_NO_MEMORY;
	xml_builder_allow(b, message.n);
	enum XML_Status status =
	        XML_Parse(b->expat, message.n ? message.p : "", (int)message.n, XML_TRUE);
	enum xml_fault fault = b->fault;
	if (fault == XML_FINE && status != XML_STATUS_OK)
		fault = xml_builder_fault(b);
	if (fault == XML_FINE && !b->root)
		fault = XML_NOT_WELL_FORMED;
	/* its state after a failed allocation is not worth trusting */
	if (fault == XML_NO_MEMORY || message.n > EXPAT_KEPT)
		xml_builder_drop_expat(b);
	xml_builder_trim(b, RUN_KEPT);
	if (fault == XML_FINE)
		*root = b->root;
	return fault;
}
