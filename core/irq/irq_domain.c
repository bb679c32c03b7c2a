// SPDX-License-Identifier: Apache-2.0
// Interrupt domains: controllers of the device tree, their numbers, and the flat numbers given to
// them on demand.

#include "irq_internal.h"

#include <arch/irqflags.h>
#include <hv/dt.h>
#include <hv/heap.h>
#include <hv/panic.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <stddef.h>

#define SPECIFIER_CELLS_MAX 4

struct spinlock irq_numbers_lock = SPINLOCK_INIT;

/* Numbers from IRQ_MAX on. */
static struct irq_map flat_map;
static uint32_t flat_hint = IRQ_MAX; /* below it none is free */
static struct list domains = LIST_INIT(domains);

/* The root controller as a domain */

static int root_translate(struct irq_domain *domain, const uint32_t *cells, unsigned count,
                          uint32_t *hwirq, uint32_t *trigger)
{
    (void)domain;
    return irq_chip()->translate(cells, count, hwirq, trigger);
}

static void root_enable(struct irq_domain *domain, uint32_t hwirq)
{
    (void)domain;
    irq_chip()->enable(hwirq);
}

static void root_disable(struct irq_domain *domain, uint32_t hwirq)
{
    (void)domain;
    irq_chip()->disable(hwirq);
}

static int root_configure(struct irq_domain *domain, uint32_t hwirq, uint32_t trigger)
{
    (void)domain;
    return irq_chip()->configure(hwirq, trigger);
}

static int root_set_affinity(struct irq_domain *domain, uint32_t hwirq, unsigned cpu)
{
    (void)domain;
    return irq_chip()->set_affinity == NULL ? -EOPNOTSUPP : irq_chip()->set_affinity(hwirq, cpu);
}

static const struct irq_domain_ops root_ops = {
    .translate = root_translate,
    .enable = root_enable,
    .disable = root_disable,
    .configure = root_configure,
    .set_affinity = root_set_affinity,
};
static struct irq_domain root_domain = {.ops = &root_ops};

struct irq_domain *irq_root_domain(void)
{
    return &root_domain;
}

void irq_root_set(struct dt_node *node)
{
    root_domain.node = node;
}

/* Numbers */

struct irq_desc *irq_desc_find(uint32_t irq)
{
    if (irq < IRQ_MAX)
        return __atomic_load_n(irq_root_slot(irq), __ATOMIC_ACQUIRE);
    return irq_map_get(&flat_map, irq);
}

const char *irq_owner(uint32_t irq)
{
    const struct irq_desc *desc = irq_desc_find(irq);

    return desc != NULL && desc->owned ? desc->name : NULL;
}

static struct irq_desc *desc_create(struct irq_domain *domain, uint32_t hwirq)
{
    struct irq_desc *desc = heap_zalloc(sizeof(*desc));

    if (desc == NULL)
        return NULL;
    *desc = (struct irq_desc){.domain = domain,
                              .hwirq = hwirq,
                              .irq = hwirq,
                              .handler = irq_nobody,
                              .off = IRQ_OFF_OWNER,
                              .affinity = CPU_MASK_ALL,
                              .refs = 1};
    if (domain == &root_domain)
        return desc;
    desc->counts = heap_calloc(SMP_CPUS_MAX, sizeof(desc->counts[0]));
    if (desc->counts == NULL) {
        heap_free(desc);
        return NULL;
    }
    return desc;
}

static void desc_free(struct irq_desc *desc)
{
    heap_free(desc->counts);
    heap_free(desc);
}

/* Enters it into both maps. */
static int desc_publish(struct irq_desc *desc) REQUIRES(irq_numbers_lock)
{
    struct irq_domain *domain = desc->domain;
    int err;

    if (domain == &root_domain) {
        __atomic_store_n(irq_root_slot(desc->irq), desc, __ATOMIC_RELEASE);
        return 0;
    }
    while (flat_hint != IRQ_NONE && irq_map_get(&flat_map, flat_hint) != NULL)
        flat_hint++;
    if (flat_hint == IRQ_NONE)
        return -ENOSPC;
    desc->irq = flat_hint;
    err = irq_map_set(&flat_map, desc->irq, desc);
    if (err != 0)
        return err;
    err = irq_map_set(&domain->map, desc->hwirq, desc);
    if (err == 0 && domain->ops->map != NULL)
        err = domain->ops->map(domain, desc->hwirq, desc->irq);
    if (err != 0) {
        irq_map_clear(&flat_map, desc->irq);
        if (irq_map_get(&domain->map, desc->hwirq) != NULL)
            irq_map_clear(&domain->map, desc->hwirq);
    }
    return err;
}

/* Under irq_lock as well, with which those look it up who have no number of their own. */
static void desc_withdraw(struct irq_desc *desc) REQUIRES(irq_numbers_lock)
{
    struct irq_domain *domain = desc->domain;
    irqflags_t flags = spin_lock_irqsave(&irq_lock);

    if (domain == &root_domain) {
        __atomic_store_n(irq_root_slot(desc->irq), NULL, __ATOMIC_RELEASE);
    } else {
        irq_map_clear(&domain->map, desc->hwirq);
        irq_map_clear(&flat_map, desc->irq);
        flat_hint = MIN(flat_hint, desc->irq);
    }
    spin_unlock_irqrestore(&irq_lock, flags);
    if (domain->ops->unmap != NULL)
        domain->ops->unmap(domain, desc->hwirq);
}

