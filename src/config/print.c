/* print.c - what `gavel check` says. pure */
#include "config/set.h"
#include "config/stocktext.h"

#define WIDTH_KEY 26
#define WIDTH_VALUE 34

static void pad(struct buf *out, size_t from, size_t width)
{
	size_t n = out->n - from;
	do
		buf_putc(out, ' ');
	while (++n < width);
}

static void print_setting(const struct config_set *s, enum config_key key, struct buf *out)
{
	size_t from = out->n;
	buf_printf(out, "  %s", schema_row(key)->key);
	pad(out, from, WIDTH_KEY);
	from = out->n;
	set_value_write(s, key, out);
	pad(out, from, WIDTH_VALUE);
	set_origin_write(s, key, out);
	buf_putc(out, '\n');
}

static void print_section(const struct config_set *s, enum schema_section section, struct buf *out)
{
	buf_printf(out, "\n%s\n", schema_section_name(section));
	for (int k = 0; k < KEY_COUNT; k++) {
		const struct schema_row *row = schema_row((enum config_key)k);
		if (row->section == section && !(row->flags & SCHEMA_VECTORS_ONLY))
			print_setting(s, (enum config_key)k, out);
	}
}

static void print_lines(const struct config_report *r, enum config_severity severity,
        const char *title, struct buf *out)
{
	bool any = false;
	for (size_t i = 0; i < r->n; i++) {
		if (r->lines[i].severity != severity)
			continue;
		if (!any)
			buf_printf(out, "%s%s\n", out->n ? "\n" : "", title);
		any = true;
		buf_puts(out, "  ");
		config_line_write(&r->lines[i], out);
		buf_putc(out, '\n');
	}
}

static void print_stock(const struct stock_setup *stock, struct buf *out)
{
	struct stock_text list[STOCK_SOURCES];
	stock_text_list(stock, list);
	buf_printf(out, "\nStock Jitsi would do with %s\n",
	        stock->known ? "the same variables" : "the usual jwt set-up");
	for (size_t i = 0; i < STOCK_SOURCES; i++)
		buf_printf(out, "  #%-3u%-27s%s%s\n", list[i].source, list[i].name,
		        list[i].acts ? "* " : "  ", list[i].text);
	buf_printf(out, "  In the end: %s.\n", stock_text_outcome(stock));
}

static const char *outcome_here(const struct config *c)
{
	switch (c->policy.role_mode) {
	case ROLE_MODE_TOKEN:
		return "the token decides; where it is silent, nobody is promoted";
	case ROLE_MODE_FIRST_USER:
		return c->policy.auth == AUTH_NONE
		               ? "the first one in a room moderates"
		               : "the token decides; where it is silent, the first one "
		                 "with a token moderates";
	case ROLE_MODE_AUTHENTICATED:
		return "everybody with a token moderates, unless the token says no";
	case ROLE_MODE_EVERYONE:
		return "everybody moderates, unless the token says no";
	case ROLE_MODE_NONE:
		return "nobody moderates";
	}
	return "";
}

void config_print(const struct config *c, const struct config_report *r, struct buf *out)
{
	print_lines(r, CONFIG_FATAL, "Wrong: Gavel does not start with this", out);
	print_lines(r, CONFIG_WARN, "Warnings", out);
	print_lines(r, CONFIG_INFO, r->fatal ? "Besides" : "What was read", out);
	if (r->fatal || !c->set)
		return;
	for (int i = 0; i < SECTION_COUNT; i++)
		print_section(c->set, (enum schema_section)i, out);
	print_stock(&c->stock, out);
	buf_printf(out, "  Here:       %s.\n", outcome_here(c));
}

static struct jval *hide_member(const struct jval *list, const char *member)
{
	struct jval *copy = jval_copy(list);
	for (size_t i = 0; i < jval_size(copy); i++) {
		struct jval *item = (struct jval *)(uintptr_t)jval_at(copy, i);
		if (jval_getc(item, member) &&
		        !jval_set(item, member, jval_new_str(STR("(hidden)")))) {
			jval_free(copy);
			return NULL;
		}
	}
	return copy;
}

