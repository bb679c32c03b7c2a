// SPDX-License-Identifier: Apache-2.0
// What a port may call in core: the upward half of the arch contract. Room: init, and as noted.
#pragma once

#include <arch/addr.h>
#include <lib/macros.h>
#include <stdbool.h>
#include <stdint.h>

struct emu_access;
struct vcpu;

/** Boot CPU, stack and MMU ready, IRQs masked. init. */
NORETURN void hv_main(void);
/** A secondary CPU, per-CPU base set, MMU on, IRQs masked. init. */
NORETURN void hv_secondary_main(unsigned cpu);

/** An interrupt is pending: take one; others come anew. IRQs masked, any code interrupted. irq. */
void hv_irq(void);
/** The clockevent fired on this CPU. IRQ context. time. */
void hv_timer_interrupt(void);

/**
 * The way out, as long as vcpu->exit_work != 0: reschedules, obeys requests, or loads the world and refills list registers; the
 * caller looks again. Normal context, IRQs masked on entry and return. sched.
 */
void hv_exit_to_guest(struct vcpu *vcpu);
/** Guest WFI: sleep until a virtual interrupt is deliverable (or a request is pending). Normal context. sched. */
int hv_vcpu_wait(struct vcpu *vcpu);

/**
 * A decoded guest access to an address without a valid stage-2 mapping; value is that of the guest's register, before and
 * after. 0: emulated. -EFAULT: no device there, or the device refuses the access: the port injects an external abort.
 * access->vcpu == current. Normal context, IRQs masked; may sleep (unmasks itself). emu.
 */
int hv_guest_mmio(struct emu_access *access);

/** A write of ICC_SGI1R_EL1. -ENOENT: UNDEF. vcpu == current, normal context, IRQs masked since it left the guest. guest. */
int hv_guest_sgi(struct vcpu *vcpu, uint64_t value);
/** The other interrupt-controller system registers that trap (GICv3). */
enum guest_sysreg { GUEST_SYSREG_ICC_SGI0R, GUEST_SYSREG_ICC_ASGI1R, GUEST_SYSREG_ICC_DIR };
/** value in or out. -ENOENT: UNDEF. vcpu == current, normal context, IRQs masked. guest. */
int hv_guest_sysreg(struct vcpu *vcpu, enum guest_sysreg reg, bool is_write, uint64_t *value);

/**
 * A guest touched an address that stage 2 does not map. True: it was memory on demand, to be tried again (or the guest's crash policy
 * acts, as the host has no memory for it). Normal context, IRQs masked. guest.
 */
bool hv_guest_touch(struct vcpu *vcpu, gpa_t addr, bool is_fetch);

/** SMCCC call (DEN 0028): x[0..17] in and out. Unknown ids return -1 in x0. Normal context, IRQs masked. emu. */
void hv_hypercall(struct vcpu *vcpu, uint64_t x[18]);

/** The virtual timer (virt true, PPI 27) or emulated physical timer (PPI 30) changed level. virt: hardware-linked to pirq. Any context. guest. */
void hv_guest_timer(struct vcpu *vcpu, bool virt, bool level, uint32_t pirq);
/** Maintenance interrupt of the world loaded here. IRQ context. guest. */
void hv_guest_irq_maintenance(struct vcpu *vcpu);

/** What a guest did that ends it: its crash policy decides. Never returns to guest code before the policy acted. Normal context. guest. */
void hv_guest_fault(struct vcpu *vcpu, const char *what, uint64_t info);
