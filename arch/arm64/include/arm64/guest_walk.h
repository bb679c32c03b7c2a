// SPDX-License-Identifier: Apache-2.0
// Software walks of a guest's stage 1 inside the port.
#pragma once

#include <hv/vcpu.h>
#include <stdint.h>

/** Level at which the walk for va ends: of the leaf, or of the table that can not be read. 0 with the MMU off. The VCPU runs: its registers are loaded. At most 4 reads. */
unsigned guest_walk_last_level(struct vcpu *vcpu, uint64_t va);
