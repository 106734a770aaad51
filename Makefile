# Gavel. `make run` starts a meeting server on http://localhost:8000, `make test` runs every test.
#
#   make build            the optimised build/gavel, page inside
#   make run              build it and start it with a trial configuration
#   make test             everything, ends with "N passed, N failed"
#   make fuzz             every fuzz target for FUZZ_SECONDS of CPU each (default 900)
#   make fuzz-coverage    how much of its parser the seeds of each target reach
#   make bench-compare    beside Debian's prosody: CPU time and memory, as ratios (SCENARIOS=quick: 50 seconds)
#   make bench-flood      how long a quiet room waits while others flood the server: 3 minutes
#   make bench-decide     the time of a role decision, beside that of a signature
#   make bench-throughput rooms that come, talk and leave: with one worker, and with two
#   make bench-soak       10,000 idle sessions for ten minutes, some leave and come: does anything grow?
#   make help             this
#
# PRESET=release|asan|tsan|fuzz|cover   CC=gcc|clang   BUILD=folder for this preset's results
PRESET ?= release
BUILD ?= build/$(PRESET)
FUZZ_SECONDS ?= 900
ifeq ($(origin CC),default)
CC := gcc
endif
ifneq ($(filter fuzz cover,$(PRESET)),)
CC := clang
endif

WARN := -Wall -Wextra -Werror -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Wvla -Wpointer-arith \
	-Wwrite-strings -Wundef -Wformat=2 -Wno-format-nonliteral -Wcast-qual
CFLAGS_COMMON := -std=c17 -D_GNU_SOURCE -Isrc -I$(BUILD)/gen -Itests/unit -MMD -MP -g -fno-omit-frame-pointer $(WARN)
CFLAGS_release := -O2 -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE
LDFLAGS_release := -pie -Wl,-z,relro,-z,now
# In builds for tests an allocation can be made to fail, by unit tests and from outside (src/base/mem.h).
CFLAGS_asan := -O1 -DGAVEL_MEM_FAULTS -fsanitize=address,undefined -fno-sanitize-recover=undefined
LDFLAGS_asan := -fsanitize=address,undefined
CFLAGS_tsan := -O1 -DGAVEL_MEM_FAULTS -fsanitize=thread
LDFLAGS_tsan := -fsanitize=thread
CFLAGS_fuzz := -O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined
LDFLAGS_fuzz := -fsanitize=address,undefined
CFLAGS_cover := -O0 -fprofile-instr-generate -fcoverage-mapping
LDFLAGS_cover := -fprofile-instr-generate
CFLAGS_ALL := $(CFLAGS_COMMON) $(CFLAGS_$(PRESET)) $(CFLAGS)
LIBS := -luv -lssl -lcrypto -lexpat -ljansson -lutf8proc -lyaml -lwslay -lpthread -lm

DIRS ?= src/base src/config src/token src/policy src/net src/http src/xmpp src/session src/room src/focus \
	src/admin src/cli
