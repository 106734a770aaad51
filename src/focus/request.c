/* request.c - conference requests, and the two questions about logins that older clients ask. pure
 */
#include "base/err.h"
#include "base/log.h"
#include "focus/internal.h"
#include "xmpp/ns.h"

static void refuse(struct focus *f, const struct room_client *c, const struct stanza *st,
        const struct stanza_error *e)
{
	struct buf b;
	buf_init(&b, 0);
	stanza_error_reply(&b, st, st->to.full, c->jid, e); /* with `to`: clients read its domain */
	focus_send(f, c, &b);
	buf_done(&b);
}

size_t focus_properties(const struct focus *f, struct focus_property out[FOCUS_PROPERTIES])
{
	size_t n = 0;
	out[n++] = (struct focus_property){"authentication", f->settings.auth ? "true" : "false"};
	if (f->settings.token_auth_url.n)
		out[n++] = (struct focus_property){"externalAuth", "true"};
	out[n++] = (struct focus_property){"visitors-supported", "false"};
	return n;
}

struct str focus_account(const struct focus *f)
{
	return f->settings.focus_jid;
}

static void grant(
        struct focus *f, const struct room_client *c, const struct stanza *st, struct str room)
{
	struct focus_property properties[FOCUS_PROPERTIES];
	size_t n = focus_properties(f, properties);
	struct buf b;
	buf_init(&b, 0);
	stanza_head(&b, STANZA_IQ, "result", st->id, st->to.full, c->jid);
	buf_puts(&b, "><conference xmlns='" NS_FOCUS "'");
	xml_attr(&b, "room", room);
	buf_puts(&b, " ready='true'");
	xml_attr(&b, "focusjid", f->settings.focus_jid);
	buf_putc(&b, '>');
	for (size_t i = 0; i < n; i++)
		buf_printf(&b, "<property name='%s' value='%s'/>", properties[i].name,
		        properties[i].value);
	buf_puts(&b, "</conference></iq>");
	focus_send(f, c, &b);
	buf_done(&b);
}

void focus_conference(struct focus *f, const struct room_client *c, struct str wanted,
        struct arena *a, struct focus_answer *out)
{
	struct jid room;
	*out = (struct focus_answer){.error = stanza_error_make("modify", "bad-request", NULL)};
	int err = str_absent(wanted) ? ERR_BADMSG : jid_parse(wanted, a, &room);
	if (!err && !address_outward(f, &room, a))
		err = ERR_NOMEM;
	if (err == ERR_NOMEM)
		out->error = stanza_error_make("wait", "resource-constraint", NULL);
	if (err || str_absent(room.node) || !str_absent(room.resource)) {
		if (room_service_may_log(f->rooms))
			log_info("event=refuse stage=conference because=%s session=%.8s room=%s",
			        out->error.condition, c->key.n ? c->key.p : "-", log_value(wanted));
		return;
	}
	if (!address_is_room(f, room.domain)) {
		out->error = stanza_error_make("cancel", "item-not-found", "No such room service");
		return;
	}
	out->reason = room_service_request(f->rooms, c, room.bare);
	out->ready = out->reason == R_NONE;
	out->room = room.bare;
	if (out->ready)
		return;
	const struct reason_info *info = reason_info(out->reason);
	out->error = stanza_error_make(info->type, info->condition, info->text);
}

static void on_conference(
        struct focus *f, const struct room_client *c, const struct stanza *st, struct arena *a)
{
	struct focus_answer answer;
	focus_conference(f, c, element_attr(st->payload, "room"), a, &answer);
	/* a request whose join will be refused opens no room, and is nothing for a focus outside */
	if (answer.ready && f->settings.outside && room_find(f->rooms, answer.room))
		external_ask(f, c, st, answer.room);
	else if (answer.ready)
		grant(f, c, st, answer.room);
	else
		refuse(f, c, st, &answer.error);
}

