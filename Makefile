# SPDX-License-Identifier: Apache-2.0
# The whole build: one make, no recursion; each concern's rules live in tools/make/.

ROOT := $(patsubst %/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))
ifneq ($(CURDIR),$(ROOT))
$(error run make in $(ROOT), or use make -C $(ROOT))
endif

.DEFAULT_GOAL := all

include tools/make/base.mk
include tools/make/config.mk
include tools/make/sources.mk
include tools/make/toolchain.mk
include tools/make/libfdt.mk
include tools/make/image.mk
include tools/make/unit.mk
include tools/make/dtscheck.mk
include tools/make/docs.mk
include tools/make/guests.mk
include tools/make/run.mk
include tools/make/test.mk

.PHONY: all
all: $(O)/Image $(O)/Image-selftest

.PHONY: clean
clean:
	$(call say,CLEAN,$(O))
	$(Q)rm -rf $(O)/arm64 $(O)/host $(O)/gen $(O)/check $(O)/guests $(O)/boot $(O)/test-logs \
		$(O)/reports $(O)/unit.json $(O)/debug.log $(O)/gdb.sock $(O)/Image $(O)/Image-selftest \
		$(O)/bulkhead.elf $(O)/bulkhead.map $(O)/selftest.elf $(O)/selftest.map

.PHONY: distclean
distclean:
	$(call say,CLEAN,$(O) $(CACHE))
	$(Q)rm -rf $(O) $(CACHE)

.PHONY: help
help:
	@sed -n '/^#help /s/^#help //p' $(MAKEFILE_LIST)
