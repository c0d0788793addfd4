# rehearse: a simulation and drill harness for rollback procedures.
#   make            build ./rehearse            make check     build and run all tests
#   make run        install what is missing, build, and rehearse a first drill
#   make sanitize   the tests under sanitizers   make lint      style, arrows between rooms, static analysis
#   make fuzz bench format install clean
#
# BUILD=dir puts objects elsewhere; CC=clang, DEVELOPER=1 (warnings are errors), SANITIZE=address,undefined.

BUILD   ?= build
CC      := $(if $(filter default,$(origin CC)),gcc,$(CC))
PREFIX  ?= /usr/local

WARN    := -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wconversion -Wformat=2
CFLAGS  ?= -O2 -g
CFLAGS_ALL := -std=c11 -D_GNU_SOURCE $(WARN) $(if $(DEVELOPER),-Werror) -I. -I$(BUILD) -ffp-contract=off \
    $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-omit-frame-pointer -fno-sanitize-recover=all) $(CFLAGS)
LIBS    := -lplot -lcmark-gfm-extensions -lcmark-gfm -lyaml -lcjson -lsqlite3 -lpg_query -lcurl -lmicrohttpd -lcrypto -lz -lm -lpthread
LDFLAGS_ALL := $(if $(SANITIZE),-fsanitize=$(SANITIZE)) $(LDFLAGS)

ROOMS   := sim fakes procedures reports
LIB_SRC := $(sort $(shell find $(ROOMS) -name '*.c' -not -path '*/shim/*' 2>/dev/null))
CLI_SRC := $(sort $(wildcard cli/*.c))
TEST_SRC := $(sort $(wildcard tests/test_*.c))
TEST_AID := $(filter-out $(TEST_SRC),$(sort $(wildcard tests/*.c)))
LIB_OBJ := $(LIB_SRC:%.c=$(BUILD)/%.o)
CLI_OBJ := $(CLI_SRC:%.c=$(BUILD)/%.o)
TESTS   := $(TEST_SRC:%.c=$(BUILD)/%)

all: rehearse
# The plain build puts the program where people look for it; others (sanitizers) keep theirs.
rehearse: $(BUILD)/rehearse
	@[ "$(BUILD)" != build ] || cmp -s $< $@ || cp $< $@

$(BUILD)/librehearse.a: $(LIB_OBJ)
	@rm -f $@
	ar rcs $@ $^
$(BUILD)/rehearse: $(CLI_OBJ) $(BUILD)/librehearse.a
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)
$(BUILD)/tests/libaid.a: $(TEST_AID:%.c=$(BUILD)/%.o)
	@rm -f $@
	ar rcs $@ $^
$(BUILD)/tests/test_%: $(BUILD)/tests/test_%.o $(BUILD)/tests/libaid.a $(BUILD)/librehearse.a
	$(CC) $(LDFLAGS_ALL) -o $@ $^ -lcmocka $(LIBS)
$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

check: $(BUILD)/rehearse $(if $(filter build,$(BUILD)),rehearse) $(TESTS)
	@REHEARSE_BUILD=$(BUILD) tests/run-all $(TESTS)

# What a newcomer runs first: everything it needs, then one rehearsal.
run:
	@ci/install-deps
	@$(MAKE) --no-print-directory -s -j2 rehearse
	@./rehearse run procedures/hp_ti/drills/database-migration.yaml; status=$$?; [ $$status -le 1 ]

# Every drill of the repository against what its file expects.
drills: rehearse
	@ci/drills

# Addresses, leaks and undefined behaviour in one build. Warnings that hang on the optimiser are the plain build's: here they
# would only be others.
sanitize:
	@LSAN_OPTIONS=suppressions=$(CURDIR)/ci/lsan.txt:print_suppressions=0 REHEARSE_RUNS=5 \
	    $(MAKE) BUILD=$(BUILD)/sanitize SANITIZE=address,undefined CFLAGS="-O1 -g" DEVELOPER= check
lint:
	@ci/lint
# Real PostgreSQL, Redis, SQLite, curl and wget against the fakes: recorded commands, and for PostgreSQL random statements over random
# schemas (SEEDS="1 2 3"). What is not installed is skipped.
check-real: rehearse $(patsubst %,$(BUILD)/tests/test_%,postgres_real redis sqlite_files http_real)
	@BUILD=$(BUILD) ci/check-real

# Each fuzz target for FUZZ_SECONDS (0: the seeds alone), from the seeds in tests/fuzz/corpus/NAME; what crashes is left in
# build/fuzz.
FUZZ_SECONDS ?= 30
FUZZ    := $(patsubst tests/fuzz/fuzz_%.c,%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
$(BUILD)/tests/fuzz/fuzz_%: $(BUILD)/tests/fuzz/fuzz_%.o $(BUILD)/tests/libaid.a $(BUILD)/librehearse.a
	$(CC) $(LDFLAGS_ALL) -fsanitize=fuzzer -o $@ $^ -lcmocka $(LIBS)
fuzz:
	@$(MAKE) -s BUILD=$(BUILD)/fuzz CC=clang SANITIZE=fuzzer-no-link,address,undefined CFLAGS="-O1 -g" fuzz-run
fuzz-run: $(FUZZ:%=$(BUILD)/tests/fuzz/fuzz_%)
	@passed=0; failed=0; for name in $(FUZZ); do mkdir -p $(BUILD)/found/$$name; \
	    echo "fuzz $$name for $(FUZZ_SECONDS) s"; \
	    if $(BUILD)/tests/fuzz/fuzz_$$name $(if $(filter 0,$(FUZZ_SECONDS)),-runs=0,-max_total_time=$(FUZZ_SECONDS)) -timeout=20 -verbosity=0 -print_final_stats=0 \
	        -artifact_prefix=$(BUILD)/ $(BUILD)/found/$$name tests/fuzz/corpus/$$name; \
	    then passed=$$((passed + 1)); else failed=$$((failed + 1)); fi; done; \
	echo "$$passed passed, $$failed failed"; [ $$failed -eq 0 ]

# Ratios and counts that noise cannot move much; see tests/bench.
BENCH   := $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard tests/bench/bench_*.c)))
$(BUILD)/tests/bench/bench_%: $(BUILD)/tests/bench/bench_%.o $(BUILD)/librehearse.a
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)
bench: rehearse $(BENCH)
	@tests/bench/run $(BENCH)

install: rehearse
	install -d $(DESTDIR)$(PREFIX)/bin
	install -m 755 $(BUILD)/rehearse $(DESTDIR)$(PREFIX)/bin/rehearse

clean:
	rm -rf $(BUILD) rehearse
format:
	clang-format -i $$(git ls-files '*.c' '*.h')

.PHONY: all rehearse check check-real drills run sanitize fuzz fuzz-run bench lint install clean format
.DELETE_ON_ERROR:
.SECONDARY:
-include $(LIB_OBJ:.o=.d) $(CLI_OBJ:.o=.d) $(TESTS:=.d) $(BENCH:=.d) $(TEST_AID:%.c=$(BUILD)/%.d) $(FUZZ:%=$(BUILD)/tests/fuzz/fuzz_%.d)
