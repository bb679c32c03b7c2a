// SPDX-License-Identifier: Apache-2.0
// Lock checker of debug builds (CONFIG_DEBUG_LOCKS): order of lock classes, and locks that an
// interrupt handler could wait for in vain. Nothing of it is left in other builds. Room: base.
#pragma once

#include <stddef.h>
#include <stdint.h>

/* How a lock is taken. */
#define LOCKDEP_TRY 1U      /**< without waiting: adds nothing to the order */
#define LOCKDEP_SLEEPING 2U /**< by a VCPU that may sleep with it: a mutex */
/** A lock of the same class is held already, in an order that the caller vouches for. */
#define LOCKDEP_NESTED 4U

enum lockdep_kind {
    LOCKDEP_ORDER,     /**< two classes are taken in both orders */
    LOCKDEP_RECURSION, /**< a lock of the class is held by the same CPU or VCPU already */
    LOCKDEP_IRQ,       /**< taken in IRQ context, and elsewhere with interrupts enabled */
    LOCKDEP_FULL,      /**< a table is full: what is new is not checked any more */
};

/** One finding; each pair of classes is told once. Classes are named by where they are initialised. */
struct lockdep_report {
    enum lockdep_kind kind;
    const char *held;     /**< class held (ORDER, RECURSION), class at fault (IRQ) */
    const char *wanted;   /**< class wanted (ORDER, RECURSION) */
    uintptr_t held_at;    /**< code that took what is held; IRQ: that took it in IRQ context */
    uintptr_t wanted_at;  /**< code that wants the other now; IRQ: that took it with IRQs enabled */
    uintptr_t earlier[2]; /**< ORDER: where the reverse order was first seen: taken, then wanted */
};

#ifdef CONFIG_DEBUG_LOCKS

#define LOCKDEP_HELD_MAX 16

/** The class of one lock; part of the lock. */
struct lockdep_map {
    const char *site; /**< "file:line" of its initialiser; NULL: initialised as zero */
    uint16_t class;   /**< 0: not looked up yet */
};

struct lockdep_held {
    const void *lock;
    uintptr_t ip;
    uint16_t class;
};

/** The sleeping locks that a VCPU holds; part of it. */
struct lockdep_task {
    struct lockdep_held held[LOCKDEP_HELD_MAX];
    unsigned depth;
};

#define LOCKDEP_TEXT_(x) #x
#define LOCKDEP_TEXT(x) LOCKDEP_TEXT_(x)
#define LOCKDEP_SITE (__FILE_NAME__ ":" LOCKDEP_TEXT(__LINE__))
#define LOCKDEP_MAP struct lockdep_map map;
#define LOCKDEP_MAP_INIT .map = {LOCKDEP_SITE, 0},
#define lockdep_init(lock, where) ((lock)->map = (struct lockdep_map){(where), 0})

/** Before waiting for a lock (after taking it with LOCKDEP_TRY). task: NULL but for mutexes. */
void lockdep_take(struct lockdep_map *map, const void *lock, unsigned how,
                  struct lockdep_task *task, uintptr_t ip);
/** Before letting go of it. */
void lockdep_drop(const void *lock, struct lockdep_task *task);
#define lockdep_acquire(lock, how)                                                                 \
    lockdep_take(&(lock)->map, lock, how, NULL, (uintptr_t)__builtin_return_address(0))
#define lockdep_release(lock) lockdep_drop(lock, NULL)
#define lockdep_acquire_sleeping(lock, how, task)                                                  \
    lockdep_take(&(lock)->map, lock, how, task, (uintptr_t)__builtin_return_address(0))
#define lockdep_release_sleeping(lock, task) lockdep_drop(lock, task)
/** Panics when it has a mutex: it is about to end. */
void lockdep_assert_none(const struct lockdep_task *task);

/** Gets each finding instead of the console. Any context, IRQs masked; takes no locks. */
extern void (*lockdep_report_hook)(const struct lockdep_report *report);
/** Findings so far. */
unsigned lockdep_count(void);
/** Print the spinning locks that this CPU holds, and where it took them. */
void lockdep_print_held(void (*print)(const char *fmt, ...));

#else

#define LOCKDEP_SITE NULL
#define LOCKDEP_MAP
#define LOCKDEP_MAP_INIT
#define lockdep_init(lock, where) ((void)(where))
#define lockdep_acquire(lock, how) ((void)0)
#define lockdep_release(lock) ((void)0)
#define lockdep_acquire_sleeping(lock, how, task) ((void)0)
#define lockdep_release_sleeping(lock, task) ((void)0)
#define lockdep_assert_none(task) ((void)0)
#define lockdep_print_held(print) ((void)0)

#endif
