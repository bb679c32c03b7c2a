// SPDX-License-Identifier: Apache-2.0
// State changes of VCPUs: at once where the VCPU is off its CPU at a safe point, as a request to it
// otherwise.

#include <hv/clock.h>
#include <lib/errno.h>

#include "sched_internal.h"

#define REASONS_WAIT (VCPU_REASON_WFI | VCPU_REASON_SLEEP)

struct notifier_chain vcpu_state_chain;

static enum vcpu_state logical_state(const struct vcpu *vcpu, uint32_t *reasons)
{
    *reasons = 0;
    if (vcpu->requests & VCPU_REQUEST_RESET)
        return VCPU_RESET;
    if (vcpu->requests & VCPU_REQUEST_HALT)
        return VCPU_HALTED;
    *reasons = vcpu->reasons | vcpu->pending_reasons;
    return *reasons != 0 ? VCPU_PAUSED : vcpu->state;
}

enum vcpu_state vcpu_logical_state(struct vcpu *vcpu, uint32_t *reasons)
{
    irqflags_t flags = spin_lock_irqsave(&vcpu->lock);
    enum vcpu_state state = logical_state(vcpu, reasons);

    spin_unlock_irqrestore(&vcpu->lock, flags);
    return state;
}

/* Does the table allow the event now? vcpu->lock held. */
static int check(const struct vcpu *vcpu, enum vcpu_event event, uint32_t reason)
{
    enum vcpu_state next;
    uint32_t reasons;
    enum vcpu_state state = logical_state(vcpu, &reasons);

    if (!vcpu->is_normal && event != VCPU_EVENT_KICK)
        return -EINVAL;
    if (reason & REASONS_WAIT)
        return -EINVAL;
    return vcpu_fsm(state, reasons, event, reason, &next, &reasons);
}

/* Take reasons away; runnable when none is left. vcpu->lock held. */
static void remove_reasons(struct vcpu *vcpu, uint32_t reasons)
{
    vcpu->reasons &= ~reasons;
    if (vcpu->reasons == 0)
        sched_make_runnable(vcpu);
}

/*
 * Post requests and see to it that the VCPU obeys soon. A handler that sleeps is not torn out of
 * its sleep unless that is interruptible; every other pause ends, because the VCPU itself has to
 * act. vcpu->lock held.
 */
static void post(struct vcpu *vcpu, uint32_t requests)
{
    vcpu->requests |= requests;
    __atomic_fetch_or(&vcpu->exit_work, VCPU_WORK_REQUEST, __ATOMIC_SEQ_CST);
    if (vcpu->state == VCPU_HALTED)
        sched_make_runnable(vcpu);
    else if (vcpu->state != VCPU_PAUSED)
        sched_expedite(vcpu);
    else if (!(vcpu->reasons & VCPU_REASON_SLEEP) || vcpu->interruptible)
        remove_reasons(vcpu, vcpu->reasons);
}

/*
 * Call fn with the lock held if the table allows the event, and tell others when the state changed
 * at once.
 */
static int transition(struct vcpu *vcpu, enum vcpu_event event, uint32_t reason,
                      int (*fn)(struct vcpu *vcpu, uint32_t reason))
{
    irqflags_t flags = spin_lock_irqsave(&vcpu->lock);
    int error = check(vcpu, event, reason);
    enum vcpu_state state;
    bool notify;

    if (error == 0)
        error = fn(vcpu, reason);
    state = vcpu->state;
    /* A thread that was kicked may be gone as soon as the lock is free. */
    notify = error == 0 && vcpu->is_normal;
    spin_unlock_irqrestore(&vcpu->lock, flags);
    if (notify) {
        flags = arch_irq_save();
        notifier_call(&vcpu_state_chain, state, vcpu);
        arch_irq_restore(flags);
    }
    return error;
}

static int do_kick(struct vcpu *vcpu, uint32_t reason)
{
    (void)reason;
    if (vcpu->state != VCPU_RESET)
        return -EBUSY;
    if (__atomic_load_n(&vcpu->se.on_cpu, __ATOMIC_ACQUIRE))
        return -EAGAIN;
    if (vcpu->is_normal)
        arch_vcpu_reset(vcpu, vcpu->start_pc, vcpu->start_arg);
    sched_place(vcpu);
    sched_make_runnable(vcpu);
    return 0;
}

static int do_pause(struct vcpu *vcpu, uint32_t reason)
{
    /* Only waits have an end of their own; in a sleep the handler may hold what others need. */
    if (vcpu->state == VCPU_PAUSED && !(vcpu->reasons & VCPU_REASON_SLEEP)) {
        vcpu->reasons |= reason;
        return 0;
    }
    vcpu->pending_reasons |= reason;
    post(vcpu, VCPU_REQUEST_PAUSE);
    return -EINPROGRESS;
}

static int do_resume(struct vcpu *vcpu, uint32_t reason)
{
    if (!(vcpu->pending_reasons & reason)) {
        remove_reasons(vcpu, reason);
        return 0;
    }
    vcpu->pending_reasons &= ~reason;
    if (vcpu->pending_reasons == 0)
        vcpu->requests &= ~(uint32_t)VCPU_REQUEST_PAUSE;
    return 0;
}

static int do_halt(struct vcpu *vcpu, uint32_t reason)
{
    (void)reason;
    vcpu->pending_reasons = 0;
    vcpu->requests &= ~(uint32_t)VCPU_REQUEST_PAUSE;
    post(vcpu, VCPU_REQUEST_HALT);
    return -EINPROGRESS;
}

