// SPDX-License-Identifier: Apache-2.0
// Timers of guests. CNTV runs in hardware while the world is loaded and becomes a hypervisor timer event otherwise; CNTP is
// trapped and always a hypervisor timer event. Both count from the same offset.
#include <arm64/gic.h>
#include <arm64/guest_timer.h>
#include <arm64/sysreg.h>
#include <arm64/world.h>

#include <arch/barrier.h>
#include <arch/guest_irq.h>
#include <arch/time.h>
#include <arch/vcpu.h>
#include <hv/clock.h>
#include <hv/guest.h>
#include <hv/irq.h>
#include <hv/smp.h>
#include <hv/upcall.h>
#include <lib/string.h>

static uint32_t vtimer_irq;

static uint64_t offset_of(const struct vcpu *vcpu)
{
    return vcpu->guest->arch.time_offset;
}

/* Guest counter value to host counter value; saturates, as a sum beyond 64 bits never comes. */
static uint64_t deadline(const struct vcpu *vcpu, uint64_t cval)
{
    uint64_t sum = cval + offset_of(vcpu);

    return sum < cval ? UINT64_MAX : sum;
}

static bool may_fire(uint64_t ctl)
{
    return (ctl & (CNT_CTL_ENABLE | CNT_CTL_IMASK)) == CNT_CTL_ENABLE;
}

static bool is_due(const struct vcpu *vcpu, uint64_t ctl, uint64_t cval)
{
    return may_fire(ctl) && arch_time_counter() >= deadline(vcpu, cval);
}

/* True while the hardware timer of this CPU does the work. */
static bool is_loaded_here(const struct vcpu *vcpu)
{
    return this_cpu(world_owner) == vcpu;
}

static void arm(struct vcpu *vcpu, struct hrtimer *timer, uint64_t ctl, uint64_t cval)
{
    uint64_t at = deadline(vcpu, cval);

    if (may_fire(ctl) && at != UINT64_MAX && !vcpu->guest->arch.time_stopped)
        hrtimer_start(timer, clock_counter_to_ns(at));
    else if (hrtimer_is_armed(timer))
        hrtimer_stop(timer);
}

/*
 * The stand-in stays armed when the world is loaded again on the same CPU: who takes turns with another VCPU mostly has the
 * same deadline when it is saved next. So it may fire for a world that is loaded; then the hardware timer does as well.
 */
static void vtimer_expired(struct hrtimer *timer)
{
    struct vcpu *vcpu = timer->data;

    if (!is_loaded_here(vcpu))
        hv_guest_timer(vcpu, true, true, vtimer_irq);
}

/* The saved timer's stand-in, unless it is armed for that already. */
static void vtimer_stand_in(struct vcpu *vcpu)
{
    uint64_t at = deadline(vcpu, vcpu->arch.cntv_cval);

    if (may_fire(vcpu->arch.cntv_ctl) && at == vcpu->arch.vtimer_at &&
        hrtimer_is_armed(&vcpu->arch.vtimer))
        return;
    vcpu->arch.vtimer_at = at;
    arm(vcpu, &vcpu->arch.vtimer, vcpu->arch.cntv_ctl, vcpu->arch.cntv_cval);
}

static void ptimer_expired(struct hrtimer *timer)
{
    struct vcpu *vcpu = timer->data;

    if (is_due(vcpu, vcpu->arch.cntp_ctl, vcpu->arch.cntp_cval))
        hv_guest_timer(vcpu, false, true, 0);
    else
        arm(vcpu, timer, vcpu->arch.cntp_ctl, vcpu->arch.cntp_cval);
}

void guest_timer_init(struct vcpu *vcpu)
{
    hrtimer_init(&vcpu->arch.vtimer, vtimer_expired, vcpu);
    hrtimer_init(&vcpu->arch.ptimer, ptimer_expired, vcpu);
}

static NOINLINE void lower_and_stand_in(struct vcpu *vcpu)
{
    gic_deactivate_private(vtimer_irq);
    vcpu->arch.vtimer_raised = false;
    vtimer_stand_in(vcpu);
}

void guest_timer_save(struct vcpu *vcpu)
{
    vcpu->arch.cntv_ctl = sysreg_read(cntv_ctl_el0) & (CNT_CTL_ENABLE | CNT_CTL_IMASK);
    vcpu->arch.cntv_cval = sysreg_read(cntv_cval_el0);
    sysreg_write(cntv_ctl_el0, 0);
    arch_barrier_context();
    if (unlikely(vcpu->arch.vtimer_raised))
        lower_and_stand_in(vcpu);
    else if (may_fire(vcpu->arch.cntv_ctl) || hrtimer_is_armed(&vcpu->arch.vtimer))
        vtimer_stand_in(vcpu);
}

void guest_timer_load(struct vcpu *vcpu)
{
    sysreg_write(cntvoff_el2, offset_of(vcpu));
    sysreg_write(cntv_cval_el0, vcpu->arch.cntv_cval);
    arch_barrier_context();
    sysreg_write(cntv_ctl_el0, vcpu->arch.cntv_ctl);
    /* One of another CPU could fire there unseen while this CPU saves the world. */
    if (unlikely(vcpu->arch.vtimer.cpu != cpu_id()) && hrtimer_is_armed(&vcpu->arch.vtimer))
        hrtimer_stop(&vcpu->arch.vtimer);
}

