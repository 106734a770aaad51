/* room.c - fuzz: stanzas of four clients, minutes that pass and clients that vanish, through the
 * focus and the rooms; whatever is sent to anybody must be one well-formed stanza with the
 * receiver's address. io
 *
 * The input is lines: "N<xml>" client N (0-3) sends, "N-" it is gone, "+" ten seconds pass,
 * "?{json}" the control socket is asked, its answer must be JSON; "N={json}" client N, gone before,
 * has another token. A first line "P" and digits chooses among the policy's settings. */
#include <stdlib.h>

#include "admin/ask.h"
#include "base/log.h"
#include "base/err.h"
#include "focus/focus.h"
#include "policy/settings.h"
#include "token/claims.h"
#include "xmpp/ns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CLIENTS 4

struct world {
	struct xml_parser *parser;
	struct arena arena;
	struct outbox outbox;
	struct timer_wheel wheel;
	struct focus *focus;
	struct room_service *rooms;
	struct room_client clients[CLIENTS];
	uint64_t now_ms;
};

static void on_send(void *arg, struct session_handle to, struct str head, struct block *tail)
{
	const struct world *w = arg;
	static const struct xml_limits limits = {
	        .bytes = 1u << 24, .depth = 64, .attributes = 256, .elements = 65536};
	static struct xml_parser *checker;
	if (!checker && !(checker = xml_parser_new()))
		abort();
	struct buf whole;
	struct arena a;
	struct element *e;
	arena_init(&a, 0);
	buf_init(&whole, 0);
	buf_str(&whole, head);
	if (tail)
		buf_str(&whole, block_view(tail));
	if (xml_parse(checker, buf_view(&whole), &limits, &a, &e) != XML_FINE ||
	        !str_eqc(e->ns, NS_CLIENT) ||
	        !str_eq(element_attr(e, "to"), w->clients[to.index].jid) ||
	        element_attr(e, "from").n == 0)
		abort();
	buf_done(&whole);
	arena_done(&a);
}

static void on_close(void *arg, struct session_handle to, const char *condition, struct str text)
{
	(void)arg, (void)to, (void)condition, (void)text;
}

/* The next digit, modulo what there is; 0 behind the last. */
static unsigned choose(struct str *digits, unsigned among)
{
	if (!digits->n)
		return 0;
	unsigned d = (unsigned char)digits->p[0];
	*digits = str_sub(*digits, 1, digits->n);
	return d % among;
}

static void choose_policy(struct policy_settings *p, struct str digits)
{
	static const struct str paths[] = {{"context.user", 12}, {"$", 1}};
	static const struct str names[] = {{"groups", 6}}, flags[] = {{"a", 1}, {"b", 1}};
	static const struct claim_constant staff[] = {{.text = {"staff", 5}}};
	static const struct claim_constant yes[] = {{.is_bool = true, .boolean = true}};
	static const struct claim_rule rules[] = {{.path = {names, 1},
	                                                  .op = CLAIM_OP_HAS,
	                                                  .values = staff,
	                                                  .n_values = 1,
	                                                  .grant = true,
	                                                  .text = {"groups has staff", 16}},
	        {.path = {flags, 2},
	                .op = CLAIM_OP_IS,
	                .values = yes,
	                .n_values = 1,
	                .text = {"a.b is true", 11}}};
	policy_settings_init(p);
	p->allow_guests = true;
	p->room_create = ROOM_CREATE_ANYONE;
	p->on_expiry = ON_EXPIRY_DEMOTE;
	p->on_last_moderator_left = ON_LAST_ELECT;
	p->role_mode = ROLE_MODE_FIRST_USER;
	if (!digits.n)
		return;
	p->claim_paths = (struct str_list){paths, 1 + choose(&digits, 2)};
	p->claim_rules = rules;
	p->n_claim_rules = choose(&digits, 3);
	p->role_mode = (enum role_mode)choose(&digits, 5);
	p->name_mode = (enum name_mode)choose(&digits, 3);
	p->guest_clash = (enum guest_clash)choose(&digits, 3);
	p->room_create = (enum room_create)choose(&digits, 3);
	p->on_last_moderator_left = (enum on_last_moderator_left)choose(&digits, 3);
	p->on_expiry = (enum on_expiry)choose(&digits, 3);
	p->runtime_grant = (enum runtime_grant)choose(&digits, 3);
	p->claim_coercion = (enum claim_coercion)choose(&digits, 2);
	p->claim_conflict = (enum claim_conflict)choose(&digits, 2);
	p->claim_rules_else = (enum claim_rules_else)choose(&digits, 2);
	p->outcast_claim = (enum outcast_claim)choose(&digits, 2);
	p->password_bypass = (enum password_bypass)choose(&digits, 2);
	p->bypass_claims = choose(&digits, 2) != 0;
	p->honour_deny = choose(&digits, 2) != 0;
	p->room_wildcard = choose(&digits, 2) == 0;
	p->domain_verification = choose(&digits, 2) != 0;
	p->allow_guests = choose(&digits, 2) == 0;
	p->max_occupants = choose(&digits, 3);
}