bool focus_request_room(const struct focus *f, struct str wanted, struct buf *room)
{
	struct arena a;
	struct jid jid;
	arena_init(&a, 0);
	bool named = !str_absent(wanted) && jid_parse(wanted, &a, &jid) == 0 &&
	             !str_absent(jid.node) && address_is_room(f, jid.domain) &&
	             address_outward(f, &jid, &a);
	if (named)
		buf_str(room, jid.bare);
	arena_done(&a);
	return named;
}

bool request_names(const struct focus *f, const struct stanza *st, struct buf *room)
{
	return element_is(st->payload, "conference", NS_FOCUS) &&
	       focus_request_room(f, element_attr(st->payload, "room"), room);
}

/* As encodeURIComponent writes it. */
static void percent_encode(struct str s, struct buf *out)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		char low = ascii_lower((char)c);
		if ((low >= 'a' && low <= 'z') || (c >= '0' && c <= '9') ||
		        (c && strchr("-_.!~*'()", c)))
			buf_putc(out, (char)c);
		else
			buf_printf(out, "%%%02X", c);
	}
}

static void on_login_url(struct focus *f, const struct room_client *c, const struct stanza *st)
{
	struct stanza_error e = stanza_error_make("cancel", "service-unavailable", NULL);
	struct str room = element_attr(st->payload, "room"),
	           uid = element_attr(st->payload, "machine-uid");
	if (room.n == 0)
		e = stanza_error_make("modify", "not-acceptable", NULL);
	else if (uid.n == 0)
		e = stanza_error_make("modify", "bad-request", NULL);
	if (room.n == 0 || uid.n == 0 || f->settings.token_auth_url.n == 0) {
		refuse(f, c, st, &e);
		return;
	}
	struct buf b, url;
	buf_init(&b, 0);
	buf_init(&url, 0);
	percent_encode(f->settings.token_auth_url, &url);
	stanza_head(&b, STANZA_IQ, "result", st->id, st->to.full, c->jid);
	buf_puts(&b, "><login-url xmlns='" NS_FOCUS "'");
	xml_attr(&b, "url", buf_view(&url));
	xml_attr(&b, "room", room);
	xml_attr(&b, "machine-uid", uid);
	buf_puts(&b, "/></iq>");
	b.failed = b.failed || url.failed;
	focus_send(f, c, &b);
	buf_done(&b);
	buf_done(&url);
}

static bool is_about_login(const struct stanza *st)
{
	return st->type == STANZA_GET ? element_is(st->payload, "login-url", NS_FOCUS)
	                              : element_is(st->payload, "logout", NS_FOCUS);
}

void request_iq(struct focus *f, const struct room_client *c, const struct stanza *st)
{
	struct arena a;
	struct stanza_error e = stanza_error_make("cancel", "service-unavailable", NULL);
	arena_init(&a, 0);
	if (st->type == STANZA_SET && element_is(st->payload, "conference", NS_FOCUS)) {
		on_conference(f, c, st, &a);
	} else if (f->settings.outside && is_about_login(st)) {
		external_ask(f, c, st, STR_NONE);
	} else if (st->type == STANZA_GET && element_is(st->payload, "login-url", NS_FOCUS)) {
		on_login_url(f, c, st);
	} else if (st->type == STANZA_SET && element_is(st->payload, "logout", NS_FOCUS)) {
		/* the focus keeps no login sessions, so whatever is named is none of them */
		e = stanza_error_make("modify", "not-acceptable", NULL);
		e.extra = STR("<session-invalid xmlns='" NS_FOCUS "'/>");
		refuse(f, c, st, &e);
	} else if (st->type == STANZA_GET && element_is(st->payload, "ping", NS_PING)) {
		struct buf b;
		buf_init(&b, 0);
		stanza_result(&b, st, st->to.full, c->jid);
		focus_send(f, c, &b);
		buf_done(&b);
	} else {
		refuse(f, c, st, &e);
	}
	arena_done(&a);
}
