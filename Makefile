# Gavel. `make run` starts a meeting server on http://localhost:8000, `make test` runs every test.
# PRESET=release|asan|tsan|fuzz   CC=gcc|clang   BUILD=folder for this preset's results
PRESET ?= release
BUILD ?= build/$(PRESET)
ifeq ($(origin CC),default)
CC := gcc
endif

WARN := -Wall -Wextra -Werror -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Wvla -Wpointer-arith \
	-Wwrite-strings -Wundef -Wformat=2 -Wno-format-nonliteral -Wcast-qual
CFLAGS_COMMON := -std=c17 -D_GNU_SOURCE -Isrc -I$(BUILD)/gen -MMD -MP -g -fno-omit-frame-pointer $(WARN)
HARDEN := -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE
CFLAGS_release := -O2 $(HARDEN)
LDFLAGS_release := -pie -Wl,-z,relro,-z,now
CFLAGS_asan := -O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined
LDFLAGS_asan := -fsanitize=address,undefined
CFLAGS_tsan := -O1 -fsanitize=thread
LDFLAGS_tsan := -fsanitize=thread
CFLAGS_fuzz := -O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined
LDFLAGS_fuzz := -fsanitize=address,undefined
ifeq ($(PRESET),fuzz)
CC := clang
endif
CFLAGS_ALL := $(CFLAGS_COMMON) $(CFLAGS_$(PRESET)) $(CFLAGS)
LIBS := -luv -lssl -lcrypto -lexpat -ljansson -lutf8proc -lyaml -lwslay -lpthread

DIRS ?= src/base src/config src/token src/policy src/net src/http src/xmpp src/session src/room src/focus \
	src/admin src/cli
SOURCES := $(foreach d,$(DIRS),$(wildcard $(d)/*.c))
OBJECTS := $(SOURCES:%.c=$(BUILD)/%.o)

.PHONY: build objs
build: $(BUILD)/gavel

objs: $(OBJECTS)

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC    $<"
	@$(CC) $(CFLAGS_ALL) -c $< -o $@

$(BUILD)/libgavel.a: $(OBJECTS)
	@rm -f $@
	@ar rcs $@ $(OBJECTS)

$(BUILD)/gavel: $(BUILD)/src/main.o $(BUILD)/libgavel.a
	@echo "  LINK  $@"
	@$(CC) $(LDFLAGS_$(PRESET)) $^ $(LIBS) -o $@

-include $(OBJECTS:.o=.d)
