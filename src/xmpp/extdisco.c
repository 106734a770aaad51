/* extdisco.c - the answer of XEP-0215, and credentials for TURN. pure */
#include "xmpp/extdisco.h"

#include <stdio.h>
#include <time.h>

#include "base/base64.h"
#include "base/err.h"
#include "base/hash.h"

static bool is_turn(struct str type)
{
	return str_eqc(type, "turn") || str_eqc(type, "turns");
}

static bool host_ok(struct str host)
{
	bool ok = host.n > 0 && host.n <= 253;
	for (size_t i = 0; ok && i < host.n; i++) {
		char c = host.p[i];
		ok = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		     c == '.' || c == '-' || c == ':';
	}
	return ok;
}

static bool port_ok(struct str text, uint16_t *port)
{
	uint32_t n = 0;
	bool ok = text.n > 0 && text.n <= 5;
	for (size_t i = 0; ok && i < text.n; i++) {
		ok = text.p[i] >= '0' && text.p[i] <= '9';
		n = n * 10 + (uint32_t)(text.p[i] - '0');
	}
	*port = (uint16_t)n;
	return ok && n > 0 && n <= 65535;
}

int extdisco_parse(struct str url, struct extdisco_service *out)
{
	struct str rest = url, port = STR_NONE;
	*out = (struct extdisco_service){.transport = STR_NONE};
	out->type = str_split(&rest, ':');
	if (str_absent(rest) || (!is_turn(out->type) && !str_eqc(out->type, "stun")))
		return ERR_BADMSG;
	struct str query = rest;
	rest = str_split(&query, '?');
	if (!str_absent(query) && str_starts(query, STR("transport=")))
		out->transport = str_sub(query, sizeof "transport=" - 1, query.n);
	if (!str_absent(query) && (!is_turn(out->type) || (!str_eqc(out->transport, "udp") &&
	                                                          !str_eqc(out->transport, "tcp"))))
		return ERR_BADMSG;
	if (rest.n && rest.p[0] == '[') {
		size_t end = str_find(rest, ']');
		if (end == rest.n || (end + 1 < rest.n && rest.p[end + 1] != ':'))
			return ERR_BADMSG;
		out->host = str_sub(rest, 1, end);
		if (end + 1 < rest.n)
			port = str_sub(rest, end + 2, rest.n);
	} else {
		port = rest;
		out->host = str_split(&port, ':');
	}
	if (!host_ok(out->host) || (!str_absent(port) && !port_ok(port, &out->port)))
		return ERR_BADMSG;
	return ERR_OK;
}

static void write_credentials(struct buf *b, const struct extdisco *x, int64_t now)
{
	if (!str_absent(x->secret)) {
		char user[160], when[32];
		time_t end = (time_t)(now + x->ttl_s);
		struct tm utc;
		bool named = !str_absent(x->username);
		struct str name = named ? str_sub(x->username, 0, 100) : STR("");
		int n = snprintf(user, sizeof user, "%lld%s%.*s", (long long)end, named ? ":" : "",
		        STR_FMT(name));
		struct str username = str_from(user, (size_t)n);
		uint8_t mac[HASH_MAX];
		b->failed |= !hash_hmac(HASH_SHA_1, x->secret, username, mac);
		xml_attr(b, "username", username);
		buf_puts(b, " password='");
		base64_encode(str_from((const char *)mac, hash_size(HASH_SHA_1)), b);
		buf_putc(b, '\'');
		if (gmtime_r(&end, &utc) && strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &utc))
			buf_printf(b, " expires='%s'", when);
	} else if (!str_absent(x->username)) {
		xml_attr(b, "username", x->username);
		xml_attr(b, "password", x->password);
	} else {
		return;
	}
	buf_puts(b, " restricted='1'");
}

static void write_service(
        struct buf *b, const struct extdisco *x, const struct extdisco_service *s, int64_t now)
{
	bool turns = str_eqc(s->type, "turns");
	buf_puts(b, "<service");
	xml_attr(b, "type", s->type);
	xml_attr(b, "host", s->host);
	buf_printf(b, " port='%u'", s->port ? s->port : turns ? 5349u : 3478u);
	xml_attr(b, "transport",
	        !str_absent(s->transport) ? s->transport
	        : turns                   ? STR("tcp")
	                                  : STR("udp"));
	if (is_turn(s->type))
		write_credentials(b, x, now);
	buf_puts(b, "/>");
}

/* <credentials/> asks for the services that it names by host and type. */
static bool is_asked(const struct element *asked, const struct extdisco_service *s)
{
	struct str type = element_attr(asked, "type");
	if (!str_eqc(asked->name, "credentials"))
		return str_absent(type) || str_eq(type, s->type);
	const struct element *one = element_child(asked, "service", NULL);
	return one && str_eq(element_attr(one, "type"), s->type) &&
	       str_eq(element_attr(one, "host"), s->host);
}

void extdisco_write(
        struct buf *b, const struct extdisco *x, const struct element *asked, int64_t now)
{
	buf_printf(b, "<%.*s", STR_FMT(asked->name));
	xml_attr(b, "xmlns", asked->ns);
	buf_putc(b, '>');
	for (size_t i = 0; i < x->n; i++) {
		if (is_asked(asked, &x->services[i]))
			write_service(b, x, &x->services[i], now);
	}
	buf_printf(b, "</%.*s>", STR_FMT(asked->name));
}
