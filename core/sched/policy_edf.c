// SPDX-License-Identifier: Apache-2.0
// Policy "edf": among those with budget left, the earliest deadline runs. The shares promised on a CPU
// (budget / shorter of deadline and period) add up to all of it at most; then all deadlines are met.

#include "reserve.h"

static uint64_t key(const struct sched_entity *se)
{
    return reserve_entity(se)->deadline;
}

static uint32_t weigh(uint32_t share)
{
    return share;
}

static const struct reserve_kind kind = {.key = key, .weigh = weigh};

static void edf_init(void *queue)
{
    reserve_init(queue, &kind);
}

static const struct sched_policy edf = {
    .name = "edf",
    .help = "reservations by earliest deadline; others in the time that remains",
    .refusal = "its budget does not fit beside those promised on the CPUs of its affinity",
    .queue_size = sizeof(struct reserve_queue),
    .init = edf_init,
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
SCHED_POLICY(edf);
