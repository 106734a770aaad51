/* unit.h - what every unit test file includes: cmocka with TAP output. io */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"

/* Runs a table of tests; prints TAP. */
#define UNIT_MAIN(...)                                                                             \
	int main(void)                                                                             \
	{                                                                                          \
		const struct CMUnitTest tests[] = {__VA_ARGS__};                                   \
		cmocka_set_message_output(CM_OUTPUT_TAP);                                          \
		return cmocka_run_group_tests(tests, NULL, NULL);                                  \
	}

/* Equal bytes, shown as text when not. */
#define assert_str(got, want)                                                                      \
	do {                                                                                       \
		struct str got_ = (got);                                                           \
		if (!str_eqc(got_, want))                                                          \
			fail_msg("got \"%.*s\", want \"%s\"", STR_FMT(got_), want);                \
	} while (0)
