// SPDX-License-Identifier: Apache-2.0
// What the cases of the interrupt controller share: a clean state to start from, and interrupts taken by polling.
#pragma once

#include "../conform.h"

#define SPI 50 /* this and those after it have no device */
#define SPI_COUNT 40

/** The distributor and this CPU's part as the suite starts with; nothing enabled, pending or active. */
void gic_wipe(void);
/** Edge-triggered, priority, enabled, to this CPU. */
void spi_ready(uint32_t intid, uint8_t priority);
/** INTID of the next interrupt, acknowledged and ended, or GIC_SPURIOUS when there is none (also of the special ones). */
uint32_t take(void);
/** The same without the end: the raw value in *ack. */
uint32_t acknowledge(uint32_t *ack);
/** Nothing more comes. */
bool quiet(void);
/** A case that can not be judged on the bare machine prints SKIP with the reason, and must not run: QEMU is wrong there. */
bool qemu_is_wrong(const char *name, const char *reason);

/** Runs fn(cpu) on another CPU, which keeps its interrupts masked, and waits for its end; its result. */
uint64_t on_cpu(unsigned cpu, uint64_t (*fn)(uint64_t arg), uint64_t arg);
/** The same in two steps, with this CPU's own work between them. */
void on_cpu_start(unsigned cpu, uint64_t (*fn)(uint64_t arg), uint64_t arg);
bool on_cpu_is_done(unsigned cpu);
uint64_t on_cpu_result(unsigned cpu);
/** Starts the CPUs 1 to count - 1 for on_cpu(); false: one did not come. */
bool servants_start(const char *name, unsigned count);
void servants_stop(void);
