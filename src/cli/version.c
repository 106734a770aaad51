/* version.c - `gavel version`: this program and the libraries it runs with. io */
#include <expat.h>
#include <jansson.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <utf8proc.h>
#include <uv.h>

#include "cli/cli.h"

int cli_version(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "--help") == 0) {
		puts("gavel version\n\nPrints the version of gavel and of the libraries it runs "
		     "with.\n\n"
		     "Exit codes: 0 done, 2 bad arguments.");
		return CLI_OK;
	}
	if (argc > 1) {
		fprintf(stderr, "gavel version: no such argument: %s\n", argv[1]);
		return CLI_USAGE;
	}
	printf("gavel %s\n", GAVEL_VERSION);
	printf("%s, libuv %s, %s, jansson %s, utf8proc %s\n", OpenSSL_version(OPENSSL_VERSION),
	        uv_version_string(), XML_ExpatVersion(), jansson_version_str(), utf8proc_version());
	return CLI_OK;
}
