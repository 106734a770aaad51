/* live.c - asking the running server, for commands. io */
#include "cli/live.h"

#include <stdio.h>

#include "admin/control.h"
#include "base/err.h"
#include "cli/cli.h"
#include "config/config.h"

extern char **environ;

/* The folder in which the server has its socket. */
static int state_folder(const struct live_place *p, char *out, size_t size)
{
	struct config_source source = {.file = p->config, .env_file = p->env, .environ = environ};
	struct config_report report;
	struct config c;
	int n = 0;
	if (p->state) {
		n = snprintf(out, size, "%s", p->state);
		return n > 0 && (size_t)n < size ? CLI_OK : CLI_USAGE;
	}
	if (!p->config && !p->env)
		return config_state_directory(environ, out, size) == ERR_OK ? CLI_OK : CLI_USAGE;
	config_report_init(&report);
	int err = config_load(&c, &source, &report);
	for (size_t i = 0; i < report.n; i++) {
		struct buf line;
		buf_init(&line, 0);
		if (report.lines[i].severity == CONFIG_FATAL) {
			config_line_write(&report.lines[i], &line);
			fprintf(stderr, "gavel %s: %.*s\n", p->command, STR_FMT(buf_view(&line)));
		}
		buf_done(&line);
	}
	if (!err)
		n = snprintf(out, size, "%.*s", STR_FMT(c.server.state_directory));
	config_report_free(&report);
	config_free(&c);
	return n > 0 && (size_t)n < size ? CLI_OK : CLI_USAGE;
}

int live_ask(const struct live_place *p, const struct buf *question, struct buf *answer)
{
	char folder[4096];
	int code = state_folder(p, folder, sizeof folder);
	if (code) {
		fprintf(stderr,
		        "gavel %s: the state folder is not known: --config, --env or --state names "
		        "it (--help tells more)\n",
		        p->command);
		return code;
	}
	int err = question->failed ? ERR_LIMIT
	                           : control_ask(str_c(folder), buf_view(question), answer);
	if (err == ERR_NOTFOUND)
		fprintf(stderr, "gavel %s: no server answers at %s/" CONTROL_NAME "\n", p->command,
		        folder);
	else if (err)
		fprintf(stderr, "gavel %s: %s\n", p->command, err_text((enum err)err));
	return err ? CLI_FAIL : CLI_OK;
}
