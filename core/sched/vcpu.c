// SPDX-License-Identifier: Apache-2.0
// Making and unmaking VCPUs, and the list of all of them.

#include <hv/clock.h>
#include <hv/ctx.h>
#include <hv/heap.h>
#include <hv/vmap.h>
#include <lib/errno.h>
#include <lib/string.h>

#include "sched_internal.h"

static struct {
    struct spinlock lock;
    struct list list;
    uint32_t last_id;
    unsigned count;
} all = {.lock = SPINLOCK_INIT, .list = LIST_INIT(all.list)};

static void list_enter(struct vcpu *vcpu)
{
    irqflags_t flags = spin_lock_irqsave(&all.lock);

    vcpu->id = ++all.last_id;
    all.count++;
    list_add_tail(&all.list, &vcpu->all_link);
    spin_unlock_irqrestore(&all.lock, flags);
}

static void list_leave(struct vcpu *vcpu)
{
    irqflags_t flags = spin_lock_irqsave(&all.lock);

    all.count--;
    list_remove(&vcpu->all_link);
    spin_unlock_irqrestore(&all.lock, flags);
}

void vcpu_for_each(void (*fn)(struct vcpu *vcpu, void *arg), void *arg)
{
    irqflags_t flags = spin_lock_irqsave(&all.lock);

    LIST_FOR_EACH(vcpu, &all.list, struct vcpu, all_link)
        fn(vcpu, arg);
    spin_unlock_irqrestore(&all.lock, flags);
}

unsigned vcpu_count(void)
{
    return __atomic_load_n(&all.count, __ATOMIC_RELAXED);
}

static void vcpu_init(struct vcpu *vcpu, const struct vcpu_config *config)
{
    size_t length = strnlen(config->name, VCPU_NAME_MAX - 1);

    memcpy(vcpu->name, config->name, length);
    spin_init(&vcpu->lock);
    list_init(&vcpu->se.link);
    list_init(&vcpu->se.move_link);
    list_init(&vcpu->wait_link);
    list_init(&vcpu->held_mutexes);
    list_init(&vcpu->guest_link);
    vcpu->subid = config->subid;
    vcpu->guest = config->guest;
    vcpu->is_normal = config->guest != NULL;
    vcpu->node = config->node;
    vcpu->se.priority = config->priority;
    vcpu->se.base_priority = config->priority;
    vcpu->se.normal = vcpu->is_normal;
    vcpu->se.time_slice = config->time_slice != 0 ? config->time_slice : sched_default_slice();
    vcpu->se.deadline = config->deadline;
    vcpu->se.period = config->period;
    vcpu->se.budget = config->budget;
    vcpu->se.affinity = config->affinity != 0 ? config->affinity : CPU_MASK_ALL;
    vcpu->se.state_since = clock_now();
    vcpu->state = VCPU_RESET;
}

static int vcpu_init_arch(struct vcpu *vcpu)
{
    int error;

    vcpu->stack = vmap_stack_alloc(vcpu->name);
    if (vcpu->stack == NULL)
        return -ENOMEM;
    if (!vcpu->is_normal)
        vcpu->start_sp = (uintptr_t)vcpu->stack + CONFIG_STACK_SIZE;
    error = vcpu->is_normal ? arch_vcpu_init_normal(vcpu) : 0;
    if (error != 0)
        vmap_stack_free(vcpu->stack);
    return error;
}

int vcpu_create(const struct vcpu_config *config, struct vcpu **out)
{
    struct vcpu *vcpu;
    int error;

    if (config->priority > SCHED_PRIORITY_MAX)
        return -EINVAL;
    vcpu = heap_zalloc(sizeof(*vcpu));
    if (vcpu == NULL)
        return -ENOMEM;
    vcpu_init(vcpu, config);
    error = sched_admit(vcpu);
    if (error != 0)
        goto no_place;
    error = vcpu_init_arch(vcpu);
    if (error != 0)
        goto no_stack;
    list_enter(vcpu);
    *out = vcpu;
    return 0;
no_stack:
    sched_withdraw(vcpu);
no_place:
    heap_free(vcpu);
    return error;
}

/* From here on nobody can kick it. */
static int vcpu_retire(struct vcpu *vcpu)
{
    irqflags_t flags = spin_lock_irqsave(&vcpu->lock);
    enum vcpu_state next;
    uint32_t reasons;
    int error = vcpu_fsm(vcpu->state, vcpu->reasons, VCPU_EVENT_DESTROY, 0, &next, &reasons);

    /* A requested reset or halt is not obeyed yet. */
    if (error == 0 && (vcpu->requests & ~(uint32_t)VCPU_REQUEST_STOP) != 0)
        error = -EBUSY;
    if (error == 0) {
        vcpu_set_state(vcpu, next, clock_now());
        migrate_cancel(vcpu);
    }
    spin_unlock_irqrestore(&vcpu->lock, flags);
    return error;
}

int vcpu_destroy(struct vcpu *vcpu)
{
    irqflags_t flags;
    int error;

    ctx_assert_orphan();
    error = vcpu_retire(vcpu);
    if (error != 0)
        return error;
    sched_wait_off_cpu(vcpu);
    list_leave(vcpu);
    flags = arch_irq_save();
    notifier_call(&vcpu_state_chain, VCPU_UNKNOWN, vcpu);
    arch_irq_restore(flags);
    if (vcpu->is_normal)
        arch_vcpu_drop(vcpu);
    arch_vcpu_destroy(vcpu);
    sched_withdraw(vcpu);
    vmap_stack_free(vcpu->stack);
    heap_free(vcpu);
    return 0;
}
