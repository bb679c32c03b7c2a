// SPDX-License-Identifier: Apache-2.0
// The parts of the spinlock that are not worth inlining.

#include <hv/spinlock.h>

#define HELD 1U
#define OWED_ONE 0x100U

static bool take_as(struct spinlock *lock, uint16_t before, uint16_t after)
{
    return __atomic_compare_exchange_n(&lock->state, &before, after, false, __ATOMIC_ACQUIRE,
                                       __ATOMIC_RELAXED);
}

/* Without a ticket. False: it is held by one after the other. */
static bool take_patiently(struct spinlock *lock)
{
    unsigned held = 0, left = 0;

    while (held < SPIN_PATIENCE) {
        uint16_t state = __atomic_load_n(&lock->state, __ATOMIC_RELAXED);

        if (state & HELD) {
            held++;
            left = 0;
        } else if ((state == 0 || ++left > SPIN_GRACE) && take_as(lock, state, state | HELD)) {
            return true;
        }
        arch_cpu_relax();
    }
    return false;
}

/* It is our turn. */
static void take_owed(struct spinlock *lock)
{
    for (;;) {
        uint16_t state = __atomic_load_n(&lock->state, __ATOMIC_RELAXED);

        if (!(state & HELD) && take_as(lock, state, (uint16_t)(state - OWED_ONE) | HELD))
            return;
        arch_cpu_relax();
    }
}

void spin_wait(struct spinlock *lock)
{
    uint8_t ticket;

    if (take_patiently(lock))
        return;
    ticket = __atomic_fetch_add(&lock->next, 1, __ATOMIC_RELAXED);
    __atomic_fetch_add(&lock->owed, 1, __ATOMIC_RELAXED);
    while (__atomic_load_n(&lock->served, __ATOMIC_ACQUIRE) != ticket)
        arch_cpu_relax();
    take_owed(lock);
    __atomic_store_n(&lock->served, (uint8_t)(ticket + 1), __ATOMIC_RELEASE);
}

bool spin_is_locked(const struct spinlock *lock)
{
    return __atomic_load_n(&lock->held, __ATOMIC_RELAXED) != 0;
}
