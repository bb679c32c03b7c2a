// SPDX-License-Identifier: Apache-2.0
// Spinlock, in order of arrival for those who wait long. Holding one disables preemption. Any context; a lock also taken in IRQ context
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

/**
 * A comer takes a free lock, unless somebody is owed it. Who has found it held SPIN_PATIENCE times
 * draws a ticket: it is owed to him, in order of tickets. Only when he does not take it, because an
 * emulator has set his CPU aside, does it go to others: else all would wait for that CPU.
 */
struct CAPABILITY("spinlock") spinlock {
    union {
        uint16_t state; /**< held and owed at once: 0 is free for everybody */
        struct {
            uint8_t held;
            uint8_t owed; /**< how many have a ticket */
        };
    };
    uint8_t next;   /**< the ticket that is drawn next */
    uint8_t served; /**< the ticket whose turn it is */
    LOCKDEP_MAP
};

#define SPINLOCK_INIT                                                                              \
    {                                                                                              \
        LOCKDEP_MAP_INIT.next = 0, .served = 0                                                     \
    }

/** How often a waiter finds the lock held before it draws a ticket. */
#define SPIN_PATIENCE 1000
/** How often a lock is found free and not taken before it is nobody's turn any more. */
#define SPIN_GRACE 100

/** Take the lock that was not free. */
void spin_wait(struct spinlock *lock);
/** Has anybody got it? Of use only to its holder, and to assertions. */
bool spin_is_locked(const struct spinlock *lock);

/** site: who initialises the lock, which names its class in the lock checker. */
static inline void spin_init_at(struct spinlock *lock, const char *site)
{
    lock->state = 0;
    lock->next = 0;
    lock->served = 0;
    lockdep_init(lock, site);
}
#define spin_init(lock) spin_init_at(lock, LOCKDEP_SITE)

/** The bare lock, when it is free for everybody; preemption is off already. */
static inline bool spin_try(struct spinlock *lock)
{
    uint16_t free = 0;

    return __atomic_compare_exchange_n(&lock->state, &free, 1, false, __ATOMIC_ACQUIRE,
                                       __ATOMIC_RELAXED);
}

/** The bare lock; preemption is off already. */
static inline void spin_take(struct spinlock *lock)
{
    if (unlikely(!spin_try(lock)))
        spin_wait(lock);
}

/** The bare lock given back; preemption stays off. */
static inline void spin_drop(struct spinlock *lock)
{
    __atomic_store_n(&lock->held, 0, __ATOMIC_RELEASE);
}

/**
 * Spins until it is free, at last in order of arrival; preemption is off until the unlock. Any context,
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

/** True: taken. False: somebody has it, or is owed it; nothing has changed. */
static inline bool spin_trylock(struct spinlock *lock) TRY_ACQUIRES(true, lock) NO_THREAD_SAFETY
{
    preempt_disable();
    if (spin_try(lock)) {
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