static int do_reset(struct vcpu *vcpu, uint32_t reason)
{
    (void)reason;
    if (vcpu->state == VCPU_RESET)
        return 0;
    vcpu->pending_reasons = 0;
    vcpu->requests = 0;
    post(vcpu, VCPU_REQUEST_RESET);
    return -EINPROGRESS;
}

int vcpu_kick(struct vcpu *vcpu)
{
    int error;

    /*
     * It may be on its last steps before it leaves its CPU. They are waited for without the lock:
     * those who are told of its reset meanwhile take that lock to look at it.
     */
    while ((error = transition(vcpu, VCPU_EVENT_KICK, 0, do_kick)) == -EAGAIN)
        sched_wait_off_cpu(vcpu);
    return error;
}

int vcpu_pause(struct vcpu *vcpu, enum vcpu_reason reason)
{
    return transition(vcpu, VCPU_EVENT_PAUSE, reason, do_pause);
}

int vcpu_resume(struct vcpu *vcpu, enum vcpu_reason reason)
{
    return transition(vcpu, VCPU_EVENT_RESUME, reason, do_resume);
}

int vcpu_halt(struct vcpu *vcpu)
{
    return transition(vcpu, VCPU_EVENT_HALT, 0, do_halt);
}

int vcpu_reset(struct vcpu *vcpu)
{
    return transition(vcpu, VCPU_EVENT_RESET, 0, do_reset);
}

void vcpu_request_stop(struct vcpu *vcpu)
{
    irqflags_t flags = spin_lock_irqsave(&vcpu->lock);

    __atomic_fetch_or(&vcpu->requests, VCPU_REQUEST_STOP, __ATOMIC_RELAXED);
    if (vcpu->state == VCPU_PAUSED && vcpu->interruptible)
        remove_reasons(vcpu, VCPU_REASON_SLEEP);
    spin_unlock_irqrestore(&vcpu->lock, flags);
}

/*
 * What the request asks for becomes the state. vcpu->lock held. Returns false when the request was
 * taken back.
 */
static bool obey_locked(struct vcpu *vcpu)
{
    uint32_t requests = vcpu->requests;

    __atomic_fetch_and(&vcpu->exit_work, ~(uint32_t)VCPU_WORK_REQUEST, __ATOMIC_RELAXED);
    __atomic_store_n(&vcpu->se.urgent, false, __ATOMIC_RELAXED);
    if (requests == 0)
        return false;
    vcpu->requests = 0;
    if (requests & VCPU_REQUEST_RESET) {
        vcpu->reset_count++;
        vcpu_set_state(vcpu, VCPU_RESET, clock_now());
    } else if (requests & VCPU_REQUEST_HALT) {
        vcpu_set_state(vcpu, VCPU_HALTED, clock_now());
    } else {
        vcpu->reasons = vcpu->pending_reasons;
        vcpu->pending_reasons = 0;
        vcpu_set_state(vcpu, VCPU_PAUSED, clock_now());
        return true;
    }
    sched_unplace(vcpu);
    return true;
}

void vcpu_obey(struct vcpu *vcpu)
{
    enum vcpu_state state;
    bool changed;

    /*
     * A reset, once asked for, is never taken back. Its world leaves here the CPU that has it; what
     * its list registers hold is still to be asked.
     */
    if (__atomic_load_n(&vcpu->requests, __ATOMIC_ACQUIRE) & VCPU_REQUEST_RESET) {
        arch_vcpu_sync(vcpu);
        arch_vcpu_drop(vcpu);
    }
    spin_lock(&vcpu->lock);
    changed = obey_locked(vcpu);
    state = vcpu->state;
    spin_unlock(&vcpu->lock);
    if (changed)
        notifier_call(&vcpu_state_chain, state, vcpu);
    /* Also when the request was taken back: it no longer runs ahead of others. */
    sched_schedule_masked();
}

/* Waiting */

void sched_block_prepare(enum vcpu_reason reason, bool interruptible)
{
    struct vcpu *vcpu = sched_current();

    spin_lock(&vcpu->lock);
    vcpu->reasons |= reason;
    vcpu->interruptible = interruptible;
    vcpu_set_state(vcpu, VCPU_PAUSED, clock_now());
    spin_unlock(&vcpu->lock);
}

static bool is_interrupted(const struct vcpu *vcpu)
{
    return vcpu->interruptible && __atomic_load_n(&vcpu->requests, __ATOMIC_RELAXED) != 0;
}

static int block(struct vcpu *vcpu, bool stays)
{
    if (is_interrupted(vcpu)) {
        sched_block_cancel();
        return -EINTR;
    }
    if (stays)
        sched_wait(vcpu);
    else
        sched_schedule_masked();
    return is_interrupted(vcpu) ? -EINTR : 0;
}

int sched_block(void)
{
    return block(sched_current(), false);
}

int sched_block_here(void)
{
    return block(sched_current(), true);
}

void sched_block_cancel(void)
{
    struct vcpu *vcpu = sched_current();
    bool running;

    spin_lock(&vcpu->lock);
    if (vcpu->state == VCPU_PAUSED)
        remove_reasons(vcpu, REASONS_WAIT);
    running = vcpu->state == VCPU_RUNNING;
    spin_unlock(&vcpu->lock);
    /* Somebody paused it meanwhile. */
    if (!running)
        sched_schedule_masked();
}

bool sched_wake(struct vcpu *vcpu, enum vcpu_reason reason)
{
    irqflags_t flags = spin_lock_irqsave(&vcpu->lock);
    bool blocked = vcpu->state == VCPU_PAUSED && (vcpu->reasons & reason);

    if (blocked)
        remove_reasons(vcpu, reason);
    spin_unlock_irqrestore(&vcpu->lock, flags);
    return blocked;
}
