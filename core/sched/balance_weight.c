// SPDX-License-Identifier: Apache-2.0
// Strategy "weight": the move that brings the loads of two CPUs closest, if it is worth the while.

#include <hv/balancer.h>
#include <stddef.h>

/* Differences below these come and go by themselves. */
#define GAIN_MIN (BALANCE_FULL / 16)
#define WEIGHT_MIN (BALANCE_FULL / 64)

/*
 * By how much (halved) the sum of the squares of all loads falls. It falls with every move, so that
 * moves come to an end; and where none is left, no two CPUs differ by more than the lightest VCPU
 * that could be moved between them, and GAIN_MIN.
 */
static uint64_t gain(const struct balance_view *view, const struct balance_vcpu *vcpu, unsigned to)
{
    uint64_t from_load = view->cpus[vcpu->cpu].load;
    uint64_t to_load = (uint64_t)view->cpus[to].load + vcpu->weight;

    if (vcpu->weight < WEIGHT_MIN || from_load < to_load + GAIN_MIN)
        return 0;
    return vcpu->weight * (from_load - to_load);
}

static bool is_candidate(const struct balance_view *view, const struct balance_vcpu *vcpu,
                         unsigned to)
{
    return to != vcpu->cpu && (vcpu->allowed & CPU_MASK(to)) && view->cpus[to].usable &&
           view->cpus[vcpu->cpu].usable;
}

static bool choose(const struct balance_view *view, struct balance_move *move)
{
    uint64_t best = 0;

    for (unsigned i = 0; i < view->vcpu_count; i++) {
        for (unsigned to = 0; to < view->cpu_count; to++) {
            uint64_t gained;

            if (!is_candidate(view, &view->vcpus[i], to))
                continue;
            gained = gain(view, &view->vcpus[i], to);
            if (gained <= best)
                continue;
            best = gained;
            *move = (struct balance_move){.vcpu = i, .to = to};
        }
    }
    return best != 0;
}

static const struct balancer weight = {
    .name = "weight",
    .help = "CPUs differ by no more than the weight of one VCPU",
    .choose = choose,
};
BALANCER(weight);

static const struct balancer none = {
    .name = "none",
    .help = "VCPUs stay on the CPU they were placed on when they were kicked",
};
BALANCER(none);
