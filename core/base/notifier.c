// SPDX-License-Identifier: Apache-2.0
// Notifier chains: a singly linked list that callers walk without a lock, counting themselves.

#include <hv/notifier.h>
#include <stddef.h>

void notifier_add(struct notifier_chain *chain, struct notifier *n)
{
    irqflags_t flags = spin_lock_irqsave(&chain->lock);
    struct notifier **place = &chain->first;

    while (*place != NULL && (*place)->priority >= n->priority)
        place = &(*place)->next;
    n->next = *place;
    /* Whoever finds it finds it complete. */
    __atomic_store_n(place, n, __ATOMIC_RELEASE);
    spin_unlock_irqrestore(&chain->lock, flags);
}

void notifier_remove(struct notifier_chain *chain, struct notifier *n)
{
    irqflags_t flags = spin_lock_irqsave(&chain->lock);
    struct notifier **place = &chain->first;

    while (*place != NULL && *place != n)
        place = &(*place)->next;
    /* It keeps its own link: a call that is at it goes on from there. */
    if (*place != NULL)
        __atomic_store_n(place, n->next, __ATOMIC_SEQ_CST);
    spin_unlock_irqrestore(&chain->lock, flags);
}

/*
 * New calls are counted on one side while the other side runs empty; then the other way round,
 * because a caller may have read the side and counted itself there only after the side changed.
 */
void notifier_drain(struct notifier_chain *chain)
{
    uint32_t side = __atomic_fetch_add(&chain->epoch, 1, __ATOMIC_SEQ_CST) & 1;

    while (__atomic_load_n(&chain->calls[side], __ATOMIC_SEQ_CST) != 0)
        arch_cpu_relax();
    __atomic_fetch_add(&chain->epoch, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&chain->calls[side ^ 1], __ATOMIC_SEQ_CST) != 0)
        arch_cpu_relax();
}

void notifier_call(struct notifier_chain *chain, unsigned event, void *data)
{
    uint32_t side = __atomic_load_n(&chain->epoch, __ATOMIC_RELAXED) & 1;
    struct notifier *n;

    __atomic_fetch_add(&chain->calls[side], 1, __ATOMIC_SEQ_CST);
    for (n = __atomic_load_n(&chain->first, __ATOMIC_ACQUIRE); n != NULL;
         n = __atomic_load_n(&n->next, __ATOMIC_ACQUIRE))
        n->notify(n, event, data);
    __atomic_fetch_sub(&chain->calls[side], 1, __ATOMIC_RELEASE);
}
