// SPDX-License-Identifier: Apache-2.0
// Contract: the machine part of a VCPU, normal (guest) or orphan (thread).
#pragma once

#include <arch/addr.h>
#include <port/vcpu.h> /* struct arch_vcpu: first member of struct vcpu */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vcpu;
struct guest;

/**
 * Prepare an orphan VCPU: when first switched to, it calls entry(arg) on its stack with IRQs enabled and preempt count 0,
 * after sched_switch_finish(). entry never returns.
 */
void arch_vcpu_init_orphan(struct vcpu *vcpu, void (*entry)(void *), void *arg);

/** Allocate what a normal VCPU needs. Orphan. -ENOMEM. */
int arch_vcpu_init_normal(struct vcpu *vcpu);
/** Free it; the VCPU is off all CPUs and dropped. Called for orphans too (for them the arm64 port has nothing to free). Orphan. */
void arch_vcpu_destroy(struct vcpu *vcpu);

/**
 * Bring the registers of a normal VCPU to their architected reset values, entering at EL1h with MMU off at pc, x0 = arg.
 * The VCPU is off all CPUs (on_cpu clear) and its world dropped. When switched to, it enters through sched_switch_finish() and
 * hv_exit_to_guest().
 */
void arch_vcpu_reset(struct vcpu *vcpu, uint64_t pc, uint64_t arg);

/** Switch stacks and callee-saved registers. IRQs masked, run queue lock held as sched.c defines. Returns the VCPU that ran before. */
static inline struct vcpu *arch_vcpu_switch(struct vcpu *prev, struct vcpu *next);

/** Load the world (EL1 registers, list registers, timer) if another is loaded. IRQs masked, vcpu == current. Called by hv_exit_to_guest(). */
void arch_vcpu_world_load(struct vcpu *vcpu);

/**
 * Save the world if this CPU holds it, and hold none: the VCPU may then run elsewhere. It is switched away. IRQs masked; locks may be
 * held.
 */
void arch_vcpu_world_unload(struct vcpu *vcpu);
/** Does any CPU hold its world? A no is final while the VCPU is off all CPUs. Any context. */
bool arch_vcpu_world_is_loaded(const struct vcpu *vcpu);

/** The CPU that holds it, or -1. Final while that CPU asks, with IRQs masked, and gets its own number. Any context. */
int arch_vcpu_world_cpu(const struct vcpu *vcpu);

/** Timer events that stand in for the guest's timers fire on that CPU from now on. Any context; locks may be held. */
void arch_vcpu_timers_move(struct vcpu *vcpu, unsigned cpu);

/**
 * Make the saved state in memory current: cross-calls world_cpu if needed. Orphan context, or Normal for itself. The VCPU is not
 * running, or is the caller on its way to a reset, as for arch_vcpu_drop().
 */
void arch_vcpu_sync(struct vcpu *vcpu);
/**
 * Forget a loaded world wherever it is. Destroy: orphan context, the VCPU is not running. Reset: by the VCPU itself (vcpu == current, IRQs masked) in
 * hv_exit_to_guest(), from where it is switched away without entering the guest again.
 */
void arch_vcpu_drop(struct vcpu *vcpu);

/** Guest-visible registers by id: one const table drives dump, reset and tests. */
struct arch_reg_desc {
    const char *name; /**< Arm ARM name, lower case */
    uint16_t id;
    uint64_t reset;
};
/** The table, constant, and its length. Any context. */
const struct arch_reg_desc *arch_vcpu_reg_table(unsigned *count);
/** The VCPU is synced. -ENOENT for an unknown id. */
int arch_vcpu_get_reg(struct vcpu *vcpu, unsigned id, uint64_t *value);
int arch_vcpu_set_reg(struct vcpu *vcpu, unsigned id, uint64_t value);

/**
 * Addresses on the hypervisor stack of a VCPU that is switched away and stays so: where it goes on, then return
 * addresses. Its own CPU, IRQs masked.
 */
unsigned arch_vcpu_backtrace(const struct vcpu *vcpu, uintptr_t *pcs, unsigned max);

/** Where a guest is, for back-traces. */
struct arch_vcpu_frame {
    uint64_t pc;
    uint64_t fp;
};
/** Program counter and frame pointer. The VCPU is stopped and synced. Orphan. */
void arch_vcpu_guest_frame(struct vcpu *vcpu, struct arch_vcpu_frame *frame);
/**
 * Guest-virtual to guest-physical by the guest's own page tables, as a privileged read would find it. The VCPU is stopped
 * and synced. Orphan. -EFAULT.
 */
int arch_vcpu_translate(struct vcpu *vcpu, uint64_t va, uint64_t *ipa);

/** Guest general register n (31 reads as zero, writes ignored): for emulated instructions. vcpu == current. */
uint64_t arch_vcpu_get_gpr(struct vcpu *vcpu, unsigned n);
void arch_vcpu_set_gpr(struct vcpu *vcpu, unsigned n, uint64_t value);
/** MPIDR_EL1 affinity value of the VCPU with this number in its guest: Aff1 = n / 16, Aff0 = n % 16. */
uint64_t arch_vcpu_affinity(unsigned subid);

/** True when a guest interrupt is pending in the loaded list registers, or the virtual timer has fired: WFI must fall through. vcpu == current. */
bool arch_vcpu_interrupt_pending(struct vcpu *vcpu);

/** Inject a synchronous external abort / UNDEF into current (used by core after a failed access). */
void arch_vcpu_inject_undef(struct vcpu *vcpu);
void arch_vcpu_inject_abort(struct vcpu *vcpu, bool instruction, uint64_t far);
/** The syndrome of a struct vcpu_fault in words, like "data abort (write), external abort", cut off at size. Any context. */
void arch_fault_text(uint64_t syndrome, char *buf, size_t size);

/** A guest's virtual time: stop (all its VCPUs are paused) and go on; deadlines move with it. Orphan context. */
void arch_vcpu_time_stop(struct guest *guest);
void arch_vcpu_time_start(struct guest *guest);
/** Virtual counter starts at 0 (guest create/reset). */
void arch_vcpu_time_reset(struct guest *guest);

#include <port/switch.h>
