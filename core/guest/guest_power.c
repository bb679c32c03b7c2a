// SPDX-License-Identifier: Apache-2.0
// Power of guests and VCPUs as the guest itself asks for it. A worker does it, so that no VCPU takes its own stack apart.
#include <hv/guest_parts.h>

#include <hv/clock.h>
#include <hv/sched.h>
#include <hv/workqueue.h>
#include <lib/errno.h>
#include <lib/string.h>

#define BACKOFF_FIRST_NS (100 * NS_PER_MS)
#define BACKOFF_MAX_NS (10 * NS_PER_SEC)
/* A guest that ran this long is not in a crash loop (or not in a reboot loop). */
#define CRASH_LOOP_NS (30 * NS_PER_SEC)
#define REBOOT_LOOP_NS (1 * NS_PER_SEC)

static struct work power_work;

/* VCPUs: CPU_ON, CPU_OFF, AFFINITY_INFO */

struct vcpu *guest_vcpu_by_affinity(struct guest *guest, uint64_t affinity)
{
    for (unsigned i = 0; i < guest->vcpu_count; i++) {
        if (arch_vcpu_affinity(i) == affinity) {
            return guest->vcpus[i];
        }
    }
    return NULL;
}

static bool is_reset(struct vcpu *vcpu)
{
    uint32_t reasons;

    return vcpu_logical_state(vcpu, &reasons) == VCPU_RESET;
}

/*
 * Of several callers one claims the VCPU; it alone looks at the state and leaves the request. The worker acts on complete
 * requests only, and gives the claim back when the VCPU is no longer in RESET.
 */
