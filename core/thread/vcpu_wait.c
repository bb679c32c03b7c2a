// SPDX-License-Identifier: Apache-2.0
// Waiting for state changes of VCPUs; above the scheduler, because it sleeps.

#include <hv/sched.h>
#include <hv/waitqueue.h>

#include "thread_internal.h"

static struct waitqueue changes = {.lock = SPINLOCK_INIT, .waiters = LIST_INIT(changes.waiters)};

static void state_changed(struct notifier *self, unsigned event, void *data)
{
    (void)self;
    (void)event;
    (void)data;
    waitqueue_wake_all(&changes);
}

void vcpu_wait_init(void)
{
    static struct notifier listener, move_listener;

    if (listener.notify != NULL)
        return;
    listener.notify = state_changed;
    notifier_add(&vcpu_state_chain, &listener);
    move_listener.notify = state_changed;
    notifier_add(&vcpu_move_chain, &move_listener);
}

static bool is_halted(void *arg)
{
    const struct vcpu *vcpu = arg;

    return __atomic_load_n(&vcpu->state, __ATOMIC_ACQUIRE) == VCPU_HALTED;
}

void vcpu_wait_halted(struct vcpu *vcpu)
{
    waitqueue_wait_uninterruptible(&changes, is_halted, vcpu, WAIT_FOREVER);
}

/* Requests and state change together under the VCPU's lock. */
static bool is_settled(void *arg)
{
    struct vcpu *vcpu = arg;
    irqflags_t flags = spin_lock_irqsave(&vcpu->lock);
    bool settled = vcpu->requests == 0;

    spin_unlock_irqrestore(&vcpu->lock, flags);
    return settled;
}

int vcpu_wait_settled(struct vcpu *vcpu, uint64_t timeout_ns)
{
    int result = waitqueue_wait(&changes, is_settled, vcpu, timeout_ns);
    enum vcpu_state state = __atomic_load_n(&vcpu->state, __ATOMIC_ACQUIRE);

    if (result == 0 && state != VCPU_READY && state != VCPU_RUNNING)
        sched_wait_off_cpu(vcpu);
    return result;
}

static bool has_moved(void *arg)
{
    return !vcpu_is_moving(arg);
}

int vcpu_wait_moved(struct vcpu *vcpu, uint64_t timeout_ns)
{
    return waitqueue_wait(&changes, has_moved, vcpu, timeout_ns);
}
