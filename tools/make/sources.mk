# SPDX-License-Identifier: Apache-2.0
# Which sources make the image and which make the host port; new files need no edit here.

include tools/make/conditional.mk

common-src := $(wildcard libs/*/*.c core/*/*.c core/mterm/commands/*.c drivers/*/*.c emulators/*/*.c \
	tests/selftest/*.c)
common-src := $(filter-out libs/freestanding/% $(dropped),$(common-src))

selftest-src := core/mterm/commands/selftest.c $(wildcard tests/selftest/*.c)

freestanding-src := $(wildcard libs/freestanding/*.c)
offsets-src := $(wildcard arch/arm64/*/asm_offsets.c)
port-src := $(filter-out $(offsets-src) %.lds.S $(dropped),\
	$(wildcard arch/arm64/*/*.c arch/arm64/*/*.S))
arm64-src := $(port-src) $(common-src) $(freestanding-src)

host-src := $(common-src) $(filter-out $(dropped),$(wildcard arch/host/*.c arch/host/*/*.c))

# The rooms whose code runs at exits, interrupts and switches: compiled for speed, all others for size.
hot-rooms := arch/arm64 core/base core/emu core/irq core/sched core/time emulators libs/base \
	libs/freestanding libs/string libs/tree
# In these what runs only at start-up or for the operator: for size, too.
cold-src := $(addprefix arch/arm64/,cpu/debug.c cpu/idreg.c mm/stage1.c trap/aarch32.c trap/fault_text.c \
	trap/panic.c) core/base/panic.c core/base/symbol.c core/emu/state.c core/irq/irq_control.c \
	core/irq/irq_domain.c core/irq/irq_map.c core/irq/irq_storm.c core/sched/balance.c \
	core/sched/migrate.c core/sched/reserve.c core/sched/sched_place.c core/sched/sched_setup.c \
	core/time/wallclock.c emulators/intc/vgic_state.c emulators/rtc/pl031.c

includes := -Iarch/include -Icore/include -Ilibs/include -Idrivers/include -Iemulators/include
