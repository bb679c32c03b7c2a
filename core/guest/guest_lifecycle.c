// SPDX-License-Identifier: Apache-2.0
// Commands to a whole guest: kick, pause, resume, halt, reset. All go through requests that its VCPUs obey.
#include <hv/guest_parts.h>

#include <hv/clock.h>
#include <hv/waitqueue.h>
#include <lib/errno.h>
#include <lib/string.h>

static bool is_active(struct vcpu *vcpu)
{
    uint32_t reasons;
    enum vcpu_state state = vcpu_logical_state(vcpu, &reasons);

    return state == VCPU_READY || state == VCPU_RUNNING || state == VCPU_PAUSED;
}

static bool guest_is_active(struct guest *guest)
{
    for (unsigned i = 0; i < guest->vcpu_count; i++) {
        if (is_active(guest->vcpus[i])) {
            return true;
        }
    }
    return false;
}

static int wait_settled(struct guest *guest)
{
    int err = 0;

    for (unsigned i = 0; i < guest->vcpu_count && err == 0; i++) {
        err = vcpu_wait_settled(guest->vcpus[i], WAIT_FOREVER);
    }
    return err;
}

/* What the guest asked for before it was stopped or reset means nothing any more. */
static void forget_requests(struct guest *guest)
{
    hrtimer_stop(&guest->backoff_timer);
    __atomic_store_n(&guest->power_request, GUEST_POWER_NONE, __ATOMIC_RELEASE);
    for (unsigned i = 0; i < guest->vcpu_count; i++) {
        __atomic_store_n(&guest_vcpu_of(guest->vcpus[i])->on_state, GUEST_VCPU_ON_NONE,
                         __ATOMIC_RELEASE);
    }
}

static void end_pause(struct guest *guest)
{
    if (guest->paused) {
        guest->paused = false;
        arch_vcpu_time_start(guest);
    }
}

int guest_vcpu_start(struct vcpu *vcpu, uint64_t entry, uint64_t arg)
{
    int err = vcpu_wait_settled(vcpu, WAIT_FOREVER);

    if (err != 0) {
        return err;
    }
    /* Interrupts that it had acknowledged are in its list registers only. */
    arch_vcpu_sync(vcpu);
    arch_vcpu_drop(vcpu);
    vcpu->guest->intc_ops->vcpu_reset(vcpu);
    vcpu->start_pc = entry;
    vcpu->start_arg = arg;
    return vcpu_kick(vcpu);
}

static int start(struct guest *guest)
{
    guest->pristine = false;
    guest->stop_reason[0] = '\0';
    guest->uptime_start_ns = clock_now();
    arch_vcpu_time_reset(guest);
    return guest_vcpu_start(guest->vcpus[0], guest->entry, guest->dtb);
}

static int kick_entered(struct guest *guest)
{
    uint32_t reasons;
    struct report report;

    for (unsigned i = 0; i < guest->vcpu_count; i++) {
        if (is_active(guest->vcpus[i])) {
            return -EALREADY;
        }
        if (vcpu_logical_state(guest->vcpus[i], &reasons) != VCPU_RESET) {
            return -EINVAL;
        }
    }
    if (guest->pristine) {
        return start(guest);
    }
    report_to_log(&report);
    return guest_reset_entered(guest, true, &report);
}

int guest_kick(struct guest *guest)
{
    int err = guest_enter(guest);

    if (err == 0) {
        err = kick_entered(guest);
        guest_leave(guest);
    }
    return err;
}

int guest_reset_entered(struct guest *guest, bool kick, struct report *report)
{
    int err;

    for (unsigned i = 0; i < guest->vcpu_count; i++) {
        vcpu_reset(guest->vcpus[i]);
    }
    err = wait_settled(guest);
    if (err != 0) {
        return err;
    }
    forget_requests(guest);
    end_pause(guest);
    for (unsigned i = 0; i < guest->vcpu_count; i++) {
        arch_vcpu_drop(guest->vcpus[i]);
        guest->vcpus[i]->fault = (struct vcpu_fault){0};
    }
    guest_devices_reset(guest);
    arch_vcpu_time_reset(guest);
    err = guest_load(guest, report);
    if (err != 0) {
        return err;
    }
    guest->pristine = true;
    guest->reset_count++;
    notifier_call(&guest_chain, GUEST_EVENT_RESET, guest);
    return kick ? start(guest) : 0;
}

int guest_reset(struct guest *guest, struct report *report)
{
    int err = guest_enter(guest);

    if (err == 0) {
        err = guest_reset_entered(guest, guest_is_active(guest), report);
        guest_leave(guest);
    }
    return err;
}

static void resume_vcpus(struct guest *guest)
{
    for (unsigned i = 0; i < guest->vcpu_count; i++) {
        vcpu_resume(guest->vcpus[i], VCPU_REASON_GUEST);
    }
}

static int pause_entered(struct guest *guest)
{
    int err;

    if (guest->paused) {
        return -EALREADY;
    }
    if (!guest_is_active(guest)) {
        return -EINVAL;
    }
    for (unsigned i = 0; i < guest->vcpu_count; i++) {
        if (is_active(guest->vcpus[i])) {
            vcpu_pause(guest->vcpus[i], VCPU_REASON_GUEST);
        }
    }
    err = wait_settled(guest);
    if (err != 0) {
        resume_vcpus(guest);
        return err;
    }
    arch_vcpu_time_stop(guest);
    guest->paused = true;
    return 0;
}

int guest_pause(struct guest *guest)
{
    int err = guest_enter(guest);

    if (err == 0) {
        err = pause_entered(guest);
        guest_leave(guest);
    }
    return err;
}

int guest_resume(struct guest *guest)
{
    int err = guest_enter(guest);

    if (err != 0) {
        return err;
    }
    if (guest->paused) {
        end_pause(guest);
        resume_vcpus(guest);
    } else {
        err = -EINVAL;
    }
    guest_leave(guest);
    return err;
}

int guest_halt_entered(struct guest *guest)
{
    bool active = guest_is_active(guest);
    int err;

    for (unsigned i = 0; i < guest->vcpu_count; i++) {
        if (is_active(guest->vcpus[i])) {
            vcpu_halt(guest->vcpus[i]);
        }
    }
    err = wait_settled(guest);
    if (err != 0) {
        return err;
    }
    forget_requests(guest);
    end_pause(guest);
    if (!active) {
        return -EALREADY;
    }
    notifier_call(&guest_chain, GUEST_EVENT_STOPPED, guest);
    return 0;
}

int guest_halt(struct guest *guest)
{
    int err = guest_enter(guest);

    if (err == 0) {
        err = guest_halt_entered(guest);
        if (err == 0) {
            str_copy(guest->stop_reason, "halted by the operator", sizeof(guest->stop_reason));
        }
        guest_leave(guest);
    }
    return err;
}
