# SPDX-License-Identifier: Apache-2.0
# Which sources make the image and which make the host port; new files need no edit here.

include tools/make/conditional.mk

common-src := $(wildcard libs/*/*.c core/*/*.c core/mterm/commands/*.c drivers/*/*.c emulators/*/*.c \
	tests/selftest/*.c)
common-src := $(filter-out libs/freestanding/% $(dropped),$(common-src))

freestanding-src := $(wildcard libs/freestanding/*.c)
offsets-src := $(wildcard arch/arm64/*/asm_offsets.c)
port-src := $(filter-out $(offsets-src) %.lds.S $(dropped),\
	$(wildcard arch/arm64/*/*.c arch/arm64/*/*.S))
arm64-src := $(port-src) $(common-src) $(freestanding-src)

host-src := $(common-src) $(filter-out $(dropped),$(wildcard arch/host/*.c arch/host/*/*.c))

includes := -Iarch/include -Icore/include -Ilibs/include -Idrivers/include -Iemulators/include
