// SPDX-License-Identifier: Apache-2.0
// Policy "rm": among those with budget left, the shortest period runs (with deadlines before the end
// of the period: the shortest deadline). Fixed priorities can not promise all of a CPU: the product
// of 1 + share of all is 2 at most (the hyperbolic bound, which admits all that the bound of Liu and
// Layland does). Taken as a sum of logarithms, so that who leaves takes away just what it brought.

#include "reserve.h"

static uint64_t key(const struct sched_entity *se)
{
    return reserve_window(se);
}

/* log2(1 + share), bit by bit: squaring doubles the logarithm. */
static uint32_t weigh(uint32_t share)
{
    uint64_t x = (uint64_t)(RESERVE_WHOLE + share) << 10;
    uint32_t result = 0;

    if (share >= RESERVE_WHOLE)
        return RESERVE_WHOLE;
    for (uint32_t bit = RESERVE_WHOLE / 2; bit != 0; bit /= 2) {
        x = x * x >> 30;
        if (x >> 31 == 0)
            continue;
        x /= 2;
        result += bit;
    }
    return MAX(result, 1U);
}

static const struct reserve_kind kind = {.key = key, .weigh = weigh};

static void rm_init(void *queue)
{
    reserve_init(queue, &kind);
}

static const struct sched_policy rm = {
    .name = "rm",
    .help = "reservations, the shortest period first; others in the time that remains",
    .refusal = "its budget does not fit beside those promised on the CPUs of its affinity",
    .queue_size = sizeof(struct reserve_queue),
    .init = rm_init,
    .admit = reserve_admit,
    .withdraw = reserve_withdraw,
    .enqueue = reserve_enqueue,
    .dequeue = reserve_dequeue,
    .pick = reserve_pick,
    .preempts = reserve_preempts,
    .renew = reserve_renew,
    .next_event = reserve_next_event,
    .count = reserve_count,
    .walk = reserve_walk,
};
SCHED_POLICY(rm);
