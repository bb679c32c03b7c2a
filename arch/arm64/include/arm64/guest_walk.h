// SPDX-License-Identifier: Apache-2.0
// Software walks of a guest's stage 1 inside the port.
#pragma once

#include <hv/vcpu.h>
#include <stdint.h>

/** Level of the table that the walk for va can not read. The VCPU runs: its registers are loaded. At most 4 reads. */
unsigned guest_walk_abort_level(struct vcpu *vcpu, uint64_t va);
