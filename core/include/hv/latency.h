// SPDX-License-Identifier: Apache-2.0
// How long exits take up to the return to the guest, and how long interrupts stay masked: maximum
// and histogram, by CPU. Kept where CONFIG_DEBUG_LATENCY is set; else the hooks are nothing. Room: sched.
#pragma once

#include <hv/exit_stats.h>
#include <stdbool.h>

struct vcpu;

/** Bucket n counts times of less than LATENCY_FIRST_NS << n that no bucket before it counts; the last one all others. */
#define LATENCY_BUCKETS 16
#define LATENCY_FIRST_NS 64

struct latency_row {
    uint64_t count;
    uint64_t max; /**< ns */
    uint64_t buckets[LATENCY_BUCKETS];
};

/** Row of the time that interrupts were masked, behind those of the causes of exits. */
#define LATENCY_MASKED EXIT_CAUSES
#define LATENCY_ROWS (LATENCY_MASKED + 1)

/** Of one CPU, written by itself; readers take no lock. */
struct latency {
    struct latency_row rows[LATENCY_ROWS];
    uintptr_t longest_from, longest_to; /**< code of the longest masked time */
    uint64_t since;                     /**< counter when interrupts were masked; 0: they are not */
    uintptr_t from;                     /**< code that did */
    bool open; /**< they have been unmasked once: what was before, the start, does not count */
};

/** One more time in the row. Any context. */
void latency_count(struct latency_row *row, uint64_t ns);
/** All of `from` added to `to`. Any context. */
void latency_add(struct latency_row *to, const struct latency_row *from);

#ifdef CONFIG_DEBUG_LATENCY
/** Hooks of the port, interrupts masked: they have just been, or are about to be unmasked. Nested calls count as one. */
void latency_irqs_off(void);
void latency_irqs_on(void);
/** Of the vectors: a guest's exit has begun at vcpu->exit_start; it ends, stat being its cause's (NULL: it was none). */
void latency_exit_begin(struct vcpu *vcpu);
void latency_exit_end(struct vcpu *vcpu, const struct exit_stat *stat);
/** Of the scheduler: being switched away is not the exit's time. */
uint64_t latency_leave(void);
void latency_return(struct vcpu *vcpu, uint64_t left);
/** Figures of an online CPU. Any context. */
const struct latency *latency_of(unsigned cpu);
/** Counts anew; what a CPU counts at this moment may be lost or stay. Any context. */
void latency_reset(void);
#else
/** Nothing in other builds. */
static inline void latency_irqs_off(void)
{
}
/** Nothing in other builds. */
static inline void latency_irqs_on(void)
{
}
/** 0 in other builds. */
static inline uint64_t latency_leave(void)
{
    return 0;
}
/** Nothing in other builds. */
static inline void latency_return(struct vcpu *vcpu, uint64_t left)
{
    (void)vcpu;
    (void)left;
}
#endif
