/* discovery.c - what a room and the room service say about themselves (XEP-0030), and IQs nobody
 * serves. pure */
#include <stdio.h>

#include "room/model.h"
#include "xmpp/disco.h"
#include "xmpp/ns.h"

static void reply(struct room_service *s, const struct room_client *c, const struct stanza *st,
        struct buf *payload)
{
	struct buf b;
	buf_init(&b, 0);
	stanza_head(&b, STANZA_IQ, "result", st->id, st->to.full, c->jid);
	buf_putc(&b, '>');
	buf_str(&b, buf_view(payload));
	buf_puts(&b, "</iq>");
	b.failed = b.failed || payload->failed;
	service_send(s, c->handle, &b);
	buf_done(&b);
}

static void room_info(struct room *r, struct buf *b)
{
	const char *const features[] = {NS_DISCO_INFO, NS_MUC,
	        r->password ? "muc_passwordprotected" : "muc_unsecured", "muc_open",
	        "muc_nonanonymous", "muc_hidden", "muc_temporary", "muc_unmoderated"};
	const struct disco_identity identity = {"conference", "text", r->node};
	char created[24];
	struct buf form;
	buf_init(&form, 0);
	snprintf(created, sizeof created, "%llu", (unsigned long long)(r->started * 1000.0));
	buf_puts(&form, "<x xmlns='" NS_DATA "' type='result'>");
	disco_field(&form, "FORM_TYPE", "hidden", STR(NS_MUC_ROOMINFO));
	disco_field(&form, "muc#roominfo_meetingId", NULL, str_c(r->meeting_id));
	disco_field(&form, "muc#roominfo_created_timestamp", NULL, str_c(created));
	buf_puts(&form, "</x>");
	disco_info_write(
	        b, &identity, 1, features, sizeof features / sizeof *features, buf_view(&form));
	b->failed = b->failed || form.failed;
	buf_done(&form);
}

void discovery_room(struct room *r, const struct room_client *c, const struct stanza *st)
{
	struct stanza_error e = stanza_error_make("cancel", "service-unavailable", NULL);
	bool known = element_is(st->payload, "query", NS_DISCO_INFO) ||
	             element_is(st->payload, "query", NS_DISCO_ITEMS) ||
	             element_is(st->payload, "ping", NS_PING);
	struct buf b;
	buf_init(&b, 0);
	if (!room_occupant_of(r, c->handle)) {
		e = known ? stanza_error_make("auth", "forbidden", NULL)
		          : stanza_error_make("cancel", "not-acceptable", NULL);
		service_error(r->service, c, st, &e);
	} else if (st->type == STANZA_GET && element_is(st->payload, "query", NS_DISCO_INFO)) {
		room_info(r, &b);
		reply(r->service, c, st, &b);
	} else if (st->type == STANZA_GET && element_is(st->payload, "query", NS_DISCO_ITEMS)) {
		buf_puts(&b,
		        "<query xmlns='" NS_DISCO_ITEMS "'/>"); /* who is here, presences tell */
		reply(r->service, c, st, &b);
	} else {
		service_error(r->service, c, st, &e);
	}
	buf_done(&b);
}

void discovery_service(struct room_service *s, const struct room_client *c, const struct stanza *st)
{
	static const char *const features[] = {NS_DISCO_INFO, NS_DISCO_ITEMS, NS_MUC, NS_PING};
	const struct disco_identity identity = {"conference", "text", STR_NONE};
	struct stanza_error e = stanza_error_make("cancel", "service-unavailable", NULL);
	struct buf b;
	if (st->type != STANZA_GET && st->type != STANZA_SET)
		return;
	buf_init(&b, 0);
	if (st->type == STANZA_GET && element_is(st->payload, "query", NS_DISCO_INFO)) {
		disco_info_write(
		        &b, &identity, 1, features, sizeof features / sizeof *features, STR_NONE);
		reply(s, c, st, &b);
	} else if (st->type == STANZA_GET && element_is(st->payload, "query", NS_DISCO_ITEMS)) {
		buf_puts(&b, "<query xmlns='" NS_DISCO_ITEMS "'/>"); /* rooms are hidden */
		reply(s, c, st, &b);
	} else if (st->type == STANZA_GET && element_is(st->payload, "ping", NS_PING)) {
		stanza_result(&b, st, st->to.full, c->jid);
		service_send(s, c->handle, &b);
	} else {
		service_error(s, c, st, &e);
	}
	buf_done(&b);
}
