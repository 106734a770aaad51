/* capability.c - permissions, identity, avatar and e-mail. pure */
#include "policy/capability.h"

#include <stdio.h>

#include "base/err.h"
#include "base/utf8.h"
#include "policy/name.h"

enum { VALUE_BYTES_MAX = 2048 };

const char *const capability_defaults[CAPABILITY_DEFAULTS] = {
        "livestreaming",
        "recording",
        "transcription",
        "outbound-call",
        "create-polls",
        "send-groupchat",
        "flip",
        "live-translation",
        "live-translation-subscribe",
};

const struct jval *capability_features(const struct claims *claims, bool ignored)
{
	if (!claims || ignored)
		return NULL;
	const struct jval *features = jval_getc(jval_getc(claims->payload, "context"), "features");
	return jval_is_object(features) ? features : NULL;
}

const struct jval *capability_effective(const struct seat *s)
{
	if (s->own_features)
		return s->own_features;
	return s->lent ? s->lent_features : NULL;
}

enum capability_answer capability_permissions(const struct seat *s, const struct jval **features)
{
	*features = NULL;
	if (!seat_is_moderator(s) || s->own_features)
		return CAPABILITY_NO_PERMISSIONS;
	*features = capability_effective(s);
	return *features ? CAPABILITY_LENT : CAPABILITY_DEFAULT_SET;
}

bool capability_has(const struct seat *s, struct str feature)
{
	const struct jval *features = capability_effective(s);
	if (features) {
		const struct jval *value = jval_get(features, feature);
		return jval_true(value) || str_eqc(jval_str(value), "true");
	}
	for (size_t i = 0; i < CAPABILITY_DEFAULTS && seat_is_moderator(s); i++) {
		if (str_eqc(feature, capability_defaults[i]))
			return true;
	}
	return false;
}

/* Good enough for an element's name: ASCII, no colon. */
static bool is_xml_name(struct str key)
{
	for (size_t i = 0; i < key.n; i++) {
		char c = key.p[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
		bool later = (c >= '0' && c <= '9') || c == '-' || c == '.';
		if (!letter && !(i && later))
			return false;
	}
	return key.n > 0;
}

static bool is_control(int32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp <= 0x9f);
}

static void put_text(struct str s, struct buf *out)
{
	size_t pos = 0;
	while (pos < s.n) {
		int32_t cp = utf8_next(s, &pos);
		if (cp < 0)
			break;
		if (!is_control(cp))
			utf8_put(out, cp);
	}
}

static bool is_avatar_key(struct str key)
{
	return str_eqc(key, "avatar") || str_eqc(key, "avatarUrl") || str_eqc(key, "avatarURL");
}

/* The name is shown by clients, so it is cleaned like every other name. */
static bool put_name(const struct policy_settings *s, struct str raw, struct buf *out)
{
	struct name name;
	int err = name_clean(raw, s->name_max, &name, NULL);
	if (err == ERR_NOMEM)
		out->failed = true;
	buf_str(out, name_str(&name));
	return err != ERR_BADMSG;
}

/* Strings, numbers and booleans; false: not to be shown. */
static bool put_value(
        const struct policy_settings *s, struct str key, const struct jval *value, struct buf *out)
{
	switch (jval_type(value)) {
	case JVAL_STRING:
		if (str_eqc(key, "name"))
			return put_name(s, jval_str(value), out);
		if (is_avatar_key(key) && !capability_url_ok(jval_str(value)))
			return false;
		put_text(jval_str(value), out);
		break;
	case JVAL_INTEGER:
		buf_printf(out, "%lld", (long long)jval_integer(value));
		break;
	case JVAL_REAL:
		buf_printf(out, "%.17g", jval_number(value));
		break;
	case JVAL_TRUE:
		buf_puts(out, "true");
		break;
	case JVAL_FALSE:
		buf_puts(out, "false");
		break;
	case JVAL_ABSENT:
	case JVAL_NULL:
	case JVAL_OBJECT:
	case JVAL_ARRAY:
		return false;
	}
	return out->n <= VALUE_BYTES_MAX;
}

bool capability_identity(const struct policy_settings *s, const struct claims *claims, size_t *it,
        struct str *key, struct buf *out)
{
	const struct jval *user =
	        claims ? jval_getc(jval_getc(claims->payload, "context"), "user") : NULL;

