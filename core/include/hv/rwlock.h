// SPDX-License-Identifier: Apache-2.0
// Spinning lock for many readers or one writer, in the spinlock's order: neither starves. Holding
// one disables preemption. Any context; a lock also taken in IRQ context needs the irqsave forms
// everywhere, for readers too. A reader must not read-lock again: a writer may have come between.
// Room: base.
#pragma once

#include <hv/spinlock.h>

struct CAPABILITY("rwlock") rwlock {
    struct spinlock gate; /**< held by a writer throughout, by a reader while it comes in */
    uint32_t readers;     /**< that are in */
    LOCKDEP_MAP
};

#define RWLOCK_INIT                                                                                \
    {                                                                                              \
        LOCKDEP_MAP_INIT.gate = SPINLOCK_INIT, .readers = 0                                        \
    }

/** site: who initialises it, which names its class in the lock checker. */
static inline void rw_init_at(struct rwlock *lock, const char *site)
{
    spin_init_at(&lock->gate, site);
    lock->readers = 0;
    lockdep_init(lock, site);
}
#define rw_init(lock) rw_init_at(lock, LOCKDEP_SITE)

/** The bare lock, with preemption off already and unknown to the lock checker; for the functions below. */
void rw_take_read(struct rwlock *lock);
void rw_take_write(struct rwlock *lock);
bool rw_try_read(struct rwlock *lock);
bool rw_try_write(struct rwlock *lock);

/** The bare lock given back; preemption stays off. */
static inline void rw_drop_read(struct rwlock *lock)
{
    __atomic_fetch_sub(&lock->readers, 1, __ATOMIC_RELEASE);
}

/** The same by the writer. */
static inline void rw_drop_write(struct rwlock *lock)
{
    spin_drop(&lock->gate);
}

/** Spins while a writer is in, or came before. Preemption is off until the unlock. Any context, see above. */
static inline void rw_read_lock(struct rwlock *lock) ACQUIRES_SHARED(lock) NO_THREAD_SAFETY
{
    preempt_disable();
    lockdep_acquire(lock, 0);
    rw_take_read(lock);
}

/** By whoever has read-locked it; a due reschedule happens here. */
static inline void rw_read_unlock(struct rwlock *lock) RELEASES_SHARED(lock) NO_THREAD_SAFETY
{
    lockdep_release(lock);
    rw_drop_read(lock);
    preempt_enable();
}

/** Spins until all who came before are out. */
static inline void rw_write_lock(struct rwlock *lock) ACQUIRES(lock) NO_THREAD_SAFETY
{
    preempt_disable();
    lockdep_acquire(lock, 0);
    rw_take_write(lock);
}

/** By the writer. */
static inline void rw_write_unlock(struct rwlock *lock) RELEASES(lock) NO_THREAD_SAFETY
{
    lockdep_release(lock);
    rw_drop_write(lock);
    preempt_enable();
}

/** The same four with interrupts masked in between, for locks that interrupt handlers take. */
static inline irqflags_t rw_read_lock_irqsave(struct rwlock *lock)
    ACQUIRES_SHARED(lock) NO_THREAD_SAFETY
{
    irqflags_t flags = arch_irq_save();

    rw_read_lock(lock);
    return flags;
}

/** flags: what the lock function returned; so in all the functions of this kind. */
static inline void rw_read_unlock_irqrestore(struct rwlock *lock, irqflags_t flags)
    RELEASES_SHARED(lock) NO_THREAD_SAFETY
{
    lockdep_release(lock);
    rw_drop_read(lock);
    ctx_irqrestore_enable(flags);
}

/** As rw_write_lock(), interrupts masked. */
static inline irqflags_t rw_write_lock_irqsave(struct rwlock *lock) ACQUIRES(lock) NO_THREAD_SAFETY
{
    irqflags_t flags = arch_irq_save();

    rw_write_lock(lock);
    return flags;
}

/** The end of it. */
static inline void rw_write_unlock_irqrestore(struct rwlock *lock, irqflags_t flags)
    RELEASES(lock) NO_THREAD_SAFETY
{
    lockdep_release(lock);
    rw_drop_write(lock);
    ctx_irqrestore_enable(flags);
}
