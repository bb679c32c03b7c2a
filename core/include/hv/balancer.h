// SPDX-License-Identifier: Apache-2.0
// Load balancer: strategies that say which VCPU had better be on which CPU. Room: sched.
#pragma once

#include <hv/cpu.h>
#include <lib/table.h>
#include <stdbool.h>
#include <stdint.h>

/** The load of a CPU that is wanted all the time by one VCPU. */
#define BALANCE_FULL 1024U

struct balance_cpu {
    bool usable;   /**< online, and not isolated: VCPUs may be moved from it and to it */
    uint32_t load; /**< sum of the weights of all VCPUs that belong to it */
};

struct balance_vcpu {
    uint32_t id;
    uint32_t weight;   /**< share of the last time in which it ran or waited to, of BALANCE_FULL */
    unsigned cpu;      /**< where it is; not usable: it stays */
    cpumask_t allowed; /**< where it may be; 0: it stays */
};

/** What is known of all VCPUs, and would be if the moves chosen before were made. */
struct balance_view {
    struct balance_cpu *cpus; /**< by CPU number */
    unsigned cpu_count;
    struct balance_vcpu *vcpus; /**< in order of their ids */
    unsigned vcpu_count;
};

struct balance_move {
    unsigned vcpu; /**< index in the view */
    unsigned to;   /**< CPU */
};

/**
 * A strategy is pure: no locks, no clock, no memory but the view, which it does not change. It is
 * asked for the best move again and again, each time with the last one made, until it has none; a
 * strategy whose moves do not make the view better by some measure would not end, so that no VCPU
 * is moved twice a round. What is balanced has no move: then nothing is moved to and fro.
 */
struct balancer {
    const char *name;
    const char *help;
    /** False: nothing to gain. NULL instead of a function: VCPUs stay where they were placed. */
    bool (*choose)(const struct balance_view *view, struct balance_move *move);
};
#define BALANCER(b) TABLE_ENTRY(balancers, struct balancer, b)

/** The strategy in use. Any context after balance_start(). */
const struct balancer *balancer_current(void);
/**
 * Choose the strategy by /vmm "bulkhead,balancer" or CONFIG_BALANCER_DEFAULT and start it, if there
 * is more than one CPU. Once; INITCALL. Orphan or boot context. -ENOENT for an unknown name (the
 * default is used), -ENOMEM.
 */
int balance_start(void);
