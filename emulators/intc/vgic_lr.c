// SPDX-License-Identifier: Apache-2.0
// Virtual GIC, list registers: what the guest did with them is folded into the model, then the best interrupts are put in.
//
// List registers stay loaded over exits; a flush runs only for a VCPU that has VCPU_WORK_IRQ.
//
// Hardware-linked lines (private_set() with pirq) and the physical active state:
// - The port hands a physical interrupt in as level true and leaves it active on its CPU; being active it can not storm,
//   whether or not the guest takes it. While it is in a list register with hw set, the guest's deactivation ends both halves;
//   the next fold sees the list register empty and takes the line as low. If the source still asserts, the physical
//   interrupt fires again: private_set(true) again (vgic_irq::again when that comes before the fold).
// - While it is pending in the model but in no list register (disabled by the guest, or more urgent ones came first), nothing
//   ends it, and it stays active on the CPU.
// - When a world leaves its CPU, the port clears the physical active state of every pirq it has handed in, whether or not
//   it is in a list register, and sets it again before a list register with hw is loaded or written for it (that is:
//   arch_guest_irq_lr_write() with hw makes pirq active on this CPU). For one that is in no list register nothing need be
//   restored: when its source still asserts it fires once more, and private_set(true) on a line that is high changes nothing.
// - A line that was raised before the guest ran on is only a hint: the source may have deasserted without anybody being told.
//   So what comes out of a list register unacknowledged, and what becomes deliverable later than it was raised, is deactivated
//   and taken as low: when its source still asserts, it fires anew at once. The model is then as exact as the hardware.
// - private_set(false) withdraws: the source deasserted. The next flush takes the interrupt out of its list register unless it
//   is already active there, and deactivates pirq on the CPU where it runs.

#include "vgic.h"

#include <hv/cpu.h>
#include <hv/smp.h>
#include <lib/string.h>

bool vgic_irq_is_wanted(const struct vgic_irq *irq)
{
    return irq->lr != VGIC_LR_NONE || irq->active ||
           (vgic_irq_is_pending(irq) && vgic_irq_is_enabled(irq));
}

void vgic_list_add(struct vgic_vcpu *v, struct vgic_irq *irq)
{
    vgic_irq_use(irq);
    list_add_tail(&v->list, &irq->link);
    __atomic_store_n(&irq->owner, v, __ATOMIC_RELAXED);
}

void vgic_list_remove(struct vgic_irq *irq)
{
    list_remove(&irq->link);
    __atomic_store_n(&irq->owner, NULL, __ATOMIC_RELAXED);
}

/* Would v take it, if it were pending and not active? */
static inline bool irq_is_open(const struct vgic_vcpu *v, const struct vgic_irq *irq)
{
    uint32_t group = vgic_irq_is_group1(irq) ? VGIC_CTLR_GROUP1 : VGIC_CTLR_GROUP0;

    return vgic_irq_is_enabled(irq) && irq->target == v && (vgic_load(&v->vgic->ctlr) & group) != 0;
}

/* Might v take it now, if it were not active? */
static bool irq_is_ready(const struct vgic_vcpu *v, const struct vgic_irq *irq)
{
    return vgic_irq_is_pending(irq) && irq_is_open(v, irq);
}

void vgic_hw_end(struct vgic_irq *irq)
{
    if (!irq->hw)
        return;
    irq->hw = false;
    irq->line = irq->again;
    irq->again = false;
    irq->target->release |= vgic_irq_bit(irq);
}

/* Fold */

static void slot_free(struct vgic_vcpu *v, struct vgic_irq *irq)
{
    v->lr[irq->lr] = NULL;
    v->lr_used &= ~(1U << irq->lr);
    irq->lr = VGIC_LR_NONE;
    irq->active_forced = false;
    irq->latch |= irq->lr_latch;
    irq->lr_latch = 0;
    if (!irq->active)
        irq->hw = false;
}

/* The guest ended a hardware-linked one, both halves. */
static void linked_ended(struct vgic_vcpu *v, struct vgic_irq *irq, bool here)
{
    /* It is inactive already; but QEMU's GICv2 forgets to look whether its source still asserts until it is written to. */
    if (!irq->again && v->vgic->version == 2) {
        if (here)
            arch_guest_irq_deactivate(irq->pirq);
        else
            v->release |= vgic_irq_bit(irq);
    }
    irq->line = irq->again;
    irq->again = false;
    irq->hw = false;
}

