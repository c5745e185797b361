# make run [PORT=8080] [STATE=directory] [MODEL=directory]   build what is missing, serve on loopback
# make build | test | fault | fuzz [FUZZ_SECONDS=600] | bench | clean

PORT ?= 8080
STATE ?= build/state
DEMO_MODEL := packaging/demo-model/model
MODEL ?= $(DEMO_MODEL)
JOBS ?= $(shell nproc)
FUZZ_SECONDS ?= 600

.PHONY: build run test fault fuzz bench clean

build:
	packaging/install-dependencies.sh build
	cmake --preset release
	cmake --build --preset release -j $(JOBS) --target hearthd hearth-engine hearth

run: build
	mkdir -p $(STATE)
	exec build/release/bin/hearthd --port $(PORT) --state $(STATE) --model $(MODEL) \
	  --engine build/release/bin/hearth-engine \
	  $(if $(filter $(DEMO_MODEL),$(MODEL)),--served-model-name hearth-demo)

# Everything, with AddressSanitizer and UndefinedBehaviorSanitizer.
test:
	packaging/install-dependencies.sh test
	cmake --preset dev
	cmake --build --preset dev -j $(JOBS)
	ctest --preset dev -j $(JOBS)

# Power losses, disk errors, failing allocations and killed processes by the thousand: half an hour.
fault: build
	packaging/install-dependencies.sh test
	cmake --build --preset release -j $(JOBS) --target fault_test
	HEARTH_FAULT_POINTS=20000 HEARTH_FAULT_SWEEP=all build/release/bin/fault_test
	HEARTH_BIN=$(CURDIR)/build/release/bin HEARTH_KILLS=500 \
	  node --test --test-name-pattern='killed again and again' tests/e2e/crash_test.mjs
	HEARTH_BIN=$(CURDIR)/build/release/bin HEARTH_KILLS=200 node --test tests/e2e/config_kill_test.mjs
	HEARTH_BIN=$(CURDIR)/build/release/bin HEARTH_TURNS=200 node --test tests/e2e/config_soak_test.mjs

# Any bytes as a configuration, for FUZZ_SECONDS. What was found to be of interest stays in build/fuzz.
fuzz:
	packaging/install-dependencies.sh fuzz
	cmake --preset release
	cmake --build --preset release -j $(JOBS) --target config_fuzz
	mkdir -p build/fuzz/config
	build/release/bin/config_fuzz -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=2048 \
	  -max_len=65536 -print_final_stats=1 build/fuzz/config tests/fuzz/config_seeds

bench: build
	cmake --build --preset release -j $(JOBS) --target bench

clean:
	rm -rf build
