/* form.c - muc#owner: reading and changing the room's settings, and destroying it. pure */
#include "base/log.h"
#include "base/mem.h"
#include "room/model.h"
#include "xmpp/disco.h"
#include "xmpp/ns.h"

#define FIELD(name) "muc#roomconfig_" name

/* One submission being read. */
struct submission {
	bool has_secret, has_protected, protect;
	struct str secret;
	bool members_only, names_people, hides_jids, malformed;
};

static void answer(struct room *r, const struct room_client *c, const struct stanza *st,
        const char *type, const char *condition, const char *text)
{
	struct stanza_error e = stanza_error_make(type, condition, text);
	service_error(r->service, c, st, &e);
}

static void send_form(struct room *r, const struct room_client *c, const struct stanza *st)
{
	struct buf b;
	buf_init(&b, 0);
	stanza_head(&b, STANZA_IQ, "result", st->id, r->jid, c->jid);
	buf_puts(&b, "><query xmlns='" NS_MUC_OWNER "'><x xmlns='" NS_DATA "' type='form'>");
	disco_field(&b, "FORM_TYPE", "hidden", STR(NS_MUC_ROOMCONFIG));
	disco_field(&b, FIELD("roomsecret"), "text-private",
	        r->password ? str_c(r->password) : STR(""));
	disco_field(
	        &b, FIELD("passwordprotectedroom"), "boolean", r->password ? STR("1") : STR("0"));
	disco_field(&b, FIELD("membersonly"), "boolean", STR("0"));
	disco_field(&b, FIELD("whois"), "list-single", STR("anyone"));
	disco_field(&b, "muc#roominfo_meetingId", "text-single", str_c(r->meeting_id));
	buf_puts(&b, "</x></query></iq>");
	service_send(r->service, c->handle, &b);
	buf_done(&b);
}

static bool read_flag(struct str value, bool *out)
{
	*out = str_eqc(value, "1") || str_eqc(value, "true");
	return *out || str_eqc(value, "0") || str_eqc(value, "false");
}

static void read_field(struct submission *in, const struct element *field, struct arena *a)
{
	struct str var = element_attr(field, "var");
	struct str value = element_child_text(field, "value", a);
	if (str_absent(value))
		value = STR("");
	if (str_eqc(var, "FORM_TYPE")) {
		in->malformed |= !str_eqc(value, NS_MUC_ROOMCONFIG);
	} else if (str_eqc(var, FIELD("roomsecret"))) {
		in->has_secret = true;
		in->secret = value;
	} else if (str_eqc(var, FIELD("passwordprotectedroom"))) {
		in->has_protected = true;
		in->malformed |= !read_flag(value, &in->protect);
	} else if (str_eqc(var, FIELD("membersonly"))) {
		in->malformed |= !read_flag(value, &in->members_only);
	} else if (str_eqc(var, FIELD("whois"))) {
		in->hides_jids = !str_eqc(value, "anyone");
	} else if (str_eqc(var, FIELD("roomowners")) || str_eqc(var, FIELD("roomadmins"))) {
		in->names_people = true;
	} /* every other field keeps its value */
}

/* The password after the submission, NULL for none. false: no change. */
static bool password_of(const struct room *r, const struct submission *in, struct str *out)
{
	*out = r->password ? str_c(r->password) : STR_NONE;
	if (in->has_secret)
		*out = in->secret.n ? in->secret : STR_NONE;
	if (in->has_protected && !in->protect)
		*out = STR_NONE;
	return r->password ? !str_eqc(*out, r->password) : !str_absent(*out);
}

static bool set_password(struct room *r, struct str password)
{
	char *copy = NULL;
	if (!str_absent(password) && !(copy = mem_strndup(password.p, password.n)))
		return false;
	mem_free(r->password);
	r->password = copy;
	return true;
}

static void submit(struct room *r, const struct occupant *from, const struct room_client *c,
        const struct stanza *st, const struct submission *in)
{
	struct str password;
	struct buf b;
	bool changed = password_of(r, in, &password);
	if (in->malformed || (in->has_secret && in->secret.n > PASSWORD_BYTES_MAX)) {
		answer(r, c, st, "modify", "bad-request", NULL);
		return;
	}
	if (in->members_only || in->hides_jids) {
		if (room_service_may_log(r->service))
			log_info("room=%s occupant=%s event=config refused because=%s",
			        log_value(r->node), from->nick,
			        in->members_only ? "no-lobby" : "whois");
		answer(r, c, st, "cancel", "feature-not-implemented",
		        in->members_only ? "The lobby is not available on this server" : NULL);
		return;
	}
	if (changed && !set_password(r, password)) {
		service_no_memory(r->service, "password");
		answer(r, c, st, "wait", "resource-constraint", NULL);
		return;
	}
	buf_init(&b, 0);
	stanza_result(&b, st, r->jid, c->jid);
	service_send(r->service, c->handle, &b);
	buf_done(&b);
	if (!changed)
		return;
	log_info("room=%s occupant=%s event=config password=%s", log_value(r->node), from->nick,
	        r->password ? "set" : "none");
	room_notify_config(r);
}

