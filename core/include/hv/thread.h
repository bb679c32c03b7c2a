// SPDX-License-Identifier: Apache-2.0
// Threads: orphan VCPUs with a name, a function and data. Threads are asked to stop, never killed.
// Room: thread.
#pragma once

#include <hv/cpu.h>
#include <stdbool.h>
#include <stdint.h>

struct thread;
struct vcpu;

enum thread_state { THREAD_CREATED, THREAD_RUNNING, THREAD_SLEEPING, THREAD_STOPPED };

struct thread_config {
    const char *name;     /**< copied, cut to VCPU_NAME_MAX - 1 */
    int (*fn)(void *arg); /**< returns the exit code; must have let go of all mutexes */
    void *arg;
    uint8_t priority;    /**< 0..SCHED_PRIORITY_MAX */
    uint64_t time_slice; /**< ns, 0 = default */
    cpumask_t affinity;  /**< 0 = all */
    /**
     * fn may use FP and SIMD registers: it has its own, 0 at first. Any other thread that uses them
     * stops the hypervisor. Code that is to use them is declared in tools/check/exceptions.txt.
     */
    bool uses_fp;
};

/** The thread is CREATED. Orphan or boot. -ENOMEM, -EINVAL. */
int thread_create_with(const struct thread_config *config, struct thread **out);
/** The same for the usual ones. */
int thread_create(const char *name, int (*fn)(void *arg), void *arg, uint8_t priority,
                  uint64_t time_slice, struct thread **out);
/** Once; it may end, and if it is detached vanish, before this returns. 0, -EINVAL. Any context. */
int thread_start(struct thread *thread);
/** 0..SCHED_PRIORITY_MAX, at once, whatever it does. -EINVAL. Any context. */
int thread_set_priority(struct thread *thread, uint8_t priority);
/**
 * Ask it to stop (thread_should_stop() becomes true, interruptible sleeps end with -EINTR). Any
 * context.
 */
void thread_request_stop(struct thread *thread);
/** Has somebody asked the thread that runs to stop? Orphan. */
bool thread_should_stop(void);
/**
 * Wait (uninterruptibly) until it has stopped and free it; *code (may be NULL) is its return value,
 * -ECANCELED if it never ran. Orphan. -EDEADLK for itself.
 */
int thread_join(struct thread *thread, int *code);
/** Let the worker free it when it ends; not to be touched or joined after this. Any context. */
void thread_detach(struct thread *thread);
/** Sleep at least ns; -EINTR when asked to stop. Orphan/Normal. */
int thread_sleep(uint64_t ns);
/**
 * For long work between its pieces: when others wait for the CPU, of whatever priority, and the
 * thread has had it for THREAD_PIECE_NS, they get it for as long. *since is the clock's time when the
 * work began; this sets it to where it goes on. Orphan.
 */
void thread_give_way(uint64_t *since);
#define THREAD_PIECE_NS 20000
/** The thread that runs, NULL on a normal VCPU or idle. */
struct thread *thread_current(void);
/** May change as soon as it is told. Any context. */
enum thread_state thread_state(const struct thread *thread);
/** Both last as long as the thread. Any context. */
const char *thread_name(const struct thread *thread);
struct vcpu *thread_vcpu(struct thread *thread);

/** What commands show of a thread; a copy. */
struct thread_info {
    uint32_t id;
    char name[40];
    enum thread_state state;
    uint8_t priority; /**< as it counts now: with what it inherits */
    uint8_t base_priority;
    bool uses_fp;
    unsigned cpu;
    uint64_t time_slice; /**< ns */
    uint64_t run_ns;     /**< on a CPU */
    uint64_t switches;   /**< times it got one */
    uintptr_t fn;
};
/** All threads in order of their ids, to be freed with heap_free(). Orphan. -ENOMEM. */
int thread_get_all(struct thread_info **rows, unsigned *count);
/** "sleeping" */
const char *thread_state_name(enum thread_state state);