/* lr: what its list register holds, NULL: neither pending nor active. here: the list register is one of this CPU. */
static void fold_one(struct vgic_vcpu *v, struct vgic_irq *irq, const struct guest_irq_lr *lr,
                     bool here)
{
    bool pending = lr != NULL && lr->pending, active = lr != NULL && lr->active;

    if (!pending)
        irq->lr_latch = 0;
    if (active) {
        irq->held_priority = lr->priority;
        irq->held_group1 = lr->group1;
    }
    if (!irq->active_forced)
        irq->active = active;
    else if (active && !irq->active)
        vgic_hw_end(irq);
    if (lr == NULL && irq->hw)
        linked_ended(v, irq, here);
    if (pending || active) {
        /* Not ended, so that the physical one can not have fired again: that was a timer event of the descheduled VCPU. */
        irq->again = false;
        return;
    }
    /* Cleared, so that one that asked for maintenance asks no more. */
    if (here)
        arch_guest_irq_lr_clear(irq->lr);
    slot_free(v, irq);
}

static void fold(struct vgic_vcpu *v) REQUIRES(&v->lock)
{
    uint32_t done, used = v->lr_used;

    if (used == 0)
        return;
    done = arch_guest_irq_lr_empty() | arch_guest_irq_lr_ended();
    for (; used != 0; used &= used - 1) {
        unsigned i = (unsigned)__builtin_ctz(used);
        struct guest_irq_lr lr;

        if ((done & (1U << i)) != 0) {
            fold_one(v, v->lr[i], NULL, true);
            continue;
        }
        arch_guest_irq_lr_read(i, &lr);
        fold_one(v, v->lr[i], &lr, true);
    }
}

/*
 * The same from memory. Nobody can have folded anything newer since the world was saved: it was not loaded when that was asked
 * with the lock held, and whoever folds after loading it takes the lock.
 */
static void fold_saved(struct vgic_vcpu *v) REQUIRES(&v->lock)
{
    for (uint32_t used = v->lr_used; used != 0; used &= used - 1) {
        unsigned i = (unsigned)__builtin_ctz(used);
        struct guest_irq_lr lr;
        bool holds = arch_guest_irq_saved_read(v->vcpu, i, &lr);

        fold_one(v, v->lr[i], holds ? &lr : NULL, false);
    }
}

/* What list registers asked for maintenance for is left to the next flush, which the VCPU does on its way to the guest. */
static void want_flush(struct vgic_vcpu *v)
{
    __atomic_fetch_or(&v->vcpu->exit_work, VCPU_WORK_IRQ, __ATOMIC_RELAXED);
}

void vgic_fold(struct vgic_vcpu *v)
{
    irqflags_t flags = spin_lock_irqsave(&v->lock);
    int cpu = arch_vcpu_world_cpu(v->vcpu);
    uint32_t used = v->lr_used;

    if (cpu < 0)
        fold_saved(v);
    else if ((unsigned)cpu == cpu_id())
        fold(v);
    if (v->lr_used != used)
        want_flush(v);
    spin_unlock_irqrestore(&v->lock, flags);
}

void vgic_lr_forget(struct vgic_vcpu *v)
{
    for (uint32_t used = v->lr_used; used != 0; used &= used - 1) {
        struct vgic_irq *irq = v->lr[__builtin_ctz(used)];

        irq->hw = false;
        slot_free(v, irq);
    }
}

/* Refill */

/* It was configured anew since it became active. A list register has one priority and group, by which its end is found. */
static bool is_held_otherwise(const struct vgic_irq *irq)
{
    return irq->active && (irq->held_priority != vgic_irq_priority(irq) ||
                           irq->held_group1 != vgic_irq_is_group1(irq));
}

