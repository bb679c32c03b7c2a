// SPDX-License-Identifier: Apache-2.0
// Host port: the counter moves only when a test or a spin moves it.
#pragma once

uint64_t host_clock_counter(void);

static inline uint64_t arch_time_counter(void)
{
    return host_clock_counter();
}
