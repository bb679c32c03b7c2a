# SPDX-License-Identifier: Apache-2.0
# The arm64 image: objects, generated headers, a two-step link with a symbol table, the flat Image.

arm64-obj := $(patsubst %,$(O)/arm64/%.o,$(arm64-src))
ASM_OFFSETS := $(O)/gen/asm_offsets.h
LINK_SCRIPT := $(O)/gen/link.ld
arm64-flags := $(O)/gen/arm64.flags

arm64-command = $(CC) $(arm64-cflags) | $(arm64-asflags) | $(LD) $(arm64-ldflags)
$(eval $(call remember,$(arm64-flags),arm64-command))

$(O)/arm64/libs/freestanding/%.c.o: extra-cflags := $(freestanding-cflags)
# Code of threads that declare FP; each function that uses it is named in tools/check/exceptions.txt.
$(O)/arm64/%_fp.c.o: uses-fp := 1

$(O)/arm64/%.c.o: %.c $(arm64-flags) | $(libfdt-ready)
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(arm64-cflags) $(extra-cflags) -MMD -MP -c -o $@ $<

$(O)/arm64/%.S.o: %.S $(arm64-flags) $(ASM_OFFSETS)
	$(call say,AS,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(arm64-asflags) -MMD -MP -c -o $@ $<

offsets-asm := $(patsubst %.c,$(O)/arm64/%.s,$(offsets-src))

$(O)/arm64/%/asm_offsets.s: %/asm_offsets.c $(arm64-flags) | $(libfdt-ready)
	$(call say,GEN,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(arm64-cflags) -MMD -MP -MT $@ -fno-stack-protector -g0 -S -o $@ $<

$(ASM_OFFSETS): $(offsets-asm) $(arm64-flags)
	$(call say,GEN,$@)
	$(Q){ echo '/* Generated from asm_offsets.c. */'; \
		cat /dev/null $(offsets-asm) | \
		sed -n 's/^.*->\([A-Za-z_][A-Za-z0-9_]*\) [#$$]*\(-\{0,1\}[0-9][0-9]*\).*$$/#define \1 \2/p'; \
		} > $@

$(LINK_SCRIPT): arch/arm64/boot/link.lds.S $(arm64-flags)
	$(call say,GEN,$@)
	$(Q)$(CC) $(arm64-cppflags) -D__ASSEMBLY__ -E -P -x c -MMD -MP -MF $@.d -MT $@ -o $@ $<

# The symbol table holds offsets of functions, so it can only be written after a first link.
# It sits behind all text, so that the second link moves no function; symtab.py checks that.
$(O)/gen/symtab_empty.S: tools/symtab.py
	$(Q)$(PYTHON) tools/symtab.py empty $@

$(O)/gen/symtab.S: $(O)/gen/first.elf tools/symtab.py
	$(call say,GEN,$@)
	$(Q)$(NM) -n $< | $(PYTHON) tools/symtab.py generate $@

$(O)/gen/symtab%.o: $(O)/gen/symtab%.S
	$(Q)$(CC) -c -o $@ $<

$(O)/gen/symtab.o: $(O)/gen/symtab.S
	$(Q)$(CC) -c -o $@ $<

$(O)/gen/first.elf: $(O)/gen/symtab_empty.o $(arm64-obj) $(LINK_SCRIPT) $(libfdt-archive)
	$(call say,LD,$@)
	$(Q)$(LD) $(arm64-ldflags) -T $(LINK_SCRIPT) -o $@ $(arm64-obj) $< $(libfdt-archive)

$(O)/bulkhead.elf: $(O)/gen/symtab.o $(arm64-obj) $(LINK_SCRIPT) $(libfdt-archive)
	$(call say,LD,$@)
	$(Q)$(LD) $(arm64-ldflags) -T $(LINK_SCRIPT) -Map=$(O)/bulkhead.map -o $@ \
		$(arm64-obj) $< $(libfdt-archive)
	$(Q)$(NM) -n $@ | $(PYTHON) tools/symtab.py verify $(O)/gen/symtab.S

$(O)/Image: $(O)/bulkhead.elf
	$(call say,IMAGE,$@)
	$(Q)$(OBJCOPY) -O binary $< $@

-include $(wildcard $(arm64-obj:.o=.d) $(offsets-asm:.s=.d) $(LINK_SCRIPT).d)
