// SPDX-License-Identifier: Apache-2.0
// Sampling profiler: what each CPU was doing when its sampling timer fired. Room: debug.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define PROFILE_HZ_MAX 10000
#define PROFILE_NAME_MAX 64

/**
 * Sample all CPUs that are online, hz times a second each; what an earlier run has counted is
 * forgotten. Code that masks interrupts is seen where it unmasks them. Orphan. -EINVAL (hz), -EBUSY
 * (runs already), -ENOMEM.
 */
int profile_start(unsigned hz);
/** Stop; the counts stay for reports. Orphan. -EALREADY. */
int profile_stop(void);

struct profile_totals {
    bool running;
    unsigned hz;
    uint64_t duration_ns;
    uint64_t samples;
    uint64_t hypervisor; /**< samples in the hypervisor's own code, idle CPUs included */
    uint64_t guests;
    uint64_t unknown; /**< in none of its functions, or of more VCPUs than are told apart */
};
/** One function, or one VCPU whose guest ran. */
struct profile_row {
    char name[PROFILE_NAME_MAX];
    bool is_guest;
    uint32_t self;  /**< samples in it */
    uint32_t total; /**< samples in it or in what it called */
};
/**
 * The rows with most samples of their own, best first, into rows; returns how many. -ENOENT: nothing
 * was ever profiled. Orphan.
 */
int profile_report(struct profile_row *rows, unsigned max, struct profile_totals *totals);