/* What the list register of a picked interrupt is to hold; the model is told what was handed over. */
static void lr_make(struct vgic_vcpu *v, struct vgic_irq *irq, struct guest_irq_lr *lr)
{
    uint8_t latch = irq->latch | irq->lr_latch;
    bool level = irq->line && !vgic_irq_is_edge(irq);
    bool linked = level && irq->pirq != 0;
    /* A hardware-linked one can not be active and pending; it comes anew once the guest has ended it. */
    bool raised = level && !(linked && irq->active), held = is_held_otherwise(irq);
    uint8_t take;

    if (!irq->active) {
        irq->source = latch != 0 ? (uint8_t)__builtin_ctz(latch) : 0;
        irq->hw = linked;
    }
    take = latch & (uint8_t)(1U << irq->source);
    lr->virq = irq->intid;
    lr->pirq = irq->hw ? irq->pirq : 0;
    lr->priority = irq->active ? irq->held_priority : vgic_irq_priority(irq);
    lr->source = irq->source;
    lr->active = irq->active;
    lr->hw = irq->hw;
    lr->group1 = irq->active ? irq->held_group1 : vgic_irq_is_group1(irq);
    lr->pending =
        irq_is_ready(v, irq) && (take != 0 || raised) && !(irq->hw && irq->active) && !held;
    /* There is more to do once the guest has ended it: the line is still high, another source waits, or another target. */
    lr->eoi = !irq->hw && (level || (latch & (uint8_t)~take) != 0 || irq->target != v || held);
    irq->lr_latch = lr->pending ? take : 0;
    irq->latch = latch & (uint8_t)~irq->lr_latch;
    irq->active_forced = false;
}

static void lr_put(struct vgic_vcpu *v, struct vgic_irq *irq)
{
    struct guest_irq_lr now, lr;

    memset(&lr, 0, sizeof(lr));
    lr_make(v, irq, &lr);
    if (irq->lr == VGIC_LR_NONE) {
        unsigned i = (unsigned)__builtin_ctz(~v->lr_used);

        v->lr[i] = irq;
        v->lr_used |= 1U << i;
        irq->lr = (uint8_t)i;
        irq->again = false;
    } else {
        arch_guest_irq_lr_read(irq->lr, &now);
        if (now.pending == lr.pending && now.active == lr.active && now.hw == lr.hw &&
            now.eoi == lr.eoi && now.priority == lr.priority && now.group1 == lr.group1 &&
            now.source == lr.source)
            return;
    }
    arch_guest_irq_lr_write(irq->lr, &lr);
}

/* Straight in */

/* What makes it pending is all that a list register says, without maintenance at its end. */
static inline bool is_simple(const struct vgic_vcpu *v, const struct vgic_irq *irq)
{
    if (irq->line && !vgic_irq_is_edge(irq))
        return irq->pirq != 0 && irq->latch == 0 && (v->fresh & vgic_irq_bit(irq)) != 0;
    return irq->latch != 0 && (irq->latch & (irq->latch - 1)) == 0;
}

/* A free list register, or that which has it still, though the guest has ended it; VGIC_LR_NONE: neither. */
static inline unsigned place_for(const struct vgic_vcpu *v, const struct vgic_irq *irq)
{
    uint32_t left = ~v->lr_used & (uint32_t)(BIT(v->vgic->lr_count) - 1);

    if (irq->lr == VGIC_LR_NONE)
        return irq->active || left == 0 ? VGIC_LR_NONE : (unsigned)__builtin_ctz(left);
    if (irq->active_forced || (irq->hw && !irq->again) ||
        (arch_guest_irq_lr_empty() & (1U << irq->lr)) == 0)
        return VGIC_LR_NONE;
    return irq->lr;
}

/*
 * The commonest case of all that follows, with the same outcome: the guest has ended it, and it comes as it came before.
 */
static ALWAYS_INLINE bool lr_renew(struct vgic_vcpu *v, struct vgic_irq *irq, uint32_t pirq)
{
    const struct vgic_bank *bank = irq->bank;
    unsigned n = irq->intid % VGIC_BANK_SIZE;
    uint32_t bit = 1U << n;
    bool linked = pirq != 0, group1;

    group1 = (vgic_load(&bank->group1) & bit) != 0;
    if (irq->lr == VGIC_LR_NONE || irq->active_forced || v->overflow || irq->hw != linked ||
        ((vgic_load(&bank->edge) & bit) == 0) != linked || (vgic_load(&bank->enabled) & bit) == 0 ||
        (vgic_load(&v->vgic->ctlr) & (group1 ? VGIC_CTLR_GROUP1 : VGIC_CTLR_GROUP0)) == 0 ||
        (arch_guest_irq_lr_empty() & (1U << irq->lr)) == 0)
        return false;
    irq->active = irq->again = false;
    irq->lr_latch = !linked;
    if (linked) {
        irq->line = true;
        v->release &= ~bit;
    }
    arch_guest_irq_lr_pend(irq->lr, irq->intid, pirq, bank->priority[n], group1);
    return true;
}

