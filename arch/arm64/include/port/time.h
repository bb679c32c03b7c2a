// SPDX-License-Identifier: Apache-2.0
// Clocksource: the physical counter.
#pragma once

static inline uint64_t arch_time_counter(void)
{
    uint64_t count;

    __asm__ volatile("isb\n\tmrs %0, cntpct_el0" : "=r"(count) : : "memory");
    return count;
}
