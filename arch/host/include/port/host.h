// SPDX-License-Identifier: Apache-2.0
// Knobs of the host port for unit tests: simulated CPUs, clock, interrupts, console, guests, and
// how the machine stopped.
#pragma once

#include <arch/addr.h>
#include <arch/guest_irq.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct irqchip;
struct vcpu;

/*
 * Simulated CPUs. One OS thread plays them in turn: host_cpu_switch() makes the code that follows
 * run as another CPU (per-CPU base, interrupt mask). What becomes current there (an idle VCPU made
 * by sched_init_cpu()) lives on the caller's stack until switched away, so switches between CPUs
 * nest like calls. A CPU that is not being played serves its interrupts (if it has them unmasked)
 * when the clock moves, which every spin makes it do; a reschedule that they ask for happens when
 * the CPU is played again.
 */
void host_cpu_switch(unsigned cpu);
unsigned host_cpu(void);
/** What arch_system_interrupted() answers from now on; the addresses stay the caller's. */
void host_set_interrupted(const uintptr_t *pcs, unsigned count);
/** Take what is pending on this CPU if unmasked (a spin or a guest entry does it too). */
void host_irq_poll(void);
/**
 * Everything back to power-on: CPU 0, interrupts unmasked, clock stopped at 0, nothing pending,
 * console empty, knobs at their defaults.
 */
void host_reset(void);

/*
 * Clock. Frequency 62.5 MHz unless set. Deadlines that are passed fire in order, each at its own
 * time.
 */
#define HOST_CLOCK_FREQUENCY 62500000ULL
void host_clock_set(uint64_t counter);
void host_clock_set_frequency(uint64_t hz);
void host_clock_advance(uint64_t ticks);
void host_clock_advance_ns(uint64_t ns);
/** Advance to the earliest deadline of any CPU; false when there is none. */
bool host_clock_advance_to_event(void);
/** Ticks that pass in each arch_cpu_relax(). Default 1; 0 freezes time in spins. */
void host_clock_set_relax_step(uint64_t ticks);
/** Deadline programmed on a CPU; false when stopped. */
bool host_clock_deadline(unsigned cpu, uint64_t *counter);
/** How often arch_time_event_set() was called on a CPU. */
uint64_t host_clock_event_sets(unsigned cpu);

/*
 * Host interrupts: a controller for irq_set_chip(), level by bits. Timer interrupts do not pass
 * through it.
 */
#define HOST_IRQ_COUNT 256
extern const struct irqchip host_irqchip;
void host_irq_raise(unsigned cpu, uint32_t irq);
bool host_irq_is_enabled(uint32_t irq);
bool host_irq_is_pending(unsigned cpu, uint32_t irq);

/** Where the hypervisor's own image lies; it stays so. Default: 2 MiB at the start of RAM. */
void host_set_image(hpa_t start, uint64_t size);

/*
 * Console: everything that arch_console_putc() got, NUL-terminated (the last HOST_CONSOLE_SIZE - 1
 * bytes).
 */
#define HOST_CONSOLE_SIZE 65536
const char *host_console_text(void);
void host_console_clear(void);

/* Stopping. */
enum host_stop { HOST_STOP_NONE, HOST_STOP_HALT, HOST_STOP_OFF, HOST_STOP_RESET };
/**
 * Call fn(arg) and return how the machine stopped, HOST_STOP_NONE when fn returned. After a stop,
 * CPU, interrupt mask and preemption state are as they were before the call; locks that the stopped
 * code held stay held. Does not nest.
 */
enum host_stop host_run(void (*fn)(void *arg), void *arg);
/**
 * Called by arch_system_idle(); NULL (default): advance the clock to the next deadline, or stop as
 * HOST_STOP_HALT when nothing can ever happen.
 */
extern void (*host_idle_hook)(void);
/** VCPUs wait where they are, with host_idle_hook; else the idle VCPU runs then, whose stack is the test's. */
extern bool host_idles_anywhere;

/*
 * Secondaries: what arch_smp_start() does. NULL (default): the CPU's per-CPU base is remembered and
 * 0 returned.
 */
extern int (*host_smp_start_hook)(unsigned cpu, uint64_t hwid, uintptr_t percpu_offset,
                                  uintptr_t stack_top);
void host_smp_set_hwid(unsigned cpu, uint64_t hwid);
/** Was arch_smp_stop_others() called? */
bool host_smp_stopped(void);

/*
 * Device registers. A handler over [base, base + size) of virtual addresses gets each access: value
 * is in/out. NULL removes it.
 */
typedef void (*host_io_access)(uint64_t offset, unsigned size, bool is_write, uint64_t *value);
void host_io_handler(volatile void *base, size_t size, host_io_access access);

/* DTB that firmware handed over. */
void host_set_fdt(const void *fdt, uint64_t size);

/*
 * Guests. A normal VCPU that runs calls this again and again, each time as the handler of one guest
 * exit (IRQs masked).
 */
extern void (*host_guest_code)(struct vcpu *vcpu);
/**
 * The way out of a handler: obeys exit work and takes interrupts until neither is left. The entry
 * of normal VCPUs calls it before each round.
 */
void host_guest_enter(struct vcpu *vcpu);
/** VCPU whose world is loaded on a CPU; NULL when none. */
struct vcpu *host_world_owner(unsigned cpu);

/*
 * Virtual CPU interface. Default: version 3, 4 list registers, 5 priority bits; every group and
 * priority accepted.
 */
void host_guest_irq_set(enum guest_irq_version version, unsigned lr_count);
/** Interrupts below this priority value are accepted (as ICH_VMCR.VPMR); 256 = all. */
void host_guest_irq_set_mask(unsigned priority);
/** Groups the guest has open at its CPU interface: bit 0 group 0, bit 1 group 1; both after a reset. */
void host_guest_irq_set_groups(unsigned open);
/** They are other ones than when arch_guest_irq_maintain() was asked to say so. */
bool host_guest_irq_groups_changed(void);
/** What sources of hardware-linked interrupts say; true after a reset. */
void host_guest_irq_set_asserts(bool asserts);
/** What arch_guest_irq_maintain() was asked for last. */
unsigned host_guest_irq_maintain(void);
/** What arch_guest_irq_splits() answers; false after a reset. */
void host_guest_irq_set_split(bool splits);
/** Last interrupt whose physical active state was cleared, and how many were. */
unsigned host_guest_irq_deactivated(uint32_t *pirq);
/**
 * A finished interrupt that asked for maintenance: sets the EISR bit until the list register is
 * written.
 */
void host_guest_irq_set_ended(unsigned index);