static struct irq_desc *domain_find(struct irq_domain *domain, uint32_t hwirq)
{
    return domain == &root_domain ? irq_desc_find(hwirq) : irq_map_get(&domain->map, hwirq);
}

int irq_desc_get(struct irq_domain *domain, uint32_t hwirq, struct irq_desc **out)
{
    struct irq_desc *fresh, *desc;
    int err = 0;

    if (domain == &root_domain && (irq_chip() == NULL || hwirq >= irq_chip()->total))
        return -EINVAL;
    fresh = desc_create(domain, hwirq);
    if (fresh == NULL)
        return -ENOMEM;
    spin_lock(&irq_numbers_lock);
    desc = domain_find(domain, hwirq);
    if (desc != NULL) {
        desc->refs++;
    } else {
        err = desc_publish(fresh);
        desc = fresh;
    }
    spin_unlock(&irq_numbers_lock);
    if (err != 0 || desc != fresh)
        desc_free(fresh);
    if (err == 0)
        *out = desc;
    return err;
}

void irq_desc_put(struct irq_desc *desc)
{
    bool last;

    spin_lock(&irq_numbers_lock);
    ASSERT(desc->refs > 0);
    last = --desc->refs == 0;
    if (last)
        desc_withdraw(desc);
    spin_unlock(&irq_numbers_lock);
    if (!last)
        return;
    irq_synchronize();
    desc_free(desc);
}

uint32_t irq_next(uint32_t irq)
{
    irq = irq == IRQ_NONE ? 0 : irq + 1;
    for (; irq < IRQ_MAX; irq++) {
        if (irq_desc_find(irq) != NULL)
            return irq;
    }
    return irq_map_next(&flat_map, &irq) != NULL ? irq : IRQ_NONE;
}

/* Domains */

struct irq_domain *irq_domain_of(const struct dt_node *node)
{
    if (node != NULL && node == root_domain.node)
        return &root_domain;
    LIST_FOR_EACH(domain, &domains, struct irq_domain, link) {
        if (domain->node == node)
            return domain;
    }
    /* A root that was set by hand has no node: whatever is not chained goes to it. */
    return root_domain.node == NULL && irq_chip() != NULL ? &root_domain : NULL;
}

int irq_domain_create(struct dt_node *node, const char *name, const struct irq_domain_ops *ops,
                      void *priv, struct irq_domain **out)
{
    struct irq_domain *domain = heap_zalloc(sizeof(*domain)), *known;

    if (domain == NULL)
        return -ENOMEM;
    *domain = (struct irq_domain){.node = node, .ops = ops, .priv = priv};
    (void)str_copy(domain->name, name, sizeof(domain->name));
    spin_lock(&irq_numbers_lock);
    known = irq_domain_of(node);
    if (known == NULL || known->node != node)
        list_add_tail(&domains, &domain->link);
    else
        list_init(&domain->link);
    spin_unlock(&irq_numbers_lock);
    if (list_is_empty(&domain->link)) {
        heap_free(domain);
        return -EEXIST;
    }
    *out = domain;
    return 0;
}

int irq_domain_destroy(struct irq_domain *domain)
{
    uint32_t first = 0;
    bool used;

    spin_lock(&irq_numbers_lock);
    used = irq_map_next(&domain->map, &first) != NULL;
    if (!used)
        list_remove(&domain->link);
    spin_unlock(&irq_numbers_lock);
    if (used)
        return -EBUSY;
    irq_synchronize();
    irq_map_free(&domain->map);
    heap_free(domain);
    return 0;
}

void *irq_domain_priv(const struct irq_domain *domain)
{
    return domain->priv;
}

int irq_domain_map(struct irq_domain *domain, uint32_t hwirq, uint32_t *irq)
{
    struct irq_desc *desc;
    int err = irq_desc_get(domain, hwirq, &desc);

    if (err == 0)
        *irq = desc->irq;
    return err;
}

static int desc_configure(struct irq_desc *desc, uint32_t trigger)
{
    irqflags_t flags = spin_lock_irqsave(&irq_lock);
    int err = 0;

    if (desc->domain->ops->configure != NULL)
        err = desc->domain->ops->configure(desc->domain, desc->hwirq, trigger);
    if (err == 0)
        desc->trigger = trigger;
    spin_unlock_irqrestore(&irq_lock, flags);
    return err;
}

int irq_from_node(const struct dt_node *node, unsigned index, uint32_t *irq)
{
    uint32_t cells[SPECIFIER_CELLS_MAX], hwirq, trigger;
    int count = dt_get_interrupt(node, index, cells);
    struct irq_domain *domain;
    struct irq_desc *desc;
    int err;

    if (count < 0)
        return count;
    domain = irq_domain_of(dt_interrupt_controller(node, index));
    if (domain == NULL)
        return -EAGAIN;
    err = domain->ops->translate(domain, cells, (unsigned)count, &hwirq, &trigger);
    if (err == 0)
        err = irq_desc_get(domain, hwirq, &desc);
    if (err != 0)
        return err;
    err = desc_configure(desc, trigger);
    if (err != 0)
        irq_desc_put(desc);
    else
        *irq = desc->irq;
    return err;
}

void irq_put(uint32_t irq)
{
    struct irq_desc *desc = irq_desc_find(irq);

    ASSERT(desc != NULL);
    irq_desc_put(desc);
}
