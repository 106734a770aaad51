/* root_page.c - pages of a folder with their includes, and config.js. io */
#include <stdio.h>

#include "base/err.h"
#include "base/log.h"
#include "http/root_internal.h"

#define CONFIG_PATH "/config.js"

/* config.js before its includes: generated, or the administrator's with our end. */
static bool read_config(struct root_request *q, struct buf *text)
{
	const struct root_settings *set = &q->root->settings;
	if (!set->config_js) {
		set->write_config(set->arg, q->tenant, text);
		return true;
	}
	if (!folder_read_file(set->config_js, text)) {
		if (root_may_log(q->root))
			log_warn("event=web because=unreadable key=config_js file=%s",
			        log_value(str_c(set->config_js)));
		return false;
	}
	buf_puts(text, "\n");
	set->write_config_end(set->arg, text);
	return true;
}

/* "title.html" stands beside the page that names it, "/title.html" in the root. */
static bool join(struct str from, struct str name, char *path, size_t size)
{
	size_t query = str_find(name, '?'), folder = 0;
	name = str_sub(name, 0, query);
	for (size_t i = 0; i < from.n; i++) {
		if (from.p[i] == '/')
			folder = i;
	}
	int n = name.n && name.p[0] == '/'
	                ? snprintf(path, size, "%.*s", STR_FMT(name))
	                : snprintf(path, size, "%.*s/%.*s", (int)folder, from.p, STR_FMT(name));
	return n > 1 && (size_t)n < size;
}

static bool on_file(
        void *arg, struct str from, struct str name, struct buf *text, char *path, size_t path_size)
{
	struct root_request *q = arg;
	if (!join(from, name, path, path_size))
		return false;
	bool read = strcmp(path, CONFIG_PATH) == 0
	                    ? read_config(q, text)
	                    : folder_read(&q->root->folder, str_c(path), text);
	if (!read && root_may_log(q->root))
		log_debug("event=web because=no-such-include page=%.*s file=%s", STR_FMT(from),
		        log_value(str_c(path)));
	return read;
}

/* A host name with its port; it is put into a page. */
static bool is_host(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char low = ascii_lower(s.p[i]);
		if (!(low >= 'a' && low <= 'z') && !(low >= '0' && low <= '9') &&
		        !(low && strchr(".-_:[]", low)))
			return false;
	}
	return s.n > 0;
}

static bool on_value(void *arg, struct str name, struct buf *out)
{
	struct root_request *q = arg;
	struct str host = http_field(q->head, "host");
	bool tenant = q->tenant.n > 0;
	if (str_eqc(name, "subdomain") && tenant) {
		buf_str(out, q->tenant);
		buf_putc(out, '.');
		return true;
	}
	if (str_eqc(name, "subdir") && tenant) {
		buf_str(out, q->tenant);
		buf_putc(out, '/');
		return true;
	}
	if (str_eqc(name, "prefix") && tenant) {
		buf_str(out, q->tenant);
		return true;
	}
	if (!str_eqc(name, "http_host") || !is_host(host))
		return false;
	buf_str(out, host);
	return true;
}

static bool expand(struct root_request *q, struct str path, const struct buf *text, struct buf *out)
{
	struct include inc = {.arg = q, .file = on_file, .value = on_value};
	int err = text->failed ? ERR_LIMIT : include_expand(&inc, path, buf_view(text), out);
	if (err && root_may_log(q->root))
		log_warn("event=web because=too-large page=%.*s", STR_FMT(path));
	return err == ERR_OK;
}

bool root_page(struct root_request *q, struct str path, struct buf *out)
{
	struct buf text;
	buf_init(&text, INCLUDE_BYTES_MAX);
	bool made = folder_read(&q->root->folder, path, &text) && expand(q, path, &text, out);
	buf_done(&text);
	return made;
}

bool root_config(struct root_request *q, struct buf *out)
{
	struct buf text;
	buf_init(&text, INCLUDE_BYTES_MAX);
	bool made = read_config(q, &text) && expand(q, STR(CONFIG_PATH), &text, out);
	buf_done(&text);
	return made;
}
