// SPDX-License-Identifier: Apache-2.0
// Host port: machine part of a VCPU: a user context with a stack of its own, and registers as an
// array.
#pragma once

#include <arch/guest_irq.h>
#include <stdbool.h>
#include <stdint.h>

/** Register ids of the host port: general registers by number, then these. */
enum host_reg {
    HOST_REG_X0 = 0,
    HOST_REG_SP = 31,
    HOST_REG_PC,
    HOST_REG_PSTATE,
    HOST_REG_COUNT,
};

#define HOST_CONTEXT_WORDS 128

struct arch_vcpu {
    uint64_t context[HOST_CONTEXT_WORDS] __attribute__((aligned(16))); /**< ucontext_t */
    void *stack; /**< mapping with a guard page, far larger than the target's: sanitizers need it */
    const void *stack_bottom; /**< bounds of the stack it was last seen on, for the sanitizer */
    uint64_t stack_size;
    void (*entry)(void *arg);
    void *arg;

    uint64_t regs[HOST_REG_COUNT];
    struct guest_irq_lr lr[GUEST_IRQ_LR_MAX]; /**< saved list registers */
    bool interrupt_pending;                   /**< what arch_vcpu_interrupt_pending() answers */
    int world_cpu;                            /**< 1 + CPU that holds its world, 0 = none */
    unsigned undef_count;                     /**< exceptions injected, for tests */
    unsigned abort_count;
    uint64_t abort_address;
};
