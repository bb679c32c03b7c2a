# SPDX-License-Identifier: Apache-2.0
# Starting the image in QEMU.
#help   make run             all of it: U-Boot, mterm, two Linux guests. Variables: BOOT=uboot|direct
#help                        GIC=3|2 SMP=4 CPU=cortex-a72 MEM=2G. Leave QEMU with Ctrl-A X
#help   make debug           the same by direct boot, with gdb stopped at hv_main
#help   make setup           install what the build and the tests need

export BOOT GIC SMP CPU MEM

.PHONY: setup run debug
setup:
	$(Q)tools/setup

run debug: setup
	$(Q)$(MAKE) O=$(O) all
	$(Q)tools/run $(if $(filter debug,$@),--debug) $(O) $(CACHE)