int guest_vcpu_on(struct guest *guest, uint64_t affinity, uint64_t entry, uint64_t arg)
{
    struct vcpu *vcpu = guest_vcpu_by_affinity(guest, affinity);
    uint32_t expected = GUEST_VCPU_ON_NONE;
    struct guest_vcpu *own;

    if (vcpu == NULL) {
        return -EINVAL;
    }
    own = guest_vcpu_of(vcpu);
    if (!__atomic_compare_exchange_n(&own->on_state, &expected, GUEST_VCPU_ON_CLAIMED, false,
                                     __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
        /* The worker may have started it and not be done yet. */
        return is_reset(vcpu) ? -EINPROGRESS : -EALREADY;
    }
    if (!is_reset(vcpu)) {
        __atomic_store_n(&own->on_state, GUEST_VCPU_ON_NONE, __ATOMIC_RELEASE);
        return -EALREADY;
    }
    own->on_entry = entry;
    own->on_arg = arg;
    __atomic_store_n(&own->on_state, GUEST_VCPU_ON_PENDING, __ATOMIC_RELEASE);
    work_queue(&power_work);
    return 0;
}

void guest_vcpu_off(struct vcpu *vcpu)
{
    vcpu->guest->intc_ops->vcpu_off(vcpu);
    vcpu_reset(vcpu);
}

static bool is_on_pending(const struct vcpu *vcpu)
{
    return __atomic_load_n(&guest_vcpu_of(vcpu)->on_state, __ATOMIC_ACQUIRE) ==
           GUEST_VCPU_ON_PENDING;
}

int guest_vcpu_affinity_info(struct guest *guest, uint64_t affinity)
{
    struct vcpu *vcpu = guest_vcpu_by_affinity(guest, affinity);
    bool pending;

    if (vcpu == NULL) {
        return -EINVAL;
    }
    /* In this order: what is not pending any more has been started. */
    pending = is_on_pending(vcpu);
    if (!is_reset(vcpu)) {
        return 0;
    }
    return pending ? 2 : 1;
}

static void start_pending_vcpus(struct guest *guest)
{
    for (unsigned i = 0; i < guest->vcpu_count; i++) {
        struct vcpu *vcpu = guest->vcpus[i];
        struct guest_vcpu *own = guest_vcpu_of(vcpu);
        int err;

        if (!is_on_pending(vcpu)) {
            continue;
        }
        err = guest_vcpu_start(vcpu, own->on_entry, own->on_arg);
        __atomic_store_n(&own->on_state, GUEST_VCPU_ON_NONE, __ATOMIC_RELEASE);
        if (err != 0) {
            log_limited(&guest->log_limit, LOG_WARN, "%s: could not be switched on: %s", vcpu->name,
                        error_name(err));
        }
    }
}

/* Guests */

bool guest_power_post(struct guest *guest, enum guest_power_op op)
{
    uint32_t expected = GUEST_POWER_NONE;

    return __atomic_compare_exchange_n(&guest->power_request, &expected, op, false,
                                       __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

void guest_power_wait(struct guest *guest)
{
    struct vcpu *vcpu = sched_current();

    if (vcpu->guest == guest) {
        vcpu_pause(vcpu, VCPU_REASON_FAULT);
    }
    work_queue(&power_work);
}

void guest_power_request(struct guest *guest, enum guest_power_op op)
{
    guest_power_post(guest, op);
    guest_power_wait(guest);
}

static bool wants_power(struct guest *guest)
{
    if (__atomic_load_n(&guest->power_request, __ATOMIC_ACQUIRE) != GUEST_POWER_NONE) {
        return true;
    }
    for (unsigned i = 0; i < guest->vcpu_count && !guest->paused; i++) {
        if (is_on_pending(guest->vcpus[i])) {
            return true;
        }
    }
    return false;
}

void guest_power_poll(struct guest *guest)
{
    if (wants_power(guest)) {
        work_queue(&power_work);
    }
}

/* Time to wait before a restart: none, or doubling while the guest lives no longer than loop_ns. */
static uint64_t next_backoff(struct guest *guest, uint64_t loop_ns, bool always)
{
    bool loops = clock_now() - guest->uptime_start_ns < loop_ns;

    if (!loops) {
        guest->backoff_ns = 0;
    }
    if (!loops && !always) {
        return 0;
    }
    guest->backoff_ns =
        guest->backoff_ns == 0 ? BACKOFF_FIRST_NS : MIN(2 * guest->backoff_ns, BACKOFF_MAX_NS);
    return guest->backoff_ns;
}

static void restart(struct guest *guest)
{
    struct report report;

    report_to_log(&report);
    if (guest_reset_entered(guest, true, &report) != 0) {
        guest_halt_entered(guest);
    }
}

static void restart_later(struct guest *guest, uint64_t delay_ns)
{
    guest_halt_entered(guest);
    log_info("%s: restarts in %llu ms", guest->name, (unsigned long long)(delay_ns / NS_PER_MS));
    hrtimer_start(&guest->backoff_timer, clock_now() + delay_ns);
}

void guest_power_backoff_over(struct hrtimer *timer)
{
    guest_power_post(timer->data, GUEST_POWER_RESTART);
    work_queue(&power_work);
}

/* True when the guest is gone. */
static bool apply_policy(struct guest *guest, enum guest_crash_policy policy, uint64_t delay_ns)
{
    if (policy == GUEST_ON_CRASH_DESTROY) {
        return guest_destroy_entered(guest) == 0;
    }
    if (policy == GUEST_ON_CRASH_HALT) {
        guest_halt_entered(guest);
    } else if (delay_ns > 0) {
        restart_later(guest, delay_ns);
    } else {
        restart(guest);
    }
    return false;
}

static bool serve_crash(struct guest *guest)
{
    uint64_t delay_ns = 0;

    if (guest->on_crash == GUEST_ON_CRASH_RESTART) {
        delay_ns = next_backoff(guest, CRASH_LOOP_NS, true);
    }
    return apply_policy(guest, guest->on_crash, delay_ns);
}

static bool serve_reset(struct guest *guest)
{
    uint64_t delay_ns = 0;

    str_copy(guest->stop_reason, "reset by itself", sizeof(guest->stop_reason));
    if (guest->on_reboot == GUEST_ON_CRASH_RESTART) {
        delay_ns = next_backoff(guest, REBOOT_LOOP_NS, false);
    }
    return apply_policy(guest, guest->on_reboot, delay_ns);
}

/* The guest is entered. True when it is gone. */
static bool serve(struct guest *guest)
{
    switch (__atomic_exchange_n(&guest->power_request, GUEST_POWER_NONE, __ATOMIC_ACQ_REL)) {
    case GUEST_POWER_OFF:
        str_copy(guest->stop_reason, "powered off by itself", sizeof(guest->stop_reason));
        guest_halt_entered(guest);
        return false;
    case GUEST_POWER_RESET:
        return serve_reset(guest);
    case GUEST_POWER_CRASH:
        return serve_crash(guest);
    case GUEST_POWER_RESTART:
        restart(guest);
        return false;
    default:
        start_pending_vcpus(guest);
        return false;
    }
}

static void power_serve(struct work *work)
{
    struct guest *guest;

    (void)work;
    while ((guest = guest_enter_any(wants_power)) != NULL) {
        if (!serve(guest)) {
            guest_leave(guest);
        }
    }
}

void guest_power_init(void)
{
    work_init(&power_work, power_serve);
}
