// SPDX-License-Identifier: Apache-2.0
// Ticket spinlock. Holding one disables preemption. Any context; a lock also taken in IRQ context
// needs the irqsave form everywhere. Room: base.
#pragma once

#include <arch/barrier.h>
#include <arch/irqflags.h>
#include <hv/ctx.h>
#include <hv/lock_annotations.h>
#include <hv/lockdep.h>
#include <lib/macros.h>
#include <stdbool.h>
#include <stdint.h>

struct CAPABILITY("spinlock") spinlock {
    uint16_t next;  /**< the ticket that the next comer draws */
    uint16_t owner; /**< the ticket that holds the lock; equal to next when it is free */
    LOCKDEP_MAP
};

#define SPINLOCK_INIT                                                                              \
    {                                                                                              \
        LOCKDEP_MAP_INIT.next = 0, .owner = 0                                                      \
    }

/** Wait until the ticket is served. */
void spin_wait(const struct spinlock *lock, uint16_t ticket);
/** Take the lock when it is free; preemption is off already. */
bool spin_try_ticket(struct spinlock *lock);
/** Has anybody got it? Of use only to its holder, and to assertions. */
bool spin_is_locked(const struct spinlock *lock);

/** site: who initialises the lock, which names its class in the lock checker. */
static inline void spin_init_at(struct spinlock *lock, const char *site)
{
    lock->next = 0;
    lock->owner = 0;
    lockdep_init(lock, site);
}
#define spin_init(lock) spin_init_at(lock, LOCKDEP_SITE)

/** The bare lock: draw a ticket, wait for it. Preemption is off already. */
static inline void spin_take(struct spinlock *lock)
{
    uint16_t ticket = __atomic_fetch_add(&lock->next, 1, __ATOMIC_RELAXED);

    if (unlikely(__atomic_load_n(&lock->owner, __ATOMIC_ACQUIRE) != ticket))
        spin_wait(lock, ticket);
}

/** The bare lock given back; preemption stays off. */
static inline void spin_drop(struct spinlock *lock)
{
    /* Only the holder writes owner, so that a plain read will do. */
    __atomic_store_n(&lock->owner, (uint16_t)(lock->owner + 1), __ATOMIC_RELEASE);
}

/**
 * Spins until it is free, first come, first served; preemption is off until the unlock. Any context,
 * unless an interrupt handler takes the lock too.
 */
static inline void spin_lock(struct spinlock *lock) ACQUIRES(lock) NO_THREAD_SAFETY
{
    preempt_disable();
    lockdep_acquire(lock, 0);
    spin_take(lock);
}

/**
 * The same with a lock of the same class held already, in an order that all keep to: of two run
 * queues, that of the lower CPU first.
 */
static inline void spin_lock_nested(struct spinlock *lock) ACQUIRES(lock) NO_THREAD_SAFETY
{
    preempt_disable();
    lockdep_acquire(lock, LOCKDEP_NESTED);
    spin_take(lock);
}

/** True: taken. False: somebody has it, or waits for it; nothing has changed. */
static inline bool spin_trylock(struct spinlock *lock) TRY_ACQUIRES(true, lock) NO_THREAD_SAFETY
{
    preempt_disable();
    if (spin_try_ticket(lock)) {
        lockdep_acquire(lock, LOCKDEP_TRY);
        return true;
    }
    preempt_enable();
    return false;
}

/** By the holder, on the CPU that took it; a due reschedule happens here. */
static inline void spin_unlock(struct spinlock *lock) RELEASES(lock) NO_THREAD_SAFETY
{
    lockdep_release(lock);
    spin_drop(lock);
    preempt_enable();
}

/** spin_lock() with interrupts masked until the unlock, which gets the flags that this returns. Any context. */
static inline irqflags_t spin_lock_irqsave(struct spinlock *lock) ACQUIRES(lock) NO_THREAD_SAFETY
{
    irqflags_t flags = arch_irq_save();

    this_cpu(ctx_state).preempt_count++;
    ctx_compiler_barrier();
    lockdep_acquire(lock, 0);
    spin_take(lock);
    return flags;
}

/** Interrupts as they were; a due reschedule happens here when they are on. */
static inline void spin_unlock_irqrestore(struct spinlock *lock, irqflags_t flags)
    RELEASES(lock) NO_THREAD_SAFETY
{
    lockdep_release(lock);
    spin_drop(lock);
    ctx_irqrestore_enable(flags);
}
