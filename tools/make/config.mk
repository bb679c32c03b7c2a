# SPDX-License-Identifier: Apache-2.0
# Kconfig through python3-kconfiglib: $(O)/.config becomes gen/config.h for C and gen/auto.conf for make.
#help   make menuconfig      change the configuration in a terminal menu
#help   make defconfig       back to the default configuration ($(O)/.config)
#help   make olddefconfig    complete an old .config with the defaults of new symbols
#help   make savedefconfig   write the differences to the defaults to $(O)/defconfig

DEFCONFIG ?= arch/arm64/configs/defconfig
KCONFIG := KCONFIG_CONFIG=$(O)/.config KCONFIG_WARN_UNDEF_ASSIGN=y srctree=$(ROOT) $(PYTHON) -m
CONFIG_H := $(O)/gen/config.h
KCONFIG_FILES := Kconfig $(wildcard arch/*/Kconfig)

# These goals need no configuration, or install first what reading it needs.
config-goals := menuconfig defconfig olddefconfig savedefconfig clean distclean help \
	setup run debug check format test bench

need-tools = $(Q)command -v $(firstword $(CC)) >/dev/null && $(PYTHON) -c 'import kconfiglib' || \
	{ echo 'needs $(firstword $(CC)) and python3-kconfiglib; make setup installs both' >&2; exit 1; }

$(O)/.config: | $(DEFCONFIG)
	$(need-tools)
	$(call say,CONFIG,$@)
	@mkdir -p $(@D)
	$(Q)$(KCONFIG) defconfig --kconfig Kconfig $(DEFCONFIG) >/dev/null

$(O)/gen/auto.conf: $(O)/.config $(KCONFIG_FILES)
	$(call say,GEN,$(CONFIG_H))
	@mkdir -p $(@D)
	$(Q)$(KCONFIG) genconfig --header-path $(CONFIG_H) --config-out $@ Kconfig
	@touch $@

$(CONFIG_H): $(O)/gen/auto.conf ;

.PHONY: menuconfig defconfig olddefconfig savedefconfig
menuconfig: | $(O)/.config
	$(Q)$(KCONFIG) menuconfig Kconfig

defconfig:
	@mkdir -p $(O)
	$(Q)$(KCONFIG) defconfig --kconfig Kconfig $(DEFCONFIG)

olddefconfig: | $(O)/.config
	$(Q)$(KCONFIG) olddefconfig Kconfig

savedefconfig: | $(O)/.config
	$(Q)$(KCONFIG) savedefconfig --kconfig Kconfig --out $(O)/defconfig

ifneq ($(filter-out $(config-goals),$(or $(MAKECMDGOALS),all)),)
include $(O)/gen/auto.conf
endif
