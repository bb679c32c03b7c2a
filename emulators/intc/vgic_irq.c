// SPDX-License-Identifier: Apache-2.0
// Virtual GIC, changes of one interrupt: who locks what, where the interrupt is queued afterwards, and who is told.

#include "vgic.h"

#include <lib/errno.h>

enum notice {
    NOTICE_NONE,
    NOTICE_WORK,      /* its list registers need another look */
    NOTICE_INTERRUPT, /* and something may be deliverable: ends a WFI */
    NOTICE_NEW,       /* the same, but only v->news needs that look */
    NOTICE_PLACED,    /* it is in a list register of this CPU */
};

struct hold {
    irqflags_t flags;
    struct vgic_vcpu *owner; /* whose lock is held, or NULL */
};

static void shared_lock(struct vgic *vgic, struct vgic_irq *irq, struct hold *hold) NO_THREAD_SAFETY
{
    struct vgic_vcpu *owner;

    hold->flags = spin_lock_irqsave(&vgic->lock);
    owner = __atomic_load_n(&irq->owner, __ATOMIC_RELAXED);
    if (owner != NULL) {
        spin_lock(&owner->lock);
        /* Until its lock was taken, the owner may have let go; nobody else can have taken it meanwhile. */
        if (irq->owner != owner) {
            spin_unlock(&owner->lock);
            owner = NULL;
        }
    }
    hold->owner = owner;
}

/* Queue with v, who owns it or whose lock is held to take it. */
static inline enum notice irq_queue(struct vgic_vcpu *v, struct vgic_irq *irq)
{
    if (irq->owner == NULL) {
        if (irq->target != v || !vgic_irq_is_wanted(irq)) {
            if (vgic_irq_is_pending(irq))
                vgic_irq_use(irq);
            return NOTICE_NONE;
        }
        vgic_list_add(v, irq);
        return NOTICE_INTERRUPT;
    }
    if (irq->lr == VGIC_LR_NONE && !irq->active && (irq->target != v || !vgic_irq_is_wanted(irq))) {
        vgic_list_remove(irq);
        return NOTICE_NONE;
    }
    return vgic_irq_is_pending(irq) ? NOTICE_INTERRUPT : NOTICE_WORK;
}

/* For the flush on v's way to the guest. */
static inline enum notice irq_announce(struct vgic_vcpu *v, struct vgic_irq *irq)
{
    if (v->news != NULL && v->news != irq)
        return NOTICE_INTERRUPT;
    v->news = irq;
    return NOTICE_NEW;
}

static inline enum notice irq_settle(struct vgic_vcpu *v, struct vgic_irq *irq)
{
    enum notice notice = irq_queue(v, irq);

    if (notice != NOTICE_INTERRUPT)
        return notice;
    if (arch_vcpu_world_cpu(v->vcpu) == (int)cpu_id())
        return vgic_lr_place(v, irq, true) ? NOTICE_PLACED : NOTICE_INTERRUPT;
    return irq_announce(v, irq);
}

static inline void notify(struct vgic_vcpu *v, enum notice notice)
{
    if (notice == NOTICE_PLACED)
        vcpu_interrupt_placed(v->vcpu);
    else if (notice == NOTICE_NEW)
        vcpu_interrupt_work(v->vcpu, VCPU_WORK_IRQ_NEW);
    else if (notice == NOTICE_INTERRUPT)
        vcpu_interrupt(v->vcpu);
    else if (notice == NOTICE_WORK)
        vcpu_add_work(v->vcpu, VCPU_WORK_IRQ);
}

/*
 * A private interrupt is its VCPU's: one bare lock with interrupts masked, which nothing preempts. The VCPU is told without it:
 * that takes locks of the scheduler. Inlined, so that the change is too.
 */
static inline irqflags_t private_lock(struct vgic_vcpu *v) ACQUIRES(v->lock) NO_THREAD_SAFETY
{
    irqflags_t flags = arch_irq_save();

    lockdep_acquire(&v->lock, 0);
    spin_take(&v->lock);
    return flags;
}