/* A service names owners or admins: answered as it expects, and written down with whom it named. */
static void note_value(struct room *r, const struct occupant *by, struct str jid, const char *what,
        struct arena *a)
{
	struct jid parsed;
	struct occupant *o = NULL;
	if (!str_absent(jid) && jid_parse(jid, a, &parsed) == 0)
		o = room_occupant_jid(r, parsed.full);
	if (o)
		outside_wrote(o, what, by);
}

static void note_people(struct room *r, const struct occupant *by, const struct element *query,
        const struct element *x, struct arena *a)
{
	for (const struct element *f = element_first(x); f; f = element_next(f)) {
		struct str var = element_attr(f, "var");
		bool owners = str_eqc(var, FIELD("roomowners"));
		if (!owners && !str_eqc(var, FIELD("roomadmins")))
			continue;
		for (const struct element *v = element_first(f); v; v = element_next(v))
			note_value(r, by, element_text(v, a), owners ? "owners" : "admins", a);
	}
	for (const struct element *i = element_first(query); i; i = element_next(i)) {
		if (!element_is(i, "item", NS_MUC_OWNER))
			continue;
		struct occupant *o = room_occupant(r, element_attr(i, "nick"));
		if (o)
			outside_wrote(o, "owner", by);
		else
			note_value(r, by, element_attr(i, "jid"), "owner", a);
	}
}

static void on_set(struct room *r, const struct occupant *from, const struct room_client *c,
        const struct stanza *st, struct arena *a)
{
	const struct element *destroy = element_child(st->payload, "destroy", NS_MUC_OWNER);
	const struct element *x = element_child(st->payload, "x", NS_DATA);
	struct submission in = {0};
	struct verdict v;
	for (const struct element *f = element_first(x); f; f = element_next(f)) {
		if (element_is(f, "field", NS_DATA))
			read_field(&in, f, a);
	}
	if (a->failed) { /* no password for want of memory would be an open door */
		service_no_memory(r->service, "form");
		answer(r, c, st, "wait", "resource-constraint", NULL);
		return;
	}
	policy_config_change(r->service->settings.policy, &from->seat, in.names_people, &v);
	if (!v.accepted) {
		r->service->counters.refusals++;
		if (room_service_may_log(r->service))
			log_info("room=%s occupant=%s event=config refused because=%s",
			        log_value(r->node), from->nick, reason_name(v.reason));
		service_refuse(r->service, c, st, &v);
		return;
	}
	struct buf b;
	buf_init(&b, 0);
	bool items = from->seat.service && element_child(st->payload, "item", NS_MUC_OWNER);
	if (from->seat.service)
		note_people(r, from, st->payload, x, a);
	if (destroy) {
		struct str reason = element_child_text(destroy, "reason", a);
		stanza_result(&b, st, r->jid, c->jid);
		service_send(r->service, c->handle, &b);
		room_destroy(r, str_sub(reason, 0, 256));
	} else if (items || (x && str_eqc(element_attr(x, "type"), "cancel"))) {
		stanza_result(&b, st, r->jid, c->jid);
		service_send(r->service, c->handle, &b);
	} else if (x && str_eqc(element_attr(x, "type"), "submit")) {
		submit(r, from, c, st, &in);
	} else {
		answer(r, c, st, "modify", "bad-request", NULL);
	}
	buf_done(&b);
}

void form_iq(
        struct room *r, struct occupant *from, const struct room_client *c, const struct stanza *st)
{
	struct arena a;
	struct verdict v;
	struct occupant stranger;
	if (!from && outside_is_focus(r->service, c)) {
		stranger = outside_stranger(r, c);
		from = &stranger;
	}
	if (!from) {
		answer(r, c, st, "auth", "forbidden", NULL);
		return;
	}
	if (st->type == STANZA_GET) {
		policy_config_change(r->service->settings.policy, &from->seat, false, &v);
		if (v.accepted)
			send_form(r, c, st);
		else
			service_refuse(r->service, c, st, &v);
		return;
	}
	arena_init(&a, 0);
	on_set(r, from, c, st, &a);
	arena_done(&a);
}
