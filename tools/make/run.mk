# SPDX-License-Identifier: Apache-2.0
# Starting the image in QEMU.
#help   make run             all of it: U-Boot, mterm, two Linux guests. Variables: BOOT=uboot|direct
#help                        GIC=3|2 SMP=4 CPU=cortex-a72 MEM=2G KERNEL=cloud|generic|rt.
#help                        Leave QEMU with Ctrl-A X
#help   make debug           the same by direct boot, with gdb stopped at hv_main
#help   make setup           install what the build and the tests need

export BOOT GIC SMP CPU MEM KERNEL

# Set-up may bring the tools that reading the makefiles needs, so these goals build in a make of their own.
build-again = $(MAKE) O=$(O) CACHE=$(CACHE) $(if $(findstring -j,$(MAKEFLAGS)),,-j$(shell nproc))

.PHONY: setup run debug
setup:
	$(Q)tools/setup

run debug: setup
	$(Q)$(build-again) all
	$(Q)tools/run $(if $(filter debug,$@),--debug) $(O) $(CACHE)
