# SPDX-License-Identifier: Apache-2.0
# Unit tests: the whole hypervisor on the host port with sanitizers, one program for each test file.
#help   make unit            build and run the unit tests (TESTS=files to choose some)

unit-src := $(wildcard $(addsuffix /*.c,tests/unit tests/unit/* tests/unit/*/* tests/unit/*/*/*))
TESTS ?= $(foreach file,$(unit-src),$(if $(filter test_%,$(notdir $(file))),$(file)))
unit-helpers := $(foreach file,$(unit-src),$(if $(filter test_%,$(notdir $(file))),,$(file)))

host-obj := $(patsubst %,$(O)/host/%.o,$(host-src) $(unit-helpers))
unit-bin := $(patsubst %.c,$(O)/host/%,$(TESTS))
host-flags := $(O)/gen/host.flags

host-command = $(HOST_CC) $(host-cflags) $(host-ldflags) $(host-libs) $(host-src) $(unit-helpers)
$(eval $(call remember,$(host-flags),host-command))

# A test may include a source that is not part of the host port.
$(O)/host/tests/%.c.o: extra-host-cflags := -I.

$(O)/host/%.c.o: %.c $(host-flags)
	$(call say,HOSTCC,$<)
	@mkdir -p $(@D)
	$(Q)$(HOST_CC) $(host-cflags) $(extra-host-cflags) -MMD -MP -c -o $@ $<

# One relocatable object, so that each test links quickly; table sections of one name are merged.
$(O)/host/bulkhead.o: $(host-obj) $(host-flags)
	$(call say,HOSTLD,$@)
	$(Q)$(HOST_CC) -r -nostdlib -o $@ $(host-obj)

$(unit-bin): $(O)/host/%: $(O)/host/%.c.o $(O)/host/bulkhead.o
	$(call say,HOSTLD,$@)
	$(Q)$(HOST_CC) $(host-ldflags) -o $@ $^ $(host-libs)

.PHONY: unit-build unit
unit-build: $(unit-bin)

unit: unit-build
	$(Q)tools/unit-run $(O) $(unit-bin)

.SECONDARY: $(unit-bin:=.c.o)
-include $(wildcard $(host-obj:.o=.d) $(unit-bin:=.c.d))