SOURCES := $(foreach d,$(DIRS),$(sort $(wildcard $(d)/*.c)))
OBJECTS := $(SOURCES:%.c=$(BUILD)/%.o)
UNIT_SOURCES := $(sort $(wildcard tests/unit/*/*_test.c))
UNIT := $(UNIT_SOURCES:%.c=$(BUILD)/%)
UNIT_SUPPORT := $(patsubst %.c,$(BUILD)/%.o,$(sort $(wildcard tests/unit/support/*.c)))
FUZZ_SOURCES := $(sort $(filter-out fuzz/replay.c,$(wildcard fuzz/*.c)))
FUZZ := $(FUZZ_SOURCES:fuzz/%.c=$(BUILD)/fuzz/%)
PAGE := build/web/index.html build/web/page.js build/web/page.css

.PHONY: all build run test unit units fuzz fuzz-coverage fuzzers objs web deps deps-test clean help bench-compare bench-decide bench-throughput bench-soak bench-flood bench-tools
.DEFAULT_GOAL := help

help:
	@sed -n '/^$$/q;s/^# \{0,1\}//p' Makefile

deps:
	@tools/install-deps build
deps-test:
	@tools/install-deps test

build: deps
	@$(MAKE) --no-print-directory -j$$(nproc) PRESET=release BUILD=$(BUILD) $(BUILD)/gavel
	@install -D $(BUILD)/gavel build/gavel

run: build
	@exec build/gavel serve --trial

test: deps-test
	@tests/run

clean:
	rm -rf build

# The page: three files, bundled by Debian's esbuild, embedded into the binary.
web: $(PAGE)
build/web/page.js: $(wildcard web/src/*.ts web/src/*/*.ts) | build/web
	@echo "  PAGE  $@"
	@esbuild web/src/main.ts --bundle --minify --format=iife --target=es2020 --log-level=warning --outfile=$@
build/web/%: web/% | build/web
	@cp $< $@
build/web:
	@mkdir -p $@
$(BUILD)/gen/page_data.c: $(PAGE) tools/embed-page
	@mkdir -p $(@D)
	@tools/embed-page $(@D) $(PAGE)
$(BUILD)/gen/page_data.h: $(BUILD)/gen/page_data.c
$(BUILD)/gen/page_data.o: $(BUILD)/gen/page_data.c
	@$(CC) $(CFLAGS_ALL) -c $< -o $@

objs: $(OBJECTS)

$(BUILD)/%.o: %.c | $(BUILD)/gen/page_data.h
	@mkdir -p $(@D)
	@echo "  CC    $<"
	@$(CC) $(CFLAGS_ALL) -c $< -o $@

$(BUILD)/libgavel.a: $(OBJECTS) $(BUILD)/gen/page_data.o
	@rm -f $@
	@ar rcs $@ $^

$(BUILD)/gavel: $(BUILD)/src/main.o $(BUILD)/libgavel.a
	@echo "  LINK  $@"
	@$(CC) $(LDFLAGS_$(PRESET)) $^ $(LIBS) -o $@

# Unit tests: one program per file, cmocka, TAP on standard output. PRESET=asan or tsan: they make allocations fail.
units: $(UNIT)
unit: $(UNIT)
	@for t in $(UNIT); do echo "# $$t"; $$t || exit 1; done

$(BUILD)/tests/unit/%: $(BUILD)/tests/unit/%.o $(UNIT_SUPPORT) $(BUILD)/libgavel.a
	@$(CC) $(LDFLAGS_$(PRESET)) $^ $(LIBS) -lcmocka -o $@

# Fuzz targets: libFuzzer with PRESET=fuzz, a plain replay of the corpus otherwise.
# It plays the loop and the sockets itself: its functions take the place of those of net/.
$(BUILD)/fuzz/session: LIBS += -Wl,-z,muldefs
$(BUILD)/fuzz/%.o: CFLAGS_ALL += -I.
fuzzers: $(FUZZ)
ifeq ($(PRESET),fuzz)
$(BUILD)/fuzz/%: $(BUILD)/fuzz/%.o $(BUILD)/libgavel.a
	@$(CC) $(LDFLAGS_$(PRESET)) -fsanitize=fuzzer $^ $(LIBS) -o $@
else
$(BUILD)/fuzz/%: $(BUILD)/fuzz/%.o $(BUILD)/fuzz/replay.o $(BUILD)/libgavel.a
	@$(CC) $(LDFLAGS_$(PRESET)) $^ $(LIBS) -o $@
endif
fuzz: deps-test
	@$(MAKE) --no-print-directory -j$$(nproc) PRESET=fuzz fuzzers
	@tools/fuzz-all build/fuzz/fuzz $(FUZZ_SECONDS)
fuzz-coverage: deps-test
	@$(MAKE) --no-print-directory -j$$(nproc) PRESET=cover fuzzers
	@tools/fuzz-coverage build/cover/fuzz

# Benchmarks: the load tool shares nothing with the server; bench/decide is linked with it.
$(BUILD)/bench/%.o: CFLAGS_ALL += -I.
BENCH_TOOLS := $(BUILD)/bench/load $(BUILD)/bench/decide $(BUILD)/bench/watch $(BUILD)/bench/flood
bench-tools: $(BENCH_TOOLS)
bench-compare: deps
	@$(MAKE) --no-print-directory -j$$(nproc) PRESET=release BUILD=$(BUILD) $(BUILD)/gavel $(BUILD)/bench/load
	@node bench/compare.mjs $(BUILD)/bench/load $(BUILD)/gavel
bench-flood: deps
	@$(MAKE) --no-print-directory -j$$(nproc) PRESET=release BUILD=$(BUILD) $(BUILD)/gavel $(BUILD)/bench/watch $(BUILD)/bench/flood
	@node bench/flood.mjs $(BUILD)/bench/watch $(BUILD)/bench/flood $(BUILD)/gavel
bench-throughput bench-soak: bench-%: deps
	@$(MAKE) --no-print-directory -j$$(nproc) PRESET=release BUILD=$(BUILD) $(BUILD)/gavel $(BUILD)/bench/load
	@node bench/$*.mjs $(BUILD)/bench/load $(BUILD)/gavel
bench-decide: deps
	@$(MAKE) --no-print-directory PRESET=release BUILD=$(BUILD) $(BUILD)/bench/decide
	@$(BUILD)/bench/decide
$(BUILD)/bench/load: $(BUILD)/bench/load.o $(BUILD)/bench/churn.o $(BUILD)/bench/crowd.o $(BUILD)/bench/wire.o
	@$(CC) $(LDFLAGS_$(PRESET)) $^ -lcrypto -lm -o $@
$(BUILD)/bench/watch $(BUILD)/bench/flood: $(BUILD)/bench/%: $(BUILD)/bench/%.o $(BUILD)/bench/crowd.o $(BUILD)/bench/wire.o
	@$(CC) $(LDFLAGS_$(PRESET)) $^ -lcrypto -o $@
$(BUILD)/bench/decide: $(BUILD)/bench/decide.o $(BUILD)/libgavel.a
	@$(CC) $(LDFLAGS_$(PRESET)) $^ $(LIBS) -o $@

.SECONDARY:
-include $(UNIT_SUPPORT:.o=.d) $(OBJECTS:.o=.d) $(UNIT_SOURCES:%.c=$(BUILD)/%.d) $(FUZZ_SOURCES:%.c=$(BUILD)/%.d) $(BUILD)/src/main.d $(wildcard $(BUILD)/bench/*.d)
