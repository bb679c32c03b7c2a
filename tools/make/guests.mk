# SPDX-License-Identifier: Apache-2.0
# Bare-metal payload guests: tests/guests/NAME/*.{c,S}, NAME/GROUP/*.{c,S} with the shared tests/guests/lib make NAME.bin.
#help   make guests          build the bare-metal payload guests of the tests

guest-names := $(filter-out lib,$(notdir $(patsubst %/,%,$(sort $(dir \
	$(wildcard tests/guests/*/*.c tests/guests/*/*.S))))))
guest-src = $(wildcard $(foreach ext,c S,tests/guests/$(1)/*.$(ext) tests/guests/$(1)/*/*.$(ext)))
guest-lib-src := $(wildcard tests/guests/lib/*.c tests/guests/lib/*.S)
guest-script := $(wildcard tests/guests/lib/guest.ld)

guest-obj = $(patsubst %,$(O)/%.o,$(subst tests/guests,guests,$(1)))
guest-bin := $(guest-names:%=$(O)/guests/%.bin)
guest-flags := $(O)/gen/guest.flags

guest-cflags = -Itests/guests/include -Itests/guests/lib -nostdinc $(libc-includes) -std=gnu11 -O2 -g \
	-ffreestanding -fno-pie -mgeneral-regs-only -mno-outline-atomics -mstrict-align \
	-fno-stack-protector -fno-strict-aliasing -ffunction-sections -fdata-sections \
	-fno-asynchronous-unwind-tables $(warnings)
guest-ldflags := -z max-page-size=4096 -z noexecstack --gc-sections --build-id=none \
	$(if $(filter 1,$(LLVM)),,--no-warn-rwx-segments)
guest-command = $(CC) $(guest-cflags) | $(LD) $(guest-ldflags)
$(eval $(call remember,$(guest-flags),guest-command))

$(O)/guests/%.c.o: tests/guests/%.c $(guest-flags)
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(guest-cflags) -MMD -MP -c -o $@ $<

$(O)/guests/%.S.o: tests/guests/%.S $(guest-flags)
	$(call say,AS,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(guest-cflags) -D__ASSEMBLY__ -MMD -MP -c -o $@ $<

define guest-rules
$(O)/guests/$(1).elf: $(call guest-obj,$(call guest-src,$(1)) $(guest-lib-src)) \
		$(guest-script)
	$$(call say,LD,$$@)
	$$(Q)$$(LD) $$(guest-ldflags) -T $(guest-script) -o $$@ $$(filter %.o,$$^)
endef
$(foreach name,$(guest-names),$(eval $(call guest-rules,$(name))))

$(O)/guests/%.bin: $(O)/guests/%.elf
	$(Q)$(OBJCOPY) -O binary $< $@

.PHONY: guests
guests: $(guest-bin)

.SECONDARY: $(guest-bin:.bin=.elf)
-include $(wildcard $(O)/guests/*/*.d $(O)/guests/*/*/*.d)