bool vgic_lr_renew(struct vgic_vcpu *v, struct vgic_irq *irq, uint32_t pirq)
{
    return irq->latch == 0 && arch_vcpu_world_cpu(v->vcpu) == (int)cpu_id() &&
           lr_renew(v, irq, pirq);
}

bool vgic_lr_place(struct vgic_vcpu *v, struct vgic_irq *irq, bool came_here)
{
    uint32_t pirq = 0, virq = irq->intid;
    unsigned i;

    if (unlikely(v->overflow || !is_simple(v, irq) || !irq_is_open(v, irq)))
        return false;
    i = place_for(v, irq);
    if (unlikely(i == VGIC_LR_NONE))
        return false;
    irq->hw = irq->latch == 0;
    irq->source = 0;
    if (irq->hw) {
        pirq = irq->pirq;
        v->fresh &= ~vgic_irq_bit(irq);
        if (!came_here)
            arch_guest_irq_activate(pirq);
    } else if (irq->latch != 1) {
        irq->source = (uint8_t)__builtin_ctz(irq->latch);
        virq |= (uint32_t)irq->source << 10;
    }
    irq->lr_latch = irq->latch;
    irq->latch = 0;
    irq->active = irq->active_forced = irq->again = false;
    irq->lr = (uint8_t)i;
    v->lr[i] = irq;
    v->lr_used |= 1U << i;
    arch_guest_irq_lr_pend(i, virq, pirq, vgic_irq_priority(irq), vgic_irq_is_group1(irq));
    return true;
}

/*
 * Smaller is better: what is active first (it must be there when the guest ends it), last what is pending in a group that the
 * guest has closed at its CPU interface, and each of these by priority.
 */
static unsigned rank(const struct vgic_irq *irq, unsigned closed)
{
    if (irq->active)
        return irq->held_priority;
    return (1 + ((closed >> vgic_irq_is_group1(irq)) & 1)) << 8 | vgic_irq_priority(irq);
}

struct picks {
    struct vgic_irq *irqs[GUEST_IRQ_LR_MAX]; /**< the best, sorted */
    struct vgic_irq *best;                   /**< of those that are pending */
    unsigned count, max;
    unsigned closed;          /**< groups */
    unsigned active, pending; /**< how many of each are left out */
};

/* Equal ones in the order of the list; the worst falls out when there are too many. */
static void pick_insert(struct picks *picks, struct vgic_irq *irq)
{
    unsigned at = picks->count, mine = rank(irq, picks->closed);

    while (at > 0 && rank(picks->irqs[at - 1], picks->closed) > mine)
        at--;
    if (at == picks->max)
        return;
    if (picks->count < picks->max)
        picks->count++;
    for (unsigned i = picks->count - 1; i > at; i--)
        picks->irqs[i] = picks->irqs[i - 1];
    picks->irqs[at] = irq;
}

/* A hardware-linked line that rose before the guest ran on: let it say again that it is high. */
static void line_recheck(struct vgic_vcpu *v, struct vgic_irq *irq)
{
    if (irq->pirq == 0 || !irq->line || irq->lr != VGIC_LR_NONE || irq->active ||
        (v->fresh & vgic_irq_bit(irq)) != 0 || !irq_is_ready(v, irq))
        return;
    irq->line = false;
    v->release |= vgic_irq_bit(irq);
}

/*
 * The interrupts that are to be in list registers. Where active ones alone would fill them, the best pending one still gets
 * a place: the guest could not be preempted otherwise. The active one that is left out has the lowest priority, so a guest
 * that ends in one step ends it last, and maintenance brings it back before (WHEN_FEW); one that ends in two steps says
 * itself what it deactivates. Pending ones that are left out come in when the guest has taken those before them.
 */
