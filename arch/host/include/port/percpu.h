// SPDX-License-Identifier: Apache-2.0
// Host port: the per-CPU base of the simulated CPU that this OS thread plays.
#pragma once

extern _Thread_local uintptr_t host_percpu_offset;

static inline uintptr_t arch_percpu_offset(void)
{
    return host_percpu_offset;
}

static inline void arch_percpu_set_offset(uintptr_t offset)
{
    host_percpu_offset = offset;
}
