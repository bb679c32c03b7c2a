// SPDX-License-Identifier: Apache-2.0
// Looking at a VCPU: stopped for a moment, its registers at rest. Room: debug.
#pragma once

#include <hv/vcpu.h>
#include <stdbool.h>

/**
 * Stop a normal VCPU with reason "debug" to look at it: *resume says whether vcpu_debug_go() has
 * something to undo. When this returns 0, arch_vcpu_sync() makes its registers readable. Orphan.
 * -ETIMEDOUT (it does not stop), -EINVAL (its state has no registers).
 */
int vcpu_debug_stop(struct vcpu *vcpu, bool *resume);
void vcpu_debug_go(struct vcpu *vcpu, bool resume);
