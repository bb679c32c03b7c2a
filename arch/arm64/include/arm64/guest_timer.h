// SPDX-License-Identifier: Apache-2.0
// Timers of guests: the virtual timer as part of the world, the physical timer emulated.
#pragma once

#include <hv/vcpu.h>
#include <stdbool.h>
#include <stdint.h>

void guest_timer_init(struct vcpu *vcpu);
/* Parts of saving a world, world_load(), world_forget(). IRQs masked. */
void guest_timer_save(struct vcpu *vcpu);
void guest_timer_load(struct vcpu *vcpu);
void guest_timer_forget(struct vcpu *vcpu);
/** Stop both stand-ins: reset, destroy. Orphan. */
void guest_timer_cancel(struct vcpu *vcpu);
/** The virtual timer's interrupt number and handler set-up on this CPU. */
int guest_timer_init_cpu(uint32_t irq);

/** Trapped accesses; vcpu == current. */
uint64_t guest_timer_count(const struct vcpu *vcpu);
uint64_t guest_timer_read_ctl(struct vcpu *vcpu);
void guest_timer_write_ctl(struct vcpu *vcpu, uint64_t value);
void guest_timer_write_cval(struct vcpu *vcpu, uint64_t value);