static void pick_from(struct vgic_vcpu *v, struct picks *picks)
{
    struct vgic_irq **last = &picks->irqs[picks->max - 1];

    picks->best = NULL;
    picks->count = picks->active = picks->pending = 0;
    LIST_FOR_EACH(irq, &v->list, struct vgic_irq, link) {
        irq->picked = false;
        line_recheck(v, irq);
        if (!irq->active && !irq_is_ready(v, irq))
            continue;
        *(irq->active ? &picks->active : &picks->pending) += 1;
        pick_insert(picks, irq);
        if (!irq->active &&
            (picks->best == NULL || rank(irq, picks->closed) < rank(picks->best, picks->closed)))
            picks->best = irq;
    }
    if (picks->count == picks->max && picks->best != NULL && (*last)->active)
        *last = picks->best;
    for (unsigned i = 0; i < picks->count; i++) {
        picks->irqs[i]->picked = true;
        *(picks->irqs[i]->active ? &picks->active : &picks->pending) -= 1;
    }
}

/* Which groups are open matters only when not all that is pending has a place. Returns when to ask for maintenance. */
static unsigned pick(struct vgic_vcpu *v, struct picks *picks)
{
    unsigned when;

    picks->max = v->vgic->lr_count;
    picks->closed = 0;
    pick_from(v, picks);
    if (unlikely(picks->pending != 0)) {
        picks->closed = ~arch_guest_irq_groups();
        pick_from(v, picks);
    }
    when = picks->active != 0 ? GUEST_IRQ_WHEN_FEW : 0U;
    return picks->pending != 0 ? when | GUEST_IRQ_WHEN_NO_PENDING | GUEST_IRQ_WHEN_GROUPS : when;
}

/* Takes out what is no longer wanted there, and off the list what has no reason to be on it. True: some of it belongs elsewhere. */
static bool evict(struct vgic_vcpu *v)
{
    bool misplaced = false;

    LIST_FOR_EACH_SAFE(irq, &v->list, struct vgic_irq, link) {
        if (irq->picked)
            continue;
        if (irq->lr != VGIC_LR_NONE) {
            arch_guest_irq_lr_clear(irq->lr);
            if (!irq->active)
                vgic_hw_end(irq);
            slot_free(v, irq);
        }
        if (!vgic_irq_is_wanted(irq))
            vgic_list_remove(irq);
        else if (irq->target != v)
            misplaced = true;
    }
    return misplaced;
}

static void release_physical(struct vgic_vcpu *v)
{
    for (; v->release != 0; v->release &= v->release - 1) {
        const struct vgic_irq *irq = &v->bank.irqs[__builtin_ctz(v->release)];

        /* One that the guest made active meanwhile is ended by the guest. */
        if (!(irq->active && irq->hw))
            arch_guest_irq_deactivate(irq->pirq);
    }
}

static bool world_is_here(const struct vcpu *vcpu)
{
    return (__atomic_load_n(&vcpu->exit_work, __ATOMIC_RELAXED) & VCPU_WORK_WORLD) == 0;
}

/* The one that came is all there is to do. v->lock held. */
static bool flush_news(struct vgic_vcpu *v)
{
    struct vgic_irq *irq = v->news;

    v->news = NULL;
    if (irq == NULL)
        return true;
    if (irq->owner != v || v->release != 0)
        return false;
    if (irq->latch == 1 && irq->intid < VGIC_SGI_COUNT && lr_renew(v, irq, 0)) {
        irq->latch = irq->source = 0;
        return true;
    }
    return vgic_lr_place(v, irq, false);
}

/* True: some of what is queued belongs elsewhere. v->lock held. Its frame is not for the short way. */
static NOINLINE bool flush_all(struct vgic_vcpu *v) REQUIRES(&v->lock)
{
    struct picks picks;
    unsigned maintain;
    bool misplaced;

    v->news = NULL;
    fold(v);
    maintain = pick(v, &picks);
    misplaced = evict(v);
    for (unsigned i = 0; i < picks.count; i++)
        lr_put(v, picks.irqs[i]);
    if (maintain != 0 || v->overflow)
        arch_guest_irq_maintain(maintain);
    v->overflow = maintain != 0;
    v->fresh = 0;
    if (v->release != 0)
        release_physical(v);
    return misplaced;
}

/* With IRQs masked nothing preempts the holder of the bare lock. */
void vgic_flush(struct vcpu *vcpu, uint32_t work) NO_THREAD_SAFETY
{
    struct vgic_vcpu *v = vcpu->irq;
    bool misplaced = false;

    if (v == NULL)
        return;
    lockdep_acquire(&v->lock, 0);
    spin_take(&v->lock);
    if ((work & VCPU_WORK_IRQ) != 0 || !flush_news(v))
        misplaced = flush_all(v);
    lockdep_release(&v->lock);
    spin_drop(&v->lock);
    if (unlikely(misplaced))
        vgic_migrate(v);
}

