# SPDX-License-Identifier: Apache-2.0
# The arm64 image: objects, generated headers, a two-step link with its tables, the flat Image.

arm64-obj := $(patsubst %,$(O)/arm64/%.o,$(arm64-src))
selftest-obj := $(patsubst %,$(O)/arm64/%.o,$(selftest-src))
ASM_OFFSETS := $(O)/gen/asm_offsets.h
LINK_SCRIPT := $(O)/gen/link.ld
arm64-flags := $(O)/gen/arm64.flags

arm64-command = $(CC) $(arm64-cflags) | $(hot-rooms) | $(cold-src) | $(arm64-asflags) | $(LD) $(arm64-ldflags)
$(eval $(call remember,$(arm64-flags),arm64-command))

# Private: what an object needs (the file of its flags) does not depend on which object asks first.
$(foreach room,$(hot-rooms),$(eval $(O)/arm64/$(room)/%.c.o: private optimise := -O2))
$(cold-src:%=$(O)/arm64/%.o): private optimise := -Os
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

# The tables of functions and of pointers can only be written after a first link. They sit behind all that
# they describe, so that the second link moves nothing of it; the tools check that.
$(O)/gen/empty_symtab.S: tools/symtab.py
	$(Q)$(PYTHON) $< empty $@

$(O)/gen/empty_relocs.S: tools/relocs.py
	$(Q)$(PYTHON) $< empty $@

$(O)/gen/%_symtab.S: $(O)/gen/%_first.elf tools/symtab.py
	$(call say,GEN,$@)
	$(Q)$(NM) -n $< | $(PYTHON) tools/symtab.py generate $@

$(O)/gen/%_relocs.S: $(O)/gen/%_first.elf tools/relocs.py
	$(call say,GEN,$@)
	$(Q)$(PYTHON) tools/relocs.py generate $< $@

$(O)/gen/%_symtab.o: $(O)/gen/%_symtab.S
	$(Q)$(CC) -c -o $@ $<

$(O)/gen/%_relocs.o: $(O)/gen/%_relocs.S
	$(Q)$(CC) -c -o $@ $<

link-image = $(Q)$(LD) $(arm64-ldflags) -T $(LINK_SCRIPT) -Map=$(@:.elf=.map) -o $@ $(filter %.o %.a,$^)

# $(1): the ELF file's name, $(2): its objects, $(3): the flat image.
define image-rules
$(O)/gen/$(1)_first.elf: $(2) $(O)/gen/empty_symtab.o $(O)/gen/empty_relocs.o $(LINK_SCRIPT) $(libfdt-archive)
	$$(call say,LD,$$@)
	$$(link-image)

$(O)/$(1).elf: $(2) $(O)/gen/$(1)_symtab.o $(O)/gen/$(1)_relocs.o $(LINK_SCRIPT) $(libfdt-archive)
	$$(call say,LD,$$@)
	$$(link-image)
	$(Q)$(NM) -n $$@ | $(PYTHON) tools/symtab.py verify $(O)/gen/$(1)_symtab.S
	$(Q)$(PYTHON) tools/relocs.py verify $$@ $(O)/gen/$(1)_relocs.S

$(O)/$(3): $(O)/$(1).elf
	$$(call say,IMAGE,$$@)
	$(Q)$(OBJCOPY) -O binary -R .rela.dyn $$< $$@
endef
$(eval $(call image-rules,bulkhead,$(filter-out $(selftest-obj),$(arm64-obj)),Image))
# The same objects and those of the self tests.
$(eval $(call image-rules,selftest,$(arm64-obj),Image-selftest))

.SECONDARY: $(foreach name,bulkhead selftest,$(foreach table,symtab relocs,$(O)/gen/$(name)_$(table).S))
-include $(wildcard $(arm64-obj:.o=.d) $(offsets-asm:.s=.d) $(LINK_SCRIPT).d)