static void begin(struct world *w, struct str choice)
{
	static const char *const claims[CLIENTS] = {
	        "{\"iss\":\"a\",\"sub\":\"s\",\"room\":\"*\",\"exp\":1790000100,\"context\":{"
	        "\"user\":"
	        "{\"id\":\"1\",\"name\":\"Ann\",\"email\":\"a@b.c\",\"moderator\":true}}}",
	        "{\"iss\":\"a\",\"sub\":\"s\",\"room\":\"*\",\"context\":{\"user\":{\"id\":2,"
	        "\"name\":\"Bob\"},"
	        "\"features\":{\"recording\":true}}}",
	        NULL, NULL};
	static struct policy_settings policy;
	*w = (struct world){.now_ms = 1000};
	choose_policy(&policy, choice);
	arena_init(&w->arena, 0);
	timer_wheel_init(&w->wheel, w->now_ms);
	w->outbox = (struct outbox){.arg = w, .send = on_send, .close = on_close};
	const struct focus_settings focus = {.domain = STR("d"),
	        .muc_domain = STR("c.d"),
	        .focus_domain = STR("f.d"),
	        .focus_jid = STR("focus@a.d"),
	        .auth = true,
	        .token_auth_url = STR("https://l/?room={room}"),
	        .version = "1"};
	struct room_settings rooms = room_settings_default;
	rooms.domain = STR("d");
	rooms.muc_domain = STR("c.d");
	rooms.focus_jid = STR("focus@a.d");
	rooms.policy = &policy;
	/* small enough for an input to cross them */
	rooms.occupants_per_room = 3;
	rooms.rooms_per_session = 3;
	rooms.rooms_per_address = 5;
	rooms.joins_per_second = 5;
	rooms.passwords_per_minute = 3;
	rooms.presence_bytes = 1500;
	rooms.message_bytes = 2000;
	rooms.history_messages = 3;
	rooms.subject_bytes = 100;
	w->parser = xml_parser_new();
	w->focus = focus_new(&focus, &w->outbox);
	if (!w->parser || !w->focus)
		abort();
	struct room_listener listener = focus_listener(w->focus);
	w->rooms = room_service_new(&rooms, &w->outbox, &listener, &w->wheel);
	if (!w->rooms)
		abort();
	focus_attach(w->focus, w->rooms);
	static const char *const jids[CLIENTS] = {
	        "00000000@d/r", "11111111@d/r", "22222222@d/r", "33333333@d/r"};
	for (uint32_t i = 0; i < CLIENTS; i++) {
		w->clients[i] = (struct room_client){.handle = {0, i, 1},
		        .jid = str_c(jids[i]),
		        .key = str_from(jids[i], 8),
		        .peer = STR("192.0.2.1"),
		        .claims = claims[i] ? token_claims_parse(str_c(claims[i])) : NULL};
	}
}

static void end(struct world *w)
{
	for (size_t i = 0; i < CLIENTS; i++)
		room_service_gone(w->rooms, w->clients[i].handle);
	if (room_service_counters(w->rooms)->occupants != 0)
		abort();
	room_service_free(w->rooms);
	focus_free(w->focus);
	xml_parser_free(w->parser);
	arena_done(&w->arena);
	for (size_t i = 0; i < CLIENTS; i++)
		claims_unref(w->clients[i].claims);
}

static void ask(const struct world *w, struct str question)
{
	const struct ask_sources sources = {.rooms = w->rooms, .muc.domain = STR("c.d")};
	static struct ask a;
	struct buf out;
	buf_init(&out, 0);
	ask_begin(&a, question);
	ask_gather(&a, &sources);
	ask_finish(&a, &out);
	ask_done(&a);
	struct jval *answer = jval_parse(buf_view(&out), 64, NULL);
	if (!answer || !jval_getc(answer, "ok"))
		abort();
	jval_free(answer);
	buf_done(&out);
}

/* What jwt.c lets through has both of these. */
static void change_token(struct world *w, struct room_client *c, struct str payload)
{
	struct claims *claims = token_claims_parse(payload);
	if (claims && (!claims->iss.n || !claims->sub.n)) {
		claims_unref(claims);
		return;
	}
	room_service_gone(w->rooms, c->handle);
	claims_unref(c->claims);
	c->claims = claims;
}

static void run_line(struct world *w, struct str line)
{
	struct element *e;
	struct stanza st;
	room_service_clock(w->rooms, w->now_ms, 1790000000.0 + (double)w->now_ms / 1000);
	if (line.n && line.p[0] == '+') {
		for (int i = 0; i < 100; i++)
			timer_wheel_run(&w->wheel, w->now_ms += 100);
		return;
	}
	if (line.n && line.p[0] == '?' && line.n <= ASK_BYTES_MAX) {
		ask(w, str_sub(line, 1, line.n));
		return;
	}
	if (line.n < 2 || line.p[0] < '0' || line.p[0] >= '0' + CLIENTS)
		return;
	struct room_client *c = &w->clients[line.p[0] - '0'];
	if (line.p[1] == '=') {
		change_token(w, c, str_sub(line, 2, line.n));
		return;
	}
	if (line.p[1] == '-') {
		room_service_gone(w->rooms, c->handle);
		return;
	}
	arena_reset(&w->arena);
	if (xml_parse(w->parser, str_sub(line, 1, line.n), &xml_limits_after_auth, &w->arena, &e) !=
	        XML_FINE)
		return;
	if (stanza_read(e, &w->arena, &st) == ERR_OK && st.has_to)
		focus_client_stanza(w->focus, c, &st);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world w;
	struct str rest = str_from((const char *)data, size);
	log_set_level(LOG_ERROR);
	struct str choice = STR_NONE;
	if (rest.n && rest.p[0] == 'P') {
		choice = str_split(&rest, '\n');
		choice = str_sub(choice, 1, choice.n);
	}
	begin(&w, choice);
	while (!str_absent(rest))
		run_line(&w, str_split(&rest, '\n'));
	size_t pos = 0;
	struct room *r;
	while ((r = room_next(w.rooms, &pos)))
		jval_free(room_record_json(r, STR_NONE));
	end(&w);
	return 0;
}
