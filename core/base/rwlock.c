// SPDX-License-Identifier: Apache-2.0
// Readers-writer lock: all comers queue at a spinlock; a writer keeps it, a reader passes through.

#include <hv/rwlock.h>

void rw_take_read(struct rwlock *lock)
{
    spin_take(&lock->gate);
    __atomic_fetch_add(&lock->readers, 1, __ATOMIC_RELAXED);
    spin_drop(&lock->gate);
}

void rw_take_write(struct rwlock *lock)
{
    spin_take(&lock->gate);
    while (__atomic_load_n(&lock->readers, __ATOMIC_ACQUIRE) != 0)
        arch_cpu_relax();
}

bool rw_try_read(struct rwlock *lock)
{
    if (!spin_try(&lock->gate))
        return false;
    __atomic_fetch_add(&lock->readers, 1, __ATOMIC_RELAXED);
    spin_drop(&lock->gate);
    return true;
}

bool rw_try_write(struct rwlock *lock)
{
    if (!spin_try(&lock->gate))
        return false;
    if (__atomic_load_n(&lock->readers, __ATOMIC_ACQUIRE) == 0)
        return true;
    spin_drop(&lock->gate);
    return false;
}