static inline void private_unlock(struct vgic_vcpu *v, irqflags_t flags, enum notice notice)
    RELEASES(v->lock) NO_THREAD_SAFETY
{
    lockdep_release(&v->lock);
    spin_drop(&v->lock);
    notify(v, notice);
    arch_irq_restore(flags);
}

static ALWAYS_INLINE void private_change(struct vgic_irq *irq, vgic_change_fn change, uint32_t arg)
{
    struct vgic_vcpu *v = irq->target;
    irqflags_t flags = private_lock(v);

    private_unlock(v, flags, change(irq, arg) ? irq_settle(v, irq) : NOTICE_NONE);
}

/* The same for what mostly comes again and again: an SGI, or with pirq a linked line. */
static ALWAYS_INLINE void private_rise(struct vgic_irq *irq, vgic_change_fn change, uint32_t arg,
                                       uint32_t pirq)
{
    struct vgic_vcpu *v = irq->target;
    irqflags_t flags = private_lock(v);
    enum notice notice = NOTICE_PLACED;

    if (unlikely(!vgic_lr_renew(v, irq, pirq)))
        notice = change(irq, arg) ? irq_settle(v, irq) : NOTICE_NONE;
    private_unlock(v, flags, notice);
}

static void shared_unlock(struct vgic *vgic, struct vgic_irq *irq, struct hold *hold,
                          bool changed) NO_THREAD_SAFETY
{
    struct vgic_vcpu *told = hold->owner;
    enum notice notice = NOTICE_NONE;

    if (hold->owner != NULL) {
        if (changed)
            notice = irq_settle(hold->owner, irq);
        spin_unlock(&hold->owner->lock);
    }
    /* Having no owner, it is vgic->lock's alone. */
    if (changed && notice == NOTICE_NONE && irq->target != NULL && vgic_irq_is_wanted(irq)) {
        told = irq->target;
        spin_lock(&told->lock);
        notice = irq_settle(told, irq);
        spin_unlock(&told->lock);
    } else if (changed && vgic_irq_is_pending(irq)) {
        vgic_irq_use(irq);
    }
    spin_unlock_irqrestore(&vgic->lock, hold->flags);
    if (told != NULL)
        notify(told, notice);
}

void vgic_irq_change(struct vgic *vgic, struct vgic_irq *irq, vgic_change_fn change, uint32_t arg)
{
    struct hold hold;

    if (vgic_irq_is_private(irq)) {
        private_change(irq, change, arg);
        return;
    }
    shared_lock(vgic, irq, &hold);
    shared_unlock(vgic, irq, &hold, change(irq, arg));
}

/* The changes */

bool vgic_change_none(struct vgic_irq *irq, uint32_t arg)
{
    (void)irq;
    (void)arg;
    return true;
}

bool vgic_change_line(struct vgic_irq *irq, uint32_t level)
{
    bool rise = level != 0 && !irq->line;
    bool fall = level == 0 && irq->line;

    irq->line = level != 0;
    if (!vgic_irq_is_edge(irq))
        return rise || fall;
    if (rise)
        irq->latch |= 1;
    return rise;
}

/* A hardware-linked line that is said to be high is high anew: the physical interrupt can not fire while the guest has not
 * ended it. When the list register is still believed to hold it, that end just was not seen yet. */
static bool change_line_linked(struct vgic_irq *irq, uint32_t pirq)
{
    bool rise = !irq->line;

    irq->pirq = pirq;
    irq->line = true;
    irq->target->release &= ~vgic_irq_bit(irq);
    if (vgic_irq_is_enabled(irq))
        irq->target->fresh |= vgic_irq_bit(irq);
    if (irq->hw && irq->lr != VGIC_LR_NONE)
        irq->again = true;
    return rise || irq->again;
}

/* The physical half stays active until the flush deactivates it, unless the guest holds it active: then it will. */
static bool change_line_unlinked(struct vgic_irq *irq, uint32_t arg)
{
    (void)arg;
    if (!irq->line)
        return false;
    irq->line = false;
    irq->again = false;
    irq->target->release |= vgic_irq_bit(irq);
    return true;
}

