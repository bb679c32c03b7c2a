// SPDX-License-Identifier: Apache-2.0
// EL2 stage-1 tables, port-private part.
#pragma once

#include <arch/mmu.h>

/** Root table; secondaries load it with their MMU off. */
extern uint64_t stage1_root[512];

/** Identity-map [start, end) with the MMU off or on; boot CPU only; parts that are mapped stay as they are. */
void stage1_map_early(uintptr_t start, uintptr_t end, enum mmu_attr attr);
