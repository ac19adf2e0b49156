# SPDX-License-Identifier: ISC
# A thin face over Meson and the scripts of tools/; HACKING.md tells more.
BUILD ?= build
SECONDS_EACH ?= 60

all: $(BUILD)/build.ninja
	ninja -C $(BUILD)

$(BUILD)/build.ninja:
	meson setup $(BUILD)

deps:
	tools/deps

check:
	tools/check

check-long:
	tools/check --long

check-planted:
	tools/check-planted

fuzz:
	tools/fuzz $(SECONDS_EACH)

coverage:
	tools/coverage

bench: all
	bench/run $(BUILD)

demo:
	tools/deps demo
	$(MAKE) all
	demo/run $(BUILD)

install: all
	meson install -C $(BUILD)

clean:
	rm -rf build build-*

.PHONY: all deps check check-long check-planted fuzz coverage bench demo install clean