void vgic_line_check(struct vgic_irq *irq)
{
    if (!irq->line || irq->pirq == 0 || !vgic_irq_is_private(irq) ||
        arch_guest_irq_asserts(irq->target->vcpu, irq->pirq))
        return;
    vgic_irq_change(irq->bank->vgic, irq, change_line_unlinked, 0);
    /* Also for one that is disabled, and so in no list: its physical half is to end. */
    vcpu_add_work(irq->target->vcpu, VCPU_WORK_IRQ);
}

bool vgic_change_enabled(struct vgic_irq *irq, uint32_t enabled)
{
    return vgic_word_write(&irq->bank->enabled, vgic_irq_bit(irq), enabled != 0);
}

bool vgic_change_group(struct vgic_irq *irq, uint32_t group1)
{
    return vgic_word_write(&irq->bank->group1, vgic_irq_bit(irq), group1 != 0);
}

bool vgic_change_edge(struct vgic_irq *irq, uint32_t edge)
{
    return vgic_word_write(&irq->bank->edge, vgic_irq_bit(irq), edge != 0);
}

bool vgic_change_priority(struct vgic_irq *irq, uint32_t priority)
{
    uint8_t *place = &irq->bank->priority[irq->intid % VGIC_BANK_SIZE];
    uint8_t old = *place;

    *place = (uint8_t)(priority & VGIC_PRIORITY_MASK);
    return *place != old;
}

bool vgic_change_pend(struct vgic_irq *irq, uint32_t mask)
{
    uint8_t old = irq->latch;

    irq->latch |= (uint8_t)mask;
    return irq->latch != old;
}

bool vgic_change_unpend(struct vgic_irq *irq, uint32_t mask)
{
    uint8_t old = irq->latch | irq->lr_latch;

    irq->latch &= (uint8_t)~mask;
    irq->lr_latch &= (uint8_t)~mask;
    return (irq->latch | irq->lr_latch) != old;
}

bool vgic_change_active(struct vgic_irq *irq, uint32_t active)
{
    bool was = irq->active;

    /* In a list register even when the model has that value: it may know better, and this is newer. */
    if (irq->lr == VGIC_LR_NONE && was == (active != 0))
        return false;
    if (active == 0)
        irq->active = false;
    else if (!was)
        vgic_irq_hold(irq);
    if (irq->lr != VGIC_LR_NONE)
        irq->active_forced = true;
    else if (!irq->active)
        vgic_hw_end(irq);
    return true;
}

void vgic_deactivate(struct vgic_vcpu *self, uint32_t intid)
{
    struct vgic_irq *irq = vgic_irq_find(self->vgic, self, intid);

    if (irq != NULL && arch_guest_irq_splits())
        vgic_irq_change(self->vgic, irq, vgic_change_active, 0);
}

/* Routes */

bool vgic_is_uniprocessor(const struct vgic *vgic)
{
    return vgic->version == 2 && vgic->guest->vcpu_count == 1;
}

static struct vgic_vcpu *target_v2(struct vgic *vgic, uint32_t mask)
{
    if (vgic_is_uniprocessor(vgic))
        return vgic_vcpu_of(vgic->guest->vcpus[0]);
    /* One of those named takes it: the lowest. */
    for (unsigned i = 0; i < vgic->guest->vcpu_count && i < VGIC_V2_VCPUS; i++) {
        if ((mask & (1U << i)) != 0)
            return vgic_vcpu_of(vgic->guest->vcpus[i]);
    }
    return NULL;
}

struct vgic_vcpu *vgic_vcpu_by_affinity(struct vgic *vgic, uint64_t affinity)
{
    /* The inverse of arch_vcpu_affinity(), which then decides. */
    uint64_t subid = (affinity >> 8) * 16 + (affinity & 0xff);

