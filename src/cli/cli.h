/* cli.h - the commands of the binary; main.c picks one. io
 *
 * argv[0] is the command's own name. Each prints its help for --help and returns an exit code. */
#pragma once

#define GAVEL_VERSION "0.1.0"

enum {
	CLI_OK = 0,    /* done; explain: accepted */
	CLI_FAIL = 1,  /* it did not work; explain: refused; --check: differences */
	CLI_USAGE = 2, /* bad arguments, bad input file, bad configuration */
};

int cli_serve(int argc, char **argv);
int cli_check(int argc, char **argv);
int cli_explain(int argc, char **argv);
int cli_explain_live(
        int argc, char **argv); /* called by explain for --live; argv as explain got it */
int cli_keys(int argc, char **argv);
int cli_reload(int argc, char **argv);
int cli_token(int argc, char **argv);
int cli_link(int argc, char **argv);
int cli_version(int argc, char **argv);
