// SPDX-License-Identifier: Apache-2.0
// What the files of room thread share: waiting for state changes of VCPUs.
#pragma once

#include <hv/vcpu.h>

/** Listen to state changes. Boot; further calls do nothing. */
void vcpu_wait_init(void);
/** Wait until the VCPU is HALTED. Orphan. */
void vcpu_wait_halted(struct vcpu *vcpu);
/** Mutexes follow changes of configured priorities. Boot; further calls do nothing. */
void mutex_start(void);