	while (jval_is_object(user) && *it < s->identity_fields.n) {
		*key = s->identity_fields.v[(*it)++];
		buf_reset(out);
		if (is_xml_name(*key) && put_value(s, *key, jval_get(user, *key), out))
			return true;
	}
	return false;
}

bool capability_url_ok(struct str url)
{
	if (url.n > VALUE_BYTES_MAX || !str_starts(url, STR("https://")))
		return false;
	bool in_host = true, has_host = false;
	for (size_t i = 8; i < url.n; i++) {
		unsigned char c = (unsigned char)url.p[i];
		if (c <= ' ' || c == 0x7f || c == '"' || c == '<' || c == '>' || c == '\\')
			return false;
		if (in_host && c == '@')
			return false;
		in_host = in_host && c != '/' && c != '?' && c != '#';
		has_host |= in_host;
	}
	return has_host;
}

struct str capability_token_email(const struct claims *claims)
{
	const struct jval *user =
	        claims ? jval_getc(jval_getc(claims->payload, "context"), "user") : NULL;
	struct str email = jval_str(jval_getc(user, "email"));
	for (size_t i = 0; i < email.n; i++) {
		if (is_control((unsigned char)email.p[i]) && (unsigned char)email.p[i] < 0x80)
			return STR_NONE;
	}
	return email.n && email.n <= VALUE_BYTES_MAX ? email : STR_NONE;
}

struct str capability_token_avatar(const struct claims *claims)
{
	static const char *const keys[] = {"avatar", "avatarUrl", "avatarURL"};
	const struct jval *user =
	        claims ? jval_getc(jval_getc(claims->payload, "context"), "user") : NULL;
	for (size_t i = 0; i < 3; i++) {
		struct str url = jval_str(jval_getc(user, keys[i]));
		if (capability_url_ok(url))
			return url;
	}
	return STR_NONE;
}

static bool is_js_space(int32_t cp)
{
	return (cp >= 0x09 && cp <= 0x0d) || cp == 0x2028 || cp == 0x2029 || cp == 0xfeff ||
	       utf8_is_space(cp);
}

void capability_email_key(struct str email, struct buf *out)
{
	size_t pos = 0, from = email.n, to = 0;
	while (pos < email.n) {
		size_t at = pos;
		int32_t cp = utf8_next(email, &pos);
		if (cp < 0)
			break;
		if (is_js_space(cp))
			continue;
		from = at < from ? at : from;
		to = pos;
	}
	struct str bare = str_sub(email, from, to);
	if (utf8_lower(bare, out) == ERR_BADMSG)
		buf_str(out, bare);
}

static enum profile_action from_token(struct str own, struct str *value)
{
	*value = own;
	return str_absent(own) ? PROFILE_REMOVE : PROFILE_REPLACE;
}

enum profile_action capability_email(
        const struct room_view *room, const struct seat *self, struct str sent, struct str *value)
{
	*value = STR_NONE;
	if (self->name_frozen)
		return from_token(capability_token_email(self->claims), value);
	struct buf key, own;
	buf_init(&key, 0);
	buf_init(&own, 0);
	capability_email_key(sent, &key);
	capability_email_key(capability_token_email(self->claims), &own);
	bool borrowed = key.n && !str_eq(buf_view(&key), buf_view(&own)) &&
	                room->lookups->token_email(room->room, buf_view(&key), self);
	borrowed = borrowed || key.failed || own.failed;
	buf_done(&key);
	buf_done(&own);
	return borrowed ? PROFILE_REMOVE : PROFILE_KEEP;
}

enum profile_action capability_avatar(
        const struct room_view *room, const struct seat *self, struct str sent, struct str *value)
{
	*value = STR_NONE;
	if (self->name_frozen)
		return from_token(capability_token_avatar(self->claims), value);
	if (str_absent(sent))
		return PROFILE_KEEP;
	if (!capability_url_ok(sent))
		return PROFILE_REMOVE;
	bool own = self->claims && str_eq(sent, capability_token_avatar(self->claims));
	return !own && room->lookups->token_avatar(room->room, sent, self) ? PROFILE_REMOVE
	                                                                   : PROFILE_KEEP;
}