void guest_timer_forget(struct vcpu *vcpu)
{
    vcpu->arch.vtimer_raised = false;
    sysreg_write(cntv_ctl_el0, 0);
    arch_barrier_context();
    gic_deactivate_private(vtimer_irq);
}

void arch_vcpu_timers_move(struct vcpu *vcpu, unsigned cpu)
{
    if (hrtimer_is_armed(&vcpu->arch.vtimer))
        hrtimer_migrate(&vcpu->arch.vtimer, cpu);
    if (hrtimer_is_armed(&vcpu->arch.ptimer))
        hrtimer_migrate(&vcpu->arch.ptimer, cpu);
}

void guest_timer_cancel(struct vcpu *vcpu)
{
    hrtimer_cancel(&vcpu->arch.vtimer);
    hrtimer_cancel(&vcpu->arch.ptimer);
}

/* The interrupt belongs to whoever's world is loaded, which need not be the VCPU that runs. */
static enum irq_result vtimer_interrupt(uint32_t irq, void *arg)
{
    struct vcpu *owner = this_cpu(world_owner);

    (void)arg;
    if (!owner)
        return IRQ_HANDLED;
    owner->arch.vtimer_raised = true;
    hv_guest_timer(owner, true, true, irq);
    return IRQ_KEEP_ACTIVE;
}

int guest_timer_init_cpu(uint32_t irq)
{
    if (!vtimer_irq) {
        int err = irq_request(irq, "guest virtual timer", vtimer_interrupt, NULL);

        if (err)
            return err;
        vtimer_irq = irq;
    }
    irq_enable(irq);
    return 0;
}

uint64_t guest_timer_count(const struct vcpu *vcpu)
{
    return arch_time_counter() - offset_of(vcpu);
}

uint64_t guest_timer_read_ctl(struct vcpu *vcpu)
{
    uint64_t ctl = vcpu->arch.cntp_ctl;

    if (!(ctl & CNT_CTL_ENABLE) || guest_timer_count(vcpu) < vcpu->arch.cntp_cval)
        return ctl;
    /* Who reads that it is due may acknowledge it next: that must not depend on when the host's timer is served. */
    if (!(ctl & CNT_CTL_IMASK))
        hv_guest_timer(vcpu, false, true, 0);
    return ctl | CNT_CTL_ISTATUS;
}

static void ptimer_changed(struct vcpu *vcpu)
{
    bool due = is_due(vcpu, vcpu->arch.cntp_ctl, vcpu->arch.cntp_cval);

    hv_guest_timer(vcpu, false, due, 0);
    if (due)
        hrtimer_stop(&vcpu->arch.ptimer);
    else
        arm(vcpu, &vcpu->arch.ptimer, vcpu->arch.cntp_ctl, vcpu->arch.cntp_cval);
}

void guest_timer_write_ctl(struct vcpu *vcpu, uint64_t value)
{
    vcpu->arch.cntp_ctl = value & (CNT_CTL_ENABLE | CNT_CTL_IMASK);
    ptimer_changed(vcpu);
}

void guest_timer_write_cval(struct vcpu *vcpu, uint64_t value)
{
    vcpu->arch.cntp_cval = value;
    ptimer_changed(vcpu);
}

bool arch_guest_irq_asserts(const struct vcpu *vcpu, uint32_t pirq)
{
    uint64_t ctl;

    if (pirq != vtimer_irq)
        return true;
    if (!is_loaded_here(vcpu))
        return arch_vcpu_world_is_loaded(vcpu) ||
               is_due(vcpu, vcpu->arch.cntv_ctl, vcpu->arch.cntv_cval);
    ctl = sysreg_read(cntv_ctl_el0);
    return may_fire(ctl) && (ctl & CNT_CTL_ISTATUS);
}

/* Timers and lines reach the interrupt controller's model by interrupts; only a virtual SError waits here unseen by it. */
bool arch_vcpu_interrupt_pending(struct vcpu *vcpu)
{
    return vcpu->arch.hcr & HCR_VSE;
}

void arch_vcpu_time_stop(struct guest *guest)
{
    if (guest->arch.time_stopped)
        return;
    for (unsigned i = 0; i < guest->vcpu_count; i++)
        arch_vcpu_sync(guest->vcpus[i]);
    guest->arch.time_stopped = true;
    guest->arch.stopped_at = arch_time_counter();
    for (unsigned i = 0; i < guest->vcpu_count; i++)
        guest_timer_cancel(guest->vcpus[i]);
}

void arch_vcpu_time_start(struct guest *guest)
{
    if (!guest->arch.time_stopped)
        return;
    if (!guest->host_counter)
        guest->arch.time_offset += arch_time_counter() - guest->arch.stopped_at;
    guest->arch.time_stopped = false;
    for (unsigned i = 0; i < guest->vcpu_count; i++) {
        struct vcpu *vcpu = guest->vcpus[i];

        vtimer_stand_in(vcpu);
        arm(vcpu, &vcpu->arch.ptimer, vcpu->arch.cntp_ctl, vcpu->arch.cntp_cval);
    }
}

void arch_vcpu_time_reset(struct guest *guest)
{
    guest->arch.time_offset = guest->host_counter ? 0 : arch_time_counter();
    guest->arch.time_stopped = false;
}
