// SPDX-License-Identifier: Apache-2.0
// The parts of the ticket spinlock that are not worth inlining.

#include <hv/spinlock.h>

void spin_wait(const struct spinlock *lock, uint16_t ticket)
{
    while (__atomic_load_n(&lock->owner, __ATOMIC_ACQUIRE) != ticket)
        arch_cpu_relax();
}

bool spin_try_ticket(struct spinlock *lock)
{
    uint16_t owner = __atomic_load_n(&lock->owner, __ATOMIC_ACQUIRE);

    /*
     * Drawing a ticket only when it is served at once: next == owner must still hold at that
     * moment.
     */
    return __atomic_compare_exchange_n(&lock->next, &owner, (uint16_t)(owner + 1), false,
                                       __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

bool spin_is_locked(const struct spinlock *lock)
{
    return __atomic_load_n(&lock->next, __ATOMIC_RELAXED) !=
           __atomic_load_n(&lock->owner, __ATOMIC_RELAXED);
}
