// SPDX-License-Identifier: Apache-2.0
// Policy "partition": never switches between normal VCPUs, as no CPU gets a second one. The one it
// has keeps it; no slice ends, unless a thread of its priority waits.
//
// Threads are not partitioned: they run while the VCPU waits, and take the CPU from it by the rules
// of prr when the hypervisor has to act. A VCPU with a priority above theirs is left alone.

#include <lib/errno.h>

#include "policy_prr.h"

struct partition_queue {
    struct prr_queue prr;
    bool taken; /**< by a normal VCPU */
};

static void partition_init(void *queue)
{
    struct partition_queue *partition = queue;

    policy_prr_init(&partition->prr);
    partition->taken = false;
}

static int partition_admit(void *queue, struct sched_entity *se)
{
    struct partition_queue *partition = queue;

    if (!se->normal)
        return 0;
    if (partition->taken)
        return -ENOSPC;
    partition->taken = true;
    return 1;
}

static void partition_withdraw(void *queue, struct sched_entity *se)
{
    struct partition_queue *partition = queue;

    (void)se;
    partition->taken = false;
}

static const struct sched_policy partition = {
    .name = "partition",
    .help = "one normal VCPU on each CPU, which keeps it",
    .refusal = "each CPU of its affinity has a VCPU already",
    .queue_size = sizeof(struct partition_queue),
    .init = partition_init,
    .admit = partition_admit,
    .withdraw = partition_withdraw,
    .enqueue = policy_prr_enqueue,
    .dequeue = policy_prr_dequeue,
    .pick = policy_prr_pick,
    .turn = policy_prr_turn,
    .preempts = policy_prr_preempts,
    .renew = policy_prr_renew,
    .stays = true,
    .next_event = policy_prr_next_event,
    .count = policy_prr_count,
    .walk = policy_prr_walk,
};
SCHED_POLICY(partition);
