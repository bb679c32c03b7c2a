// SPDX-License-Identifier: Apache-2.0
// Reading the exit statistics that the port keeps; times as maximum and histogram.

#include <hv/exit_stats.h>
#include <hv/latency.h>
#include <hv/vcpu.h>

uint64_t exit_stats_count(const struct vcpu *vcpu)
{
    uint64_t count = 0;

    for (unsigned i = 0; i < EXIT_CAUSES; i++)
        count += vcpu->exit_stats[i].count;
    return count;
}

const char *exit_cause_name(enum exit_cause cause)
{
    static const char *const names[EXIT_CAUSES] = {
        [EXIT_WAIT] = "wait",           [EXIT_HYPERCALL] = "hypercall",
        [EXIT_REGISTER] = "register",   [EXIT_MEMORY] = "memory",
        [EXIT_FETCH] = "fetch",         [EXIT_FP] = "fp",
        [EXIT_INTERRUPT] = "interrupt", [EXIT_OTHER] = "other",
    };

    return cause < EXIT_CAUSES ? names[cause] : "";
}

static unsigned bucket_of(uint64_t ns)
{
    uint64_t firsts = ns / LATENCY_FIRST_NS;

    return firsts == 0 ? 0 : MIN(64U - (unsigned)__builtin_clzll(firsts), LATENCY_BUCKETS - 1U);
}

void latency_count(struct latency_row *row, uint64_t ns)
{
    row->count++;
    row->max = MAX(row->max, ns);
    row->buckets[bucket_of(ns)]++;
}

void latency_add(struct latency_row *to, const struct latency_row *from)
{
    to->count += from->count;
    to->max = MAX(to->max, from->max);
    for (unsigned i = 0; i < LATENCY_BUCKETS; i++)
        to->buckets[i] += from->buckets[i];
}