/* The VCPU stops for good: what it holds of shared interrupts goes back, to be taken by whoever they are routed to then. */
void vgic_vcpu_off(struct vcpu *vcpu)
{
    struct vgic_vcpu *v = vcpu->irq;

    spin_lock(&v->lock);
    fold(v);
    LIST_FOR_EACH_SAFE(irq, &v->list, struct vgic_irq, link) {
        if (vgic_irq_is_private(irq))
            continue;
        if (irq->lr != VGIC_LR_NONE) {
            arch_guest_irq_lr_clear(irq->lr);
            slot_free(v, irq);
        }
        irq->active = false;
        if (!vgic_irq_is_wanted(irq))
            vgic_list_remove(irq);
    }
    spin_unlock(&v->lock);
    vgic_migrate(v);
}

bool vgic_deliverable(struct vcpu *vcpu)
{
    struct vgic_vcpu *v = vcpu->irq;
    bool here = world_is_here(vcpu), found = false;
    irqflags_t flags;

    if (v == NULL)
        return false;
    flags = spin_lock_irqsave(&v->lock);
    if (here)
        fold(v);
    LIST_FOR_EACH(irq, &v->list, struct vgic_irq, link) {
        if (!irq->active && irq_is_ready(v, irq) &&
            (!here || arch_guest_irq_accepts(vgic_irq_is_group1(irq), vgic_irq_priority(irq)))) {
            found = true;
            if (irq->lr == VGIC_LR_NONE)
                want_flush(v);
            break;
        }
    }
    spin_unlock_irqrestore(&v->lock, flags);
    return found;
}

/*
 * Both causes are quenched here, because it may be a thread that was interrupted, with the world still loaded: list registers
 * of ended interrupts are cleared (the fold takes an empty one as ended), and the flush asks for more anew.
 */
void vgic_maintenance(struct vcpu *vcpu)
{
    for (uint32_t ended = arch_guest_irq_lr_ended(); ended != 0; ended &= ended - 1)
        arch_guest_irq_lr_clear((unsigned)__builtin_ctz(ended));
    arch_guest_irq_maintain(0);
    vcpu_add_work(vcpu, VCPU_WORK_IRQ);
}

/* Reads of pending and active state */

/* VCPUs of the guest whose world this CPU holds, or by now none. */
static void fold_here(void *arg)
{
    struct vgic *vgic = arg;

    for (unsigned i = 0; i < vgic->guest->vcpu_count; i++) {
        struct vgic_vcpu *v = vgic_vcpu_of(vgic->guest->vcpus[i]);

        if (v != NULL && vgic_load(&v->lr_used) != 0)
            vgic_fold(v);
    }
}

/* CPUs that hold the world of others than self which have some of the bank in list registers. */
static cpumask_t sync_mask(struct vgic_vcpu *self, struct vgic_bank *bank, bool *saved)
{
    cpumask_t mask = 0;

    *saved = false;
    for (uint32_t rest = vgic_load(&bank->used); rest != 0; rest &= rest - 1) {
        const struct vgic_irq *irq = &bank->irqs[__builtin_ctz(rest)];
        struct vgic_vcpu *owner = __atomic_load_n(&irq->owner, __ATOMIC_RELAXED);
        int cpu;

        if (owner == NULL || owner == self || irq->lr == VGIC_LR_NONE)
            continue;
        cpu = arch_vcpu_world_cpu(owner->vcpu);
        if (cpu < 0 || (unsigned)cpu == cpu_id())
            *saved = true;
        else
            mask |= CPU_MASK((unsigned)cpu);
    }
    return mask;
}

void vgic_sync(struct vgic_vcpu *self, struct vgic_bank *bank)
{
    cpumask_t mask;
    bool saved;

    if (self->lr_used != 0)
        vgic_fold(self);
    mask = sync_mask(self, bank, &saved);
    if (saved)
        fold_here(self->vgic);
    if (mask == 0)
        return;
    arch_irq_enable();
    smp_call(mask, fold_here, self->vgic);
    arch_irq_disable();
}
