// SPDX-License-Identifier: Apache-2.0
// Self-hosted debug of guests: breakpoints and watchpoints belong to the world of a VCPU that uses them.
#pragma once

#include <hv/vcpu.h>
#include <stdbool.h>

void debug_save(struct vcpu *vcpu);
void debug_load(struct vcpu *vcpu);
void debug_forget(struct vcpu *vcpu);
/** First access to a debug register: from now on the guest owns them (no more traps). */
void debug_grant(struct vcpu *vcpu);
/** All breakpoints off on this CPU. */
void debug_init_cpu(void);
