# A thin front over CMake. `make demo` on a fresh Debian 12: installs packages, builds, compiles the embedded model, lets it speak.

BUILD ?= build
BUILD_TYPE ?= Release
JOBS ?= $(shell nproc)
DEMO_MODEL := test/fixtures/models/shakespeare-gpt2
# Relative paths in the cache keys: build folders share compilations.
export CCACHE_BASEDIR := $(CURDIR)
export CCACHE_NOHASHDIR := 1
export CCACHE_PCH_EXTSUM := 1
export CCACHE_SLOPPINESS := pch_defines,time_macros,include_file_mtime,include_file_ctime

.PHONY: all demo test packages configure sanitize fuzz benchmark tour models docs format clean help

all: configure
	cmake --build $(BUILD) -j$(JOBS)

help:
	@echo "make demo       set up, build, compile the small GPT-2 and generate text"
	@echo "make test       set up, build, run every test"
	@echo "make            build into $(BUILD)/"
	@echo "make sanitize   the tests under address and undefined-behaviour sanitizers"
	@echo "make benchmark  run the Google Benchmark programs"
	@echo "make tour       write docs/tour.md from the IR as it is now"
	@echo "make models     write docs/models.md from what the tests compare"
	@echo "make format     clang-format the sources"

packages:
	@scripts/install-packages.sh

configure: packages
	@test -f $(BUILD)/build.ninja || cmake -G Ninja -S . -B $(BUILD) -DCMAKE_BUILD_TYPE=$(BUILD_TYPE) \
	  -DCMAKE_C_COMPILER=clang-22 -DCMAKE_CXX_COMPILER=clang++-22 \
	  -DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache $(CMAKE_FLAGS)

demo: all
	$(BUILD)/bin/sesame compile $(DEMO_MODEL) -o $(BUILD)/shakespeare.bundle
	@echo
	$(BUILD)/bin/sesame generate $(BUILD)/shakespeare.bundle --prompt "ROMEO:" --max-new-tokens 60 --temperature 0.8 --seed 1
	@echo
	@echo "Next: $(BUILD)/bin/sesame generate $(BUILD)/shakespeare.bundle --prompt 'To be, or not'"
	@echo "      $(BUILD)/bin/sesame compile YOUR_CHECKPOINT -o your.bundle      (a Hugging Face directory)"
	@echo "      $(BUILD)/bin/sesame --help"

test: all
	scripts/run-tests.sh $(BUILD)

sanitize:
	$(MAKE) test BUILD=build-sanitize BUILD_TYPE=Sanitize

benchmark: all
	cmake --build $(BUILD) --target run-benchmarks

tour: all
	scripts/make-tour.py $(BUILD)/bin/sesame test/fixtures/models/gpt2 > $(BUILD)/tour.md
	mv $(BUILD)/tour.md docs/tour.md

models: all
	scripts/make-models.py $(BUILD)/bin/sesame test/fixtures/models > $(BUILD)/models.md
	mv $(BUILD)/models.md docs/models.md

format:
	git ls-files '*.cpp' '*.h' '*.c' | xargs clang-format-22 -i

clean:
	rm -rf $(BUILD)