static struct jval *value_json(const struct config_set *s, enum config_key key)
{
	const struct jval *j = set_json(s, key);
	enum schema_type type = schema_row(key)->type;
	if (!j)
		return jval_new_null();
	if (type == SCHEMA_SECRET)
		return jval_new_str(STR("(hidden)"));
	if (type == SCHEMA_ACCOUNTS)
		return hide_member(j, "password");
	return type == SCHEMA_ISSUERS ? hide_member(j, "app_secret") : jval_copy(j);
}

struct jval *config_effective_json(const struct config *c)
{
	struct jval *out = jval_new_object();
	for (int k = 0; out && c->set && k < KEY_COUNT; k++) {
		const struct schema_row *row = schema_row((enum config_key)k);
		if (row->flags & SCHEMA_VECTORS_ONLY)
			continue;
		if (!jval_set(out, row->key, value_json(c->set, (enum config_key)k))) {
			jval_free(out);
			return NULL;
		}
	}
	return out;
}

static struct jval *line_json(const struct config_line *l)
{
	static const char *const severities[] = {"fatal", "warning", "info"};
	struct jval *j = jval_new_object();
	bool fine = j && jval_set(j, "severity", jval_new_str(str_c(severities[l->severity]))) &&
	            jval_set(j, "key", jval_new_str(str_c(l->key))) &&
	            jval_set(j, "text", jval_new_str(str_c(l->text)));
	for (unsigned i = 0; i < WARNING_COUNT; i++) {
		if (l->warning & 1u << i)
			fine = fine &&
			       jval_set(j, "warning",
			               jval_new_str(str_c(warning_name((enum warning_index)i))));
	}
	if (*l->file)
		fine = fine && jval_set(j, "file", jval_new_str(str_c(l->file))) &&
		       jval_set(j, "line", jval_new_int(l->line));
	if (!fine) {
		jval_free(j);
		return NULL;
	}
	return j;
}

static struct jval *lines_json(const struct config_report *r)
{
	struct jval *list = jval_new_array();
	for (size_t i = 0; list && i < r->n; i++) {
		if (!jval_append(list, line_json(&r->lines[i]))) {
			jval_free(list);
			return NULL;
		}
	}
	return list;
}

static struct jval *origins_json(const struct config_set *s)
{
	struct jval *out = jval_new_object();
	for (int k = 0; out && k < KEY_COUNT; k++) {
		struct buf b;
		if (schema_row((enum config_key)k)->flags & SCHEMA_VECTORS_ONLY)
			continue;
		buf_init(&b, 4096);
		set_origin_write(s, (enum config_key)k, &b);
		bool fine = jval_set(
		        out, schema_row((enum config_key)k)->key, jval_new_str(buf_view(&b)));
		buf_done(&b);
		if (!fine) {
			jval_free(out);
			return NULL;
		}
	}
	return out;
}

static struct jval *stock_json(const struct stock_setup *stock)
{
	struct stock_text texts[STOCK_SOURCES];
	struct jval *list = jval_new_array();
	stock_text_list(stock, texts);
	for (size_t i = 0; list && i < STOCK_SOURCES; i++) {
		struct jval *j = jval_new_object();
		bool fine = j && jval_set(j, "source", jval_new_int(texts[i].source)) &&
		            jval_set(j, "name", jval_new_str(str_c(texts[i].name))) &&
		            jval_set(j, "acts", jval_new_bool(texts[i].acts)) &&
		            jval_set(j, "text", jval_new_str(str_c(texts[i].text)));
		if (!fine) {
			jval_free(j);
			jval_free(list);
			return NULL;
		}
		if (!jval_append(list, j)) {
			jval_free(list);
			return NULL;
		}
	}
	return list;
}

struct jval *config_print_json(const struct config *c, const struct config_report *r)
{
	struct jval *out = jval_new_object();
	bool usable = c->set && !r->fatal;
	bool fine = out && jval_set(out, "ok", jval_new_bool(usable)) &&
	            jval_set(out, "lines", lines_json(r));
	if (usable)
		fine = fine && jval_set(out, "effective", config_effective_json(c)) &&
		       jval_set(out, "origins", origins_json(c->set)) &&
		       jval_set(out, "stock", stock_json(&c->stock)) &&
		       jval_set(out, "stock_outcome",
		               jval_new_str(str_c(stock_text_outcome(&c->stock)))) &&
		       jval_set(out, "outcome", jval_new_str(str_c(outcome_here(c))));
	if (!fine) {
		jval_free(out);
		return NULL;
	}
	return out;
}
