// SPDX-License-Identifier: Apache-2.0
// Contract: per-CPU set-up of the port.
#pragma once

/** Features, EL2 control registers, stage 2. Each CPU once, after its per-CPU base is set, before the scheduler. */
void arch_cpu_init(void);