    if (subid >= vgic->guest->vcpu_count || arch_vcpu_affinity((unsigned)subid) != affinity)
        return NULL;
    return vgic_vcpu_of(vgic->guest->vcpus[subid]);
}

void vgic_route_resolve(struct vgic_irq *irq)
{
    struct vgic *vgic = irq->bank->vgic;
    uint32_t route = irq->bank->route[irq->intid % VGIC_BANK_SIZE];

    irq->target = vgic->version == 2 ? target_v2(vgic, route) : vgic_vcpu_by_affinity(vgic, route);
}

bool vgic_change_route(struct vgic_irq *irq, uint32_t route)
{
    uint32_t *place = &irq->bank->route[irq->intid % VGIC_BANK_SIZE];
    struct vgic_vcpu *old = irq->target;

    __atomic_store_n(place, route, __ATOMIC_RELAXED);
    vgic_route_resolve(irq);
    return irq->target != old;
}

static struct vgic_irq *misplaced_find(struct vgic_vcpu *v)
{
    struct vgic_irq *found = NULL;
    irqflags_t flags = spin_lock_irqsave(&v->lock);

    LIST_FOR_EACH(irq, &v->list, struct vgic_irq, link) {
        if (irq->target != v && irq->lr == VGIC_LR_NONE && !irq->active) {
            found = irq;
            break;
        }
    }
    spin_unlock_irqrestore(&v->lock, flags);
    return found;
}

void vgic_migrate(struct vgic_vcpu *v)
{
    struct vgic_irq *irq;

    /* Each round takes one off the list: by itself, or because another CPU did in between. */
    while ((irq = misplaced_find(v)) != NULL)
        vgic_irq_change(v->vgic, irq, vgic_change_none, 0);
}

/* From outside */

int vgic_line_set(struct guest_irq_lines *lines, uint32_t irq, bool level)
{
    struct vgic *vgic = lines->owner;
    struct vgic_irq *found = vgic_irq_find(vgic, NULL, irq);

    if (found == NULL)
        return -EINVAL;
    vgic_irq_change(vgic, found, vgic_change_line, level);
    return 0;
}

int vgic_private_set(struct vcpu *vcpu, uint32_t irq, bool level, uint32_t pirq)
{
    struct vgic_vcpu *v = vcpu->irq;

    if (v == NULL || irq < VGIC_SGI_COUNT || irq >= VGIC_PRIVATE_COUNT)
        return -EINVAL;
    if (pirq == 0)
        private_change(&v->bank.irqs[irq], vgic_change_line, level);
    else if (level)
        private_rise(&v->bank.irqs[irq], change_line_linked, pirq, pirq);
    else
        private_change(&v->bank.irqs[irq], change_line_unlinked, pirq);
    return 0;
}

void vgic_sgi_to_self(struct vgic_vcpu *v, uint32_t intid)
{
    private_rise(&v->bank.irqs[intid], vgic_change_pend, 1, 0);
}

void vgic_sgi_to_other(struct vgic_vcpu *v, uint32_t intid) NO_THREAD_SAFETY
{
    struct vgic_irq *irq = &v->bank.irqs[intid];
    enum notice notice = NOTICE_NONE;

    lockdep_acquire(&v->lock, 0);
    spin_take(&v->lock);
    if (vgic_change_pend(irq, 1)) {
        notice = irq_queue(v, irq);
        if (notice == NOTICE_INTERRUPT)
            notice = irq_announce(v, irq);
    }
    lockdep_release(&v->lock);
    spin_drop(&v->lock);
    if (likely(notice == NOTICE_NEW))
        vcpu_interrupt_masked(v->vcpu, VCPU_WORK_IRQ_NEW);
    else
        notify(v, notice);
}

void vgic_kick_all(struct vgic *vgic)
{
    for (unsigned i = 0; i < vgic->guest->vcpu_count; i++) {
        if (vgic_vcpu_of(vgic->guest->vcpus[i]) != NULL)
            vcpu_interrupt(vgic->guest->vcpus[i]);
    }
}
