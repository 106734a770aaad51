/* disco.c - disco#info written. pure */
#include "xmpp/disco.h"

#include "xmpp/ns.h"

void disco_info_write(struct buf *b, const struct disco_identity *identities, size_t n_identities,
        const char *const *features, size_t n_features, struct str extension)
{
	buf_puts(b, "<query xmlns='" NS_DISCO_INFO "'>");
	for (size_t i = 0; i < n_identities; i++) {
		buf_puts(b, "<identity");
		xml_attr(b, "category", str_c(identities[i].category));
		xml_attr(b, "type", str_c(identities[i].type));
		xml_attr(b, "name", identities[i].name);
		buf_puts(b, "/>");
	}
	for (size_t i = 0; i < n_features; i++) {
		buf_puts(b, "<feature");
		xml_attr(b, "var", str_c(features[i]));
		buf_puts(b, "/>");
	}
	buf_str(b, extension);
	buf_puts(b, "</query>");
}

void disco_field(struct buf *b, const char *var, const char *type, struct str value)
{
	buf_puts(b, "<field");
	xml_attr(b, "var", str_c(var));
	if (type)
		xml_attr(b, "type", str_c(type));
	buf_putc(b, '>');
	if (!str_absent(value)) {
		buf_puts(b, "<value>");
		xml_text(b, value);
		buf_puts(b, "</value>");
	}
	buf_puts(b, "</field>");
}
