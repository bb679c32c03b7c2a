// SPDX-License-Identifier: Apache-2.0
// Ticket spinlock. Holding one disables preemption. Any context; a lock also taken in IRQ context needs the irqsave form everywhere. Room: base.
#pragma once

#include <arch/irqflags.h>
#include <hv/lock_annotations.h>
#include <stdbool.h>
#include <stdint.h>

struct CAPABILITY("spinlock") spinlock {
    uint16_t next;
    uint16_t owner;
};

#define SPINLOCK_INIT {0, 0}

void spin_init(struct spinlock *lock);
void spin_lock(struct spinlock *lock) ACQUIRES(lock);
bool spin_trylock(struct spinlock *lock) TRY_ACQUIRES(true, lock);
void spin_unlock(struct spinlock *lock) RELEASES(lock);
irqflags_t spin_lock_irqsave(struct spinlock *lock) ACQUIRES(lock);
void spin_unlock_irqrestore(struct spinlock *lock, irqflags_t flags) RELEASES(lock);
bool spin_is_locked(const struct spinlock *lock);
