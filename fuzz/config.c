/* config.c - a configuration file (first byte 'y'), a .env file ('e') or raw Lua lines ('l') from a
 * stranger. io */
#include <stdlib.h>

#include "base/mem.h"
#include "config/docker.h"
#include "config/lua.h"
#include "config/report.h"
#include "config/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever was read: either a line says what is wrong, or every struct is filled. */
static void finish(struct config_set *s, struct config_report *r)
{
	struct config *c = mem_zalloc(sizeof *c);
	struct buf out;
	buf_init(&out, 0);
	if (!c || !set_defaults(s, "/state"))
		abort();
	if (!r->fatal)
		set_judge(s, true, r);
	c->set = s;
	if (!r->fatal && !set_fill(s, c))
		abort();
	config_print(c, r, &out);
	struct jval *j = config_print_json(c, r);
	if (!j || out.failed)
		abort();
	jval_free(j);
	buf_done(&out);
	mem_free(c);
}

static void on_entry(void *arg, struct str name, enum lua_kind kind, struct str text)
{
	size_t *bytes = arg;
	*bytes += name.n + text.n;
	if (kind == LUA_LIST) {
		struct jval *list = jval_parse(text, 2, NULL);
		/* a list that was read is JSON, unless its bytes were no UTF-8 or held NUL */
		jval_free(list);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1 || size > 65536)
		return 0;
	struct str text = str_from((const char *)data + 1, size - 1);
	struct config_report r;
	struct config_set *s = set_new();
	if (!s)
		abort();
	config_report_init(&r);
	if (data[0] == 'y') {
		yaml_read(text, "gavel.yaml", s, &r);
		finish(s, &r);
	} else if (data[0] == 'e') {
		struct env env;
		env_init(&env, ".env");
		env_read_text(&env, text, &r);
		docker_spelling(&env, &r);
		docker_derive(s, &env, &r);
		finish(s, &r);
		env_done(&env);
	} else {
		size_t bytes = 0;
		lua_read(text, on_entry, &bytes);
	}
	config_report_free(&r);
	set_free(s);
	return 0;
}
